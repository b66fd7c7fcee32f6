//! One value of an opened file, by its path.

use crate::bundle::Bundle;
use crate::json;
use crate::model::{Data, EnvironmentFile, Kind, ParameterName, Site};
use crate::report::nearest;
use crate::secret::{SecretBuffer, wipe_finished_frames};
use crate::yaml;

use super::value_path::{PARAMETERS, ValuePath, index, pointer_of};
use super::{OpenedFile, SelectError};

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are two")]
pub enum Writing {
    /// A single value as its exact text, with nothing behind it; a map or a list as YAML.
    Text,
    /// As JSON, with a newline at the end.
    Json,
}

/// Where a value is to be looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Whereabouts {
    /// The file.
    pub file: EnvironmentFile,
    /// The parameter, by what the manifest says; all of the file's where the path is not one of a parameter.
    pub parameters: Vec<ParameterName>,
}

/// In which of the files that `site` gets the value at `path` is: in `only_in` where one is named, else in the passwords, else in the one
/// file that has the parameter. The manifest says so; nothing is opened.
///
/// # Errors
///
/// [`SelectError::NoParameter`] and [`SelectError::InSeveralFiles`].
pub fn find(
    bundle: &Bundle,
    site: &Site,
    path: &ValuePath,
    only_in: Option<EnvironmentFile>,
) -> Result<Whereabouts, SelectError> {
    let files =
        bundle.files_for(site).into_iter().filter(|path| only_in.is_none_or(|file| file == path.file));
    let all: Vec<(EnvironmentFile, Vec<ParameterName>)> =
        files.map(|path| (path.file, bundle.parameters_of(path))).collect();
    let holding = all.iter().filter_map(|(file, names)| {
        let named: Vec<ParameterName> =
            names.iter().filter(|name| path.may_name(name.as_str())).cloned().collect();
        (!named.is_empty()).then_some(Whereabouts { file: *file, parameters: named })
    });
    let mut holding: Vec<Whereabouts> = holding.collect();
    if let Some(at) = holding.iter().position(|found| found.file == EnvironmentFile::Passwords) {
        return Ok(holding.swap_remove(at));
    }
    if holding.len() > 1 {
        let files = holding.iter().map(|found| found.file.file_name()).collect::<Vec<_>>().join(", ");
        return Err(SelectError::InSeveralFiles { path: path.as_str().to_owned(), files });
    }
    if let Some(found) = holding.pop() {
        return Ok(found);
    }
    if let Some(name) = path.parameter() {
        let names = || all.iter().flat_map(|(_, names)| names).map(ParameterName::as_str);
        return Err(SelectError::NoParameter {
            name: name.to_owned(),
            nearest: nearest(name, names()).map(str::to_owned),
            of: names().count(),
        });
    }
    // A pointer to something else than a parameter: all that is in the file may be in it
    let file = only_in.unwrap_or(EnvironmentFile::Passwords);
    let parameters = all.into_iter().find(|(one, _)| *one == file).map(|(_, names)| names);
    Ok(Whereabouts { file, parameters: parameters.unwrap_or_default() })
}

/// The value at `path` in `opened`.
///
/// # Errors
///
/// Any [`SelectError`] but those of [`find`]. None of them names a key that was not typed: those below a parameter may be secret.
pub fn select(opened: &OpenedFile, path: &ValuePath, writing: Writing) -> Result<SecretBuffer, SelectError> {
    let selected = read_and_select(opened, path, writing);
    wipe_finished_frames();
    selected
}

fn read_and_select(
    opened: &OpenedFile,
    path: &ValuePath,
    writing: Writing,
) -> Result<SecretBuffer, SelectError> {
    let file = opened.file;
    // EXPOSE: parsed into secret values, of which one is written
    let data = opened.content.expose(|bytes| {
        let name = file.file_name();
        if file.is_json() { json::read(bytes, name).ok() } else { yaml::read(bytes, name).ok() }
    });
    let data = data.ok_or(SelectError::Unreadable { file })?;
    let value = match path.pointer() {
        Some(tokens) => by_pointer(&data, tokens)?,
        None => by_dots(&data, path.as_str())?,
    };
    write(value, path, writing)
}

