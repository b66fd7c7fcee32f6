//! git, as far as a vault concerns it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::bundle::Manifest;
use crate::report::Hint;
use crate::vault::GIT_CONFIG;

const MANIFEST: &str = "manifest.json";
/// Who may write a repository's settings may name programs in them. To read its history none has to run.
const INERT: [&str; 3] = ["core.fsmonitor=false", "log.showSignature=false", "protocol.allow=never"];

/// Why git is not set up.
#[derive(Debug, thiserror::Error)]
pub(super) enum GitError {
    /// git does not take a setting.
    #[error("git did not take the setting {key}")]
    Config {
        /// The setting.
        key: &'static str,
    },
    /// git does not say what it was asked.
    #[error("git does not show the history of `{directory}`")]
    Failed {
        /// The bundle.
        directory: String,
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
            Self::Failed { .. } => {
                String::from("see what `git log -- bundle/manifest.json` says in the vault")
            }
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

/// Refuses what is in no repository.
pub(super) fn expect_repository(directory: &Path) -> Result<(), GitError> {
    let missing = || GitError::NoRepository { directory: directory.display().to_string() };
    if has_work_tree(directory) { Ok(()) } else { Err(missing()) }
}

/// The commands that set git up, for a person.
pub(super) fn commands() -> impl Iterator<Item = String> {
    GIT_CONFIG.iter().map(|(key, value)| format!("git config {key} \"{value}\""))
}

/// The manifests of the bundle in `directory`, as the history that leads here has them, the newest first. What cannot be read as one
/// is passed over: it says nothing.
pub(super) fn manifests(directory: &Path) -> Result<Vec<Manifest>, GitError> {
    Ok(manifest_files(directory)?.into_iter().map(|(manifest, _)| manifest).collect())
}

/// As [`manifests`], with the bytes of each.
pub(super) fn manifest_files(directory: &Path) -> Result<Vec<(Manifest, Vec<u8>)>, GitError> {
    let log = match said(directory, &["log", "--format=%H", "--", MANIFEST]) {
        Err(_) if has_no_commit(directory) => Vec::new(),
        other => other?,
    };
    let mut manifests = Vec::new();
    for commit in String::from_utf8_lossy(&log).lines() {
        // A commit that has removed it has none
        let object = format!("{commit}:./{MANIFEST}");
        let Ok(bytes) = said(directory, &["cat-file", "blob", &object]) else { continue };
        if let Ok(manifest) = Manifest::parse(&bytes, Path::new(&object)) {
            manifests.push((manifest, bytes));
        }
    }
    Ok(manifests)
}

/// Whether this is a repository in which nothing is committed yet.
fn has_no_commit(directory: &Path) -> bool {
    let answers = |words: &[&str]| said(directory, words).is_ok();
    answers(&["rev-parse", "--git-dir"]) && !answers(&["rev-parse", "--quiet", "--verify", "HEAD"])
}

/// What git says to `words` in `directory`.
#[allow(clippy::disallowed_methods, reason = "git alone reads its objects")]
fn said(directory: &Path, words: &[&str]) -> Result<Vec<u8>, GitError> {
    let failed = || GitError::Failed { directory: directory.display().to_string() };
    let mut git = Command::new("git");
    git.arg("-C").arg(directory).arg("--no-pager");
    for setting in INERT {
        git.args(["-c", setting]);
    }
    git.args(words).env("GIT_NO_LAZY_FETCH", "1");
    // A hook has them set: for its repository, and in part for another index
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        git.env_remove(name);
    }
    let output = git.stdin(Stdio::null()).stderr(Stdio::null()).output().map_err(|_| failed())?;
    if output.status.success() { Ok(output.stdout) } else { Err(failed()) }
}

/// Sets git up in the repository of `directory`.
#[allow(clippy::disallowed_methods, reason = "git alone knows where its settings are")]
pub(super) fn configure(directory: &Path) -> Result<(), GitError> {
    for (key, value) in GIT_CONFIG {
        let mut git = Command::new("git");
        git.arg("-C").arg(directory).args(["config", key, value]).stdin(Stdio::null());
        if !git.status().is_ok_and(|status| status.success()) {
            return Err(GitError::Config { key });
        }
    }
    Ok(())
}
