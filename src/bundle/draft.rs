use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::fingerprint::{Past, Record, Tag};
use crate::fs::{self, FileError, Replacement};
use crate::model::{Digest, FilePath, Glob, ParameterName};
use crate::seal::{Sealed, SealedFile, Sink};
use crate::signature::names_beside;

use super::bill::{bill, is_named, settle};
use super::manifest::{FORMAT, FileEntry};
use super::{BundleError, MANIFEST, Manifest, SecretEntry, Slot};

/// Is told how many files of how many are done.
pub type Progress = Box<dyn Fn(usize, usize) + Send + Sync>;

/// The next generation, as its files arrive. Dropped, it leaves nothing.
pub struct Draft {
    slot: Slot,
    replacement: Replacement,
    progress: Option<Progress>,
}

/// What the next generation is to say of itself.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Terms<'a> {
    /// For how long a site may deploy with it.
    pub lifetime: Option<SignedDuration>,
    /// How many signatures it needs.
    pub signatures: u32,
    /// A generation that was there, though it is there no more: a restored centre jumps over those that sites have seen.
    pub after: Option<u64>,
    /// Secrets that are said to be rotated, or gone.
    pub settled: &'a [Glob],
    /// What is known of the values of the generation before.
    pub record: Option<&'a Record>,
}

impl Default for Terms<'_> {
    fn default() -> Self {
        Self { lifetime: None, signatures: 1, after: None, settled: &[], record: None }
    }
}

/// The next generation, whole but for its signatures. Dropped, it leaves nothing.
#[derive(Debug)]
#[non_exhaustive]
pub struct Completed {
    /// What it says of itself.
    pub manifest: Manifest,
    /// The exact bytes of its manifest: what is signed.
    pub bytes: Vec<u8>,
    /// What of earlier generations is to be remembered.
    pub past: Past,
    replacement: Replacement,
    slot: Slot,
}

impl Draft {
    pub(super) fn of(mut slot: Slot, progress: Option<Progress>) -> Result<Self, BundleError> {
        slot.secure()?;
        let replacement = Replacement::of(&slot.directory)?;
        Ok(Self { slot, replacement, progress })
    }

    /// Writes the manifest of what was sealed into this draft.
    ///
    /// # Errors
    ///
    /// [`BundleError::File`].
    pub fn complete(self, sealed: &Sealed, terms: &Terms<'_>) -> Result<Completed, BundleError> {
        let (manifest, past) = next(&self.slot, sealed, terms);
        let bytes = manifest.to_bytes();
        self.replacement.add(MANIFEST, &bytes)?;
        Ok(Completed { manifest, bytes, past, replacement: self.replacement, slot: self.slot })
    }
}

impl Sink for Draft {
    fn put(&self, file: &SealedFile) -> Result<(), FileError> {
        self.replacement.add(&file.path.to_string(), &file.bytes)
    }

    fn keep(&self, path: &FilePath, digest: &Digest) -> Result<Option<u64>, FileError> {
        let name = path.to_string();
        let old = self.slot.directory.join(&name);
        if !old.is_file() {
            return Ok(None);
        }
        let bytes = fs::read_plain(&old)?;
        if Digest::of(&bytes) != *digest {
            return Ok(None);
        }
        self.replacement.keep(&name)?;
        Ok(u64::try_from(bytes.len()).ok())
    }

    fn progress(&self, done: usize, of: usize) {
        if let Some(progress) = &self.progress {
            progress(done, of);
        }
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("slot", &self.slot)
            .field("replacement", &self.replacement)
            .finish_non_exhaustive()
    }
}

impl Completed {
    /// The digest of its manifest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// Adds the first signature of [`Completed::bytes`], armored.
    ///
    /// # Errors
    ///
    /// [`BundleError::File`].
    pub fn add_signature(&self, armored: &str) -> Result<(), BundleError> {
        let name = names_beside(MANIFEST).next().unwrap_or_default();
        Ok(self.replacement.add(&name, armored.as_bytes())?)
    }

    /// Puts it in the place of the generation before, in one step.
    ///
    /// # Errors
    ///
    /// [`BundleError::Moved`] when somebody has put another bundle there meanwhile, by git say; [`BundleError::File`]. The bundle
    /// that is there is untouched then, unless the error says otherwise.
    pub fn commit(mut self) -> Result<Manifest, BundleError> {
        self.slot.secure()?;
        self.replacement.commit()?;
        Ok(self.manifest)
    }
}

