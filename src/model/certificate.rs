use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Digest, ParameterName};

/// What the certificates of a pull say of themselves. Public: it stands in the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificates {
    /// Those that could be read, by parameter and then in their order in it.
    pub read: Vec<Certificate>,
    /// Parameters that hold something else.
    pub unreadable: Vec<Unreadable>,
}

/// A certificate: all that is in it is public, and of its key no more than whether it fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Certificate {
    /// The parameter that has it.
    pub parameter: ParameterName,
    /// Which of the parameter's certificates it is, from 1, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// The name that it has in `CAMap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Whose it is, as RFC 4514 writes it.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The hosts that it is for; addresses among them.
    pub san: Vec<String>,
    /// The first moment at which it is valid.
    pub not_before: Timestamp,
    /// The last.
    pub not_after: Timestamp,
    /// The digest of its public key (a DER `SubjectPublicKeyInfo`), as pins have it.
    pub spki_sha256: Digest,
    /// The parameter that has its private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ParameterName>,
    /// Whether that key fits; absent where it cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_matches: Option<bool>,
}

impl Certificate {
    /// What people call it: the parameter, and which of its certificates it is.
    #[must_use]
    pub fn label(&self) -> String {
        let entry = self.entry.as_ref().map(|entry| format!(" {entry}"));
        let position = self.position.map(|position| format!(" #{position}"));
        format!("{}{}{}", self.parameter, entry.unwrap_or_default(), position.unwrap_or_default())
    }
}

/// A parameter with something else than the certificate or the key that belongs there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Unreadable {
    /// The parameter.
    pub parameter: ParameterName,
    /// What is wrong.
    pub fault: PemFault,
}

/// What may stand where a certificate or a key belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PemFault {
    /// A PEM block that says CERTIFICATE, and is none.
    Damaged,
    /// Text without a PEM certificate.
    NoCertificate,
    /// Text without a PEM private key.
    NoKey,
    /// A private key where only a certificate belongs.
    PrivateKey,
}
