use crate::model::{Data, Kind, ParameterName};
use crate::yaml;

use super::SourceError;

/// What Heat writes in place of a hidden value (LP#1999665): a value is missing, whatever the file says.
const MASKED: &str = "******";

/// The two parts of a plan that a site may need.
#[derive(Debug)]
#[non_exhaustive]
pub struct Plan {
    /// What TripleO generated.
    pub passwords: Vec<(ParameterName, Data)>,
    /// What the plan's user set; it beats a generated value of the same name (LP#1891388).
    pub parameter_defaults: Vec<(ParameterName, Data)>,
}

impl Plan {
    /// Reads `plan-environment.yaml`; `name` stands for it in errors.
    ///
    /// # Errors
    ///
    /// [`SourceError::Yaml`], [`SourceError::PlanEmpty`], [`SourceError::PlanWithoutPasswords`],
    /// [`SourceError::PlanMalformed`] and [`SourceError::Masked`].
    pub fn read(text: &[u8], name: &str) -> Result<Self, SourceError> {
        let Data::Map(sections) = yaml::read(text, name)? else {
            return Err(if text.trim_ascii().is_empty() {
                SourceError::PlanEmpty { name: name.to_owned() }
            } else {
                SourceError::PlanWithoutPasswords { name: name.to_owned() }
            });
        };
        let (mut passwords, mut parameter_defaults) = (Vec::new(), Vec::new());
        for (section, content) in sections {
            if section.is("passwords") {
                passwords = parameters(content, name)?;
            } else if section.is("parameter_defaults") {
                parameter_defaults = parameters(content, name)?;
            }
        }
        if passwords.is_empty() {
            return Err(SourceError::PlanWithoutPasswords { name: name.to_owned() });
        }
        Ok(Self { passwords, parameter_defaults })
    }
}

/// Refuses a value that Heat has masked, at any depth; `what` names it in the error.
pub(super) fn refuse_masked(value: &Data, what: &str) -> Result<(), SourceError> {
    match value {
        Data::Scalar(scalar) if scalar.is(MASKED) => Err(SourceError::Masked { what: what.to_owned() }),
        Data::Scalar(_) => Ok(()),
        Data::List(items) => items.iter().try_for_each(|item| refuse_masked(item, what)),
        Data::Map(entries) => entries.iter().try_for_each(|(_, item)| refuse_masked(item, what)),
    }
}

fn parameters(content: Data, name: &str) -> Result<Vec<(ParameterName, Data)>, SourceError> {
    let malformed = || SourceError::PlanMalformed { name: name.to_owned() };
    match content {
        Data::Map(entries) => entries
            .into_iter()
            .map(|(key, value)| {
                // EXPOSE: a parameter's name is public; `parse` does not repeat what is none
                let parameter = key.text.expose(ParameterName::parse).map_err(|_| malformed())?;
                refuse_masked(&value, parameter.as_str())?;
                Ok((parameter, value))
            })
            .collect(),
        Data::Scalar(scalar) if scalar.kind == Kind::Null => Ok(Vec::new()),
        Data::Scalar(_) | Data::List(_) => Err(malformed()),
    }
}
