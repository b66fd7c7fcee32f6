use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use reqwest::Url;

use crate::fs;
use crate::secret::SecretValue;
use crate::source::{SourceError, Warning};

use super::clouds_yaml;
use super::proxy::Proxies;

/// The `OS_*` variables, and where clouds.yaml may be. The command line fills it; nothing else reads the environment.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Variables {
    /// Name, without `OS_` and in lower case, and value.
    pub os: BTreeMap<String, SecretValue>,
    /// Where to look for clouds.yaml; the first that exists counts.
    pub clouds_files: Vec<PathBuf>,
    /// What the environment says of proxies.
    pub proxies: Proxies,
}

impl Variables {
    /// Whether they say where to log in: `OS_CLOUD`, or a stackrc's `OS_AUTH_URL`.
    #[must_use]
    pub fn names_a_cloud(&self) -> bool {
        ["cloud", "auth_url"].iter().any(|name| plain(&self.os, name).is_some())
    }
}

/// How to log in, and which endpoints to use.
#[derive(Debug)]
#[non_exhaustive]
pub struct CloudSettings {
    /// Keystone's URL, with its `/v3`.
    pub auth_url: Url,
    pub(super) user: Named,
    pub(super) password: SecretValue,
    pub(super) project: Option<Named>,
    /// The region, where the cloud has several.
    pub region: Option<String>,
    /// `public`, `internal` or `admin`.
    pub interface: String,
    pub(super) ca: Option<Vec<reqwest::Certificate>>,
    pub(super) verify: bool,
    pub(super) proxies: Rc<Proxies>,
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

impl CloudSettings {
    /// The settings of the clouds.yaml entry `cloud` (or `OS_CLOUD`), or else of the `OS_*` variables.
    ///
    /// # Errors
    ///
    /// [`SourceError::NoCloudsFile`], [`SourceError::CloudNotFound`], [`SourceError::MissingSetting`],
    /// [`SourceError::BadSetting`], [`SourceError::BadCaFile`] and [`SourceError::File`].
    pub fn find(cloud: Option<&str>, variables: Variables) -> Result<Self, SourceError> {
        let named = cloud.map(str::to_owned).or_else(|| plain(&variables.os, "cloud"));
        let settings = match &named {
            Some(cloud) => clouds_yaml::entry(cloud, &variables.clouds_files)?,
            None => variables.os,
        };
        let proxies = Rc::new(variables.proxies);
        Ok(Self { proxies, ..Self::from_map(settings, named.as_deref())? })
    }

    /// What the settings themselves give reason to say.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        if self.verify { Vec::new() } else { vec![Warning::NotVerified] }
    }

    fn from_map(
        mut settings: BTreeMap<String, SecretValue>,
        cloud: Option<&str>,
    ) -> Result<Self, SourceError> {
        let missing = |name| SourceError::MissingSetting { name, cloud: cloud.map(str::to_owned) };
        let auth_type = plain(&settings, "auth_type").unwrap_or_else(|| String::from("password"));
        if !matches!(auth_type.as_str(), "password" | "v3password") {
            return Err(bad("auth_type", "only `password` is supported so far"));
        }
        let auth_url = auth_url(&plain(&settings, "auth_url").ok_or_else(|| missing("auth_url"))?)?;
        let user = named(&settings, "user", "username").ok_or_else(|| missing("username"))?;
        let project = named(&settings, "project", "project_name");
        let interface = plain(&settings, "interface")
            .or_else(|| plain(&settings, "endpoint_type"))
            .map_or_else(|| String::from("public"), |text| text.trim_end_matches("URL").to_owned());
        if !matches!(interface.as_str(), "public" | "internal" | "admin") {
            return Err(bad("interface", "it must be `public`, `internal` or `admin`"));
        }
        let ca = plain(&settings, "cacert").map(|path| certificates(&path)).transpose()?;
        Ok(Self {
            auth_url,
            user,
            project,
            region: plain(&settings, "region_name"),
            interface,
            ca,
            proxies: Rc::default(),
            verify: !is(&settings, "verify", "false") && !is(&settings, "insecure", "true"),
            password: settings
                .remove("password")
                // EXPOSE: asked only whether it is empty
                .filter(|password| !password.expose(str::is_empty))
                .ok_or_else(|| missing("password"))?,
        })
    }
}

