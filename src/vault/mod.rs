//! A vault: the directory that says what is pulled from where, and for whom.
//!
//! It stands apart because it is the one file that people write by hand: a key that this version does not know is an
//! error, since a setting that is silently passed over could be the one that keeps a secret from a site.
//!
//! # What this does not do
//!
//! It does not know releases, roles or parameters: what a site gets is worked out where those are known.

mod edit;
mod error;
mod make;
mod schema;
mod settings;

pub use edit::{with_site, with_sites, without_site};
pub use error::{Fault, VaultError};
pub use make::{GIT_CONFIG, make};
pub use settings::{BundleSettings, CephSettings, OsloSettings, OsloWhen, SiteSettings, SourceSettings};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::fs;
use crate::model::Site;

use self::error::Misfit;
use self::settings::Settings;

/// The file that makes a directory a vault.
pub const FILE_NAME: &str = "dcn-vault.yaml";
const VERSION: u64 = 1;

/// A vault, and its settings.
#[derive(Debug)]
#[non_exhaustive]
pub struct Vault {
    /// Its directory.
    pub directory: PathBuf,
    /// Where its contents come from.
    pub source: SourceSettings,
    /// What each site gets; without it every site in `keys/` gets everything.
    pub sites: Option<BTreeMap<Site, SiteSettings>>,
    /// What holds for its bundles.
    pub bundle: BundleSettings,
    has_file: bool,
}

impl Vault {
    /// The vault in `start` or the nearest directory above it; without one, `start` itself with no settings.
    ///
    /// # Errors
    ///
    /// Any [`VaultError`].
    pub fn find(start: &Path) -> Result<Self, VaultError> {
        let Some(directory) = start.ancestors().find(|directory| directory.join(FILE_NAME).is_file()) else {
            let (source, bundle) = (SourceSettings::default(), BundleSettings::default());
            return Ok(Self { directory: start.to_owned(), source, sites: None, bundle, has_file: false });
        };
        let path = directory.join(FILE_NAME);
        // In a directory that all can write, such as /tmp, anybody can put one above ours
        if directory != start && !fs::is_owned_as(&path, start)? {
            return Err(VaultError::Foreign { directory: directory.to_owned() });
        }
        let Settings { source, sites, bundle, .. } = read(&fs::read_public(&path)?, &path)?;
        Ok(Self { directory: directory.to_owned(), source, sites, bundle, has_file: true })
    }

    /// Its file, in which sites are added and removed.
    ///
    /// # Errors
    ///
    /// [`VaultError::None`].
    pub fn file(&self) -> Result<PathBuf, VaultError> {
        if self.has_file {
            Ok(self.directory.join(FILE_NAME))
        } else {
            Err(VaultError::None { directory: self.directory.clone() })
        }
    }

    /// With the paths in its settings as the shell would have them: `~/` is `home`, and what is relative is so to the
    /// vault, wherever one works in it.
    #[must_use]
    pub fn with_home(mut self, home: Option<&Path>) -> Self {
        let Self { directory, source, .. } = &mut self;
        for path in [&mut source.working_dir, &mut source.config_download_dir].into_iter().flatten() {
            *path = match (path.strip_prefix("~"), home) {
                (Ok(below), Some(home)) => home.join(below),
                _ => directory.join(&*path),
            };
        }
        self
    }

    /// Where its recipients are.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.directory.join("keys")
    }

    /// Where its bundle is.
    #[must_use]
    pub fn bundle(&self) -> PathBuf {
        self.directory.join("bundle")
    }
}

/// Reads a vault file; `path` names it in errors.
fn read(text: &[u8], path: &Path) -> Result<Settings, VaultError> {
    #[derive(Deserialize)]
    struct Probe {
        version: u64,
    }
    let read = settings::read(text);
    // Another version may have other keys: then that is what is wrong. Thousands of sites make a long file, which is read as seldom
    // as can be
    let is_known = |settings: &Settings| settings.version.map(u64::from) == Some(VERSION);
    if !read.as_ref().is_ok_and(is_known)
        && let Ok(Probe { version }) = serde_yaml::from_slice(text)
        && version != VERSION
    {
        return Err(VaultError::Version { path: path.to_owned(), version });
    }
    read.map_err(|Misfit { line, column, fault }| VaultError::Setting {
        path: path.to_owned(),
        line,
        column,
        fault,
    })
}

#[cfg(test)]
mod tests;
