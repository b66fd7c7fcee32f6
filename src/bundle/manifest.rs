use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{
    Certificate, Digest, EnvironmentFile, FilePath, Grant, GuardReport, Origin, ParameterName, SecretOrigin,
    Site, Unreadable,
};
use crate::seal::Entry;

use super::{BillEntry, BundleError};

pub(super) const FORMAT: &str = "dcn-vault/1";

/// What a bundle says of itself. Public: names, digests of what is public, times; never a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// `dcn-vault/1`.
    pub format: String,
    /// A random id that all generations of a vault share.
    pub vault: String,
    /// Counts up with each generation.
    pub generation: u64,
    /// The digest of the manifest before this one.
    pub previous: Option<Digest>,
    /// When it was made.
    pub created: Timestamp,
    /// Until when a site may deploy with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// How many different signers it needs, and the next generation with it.
    #[serde(default = "one")]
    pub signatures: u32,
    /// What made it.
    pub tool: String,
    /// Where the contents came from.
    pub source: Origin,
    /// The files: those for everybody, in the order in which a deployment takes them, then each site's.
    pub files: Vec<FileEntry>,
    /// The names of the secrets.
    pub secrets: Vec<SecretEntry>,
    /// The certificates among them; a bundle of before they were listed has none.
    #[serde(default)]
    pub certificates: Vec<Certificate>,
    /// Parameters that hold something else than the certificate or the key that belongs there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable_certificates: Vec<Unreadable>,
    /// The sites, and with which keys each opens what it gets.
    pub recipients: BTreeMap<Site, Vec<String>>,
    /// The subsets. A site that is in none gets everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// What the guard did.
    pub guard: GuardReport,
    /// What somebody still knows who gets it no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bill: Vec<BillEntry>,
}

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileEntry {
    /// Its path in the bundle; a sealed one ends in `.age`.
    pub path: String,
    /// Whether it is encrypted.
    pub sealed: bool,
    /// The digest of its bytes as they are on disk.
    pub sha256: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The parameters that it sets; of a site's file, `grants` says them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
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
    /// The generation in which its value last changed, as far as the puller could tell.
    #[serde(default = "first")]
    pub since: u64,
}

impl FileEntry {
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            path: entry.path.to_string(),
            sealed: entry.path.sealed,
            sha256: entry.sha256.clone(),
            size: entry.size,
            parameters: entry.parameters.clone(),
        }
    }

    /// Which file it is; a manifest could name anything, even a path out of the bundle.
    ///
    /// # Errors
    ///
    /// [`BundleError::UnknownFile`].
    pub fn place(&self) -> Result<FilePath, BundleError> {
        let place = FilePath::parse(&self.path).filter(|place| place.sealed == self.sealed);
        place.ok_or_else(|| BundleError::UnknownFile { name: self.path.escape_debug().take(120).collect() })
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

    /// The subset that `site` gets; nothing where it gets everything.
    #[must_use]
    pub fn grant_of(&self, site: &Site) -> Option<&Grant> {
        self.grants.iter().find(|grant| grant.sites.contains(site))
    }

    /// The sites that get everything.
    #[must_use]
    pub fn entire(&self) -> Vec<&Site> {
        let granted: BTreeSet<&Site> = self.grants.iter().flat_map(|grant| &grant.sites).collect();
        self.recipients.keys().filter(|site| !granted.contains(site)).collect()
    }

    /// What who gets `grant` can read: secrets by name, also those whose values are in a file that was to be clear, or in
    /// the value of another.
    #[must_use]
    pub fn exposed_by(&self, grant: Option<&Grant>) -> BTreeSet<&ParameterName> {
        let names = self.secrets.iter().map(|secret| &secret.name);
        let mut exposed: BTreeSet<&ParameterName> =
            names.filter(|name| grant.is_none_or(|grant| grant.holds(name))).collect();
        for (file, held) in &self.guard.holds {
            let parameter = EnvironmentFile::named(file).and_then(EnvironmentFile::parameter);
            let is_his = |grant: &Grant| {
                parameter
                    .and_then(|name| ParameterName::parse(name).ok())
                    .is_some_and(|name| grant.holds(&name))
            };
            if grant.is_none_or(is_his) {
                exposed.extend(held);
            }
        }
        let granted =
            self.guard.within.iter().filter(|(name, _)| grant.is_none_or(|grant| grant.holds(name)));
        exposed.extend(granted.flat_map(|(_, held)| held));
        exposed
    }

    /// The bytes to write, digest and sign: two spaces of indent, a newline at the end.
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

const fn one() -> u32 {
    1
}

const fn first() -> u64 {
    1
}
