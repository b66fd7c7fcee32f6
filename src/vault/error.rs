use std::fmt;
use std::path::PathBuf;

use crate::fs::FileError;
use crate::model::{NameError, Site};
use crate::report::Hint;

/// Why a vault file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// An edit by text would change more than it should, or comes upon a form that it does not know.
    #[error("dcn-vault.yaml: site `{site}` cannot be changed in it: {why}")]
    Edit {
        /// The site.
        site: String,
        /// What is in the way.
        why: &'static str,
    },
    /// There is a vault already.
    #[error("`{}` exists: this is a vault", .path.display())]
    Exists {
        /// Its file.
        path: PathBuf,
    },
    /// It could not be read, or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// It was come upon on the way up, and is somebody else's: it would say for whom secrets are sealed.
    #[error("`{}` has a vault file, which belongs to another user", .directory.display())]
    Foreign {
        /// The directory.
        directory: PathBuf,
    },
    /// There is no vault.
    #[error("`{}` is not in a vault", .directory.display())]
    None {
        /// Where one was looked for.
        directory: PathBuf,
    },
    /// `release` names none.
    #[error("dcn-vault.yaml: `{name}` is no release of TripleO that this version knows")]
    Release {
        /// What it names.
        name: String,
    },
    /// A key or a value is not one of this version's.
    #[error("`{}`:{line}:{column}: {fault}", .path.display())]
    Setting {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        fault: Fault,
    },
    /// It is another version's.
    #[error("`{}` is of version {version}", .path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
}

/// What is wrong at one place of a vault file. Names are those that this version knows; never a value.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// There is nothing in it.
    Empty,
    /// A value is not of its kind.
    Kind {
        /// The key, as a path.
        of: String,
        /// What it should be.
        expected: &'static str,
        /// How it is written.
        example: String,
    },
    /// A site has a release and no role that it could be of.
    ReleaseWithoutRole {
        /// The site's settings, as a path.
        of: String,
    },
    /// A key below `sites` is no name.
    Site(NameError),
    /// It is not YAML.
    Syntax,
    /// A key is there twice.
    Twice {
        /// The key, as a path, or whose.
        of: String,
    },
    /// A key is none of this version's.
    Unknown {
        /// Whose key; nothing for the file itself.
        of: String,
        /// What is meant, perhaps.
        nearest: Option<&'static str>,
        /// What could be there.
        known: Vec<&'static str>,
    },
    /// `version` is not there.
    Versionless,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is nothing in it"),
            Self::Kind { of, expected, .. } => write!(f, "{of} should be {expected}"),
            Self::ReleaseWithoutRole { of } => write!(f, "{of} has a release, and no role"),
            Self::Site(error) => error.fmt(f),
            Self::Syntax => f.write_str("not YAML"),
            Self::Twice { of } => write!(f, "{of} is there twice"),
            Self::Unknown { of, .. } if of.is_empty() => f.write_str("no setting of this version"),
            Self::Unknown { of, .. } => write!(f, "no setting of {of}"),
            Self::Versionless => f.write_str("`version` is missing"),
        }
    }
}

impl Hint for VaultError {
    fn hint(&self) -> String {
        match self {
            Self::Edit { site, .. } => format!("change the line of {site} below `sites:` by hand"),
            Self::Exists { .. } => String::from(
                "edit it; `dcn-vault init --git-config` sets git up in a clone, `dcn-vault site add` adds a site",
            ),
            Self::File(error) => error.hint(),
            Self::Foreign { directory } => {
                format!("if it is meant, say so: -C {}", directory.display())
            }
            Self::None { .. } => String::from("`dcn-vault init` makes one there; or name one with -C DIR"),
            Self::Release { .. } => String::from("`dcn-vault pull --help` lists those that it knows"),
            Self::Setting { fault, .. } => fault.hint(),
            Self::Version { .. } => String::from("use a newer dcn-vault, or write `version: 1`"),
        }
    }
}

impl Fault {
    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Empty | Self::Versionless => String::from("begin it with `version: 1`"),
            Self::Kind { example, .. } => example.clone(),
            Self::ReleaseWithoutRole { .. } => {
                String::from("name the role, or leave the release out: globs are the same in every release")
            }
            Self::Site(error) => error.hint(),
            Self::Syntax => {
                String::from("look at the line: its indent, its colons, its brackets and its quotes")
            }
            Self::Twice { .. } => String::from("leave one of them"),
            Self::Unknown { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::Unknown { known, .. } => format!("it takes {}", known.join(", ")),
        }
    }
}

impl VaultError {
    /// The error of a file that is no text, in which a site was to be changed.
    #[must_use]
    pub fn not_utf8(site: &Site) -> Self {
        Self::Edit { site: site.to_string(), why: "it is not UTF-8" }
    }

    /// The error of a release's name that is none.
    #[must_use]
    pub fn release(name: &str) -> Self {
        Self::Release { name: name.escape_debug().take(40).collect() }
    }
}

/// A fault and its place, in a text whose path is not known.
#[derive(Debug)]
pub(super) struct Misfit {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) fault: Fault,
}

impl Misfit {
    /// `fault`, where `error` is. The parser's own words quote what it read: they are not taken.
    pub(super) fn at(error: &serde_yaml::Error, fault: Fault) -> Self {
        let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
        Self { line, column, fault }
    }
}
