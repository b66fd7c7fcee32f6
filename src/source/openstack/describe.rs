use std::collections::BTreeMap;
use std::path::PathBuf;

use reqwest::Url;

use super::cloud::expanded;
use super::profile::Profile;

/// Settings that are shown as they are. No secret is among them.
const SHOWN: [&str; 18] = [
    "application_credential_id",
    "application_credential_name",
    "default_domain_id",
    "default_domain_name",
    "domain_id",
    "domain_name",
    "project_domain_id",
    "project_domain_name",
    "project_id",
    "project_name",
    "region_name",
    "system_scope",
    "trust_id",
    "user_domain_id",
    "user_domain_name",
    "user_id",
    "username",
    "user_name",
];
/// Shown without what a login may be in them: one that nobody asks is checked by nobody.
const URLS: [&str; 2] = ["auth_url", "endpoint"];
const SERVICES: [&str; 3] = ["key_manager", "object_store", "orchestration"];
const OF_SERVICE: [&str; 2] = ["interface", "region_name"];

/// The effective settings by openstacksdk's names, without any secret.
pub(super) fn of(
    profile: &Profile,
    interface: &str,
    verify: bool,
    home: Option<&PathBuf>,
) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    let mut show = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            shown.insert(name.to_owned(), value);
        }
    };
    for name in SHOWN {
        show(name.strip_prefix("user_name").map_or(name, |_| "username"), profile.plain(name));
    }
    for name in URLS {
        show(name, profile.plain(name).and_then(without_login));
    }
    show("auth_type", Some(profile.plain("auth_type").unwrap_or_else(|| String::from("password"))));
    let methods = profile.list("auth_methods");
    show("auth_methods", (!methods.is_empty()).then(|| methods.join(",")));
    for service in SERVICES {
        for key in OF_SERVICE {
            show(&format!("{service}_{key}"), profile.plain(&format!("{service}_{key}")));
        }
        let endpoint =
            ["endpoint_override", "endpoint"].map(|key| profile.plain(&format!("{service}_{key}")));
        show(
            &format!("{service}_endpoint_override"),
            endpoint.into_iter().flatten().next().and_then(without_login),
        );
    }
    let file = |name: &str| profile.plain(name).map(|path| expanded(&path, home).display().to_string());
    let cert = file("cert");
    show("key", file("key").filter(|_| cert.is_some()));
    show("cert", cert);
    show("cacert", file("cacert").filter(|_| verify));
    show("interface", Some(interface.to_owned()));
    show("verify", Some(verify.to_string()));
    shown
}

/// A URL without user and password; none where it cannot be told which part they are.
fn without_login(text: String) -> Option<String> {
    if !text.contains('@') {
        return Some(text);
    }
    let mut url = Url::parse(&text).ok()?;
    url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    Some(url.into())
}
