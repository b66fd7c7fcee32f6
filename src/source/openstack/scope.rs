use crate::json;
use crate::secret::SecretBuffer;
use crate::source::SourceError;

use super::auth::bad;
use super::login_error::LoginError;
use super::profile::Profile;

/// What the token is for.
#[derive(Debug)]
pub(super) enum Scope {
    Domain(Domain),
    Project(Named),
    System,
    Trust(String),
}

/// A user or a project: by id, or by name within a domain.
#[derive(Debug)]
pub(super) enum Named {
    Id(String),
    Name { name: String, domain: Domain },
}

#[derive(Debug)]
pub(super) enum Domain {
    Id(String),
    Name(String),
}

impl Scope {
    pub(super) fn of(profile: &Profile) -> Result<Option<Self>, SourceError> {
        let system = match profile.plain("system_scope").as_deref() {
            None => None,
            Some("all") => Some(Self::System),
            Some(_) => return Err(bad("system_scope", "it must be `all`")),
        };
        let all = [
            Named::of(profile, "project", "project_name").map(Self::Project),
            Domain::of(profile, "").map(Self::Domain),
            profile.plain("trust_id").map(Self::Trust),
            system,
        ];
        let mut given = all.into_iter().flatten();
        match (given.next(), given.next()) {
            (scope, None) => Ok(scope),
            (_, Some(_)) => Err(LoginError::ScopeTwice.into()),
        }
    }

    /// What it is, where it is no project.
    pub(super) const fn without_project(&self) -> Option<&'static str> {
        match self {
            Self::Domain(_) => Some("a domain"),
            Self::System => Some("the system"),
            Self::Project(_) | Self::Trust(_) => None,
        }
    }

    /// As errors name it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Domain(Domain::Id(name) | Domain::Name(name)) => format!("domain `{name}`"),
            Self::Project(project) => format!("project `{}`", project.shown()),
            Self::System => String::from("the system"),
            Self::Trust(id) => format!("trust `{id}`"),
        }
    }

    pub(super) fn push(&self, body: &mut SecretBuffer) {
        match self {
            Self::Domain(domain) => {
                body.push(br#""domain":{"#);
                domain.push(body);
                body.push(b"}");
            }
            Self::Project(project) => {
                body.push(br#""project":{"#);
                project.push(body);
                body.push(b"}");
            }
            Self::System => body.push(br#""system":{"all":true}"#),
            Self::Trust(id) => {
                body.push(br#""OS-TRUST:trust":{"#);
                push_pair("id", id, body);
                body.push(b"}");
            }
        }
    }
}

impl Named {
    pub(super) fn of(profile: &Profile, what: &str, name_key: &str) -> Option<Self> {
        if let Some(id) = profile.plain(&format!("{what}_id")) {
            return Some(Self::Id(id));
        }
        let name = profile.plain(name_key)?;
        let domain = Domain::of(profile, &format!("{what}_"))
            .or_else(|| Domain::of(profile, "default_"))
            .or_else(|| profile.plain("default_domain").map(Domain::Id))
            .unwrap_or_else(|| Domain::Id(String::from("default")));
        Some(Self::Name { name, domain })
    }

    pub(super) fn shown(&self) -> String {
        match self {
            Self::Id(name) | Self::Name { name, .. } => name.clone(),
        }
    }

    pub(super) fn push(&self, body: &mut SecretBuffer) {
        match self {
            Self::Id(id) => push_pair("id", id, body),
            Self::Name { name, domain } => {
                push_pair("name", name, body);
                body.push(br#","domain":{"#);
                domain.push(body);
                body.push(b"}");
            }
        }
    }
}

impl Domain {
    fn of(profile: &Profile, prefix: &str) -> Option<Self> {
        let id = profile.plain(&format!("{prefix}domain_id")).map(Self::Id);
        id.or_else(|| profile.plain(&format!("{prefix}domain_name")).map(Self::Name))
    }

    pub(super) fn push(&self, body: &mut SecretBuffer) {
        match self {
            Self::Id(id) => push_pair("id", id, body),
            Self::Name(name) => push_pair("name", name, body),
        }
    }
}

pub(super) fn push_pair(key: &str, value: &str, body: &mut SecretBuffer) {
    json::write_string(key, body);
    body.push(b":");
    json::write_string(value, body);
}
