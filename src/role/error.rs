use crate::report::Hint;

use super::table::RELEASES;

/// Why it cannot be said what a role takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoleError {
    /// No table has the environment file: it adds nothing, or there is none of this name.
    #[error("no environment file `{environment}` adds a secret to a role of TripleO {release}")]
    NoEnvironment {
        /// What was asked for.
        environment: String,
        /// The release, or several.
        release: String,
        /// One that is called alike.
        nearest: Option<String>,
    },
    /// A role takes other secrets in each release, and the release is not known.
    #[error("the release of TripleO is not known, and what a role takes depends on it")]
    NoRelease,
    /// The release has no such role.
    #[error("TripleO {release} has no role `{role}`")]
    NoRole {
        /// What was asked for.
        role: String,
        /// The release, or several.
        release: String,
        /// One that is called alike.
        nearest: Option<String>,
    },
    /// The release has no table.
    #[error("there is no table of the roles of release `{release}`")]
    NoTable {
        /// The release.
        release: String,
    },
}

impl Hint for RoleError {
    fn hint(&self) -> String {
        match self {
            Self::NoEnvironment { nearest: Some(nearest), .. } => {
                format!("write `{nearest}` if that is meant, as it is called below environments/")
            }
            Self::NoEnvironment { nearest: None, .. } => String::from(
                "leave it out, or name what it needs beside the role in dcn-vault.yaml: `secrets: [NAME, …]`",
            ),
            Self::NoRelease => String::from(
                "name it in dcn-vault.yaml, such as `source: {release: train}`, or with --release",
            ),
            Self::NoRole { nearest: Some(nearest), .. } => {
                format!("write `{nearest}` if that is meant; {LIST}")
            }
            Self::NoRole { nearest: None, .. } => String::from(LIST),
            Self::NoTable { .. } => {
                let known: Vec<&str> = RELEASES.iter().map(|release| release.name).collect();
                format!("there are tables of {}; else {LIST}", known.join(", "))
            }
        }
    }
}

impl RoleError {
    pub(super) fn role(role: &str, release: &str, nearest: Option<&str>) -> Self {
        Self::NoRole { role: shown(role), release: shown(release), nearest: nearest.map(str::to_owned) }
    }

    pub(super) fn environment(environment: &str, release: &str, nearest: Option<&str>) -> Self {
        let nearest = nearest.map(str::to_owned);
        Self::NoEnvironment { environment: shown(environment), release: shown(release), nearest }
    }

    pub(super) fn no_table(release: &str) -> Self {
        Self::NoTable { release: shown(release) }
    }
}

/// Somebody wrote it: no control characters, and not all of it.
fn shown(text: &str) -> String {
    text.escape_debug().take(60).collect()
}

const LIST: &str = "a role of your own has its list in dcn-vault.yaml, such as `edge1: {secrets: [Nova*, Neutron*, RpcPassword]}`";
