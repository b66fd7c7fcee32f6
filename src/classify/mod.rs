//! From a [`Harvest`] to a [`Classified`]: what is secret, what might be public, and in which file each goes.
//!
//! It stands apart because it is the one place with an opinion on names, and it is pure: no file, no network, no clock.
//! Unknown means secret. The four outputs are only *candidates* for plaintext: the guard decides.
//!
//! # What this does not do
//!
//! It does not look at values, but for two switches of the message bus.

mod names;
mod oslo;
mod rules;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::json;
use crate::model::{
    Data, Entry, EnvironmentFile, Glob, GuardReport, Origin, ParameterName, Scalar, SecretOrigin,
};
use crate::secret::SecretBuffer;
pub(crate) use crate::source::Form;
use crate::source::{Harvest, Holds, Layer, Plan};
use crate::yaml;

pub(crate) use names::{NameSays, name_says};
pub use oslo::{DEFAULT_ROLE, OsloMessaging};

/// What of a plan is taken, and how.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Choice {
    /// Parameters that are left out.
    pub exclude: Vec<Glob>,
    /// The roles whose message bus settings are written; none means [`DEFAULT_ROLE`].
    pub roles: Vec<String>,
    /// When those are written.
    pub oslo_messaging: OsloMessaging,
}

/// A harvest, sorted. Only [`classify`] makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Classified {
    pub(crate) origin: Origin,
    pub(crate) secrets: Vec<Secret>,
    /// Secret whatever is in them.
    pub(crate) sealed: Vec<Document>,
    /// Files that a guard with more knowledge has sealed: they stay so.
    pub(crate) kept: Vec<Document>,
    /// What that guard has found.
    pub(crate) found_before: GuardReport,
    /// Secrets that no site gets. The guard searches for them all the same.
    pub(crate) withheld: Vec<Parameter>,
    pub(crate) candidates: Vec<Document>,
}

/// A parameter and its value.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: ParameterName,
    pub(crate) value: Data,
}

/// A parameter whose value is secret.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) name: ParameterName,
    pub(crate) origin: SecretOrigin,
}

/// An environment file as it would be written.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) file: EnvironmentFile,
    pub(crate) parameters: Vec<ParameterName>,
    pub(crate) text: SecretBuffer,
    /// Where in `text` each of `parameters` stands, if some may be left out.
    pub(crate) parts: Vec<Range<usize>>,
    pub(crate) content: Data,
}

/// Sorts `harvest`.
#[must_use]
pub fn classify(harvest: Harvest, choice: &Choice) -> Classified {
    let Harvest { origin, plan, outputs, settings, notes: _, warnings: _ } = harvest;
    let oslo = oslo::settings(&outputs, &choice.roles, choice.oslo_messaging);
    let documents = outputs.into_iter().filter_map(|output| environment_file(output.file, output.value));
    let (mut sealed, mut candidates): (Vec<Document>, Vec<Document>) =
        documents.partition(|document| document.file == EnvironmentFile::CephExternal);
    candidates.extend(oslo.map(|settings| parameters(EnvironmentFile::OsloMessaging, settings)));
    if !settings.is_empty() {
        candidates.push(parameters(EnvironmentFile::ExportSettings, settings));
    }
    let form = plan.form;
    let Sorted { pulled, withheld } = sort(plan, &choice.exclude);
    let (mut secrets, values): (Vec<Secret>, Vec<Data>) = pulled.into_iter().unzip();
    let passwords = passwords(&secrets, values, form);
    let of_ceph = sealed.iter().flat_map(|document| document.parameters.clone());
    secrets.extend(of_ceph.map(|name| Secret { name, origin: SecretOrigin::Generated }));
    secrets.sort_by(|one, other| one.name.cmp(&other.name));
    sealed.push(passwords);
    Classified {
        origin,
        secrets,
        sealed,
        kept: Vec::new(),
        found_before: GuardReport::default(),
        withheld,
        candidates,
    }
}

/// What is read back from a bundle: its parameters with their values, and its other files as they are.
#[derive(Debug)]
pub(crate) struct Reopened {
    pub(crate) origin: Origin,
    pub(crate) secrets: Vec<(Secret, Data)>,
    pub(crate) form: Form,
    /// Secret whatever is in them.
    pub(crate) sealed: Vec<Document>,
    pub(crate) kept: Vec<Document>,
    pub(crate) candidates: Vec<Document>,
    pub(crate) found_before: GuardReport,
}

impl Classified {
    /// What is sealed, by parameter.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&ParameterName, &Data)> {
        self.sealed.iter().chain(&self.kept).flat_map(|document| {
            let below = document.content.under(PARAMETERS).unwrap_or(&document.content);
            document.parameters.iter().filter_map(move |name| Some((name, below.under(name.as_str())?)))
        })
    }

    /// What was sorted before, and comes back to be sealed anew.
    pub(crate) fn again(reopened: Reopened) -> Self {
        let Reopened { origin, secrets, form, mut sealed, kept, candidates, found_before } = reopened;
        let (mut secrets, values): (Vec<Secret>, Vec<Data>) = secrets.into_iter().unzip();
        let passwords = passwords(&secrets, values, form);
        let of_sealed = sealed.iter().flat_map(|document| document.parameters.clone());
        secrets.extend(of_sealed.map(|name| Secret { name, origin: SecretOrigin::Generated }));
        secrets.sort_by(|one, other| one.name.cmp(&other.name));
        sealed.push(passwords);
        Self { origin, secrets, sealed, kept, found_before, withheld: Vec::new(), candidates }
    }
}