const fn bad(name: &'static str, reason: &'static str) -> SourceError {
    SourceError::BadSetting { name, reason }
}

// An empty setting is none: stackrc files export empty variables, clouds.yaml has `cacert: ''`
fn plain(settings: &BTreeMap<String, SecretValue>, name: &str) -> Option<String> {
    // EXPOSE: asked for by name, and no name of a secret setting is asked for
    settings.get(name).and_then(|value| value.expose(|text| (!text.is_empty()).then(|| text.to_owned())))
}

fn is(settings: &BTreeMap<String, SecretValue>, name: &str, value: &str) -> bool {
    plain(settings, name).is_some_and(|text| text.eq_ignore_ascii_case(value))
}

fn named(settings: &BTreeMap<String, SecretValue>, what: &str, name_key: &str) -> Option<Named> {
    if let Some(id) = plain(settings, &format!("{what}_id")) {
        return Some(Named::Id(id));
    }
    let name = plain(settings, name_key)?;
    let domain = [Domain::Id as fn(String) -> Domain, Domain::Name]
        .into_iter()
        .zip(["id", "name"])
        .find_map(|(make, form)| plain(settings, &format!("{what}_domain_{form}")).map(make))
        .or_else(|| plain(settings, "default_domain").map(Domain::Id))
        .unwrap_or_else(|| Domain::Id(String::from("default")));
    Some(Named::Name { name, domain })
}

fn auth_url(text: &str) -> Result<Url, SourceError> {
    let trimmed = text.trim_end_matches('/').trim_end_matches("/v2.0");
    let versioned = if trimmed.ends_with("/v3") { trimmed.to_owned() } else { format!("{trimmed}/v3") };
    let url = Url::parse(&versioned).map_err(|_| bad("auth_url", "it is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("auth_url", "it must begin with `https://` or `http://`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("auth_url", "a URL with a password in it would end up in logs"));
    }
    Ok(url)
}

fn certificates(path: &str) -> Result<Vec<reqwest::Certificate>, SourceError> {
    let pem = fs::read_public(&PathBuf::from(path))?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(SourceError::BadCaFile { path: path.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, SecretValue> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), SecretValue::copy_of(value))).collect()
    }

    const STACKRC: [(&str, &str); 7] = [
        ("auth_url", "https://192.168.24.2:13000"),
        ("username", "admin"),
        ("password", "hunter2"),
        ("project_name", "admin"),
        ("user_domain_name", "Default"),
        ("project_domain_name", "Default"),
        ("cacert", ""),
    ];

    #[test]
    fn a_stackrc_is_enough_and_its_url_gets_a_version() {
        let found = CloudSettings::from_map(settings(&STACKRC), None).unwrap();
        assert_eq!(found.auth_url.as_str(), "https://192.168.24.2:13000/v3");
        assert_eq!(found.interface, "public");
        assert!(found.verify && found.ca.is_none());
    }

    #[test]
    fn the_old_spelling_of_the_interface_is_understood() {
        let mut given = settings(&STACKRC);
        given.insert(String::from("endpoint_type"), SecretValue::copy_of("internalURL"));
        assert_eq!(CloudSettings::from_map(given, None).unwrap().interface, "internal");
    }

    #[test]
    fn what_is_missing_is_named_as_the_variable() {
        for (key, variable) in
            [("auth_url", "OS_AUTH_URL"), ("username", "OS_USERNAME"), ("password", "OS_PASSWORD")]
        {
            let mut given = settings(&STACKRC);
            given.remove(key);
            let error = CloudSettings::from_map(given, None).unwrap_err();
            assert_eq!(error.to_string(), format!("`{variable}` is not set"));
        }
    }

    #[test]
    fn a_url_with_a_password_is_refused_without_repeating_it() {
        let mut given = settings(&STACKRC);
        given.insert(String::from("auth_url"), SecretValue::copy_of("https://admin:hunter2@keystone"));
        assert!(!CloudSettings::from_map(given, None).unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn turning_verification_off_is_never_silent() {
        let mut given = settings(&STACKRC);
        given.insert(String::from("verify"), SecretValue::copy_of("False"));
        assert_eq!(CloudSettings::from_map(given, None).unwrap().warnings(), [Warning::NotVerified]);
    }
}
