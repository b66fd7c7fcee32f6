//! git, as far as a vault concerns it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::report::Hint;
use crate::vault::GIT_CONFIG;

/// Why git is not set up.
#[derive(Debug, thiserror::Error)]
pub(super) enum GitError {
    /// git does not take a setting.
    #[error("git did not take the setting {key}")]
    Config {
        /// The setting.
        key: &'static str,
    },
    /// There is no repository.
    #[error("`{directory}` is not in a git repository")]
    NoRepository {
        /// The vault.
        directory: String,
    },
}

impl Hint for GitError {
    fn hint(&self) -> String {
        match self {
            Self::Config { key } => format!("see what `git config {key}` says there"),
            Self::NoRepository { .. } => {
                String::from("make one with `git init`, then: dcn-vault init --git-config")
            }
        }
    }
}

/// Whether `directory` is in a work tree.
pub(super) fn has_work_tree(directory: &Path) -> bool {
    directory.ancestors().any(|above| above.join(".git").exists())
}

/// The commands that set git up, for a person.
pub(super) fn commands() -> impl Iterator<Item = String> {
    GIT_CONFIG.iter().map(|(key, value)| format!("git config {key} \"{value}\""))
}

/// Sets git up in the repository of `directory`.
#[allow(clippy::disallowed_methods, reason = "git alone knows where its settings are")]
pub(super) fn configure(directory: &Path) -> Result<(), GitError> {
    if !has_work_tree(directory) {
        return Err(GitError::NoRepository { directory: directory.display().to_string() });
    }
    for (key, value) in GIT_CONFIG {
        let mut git = Command::new("git");
        git.arg("-C").arg(directory).args(["config", key, value]).stdin(Stdio::null());
        if !git.status().is_ok_and(|status| status.success()) {
            return Err(GitError::Config { key });
        }
    }
    Ok(())
}
