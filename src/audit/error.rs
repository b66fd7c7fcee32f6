use std::path::PathBuf;

use crate::fs::FileError;
use crate::report::Hint;

/// Why nothing can be written to the audit log, or read of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// It cannot be opened, read or written.
    #[error("the audit log: {0}")]
    File(#[from] FileError),
    /// What is at its end was not written by us.
    #[error("`{}` is not an audit log", .path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
    },
}

impl Hint for AuditError {
    fn hint(&self) -> String {
        match self {
            Self::File(error) => error.hint(),
            Self::NotALog { .. } => String::from(
                "name another file with --audit-log; `dcn-vault audit verify` says what is wrong with one that was",
            ),
        }
    }
}
