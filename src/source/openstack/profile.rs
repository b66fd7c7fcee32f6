//! One cloud's settings from all the places that have a say, with openstacksdk's precedence.
//!
//! Source: `openstack/config/loader.py` of openstacksdk 4; `tests/lab/settings.rs` compares the two.

use std::path::PathBuf;

use crate::secret::SecretValue;
use crate::source::SourceError;

use super::clouds_yaml::{Clouds, public_profile};
use super::login_error::LoginError;
use super::setting::{Setting, Settings, update};
use super::variables::Variables;

/// What a person must choose or change; no cloud is described by these alone.
const SELECTORS: [&str; 5] =
    ["client_config_file", "client_secure_file", "cloud", "cloud_name", "region_name"];
const ENVIRONMENT_CLOUD: &str = "envvars";

/// The settings of one cloud: those of `auth`, and those beside it.
#[derive(Debug)]
pub(super) struct Profile {
    /// The entry's name, where it is from a file.
    pub(super) cloud: Option<String>,
    auth: Settings,
    rest: Settings,
}

impl Profile {
    /// The cloud `name` or `OS_CLOUD`, else the `OS_*` variables, else the only cloud of clouds.yaml.
    pub(super) fn choose(name: Option<&str>, variables: Variables) -> Result<Self, SourceError> {
        let Variables { os, clouds_files, secure_files, public_files, .. } = variables;
        let plain = |name: &str| os.get(name).and_then(|value| Setting::Text(value.duplicate()).plain());
        let own_name = plain("cloud_name").unwrap_or_else(|| ENVIRONMENT_CLOUD.to_owned());
        let described = os.keys().any(|name| !SELECTORS.contains(&name.as_str()));
        let named = name.map(str::to_owned).or_else(|| plain("cloud"));
        if described && named.as_ref().is_none_or(|named| *named == own_name) {
            // Only where it is named: a file that is not asked for need not even be readable
            if named.is_some() && Clouds::read(&clouds_files, &secure_files)?.has(&own_name) {
                return Err(LoginError::CloudTwice { cloud: own_name }.into());
            }
            let settings = os.into_iter().map(|(name, value)| (name, Setting::Text(value))).collect();
            return Self::of(settings, None, &own_name, &public_files);
        }
        let mut clouds = Clouds::read(&clouds_files, &secure_files)?;
        let Some(chosen) = named.or_else(|| clouds.only()) else {
            return Self::of(Settings::new(), None, &own_name, &public_files);
        };
        let settings = clouds.take(&chosen, &clouds_files)?;
        Self::of(settings, Some(chosen), &own_name, &public_files)
    }

    fn of(
        mut ours: Settings,
        cloud: Option<String>,
        own_name: &str,
        public_files: &[PathBuf],
    ) -> Result<Self, SourceError> {
        let mut public = match profile_name(&ours).filter(|name| name != own_name) {
            Some(name) => public_profile(&name, public_files)?,
            None => Settings::new(),
        };
        let region = match take_region(&mut ours)? {
            Some(region) => Some(region),
            None => take_region(&mut public)?,
        };
        let mut all = Settings::new();
        all.insert(String::from("auth"), Setting::Map(Settings::new()));
        for settings in [public, ours] {
            update(&mut all, settings);
        }
        if let Some((name, values)) = region {
            update(&mut all, values);
            all.insert(String::from("region_name"), Setting::Text(SecretValue::take(name)));
        }
        let auth = all.remove("auth").and_then(Setting::into_map).unwrap_or_default();
        let mut profile = Self { cloud, auth, rest: all };
        profile.rename_interfaces();
        profile.move_to_auth();
        profile.spread_domain();
        profile.fill_auth_url();
        Ok(profile)
    }

    /// A setting that is no secret; one within `auth` before one beside it.
    pub(super) fn plain(&self, name: &str) -> Option<String> {
        let in_auth = self.auth.get(name).and_then(Setting::plain);
        in_auth.or_else(|| self.beside(name).and_then(Setting::plain))
    }

    /// A setting that is one; taken out.
    pub(super) fn take_secret(&mut self, name: &str) -> Option<SecretValue> {
        let is_set = |settings: &Settings| settings.get(name).and_then(Setting::text).is_some();
        let settings = if is_set(&self.auth) { &mut self.auth } else { &mut self.rest };
        if is_set(settings) { settings.remove(name).and_then(Setting::into_text) } else { None }
    }

    /// A setting beside `auth`, of whatever type.
    pub(super) fn beside(&self, name: &str) -> Option<&Setting> {
        self.rest.get(name)
    }

