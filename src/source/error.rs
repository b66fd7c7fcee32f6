use std::fmt;

use crate::fs::FileError;
use crate::json::JsonError;
use crate::model::ParameterName;
use crate::report::Hint;
use crate::yaml::YamlError;

use super::openstack::{BarbicanError, LoginError, ProxyError};
use super::{CephError, CertificateFault, Holder, OutputFault, SavedError};

/// The services of OpenStack that a pull talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Service {
    /// Identity.
    Keystone,
    /// Orchestration.
    Heat,
    /// Object store.
    Swift,
    /// Key manager.
    Barbican,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keystone => "Keystone",
            Self::Heat => "Heat",
            Self::Swift => "Swift",
            Self::Barbican => "Barbican",
        })
    }
}

/// So many names are said in a hint.
const NAMES_SAID: usize = 8;

/// Why nothing could be harvested. What a server wrote is never repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each variant's text says what it is; the fields are the words in it")]
pub enum SourceError {
    #[error("{service} refuses this: the user's role is not enough (403)")]
    AccessDenied { service: Service },
    #[error(transparent)]
    Barbican(#[from] BarbicanError),
    #[error("{service} gave an answer that is not {expected}")]
    BadAnswer { service: Service, expected: &'static str },
    #[error("the setting `{name}` cannot be used: {reason}")]
    BadSetting { name: &'static str, reason: &'static str },
    #[error("the CA file `{path}` holds no PEM certificate")]
    BadCaFile { path: String },
    #[error("{service}'s answer is larger than {limit} MiB")]
    BodyTooLarge { service: Service, limit: usize },
    #[error("no cloud `{cloud}` in {searched}")]
    CloudNotFound { cloud: String, searched: String, known: Vec<String> },
    #[error(transparent)]
    Ceph(#[from] CephError),
    #[error("{service}'s certificate is refused: {cause}")]
    CertificateRefused { service: Service, cause: CertificateFault },
    #[error("{service} cannot be reached at {url}: {cause}")]
    Connect { service: Service, url: String, cause: String },
    #[error("there is no plan `{plan}`: Swift has no container of that name")]
    ContainerNotFound { plan: String },
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error(transparent)]
    Login(#[from] LoginError),
    #[error("Keystone lets nobody log in from here (403)")]
    LoginForbidden,
    #[error("Keystone refuses the login of `{user}` to {scope} (401)")]
    LoginRefused { user: String, scope: String, check: &'static str },
    #[error("{}", missing(.name, .cloud.as_deref()))]
    MissingSetting { name: &'static str, cloud: Option<String> },
    #[error("no clouds.yaml found; looked for {searched}")]
    NoCloudsFile { searched: String },
    #[error("the catalog has no Heat")]
    NoHeat,
    #[error("the catalog has no {interface} endpoint of {service} in region `{region}`")]
    NoEndpoint { service: Service, interface: String, region: String },
    #[error("there is no Keystone at {url} ({status})")]
    NoKeystone { url: String, status: u16 },
    #[error("the login gave no project's catalog")]
    NotScoped,
    #[error("container `{plan}` holds no {object}")]
    ObjectNotFound { plan: String, object: String },
    #[error("Heat could not resolve output `{output}` of stack `{stack}`")]
    OutputFailed { stack: String, output: &'static str },
    #[error("stack `{stack}` has no output `{output}`")]
    OutputNotFound { stack: String, output: &'static str },
    #[error("output `{output}` of {holder} {fault}")]
    OutputUnusable { holder: Holder, output: &'static str, fault: OutputFault },
    #[error("plan `{plan}` has changed while it was read, {times} times in a row")]
    PlanChanging { plan: String, times: usize },
    #[error("plan `{plan}` lists more environment files than {files}, or more of them than {mib} MiB")]
    PlanCrowded { plan: String, files: usize, mib: usize },
    #[error("{object} does not match its ETag: it arrived damaged")]
    PlanDamaged { object: String },
    #[error("{name} is empty")]
    PlanEmpty { name: String },
    #[error(
        "{name} is not a plan: a map with `passwords` and `parameter_defaults`, each a map of parameters"
    )]
    PlanMalformed { name: String },
    #[error("{name}: `{parameter}` holds `******`, which is Heat's mask and no value")]
    PlanMasked { name: String, parameter: ParameterName },
    #[error("{name} has no passwords: `passwords` is missing or empty")]
    PlanWithoutPasswords { name: String },
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("{service} redirects elsewhere, and no redirect is followed")]
    Redirected { service: Service },
    #[error("the HTTP client could not be set up: {reason}")]
    Setup { reason: &'static str },
    #[error("stack `{stack}` has failed: its status is {status}")]
    StackFailed { stack: String, status: String },
    #[error("stack `{stack}` is being changed: its status is {status}")]
    StackInProgress { stack: String, status: String },
    #[error("there is no stack `{stack}` in this project")]
    StackNotFound { stack: String },
    #[error("{service} answered with status {status}{}", in_a_row(*.times))]
    Status { service: Service, status: u16, times: u32 },
    #[error("{service} did not answer within {seconds} s")]
    Timeout { service: Service, seconds: u64 },
    #[error("{service} does not accept the token that Keystone gave (401)")]
    TokenRefused { service: Service },
    #[error("the cloud did not give all of it within {seconds} s")]
    TooSlow { seconds: u64 },
    #[error("{service}'s answer broke off")]
    Truncated { service: Service },
    #[error(transparent)]
    Saved(#[from] SavedError),
    #[error(transparent)]
    Yaml(#[from] YamlError),
}

impl SourceError {
    /// Whether it says no more than that a stack has not all that it should have.
    pub(super) const fn is_of_an_incomplete_stack(&self) -> bool {
        matches!(
            self,
            Self::OutputFailed { .. }
                | Self::OutputNotFound { .. }
                | Self::OutputUnusable { .. }
                | Self::PlanMasked { .. }
                | Self::Saved(
                    SavedError::AllNodesNotFound { .. }
                        | SavedError::CopiesNotSaved { .. }
                        | SavedError::EnvironmentNotSaved { .. }
                        | SavedError::DeploymentUnfinished { .. }
                        | SavedError::OutputNotSaved { .. }
                )
                | Self::StackFailed { .. }
                | Self::StackInProgress { .. }
        )
    }
}

impl Hint for SourceError {
    #[allow(clippy::too_many_lines, reason = "a table: one line or two for each error")]
    fn hint(&self) -> String {
        match self {
            Self::AccessDenied { service: Service::Swift } => {
                String::from("reading a plan takes the role `admin` or `swiftoperator` in the plan's project")
            }
            Self::AccessDenied { .. } => String::from("log in as a user with a member's or an admin's role"),
            Self::Barbican(error) => error.hint(),
            Self::BadAnswer { .. } => String::from(
                "the endpoint may belong to another service or to a proxy: `openstack catalog list` shows it",
            ),
            Self::BadSetting { .. } => String::from("correct it in clouds.yaml or in the environment"),
            Self::BadCaFile { .. } => String::from("name a file with `-----BEGIN CERTIFICATE-----` in it"),
            Self::BodyTooLarge { .. } | Self::Truncated { .. } => String::from(
                "try again; if it stays so, look at what stands between this host and the service",
            ),
            Self::Ceph(error) => error.hint(),
            Self::CloudNotFound { known, .. } if known.is_empty() => {
                String::from("it has no cloud: they stand under `clouds:`")
            }
            Self::CloudNotFound { known, .. } => {
                let more = if known.len() > NAMES_SAID { " and more" } else { "" };
                let said = known.iter().take(NAMES_SAID).map(String::as_str).collect::<Vec<_>>().join(", ");
                format!("it has {said}{more}; mind the case")
            }
            Self::CertificateRefused { cause, .. } => cause.hint(),
            Self::Connect { .. } => {
                String::from("check the URL, the route and the firewall: `curl -v` on it says more")
            }
            Self::ContainerNotFound { .. } => String::from(
                "a plan has its stack's name: give it with --plan. From Wallaby on there is none: use --working-dir ~/overcloud-deploy/STACK",
            ),
            Self::File(error) => error.hint(),
            Self::Json(error) => error.hint(),
            Self::Login(error) => error.hint(),
            Self::LoginForbidden => String::from(
                "a proxy may stand in between, or the account be locked: Keystone's log says more",
            ),
            Self::LoginRefused { check, .. } => format!("Keystone says no more: check {check}"),
            Self::MissingSetting { name, cloud } => where_to_set(name, cloud.is_some()),
            Self::NoCloudsFile { .. } => {
                String::from("put clouds.yaml there, or leave --os-cloud out and source the stackrc")
            }
            Self::NoHeat => String::from(
                "from Wallaby on it runs only while it deploys: pull with --working-dir ~/overcloud-deploy/STACK; `dcn-vault pull --list` names those that are here",
            ),
            Self::NoEndpoint { .. } => {
                String::from("set `region_name` and `interface` to what `openstack catalog list` shows")
            }
            Self::NoKeystone { .. } => String::from(
                "set `auth_url` to Keystone's own: `openstack catalog show identity`; an undercloud's is https://HOST:13000",
            ),
            Self::NotScoped => {
                String::from("set `project_name` (OS_PROJECT_NAME), and check the user's role in it")
            }
            Self::ObjectNotFound { plan, .. } => {
                format!("name the right plan with --plan; what is in this one: openstack object list {plan}")
            }
            Self::OutputFailed { stack, output } => {
                format!("Heat's own words: openstack stack output show {stack} {output}")
            }
            Self::OutputNotFound { output: "AllNodesConfig", .. } => String::from(
                "Rocky and Stein have it: leave --release out, or name the stack's own; --allow-incomplete does without",
            ),
            Self::OutputNotFound { output: "GlobalConfig", .. } => String::from(
                "it is there from Stein on, and before it nowhere: --allow-incomplete does without; else name the control plane's stack with --stack",
            ),
            Self::OutputNotFound { .. } => {
                String::from("is it the control plane's stack? Name it with --stack")
            }
            Self::OutputUnusable { fault: OutputFault::Masked, .. } | Self::PlanMasked { .. } => {
                String::from(
                    "it was saved from what Heat shows (LP#1999665): set the value anew, and update the stack",
                )
            }
            Self::OutputUnusable { holder: Holder::Stack(stack), output, .. } => {
                format!("look, then update the stack: openstack stack output show {stack} {output}")
            }
            Self::OutputUnusable { holder: Holder::File(_), .. } => {
                String::from("look into the file: was it written whole, and is it the right one?")
            }
            Self::Proxy(error) => error.hint(),
            Self::Redirected { .. } => String::from("set the endpoint's URL to the address that it names"),
            Self::PlanChanging { .. } => String::from("pull again when nothing else writes to the plan"),
            Self::PlanCrowded { plan, .. } => {
                format!(
                    "this is no plan of TripleO; look at its `environments`: openstack object list {plan}"
                )
            }
            Self::PlanDamaged { .. } => {
                String::from("pull again; if it stays so, look at what stands between this host and Swift")
            }
            Self::PlanEmpty { .. } | Self::PlanMalformed { .. } | Self::PlanWithoutPasswords { .. } => {
                String::from(
                    "is it the plan of a deployed stack? Name it with --plan, or give another --from-file",
                )
            }
            Self::Setup { .. } => String::from("this is a bug in dcn-vault: please report it"),
            Self::StackFailed { .. } => String::from(
                "its outputs may be stale: repair the stack until it is *_COMPLETE, then pull again",
            ),
            Self::StackInProgress { .. } => String::from("wait until it is *_COMPLETE, then pull again"),
            Self::StackNotFound { .. } => {
                String::from("name it with --stack; `dcn-vault pull --list` shows what there is")
            }
            Self::Status { status: 400, .. } => {
                String::from("does the URL begin with http:// where the port speaks https?")
            }
            Self::Status { .. } | Self::Timeout { .. } => {
                String::from("try again later; the service's own log says why")
            }
            Self::TokenRefused { .. } => {
                String::from("pull again; if it stays so, the service's own login to Keystone is broken")
            }
            Self::Saved(error) => error.hint(),
            Self::TooSlow { .. } => {
                String::from("try again when it is less busy; the services' own logs say what takes so long")
            }
            Self::Yaml(error) => error.hint(),
        }
    }
}

fn where_to_set(name: &str, in_file: bool) -> String {
    match (name, in_file) {
        ("password", _) => String::from(
            "give it with --os-password-file FILE, or be asked for it: at a terminal, without --batch",
        ),
        ("passcode", _) => {
            String::from("set OS_PASSCODE, or be asked for it: at a terminal, without --batch")
        }
        ("token", _) => String::from("give it with --os-token-file FILE: `openstack token issue` prints one"),
        (name, true) => format!("add `{name}` to the cloud's `auth`"),
        (_, false) => {
            String::from("source the undercloud's stackrc, or name a clouds.yaml entry with --os-cloud")
        }
    }
}

fn missing(name: &str, cloud: Option<&str>) -> String {
    match cloud {
        Some(cloud) => format!("cloud `{cloud}` in clouds.yaml has no `{name}`"),
        None => format!("`OS_{}` is not set", name.to_uppercase()),
    }
}

/// How often, where it was tried more than once.
pub(super) fn in_a_row(times: u32) -> String {
    if times < 2 { String::new() } else { format!(", {} in a row", self::times(times)) }
}

/// A number of times, in words that a person uses.
pub(super) fn times(count: u32) -> String {
    match count {
        1 => String::from("once"),
        2 => String::from("twice"),
        count => format!("{count} times"),
    }
}

/// Texts in quotes, as a list.
pub(super) fn list_quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}
