//! A vault: the directory that says what is pulled from where, and for whom.
//!
//! It stands apart because it is the one file that people write by hand: a key that this version does not know is an
//! error, since a setting that is silently passed over could be the one that keeps a secret from a site.
//!
//! # What this does not do
//!
//! `sites` and `bundle` of a vault file are not read yet: a file that has them is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::fs::{self, FileError};
use crate::report::Hint;

const FILE_NAME: &str = "dcn-vault.yaml";
const VERSION: u32 = 1;

/// A vault, and its settings.
#[derive(Debug)]
#[non_exhaustive]
pub struct Vault {
    /// Its directory.
    pub directory: PathBuf,
    /// Where its contents come from.
    pub source: SourceSettings,
}

/// The `source` of a vault file. The command line overrides each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SourceSettings {
    /// An entry of clouds.yaml.
    pub cloud: Option<String>,
    /// The control plane's stack.
    pub stack: Option<String>,
    /// Its plan.
    pub plan: Option<String>,
    /// Globs on parameter names to leave out.
    pub exclude: Vec<String>,
    /// Parameters that Barbican has, each with its reference.
    pub barbican: BTreeMap<String, String>,
    /// `TripleO`'s release, where it is not to be found out.
    pub release: Option<String>,
    /// The deployment's working directory, from Wallaby on: files instead of a cloud.
    pub working_dir: Option<PathBuf>,
    /// Where config-download has left its files, if not in the release's own place.
    pub config_download_dir: Option<PathBuf>,
    /// Clusters of Ceph to add.
    pub ceph: CephSettings,
}

/// What one site gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SiteSettings {
    /// A role: what its services take.
    pub role: Option<String>,
    /// The release whose roles are meant.
    pub release: Option<String>,
    /// Globs on parameter names.
    pub secrets: Option<Vec<String>>,
}

impl SiteSettings {
    /// Whether nothing is left out.
    #[must_use]
    pub const fn gets_everything(&self) -> bool {
        self.role.is_none() && self.secrets.is_none()
    }
}

/// The `ceph` of a vault file's `source`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct CephSettings {
    /// The stacks that have one each.
    pub stacks: Vec<String>,
    /// Whose key to them.
    pub client: Option<String>,
}

/// Why a vault file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// It could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A key or a value is not one of this version's.
    #[error("`{}`:{line}:{column}: not a setting that this version knows", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// `release` names none.
    #[error("dcn-vault.yaml: `{name}` is no release of TripleO that this version knows")]
    Release {
        /// What it names.
        name: String,
    },
    /// It is another version's.
    #[error("`{}` is of version {version}", .path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}

impl Hint for VaultError {
    fn hint(&self) -> String {
        match self {
            Self::File(error) => error.hint(),
            Self::Malformed { .. } => String::from(
                "it has `version: 1` and `source:`, with cloud, stack, plan, release, working_dir, config_download_dir (texts), exclude (a list), barbican and ceph (maps)",
            ),
            Self::Release { .. } => String::from("`dcn-vault pull --help` lists those that it knows"),
            Self::Version { .. } => String::from("use a newer dcn-vault, or write `version: 1`"),
        }
    }
}

impl VaultError {
    /// The error of a release's name that is none.
    #[must_use]
    pub fn release(name: &str) -> Self {
        Self::Release { name: name.escape_debug().take(40).collect() }
    }
}

impl Vault {
    /// The vault in `start` or the nearest directory above it; without one, `start` itself with no settings.
    ///
    /// # Errors
    ///
    /// Any [`VaultError`].
    pub fn find(start: &Path) -> Result<Self, VaultError> {
        let Some(directory) = start.ancestors().find(|directory| directory.join(FILE_NAME).is_file()) else {
            return Ok(Self { directory: start.to_owned(), source: SourceSettings::default() });
        };
        let path = directory.join(FILE_NAME);
        let text = fs::read_public(&path)?;
        let file: VaultFile = serde_yaml::from_slice(&text).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            VaultError::Malformed { path: path.clone(), line, column }
        })?;
        if file.version != VERSION {
            return Err(VaultError::Version { path, version: file.version });
        }
        Ok(Self { directory: directory.to_owned(), source: file.source })
    }

    /// With the paths in its settings as the shell would have them: `~/` is `home`, and what is relative is so to the
    /// vault, wherever one works in it.
    #[must_use]
    pub fn with_home(mut self, home: Option<&Path>) -> Self {
        let Self { directory, source } = &mut self;
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VaultFile {
    version: u32,
    #[serde(default)]
    source: SourceSettings,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TemporaryDirectory;

    fn found(text: &str) -> Result<Vault, VaultError> {
        let here = TemporaryDirectory::scratch();
        here.write(FILE_NAME, text);
        let below = here.write("a/b/file", "");
        Vault::find(below.parent().unwrap())
    }

    #[test]
    fn it_is_found_from_a_directory_below() {
        let vault = found("version: 1\nsource: {stack: centre, exclude: [Ceph*]}\n").unwrap();
        assert_eq!(vault.source.stack.as_deref(), Some("centre"));
        assert_eq!(vault.source.exclude, ["Ceph*"]);
        assert!(vault.bundle().ends_with("bundle"));
    }

    #[test]
    fn a_setting_that_this_version_does_not_know_is_an_error_and_not_passed_over() {
        for text in
            ["version: 1\nsites: {edge1: {}}\n", "version: 1\nsource:\n  exclud: []\n", "version: one\n"]
        {
            assert!(matches!(found(text), Err(VaultError::Malformed { .. })), "{text}");
        }
        assert!(matches!(found("version: 2\n"), Err(VaultError::Version { version: 2, .. })));
    }
}
