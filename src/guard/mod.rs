//! The gate: from [`Classified`] to [`Cleared`], which alone can be sealed and written.
//!
//! It stands apart, and is pure, so that one reading shows that nothing gets past it: a candidate for plaintext that
//! holds a known secret value, a secret-looking key or the shape of a secret leaves as a secret file, or not at all.
//!
//! # What this does not do
//!
//! It cannot search for a value of fewer than 8 bytes, since that would be found everywhere; it names those parameters
//! instead. It does not see a secret that the plan does not know, under a harmless name, without a known shape.
//! It knows values as they are, escaped (JSON, YAML, URLs), in base64 and in hexadecimal; not compressed, and not encoded twice.

mod encodings;
mod review;
mod shapes;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::certificate;
use crate::classify::{Classified, Document, NameSays, Secret, name_says};
use crate::model::{
    Certificates, Data, EnvironmentFile, Finding, GuardReport, Origin, ParameterName, Rule, Scalar,
};
use crate::report::Hint;
use crate::secret::SecretBuffer;

pub use review::{ReviewError, review};
pub use values::KnownValues;

/// What to do with a candidate for plaintext in which a secret is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnSecret {
    /// Seal the whole file.
    #[default]
    Seal,
    /// Fail.
    Refuse,
}

/// Why the guard let nothing through.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// A secret is in a file that was to be plaintext, and the caller asked for an error then.
    #[error("`{file}` holds a secret at {path}", file = .file.file_name())]
    SecretFound {
        /// The file.
        file: EnvironmentFile,
        /// Where in it.
        path: String,
    },
}

impl Hint for GuardError {
    fn hint(&self) -> String {
        match self {
            Self::SecretFound { .. } => {
                String::from("leave --on-secret at `seal`: the file is then sealed whole")
            }
        }
    }
}

/// Files that may be written: each is either searched and found clean, or to be sealed. Only [`clear`] makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Cleared {
    pub(crate) origin: Origin,
    pub(crate) secrets: Vec<Secret>,
    /// In the order of [`EnvironmentFile::ALL`].
    pub(crate) files: Vec<ClearedFile>,
    pub(crate) certificates: Certificates,
    pub(crate) report: GuardReport,
}

/// One file, and what may become of it.
#[derive(Debug)]
pub(crate) struct ClearedFile {
    pub(crate) file: EnvironmentFile,
    pub(crate) parameters: Vec<ParameterName>,
    pub(crate) content: ClearedContent,
}

/// The verdict on a file.
#[derive(Debug)]
pub(crate) enum ClearedContent {
    /// No secret was found: it may stand in clear.
    Public(Vec<u8>),
    /// It must be sealed.
    Secret(SecretFile),
}

/// A file in clear that must not stay so.
#[derive(Debug)]
pub(crate) struct SecretFile {
    pub(crate) text: SecretBuffer,
    /// Where in `text` each parameter stands, if some may be left out.
    pub(crate) parts: Vec<Range<usize>>,
    pub(crate) content: Data,
}

impl Cleared {
    /// The parameters that will be sealed: all that a site can be given or denied.
    #[must_use]
    pub fn offered(&self) -> BTreeSet<ParameterName> {
        let secret = self.files.iter().filter(|file| matches!(file.content, ClearedContent::Secret(_)));
        secret.flat_map(|file| &file.parameters).cloned().collect()
    }

    /// The names of the secrets.
    pub fn secret_names(&self) -> impl Iterator<Item = &ParameterName> {
        self.secrets.iter().map(|secret| &secret.name)
    }

    /// What may stand in clear: each file's name, and its bytes.
    pub fn public_files(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.files.iter().filter_map(|file| match &file.content {
            ClearedContent::Public(bytes) => Some((file.file.file_name(), bytes.as_slice())),
            ClearedContent::Secret(_) => None,
        })
    }

    /// The release that it came from, as far as it is known.
    #[must_use]
    pub fn release(&self) -> Option<&str> {
        self.origin.release.as_deref()
    }
}

/// Searches every candidate for every known value, secret-looking keys and shapes.
///
/// # Errors
///
/// [`GuardError::SecretFound`] when `on_secret` is [`OnSecret::Refuse`].
pub fn clear(classified: Classified, on_secret: OnSecret) -> Result<Cleared, GuardError> {
    let Classified { origin, secrets, sealed, kept, found_before, withheld, candidates } = classified;
    let passwords = sealed.iter().find(|document| document.file == EnvironmentFile::Passwords);
    let certificates = passwords.map(|document| certificate::list(&document.content)).unwrap_or_default();
    let known = KnownValues::of(&sealed, &withheld);
    let within = known_within(&sealed, &known);
    let GuardReport { mut findings, mut holds, .. } = found_before;
    let mut files = Vec::new();
    for candidate in candidates {
        let found = search(&candidate, &known);
        if let (OnSecret::Refuse, Some(first)) = (on_secret, found.first()) {
            return Err(GuardError::SecretFound { file: candidate.file, path: first.path.clone() });
        }
        if !found.is_empty() {
            // EXPOSE: searched in place
            let held = candidate.text.expose(|bytes| known.find_all(bytes));
            holds.insert(candidate.file.file_name().to_owned(), held);
        }
        files.push(decide(candidate, found.is_empty()));
        findings.extend(found);
    }
    for document in kept {
        // EXPOSE: searched in place
        let held = document.text.expose(|bytes| known.find_all(bytes));
        holds.entry(document.file.file_name().to_owned()).or_default().extend(held);
        files.push(decide(document, false));
    }
    files.extend(sealed.into_iter().map(|document| decide(document, false)));
    files.sort_by_key(|file| file.file);
    let report =
        GuardReport { searched: known.searched, too_short: known.too_short, findings, holds, within };
    Ok(Cleared { origin, secrets, files, certificates, report })
}

