use std::collections::BTreeSet;
use std::fmt;

use aho_corasick::AhoCorasick;

use crate::classify::{Document, Parameter};
use crate::classify::{NameSays, name_says};
use crate::model::{Data, EnvironmentFile, Kind, ParameterName, Scalar};
use crate::secret::SecretBuffer;

use super::encodings::Encoder;
use super::shapes;

/// Shorter values are found everywhere, by chance.
const SHORTEST: usize = 8;
/// A line of a PEM block that is shorter than this says nothing.
const SHORTEST_LINE: usize = 16;

/// Secret values, ready to be searched for in one pass: as they are, by the lines of a key, escaped, and encoded.
pub struct KnownValues {
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
            patterns.add_file(&document.content, Patterns::add);
        }
        for Parameter { name, value } in withheld {
            patterns.add(name, "", value);
        }
        Self::searching(patterns)
    }

    /// The secret values in the environment files that a site gets: all that the files of secrets hold, and of the others what
    /// is announced by its name or has the form of a secret.
    #[must_use]
    pub fn in_files(files: &[(EnvironmentFile, Data)]) -> Self {
        let mut patterns = Patterns::default();
        for (file, content) in files {
            let is_secret = matches!(*file, EnvironmentFile::Passwords | EnvironmentFile::CephExternal);
            patterns.add_file(content, if is_secret { Patterns::add } else { Patterns::add_announced });
        }
        Self::searching(patterns)
    }

    fn searching(patterns: Patterns) -> Self {
        let Patterns { texts, ends, names, searched, mut too_short, encoder: _ } = patterns;
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

    /// The parameters of which a value is too short to be searched for.
    #[must_use]
    pub fn too_short(&self) -> &[ParameterName] {
        &self.too_short
    }

    /// The length of the longest form: so much of a file must be seen at once.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.search.as_ref().map_or(0, AhoCorasick::max_pattern_len)
    }

    /// The parameter whose value is in `haystack`, if any is.
    pub(super) fn find(&self, haystack: &[u8]) -> Option<&ParameterName> {
        // Without an automaton nothing can be cleared: everything counts as found
        let Some(search) = &self.search else { return self.names.first() };
        search.find(haystack).and_then(|found| self.names.get(found.pattern().as_usize()))
    }

    /// All parameters whose value is in `haystack`, also of those that share one.
    #[must_use]
    pub fn find_all(&self, haystack: &[u8]) -> BTreeSet<ParameterName> {
        let Some(search) = &self.search else { return self.names.iter().cloned().collect() };
        let found = search.find_overlapping_iter(haystack);
        let mut patterns: Vec<usize> = found.map(|found| found.pattern().as_usize()).collect();
        patterns.sort_unstable();
        patterns.dedup();
        patterns.into_iter().filter_map(|pattern| self.names.get(pattern).cloned()).collect()
    }
}

impl fmt::Debug for KnownValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownValues").field("names", &self.names).finish_non_exhaustive()
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
    encoder: Encoder,
}

impl Patterns {
    /// What `add` finds below each parameter of an environment file.
    fn add_file(&mut self, content: &Data, add: impl Fn(&mut Self, &ParameterName, &str, &Data)) {
        let Data::Map(parameters) = content.under("parameter_defaults").unwrap_or(content) else { return };
        for (key, value) in parameters {
            // EXPOSE: a parameter's name is public
            if let Ok(name) = key.text.expose(ParameterName::parse) {
                add(self, &name, "", value);
            }
        }
    }

    /// What a name below `value` announces, and what has the form of a secret.
    fn add_announced(&mut self, name: &ParameterName, key: &str, value: &Data) {
        let says = name_says(key);
        match value {
            _ if says == NameSays::ASecret && shapes::is_secret_like(value, says) => {
                self.add(name, key, value);
            }
            Data::Scalar(scalar) => {
                // EXPOSE: searched in place
                if scalar.text.expose(shapes::shape_of).is_some() {
                    self.add_scalar(name, scalar);
                }
            }
            Data::List(items) => items.iter().for_each(|item| self.add_announced(name, key, item)),
            Data::Map(entries) => {
                for (key, value) in entries {
                    // EXPOSE: its words are compared with those that announce a secret
                    key.text.expose(|key| self.add_announced(name, key, value));
                }
            }
        }
    }

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
            // A key that was wrapped anew still has its lines
            let lines = trimmed.lines().map(str::trim);
            let lines: Vec<&str> = lines
                .filter(|line| line.len() >= SHORTEST_LINE && *line != trimmed && !line.starts_with("-----"))
                .collect();
            for line in &lines {
                self.add_bytes(name, line.as_bytes());
            }
            // Its lines stand in escaped forms as they are; of encoded ones, one in the middle is its own
            self.add_forms(name, lines.get(lines.len() / 2).copied().unwrap_or(trimmed));
        });
    }

    fn add_forms(&mut self, name: &ParameterName, text: &str) {
        let mut encoder = std::mem::take(&mut self.encoder);
        encoder.escaped(text, |form| self.add_bytes(name, form));
        encoder.encoded(text, |form| self.add_bytes(name, form));
        self.encoder = encoder;
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
