use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use crate::fs::FileError;
use crate::recipients::RecipientsError;
use crate::report::Hint;

/// Why the command did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The command would be another user, and the delivery has a namespace with one user.
    #[error("`{}` changes the user, and with --delivery mount there is no other user for it", .program.display())]
    ChangesUser {
        /// As it is found.
        program: PathBuf,
    },
    /// The links could not be made.
    #[error(transparent)]
    File(#[from] FileError),
    /// The command would not find what is named to it.
    #[error("`{}` is below /tmp, which is empty for the command with --delivery mount", .path.display())]
    Hidden {
        /// What is named.
        path: PathBuf,
    },
    /// Somebody has ended it before the command started.
    #[error("ended by signal {signal} before the command started")]
    Interrupted {
        /// Its number.
        signal: i32,
    },
    /// The command would find nothing where it is.
    #[error("the working directory is /tmp, which is empty for the command with --delivery mount")]
    HiddenHere,
    /// The host lets nobody mount, or not this user.
    #[error("this host does not let us {what}: {reason}")]
    NoMount {
        /// What was tried.
        what: &'static str,
        /// What the kernel says.
        reason: String,
    },
    /// It is not known what the command has left.
    #[error("no copies of the secrets were looked for: {reason}")]
    NotExamined {
        /// Why not.
        reason: &'static str,
    },
    /// What the command has written to contained directories is lost.
    #[error("what the command has written was not kept")]
    NotKept,
    /// The command may not be executed.
    #[error("`{command}` cannot be executed: {reason}")]
    NotExecutable {
        /// As it was given.
        command: String,
        /// What the kernel says.
        reason: String,
    },
    /// There is no such command.
    #[error("`{command}` is not found")]
    NotFound {
        /// As it was given.
        command: String,
    },
    /// The command would not see what is in a directory over which memory is put.
    #[error("`{}` is not empty, and the command would not see what is in it", .path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// Memory is put over a directory that is there.
    #[error("there is no directory `{}` to put memory over", .path.display())]
    NotThere {
        /// What was named.
        path: PathBuf,
    },
    /// There is no file system in memory.
    #[error("no directory in memory for the files: looked at {looked_at}")]
    NotInMemory {
        /// Where.
        looked_at: String,
    },
    /// The kernel refuses something that every process may do.
    #[error("cannot {what}: {source}")]
    Os {
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The process that would end us is gone.
    #[error("the process that supervises the command is gone")]
    SupervisorGone,
    /// Nothing can be sealed for the site.
    #[error(transparent)]
    Recipients(#[from] RecipientsError),
    /// The worker has failed, and has said why.
    #[error("the bundle was not opened")]
    Worker,
    /// The worker is gone without a word.
    #[error("the process that opens the bundle was killed")]
    WorkerKilled,
}

impl RunError {
    pub(super) fn not_executable(program: &OsStr, reason: String) -> Self {
        Self::NotExecutable { command: shown(program), reason }
    }

    pub(super) fn not_found(program: &OsStr) -> Self {
        Self::NotFound { command: shown(program) }
    }

    pub(super) fn os(what: &'static str) -> impl Fn(rustix::io::Errno) -> Self {
        move |error| Self::Os { what, source: error.into() }
    }
}

fn shown(program: &OsStr) -> String {
    program.to_string_lossy().escape_debug().to_string()
}

impl Hint for RunError {
    fn hint(&self) -> String {
        String::from(match self {
            Self::ChangesUser { .. } => "run it as root: sudo dcn-vault run -- …; or use --delivery file",
            Self::File(error) => return error.hint(),
            Self::Hidden { .. } => "move it elsewhere, or into the working directory; or use --delivery fd",
            Self::Interrupted { .. } | Self::SupervisorGone => "nothing was run",
            Self::HiddenHere => "change to another directory, or use --delivery fd",
            Self::NoMount { .. } => {
                "use --delivery fd; the host may forbid user namespaces (sysctl, AppArmor) or mounts in containers"
            }
            Self::NotExamined { .. } => "look for copies by hand where the command has written",
            Self::NotKept => "see above; it was in memory, and is gone",
            Self::NotExecutable { .. } => {
                "check its mode and its first line; the command is run without a shell"
            }
            Self::NotFound { .. } => {
                "check its spelling and PATH; for shell syntax use: dcn-vault run -- sh -c '…'"
            }
            Self::NotEmpty { .. } => "name an empty directory: move away what is in this one, or seal it",
            Self::NotThere { path } => return format!("make it: mkdir -m 700 {}", path.display()),
            Self::NotInMemory { .. } => "use --delivery fd, or set XDG_RUNTIME_DIR to a directory on a tmpfs",
            Self::Os { .. } => {
                "a container or a security module may forbid it: `dmesg` and the audit log say more"
            }
            Self::Recipients(error) => return error.hint(),
            Self::Worker => "see above",
            Self::WorkerKilled => "is the host short of memory? `dmesg` says more",
        })
    }
}