/// The secrets whose values are in those of others: a URL of the message bus with its password in it, or the same value twice.
fn known_within(
    sealed: &[Document],
    known: &KnownValues,
) -> BTreeMap<ParameterName, BTreeSet<ParameterName>> {
    let mut within = BTreeMap::new();
    for document in sealed {
        let below = document.content.under("parameter_defaults").unwrap_or(&document.content);
        for name in &document.parameters {
            let mut held = BTreeSet::new();
            below.under(name.as_str()).into_iter().for_each(|value| add_known(value, known, &mut held));
            held.remove(name);
            if !held.is_empty() {
                within.insert(name.clone(), held);
            }
        }
    }
    within
}

fn add_known(data: &Data, known: &KnownValues, held: &mut BTreeSet<ParameterName>) {
    match data {
        // EXPOSE: searched in place
        Data::Scalar(scalar) => held.extend(scalar.text.expose(|text| known.find_all(text.as_bytes()))),
        Data::List(items) => items.iter().for_each(|item| add_known(item, known, held)),
        Data::Map(entries) => entries.iter().for_each(|(_, value)| add_known(value, known, held)),
    }
}

fn decide(document: Document, is_clean: bool) -> ClearedFile {
    let Document { file, parameters, text, parts, content } = document;
    let content = if is_clean {
        // EXPOSE: this is the gate: the text was searched and holds no secret
        ClearedContent::Public(text.expose(<[u8]>::to_vec))
    } else {
        ClearedContent::Secret(SecretFile { text, parts, content })
    };
    ClearedFile { file, parameters, content }
}

fn search(document: &Document, known: &KnownValues) -> Vec<Finding> {
    let mut search = Search::of(document.file, known);
    search.data(&document.content);
    // The tree first, since it gives the place; the very bytes that will be written, too, since they are what counts
    // EXPOSE: searched in place
    let in_text = document.text.expose(|bytes| known.find(bytes).cloned());
    if let (Some(of), true) = (in_text, search.findings.is_empty()) {
        search.found(Rule::KnownValue { of });
    }
    search.findings
}

struct Search<'a> {
    file: EnvironmentFile,
    known: &'a KnownValues,
    path: Vec<String>,
    findings: Vec<Finding>,
}

impl<'a> Search<'a> {
    const fn of(file: EnvironmentFile, known: &'a KnownValues) -> Self {
        Self { file, known, path: Vec::new(), findings: Vec::new() }
    }

    fn data(&mut self, data: &Data) {
        match data {
            Data::Scalar(scalar) => self.scalar(scalar),
            Data::List(items) => {
                for (position, item) in items.iter().enumerate() {
                    self.within(position.to_string(), |search| search.data(item));
                }
            }
            Data::Map(entries) => {
                for (position, (key, value)) in entries.iter().enumerate() {
                    self.entry(position, key, value);
                }
            }
        }
    }

    fn entry(&mut self, position: usize, key: &Scalar, value: &Data) {
        // EXPOSE: searched in place; a key that is itself a secret is named by its position
        let (rule, label) = key.text.expose(|text| (self.rule_of(text), shown(text)));
        let label = if rule.is_some() { position.to_string() } else { label };
        // EXPOSE: its words are compared with those that announce a secret
        let says = key.text.expose(name_says);
        let is_announced = says != NameSays::Nothing && shapes::is_secret_like(value, says);
        self.within(label, |search| {
            if let Some(rule) = rule {
                search.found(rule);
            }
            let before = search.findings.len();
            search.data(value);
            if is_announced && search.findings.len() == before {
                search.found(Rule::KeyName);
            }
        });
    }

    fn scalar(&mut self, scalar: &Scalar) {
        // EXPOSE: searched in place
        if let Some(rule) = scalar.text.expose(|text| self.rule_of(text)) {
            self.found(rule);
        }
    }

    /// Why a text, of a key or of a value, is a secret.
    fn rule_of(&self, text: &str) -> Option<Rule> {
        match self.known.find(text.as_bytes()) {
            Some(of) => Some(Rule::KnownValue { of: of.clone() }),
            None => shapes::shape_of(text).map(|shape| Rule::Shape { shape }),
        }
    }

    fn within(&mut self, label: String, visit: impl FnOnce(&mut Self)) {
        self.path.push(label);
        visit(self);
        self.path.pop();
    }

    fn found(&mut self, rule: Rule) {
        // Below `parameter_defaults`, which every file has
        let path = self.path.get(1..).unwrap_or_default().join(".");
        self.findings.push(Finding { file: self.file.file_name().to_owned(), path, rule });
    }
}

// Keys come from the cloud and end up on a terminal
fn shown(key: &str) -> String {
    key.escape_debug().take(120).collect()
}

#[cfg(test)]
mod tests;
