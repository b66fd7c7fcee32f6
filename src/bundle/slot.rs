use std::path::{Path, PathBuf};

use crate::fs::{self, Lock};
use crate::model::Digest;
use crate::seal::Sealed;

use super::draft::{Draft, Progress, Terms, next};
use super::read::refuse_foreign;
use super::sign::sign_place;
use super::{BundleError, Envelope, MANIFEST, Manifest};

/// A place where a bundle may be written: empty, or with an older bundle and nothing else in it.
///
/// Made before anything is pulled, so that a mistake in a path costs nothing. Nobody else writes there as long as it lives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Slot {
    pub(super) directory: PathBuf,
    pub(super) before: Option<Before>,
    /// The id of its vault.
    vault: String,
    /// None as long as there is not even the directory above it.
    lock: Option<Lock>,
}

/// The generation that is there.
#[derive(Debug)]
#[non_exhaustive]
pub struct Before {
    /// The exact bytes of its manifest, and its signatures.
    pub envelope: Envelope,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The digest of its manifest.
    pub digest: Digest,
}

impl Slot {
    /// Takes `directory`, which need not exist.
    ///
    /// # Errors
    ///
    /// [`BundleError::NoName`], [`BundleError::File`] when nothing can be written there or somebody else is about to, [`BundleError::NotABundle`] and
    /// [`BundleError::Foreign`] when something else is there, and those of reading a manifest.
    pub fn at(directory: &Path) -> Result<Self, BundleError> {
        Self::of(directory, true)
    }

    /// Like [`Slot::at`], for who will not write.
    ///
    /// # Errors
    ///
    /// As [`Slot::at`].
    pub fn look(directory: &Path) -> Result<Self, BundleError> {
        Self::of(directory, false)
    }

    fn of(directory: &Path, to_write: bool) -> Result<Self, BundleError> {
        if directory.file_name().is_none() {
            return Err(BundleError::NoName { path: directory.to_owned() });
        }
        fs::refuse_unwritable(directory)?;
        // Where there is not even the directory above, nobody else can be at work
        let has_parent =
            directory.parent().is_some_and(|parent| parent.as_os_str().is_empty() || parent.is_dir());
        let lock = if to_write && has_parent { Some(Lock::of(directory)?) } else { None };
        if lock.is_some() {
            // Of a signature; it is harmless where it cannot be removed
            let _ = fs::sweep(&sign_place(directory));
        }
        let before = before(directory)?;
        let vault = match &before {
            Some(before) => before.manifest.vault.clone(),
            None => fs::make_id()?,
        };
        Ok(Self { directory: directory.to_owned(), before, vault, lock })
    }

    /// The generation that is there.
    #[must_use]
    pub const fn before(&self) -> Option<&Before> {
        self.before.as_ref()
    }

    /// Where it is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The id of the vault: that of the generation before, or a new one.
    #[must_use]
    pub fn vault(&self) -> &str {
        &self.vault
    }

    /// What the next generation with `sealed` would say of itself.
    #[must_use]
    pub fn preview(&self, sealed: &Sealed, terms: &Terms<'_>) -> Manifest {
        next(self, sealed, terms).0
    }

    /// Refuses a place whose bundle is older than one that was made before.
    ///
    /// # Errors
    ///
    /// [`BundleError::Behind`].
    pub fn refuse_older_than(&self, known: Option<u64>) -> Result<(), BundleError> {
        match (self.before.as_ref().map(|before| before.manifest.generation), known) {
            (Some(there), Some(known)) if there < known => {
                Err(BundleError::Behind { path: self.directory.clone(), there, known })
            }
            _ => Ok(()),
        }
    }

    /// Begins the next generation, beside the one that is there. `progress` is told how many files of how many are done.
    ///
    /// # Errors
    ///
    /// [`BundleError::File`].
    pub fn draft(self, progress: Option<Progress>) -> Result<Draft, BundleError> {
        Draft::of(self, progress)
    }
}

impl Slot {
    /// Makes sure that nobody else writes here, and that what is there is what was looked at.
    pub(super) fn secure(&mut self) -> Result<(), BundleError> {
        if self.lock.is_none() {
            if let Some(parent) = self.directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                fs::make_public_directories(parent)?;
            }
            self.lock = Some(Lock::of(&self.directory)?);
        }
        let now = before(&self.directory)?.map(|before| before.digest);
        if now.as_ref() == self.before.as_ref().map(|before| &before.digest) {
            Ok(())
        } else {
            Err(BundleError::Moved { path: self.directory.clone() })
        }
    }
}

fn before(directory: &Path) -> Result<Option<Before>, BundleError> {
    let Ok(metadata) = directory.symlink_metadata() else { return Ok(None) };
    if !metadata.is_dir() {
        return Err(BundleError::NotABundle { path: directory.to_owned() });
    }
    if fs::names_in(directory)?.is_empty() {
        return Ok(None);
    }
    if directory.join(MANIFEST).symlink_metadata().is_err() {
        return Err(BundleError::NotABundle { path: directory.to_owned() });
    }
    let envelope = Envelope::read(directory)?;
    let manifest = envelope.manifest()?;
    refuse_foreign(directory, &manifest)?;
    Ok(Some(Before { digest: envelope.digest(), manifest, envelope }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TemporaryDirectory;

    const MANIFEST_TEXT: &str = r#"{"format": "dcn-vault/1", "vault": "00112233445566778899aabbccddeeff", "generation": 1,
        "previous": null, "created": "2026-01-01T00:00:00Z", "tool": "t", "source": {"kind": "file"}, "files": [], "secrets": [],
        "recipients": {}, "guard": {"searched": 0, "too_short": [], "findings": []}}"#;

    #[test]
    fn what_comes_there_meanwhile_is_not_replaced() {
        let here = TemporaryDirectory::scratch();
        for directory in [here.path().join("bundle"), here.path().join("missing").join("bundle")] {
            let mut slot = Slot::at(&directory).unwrap();
            slot.secure().unwrap();
            let name = directory.strip_prefix(here.path()).unwrap().join(MANIFEST);
            here.write(name.to_str().unwrap(), MANIFEST_TEXT);
            assert!(matches!(slot.secure(), Err(BundleError::Moved { .. })));
            assert!(matches!(Slot::at(&directory), Err(BundleError::File(fs::FileError::Busy { .. }))));
        }
    }
}
