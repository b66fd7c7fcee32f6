use std::io::{self, Write};
use std::path::{Path, PathBuf};

use age::Encryptor;

use crate::fs::{self, Blocks, Found, FoundKind, Step};
use crate::recipients::{RecipientSet, RecipientsError};
use crate::report::Hint;

use super::archive::{Archive, Entry, EntryKind};

/// Why what a command has written was not kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// age has failed.
    #[error("cannot seal what the command has written")]
    Encrypt,
    /// A file could not be read to its end.
    #[error("cannot read `{}`: {}", path.display(), fs::reason(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Nobody could open it.
    #[error(transparent)]
    Recipients(#[from] RecipientsError),
    /// What is sealed does not arrive.
    #[error("cannot write what is sealed: {}", fs::reason(.0))]
    Write(#[source] io::Error),
}

impl Hint for KeepError {
    fn hint(&self) -> String {
        match self {
            Self::Encrypt => String::from("please report it, with the kinds of the site's recipients"),
            Self::Read { .. } => String::from("is a process of the command still at work there?"),
            Self::Recipients(error) => error.hint(),
            Self::Write(_) => String::from("is the file system of --keep-sealed full?"),
        }
    }
}

/// Seals all that is in `directories` for `recipients`, as one tar archive, and writes it to `output`: `age -d | tar x` is the way
/// back. Each name is the whole path without its first slash. Returns what was left out: pipes, sockets and devices.
///
/// # Errors
///
/// Any [`KeepError`]; what was written is not whole then.
pub fn keep(
    directories: &[PathBuf],
    recipients: &RecipientSet,
    output: impl Write,
) -> Result<Vec<PathBuf>, KeepError> {
    let keys = recipients.sites().flat_map(|site| recipients.site(site));
    let encryptor = Encryptor::with_recipients(keys).map_err(|_| KeepError::Encrypt)?;
    let sealed = encryptor.wrap_output(output).map_err(KeepError::Write)?;
    let mut keeper = Keeper {
        archive: Archive::to(sealed),
        blocks: Blocks::overlapping(0),
        left_out: Vec::new(),
        failed: None,
    };
    for directory in directories {
        let mut visit = |step: Step<'_>| keeper.step(&step);
        // Its own mode comes first
        fs::look(directory, &mut visit);
        fs::walk(directory, &mut visit);
    }
    if let Some(error) = keeper.failed {
        return Err(error);
    }
    let sealed = keeper.archive.finish().map_err(KeepError::Write)?;
    sealed.finish().and_then(|mut output| output.flush()).map_err(KeepError::Write)?;
    Ok(keeper.left_out)
}

struct Keeper<W: Write> {
    archive: Archive<W>,
    blocks: Blocks,
    left_out: Vec<PathBuf>,
    failed: Option<KeepError>,
}

impl<W: Write> Keeper<W> {
    fn step(&mut self, step: &Step<'_>) -> bool {
        if self.failed.is_some() {
            return false;
        }
        let added = match step {
            Step::Found(found) => self.add(found),
            Step::Unreadable(path) => Err(unreadable(path, io::ErrorKind::PermissionDenied.into())),
        };
        self.failed = added.err();
        self.failed.is_none()
    }

    fn add(&mut self, found: &Found<'_>) -> Result<(), KeepError> {
        let path = found.path();
        let (owner, group) = found.owner();
        let entry = |kind| Entry {
            path: path.strip_prefix("/").unwrap_or(path),
            kind,
            mode: found.mode(),
            owner,
            group,
            modified: found.modified(),
        };
        match found.kind() {
            FoundKind::Directory => {
                self.archive.begin(&entry(EntryKind::Directory)).map_err(KeepError::Write)
            }
            FoundKind::Link => {
                let target = found.target().map_err(|error| unreadable(path, error.into()))?;
                let kind = EntryKind::Link(Path::new(&target));
                self.archive.begin(&entry(kind)).map_err(KeepError::Write)
            }
            FoundKind::File => {
                self.archive.begin(&entry(EntryKind::File(found.size()))).map_err(KeepError::Write)?;
                self.content(found)
            }
            FoundKind::Other => {
                self.left_out.push(path.to_owned());
                Ok(())
            }
        }
    }

    /// As many bytes as the header has promised, whatever the file has by now.
    fn content(&mut self, found: &Found<'_>) -> Result<(), KeepError> {
        let file = found.open().map_err(|error| unreadable(found.path(), error.into()))?;
        let mut missing = found.size();
        let mut written = Ok(());
        let archive = &mut self.archive;
        let read = self.blocks.read(&file, |block| {
            let count = usize::try_from(missing).unwrap_or(usize::MAX).min(block.len());
            if written.is_ok() {
                written = archive.content(block.get(..count).unwrap_or_default());
            }
            missing -= u64::try_from(count).unwrap_or_default();
        });
        read.map_err(|error| unreadable(found.path(), error.into()))?;
        written.map_err(KeepError::Write)?;
        if missing > 0 {
            return Err(unreadable(found.path(), io::ErrorKind::UnexpectedEof.into()));
        }
        archive.end_of_content(found.size()).map_err(KeepError::Write)
    }
}

fn unreadable(path: &Path, source: io::Error) -> KeepError {
    KeepError::Read { path: path.to_owned(), source }
}
