use std::path::PathBuf;

use crate::fs::FileError;
use crate::report::Hint;

/// Why a directory is no bundle that we can read or replace.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It is older than one that this machine has made for the same vault.
    #[error("`{}` is of generation {there}, and generation {known} was made from here", .path.display())]
    Behind {
        /// The bundle.
        path: PathBuf,
        /// Its generation.
        there: u64,
        /// The one that was made.
        known: u64,
    },
    /// A file is not what the manifest says.
    #[error("`{}` has changed since the bundle was made", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file is there that the manifest does not list.
    #[error("`{}` does not belong to the bundle", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The manifest is not JSON of the form that this version writes.
    #[error("`{}`:{line}:{column}: not a bundle's manifest", .path.display())]
    Malformed {
        /// The manifest.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The manifest lists a file that is not there.
    #[error("`{}` is missing from the bundle", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It is another version's.
    #[error("the bundle's format is `{format}`, and this is dcn-vault {tool}", tool = env!("CARGO_PKG_VERSION"))]
    NewerFormat {
        /// The format that its manifest names.
        format: String,
    },
    /// There is nothing.
    #[error("there is no bundle at `{}`", .path.display())]
    NoBundle {
        /// The directory.
        path: PathBuf,
    },
    /// A directory without a manifest.
    #[error("`{}` has no manifest.json", .path.display())]
    NoManifest {
        /// The directory.
        path: PathBuf,
    },
    /// A path such as `.` or `/`, in whose place nothing can be put.
    #[error("`{}` cannot be replaced by a bundle", .path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// Something else is there.
    #[error("`{}` exists and is not a bundle", .path.display())]
    NotABundle {
        /// The directory or file.
        path: PathBuf,
    },
    /// Somebody has replaced it meanwhile.
    #[error("`{}` has become another bundle meanwhile", .path.display())]
    Moved {
        /// The bundle.
        path: PathBuf,
    },
    /// It has as many signatures as it can have.
    #[error("`{}` has as many signatures as a bundle can have", .path.display())]
    Signed {
        /// The bundle.
        path: PathBuf,
    },
    /// The manifest names a file more than once.
    #[error("the manifest lists `{name}` twice")]
    Twice {
        /// Its path in the bundle.
        name: String,
    },
    /// The manifest names a file that no bundle has.
    #[error("the manifest lists `{name}`, which no bundle has")]
    UnknownFile {
        /// The name.
        name: String,
    },
}

impl Hint for BundleError {
    fn hint(&self) -> String {
        match self {
            // One more: what says that it follows the lost one, and does not, is a fork to who has seen it
            Self::Behind { known, .. } => format!(
                "get the newer one first (`git pull`); where it is lost, `--after {}` goes on behind it",
                known.saturating_add(1)
            ),
            Self::Changed { .. } | Self::Malformed { .. } | Self::Twice { .. } | Self::UnknownFile { .. } => {
                String::from("get the bundle anew from where it was made; do not deploy with it")
            }
            Self::File(error) => error.hint(),
            Self::Foreign { path } => {
                format!("move {} elsewhere: a pull replaces the whole directory", path.display())
            }
            Self::Missing { .. } => String::from("copy the whole directory, the manifest included"),
            Self::Moved { .. } => String::from("look at it, then do it again; nothing was written"),
            Self::Signed { .. } => String::from("`dcn-vault check` says who has signed it"),
            Self::NewerFormat { .. } => String::from("use the dcn-vault that made it, or a newer one"),
            Self::NoManifest { .. } => {
                String::from("is it a bundle? Copy the whole directory, or name another with -b DIR")
            }
            Self::NoName { .. } => String::from("give the bundle a directory of its own: -o bundle"),
            Self::NoBundle { .. } => String::from("name it with -b DIR, or make one with `dcn-vault pull`"),
            Self::NotABundle { .. } => {
                String::from("give another directory; nothing in this one was touched")
            }
        }
    }
}
