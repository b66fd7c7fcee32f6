use std::collections::BTreeMap;

use reqwest::Url;

use crate::source::{Service, SourceError};

use super::auth::bad;
use super::cloud::checked_url;
use super::profile::Profile;
use super::setting::Setting;

/// What the settings say of one service alone.
#[derive(Debug)]
pub(super) struct Place {
    /// The endpoint in place of the catalog's. It may have `%(project_id)s` in it.
    pub(super) endpoint: Option<String>,
    pub(super) interface: Option<String>,
    pub(super) region: Option<String>,
}

/// The services, each with openstacksdk's name for its settings and the setting's name in errors.
const SERVICES: [(Service, &str, &str); 3] = [
    (Service::Barbican, "key_manager", "key_manager_endpoint_override"),
    (Service::Heat, "orchestration", "orchestration_endpoint_override"),
    (Service::Swift, "object_store", "object_store_endpoint_override"),
];
/// Where an ephemeral Heat has its only project.
const HEAT_ALONE: &str = "/v1/admin";

impl Place {
    /// Of each service. `alone`: there is no Keystone, and `endpoint` is Heat's.
    pub(super) fn of_all(profile: &Profile, alone: bool) -> Result<BTreeMap<Service, Self>, SourceError> {
        let mut places = BTreeMap::new();
        for (service, prefix, setting) in SERVICES {
            let own = |key: &str| profile.beside(&format!("{prefix}_{key}")).and_then(Setting::plain);
            let endpoint = own("endpoint_override").or_else(|| own("endpoint"));
            if let Some(endpoint) = &endpoint {
                filled(endpoint, "x", setting)?;
            }
            let endpoint = match endpoint {
                None if alone && service == Service::Heat => profile
                    .plain("endpoint")
                    .or_else(|| profile.plain("url"))
                    .map(|url| heat_alone(&url))
                    .transpose()?,
                endpoint => endpoint,
            };
            let interface = interface(profile, &format!("{prefix}_interface"))?;
            let region = own("region_name");
            places.insert(service, Self { endpoint, interface, region });
        }
        Ok(places)
    }

    /// The endpoint, for this project.
    pub(super) fn endpoint_for(&self, project: &str) -> Option<Result<Url, SourceError>> {
        self.endpoint.as_ref().map(|endpoint| filled(endpoint, project, "endpoint_override"))
    }
}

/// One of the three interfaces; Keystone's v2 called them `publicURL` and so on.
pub(super) fn interface(profile: &Profile, name: &str) -> Result<Option<String>, SourceError> {
    const REASON: &str = "it must be `public`, `internal` or `admin`";
    let Some(setting) = profile.beside(name) else { return Ok(None) };
    let Some(text) = setting.plain() else {
        return if matches!(setting, Setting::Text(_)) { Ok(None) } else { Err(bad("interface", REASON)) };
    };
    let interface = text.trim_end_matches("URL").to_owned();
    if matches!(interface.as_str(), "public" | "internal" | "admin") {
        Ok(Some(interface))
    } else {
        Err(bad("interface", REASON))
    }
}

fn filled(endpoint: &str, project: &str, setting: &'static str) -> Result<Url, SourceError> {
    let spellings = ["%(project_id)s", "%(tenant_id)s", "$(project_id)s", "$(tenant_id)s"];
    let text = spellings.iter().fold(endpoint.to_owned(), |text, spelling| text.replace(spelling, project));
    checked_url(setting, &text)
}

fn heat_alone(text: &str) -> Result<String, SourceError> {
    let url = checked_url("endpoint", text)?;
    let is_bare = url.path().trim_matches('/').is_empty();
    Ok(if is_bare { format!("{}{HEAT_ALONE}", text.trim_end_matches('/')) } else { text.to_owned() })
}