    /// A setting of a list, or of texts between commas.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        match self.auth.get(name).or_else(|| self.beside(name)) {
            Some(Setting::List(items)) => items.iter().filter_map(Setting::plain).collect(),
            Some(value @ (Setting::Text(_) | Setting::Flag(..))) => {
                let text = value.plain().unwrap_or_default();
                text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
            }
            Some(Setting::Map(_)) | None => Vec::new(),
        }
    }

    /// The error that a setting is not there.
    pub(super) fn misses(&self, name: &'static str) -> SourceError {
        SourceError::MissingSetting { name, cloud: self.cloud.clone() }
    }

    /// `endpoint_type` is the old word for `interface`, and wins over it.
    fn rename_interfaces(&mut self) {
        let old: Vec<String> =
            self.rest.keys().filter(|name| name.ends_with("endpoint_type")).cloned().collect();
        for name in old {
            if let Some(value) = self.rest.remove(&name).filter(|value| value.text().is_some()) {
                self.rest.insert(name.replace("endpoint_type", "interface"), value);
            }
        }
    }

    /// Of these settings one beside `auth` wins over one within it, and the last name over the ones before.
    fn move_to_auth(&mut self) {
        const NAMES: [(&str, &[&str]); 10] = [
            ("domain_id", &["domain_id"]),
            ("domain_name", &["domain_name"]),
            ("user_domain_id", &["user_domain_id"]),
            ("user_domain_name", &["user_domain_name"]),
            ("project_domain_id", &["project_domain_id"]),
            ("project_domain_name", &["project_domain_name"]),
            ("token", &["auth_token", "token"]),
            ("passcode", &["passcode"]),
            ("project_id", &["tenant_id", "project_id"]),
            ("project_name", &["tenant_name", "project_name"]),
        ];
        for (name, spellings) in NAMES {
            let mut last = None;
            for spelling in spellings {
                last = self.auth.remove(*spelling).or(last);
                last = self.rest.remove(*spelling).or(last);
            }
            if let Some(value) = last.filter(|value| value.text().is_some()) {
                self.auth.insert(name.to_owned(), value);
            }
        }
    }

    /// A profile of several regions has `{region_name}` in its URL.
    fn fill_auth_url(&mut self) {
        let (Some(url), region) = (self.plain("auth_url"), self.plain("region_name")) else { return };
        let filled = url.replace("{region_name}", &region.unwrap_or_default());
        self.auth.insert(String::from("auth_url"), Setting::Text(SecretValue::take(filled)));
    }

    /// With a project, `domain_*` is short for the user's domain and the project's; without, it is what the login is for.
    fn spread_domain(&mut self) {
        if !["project_id", "project_name"].iter().any(|name| self.auth.contains_key(*name)) {
            return;
        }
        for form in ["id", "name"] {
            let Some(Setting::Text(domain) | Setting::Flag(_, domain)) =
                self.auth.remove(&format!("domain_{form}"))
            else {
                continue;
            };
            for what in ["user", "project"] {
                let name = format!("{what}_domain_{form}");
                self.auth.entry(name).or_insert_with(|| Setting::Text(domain.duplicate()));
            }
        }
    }
}

/// `cloud` is the old word for `profile`. An empty one is none.
fn profile_name(settings: &Settings) -> Option<String> {
    settings.get("profile").or_else(|| settings.get("cloud")).and_then(Setting::plain)
}

/// The first region, and the settings that it has of its own.
fn take_region(settings: &mut Settings) -> Result<Option<(String, Settings)>, SourceError> {
    let bad =
        || SourceError::BadSetting { name: "regions", reason: "each has a `name`, and may have `values`" };
    if let Some(Setting::List(regions)) = settings.remove("regions") {
        return match regions.into_iter().next() {
            None => Ok(None),
            Some(Setting::Map(mut region)) => {
                let name = region.get("name").and_then(Setting::plain).ok_or_else(bad)?;
                let values = region.remove("values").and_then(Setting::into_map).unwrap_or_default();
                Ok(Some((name, values)))
            }
            Some(name) => name.plain().map(|name| Some((name, Settings::new()))).ok_or_else(bad),
        };
    }
    let first = match settings.remove("region_name") {
        Some(Setting::List(names)) => names.first().and_then(Setting::plain),
        Some(name) => name.plain().and_then(|names| names.split(',').next().map(str::to_owned)),
        None => None,
    };
    Ok(first.map(|name| (name, Settings::new())))
}
