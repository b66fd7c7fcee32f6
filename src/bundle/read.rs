use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use crate::fs;
use crate::model::{Digest, EnvironmentFile};

use super::{BundleError, MANIFEST, Manifest, header};

/// A bundle whose files are all there, none besides, each with the digest that the manifest gives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Bundle {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its files, in the order in which a deployment takes them.
    pub files: Vec<BundleFile>,
}

/// One file, as it is on disk.
#[derive(Debug)]
#[non_exhaustive]
pub struct BundleFile {
    /// Which one.
    pub file: EnvironmentFile,
    /// Whether it is encrypted, as the manifest says.
    pub sealed: bool,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl BundleFile {
    /// How many can open it, as its age header says; `None` where it is no age file.
    #[must_use]
    pub fn count_recipients(&self) -> Option<usize> {
        header::count_recipients(&self.bytes)
    }
}

impl Bundle {
    /// Reads and checks the bundle in `directory`.
    ///
    /// # Errors
    ///
    /// Any [`BundleError`] but those of writing.
    pub fn read(directory: &Path) -> Result<Self, BundleError> {
        let (manifest, _) = manifest_in(directory)?;
        let mut files = Vec::new();
        for entry in &manifest.files {
            let file = entry.environment_file()?;
            if files.iter().any(|read: &BundleFile| read.file == file) {
                return Err(BundleError::Twice { name: file.file_name() });
            }
            let path = directory.join(&entry.path);
            if !path.exists() {
                return Err(BundleError::Missing { path });
            }
            let bytes = fs::read_public(&path)?;
            if Digest::of(&bytes) != entry.sha256 {
                return Err(BundleError::Changed { path });
            }
            files.push(BundleFile { file, sealed: entry.sealed, bytes });
        }
        refuse_foreign(directory, &manifest)?;
        files.sort_by_key(|file| file.file);
        Ok(Self { manifest, files })
    }
}

/// The manifest in `directory`, and the digest of its bytes.
pub(super) fn manifest_in(directory: &Path) -> Result<(Manifest, Digest), BundleError> {
    let path = directory.join(MANIFEST);
    if !directory.exists() {
        return Err(BundleError::NoBundle { path: directory.to_owned() });
    }
    if !path.exists() {
        return Err(BundleError::NoManifest { path: directory.to_owned() });
    }
    let bytes = fs::read_public(&path)?;
    Ok((Manifest::parse(&bytes, &path)?, Digest::of(&bytes)))
}

/// Finds a file that the manifest does not list: a stray plaintext, or somebody's notes.
pub(super) fn refuse_foreign(directory: &Path, manifest: &Manifest) -> Result<(), BundleError> {
    let listed = manifest.files.iter().map(|entry| OsString::from(&entry.path));
    let listed: BTreeSet<OsString> = listed.chain([OsString::from(MANIFEST)]).collect();
    match fs::names_in(directory)?.into_iter().find(|name| !listed.contains(name)) {
        Some(name) => Err(BundleError::Foreign { path: directory.join(name) }),
        None => Ok(()),
    }
}
