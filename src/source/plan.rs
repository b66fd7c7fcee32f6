use crate::model::{Data, Kind, ParameterName};
use crate::yaml;

use super::SourceError;

/// What Heat writes in place of a hidden value (LP#1999665): a value is missing, whatever the file says.
const MASKED: &str = "******";

/// The parameters of a plan, by where they were set. Each field beats those above it.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Plan {
    /// What the plan's environment files set, in their order; a later one wins.
    pub environments: Vec<(ParameterName, Data)>,
    /// What `TripleO` generated.
    pub passwords: Vec<(ParameterName, Data)>,
    /// What the plan's user set (LP#1891388).
    pub parameter_defaults: Vec<(ParameterName, Data)>,
    /// What the operator has Barbican give.
    pub barbican: Vec<(ParameterName, Data)>,
}

impl Plan {
    /// Reads `plan-environment.yaml`; `name` stands for it in errors.
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
        let (mut plan, mut environments) = (Self::default(), Vec::new());
        for (section, content) in sections {
            if section.is("passwords") {
                plan.passwords = parameters(content, name)?;
            } else if section.is("parameter_defaults") {
                plan.parameter_defaults = parameters(content, name)?;
            } else if section.is("environments")
                && let Data::List(items) = content
            {
                environments = items;
            }
        }
        if plan.passwords.is_empty() {
            return Err(SourceError::PlanWithoutPasswords { name: name.to_owned() });
        }
        Ok((plan, environments))
    }

    /// Adds the `parameter_defaults` of one more environment file of the plan; an empty file sets none.
    pub(super) fn add_environment(&mut self, content: Data, name: &str) -> Result<(), SourceError> {
        match content {
            Data::Map(sections) => {
                for (_, defaults) in
                    sections.into_iter().filter(|(section, _)| section.is("parameter_defaults"))
                {
                    self.environments.extend(parameters(defaults, name)?);
                }
                Ok(())
            }
            Data::Scalar(scalar) if scalar.kind == Kind::Null => Ok(()),
            Data::Scalar(_) | Data::List(_) => Err(SourceError::PlanMalformed { name: name.to_owned() }),
        }
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
        Ok(Self { parameter_defaults, ..Self::default() })
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
                Ok((parameter, value))
            })
            .collect(),
        Data::Scalar(scalar) if scalar.kind == Kind::Null => Ok(Vec::new()),
        Data::Scalar(_) | Data::List(_) => Err(malformed()),
    }
}
