//! Edits of `keys/`: a site's recipients are added and removed; comments and order stay.

use std::path::{Path, PathBuf};

use crate::fs::{self, FileError};
use crate::model::Site;

use super::files::in_text;
use super::recipient::Written;
use super::{FILE_NAME, RecipientsError};

/// Recipients that are about to be added to a site, and found right; nothing is written yet.
#[derive(Debug)]
#[non_exhaustive]
pub struct Addition {
    path: PathBuf,
    /// The whole file.
    text: Vec<u8>,
}

impl Addition {
    /// Adds `recipients` to what the site's file below `keys` has; there need be none.
    ///
    /// # Errors
    ///
    /// Any [`RecipientsError`]; [`RecipientsError::Twice`] for what is there already.
    pub fn of(keys: &Path, site: &Site, recipients: &[String]) -> Result<Self, RecipientsError> {
        let directory = keys.join(site.as_str());
        let path = directory.join(FILE_NAME);
        let is_outside = directory.exists() && !fs::true_path(&directory)?.starts_with(fs::true_path(keys)?);
        if is_outside || path.is_symlink() {
            return Err(RecipientsError::Outside { path: if is_outside { directory } else { path } });
        }
        let mut text = match fs::read_shared(&path) {
            Ok(bytes) => bytes,
            Err(FileError::Os { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let mut there = known(&text, &path)?;
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        for (position, given) in recipients.iter().enumerate() {
            let recipient = Written::parse(given.trim(), || format!("recipient {}", position + 1))?;
            if let Some(first) = there.iter().find(|one| one.key == recipient.key) {
                return Err(RecipientsError::Twice { place: recipient.place, first: first.place.clone() });
            }
            text.extend(recipient.text.as_bytes());
            text.push(b'\n');
            there.push(recipient);
        }
        in_text(&text, &path)?;
        Ok(Self { path, text })
    }

    /// Writes the site's file, whole, and makes the site where there is none.
    ///
    /// # Errors
    ///
    /// [`RecipientsError::File`].
    pub fn save(self) -> Result<PathBuf, RecipientsError> {
        if let Some(directory) = self.path.parent() {
            fs::make_public_directories(directory)?;
        }
        fs::replace_public(&self.path, &self.text)?;
        Ok(self.path)
    }
}

/// Adds `recipients` to a site's file below `keys`, and makes the site where there is none. Nothing is written unless
/// the whole file is right.
///
/// # Errors
///
/// Those of [`Addition`].
pub fn add_to_site(keys: &Path, site: &Site, recipients: &[String]) -> Result<PathBuf, RecipientsError> {
    Addition::of(keys, site, recipients)?.save()
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
    Ok(fs::remove_directory(&directory, keys)?)
}

/// A file of comments alone is one to begin with.
fn known(bytes: &[u8], path: &Path) -> Result<Vec<Written>, RecipientsError> {
    match in_text(bytes, path) {
        Err(RecipientsError::NoneInFile { .. }) => Ok(Vec::new()),
        read => read,
    }
}
