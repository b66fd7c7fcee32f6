//! From [`Cleared`] to [`Sealed`]: what must not be read is encrypted, and nothing else can be written.
//!
//! It stands apart because it is where plaintext ends. It takes only what the guard has cleared: plaintext that no guard
//! has searched does not compile. Each file goes to its place as soon as it is sealed, so that ten thousand sites need no more
//! memory than a few; they are sealed in parallel.
//!
//! # What this does not do
//!
//! age does not say who encrypted (C2SP age.md): whoever knows the recipients can make such a file. The bundle's signature says it.

mod job;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use age::Encryptor;

use crate::audience::Audience;
use crate::fingerprint::{Notes, Past, Record, SealedAs, Tag};
use crate::fs::FileError;
use crate::guard::Cleared;
use crate::model::{
    Certificates, Digest, EnvironmentFile, FilePath, Grant, GuardReport, Origin, ParameterName, SecretOrigin,
    Site,
};
use crate::report::Hint;
use crate::secret::wipe_finished_frames;

use self::job::{Job, Text};

/// A thread for fewer files than this costs more than it saves.
const FILES_OF_A_THREAD: usize = 16;

/// Where sealed files go. Several threads put files there at once.
pub trait Sink: Sync {
    /// Takes a file.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    fn put(&self, file: &SealedFile) -> Result<(), FileError>;

    /// Takes the file that the generation before has at `path`, if it has this digest there: its size. Else nothing.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    fn keep(&self, path: &FilePath, digest: &Digest) -> Result<Option<u64>, FileError>;

    /// So many files of so many are done.
    fn progress(&self, done: usize, of: usize);
}

/// Nowhere: for who only wants to know what would be sealed.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "there is nothing in it")]
pub struct Nowhere;

/// One file of a bundle, as bytes that anybody may see. Only [`seal`] makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct SealedFile {
    pub(crate) path: FilePath,
    pub(crate) bytes: Vec<u8>,
}

/// A bundle's files as they were put in their place. Only [`seal`] makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Sealed {
    pub(crate) origin: Origin,
    pub(crate) files: Vec<Entry>,
    pub(crate) secrets: Vec<(ParameterName, SecretOrigin)>,
    pub(crate) certificates: Certificates,
    pub(crate) recipients: BTreeMap<Site, Vec<String>>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) guard: GuardReport,
    /// The fingerprints of the values.
    pub(crate) tags: BTreeMap<ParameterName, Tag>,
}

/// A file in its place.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) path: FilePath,
    /// What it sets; a site's file sets what the site's subset says.
    pub(crate) parameters: Vec<ParameterName>,
    pub(crate) sha256: Digest,
    pub(crate) size: u64,
    /// Of a sealed file: what it was made from.
    pub(crate) tag: Option<Tag>,
    /// Whether it is the very file of the generation before.
    pub(crate) kept: bool,
}

/// Why nothing could be sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// age refuses the recipients, or could not encrypt.
    #[error("`{file}` could not be encrypted", file = .file.file_name())]
    Encrypt {
        /// The file.
        file: EnvironmentFile,
    },
    /// A file could not be put in its place.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Hint for SealError {
    fn hint(&self) -> String {
        match self {
            Self::Encrypt { .. } => String::from("this is a bug in dcn-vault: please report it"),
            Self::File(error) => error.hint(),
        }
    }
}

impl Sealed {
    /// What the certificates among the secrets say of themselves.
    #[must_use]
    pub const fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// What the guard did.
    #[must_use]
    pub const fn guard(&self) -> &GuardReport {
        &self.guard
    }

    /// How many sealed files there are, and how many of them are those of the generation before.
    #[must_use]
    pub fn count_kept(&self) -> (usize, usize) {
        let sealed = self.files.iter().filter(|entry| entry.path.sealed);
        (sealed.clone().count(), sealed.filter(|entry| entry.kept).count())
    }

    /// What a later pull may know of this one; of values that are gone from the plan, too, which `before` has.
    #[must_use]
    pub fn record(&self, generation: u64, manifest: Digest, past: Past, before: Option<&Record>) -> Record {
        let mut record = Record { generation, manifest: Some(manifest), past, ..Record::default() };
        record.secrets = before.map(|before| before.secrets.clone()).unwrap_or_default();
        record.secrets.extend(self.tags.clone());
        let tagged = self.files.iter().filter_map(|entry| Some((entry, entry.tag.clone()?)));
        record.files = tagged
            .map(|(entry, tag)| (entry.path.to_string(), SealedAs { tag, sha256: entry.sha256.clone() }))
            .collect();
        record
    }
}

impl Sink for Nowhere {
    fn put(&self, _: &SealedFile) -> Result<(), FileError> {
        Ok(())
    }

    fn keep(&self, _: &FilePath, _: &Digest) -> Result<Option<u64>, FileError> {
        Ok(None)
    }

