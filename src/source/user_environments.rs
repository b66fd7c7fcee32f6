//! The copies that a deployment makes of its users' environment files (Wallaby and later).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::fs;
use crate::model::{Data, ParameterName};

use super::plan::defaults_of;
use super::working_dir::read_if_there;
use super::{SavedError, SourceError};

/// The client's own file in between, with what `TripleO` generated.
const GENERATED: &str = "tripleoclient-parameters.yaml";

/// What users set, and in which file. The order of the files is lost: of two values none can be preferred.
#[derive(Default)]
pub(super) struct UserEnvironments {
    set: BTreeMap<ParameterName, Vec<(PathBuf, Data)>>,
}

impl UserEnvironments {
    pub(super) fn in_working_dir(directory: &Path) -> Result<Self, SourceError> {
        let path = directory.join("tripleo-heat-templates").join("user-environments");
        // One that may not be looked at is read, so that the error says so
        if !path.try_exists().unwrap_or(true) {
            return Err(SavedError::CopiesNotSaved { path }.into());
        }
        let mut set: BTreeMap<ParameterName, Vec<(PathBuf, Data)>> = BTreeMap::new();
        let mut directories = vec![path];
        while let Some(directory) = directories.pop() {
            for name in fs::names_in(&directory)? {
                let path = directory.join(&name);
                if path.is_symlink() || name == GENERATED {
                    // A copy is no link; a link could lead round in circles
                } else if path.is_dir() {
                    directories.push(path);
                } else if path.is_file() {
                    for (parameter, value) in set_in(&path)? {
                        set.entry(parameter).or_default().push((path.clone(), value));
                    }
                }
            }
        }
        Ok(Self { set })
    }

    /// The value that users gave to `parameter`.
    pub(super) fn take(&mut self, parameter: &ParameterName) -> Result<Option<Data>, SourceError> {
        let mut found = self.set.remove(parameter).unwrap_or_default();
        let Some((path, value)) = found.pop() else { return Ok(None) };
        match found.into_iter().find(|(_, other)| !value.same(other)) {
            Some((other, _)) => {
                Err(SavedError::SetTwice { parameter: parameter.clone(), one: path, other }.into())
            }
            None => Ok(Some(value)),
        }
    }
}

/// What a file sets. Users' files may have any name, a descriptor's number too; among them lie templates and scripts, which
/// set nothing.
fn set_in(path: &Path) -> Result<Vec<(ParameterName, Data)>, SourceError> {
    let is_named =
        path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml" || ending == "json");
    match read_if_there(path) {
        Ok(Some(content @ Data::Map(_))) => defaults_of(content, &path.display().to_string()),
        Ok(_) => Ok(Vec::new()),
        Err(SourceError::Yaml(_)) if !is_named => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
