use std::path::PathBuf;

/// How the command gets the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// As descriptors of nameless files that it inherits, each with a link of its own name. The command is in no
    /// namespace: it may become another user.
    Fd,
    /// As files that have a name, on a file system in memory. They survive our being killed, and may be swapped out.
    File,
    /// In the bundle's own directory, which only its process tree sees so. The tree ends with the command, and with us.
    Mount,
}

impl Delivery {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mount, Self::Fd, Self::File];

    /// What it is called on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fd => "fd",
            Self::File => "file",
            Self::Mount => "mount",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|delivery| delivery.name() == name)
    }
}

/// What was chosen where nothing was asked for, and why not something better.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// The delivery.
    pub delivery: Delivery,
    /// Why it is not `mount`, for somebody who would have got that.
    pub because: Option<String>,
}

/// Where the files are for the command, and memory that takes what it writes.
#[derive(Clone, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Places {
    /// The bundle's directory.
    pub bundle: PathBuf,
    /// Where a directory of links is made.
    pub runtime: PathBuf,
    /// Where a directory of files is made: the first of these that is in memory.
    pub memory: Vec<PathBuf>,
    /// Where copies are looked for on request.
    pub watched: Vec<PathBuf>,
    /// Directories of the host over which memory is put.
    pub contained: Vec<PathBuf>,
}
