use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;

use crate::classify::{Document, Parameter};
use crate::json;
use crate::model::{Data, Kind, ParameterName, Scalar};
use crate::secret::SecretBuffer;

use super::shapes;

/// Shorter values are found everywhere, by chance.
const SHORTEST: usize = 8;
/// A line of a PEM block that is shorter than this says nothing.
const SHORTEST_LINE: usize = 16;

/// Every secret value of the plan, ready to be searched for in one pass.
pub(super) struct KnownValues {
    search: Option<AhoCorasick>,
    names: Vec<ParameterName>,
    pub(super) searched: usize,
    pub(super) too_short: Vec<ParameterName>,
}

impl KnownValues {
    /// The values in the files that are secret whatever is in them, and those that no site gets.
    pub(super) fn of(sealed: &[Document], withheld: &[Parameter]) -> Self {
        let mut patterns = Patterns::default();
        for document in sealed {
            let parameters = document.content.under("parameter_defaults").unwrap_or(&document.content);
            let Data::Map(parameters) = parameters else { continue };
            for (key, value) in parameters {
                // EXPOSE: a parameter's name is public
                if let Ok(name) = key.text.expose(ParameterName::parse) {
                    patterns.add(&name, "", value);
                }
            }
        }
        for Parameter { name, value } in withheld {
            patterns.add(name, "", value);
        }
        let Patterns { texts, ends, names, searched, mut too_short, scratch: _ } = patterns;
        too_short.sort();
        too_short.dedup();
        // EXPOSE: the automaton copies the bytes; it lives as long as the guard, the allocator wipes it
        let search = texts.expose(|bytes| {
            let starts = [0].into_iter().chain(ends.iter().copied());
            let patterns = starts.zip(&ends).filter_map(|(start, end)| bytes.get(start..*end));
            AhoCorasick::new(patterns).ok()
        });
        Self { search, names, searched, too_short }
    }

    /// What is known without the secrets.
    pub(super) const fn none() -> Self {
        Self { search: None, names: Vec::new(), searched: 0, too_short: Vec::new() }
    }

    /// The parameter whose value is in `haystack`, if any is.
    pub(super) fn find(&self, haystack: &[u8]) -> Option<&ParameterName> {
        // Without an automaton nothing can be cleared: everything counts as found
        let Some(search) = &self.search else { return self.names.first() };
        search.find(haystack).and_then(|found| self.names.get(found.pattern().as_usize()))
    }

    /// All parameters whose value is in `haystack`, also of those that share one.
    pub(super) fn find_all(&self, haystack: &[u8]) -> BTreeSet<ParameterName> {
        let Some(search) = &self.search else { return self.names.iter().cloned().collect() };
        let found = search.find_overlapping_iter(haystack);
        let mut patterns: Vec<usize> = found.map(|found| found.pattern().as_usize()).collect();
        patterns.sort_unstable();
        patterns.dedup();
        patterns.into_iter().filter_map(|pattern| self.names.get(pattern).cloned()).collect()
    }
}

#[derive(Default)]
struct Patterns {
    /// One behind the other; `ends` has where each ends.
    texts: SecretBuffer,
    ends: Vec<usize>,
    names: Vec<ParameterName>,
    searched: usize,
    too_short: Vec<ParameterName>,
    scratch: SecretBuffer,
}

impl Patterns {
    fn add(&mut self, name: &ParameterName, key: &str, value: &Data) {
        if is_public(name.as_str(), key) && !holds_private_key(value) {
            return;
        }
        match value {
            Data::Scalar(scalar) => self.add_scalar(name, scalar),
            Data::List(items) => items.iter().for_each(|item| self.add(name, key, item)),
            Data::Map(entries) => {
                for (key, value) in entries {
                    // EXPOSE: a key below a parameter, compared with the names of public parts
                    key.text.expose(|key| self.add(name, key, value));
                }
            }
        }
    }

    fn add_scalar(&mut self, name: &ParameterName, scalar: &Scalar) {
        if matches!(scalar.kind, Kind::Null | Kind::Bool) {
            return;
        }
        // EXPOSE: copied into wiped buffers
        scalar.text.expose(|text| {
            let trimmed = text.trim();
            if trimmed.len() < SHORTEST {
                if !trimmed.is_empty() {
                    self.too_short.push(name.clone());
                }
                return;
            }
            self.searched += 1;
            self.add_bytes(name, trimmed.as_bytes());
            self.add_escaped(name, trimmed);
            // A key that was wrapped anew still has its lines
            let lines = trimmed.lines().map(str::trim);
            for line in lines
                .filter(|line| line.len() >= SHORTEST_LINE && *line != trimmed && !line.starts_with("-----"))
            {
                self.add_bytes(name, line.as_bytes());
            }
        });
    }

    fn add_escaped(&mut self, name: &ParameterName, text: &str) {
        self.scratch.clear();
        json::write_string(text, &mut self.scratch);
        let quoted = std::mem::take(&mut self.scratch);
        // EXPOSE: copied from one wiped buffer to another
        quoted.expose(|quoted| {
            let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
            if inner != text.as_bytes() {
                self.add_bytes(name, inner);
            }
        });
        self.scratch = quoted;
    }

    fn add_bytes(&mut self, name: &ParameterName, bytes: &[u8]) {
        self.texts.push(bytes);
        self.ends.push(self.texts.len());
        self.names.push(name.clone());
    }
}

/// Whether a key was put where a certificate belongs: then the value is none that stands elsewhere.
fn holds_private_key(value: &Data) -> bool {
    match value {
        // EXPOSE: searched in place
        Data::Scalar(scalar) => scalar.text.expose(shapes::holds_private_key),
        Data::List(items) => items.iter().any(holds_private_key),
        Data::Map(entries) => entries.iter().any(|(_, item)| holds_private_key(item)),
    }
}

/// Parts of secret parameters that are public, and that stand elsewhere for good reason.
fn is_public(name: &str, key: &str) -> bool {
    matches!(
        (name, key),
        (
            "CephClusterFSID"
                | "CAMap"
                | "LoggingSSLCertificate"
                | "OctaviaCaCert"
                | "RsyslogElasticsearchTlsCACert"
                | "RsyslogElasticsearchTlsClientCert"
                | "SSLCertificate"
                | "SSLIntermediateCertificate"
                | "SSLRootCertificate",
            _
        ) | ("MigrationSshKey", "public_key")
            | (
                "CephExternalMultiConfig",
                "caps"
                    | "ceph_conf_overrides"
                    | "cluster"
                    | "external_cluster_mon_ips"
                    | "fsid"
                    | "mode"
                    | "name"
            )
    )
}