fn write(value: &Data, path: &ValuePath, writing: Writing) -> Result<SecretBuffer, SelectError> {
    let mut out = SecretBuffer::new();
    match (value, writing) {
        (_, Writing::Json) => json::write(value, &mut out),
        (Data::Scalar(scalar), Writing::Text) if scalar.kind == Kind::Null => {
            return Err(SelectError::Null { path: path.as_str().to_owned() });
        }
        (Data::Scalar(scalar), Writing::Text) => out.push_secret(&scalar.text),
        (Data::List(_) | Data::Map(_), Writing::Text) => yaml::write(value, &mut out),
    }
    Ok(out)
}

fn by_pointer<'a>(data: &'a Data, tokens: &[String]) -> Result<&'a Data, SelectError> {
    let mut value = data;
    for (depth, token) in tokens.iter().enumerate() {
        let below = match value {
            Data::Map(_) => value.under(token),
            Data::List(items) => index(token).and_then(|index| items.get(index)),
            Data::Scalar(_) => None,
        };
        value = below.ok_or_else(|| SelectError::NotThere {
            wanted: token.clone(),
            below: pointer_of(tokens.iter().take(depth)),
            is_single: matches!(value, Data::Scalar(_)),
        })?;
    }
    Ok(value)
}

fn by_dots<'a>(data: &'a Data, text: &str) -> Result<&'a Data, SelectError> {
    let parameters = data.under(PARAMETERS);
    let root = parameters.unwrap_or(data);
    let mut search = Search { found: Vec::new(), trail: Vec::new(), nearest: (text, root) };
    search.below(root, text);
    match search.found.as_slice() {
        [(value, _)] => Ok(value),
        [] => {
            let (wanted, at) = search.nearest;
            let below = text.strip_suffix(wanted).unwrap_or_default();
            Err(SelectError::NotThere {
                wanted: wanted.to_owned(),
                below: below.strip_suffix('.').unwrap_or(below).to_owned(),
                is_single: matches!(at, Data::Scalar(_)),
            })
        }
        several => {
            let pointers = several.iter().map(|(_, trail)| {
                pointer_of(parameters.map(|_| PARAMETERS).into_iter().chain(trail.iter().copied()))
            });
            Err(SelectError::Ambiguous { path: text.to_owned(), pointers: pointers.collect() })
        }
    }
}

/// All values to which a text with dots can lead. Each value has one text that leads to it: no more is looked at than there is.
struct Search<'data, 'text> {
    found: Vec<(&'data Data, Vec<&'text str>)>,
    trail: Vec<&'text str>,
    /// What was left of the text where it led furthest.
    nearest: (&'text str, &'data Data),
}

impl<'data, 'text> Search<'data, 'text> {
    fn below(&mut self, value: &'data Data, rest: &'text str) {
        if rest.len() < self.nearest.0.len() {
            self.nearest = (rest, value);
        }
        match value {
            Data::Scalar(_) => {}
            Data::List(items) => {
                let token = rest.split('.').next().unwrap_or_default();
                if let Some(item) = index(token).and_then(|index| items.get(index)) {
                    self.step(item, rest, token.len());
                }
            }
            Data::Map(entries) => {
                for (key, value) in entries {
                    // EXPOSE: compared in place; what is kept is what was typed
                    let length = key.text.expose(|key| rest.starts_with(key).then_some(key.len()));
                    if let Some(length) = length {
                        self.step(value, rest, length);
                    }
                }
            }
        }
    }

    /// Goes on with `value`, whose key are the first `length` bytes of `rest`, if there the key ends.
    fn step(&mut self, value: &'data Data, rest: &'text str, length: usize) {
        let (Some(key), Some(after)) = (rest.get(..length), rest.get(length..)) else { return };
        self.trail.push(key);
        if after.is_empty() {
            self.found.push((value, self.trail.clone()));
        } else if let Some(after) = after.strip_prefix('.') {
            self.below(value, after);
        }
        self.trail.pop();
    }
}

#[cfg(test)]
mod tests;
