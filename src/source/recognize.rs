//! What a file is, told by what is in it: its name says nothing.

use crate::json;
use crate::model::{Data, Entry, EnvironmentFile, Kind, ParameterName, SecretOrigin};
use crate::yaml;

use super::output::{Holder, checked};
use super::plan::{Holds, Layer, Plan, parameters};
use super::{FileKind, SavedError, SourceError};

/// A file's content, by its kind.
#[derive(Debug)]
pub(super) enum Recognized {
    /// Parameters of a deployment.
    Environment(Vec<(ParameterName, Data)>),
    /// Secrets by name, of a deployment by Ansible.
    Flat(Vec<(ParameterName, Data)>),
    /// An output of a stack.
    Output(EnvironmentFile, Data),
    /// A plan, and its environment files: each a `path` in its container, or `data`.
    Plan(Plan, Vec<Data>),
}

/// Reads a file; `name` stands for it in errors.
pub(super) fn recognize(text: &[u8], name: &str) -> Result<(FileKind, Recognized), SourceError> {
    if let Some(by) = encrypted_by(text) {
        return Err(SavedError::FileEncrypted { name: name.to_owned(), by }.into());
    }
    let Data::Map(sections) = read(text, name)? else {
        return Err(if text.trim_ascii().is_empty() {
            SourceError::PlanEmpty { name: name.to_owned() }
        } else {
            SavedError::FileUnknown { name: name.to_owned() }.into()
        });
    };
    let has = |key: &str| sections.iter().any(|(section, _)| section.is(key));
    if has("sops") {
        Err(SavedError::FileEncrypted { name: name.to_owned(), by: "sops" }.into())
    } else if has("passwords") || has("template") {
        let (plan, environments) = Plan::of_sections(sections, name)?;
        Ok((FileKind::Plan, Recognized::Plan(plan, environments)))
    } else if has("output_key") {
        output(Data::Map(sections), name)
    } else if has("parameter_defaults") {
        environment(Data::Map(sections), name)
    } else if has("enabled_services") {
        let file = EnvironmentFile::AllNodes;
        let value = checked(file, Data::Map(sections), || Holder::File(name.to_owned()))?;
        Ok((FileKind::GroupVars, Recognized::Output(file, value)))
    } else {
        flat(sections, name)
    }
}

/// `{` begins JSON; what is no JSON may still be YAML, unless a quoted key comes next.
fn read(text: &[u8], name: &str) -> Result<Data, SourceError> {
    if let Some(inner) = text.trim_ascii_start().strip_prefix(b"{") {
        match json::read(text, name) {
            Ok(data) => return Ok(data),
            Err(error) if inner.trim_ascii_start().starts_with(b"\"") => return Err(error.into()),
            Err(_) => {}
        }
    }
    Ok(yaml::read(text, name)?)
}

/// What has encrypted a file as a whole.
pub(super) fn encrypted_by(text: &[u8]) -> Option<&'static str> {
    let begins = |with: &str| text.starts_with(with.as_bytes());
    if begins("$ANSIBLE_VAULT;") {
        Some("ansible-vault")
    } else if begins("age-encryption.org/") || begins("-----BEGIN AGE ENCRYPTED FILE-----") {
        Some("age")
    } else {
        None
    }
}

/// What `openstack stack output show -f json` prints.
fn output(mut shown: Data, name: &str) -> Result<(FileKind, Recognized), SourceError> {
    let unknown = || SourceError::from(SavedError::FileUnknown { name: name.to_owned() });
    let Some(Data::Scalar(key)) = shown.take_from("output_key") else { return Err(unknown()) };
    let file =
        EnvironmentFile::ALL.into_iter().find(|file| file.output().is_some_and(|output| key.is(output)));
    let (Some(file), Some(value)) = (file, shown.take_from("output_value")) else { return Err(unknown()) };
    let value = match value {
        // Clients before Queens print a map as a text of JSON
        Data::Scalar(scalar) if scalar.kind == Kind::String && file != EnvironmentFile::HostEntries => {
            // EXPOSE: parsed into secret values; the error carries no text
            scalar.text.expose(|text| json::read(text.as_bytes(), name))?
        }
        value @ (Data::Scalar(_) | Data::List(_) | Data::Map(_)) => value,
    };
    let value = checked(file, value, || Holder::File(name.to_owned()))?;
    Ok((FileKind::Output, Recognized::Output(file, value)))
}

fn environment(mut sections: Data, name: &str) -> Result<(FileKind, Recognized), SourceError> {
    let defaults = sections.take_from("parameter_defaults");
    let parameters = defaults.map_or_else(|| Ok(Vec::new()), |defaults| parameters(defaults, name))?;
    if parameters.is_empty() {
        return Err(SavedError::PasswordsMissing { name: name.to_owned() }.into());
    }
    let is_exported = |(name, _): &(ParameterName, Data)| EnvironmentFile::taking(name.as_str()).is_some();
    let kind = if parameters.iter().any(is_exported) { FileKind::Export } else { FileKind::Environment };
    Ok((kind, Recognized::Environment(parameters)))
}

/// `passwords.yml` of kolla-ansible and `user_secrets.yml` of OpenStack-Ansible: names of variables, each with a text, a
/// pair of keys, or nothing yet.
fn flat(sections: Vec<Entry>, name: &str) -> Result<(FileKind, Recognized), SourceError> {
    // EXPOSE: a variable's name is public
    let is_variable = |(key, _): &Entry| key.text.expose(is_variable_name);
    if !sections.iter().all(is_variable) {
        return Err(SavedError::FileUnknown { name: name.to_owned() }.into());
    }
    let has = |is: fn(&str) -> bool| {
        // EXPOSE: a variable's name is public
        sections.iter().any(|(key, _)| key.text.expose(is))
    };
    let kind = if has(|key| key == "kolla_ssh_key" || key == "database_password") {
        FileKind::Kolla
    } else if has(|key| key.ends_with("_container_mysql_password") || key == "galera_root_password") {
        FileKind::OpenstackAnsible
    } else {
        return Err(SavedError::FileUnknown { name: name.to_owned() }.into());
    };
    if sections.iter().all(|(_, value)| is_unset(value)) {
        return Err(SavedError::SecretsUnset { name: name.to_owned(), kind }.into());
    }
    Ok((kind, Recognized::Flat(parameters(Data::Map(sections), name)?)))
}

fn is_variable_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn is_unset(value: &Data) -> bool {
    match value {
        Data::Scalar(scalar) => scalar.kind == Kind::Null,
        Data::List(items) => items.is_empty(),
        Data::Map(entries) => entries.iter().all(|(_, value)| is_unset(value)),
    }
}

/// A layer of what a file sets that somebody has named: unknown means secret.
pub(super) const fn layer(parameters: Vec<(ParameterName, Data)>) -> Layer {
    Layer::new(SecretOrigin::User, Holds::Secrets, parameters)
}
