//! What users have set, from what a deployment saves: the stack's environment, and copies of the users' own files (Wallaby
//! and later).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::fs;
use crate::model::{Data, ParameterName};

use super::incomplete::Incomplete;
use super::plan::{defaults_of, is_masked};
use super::working_dir::read_if_there;
use super::{SavedError, SourceError};

/// The client's own file in between, with what `TripleO` generated.
const GENERATED: &str = "tripleoclient-parameters.yaml";

/// What users set of a stack whose `environment` was saved in `directory`, beside what was `generated`.
pub(super) fn set_by_users(
    environment: &Path,
    directory: &Path,
    generated: &[(ParameterName, Data)],
    incomplete: &mut Incomplete,
) -> Result<Vec<(ParameterName, Data)>, SourceError> {
    let saved = read_if_there(environment)?.and_then(|mut saved| saved.take_from("parameter_defaults"));
    let Some(Data::Map(defaults)) = saved else {
        let path = environment.to_owned();
        incomplete.without(Err::<(), _>(SavedError::EnvironmentNotSaved { path }.into()))?;
        return Ok(Vec::new());
    };
    let mut copies = if defaults.iter().any(|(_, value)| is_masked(value)) {
        incomplete.without(UserEnvironments::in_working_dir(directory))?.unwrap_or_default()
    } else {
        UserEnvironments::default()
    };
    let generated: BTreeMap<&ParameterName, &Data> =
        generated.iter().map(|(parameter, value)| (parameter, value)).collect();
    let name = || environment.display().to_string();
    let mut set = Vec::new();
    for (key, value) in defaults {
        // EXPOSE: a parameter's name is public
        let parameter = key.text.expose(ParameterName::parse);
        let parameter = parameter.map_err(|_| SourceError::PlanMalformed { name: name() })?;
        let generated = generated.get(&parameter);
        if !is_masked(&value) {
            // The environment has what was generated, too: nobody has set that
            if !generated.is_some_and(|generated| generated.same(&value)) {
                set.push((parameter, value));
            }
        } else if let Some(value) = copies.take(&parameter)? {
            set.push((parameter, value));
        } else if generated.is_none() {
            incomplete.without(Err::<(), _>(SourceError::PlanMasked { name: name(), parameter }))?;
        }
    }
    Ok(set)
}

/// What users set, and in which file. The order of the files is lost: of two values none can be preferred.
#[derive(Default)]
struct UserEnvironments {
    set: BTreeMap<ParameterName, Vec<(PathBuf, Data)>>,
}

impl UserEnvironments {
    fn in_working_dir(directory: &Path) -> Result<Self, SourceError> {
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
    fn take(&mut self, parameter: &ParameterName) -> Result<Option<Data>, SourceError> {
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
