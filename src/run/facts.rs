//! What the worker tells of the bundle beside its files. It travels as one of them, and is public.

use std::os::fd::OwnedFd;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::admit::Admitted;
use crate::fs::read_open_secret;
use crate::model::Site;

/// What the file is called among the others.
pub(super) const NAME: &str = "facts";

/// What was believed of a bundle when it was opened: it may be another one when the command has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// The release that it came from.
    pub(super) release: Option<String>,
    /// With which keys the site opens what it gets.
    pub(super) recipients: Vec<String>,
}

impl Facts {
    pub(super) fn of(admitted: &Admitted, site: &Site) -> Self {
        let manifest = &admitted.bundle().manifest;
        Self {
            release: manifest.source.release.clone(),
            recipients: manifest.recipients.get(site).cloned().unwrap_or_default(),
        }
    }

    /// As a file, and its name.
    pub(super) fn to_file(&self) -> Result<(&'static str, OwnedFd), Errno> {
        let file = memfd_create("dcn-vault", MemfdFlags::CLOEXEC)?;
        // Strings and lists of strings: there is nothing to fail on
        let text = serde_json::to_vec(self).unwrap_or_default();
        let mut rest = text.as_slice();
        while !rest.is_empty() {
            let count = rustix::io::write(&file, rest)?;
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok((NAME, file))
    }

    /// Reads the one that is among those that were received.
    pub(super) fn among(files: &[(String, OwnedFd)]) -> Self {
        let file = files.iter().find(|(name, _)| name == NAME).map(|(_, file)| file);
        let text = file.and_then(|file| read_open_secret(file).ok()).unwrap_or_default();
        // EXPOSE: public
        text.expose(|text| serde_json::from_slice(text).unwrap_or_default())
    }
}