pub(super) fn next(slot: &Slot, sealed: &Sealed, terms: &Terms<'_>) -> (Manifest, Past) {
    let before = slot.before.as_ref();
    let highest = before.map(|before| before.manifest.generation).max(terms.after);
    let generation = highest.map_or(1, |highest| highest.saturating_add(1));
    let created = now_in_seconds();
    let lifetime = terms.lifetime.and_then(|lifetime| created.checked_add(lifetime).ok());
    let mut manifest = Manifest {
        format: FORMAT.to_owned(),
        vault: slot.vault().to_owned(),
        generation,
        previous: before.map(|before| before.digest.clone()),
        created,
        not_after: lifetime,
        signatures: terms.signatures,
        tool: concat!("dcn-vault ", env!("CARGO_PKG_VERSION")).to_owned(),
        source: sealed.origin.clone(),
        files: sealed.files.iter().map(FileEntry::of).collect(),
        secrets: secrets(slot, sealed, terms, generation),
        certificates: sealed.certificates.read.clone(),
        unreadable_certificates: sealed.certificates.unreadable.clone(),
        recipients: sealed.recipients.clone(),
        grants: sealed.grants.clone(),
        guard: sealed.guard.clone(),
        bill: Vec::new(),
    };
    let mut past = terms.record.map(|record| record.past.clone()).unwrap_or_default();
    if let Some(before) = before {
        let is_said = |name: &ParameterName| is_named(terms.settled, name);
        for settled in &mut past.settled {
            settled.secrets.retain(|name, _| !is_said(name));
        }
        let owed = bill(&before.manifest, &manifest, is_said);
        let rotated =
            |name: &ParameterName| known_before(name, terms).filter(|_| has_changed(name, sealed, terms));
        let is_back = |name: &ParameterName, tag: &Tag| sealed.tags.get(name) == Some(tag);
        (manifest.bill, past.settled) =
            settle(owed, past.settled, &manifest, |name| rotated(name).cloned(), is_back);
        past.since.extend(before.manifest.secrets.iter().map(|secret| (secret.name.clone(), secret.since)));
    }
    for secret in &manifest.secrets {
        past.since.remove(&secret.name);
    }
    (manifest, past)
}

fn secrets(slot: &Slot, sealed: &Sealed, terms: &Terms<'_>, generation: u64) -> Vec<SecretEntry> {
    let before = slot.before.iter().flat_map(|before| &before.manifest.secrets);
    // One that was left out for a while is as old as its value
    let left_out = terms.record.iter().flat_map(|record| &record.past.since);
    let mut since: BTreeMap<_, _> = left_out.map(|(name, since)| (name, *since)).collect();
    since.extend(before.map(|secret| (&secret.name, secret.since)));
    let each = sealed.secrets.iter().map(|(name, origin)| {
        let known = since.get(name).copied().filter(|_| !has_changed(name, sealed, terms));
        SecretEntry { name: name.clone(), origin: *origin, since: known.unwrap_or(generation) }
    });
    each.collect()
}

/// Whether a value is known to be another one; what cannot be compared is not.
fn has_changed(name: &ParameterName, sealed: &Sealed, terms: &Terms<'_>) -> bool {
    known_before(name, terms).is_some_and(|before| sealed.tags.get(name).is_some_and(|now| now != before))
}

fn known_before<'a>(name: &ParameterName, terms: &Terms<'a>) -> Option<&'a Tag> {
    terms.record.and_then(|record| record.secrets.get(name))
}

fn now_in_seconds() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::Audience;
    use crate::classify::{Choice, classify};
    use crate::fingerprint::Notes;
    use crate::fs::TemporaryDirectory;
    use crate::guard::{OnSecret, clear};
    use crate::keygen::NewIdentity;
    use crate::model::{Origin, SourceKind};
    use crate::recipients::RecipientSet;
    use crate::seal::seal;
    use crate::source::{Harvest, Plan};

    /// A first generation for `here/bundle`, whole and not in its place.
    fn completed(here: &TemporaryDirectory) -> Completed {
        let slot = Slot::at(&here.path().join("bundle")).unwrap();
        let notes = Notes::read(None, slot.vault()).unwrap();
        let plan = Plan::read(b"passwords: {NovaPassword: made-up-for-a-test}\n", "plan").unwrap();
        let harvest = Harvest::new(Origin::of(SourceKind::File), plan, Vec::new());
        let cleared = clear(classify(harvest, &Choice::default()), OnSecret::Seal).unwrap();
        let recipients = RecipientSet::given(&[NewIdentity::make().recipient], &[]).unwrap();
        let draft = slot.draft(None).unwrap();
        let sealed = seal(cleared, &Audience::everyone(recipients), &notes, None, &draft).unwrap();
        draft.complete(&sealed, &Terms::default()).unwrap()
    }

    #[test]
    fn a_bundle_that_came_while_the_next_was_made_stays_and_nothing_else_does() {
        let (here, elsewhere) = (TemporaryDirectory::scratch(), TemporaryDirectory::scratch());
        let completed_here = completed(&here);
        completed(&elsewhere).commit().unwrap();
        let came = fs::read_public(&elsewhere.path().join("bundle").join(MANIFEST)).unwrap();
        here.write("bundle/manifest.json", std::str::from_utf8(&came).unwrap());
        assert!(matches!(completed_here.commit(), Err(BundleError::Moved { .. })));
        assert_eq!(fs::names_in(here.path()).unwrap(), ["bundle"]);
        assert_eq!(fs::read_public(&here.path().join("bundle").join(MANIFEST)).unwrap(), came);
    }
}
