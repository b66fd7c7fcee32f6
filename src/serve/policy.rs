//! Who gets what: rules in a file that only its owner, who is us or root, can write.
//!
//! It stands apart because it decides and does nothing else: no socket, no file but its own. What no rule allows is refused.
//!
//! # What this does not do
//!
//! It knows parameters by name alone. Whether the bundle has them, the worker finds out.

mod fault;
mod hours;
mod rate;
mod read;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::fs::{self, FileError};
use crate::model::{EnvironmentFile, Glob};
use crate::report::Hint;

use self::hours::Hours;
use self::rate::{Answers, Rate};
use super::asked::Asked;
use super::peer::Peer;

pub use fault::Fault;

/// A policy of a thousand rules has a tenth of that.
const LIMIT: usize = 1024 * 1024;

/// Who gets what, and how much at once.
#[derive(Debug)]
#[non_exhaustive]
pub struct Policy {
    /// How much at once.
    pub limits: Limits,
    rules: Vec<Rule>,
    answers: Answers,
}

/// How much is done at once, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Clients that are connected; one user has at most three quarters of them.
    pub clients: usize,
    /// Workers that open a bundle; one user has all but one of them.
    pub workers: usize,
    /// How long a client may take to ask.
    pub request: Duration,
    /// How long a request waits for a worker.
    pub waiting: Duration,
    /// How long a worker may take, with a client that reads slowly.
    pub patience: Duration,
}

/// Why a policy file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// It could not be read, or others can write it.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not what a policy is.
    #[error("`{}`: {fault}", .path.display())]
    Setting {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
}

impl Hint for PolicyError {
    fn hint(&self) -> String {
        match self {
            Self::File(error) => error.hint(),
            Self::Setting { fault, .. } => fault.hint(),
        }
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is allowed at another time of the day.
    #[error("not at this time of the day")]
    Hours,
    /// No rule allows it.
    #[error("no rule of the policy allows this")]
    NoRule,
    /// It was asked for too often.
    #[error("asked too often: again in {} s", .again.as_secs() + 1)]
    Rate {
        /// When the next answer is due.
        again: Duration,
    },
}

impl Hint for Refusal {
    fn hint(&self) -> String {
        String::from(match self {
            Self::Hours => "the policy's `hours` are in UTC",
            Self::NoRule => "whoever runs `dcn-vault serve` can add one to its policy",
            Self::Rate { .. } => "ask less often, or have the policy's `rate` raised",
        })
    }
}

/// What a client wants, in its own words.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish<'a> {
    /// A request of the protocol.
    Request(&'a Asked),
    /// The credential of a unit, by its id.
    Credential(&'a str),
}

#[derive(Debug)]
struct Rule {
    who: Who,
    allow: Vec<Allowed>,
    credentials: BTreeMap<String, Asked>,
    rate: Option<Rate>,
    hours: Option<Hours>,
}

/// All that is said of a peer must hold.
#[derive(Debug)]
struct Who {
    uid: Option<u32>,
    gid: Option<u32>,
    unit: Option<Glob>,
}

/// What a rule grants.
#[derive(Clone, Debug)]
pub(super) struct Granted {
    pub(super) asked: Asked,
    /// All that it may turn out to be; nothing where the policy itself says what it is.
    scope: Option<Vec<Allowed>>,
}

/// Whether a rule grants a wish, as far as it can be told without the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    Certain,
    Perhaps,
}

#[derive(Clone, Debug)]
enum Allowed {
    File(EnvironmentFile),
    Names(Glob),
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients: 4096,
            workers: 4,
            request: Duration::from_secs(10),
            waiting: Duration::from_secs(60),
            patience: Duration::from_secs(10),
        }
    }
}

impl Policy {
    /// Reads the policy at `path`.
    ///
    /// # Errors
    ///
    /// Any [`PolicyError`].
    pub fn read(path: &Path) -> Result<Self, PolicyError> {
        let text = fs::read_guarded(path, LIMIT)?;
        Self::parse(&text).map_err(|fault| PolicyError::Setting { path: path.to_owned(), fault })
    }

    /// A policy out of its text.
    ///
    /// # Errors
    ///
    /// The first [`Fault`].
    pub fn parse(text: &[u8]) -> Result<Self, Fault> {
        read::read(text)
    }

