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
    /// [`SourceError::PlanMalformed`] and [`SourceError::PlanMasked`].
    pub fn read(text: &[u8], name: &str) -> Result<Self, SourceError> {
        let Data::Map(sections) = yaml::read(text, name)? else {
            return Err(if text.trim_ascii().is_empty() {
                SourceError::PlanEmpty { name: name.to_owned() }
            } else {
                SourceError::PlanMalformed { name: name.to_owned() }
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

/// Whether Heat has masked `value`, or any value in it.
pub(super) fn is_masked(value: &Data) -> bool {
    match value {
        Data::Scalar(scalar) => scalar.is(MASKED),
        Data::List(items) => items.iter().any(is_masked),
        Data::Map(entries) => entries.iter().any(|(_, item)| is_masked(item)),
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
                if is_masked(&value) {
                    return Err(SourceError::PlanMasked { name: name.to_owned(), parameter });
                }
                Ok((parameter, value))
            })
            .collect(),
        Data::Scalar(scalar) if scalar.kind == Kind::Null => Ok(Vec::new()),
        Data::Scalar(_) | Data::List(_) => Err(malformed()),
    }
}
