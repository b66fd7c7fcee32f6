use crate::model::{Data, Entry, Kind, ParameterName, SecretOrigin};
use crate::secret::SecretValue;
use crate::yaml;

use super::{SavedError, SourceError};

/// What Heat writes in place of a hidden value (LP#1999665): a value is missing, whatever the file says.
pub(super) const MASKED: &str = "******";

/// The parameters of a plan, in layers: each beats those before it.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Plan {
    /// The layers, the weakest first.
    pub layers: Vec<Layer>,
    /// How the passwords file is written.
    pub form: Form,
}

/// How secrets stand in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// Under `parameter_defaults`, as Heat takes them.
    #[default]
    Environment,
    /// One by one, as Ansible takes variables.
    Flat,
}

/// Parameters that were set in one place.
#[derive(Debug)]
#[non_exhaustive]
pub struct Layer {
    /// Who set them.
    pub set_by: SecretOrigin,
    /// Whether all of them are secrets.
    pub holds: Holds,
    /// The parameters, in their order; a later one wins.
    pub parameters: Vec<(ParameterName, Data)>,
}

/// What stands in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Holds {
    /// Settings of any kind: only those are secrets whose names are known for it.
    Settings,
    /// Nothing but secrets, whatever their names.
    Secrets,
}

impl Layer {
    /// A layer of settings, or of secrets.
    #[must_use]
    pub const fn new(set_by: SecretOrigin, holds: Holds, parameters: Vec<(ParameterName, Data)>) -> Self {
        Self { set_by, holds, parameters }
    }

    /// What an environment file of a user sets.
    pub(super) const fn settings(parameters: Vec<(ParameterName, Data)>) -> Self {
        Self::new(SecretOrigin::User, Holds::Settings, parameters)
    }
}

impl Plan {
    /// Reads `plan-environment.yaml`; `name` stands for it in errors. What the plan's user set beats what `TripleO`
    /// generated (LP#1891388).
    ///
    /// # Errors
    ///
    /// [`SourceError::Yaml`], [`SourceError::PlanEmpty`], [`SourceError::PlanWithoutPasswords`],
    /// [`SourceError::PlanMalformed`] and [`SourceError::PlanMasked`].
    pub fn read(text: &[u8], name: &str) -> Result<Self, SourceError> {
        Ok(Self::read_with_environments(text, name)?.0)
    }

    /// Like [`Plan::read`], and what the plan lists as its environment files: each a `path` in its container, or `data`.
    pub(super) fn read_with_environments(text: &[u8], name: &str) -> Result<(Self, Vec<Data>), SourceError> {
        let Data::Map(sections) = yaml::read(text, name)? else {
            return Err(if text.trim_ascii().is_empty() {
                SourceError::PlanEmpty { name: name.to_owned() }
            } else {
                SourceError::PlanMalformed { name: name.to_owned() }
            });
        };
        Self::of_sections(sections, name)
    }

    /// The plan in the sections of a `plan-environment.yaml`, and its environment files.
    pub(super) fn of_sections(sections: Vec<Entry>, name: &str) -> Result<(Self, Vec<Data>), SourceError> {
        let (mut passwords, mut defaults, mut environments) = (Vec::new(), Vec::new(), Vec::new());
        for (section, content) in sections {
            if section.is("passwords") {
                passwords = parameters(content, name)?;
            } else if section.is("parameter_defaults") {
                defaults = parameters(content, name)?;
            } else if section.is("environments")
                && let Data::List(items) = content
            {
                environments = items;
            }
        }
        if passwords.is_empty() {
            return Err(SourceError::PlanWithoutPasswords { name: name.to_owned() });
        }
        let generated = Layer::new(SecretOrigin::Generated, Holds::Secrets, passwords);
        let layers = vec![generated, Layer::settings(defaults)];
        Ok((Self { layers, ..Self::default() }, environments))
    }

    /// The plan in a stack's environment, where the cloud keeps no plan: what `TripleO` has generated and what its user
    /// has set stand there side by side.
    pub(super) fn of_stack(mut environment: Data, name: &str) -> Result<Self, SourceError> {
        let defaults = environment.take_from("parameter_defaults");
        let parameter_defaults =
            defaults.map_or_else(|| Ok(Vec::new()), |defaults| parameters(defaults, name))?;
        if parameter_defaults.is_empty() {
            return Err(SourceError::PlanWithoutPasswords { name: name.to_owned() });
        }
        Ok(Self { layers: vec![Layer::settings(parameter_defaults)], ..Self::default() })
    }
}

/// The `parameter_defaults` of an environment file; an empty file sets none.
pub(super) fn defaults_of(content: Data, name: &str) -> Result<Vec<(ParameterName, Data)>, SourceError> {
    match content {
        Data::Map(sections) => {
            let defaults = sections.into_iter().find(|(section, _)| section.is("parameter_defaults"));
            defaults.map_or_else(|| Ok(Vec::new()), |(_, defaults)| parameters(defaults, name))
        }
        Data::Scalar(scalar) if scalar.kind == Kind::Null => Ok(Vec::new()),
        Data::Scalar(_) | Data::List(_) => Err(SourceError::PlanMalformed { name: name.to_owned() }),
    }
}

/// The path of an environment file in which users set certificates and keys.
pub(super) fn users_file(path: &SecretValue) -> Option<String> {
    let is_users = |path: &str| {
        path == "user-environment.yaml"
            || ["environments/ssl/", "user-environments/", "user-files/"]
                .iter()
                .any(|folder| path.starts_with(folder))
    };
    // EXPOSE: a file's path is public; one that leads out of the container is no object's name
    path.expose(|path| (is_users(path) && !path.split('/').any(is_dots)).then(|| path.to_owned()))
}

fn is_dots(segment: &str) -> bool {
    matches!(segment, "." | "..")
}

/// Whether Heat has masked `value`, or any value in it.
pub(super) fn is_masked(value: &Data) -> bool {
    match value {
        Data::Scalar(scalar) => scalar.is(MASKED),
        Data::List(items) => items.iter().any(is_masked),
        Data::Map(entries) => entries.iter().any(|(_, item)| is_masked(item)),
    }
}

/// Whether ansible-vault has encrypted `value`: its text with the tag removed is ciphertext, and no password.
fn is_encrypted(value: &Data) -> bool {
    match value {
        // EXPOSE: its first characters are compared
        Data::Scalar(scalar) => scalar.text.expose(|text| text.starts_with("$ANSIBLE_VAULT;")),
        Data::List(items) => items.iter().any(is_encrypted),
        Data::Map(entries) => entries.iter().any(|(_, item)| is_encrypted(item)),
    }
}

/// The parameters of one section.
pub(super) fn parameters(content: Data, name: &str) -> Result<Vec<(ParameterName, Data)>, SourceError> {
    let malformed = || SourceError::PlanMalformed { name: name.to_owned() };
    match content {
        Data::Map(entries) => entries
            .into_iter()
            .map(|(key, value)| {
                // EXPOSE: a parameter's name is public; `parse` does not repeat what is none
                let parameter = key.text.expose(ParameterName::parse).map_err(|_| malformed())?;
                if is_masked(&value) {
                    return Err(SourceError::PlanMasked { name: name.to_owned(), parameter });
                }
                if is_encrypted(&value) {
                    return Err(SavedError::ValueEncrypted { name: name.to_owned(), parameter }.into());
                }
                Ok((parameter, value))
            })
            .collect(),
        Data::Scalar(scalar) if scalar.kind == Kind::Null => Ok(Vec::new()),
        Data::Scalar(_) | Data::List(_) => Err(malformed()),
    }
}
