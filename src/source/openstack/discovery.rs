use reqwest::{Method, Url};
use serde::Deserialize;

use crate::source::Service;

use super::http::{Http, JSON, Request, below};

/// Whether a login's answer says that Keystone is not at the guessed address.
pub(super) const fn is_wanted(status: u16) -> bool {
    matches!(status, 300 | 404 | 405 | 410)
}

/// Where version 3 of Keystone is.
pub(super) enum Version3 {
    /// Where it was guessed to be.
    Here,
    Elsewhere(Url),
    /// There is no list, or it is not in it.
    Unknown,
}

/// Where Keystone's own list of versions says that v3 is, for an `auth_url` below which it was not. Only the path is taken:
/// behind a proxy the list names a host inside, and a password goes nowhere but to the host that the user has named.
pub(super) async fn version_3(http: &Http, guessed: &Url) -> Version3 {
    let Some(path) = listed_path(http, guessed).await else { return Version3::Unknown };
    let mut url = guessed.clone();
    url.set_path(&path);
    if url == *guessed { Version3::Here } else { Version3::Elsewhere(url) }
}

async fn listed_path(http: &Http, guessed: &Url) -> Option<String> {
    let mut root = guessed.clone();
    root.path_segments_mut().ok()?.pop();
    let root = below(&root, &[""]);
    let request = Request {
        service: Service::Keystone,
        method: Method::GET,
        url: root,
        accept: JSON,
        token: None,
        header: None,
        body: None,
    };
    let answer = http.send(request).await.ok().filter(|answer| matches!(answer.status, 200 | 300))?;
    // EXPOSE: a public list of versions
    answer.body.expose(path_in)
}

fn path_in(body: &[u8]) -> Option<String> {
    let list: List = serde_json::from_slice(body).ok()?;
    let (Versions::Nested { values: versions } | Versions::Flat(versions)) = list.versions;
    let usable = |version: &&Version| version.id == "v3" || version.id.starts_with("v3.");
    let version = versions.iter().find(usable)?;
    let href = &version.links.iter().find(|link| link.rel == "self")?.href;
    // An address without a host is one of this host
    let path = Url::parse(href).map_or_else(|_| href.clone(), |url| url.path().to_owned());
    path.starts_with('/').then(|| path.trim_end_matches('/').to_owned())
}

#[derive(Deserialize)]
struct List {
    versions: Versions,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Versions {
    Nested { values: Vec<Version> },
    Flat(Vec<Version>),
}

#[derive(Deserialize)]
struct Version {
    id: String,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    rel: String,
    href: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_of_v3_is_taken_from_the_list() {
        let list = |id: &str, href: &str| {
            let version = format!(r#"{{"id": "{id}", "links": [{{"rel": "self", "href": "{href}"}}]}}"#);
            [
                format!(r#"{{"versions": {{"values": [{version}]}}}}"#),
                format!(r#"{{"versions": [{version}]}}"#),
            ]
        };
        for (id, href, path) in [
            ("v3.14", "http://inside:5000/identity/v3/", Some("/identity/v3")),
            ("v3", "/v3", Some("/v3")),
            ("v2.0", "http://inside:5000/v2.0/", None),
            ("v3.14", "v3", None),
        ] {
            for text in list(id, href) {
                assert_eq!(path_in(text.as_bytes()).as_deref(), path, "{text}");
            }
        }
        assert_eq!(path_in(b"<html>"), None);
    }
}
