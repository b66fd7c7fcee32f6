use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{
    Certificate, Digest, EnvironmentFile, GuardReport, Origin, ParameterName, SecretOrigin, Site, Unreadable,
};
use crate::seal::SealedFile;

use super::BundleError;

pub(super) const FORMAT: &str = "dcn-vault/1";
pub(super) const AGE: &str = ".age";

/// What a bundle says of itself. Public: names, digests, times; never a value, nor anything computed from one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// `dcn-vault/1`.
    pub format: String,
    /// A random id that all generations of a vault share.
    pub vault: String,
    /// Counts up by one with each pull.
    pub generation: u64,
    /// The digest of the manifest before this one.
    pub previous: Option<Digest>,
    /// When it was made.
    pub created: Timestamp,
    /// What made it.
    pub tool: String,
    /// Where the contents came from.
    pub source: Origin,
    /// The files, in the order in which a deployment takes them.
    pub files: Vec<FileEntry>,
    /// The names of the secrets.
    pub secrets: Vec<SecretEntry>,
    /// The certificates among them; a bundle of before they were listed has none.
    #[serde(default)]
    pub certificates: Vec<Certificate>,
    /// Parameters that hold something else than the certificate or the key that belongs there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable_certificates: Vec<Unreadable>,
    /// Who can open the sealed files.
    pub recipients: BTreeMap<Site, Vec<String>>,
    /// What the guard did.
    pub guard: GuardReport,
}

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileEntry {
    /// Its name in the bundle; a sealed one ends in `.age`.
    pub path: String,
    /// Whether it is encrypted.
    pub sealed: bool,
    /// The digest of its bytes as they are on disk.
    pub sha256: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The parameters that it sets.
    pub parameters: Vec<ParameterName>,
}

/// A secret of the bundle, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SecretEntry {
    /// The parameter.
    pub name: ParameterName,
    /// Who chose its value.
    pub origin: SecretOrigin,
}

impl FileEntry {
    pub(super) fn of(file: &SealedFile) -> Self {
        let name = file.file.file_name();
        Self {
            path: if file.sealed { format!("{name}{AGE}") } else { name.to_owned() },
            sealed: file.sealed,
            sha256: Digest::of(&file.bytes),
            size: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
            parameters: file.parameters.clone(),
        }
    }

    /// Which file it is; a manifest could name anything, even a path out of the bundle.
    pub(super) fn environment_file(&self) -> Result<EnvironmentFile, BundleError> {
        let plain = if self.sealed { self.path.strip_suffix(AGE) } else { Some(self.path.as_str()) };
        let unknown = || BundleError::UnknownFile { name: self.path.escape_debug().to_string() };
        plain.and_then(EnvironmentFile::named).ok_or_else(unknown)
    }
}

impl Manifest {
    /// Reads the exact bytes of a manifest; `path` names it in errors.
    ///
    /// # Errors
    ///
    /// [`BundleError::Malformed`] and [`BundleError::NewerFormat`].
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self, BundleError> {
        let malformed = |error: &serde_json::Error| BundleError::Malformed {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
        };
        // The format first: another version may have other fields
        let Probe { format } = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
        if format != FORMAT {
            return Err(BundleError::NewerFormat { format: format.escape_debug().take(40).collect() });
        }
        serde_json::from_slice(bytes).map_err(|error| malformed(&error))
    }

    /// The bytes to write, digest and, some day, sign: two spaces of indent, a newline at the end.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Every field is a string, a number or a list or map of those: there is nothing to fail on
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

#[derive(Deserialize)]
struct Probe {
    format: String,
}