    fn progress(&self, _: usize, _: usize) {}
}

/// Encrypts what the guard found secret, for those of `audience` who get it, and puts each file into `sink`. A file that `before`
/// has with the same recipients and values stays as it is.
///
/// # Errors
///
/// Any [`SealError`]; of several the first by the files' order.
pub fn seal(
    cleared: Cleared,
    audience: &Audience,
    notes: &Notes,
    before: Option<&Record>,
    sink: &dyn Sink,
) -> Result<Sealed, SealError> {
    let tags = notes.tags(&cleared);
    let jobs = job::list(&cleared, audience);
    let means = Means { audience, notes, tags: &tags, before, sink };
    let files = means.do_all(&jobs);
    drop(jobs);
    let Cleared { origin, secrets, files: cleared, certificates, report } = cleared;
    drop(cleared);
    // The last plaintext is gone: so is, from here on, what age and the stages before have left on the stack
    wipe_finished_frames();
    Ok(Sealed {
        origin,
        files: files?,
        secrets: secrets.into_iter().map(|secret| (secret.name, secret.origin)).collect(),
        certificates,
        recipients: audience.recipients.texts(),
        grants: audience.grants.clone(),
        guard: report,
        tags,
    })
}

struct Means<'a> {
    audience: &'a Audience,
    notes: &'a Notes,
    tags: &'a BTreeMap<ParameterName, Tag>,
    before: Option<&'a Record>,
    sink: &'a dyn Sink,
}

impl Means<'_> {
    fn do_all(&self, jobs: &[Job<'_>]) -> Result<Vec<Entry>, SealError> {
        // The notes' key is for this thread alone
        let tags: Vec<Option<Tag>> = jobs.iter().map(|job| self.tag(job)).collect();
        let (audience, sink, before) = (self.audience, self.sink, self.before);
        let one = |job: &Job<'_>, tag: &Option<Tag>| do_one(job, tag.as_ref(), audience, before, sink);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(jobs.len() / FILES_OF_A_THREAD);
        if threads < 2 {
            return jobs.iter().zip(&tags).map(|(job, tag)| one(job, tag)).collect();
        }
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let is_over = AtomicBool::new(false);
        let results = Mutex::new(Vec::with_capacity(jobs.len()));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let (Some(job), Some(tag)) = (jobs.get(number), tags.get(number)) else { break };
                        let result = one(job, tag);
                        is_over.fetch_or(result.is_err(), Ordering::Relaxed);
                        results.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
                        sink.progress(done.fetch_add(1, Ordering::Relaxed) + 1, jobs.len());
                    }
                    wipe_finished_frames();
                });
            }
        });
        // Also where one has failed: the line goes away
        sink.progress(jobs.len(), jobs.len());
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(number, _)| *number);
        results.into_iter().map(|(_, result)| result).collect()
    }

    fn tag(&self, job: &Job<'_>) -> Option<Tag> {
        if !job.path.sealed {
            return None;
        }
        let recipients = job.sites.iter().flat_map(|site| self.audience.recipients.texts_of(site));
        let mut recipients: Vec<&str> = recipients.collect();
        // A key of two sites counts twice: its header says it twice, too
        recipients.sort_unstable();
        let values = job.parameters.iter().map(|name| (*name, self.tags.get(*name)));
        Some(self.notes.file_tag(recipients.into_iter(), values))
    }
}

fn do_one(
    job: &Job<'_>,
    tag: Option<&Tag>,
    audience: &Audience,
    before: Option<&Record>,
    sink: &dyn Sink,
) -> Result<Entry, SealError> {
    let entry = |sha256, size, kept| Entry {
        path: job.path.clone(),
        parameters: job.own_parameters(),
        sha256,
        size,
        tag: tag.cloned(),
        kept,
    };
    let known = before.and_then(|before| before.files.get(&job.path.to_string()));
    if let Some(SealedAs { tag: same, sha256 }) = known
        && tag == Some(same)
        && let Some(size) = sink.keep(&job.path, sha256)?
    {
        return Ok(entry(sha256.clone(), size, true));
    }
    let bytes = match job.text {
        Text::Public(bytes) => bytes.to_vec(),
        Text::Secret(_) => encrypt(job, audience).map_err(|_| SealError::Encrypt { file: job.path.file })?,
    };
    let file = SealedFile { path: job.path.clone(), bytes };
    sink.put(&file)?;
    Ok(entry(Digest::of(&file.bytes), u64::try_from(file.bytes.len()).unwrap_or(u64::MAX), false))
}

fn encrypt(job: &Job<'_>, audience: &Audience) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let recipients = audience.recipients.keys_of(job.sites.iter().copied());
    let encryptor = Encryptor::with_recipients(recipients)?;
    let mut bytes = Vec::new();
    let mut writer = encryptor.wrap_output(&mut bytes)?;
    job.write_to(&mut writer)?;
    writer.finish()?;
    Ok(bytes)
}
