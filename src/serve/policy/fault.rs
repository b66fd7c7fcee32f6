use std::fmt;

/// What is wrong at one place of a policy file. Names are those that this version knows; never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// There is nothing in it.
    Empty,
    /// A name of a file in a list is none of a bundle.
    File {
        /// Where.
        of: String,
        /// What is meant, perhaps.
        nearest: Option<&'static str>,
    },
    /// A value is not of its kind.
    Kind {
        /// The key, as a path.
        of: String,
        /// What it should be.
        expected: &'static str,
        /// How it is written.
        example: &'static str,
    },
    /// A rule says who, and not what.
    Nothing {
        /// The rule.
        of: String,
    },
    /// A rule says what, and not for whom.
    Nobody {
        /// The rule.
        of: String,
    },
    /// It is not YAML, or a key is there twice.
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// Two keys say the same thing.
    Twice {
        /// The rule.
        of: String,
        /// The two keys.
        keys: [&'static str; 2],
    },
    /// A key is none of this version's.
    Unknown {
        /// Whose key; nothing for the file itself.
        of: String,
        /// What is meant, perhaps.
        nearest: Option<&'static str>,
        /// What could be there.
        known: Vec<&'static str>,
    },
    /// This host knows no such user or group.
    Unlisted {
        /// Where.
        of: String,
        /// `user` or `group`.
        kind: &'static str,
    },
    /// `version` is missing, or another.
    Version,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is nothing in it"),
            Self::File { of, .. } => write!(f, "`{of}` is not a file of a bundle"),
            Self::Kind { of, expected, .. } => write!(f, "`{of}` should be {expected}"),
            Self::Nothing { of } => write!(f, "`{of}` allows nothing"),
            Self::Nobody { of } => write!(f, "`{of}` does not say for whom it is"),
            Self::Syntax { line, column } => {
                write!(f, "not YAML at {line}:{column}, or a key is there twice")
            }
            Self::Twice { of, keys: [one, other] } => write!(f, "`{of}` has both `{one}` and `{other}`"),
            Self::Unknown { of, .. } if of.is_empty() => f.write_str("no setting of a policy"),
            Self::Unknown { of, .. } => write!(f, "no setting of `{of}`"),
            Self::Unlisted { of, kind } => write!(f, "`{of}` is no {kind} of this host"),
            Self::Version => f.write_str("`version: 1` is missing"),
        }
    }
}

impl Fault {
    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Empty | Self::Version => String::from("begin it with `version: 1`, then `rules:`"),
            Self::File { nearest: Some(nearest), .. } | Self::Unknown { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`?")
            }
            Self::File { nearest: None, .. } => String::from(
                "a name with .yaml or .json is a file's: `dcn-vault show` lists those of a bundle",
            ),
            Self::Kind { example, .. } => (*example).to_owned(),
            Self::Nothing { .. } => String::from("add `allow: [Nova*, passwords.yaml]`, or `credentials:`"),
            Self::Nobody { .. } => {
                String::from("name a `user`, a `group` or a `unit`; `user: \"*\"` is everybody")
            }
            Self::Syntax { .. } => String::from(
                "look at the line: its indent, its colons, its brackets; a name that begins with `*` is in quotes",
            ),
            Self::Twice { .. } => String::from("leave one of them"),
            Self::Unknown { known, .. } => format!("it takes {}", known.join(", ")),
            Self::Unlisted { kind: "user", .. } => {
                String::from("`getent passwd` lists them; or write `uid:`")
            }
            Self::Unlisted { .. } => String::from("`getent group` lists them; or write `gid:`"),
        }
    }
}
