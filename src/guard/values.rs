use aho_corasick::{AhoCorasick, MatchKind};

use crate::classify::Parameter;
use crate::json;
use crate::model::{Data, Kind, ParameterName, Scalar};
use crate::secret::SecretBuffer;

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
    /// The values in `passwords`, which is the passwords file's content, and those that no site gets.
    pub(super) fn of(passwords: &Data, withheld: &[Parameter]) -> Self {
        let mut patterns = Patterns::default();
        if let Some(Data::Map(parameters)) = passwords.under("parameter_defaults") {
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
        let Patterns { texts, names, searched, mut too_short } = patterns;
        too_short.sort();
        too_short.dedup();
        // EXPOSE: the automaton needs the bytes; it lives as long as the guard, the allocator wipes it
        let bytes: Vec<Vec<u8>> = texts.iter().map(|text| text.expose(<[u8]>::to_vec)).collect();
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(bytes).ok();
        Self { search, names, searched, too_short }
    }

    /// The parameter whose value is in `haystack`, if any is.
    pub(super) fn find(&self, haystack: &[u8]) -> Option<&ParameterName> {
        // Without an automaton nothing can be cleared: everything counts as found
        let Some(search) = &self.search else { return self.names.first() };
        search.find(haystack).and_then(|found| self.names.get(found.pattern().as_usize()))
    }
}

#[derive(Default)]
struct Patterns {
    texts: Vec<SecretBuffer>,
    names: Vec<ParameterName>,
    searched: usize,
    too_short: Vec<ParameterName>,
}

impl Patterns {
    fn add(&mut self, name: &ParameterName, key: &str, value: &Data) {
        if is_public(name.as_str(), key) {
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
            self.add_text(name, trimmed);
            let mut escaped = SecretBuffer::new();
            json::write_string(trimmed, &mut escaped);
            // EXPOSE: compared in place
            escaped.expose(|quoted| {
                let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
                if inner != trimmed.as_bytes() {
                    self.add_bytes(name, inner);
                }
            });
            // A key that was wrapped anew still has its lines
            let lines = trimmed.lines().map(str::trim);
            for line in lines
                .filter(|line| line.len() >= SHORTEST_LINE && *line != trimmed && !line.starts_with("-----"))
            {
                self.add_text(name, line);
            }
        });
    }

    fn add_text(&mut self, name: &ParameterName, text: &str) {
        self.add_bytes(name, text.as_bytes());
    }

    fn add_bytes(&mut self, name: &ParameterName, bytes: &[u8]) {
        let mut pattern = SecretBuffer::with_capacity(bytes.len());
        pattern.push(bytes);
        self.texts.push(pattern);
        self.names.push(name.clone());
    }
}

/// Parts of secret parameters that are public, and that stand elsewhere for good reason.
fn is_public(name: &str, key: &str) -> bool {
    matches!(
        (name, key),
        (
            "CephClusterFSID"
                | "CAMap"
                | "OctaviaCaCert"
                | "SSLCertificate"
                | "SSLIntermediateCertificate"
                | "SSLRootCertificate",
            _
        ) | ("MigrationSshKey", "public_key")
    )
}
