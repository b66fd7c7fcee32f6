//! What a live plan and a bundle differ in: names, never values.
//!
//! It stands apart, and is pure, because it is what tells an operator at night whether a site has the passwords that the centre
//! has: by fingerprints that stay with the puller, so that nobody has to open the bundle for it.
//!
//! # What this does not do
//!
//! Without the puller's notes on the bundle's generation it does not know which values have changed, and says so.

use std::collections::BTreeMap;

use crate::bundle::{Change, Manifest, changes};
use crate::fingerprint::{Record, Tag};
use crate::guard::Cleared;
use crate::model::{Digest, ParameterName};

/// How a bundle differs from what its next generation would have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// Secrets, by name.
    pub secrets: Vec<(ParameterName, Change)>,
    /// Files in clear, by name.
    pub files: Vec<(String, Change)>,
    /// Whether it is known which values have changed.
    pub knows_values: bool,
}

impl Drift {
    /// Compares what `manifest` lists with what was `cleared`, whose values have these `tags`; `record` is what is known of the
    /// values in the bundle.
    #[must_use]
    pub fn of(
        manifest: &Manifest,
        cleared: &Cleared,
        tags: &BTreeMap<ParameterName, Tag>,
        record: Option<&Record>,
    ) -> Self {
        // What is not known of the bundle is taken for the same
        let before = |name: &ParameterName| {
            record.and_then(|record| record.secrets.get(name)).or_else(|| tags.get(name))
        };
        let names = manifest.secrets.iter().map(|secret| &secret.name);
        let had: BTreeMap<&ParameterName, Option<&Tag>> = names.map(|name| (name, before(name))).collect();
        let has = cleared.secret_names().map(|name| (name, tags.get(name))).collect();
        let secrets = changes(&had, &has).into_iter().map(|(name, change)| (name.clone(), change));
        // A file that was clear and is sealed, or the other way round, is another
        let clear =
            cleared.public_files().map(|(name, bytes)| (name.to_owned(), Digest::of(bytes))).collect();
        Self {
            secrets: secrets.collect(),
            files: changes(&manifest.clear_files(), &clear),
            knows_values: record.is_some(),
        }
    }

    /// Whether there is no difference that is known of.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.secrets.is_empty() && self.files.is_empty()
    }
}