    /// How many rules there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether it allows nothing to nobody.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What `peer` may get for his wish, and counts it as given. Which parameters that is, only the bundle tells: [`Granted::covers`] is
    /// to be asked once it has. A rule that certainly grants it comes before those that perhaps do, of which all count together.
    pub(super) fn judge(
        &mut self,
        peer: &Peer,
        wish: Wish<'_>,
        now: Timestamp,
        instant: Instant,
    ) -> Result<Granted, Refusal> {
        let mut refusal = Refusal::NoRule;
        let mut perhaps: Option<Granted> = None;
        for wanted in [Fit::Certain, Fit::Perhaps] {
            for (number, rule) in self.rules.iter().enumerate() {
                if !rule.who.is(peer) {
                    continue;
                }
                let Some((granted, _)) = rule.grants(wish).filter(|(_, fit)| *fit == wanted) else {
                    continue;
                };
                if !rule.hours.is_none_or(|hours| hours.has(now)) {
                    // Of several the one that tells more
                    refusal = if refusal == Refusal::NoRule { Refusal::Hours } else { refusal };
                    continue;
                }
                if let Some(Err(again)) =
                    rule.rate.map(|rate| self.answers.count(number, peer.uid, rate, instant))
                {
                    refusal = Refusal::Rate { again };
                    continue;
                }
                match (wanted, &mut perhaps) {
                    (Fit::Certain, _) => return Ok(granted),
                    (Fit::Perhaps, Some(before)) => before.widen(granted),
                    (Fit::Perhaps, None) => perhaps = Some(granted),
                }
            }
        }
        perhaps.ok_or(refusal)
    }
}

impl Who {
    fn is(&self, peer: &Peer) -> bool {
        self.uid.is_none_or(|uid| uid == peer.uid)
            && self.gid.is_none_or(|gid| peer.groups.contains(&gid))
            && self
                .unit
                .as_ref()
                .is_none_or(|unit| peer.unit.as_deref().is_some_and(|name| unit.matches(name)))
    }
}

impl Rule {
    fn grants(&self, wish: Wish<'_>) -> Option<(Granted, Fit)> {
        let asked = match wish {
            Wish::Request(asked) => asked.clone(),
            Wish::Credential(id) => match self.credentials.get(id) {
                // Whoever wrote the policy has named it himself
                Some(asked) => return Some((Granted { asked: asked.clone(), scope: None }, Fit::Certain)),
                None => Asked::named(id).ok()?,
            },
        };
        let has_file = |file| {
            self.allow.iter().any(|allowed| matches!(allowed, Allowed::File(one) if file == Some(*one)))
        };
        let has_name = |name: &String| {
            self.allow.iter().any(|allowed| matches!(allowed, Allowed::Names(glob) if glob.matches(name)))
        };
        let fit = match &asked {
            Asked::File(file) => has_file(Some(*file)).then_some(Fit::Certain),
            Asked::Value { file, .. } => {
                let names = asked.names();
                let is_certain = has_file(*file) || (!names.is_empty() && names.iter().all(has_name));
                // A file that is not named may be any of those that are allowed
                let is_perhaps = names.iter().any(has_name)
                    || (file.is_none() && self.allow.iter().any(|one| matches!(one, Allowed::File(_))));
                if is_certain { Some(Fit::Certain) } else { is_perhaps.then_some(Fit::Perhaps) }
            }
        };
        Some((Granted { asked, scope: Some(self.allow.clone()) }, fit?))
    }
}

impl Granted {
    /// Adds what another rule grants, too.
    fn widen(&mut self, other: Self) {
        if let (Some(scope), Some(more)) = (&mut self.scope, other.scope) {
            scope.extend(more);
        }
    }

    /// Whether all of this is allowed: these parameters of a file. Who gets a file gets each of its values.
    pub(super) fn covers(&self, file: EnvironmentFile, parameters: &[String]) -> bool {
        let Some(scope) = &self.scope else { return true };
        let has_file = scope.iter().any(|allowed| matches!(allowed, Allowed::File(one) if *one == file));
        let has = |name: &String| {
            scope.iter().any(|allowed| matches!(allowed, Allowed::Names(glob) if glob.matches(name)))
        };
        let is_value = matches!(self.asked, Asked::Value { .. });
        has_file || (is_value && !parameters.is_empty() && parameters.iter().all(has))
    }
}

#[cfg(test)]
mod tests;
