use std::fmt;

use jiff::Timestamp;

/// What was found, for a person or for an auditor's file. It holds no value of any secret, made up or not.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// Ours.
    pub version: &'static str,
    /// When it was made.
    pub time: Timestamp,
    /// The kernel's release.
    pub kernel: String,
    /// Whose processes were looked into.
    pub uid: u32,
    /// One for each promise.
    pub checks: Vec<Check>,
}

/// One promise, and whether it is kept on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Its name, which does not change from version to version.
    pub name: &'static str,
    /// Whether it is kept.
    pub verdict: Verdict,
    /// What that means, or what to do, in one line.
    pub says: String,
    /// What was counted.
    pub figures: Vec<(&'static str, Figure)>,
}

/// Whether a promise is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is.
    Holds,
    /// It is not.
    DoesNotHold,
    /// This machine does not let us see.
    CannotBeTold,
}

/// What was counted or found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Figure {
    /// A number.
    Count(u64),
    /// Yes or no.
    Flag(bool),
    /// Names.
    Words(Vec<&'static str>),
}

impl Report {
    /// The worst verdict: one that does not hold is worse than one that cannot be told.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let has = |verdict| self.checks.iter().any(|check| check.verdict == verdict);
        if has(Verdict::DoesNotHold) {
            Verdict::DoesNotHold
        } else if has(Verdict::CannotBeTold) {
            Verdict::CannotBeTold
        } else {
            Verdict::Holds
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Holds => "holds",
            Self::DoesNotHold => "does not hold",
            Self::CannotBeTold => "cannot be told",
        })
    }
}
