//! What the puller remembers of the values: keyed fingerprints, by which a later pull tells what has changed.
//!
//! It stands apart because it is the one thing computed from values that is kept. It stays with the puller, who sees the values
//! anyway: in no bundle, no log. So who pulls needs no identity, and a bundle is no oracle.
//!
//! # What this does not do
//!
//! Its file holds the key beside the fingerprints: who can read it can try out guesses of weak passwords. It is mode 0600, and can be
//! removed at any time; the next pull then seals all files anew, and does not know what has changed.

mod tag;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::classify::Classified;
use crate::fs::{self, FileError, Held};
use crate::guard::{Cleared, ClearedContent};
use crate::model::{Data, Digest, ParameterName, Site};
use crate::report::Hint;
use crate::secret::{SecretBuffer, SecretValue};

pub use tag::Tag;

/// So many records are kept: the last generation's, and that of one that is being written.
const KEPT: usize = 2;

/// What one puller remembers of one vault.
#[derive(Debug)]
#[non_exhaustive]
pub struct Notes {
    path: Option<PathBuf>,
    key: SecretValue,
    records: Vec<Record>,
}

/// What is remembered of one generation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Record {
    /// The generation.
    pub generation: u64,
    /// The digest of its manifest: two generations of the same number are not the same.
    pub manifest: Option<Digest>,
    /// The directory that it was written to.
    #[serde(default)]
    pub place: String,
    /// The values, by parameter; also of those that a later pull left out.
    pub secrets: BTreeMap<ParameterName, Tag>,
    /// The sealed files, by path.
    pub files: BTreeMap<String, SealedAs>,
    /// What no bundle says any more.
    #[serde(default)]
    pub past: Past,
}

/// What was true of earlier generations, and counts again when a value or a secret comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Past {
    /// What was on the bill, and was rotated.
    pub settled: Vec<Settled>,
    /// Of secrets that are left out, the generation in which the value last changed.
    pub since: BTreeMap<ParameterName, u64>,
}

/// Values that keys know, and that are in use no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Settled {
    /// The site of the keys.
    pub site: Site,
    /// The keys.
    pub recipients: Vec<String>,
    /// The generation from which on they were not given them.
    pub since: u64,
    /// The values.
    pub secrets: BTreeMap<ParameterName, Tag>,
}

/// What a sealed file was made from, and what it became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SealedAs {
    /// Its recipients and its values.
    pub tag: Tag,
    /// The ciphertext.
    pub sha256: Digest,
}

/// Why the notes cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotesError {
    /// It is not what we have written.
    #[error("`{}` is not a puller's notes", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The id is none.
    #[error("the bundle's vault is not named by 32 hexadecimal digits")]
    VaultName,
}

impl Hint for NotesError {
    fn hint(&self) -> String {
        match self {
            Self::Damaged { .. } => String::from(
                "move it away: the next pull seals all files anew, and does not know what has changed",
            ),
            Self::File(error) => error.hint(),
            Self::VaultName => {
                String::from("its manifest was written by hand, or is damaged: get the bundle anew")
            }
        }
    }
}

impl Notes {
    /// The notes on `vault` in `directory`; without a directory, or without notes there, new ones.
    ///
    /// # Errors
    ///
    /// Any [`NotesError`].
    pub fn read(directory: Option<&Path>, vault: &str) -> Result<Self, NotesError> {
        if !fs::is_id(vault) {
            return Err(NotesError::VaultName);
        }
        let path = directory.map(|directory| directory.join(vault));
        let Some(path) = path else { return Self::new(None) };
        let notes = match fs::read_private(&path) {
            // Notes that may not be read are not none: that is known before anything is pulled
            Err(FileError::Os { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Self::new(Some(path));
            }
            other => other?,
        };
        // EXPOSE: parsed; what the parser copies is wiped by the allocator
        let read: Option<File> = notes.expose(|text| serde_json::from_slice(text).ok());
        let Some(File { key, records }) = read else { return Err(NotesError::Damaged { path }) };
        Ok(Self { path: Some(path), key: SecretValue::take(key), records })
    }

    /// The notes in `directory` on another vault than `vault`, whose bundle was written to `place`: their file, and its generation.
    ///
    /// # Errors
    ///
    /// Any [`NotesError`]: what cannot be read may be what is asked for.
    pub fn on_another(
        directory: Option<&Path>,
        vault: &str,
        place: &str,
    ) -> Result<Option<(PathBuf, u64)>, NotesError> {
        let names = directory.filter(|directory| directory.exists()).map(fs::names_in).transpose()?;
        let names = names.into_iter().flatten().filter_map(|name| name.into_string().ok());
        for other in names.filter(|name| fs::is_id(name) && name != vault) {
            let notes = Self::read(directory, &other)?;
            let last = notes.records.last().filter(|record| record.place == place);
            if let (Some(record), Some(path)) = (last, notes.path.clone()) {
                return Ok(Some((path, record.generation)));
            }
        }
        Ok(None)
    }

    /// What is remembered of the generation whose manifest has this digest.
    #[must_use]
    pub fn of(&self, manifest: &Digest) -> Option<&Record> {
        self.records.iter().find(|record| record.manifest.as_ref() == Some(manifest))
    }

    /// The highest generation that is known to have been written from here.
    #[must_use]
    pub fn highest(&self) -> Option<u64> {
        // With two of them it is not known whether the later one was
        self.records.iter().map(|record| record.generation).min()
    }

    /// The fingerprints of all that is sealed, whoever gets it.
    #[must_use]
    pub fn tags(&self, cleared: &Cleared) -> BTreeMap<ParameterName, Tag> {
        sealed_values(cleared)
            .map(|(name, value)| (name.clone(), Tag::of_value(&self.key, name, value)))
            .collect()
    }

    /// The fingerprint of a file for these recipients, with these values.
    pub(crate) fn file_tag<'a>(
        &self,
        recipients: impl Iterator<Item = &'a str>,
        values: impl Iterator<Item = (&'a ParameterName, Option<&'a Tag>)>,
    ) -> Tag {
        Tag::of_file(&self.key, recipients, values)
    }

