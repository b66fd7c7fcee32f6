use crate::json::{self, JsonError};
use crate::model::{EnvironmentFile, Finding};
use crate::report::Hint;
use crate::yaml::{self, YamlError};

use super::Search;
use super::values::KnownValues;

/// Why a file in clear could not be looked through.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewError {
    /// It is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
}

impl Hint for ReviewError {
    fn hint(&self) -> String {
        String::from("get the bundle anew from where it was made; do not deploy with it")
    }
}

/// Looks through `bytes`, which stand in clear in a bundle, for the names and the shapes of secrets.
///
/// Without an identity nobody knows the values: a secret under a harmless name, and without a known shape, is found by
/// [`super::clear`] when the bundle is made, and not here.
///
/// # Errors
///
/// Any [`ReviewError`].
pub fn review(file: EnvironmentFile, bytes: &[u8]) -> Result<Vec<Finding>, ReviewError> {
    let name = file.file_name();
    // What was an output is JSON, what we write ourselves is YAML
    let content = if file.output().is_some() { json::read(bytes, name)? } else { yaml::read(bytes, name)? };
    let known = KnownValues::none();
    let mut search = Search::of(file, &known);
    search.data(&content);
    Ok(search.findings)
}
