//! What a deployment has left of the secrets outside of memory: found by the known values themselves, once the command has ended.
//!
//! It stands apart from `run`, which never maps plaintext while it waits: this is the work of a process of its own, that is given
//! descriptors of the plaintext files, answers with names, and exits.
//!
//! # What this does not do
//!
//! It looks where a deployment is known to leave copies, and where it is told to look, at files that have changed since the
//! command began; not at other hosts, databases or object stores. It does not see into what is compressed or encrypted, and
//! names that. It removes nothing.
//!
//! What is kept of contained directories is sealed while it is read: it has names, modes and times in it, and no extended attributes.

mod archive;
mod keep;
mod places;
mod search;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::ParameterName;

pub use keep::{KeepError, keep};
pub use places::{Habits, Places};
pub use search::search;

/// A copy of secrets in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Escape {
    /// The file.
    pub path: String,
    /// Its permission bits.
    pub mode: u32,
    /// Whose values are in it.
    pub parameters: Vec<ParameterName>,
}

/// Something new that cannot be seen into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Opaque {
    /// A compressed file, and what is known to be in it.
    Archive {
        /// The file.
        path: String,
        /// What it holds, if its name says so.
        holds: Option<Contents>,
    },
    /// A repository with new objects.
    Git {
        /// The repository.
        path: String,
        /// How many are new.
        objects: u64,
    },
}

/// What is in a compressed file that the client makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Contents {
    /// A dump of Heat's database.
    HeatDatabase,
    /// The whole working directory.
    WorkingDirectory,
}

/// What was found, and what was not looked at. Names alone: it leaves the process that has seen the values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Examination {
    /// By path.
    pub escapes: Vec<Escape>,
    /// What could not be seen into, by path.
    pub opaque: Vec<Opaque>,
    /// Files and directories that could not be read.
    pub unreadable: Vec<String>,
    /// The parameters of which a value is too short to be searched for.
    pub too_short: Vec<ParameterName>,
    /// The directories that were to be looked at, and how many files that have changed were in each.
    pub watched: Vec<(String, u64)>,
    /// What is known of the release's client.
    pub habits: Habits,
}

impl Examination {
    /// How many secrets there are copies of.
    #[must_use]
    pub fn secrets(&self) -> usize {
        self.escapes.iter().flat_map(|escape| &escape.parameters).collect::<BTreeSet<_>>().len()
    }

    /// As one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers and lists of those: there is nothing to fail on
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads such a line.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

#[cfg(test)]
mod tests;
