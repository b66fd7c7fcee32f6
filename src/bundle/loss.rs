use std::collections::BTreeSet;
use std::fmt;

use crate::model::{EnvironmentFile, FilePath};

use super::Manifest;

/// So many names are said.
const SAID: usize = 8;

/// What the next generation of a bundle would not have any more. It may be meant; it may be the wrong stack or file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// Environment files, by plaintext name.
    Files(Vec<String>),
    /// Secrets, by parameter.
    Secrets(Vec<String>),
    /// It is another stack's.
    Stack {
        /// The stack of the bundle that is there.
        before: String,
        /// The stack of the one to come.
        now: String,
    },
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(names) => {
                write!(f, "the bundle before had files that this one has not: {}", said(names))
            }
            Self::Secrets(names) => {
                write!(f, "the bundle before had {} this one has not: {}", counted(names), said(names))
            }
            Self::Stack { before, now } => {
                write!(f, "the bundle before was of stack {before}, this one is of {now}")
            }
        }
    }
}

/// What the bundle that `now` describes has not of the one that `before` does.
#[must_use]
pub fn losses(before: &Manifest, now: &Manifest) -> Vec<Loss> {
    let mut losses = Vec::new();
    if let (Some(before), Some(now)) = (&before.source.stack, &now.source.stack)
        && before != now
    {
        let shown = |name: &str| name.escape_debug().to_string();
        losses.push(Loss::Stack { before: shown(before), now: shown(now) });
    }
    let files_of = |manifest: &Manifest| -> BTreeSet<EnvironmentFile> {
        manifest.files.iter().filter_map(|entry| Some(FilePath::parse(&entry.path)?.file)).collect()
    };
    let files: Vec<String> =
        files_of(before).difference(&files_of(now)).map(|file| file.file_name().to_owned()).collect();
    let secrets: BTreeSet<&str> = now.secrets.iter().map(|secret| secret.name.as_str()).collect();
    let had = before.secrets.iter().map(|secret| secret.name.as_str());
    let secrets: Vec<String> = had.filter(|name| !secrets.contains(name)).map(printable).collect();
    losses.extend((!files.is_empty()).then_some(Loss::Files(files)));
    losses.extend((!secrets.is_empty()).then_some(Loss::Secrets(secrets)));
    losses
}

fn printable(name: &str) -> String {
    name.escape_debug().to_string()
}

fn counted(names: &[String]) -> String {
    if names.len() == 1 { String::from("a secret that") } else { format!("{} secrets that", names.len()) }
}

fn said(names: &[String]) -> String {
    let shown = names.iter().take(SAID).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(SAID);
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
