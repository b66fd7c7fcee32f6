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
pub(super) struct UserEnvironments {
    set: BTreeMap<ParameterName, Vec<(PathBuf, Data)>>,
}

impl UserEnvironments {
    pub(super) fn in_working_dir(directory: &Path) -> Result<Self, SourceError> {
        let mut set: BTreeMap<ParameterName, Vec<(PathBuf, Data)>> = BTreeMap::new();
        let mut directories = vec![directory.join("tripleo-heat-templates").join("user-environments")];
        while let Some(directory) = directories.pop() {
            directories.extend(fs::directories_below(&directory)?);
            for path in files_in(&directory)? {
                let Some(content) = read_if_there(&path)? else { continue };
                for (parameter, value) in defaults_of(content, &path.display().to_string())? {
                    set.entry(parameter).or_default().push((path.clone(), value));
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

fn files_in(directory: &Path) -> Result<Vec<PathBuf>, SourceError> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let is_environment = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml" || ending == "json")
            && path.file_name().is_some_and(|name| name != GENERATED)
            && path.is_file()
    };
    let paths = fs::names_in(directory)?.into_iter().map(|name| directory.join(name));
    Ok(paths.filter(is_environment).collect())
}
