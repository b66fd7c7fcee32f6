use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::fs::{self, EntryKind, FileError};
use crate::model::{Digest, EnvironmentFile, FilePath, ParameterName, Site};
use crate::signature::names_beside;

use super::{BundleError, MANIFEST, Manifest, header};

/// The manifest of a bundle as bytes, with its signatures: what is looked at before anything of it is believed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Envelope {
    /// The bundle.
    pub directory: PathBuf,
    /// The exact bytes of its manifest.
    pub bytes: Vec<u8>,
    /// The signatures: the name of each file, and its bytes.
    pub signatures: Vec<(String, Vec<u8>)>,
}

/// A bundle whose files are all there, none besides, each with the digest that the manifest gives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Bundle {
    /// What it says of itself.
    pub manifest: Manifest,
    /// The digest of its manifest.
    pub digest: Digest,
    /// Its files, in the order of the manifest.
    files: Vec<FilePath>,
    positions: BTreeMap<FilePath, usize>,
    directory: PathBuf,
}

/// One file, as it is on disk.
#[derive(Debug)]
#[non_exhaustive]
pub struct BundleFile {
    /// Where it stands.
    pub path: FilePath,
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

impl Envelope {
    /// Reads the manifest and the signatures in `directory`.
    ///
    /// # Errors
    ///
    /// [`BundleError::NoBundle`], [`BundleError::NoManifest`], [`BundleError::File`], and [`BundleError::Missing`] of a signature
    /// before one that is there.
    pub fn read(directory: &Path) -> Result<Self, BundleError> {
        let path = directory.join(MANIFEST);
        if !directory.exists() {
            return Err(BundleError::NoBundle { path: directory.to_owned() });
        }
        if path.symlink_metadata().is_err() {
            return Err(BundleError::NoManifest { path: directory.to_owned() });
        }
        let bytes = fs::read_plain(&path)?;
        let mut signatures = Vec::new();
        let mut missing = None;
        for name in names_beside(MANIFEST) {
            let path = directory.join(&name);
            if path.symlink_metadata().is_err() {
                missing.get_or_insert(path);
            } else if let Some(path) = missing {
                return Err(BundleError::Missing { path });
            } else {
                signatures.push((name, fs::read_plain(&path)?));
            }
        }
        Ok(Self { directory: directory.to_owned(), bytes, signatures })
    }

    /// The digest of the manifest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The name and the bytes of each file that was read.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let signatures = self.signatures.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        std::iter::once((MANIFEST, self.bytes.as_slice())).chain(signatures)
    }

    /// What the manifest says.
    ///
    /// # Errors
    ///
    /// [`BundleError::Malformed`] and [`BundleError::NewerFormat`].
    pub fn manifest(&self) -> Result<Manifest, BundleError> {
        Manifest::parse(&self.bytes, &self.directory.join(MANIFEST))
    }
}

impl Bundle {
    /// Reads and checks the bundle in `directory`; who signed it, the caller asks first.
    ///
    /// # Errors
    ///
    /// Any [`BundleError`] but those of writing.
    pub fn read(directory: &Path) -> Result<Self, BundleError> {
        let envelope = Envelope::read(directory)?;
        let manifest = envelope.manifest()?;
        Self::of(&envelope, manifest)
    }

    /// Checks the files that `manifest`, which is `envelope`'s, lists.
    ///
    /// # Errors
    ///
    /// Any [`BundleError`] but those of writing.
    pub fn of(envelope: &Envelope, manifest: Manifest) -> Result<Self, BundleError> {
        let mut files: Vec<FilePath> = Vec::with_capacity(manifest.files.len());
        let mut seen = BTreeSet::new();
        for entry in &manifest.files {
            let place = entry.place()?;
            // In clear and sealed are the same file twice
            if !seen.insert((place.site.clone(), place.file)) {
                return Err(BundleError::Twice { name: entry.path.clone() });
            }
            files.push(place);
        }
        let positions = files.iter().cloned().zip(0..).collect();
        let (digest, directory) = (envelope.digest(), envelope.directory.clone());
        let bundle = Self { manifest, digest, files, positions, directory };
        refuse_foreign(&bundle.directory, &bundle.manifest)?;
        for file in &bundle.files {
            bundle.file(file)?;
        }
        Ok(bundle)
    }

