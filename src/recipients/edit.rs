//! Edits of `keys/`: a site's recipients are added and removed; comments and order stay.

use std::path::{Path, PathBuf};

use crate::fs::{self, FileError};
use crate::model::Site;

use super::files::in_text;
use super::recipient::Written;
use super::{FILE_NAME, RecipientsError};

/// Adds `recipients` to a site's file below `keys`, and makes the site where there is none. Nothing is written unless
/// the whole file is right.
///
/// # Errors
///
/// Any [`RecipientsError`]; [`RecipientsError::Twice`] for what is there already.
pub fn add_to_site(keys: &Path, site: &Site, recipients: &[String]) -> Result<PathBuf, RecipientsError> {
    let directory = keys.join(site.as_str());
    let path = directory.join(FILE_NAME);
    let before = match fs::read_shared(&path) {
        Ok(bytes) => bytes,
        Err(FileError::Os { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let is_outside = directory.exists() && !fs::true_path(&directory)?.starts_with(fs::true_path(keys)?);
    if is_outside || path.is_symlink() {
        return Err(RecipientsError::Outside { path: if is_outside { directory } else { path } });
    }
    let there = if before.is_empty() { Vec::new() } else { known(&before, &path)? };
    let mut after = before;
    if !after.is_empty() && !after.ends_with(b"\n") {
        after.push(b'\n');
    }
    let mut added: Vec<Written> = Vec::new();
    for (position, text) in recipients.iter().enumerate() {
        let recipient = Written::parse(text.trim(), || format!("recipient {}", position + 1))?;
        if let Some(first) = there.iter().chain(&added).find(|one| one.key == recipient.key) {
            return Err(RecipientsError::Twice { place: recipient.place, first: first.place.clone() });
        }
        after.extend(recipient.text.as_bytes());
        after.push(b'\n');
        added.push(recipient);
    }
    in_text(&after, &path)?;
    fs::make_public_directories(&directory)?;
    fs::replace_public(&path, &after)?;
    Ok(path)
}

/// Removes a site's directory below `keys`: its recipients, and their comments.
///
/// # Errors
///
/// [`RecipientsError::NoSite`] and [`RecipientsError::File`].
pub fn remove_site(keys: &Path, site: &Site) -> Result<(), RecipientsError> {
    let directory = keys.join(site.as_str());
    if !directory.is_dir() {
        return Err(RecipientsError::NoSite { site: site.clone(), keys: keys.to_owned() });
    }
    Ok(fs::remove_directory(&directory)?)
}

/// A file of comments alone is one to begin with.
fn known(bytes: &[u8], path: &Path) -> Result<Vec<Written>, RecipientsError> {
    match in_text(bytes, path) {
        Err(RecipientsError::NoneInFile { .. }) => Ok(Vec::new()),
        read => read,
    }
}
