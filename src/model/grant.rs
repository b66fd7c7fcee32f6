use serde::{Deserialize, Serialize};

use super::{ParameterName, Site};

/// A subset of the secrets, and the sites that get it and no more. Public: it stands in the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Grant {
    /// What says so: a role of a release, globs.
    pub by: String,
    /// The parameters, sorted. Of a file that was to be clear, and is sealed, it is the file's own parameter.
    pub parameters: Vec<ParameterName>,
    /// The sites.
    pub sites: Vec<Site>,
}

impl Grant {
    /// A subset, so far for nobody.
    #[must_use]
    pub const fn new(by: String, parameters: Vec<ParameterName>) -> Self {
        Self { by, parameters, sites: Vec::new() }
    }

    /// Whether `name` is in the subset.
    #[must_use]
    pub fn holds(&self, name: &ParameterName) -> bool {
        self.parameters.binary_search(name).is_ok()
    }
}