    /// Its files, in the order of the manifest.
    #[must_use]
    pub fn files(&self) -> &[FilePath] {
        &self.files
    }

    /// Where it is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What `site` gets, in the order in which a deployment takes it: what is in clear, and of the sealed files its own.
    #[must_use]
    pub fn files_for(&self, site: &Site) -> Vec<&FilePath> {
        let is_granted = self.manifest.grant_of(site).is_some();
        let own = if is_granted { Some(site) } else { None };
        let mut files: Vec<&FilePath> =
            self.files.iter().filter(|file| !file.sealed || file.site.as_ref() == own).collect();
        files.sort_by_key(|file| file.file);
        files
    }

    /// The file of this kind that `site` gets.
    #[must_use]
    pub fn file_for(&self, site: &Site, kind: EnvironmentFile) -> Option<&FilePath> {
        self.files_for(site).into_iter().find(|file| file.file == kind)
    }

    /// The parameters that a file of the bundle sets, by name: a site's own has what its subset says.
    #[must_use]
    pub fn parameters_of(&self, file: &FilePath) -> Vec<ParameterName> {
        let grant = file.site.as_ref().and_then(|site| self.manifest.grant_of(site));
        if let Some(grant) = grant {
            let is_there = |name: &&ParameterName| {
                EnvironmentFile::taking(name.as_str()).unwrap_or(EnvironmentFile::Passwords) == file.file
            };
            return grant.parameters.iter().filter(is_there).cloned().collect();
        }
        let entry = self.positions.get(file).and_then(|position| self.manifest.files.get(*position));
        entry.map_or_else(Vec::new, |entry| entry.parameters.clone())
    }

    /// Reads a file of the bundle, which must be what the manifest says.
    ///
    /// # Errors
    ///
    /// [`BundleError::Missing`], [`BundleError::Changed`] and [`BundleError::File`].
    pub fn file(&self, file: &FilePath) -> Result<BundleFile, BundleError> {
        let name = file.to_string();
        let path = self.directory.join(&name);
        let entry = self.positions.get(file).and_then(|position| self.manifest.files.get(*position));
        let Some(entry) = entry.filter(|_| path.exists()) else { return Err(BundleError::Missing { path }) };
        let bytes = fs::read_plain(&path)?;
        let has_size = u64::try_from(bytes.len()).is_ok_and(|size| size == entry.size);
        if !has_size || Digest::of(&bytes) != entry.sha256 {
            return Err(BundleError::Changed { path });
        }
        Ok(BundleFile { path: file.clone(), bytes })
    }
}

/// Finds a file that the manifest does not list: a stray plaintext, or somebody's notes; and what is only a link to one.
pub(super) fn refuse_foreign(directory: &Path, manifest: &Manifest) -> Result<(), BundleError> {
    let mut listed: BTreeSet<PathBuf> =
        manifest.files.iter().map(|entry| PathBuf::from(&entry.path)).collect();
    listed.insert(PathBuf::from(MANIFEST));
    listed.extend(names_beside(MANIFEST).map(PathBuf::from));
    let directories: BTreeSet<&Path> = listed.iter().flat_map(|path| path.ancestors().skip(1)).collect();
    let mut waiting = vec![PathBuf::new()];
    while let Some(below) = waiting.pop() {
        for (name, kind) in fs::entries_in(&directory.join(&below))? {
            let path = below.join(name);
            let (wanted, should_be) = if directories.contains(path.as_path()) {
                ("directory", EntryKind::Directory)
            } else if listed.contains(&path) {
                ("file", EntryKind::File)
            } else {
                return Err(BundleError::Foreign { path: directory.join(path) });
            };
            if kind != should_be {
                return Err(FileError::NotPlain { path: directory.join(path), wanted }.into());
            }
            if kind == EntryKind::Directory {
                waiting.push(path);
            }
        }
    }
    Ok(())
}
