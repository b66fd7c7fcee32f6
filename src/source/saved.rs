use std::path::PathBuf;

use crate::model::ParameterName;
use crate::report::Hint;

use super::FileKind;

/// Why files that somebody has saved, or that a deployment has left on this host, are not enough.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each variant's text says what it is; the fields are the words in it")]
pub enum SavedError {
    #[error("the data of all nodes of stack `{stack}` cannot be found")]
    AllNodesNotFound { stack: String, places: String },
    #[error("the data of all nodes is in two files: `{}` and `{}`", .one.display(), .other.display())]
    AllNodesTwice { one: PathBuf, other: PathBuf },
    #[error("the deployment of stack `{stack}` is not finished: its status is {status}")]
    DeploymentUnfinished { stack: String, status: String },
    #[error("what users have set is not known: `{}` is missing", .path.display())]
    CopiesNotSaved { path: PathBuf },
    #[error("what users have set is not known: `{}` is missing or empty", .path.display())]
    EnvironmentNotSaved { path: PathBuf },
    #[error("{name} is encrypted by {by}")]
    FileEncrypted { name: String, by: &'static str },
    #[error("{name}: `{parameter}` is encrypted by ansible-vault, and is no value yet")]
    ValueEncrypted { name: String, parameter: ParameterName },
    #[error("{name} is none of the files that can be read")]
    FileUnknown { name: String },
    #[error("{one} and {other} are of different deployment tools")]
    FormsMixed { one: String, other: String },
    #[error("none of the files has a secret")]
    NoSecrets,
    #[error("the working directory has no output `{output}`: there is no `{}`", .path.display())]
    OutputNotSaved { path: PathBuf, output: &'static str },
    #[error("{name} has no passwords: `parameter_defaults` is missing or empty")]
    PasswordsMissing { name: String },
    #[error("{release} has no working directory")]
    ReleaseElsewhere { release: &'static str },
    #[error("{name} holds {kind}, and none of them is set")]
    SecretsUnset { name: String, kind: FileKind },
    #[error("`{parameter}` is set in two files, to two values: `{}` and `{}`", .one.display(), .other.display())]
    SetTwice { parameter: ParameterName, one: PathBuf, other: PathBuf },
    #[error("standard input is named twice, and can be read once")]
    StdinTwice,
    #[error("`{}` is no working directory of stack `{stack}`: it has no {stack}-passwords.yaml", .directory.display())]
    WorkingDirForeign { directory: PathBuf, stack: String, stacks: Vec<String> },
}

impl Hint for SavedError {
    fn hint(&self) -> String {
        match self {
            Self::AllNodesNotFound { places, .. } => {
                format!("{places}: name the directory above `group_vars` with --config-download-dir")
            }
            Self::AllNodesTwice { .. } => String::from(
                "one is of a release before: name the right directory with --config-download-dir, or the release with --release",
            ),
            Self::DeploymentUnfinished { status, .. } if status.ends_with("_FAILED") => String::from(
                "repair the deployment until `openstack overcloud status` says DEPLOY_SUCCESS, then pull again",
            ),
            Self::DeploymentUnfinished { .. } => {
                String::from("wait until `openstack overcloud status` says DEPLOY_SUCCESS, then pull again")
            }
            Self::CopiesNotSaved { .. } => String::from(
                "Heat has masked the environment, and these copies say what it hides; --allow-incomplete takes what was generated",
            ),
            Self::EnvironmentNotSaved { .. } => String::from(
                "a deployment writes it when the stack is done; --allow-incomplete takes what was generated, also where a user has set something else",
            ),
            Self::FileEncrypted { name, by } => {
                let decrypt = match *by {
                    "ansible-vault" => "ansible-vault view",
                    "sops" => "sops decrypt",
                    _ => "age -d -i IDENTITY",
                };
                format!("let it say its text to us alone: {decrypt} {name} | dcn-vault pull --from-file -")
            }
            Self::FileUnknown { .. } => String::from(
                "give a plan-environment.yaml, an environment file with `parameter_defaults`, an export, what `openstack stack output show -f json` prints, kolla-ansible's passwords.yml or OpenStack-Ansible's user_secrets.yml",
            ),
            Self::FormsMixed { .. } => {
                String::from("pull TripleO's parameters and Ansible's variables into bundles of their own")
            }
            Self::NoSecrets => String::from(
                "give the plan or the passwords too: --from-file plan-environment.yaml, say; it can be repeated",
            ),
            Self::OutputNotSaved { .. } => String::from(
                "a deployment writes it when the stack is done: let `openstack overcloud deploy` end, or do without by --allow-incomplete",
            ),
            Self::PasswordsMissing { .. } => {
                String::from("look into the file: was it written whole, and is it the right one?")
            }
            Self::ReleaseElsewhere { .. } => String::from(
                "leave --release out, or pull from the cloud: before Wallaby the plan is in Swift",
            ),
            Self::SecretsUnset { .. } => String::from("let kolla-genpwd or pw-token-gen.py fill it first"),
            Self::SetTwice { parameter, .. } => format!(
                "the order of the files is not kept: say which counts in a file of your own that sets {parameter}, and pull with --from-file"
            ),
            Self::StdinTwice => String::from("save one of them in a file of mode 0600, or join them first"),
            Self::ValueEncrypted { .. } => String::from(
                "decrypt it first: `ansible-vault decrypt` a copy, or let Ansible write the file",
            ),
            Self::WorkingDirForeign { stacks, .. } => match stacks.as_slice() {
                [] => String::from(
                    "name the directory of a deployment by Wallaby or later, ~/overcloud-deploy/STACK; before, the plan is in Swift: pull from the cloud",
                ),
                stacks => format!("name the stack with --stack: it is of {}", stacks.join(", ")),
            },
        }
    }
}
