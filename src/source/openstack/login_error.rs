use crate::report::Hint;
use crate::source::Service;

use super::cloud::Credential;

/// Why nobody could log in with these settings. No value of a setting that may be secret is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each variant's text says what it is; the fields are the words in it")]
pub enum LoginError {
    #[error("the auth type `{auth_type}` is not supported")]
    AuthTypeUnknown { auth_type: String, supported: &'static str },
    #[error("the client certificate `{path}` is not PEM with a key")]
    BadClientCertificate { path: String },
    #[error("`{path}` is not one line of text")]
    BadSecretFile { path: String },
    #[error("{service} does not accept the token any more (401), and {spent} cannot log in a second time")]
    CannotLogInAgain { service: Service, spent: &'static str },
    #[error("`{cloud}` is a cloud of clouds.yaml, and also the name for the `OS_*` variables")]
    CloudTwice { cloud: String },
    #[error("the login is for {scope}, and Heat and Swift need a project")]
    NoProject { scope: &'static str },
    #[error("{place}: not a map of settings")]
    NoSettings { place: String },
    #[error("the profile is a URL, and none is fetched from the network")]
    ProfileElsewhere,
    #[error("there is no profile `{profile}`; looked for {searched}")]
    ProfileNotFound { profile: String, searched: String },
    #[error("the file that {option} names cannot be read: {reason}")]
    SecretFileMissing { option: &'static str, reason: String },
    #[error("the login is for two things at once: of project, domain, trust and system it can be for one")]
    ScopeTwice,
    #[error("the login takes no {credential}, and one was given")]
    TakesNone { credential: Credential },
    #[error("Keystone does not know the token: it has expired, or was revoked (404)")]
    TokenDead,
    #[error("`{name}` is not text in UTF-8")]
    VariableNotText { name: String },
}

impl Hint for LoginError {
    fn hint(&self) -> String {
        String::from(match self {
            Self::AuthTypeUnknown { supported, .. } => return format!("those that are: {supported}"),
            Self::BadClientCertificate { .. } => {
                "name PEM files in `cert` and `key`, or one with both in `cert`; the key has no passphrase"
            }
            Self::BadSecretFile { .. } => "it has the secret, and nothing else",
            Self::CannotLogInAgain { .. } => {
                "pull again with a new one; a password or an application credential needs none"
            }
            Self::CloudTwice { .. } => {
                "name the cloud otherwise, or unset OS_CLOUD_NAME and the other OS_* variables"
            }
            Self::NoProject { .. } => {
                "set `project_name` (OS_PROJECT_NAME), and leave out `system_scope` and `domain_id` or `domain_name`"
            }
            Self::NoSettings { .. } => "it has `clouds:`, and under it a map for each cloud",
            Self::ProfileElsewhere => "write what it has to clouds-public.yaml, and name it in `profile`",
            Self::ProfileNotFound { .. } => {
                "it stands under `public-clouds:`; those that openstacksdk has of its own are not known here"
            }
            Self::ScopeTwice => "leave the others out of the cloud's `auth` or of the OS_* variables",
            Self::SecretFileMissing { .. } => {
                "it takes a FILE of mode 0600 with the secret in it, not the secret"
            }
            Self::TokenDead => "`openstack token issue` prints a new one",
            Self::TakesNone { credential: Credential::Password } => {
                "leave --os-password-file out, or set `auth_type` to `password`"
            }
            Self::TakesNone { .. } => "set `auth_type` to one that takes it, or do not give it",
            Self::VariableNotText { .. } => "set it anew, where the locale is one of UTF-8",
        })
    }
}