/// A plan's parameters.
struct Sorted {
    pulled: Vec<(Secret, Data)>,
    withheld: Vec<Parameter>,
}

fn environment_file(file: EnvironmentFile, value: Data) -> Option<Document> {
    let parameter = file.parameter()?;
    let content = value.wrapped(parameter).wrapped(PARAMETERS);
    Some(document(file, ParameterName::parse(parameter).into_iter().collect(), content))
}

/// An environment file that sets these.
fn parameters(file: EnvironmentFile, settings: Vec<(ParameterName, Data)>) -> Document {
    let names = settings.iter().map(|(name, _)| name.clone()).collect();
    let entries = settings.into_iter().map(|(name, value)| (Scalar::string(name.as_str()), value)).collect();
    document(file, names, Data::Map(entries).wrapped(PARAMETERS))
}

fn document(file: EnvironmentFile, parameters: Vec<ParameterName>, content: Data) -> Document {
    let mut text = SecretBuffer::new();
    if file.is_json() {
        json::write(&content, &mut text);
    } else {
        yaml::write(&content, &mut text);
    }
    Document { file, parameters, text, parts: Vec::new(), content }
}

/// The plan's secrets, each from where it was set last. Names sorted, as TripleO writes them.
fn sort(plan: Plan, exclude: &[Glob]) -> Sorted {
    let mut pulled: BTreeMap<ParameterName, (SecretOrigin, Data)> = BTreeMap::new();
    let mut withheld = Vec::new();
    for Layer { set_by, holds, parameters } in plan.layers {
        for (name, value) in parameters {
            let is_secret = holds == Holds::Secrets
                || pulled.contains_key(&name)
                || rules::is_secret_parameter(name.as_str());
            if is_secret {
                let beaten = pulled.insert(name.clone(), (set_by, value));
                withheld.extend(beaten.map(|(_, value)| Parameter { name, value }));
            } else if name_says(name.as_str()) != NameSays::Nothing {
                withheld.push(Parameter { name, value });
            }
        }
    }
    let is_excluded = |name: &ParameterName| exclude.iter().any(|glob| glob.matches(name.as_str()));
    let (excluded, pulled): (Vec<_>, Vec<_>) = pulled.into_iter().partition(|(name, _)| is_excluded(name));
    withheld.extend(excluded.into_iter().map(|(name, (_, value))| Parameter { name, value }));
    Sorted {
        pulled: pulled.into_iter().map(|(name, (origin, value))| (Secret { name, origin }, value)).collect(),
        withheld,
    }
}

fn passwords(secrets: &[Secret], values: Vec<Data>, form: Form) -> Document {
    let parameters: Vec<ParameterName> = secrets.iter().map(|secret| secret.name.clone()).collect();
    let entries: Vec<Entry> =
        parameters.iter().map(|name| Scalar::string(name.as_str())).zip(values).collect();
    let key = match form {
        Form::Environment => Some(PARAMETERS),
        Form::Flat => None,
    };
    let mut text = SecretBuffer::new();
    let parts = yaml::write_in_parts(key, &entries, &mut text);
    let content = Data::Map(entries);
    let content = match key {
        Some(key) => content.wrapped(key),
        None => content,
    };
    Document { file: EnvironmentFile::Passwords, parameters, text, parts, content }
}

const PARAMETERS: &str = "parameter_defaults";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SourceKind;
    use crate::source::Output;

    const PLAN: &[u8] = b"parameter_defaults:\n  ControllerCount: 3\n  NovaPassword: chosen\n  SSLKey: key\n  SnmpdReadonlyUserPassword: only-here\npasswords:\n  ZaqarPassword: z\n  NovaPassword: generated\n  CephClientKey: ceph\n  UnheardOf: u\n";

    fn classified(outputs: Vec<Output>, exclude: &[&str]) -> Classified {
        let plan = Plan::read(PLAN, "plan").unwrap();
        let harvest = Harvest::new(Origin::of(SourceKind::File), plan, outputs);
        let exclude = exclude.iter().map(|pattern| Glob::new(pattern)).collect();
        classify(harvest, &Choice { exclude, ..Choice::default() })
    }

    fn text(document: &Document) -> String {
        // EXPOSE: made up
        document.text.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn everything_under_passwords_is_secret_and_what_the_user_set_wins() {
        let expected = "parameter_defaults:\n  CephClientKey: ceph\n  NovaPassword: chosen\n  SSLKey: key\n  SnmpdReadonlyUserPassword: only-here\n  UnheardOf: u\n  ZaqarPassword: z\n";
        assert_eq!(text(&classified(Vec::new(), &[]).sealed[0]), expected);
    }

    #[test]
    fn an_excluded_parameter_is_left_out_and_no_line_is_cut_out_of_another() {
        let names: Vec<String> = classified(Vec::new(), &["Ceph*", "SSL*"])
            .secrets
            .iter()
            .map(|secret| secret.name.to_string())
            .collect();
        assert_eq!(names, ["NovaPassword", "SnmpdReadonlyUserPassword", "UnheardOf", "ZaqarPassword"]);
    }

    #[test]
    fn an_output_is_wrapped_as_the_documented_procedure_wraps_it() {
        let value = json::read(br#"{"b": 16.0, "a": []}"#, "test").unwrap();
        let output = Output { file: EnvironmentFile::AllNodes, value };
        let expected = "{\n  \"parameter_defaults\": {\n    \"AllNodesExtraMapData\": {\n      \"b\": 16.0,\n      \"a\": []\n    }\n  }\n}\n";
        assert_eq!(text(&classified(vec![output], &[]).candidates[0]), expected);
    }
}