    /// Remembers `record`, which is about to be written, beside the last one: one of the two will be true.
    ///
    /// # Errors
    ///
    /// [`NotesError::File`].
    pub fn announce(&mut self, record: Record) -> Result<(), NotesError> {
        self.records.push(record);
        let surplus = self.records.len().saturating_sub(KEPT);
        self.records.drain(..surplus);
        self.save()
    }

    /// Forgets all but the last record, which was written.
    ///
    /// # Errors
    ///
    /// [`NotesError::File`].
    pub fn confirm(&mut self) -> Result<(), NotesError> {
        let last = self.records.len().saturating_sub(1);
        self.records.drain(..last);
        self.save()
    }

    /// Forgets what was remembered of other generations than that of `manifest`.
    pub fn keep_only(&mut self, manifest: Option<&Digest>) {
        self.records.retain(|record| manifest.is_some() && record.manifest.as_ref() == manifest);
    }

    /// Takes what stands in a bundle, read back, as what is known of its generation: for who pulls after somebody else.
    pub fn learn(&mut self, generation: u64, manifest: Digest, values: &Classified) {
        let secrets =
            values.values().map(|(name, value)| (name.clone(), Tag::of_value(&self.key, name, value)));
        let secrets = secrets.collect();
        self.records = vec![Record { generation, manifest: Some(manifest), secrets, ..Record::default() }];
    }

    fn new(path: Option<PathBuf>) -> Result<Self, NotesError> {
        let key = SecretValue::take(format!("{}{}", fs::make_id()?, fs::make_id()?));
        Ok(Self { path, key, records: Vec::new() })
    }

    fn save(&self) -> Result<(), NotesError> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut text = SecretBuffer::new();
        text.push(b"{\"key\":\"");
        text.push_secret(&self.key);
        text.push(b"\",\"records\":");
        // Names, tags and digests: there is nothing to fail on
        text.push(&serde_json::to_vec(&self.records).unwrap_or_default());
        text.push(b"}\n");
        let name = path.file_name().and_then(|name| name.to_str());
        let (Some(directory), Some(name)) = (path.parent(), name) else { return Ok(()) };
        fs::make_private_directories(directory)?;
        // EXPOSE: the key is kept by who sees the values anyway
        Ok(text.expose(|bytes| Held::hold(directory)?.replace(name, bytes))?)
    }
}

/// It becomes a file's name, and comes from a manifest.
/// What is sealed, by parameter.
fn sealed_values(cleared: &Cleared) -> impl Iterator<Item = (&ParameterName, &Data)> {
    cleared.files.iter().flat_map(|file| {
        let content = match &file.content {
            ClearedContent::Secret(secret) => Some(&secret.content),
            ClearedContent::Public(_) => None,
        };
        let below = content.map(|content| content.under("parameter_defaults").unwrap_or(content));
        file.parameters.iter().filter_map(move |name| Some((name, below?.under(name.as_str())?)))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    key: String,
    records: Vec<Record>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TemporaryDirectory;

    const VAULT: &str = "00112233445566778899aabbccddeeff";

    fn record(generation: u64) -> Record {
        let manifest = Some(Digest::of(&generation.to_be_bytes()));
        Record { generation, manifest, ..Record::default() }
    }

    #[test]
    fn what_was_announced_and_not_confirmed_is_known_beside_what_was_before() {
        let here = TemporaryDirectory::scratch();
        let mut notes = Notes::read(Some(here.path()), VAULT).unwrap();
        for generation in [1, 2] {
            notes.announce(record(generation)).unwrap();
            notes.confirm().unwrap();
        }
        notes.announce(record(3)).unwrap();
        let read = Notes::read(Some(here.path()), VAULT).unwrap();
        assert_eq!(read.highest(), Some(2));
        for (generation, is_known) in [(1, false), (2, true), (3, true)] {
            assert_eq!(
                read.of(record(generation).manifest.as_ref().unwrap()).is_some(),
                is_known,
                "{generation}"
            );
        }
        // EXPOSE: a test
        assert!(notes.key.expose(|key| read.key.expose(|other| key == other && key.len() == 64)));
    }

    #[test]
    fn notes_that_are_not_ours_are_an_error_and_not_passed_over() {
        let here = TemporaryDirectory::scratch();
        Held::hold(here.path()).unwrap().replace(VAULT, b"{}").unwrap();
        assert!(matches!(Notes::read(Some(here.path()), VAULT), Err(NotesError::Damaged { .. })));
        for id in ["", "../x", "vault", &"/".repeat(32), &VAULT.to_uppercase()] {
            assert!(matches!(Notes::read(Some(here.path()), id), Err(NotesError::VaultName)), "{id}");
        }
    }

    #[test]
    fn notes_that_cannot_be_read_are_an_error_and_not_none() {
        let here = TemporaryDirectory::scratch();
        // A link to itself: even root cannot read it
        std::os::unix::fs::symlink(VAULT, here.path().join(VAULT)).unwrap();
        assert!(matches!(Notes::read(Some(here.path()), VAULT), Err(NotesError::File(_))));
    }
}
