use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ParameterName;

/// What the guard did, without a value: it stands in the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GuardReport {
    /// How many values it searched for.
    pub searched: usize,
    /// Parameters with a value too short to search for.
    pub too_short: Vec<ParameterName>,
    /// What it found; each of these files is sealed.
    pub findings: Vec<Finding>,
    /// The secrets whose values are in a file that was to be clear, by its plaintext name: who opens it knows them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub holds: BTreeMap<String, BTreeSet<ParameterName>>,
    /// The secrets whose values are in the value of another one: who gets that one knows them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub within: BTreeMap<ParameterName, BTreeSet<ParameterName>>,
}

/// A secret in a candidate for plaintext: where, and by which rule. Never the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// The plaintext file's name.
    pub file: String,
    /// The keys that lead to it, with dots between them.
    pub path: String,
    /// Why it is taken for a secret.
    #[serde(flatten)]
    pub rule: Rule,
}

/// Why a value is taken for a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rule {
    /// Its key looks like a secret's.
    KeyName,
    /// A secret of the plan is in it.
    KnownValue {
        /// Which one.
        of: ParameterName,
    },
    /// It has the form of a secret.
    Shape {
        /// Which form.
        shape: Shape,
    },
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyName => f.write_str("its name is a secret's"),
            Self::KnownValue { of } => write!(f, "it has the value of {of}"),
            Self::Shape { shape } => write!(f, "it looks like {shape}"),
        }
    }
}

/// The form of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Shape {
    /// A key of Ceph's cephx.
    CephxKey,
    /// A Fernet key: 32 bytes as base64url.
    FernetKey,
    /// A PEM block with a private key.
    PrivateKey,
    /// `user:password@` in a URI (RFC 3986 §3.2.1).
    UriPassword,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CephxKey => "a cephx key",
            Self::FernetKey => "a Fernet key",
            Self::PrivateKey => "a private key",
            Self::UriPassword => "a URI with a password",
        })
    }
}
