use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::fs::{self, Replacement};
use crate::model::Digest;
use crate::seal::Sealed;

use super::loss::{Loss, losses};
use super::manifest::{FORMAT, FileEntry};
use super::read::{manifest_in, refuse_foreign};
use super::{BundleError, MANIFEST, Manifest, SecretEntry};

/// A place where a bundle may be written: empty, or with an older bundle and nothing else in it.
///
/// Made before anything is pulled, so that a mistake in a path costs nothing.
#[derive(Debug)]
#[non_exhaustive]
pub struct Slot {
    directory: PathBuf,
    before: Option<(Manifest, Digest)>,
}

impl Slot {
    /// Looks at `directory`, which need not exist.
    ///
    /// # Errors
    ///
    /// [`BundleError::NoName`], [`BundleError::File`] when nothing can be written there, [`BundleError::NotABundle`] and [`BundleError::Foreign`] when something else is there, and those of reading a
    /// manifest.
    pub fn at(directory: &Path) -> Result<Self, BundleError> {
        if directory.file_name().is_none() {
            return Err(BundleError::NoName { path: directory.to_owned() });
        }
        fs::refuse_unwritable(directory)?;
        let directory_of = |before| Ok(Self { directory: directory.to_owned(), before });
        let Ok(metadata) = directory.symlink_metadata() else { return directory_of(None) };
        if !metadata.is_dir() {
            return Err(BundleError::NotABundle { path: directory.to_owned() });
        }
        if fs::names_in(directory)?.is_empty() {
            return directory_of(None);
        }
        if !directory.join(MANIFEST).exists() {
            return Err(BundleError::NotABundle { path: directory.to_owned() });
        }
        let before = manifest_in(directory)?;
        refuse_foreign(directory, &before.0)?;
        directory_of(Some(before))
    }

    /// What the bundle that is there has, and `sealed` has not.
    #[must_use]
    pub fn losses(&self, sealed: &Sealed) -> Vec<Loss> {
        self.before.as_ref().map(|(before, _)| losses(before, sealed)).unwrap_or_default()
    }

    /// Writes the next generation, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`BundleError::File`]; the bundle before is untouched then.
    pub fn write(self, sealed: &Sealed) -> Result<Manifest, BundleError> {
        let manifest = self.next(sealed)?;
        let replacement = Replacement::of(&self.directory)?;
        for (file, entry) in sealed.files.iter().zip(&manifest.files) {
            replacement.add(&entry.path, &file.bytes)?;
        }
        replacement.add(MANIFEST, &manifest.to_bytes())?;
        replacement.commit()?;
        Ok(manifest)
    }

    fn next(&self, sealed: &Sealed) -> Result<Manifest, BundleError> {
        let (vault, generation, previous) = match &self.before {
            Some((manifest, digest)) => {
                (manifest.vault.clone(), manifest.generation.saturating_add(1), Some(digest.clone()))
            }
            None => (fs::make_id()?, 1, None),
        };
        let secrets =
            sealed.secrets.iter().map(|(name, origin)| SecretEntry { name: name.clone(), origin: *origin });
        Ok(Manifest {
            format: FORMAT.to_owned(),
            vault,
            generation,
            previous,
            created: now_in_seconds(),
            tool: concat!("dcn-vault ", env!("CARGO_PKG_VERSION")).to_owned(),
            source: sealed.origin.clone(),
            files: sealed.files.iter().map(FileEntry::of).collect(),
            secrets: secrets.collect(),
            certificates: sealed.certificates.read.clone(),
            unreadable_certificates: sealed.certificates.unreadable.clone(),
            recipients: sealed.recipients.clone(),
            guard: sealed.guard.clone(),
        })
    }
}

fn now_in_seconds() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
