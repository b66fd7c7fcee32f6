use std::path::{Path, PathBuf};

use crate::fs::{self, Lock};
use crate::signature::names_beside;

use super::{BundleError, Envelope, MANIFEST};

/// Adds a signature to a bundle that is there, and returns the name of its file.
///
/// # Errors
///
/// [`BundleError::Signed`] when it has as many as it can have, [`BundleError::Moved`] when it has become another meanwhile,
/// and [`BundleError::File`].
pub fn add_signature(envelope: &Envelope, armored: &str) -> Result<String, BundleError> {
    let directory = &envelope.directory;
    let _lock = Lock::of(directory)?;
    let now = Envelope::read(directory)?;
    if now.bytes != envelope.bytes {
        return Err(BundleError::Moved { path: directory.clone() });
    }
    let taken = |name: &String| now.signatures.iter().any(|(known, _)| known == name);
    let free = names_beside(MANIFEST).find(|name| !taken(name));
    let name = free.ok_or_else(|| BundleError::Signed { path: directory.clone() })?;
    fs::place_public(&directory.join(&name), &sign_place(directory), armored.as_bytes())?;
    Ok(name)
}

/// What stands for a signature until it is whole.
pub(super) fn sign_place(directory: &Path) -> PathBuf {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    directory.with_file_name(format!("{name}.sig"))
}
