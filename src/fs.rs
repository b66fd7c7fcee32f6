//! Files: capped reads into wiped buffers, and writes that are private, whole and durable.
//!
//! It stands apart so that no other module opens a file for writing: the mode is set when a file is made, never after.
//!
//! # What this does not do
//!
//! It does not wipe what an older program left on the disk.

mod blocks;
mod directory;
mod held;
mod identity;
mod journal;
mod lock;
mod moment;
mod new_file;
mod public;
mod read;
mod receive;
mod replacement;
mod temporary;
mod walk;
mod write;

pub use blocks::{Blocks, read_open_secret};
pub use directory::{is_id, make_id, make_private_directories, refuse_unwritable};
pub use held::Held;
pub use identity::{copy_inherited, is_open, read_credential, read_inherited, read_output};
pub use journal::{Journal, JournalEnd, read_journal};
pub use lock::Lock;
pub use moment::Moment;
pub use new_file::NewFile;
pub use public::{
    EntryKind, entries_in, make_public_directories, place_public, read_shared, remove_directory,
    replace_public, sweep,
};
pub use read::{
    changes_user, directories_below, is_own_directory, is_owned_as, is_same_file_system, mode, modified,
    names_in, owner, read_capped, read_guarded, read_line, read_plain, read_private, read_public,
    read_secret, read_stdin, read_stdin_part, true_path,
};
pub use receive::receive;
pub use replacement::Replacement;
pub use temporary::{TemporaryDirectory, is_in_memory, wipe_nameless};
pub use walk::{Found, FoundKind, Step, look, walk};
pub use write::{create_private, write_fd};

use std::io;
use std::path::{Path, PathBuf};

use crate::report::Hint;

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Another process of ours is writing there.
    #[error("another dcn-vault{} is at work on `{}`", by(*.holder), shown(.path))]
    Busy {
        /// The directory.
        path: PathBuf,
        /// The other's process id, where it can be told.
        holder: Option<i32>,
    },
    /// It exists, and is not ours to overwrite.
    #[error("`{}` exists", shown(.path))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file system cannot swap two directories in one step.
    #[error("the file system of `{}` cannot exchange two directories in one step", shown(.path))]
    NoExchange {
        /// The directory.
        path: PathBuf,
    },
    /// It is in place; whether it survives a power failure is not known.
    #[error("`{}` is written, but the disk does not confirm it: {}", shown(.path), reason(.source))]
    NotDurable {
        /// What was written.
        path: PathBuf,
        /// What the disk says.
        source: io::Error,
    },
    /// Others may write what must be their owner's alone.
    #[error("`{}` can be written by others: its mode is {mode:04o}", shown(.path))]
    NotGuarded {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A link, a pipe, a device: what it leads to can be another thing at any time, or have no end.
    #[error("`{}` is not a plain {wanted}", shown(.path))]
    NotPlain {
        /// What is there.
        path: PathBuf,
        /// What should be: a file, or a directory.
        wanted: &'static str,
    },
    /// Others may read what must be private.
    #[error("`{}` can be read by others: its mode is {mode:04o}", shown(.path))]
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to somebody else.
    #[error("`{}` belongs to another user", shown(.path))]
    NotOwned {
        /// The file.
        path: PathBuf,
    },
    /// The operating system says no.
    #[error("cannot {verb} `{}`: {}", shown(.path), reason(.source))]
    Os {
        /// What was tried.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is larger than anything that we should read.
    #[error("`{}` is larger than {limit} MiB", shown(.path))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit: usize,
    },
    /// Somebody else decides what is in it.
    #[error("`{}` belongs to another user, and its mode lets others write it", shown(.path))]
    Writable {
        /// The file.
        path: PathBuf,
    },
}

impl FileError {
    pub(crate) fn os(verb: &'static str, path: &Path, error: impl Into<io::Error>) -> Self {
        Self::Os { verb, path: path.to_owned(), source: error.into() }
    }
}

impl Hint for FileError {
    fn hint(&self) -> String {
        match self {
            Self::Busy { .. } => String::from("wait until it has ended; nothing was written"),
            Self::Exists { .. } => String::from("choose another name, or remove it first"),
            Self::NoExchange { .. } => {
                String::from("keep bundles on a local file system (ext4, xfs, btrfs, tmpfs)")
            }
            Self::NotDurable { .. } => {
                String::from("look at the disk and its log; what is there now is whole")
            }
            Self::NotGuarded { path, .. } => format!("chmod go-w {}", path.display()),
            Self::NotPlain { wanted, .. } => format!("put the {wanted} itself there, and no link to it"),
            Self::NotPrivate { path, .. } => format!("chmod 600 {}", path.display()),
            Self::NotOwned { .. } => String::from("use a file of your own, or run this as its owner"),
            Self::Os { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                String::from("check the path")
            }
            Self::Os { source, .. } if source.kind() == io::ErrorKind::IsADirectory => {
                String::from("name a file")
            }
            Self::Os { source, .. } if source.kind() == io::ErrorKind::NotADirectory => {
                String::from("name a directory")
            }
            Self::Os { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                String::from("run this as a user who may")
            }
            Self::Os { .. } => String::from("check the file system: is it full, read-only or gone?"),
            Self::TooLarge { .. } => String::from("is it the right file?"),
            Self::Writable { path } => {
                format!(
                    "see who has written it, then: chown it to yourself, or chmod go-w {}",
                    path.display()
                )
            }
        }
    }
}

fn by(holder: Option<i32>) -> String {
    holder.map_or_else(String::new, |id| format!(" (process {id})"))
}

// A key typed where its file belongs must not end up in a log
fn shown(path: &Path) -> String {
    const KEY: &str = "AGE-SECRET-KEY-";
    let text = path.display().to_string();
    match text.to_ascii_uppercase().find(KEY) {
        Some(start) => format!("{}{KEY}…", text.get(..start).unwrap_or_default()),
        None => text,
    }
}

// io::Error's own text ends in "(os error 2)", which helps nobody at night
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
