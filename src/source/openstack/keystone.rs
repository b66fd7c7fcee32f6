use reqwest::{Method, Url};
use serde::Deserialize;

use crate::json;
use crate::secret::{SecretBuffer, SecretValue};
use crate::source::{Service, SourceError};

use super::cloud::{CloudSettings, Domain, Named};
use super::discovery;
use super::http::{Answer, Http, JSON, Request, below};

/// A login: the token, and where the services are. Every request to a service goes through it.
pub(super) struct Session<'a> {
    pub(super) project: Option<String>,
    http: &'a Http,
    token: SecretValue,
    tokens_url: Url,
    catalog: Vec<CatalogEntry>,
}

/// Asks Keystone for a token (Identity API v3, `POST /v3/auth/tokens`).
pub(super) async fn login<'a>(http: &'a Http, settings: &CloudSettings) -> Result<Session<'a>, SourceError> {
    let mut tokens_url = below(&settings.auth_url, &["auth", "tokens"]);
    let mut request = login_request(settings, &tokens_url);
    let mut opening = http.open(&request).await?;
    if discovery::is_wanted(opening.status) {
        let Some(found) = discovery::version_3(http, &settings.auth_url).await else {
            let url = settings.auth_url.to_string();
            return Err(SourceError::NoKeystone { url, status: opening.status });
        };
        tokens_url = below(&found, &["auth", "tokens"]);
        request = login_request(settings, &tokens_url);
        opening = http.open(&request).await?;
    }
    match opening.status {
        201 => {}
        401 => return Err(refused(settings)),
        403 => return Err(SourceError::LoginForbidden),
        200..=299 => return Err(no_login()),
        _ => return Err(opening.unexpected()),
    }
    let token = opening.headers.get("x-subject-token").and_then(|token| token.to_str().ok());
    let token = token.map(SecretValue::copy_of).ok_or_else(no_login)?;
    let session = Session { http, token, tokens_url, project: None, catalog: Vec::new() };
    // EXPOSE: the catalog and the project's name are read from it; the token is in a header
    match opening.finish().await.and_then(|answer| answer.body.expose(scope_in)) {
        Ok(scope) => Ok(Session {
            project: scope.project.map(|project| project.name),
            catalog: scope.catalog,
            ..session
        }),
        Err(error) => {
            // There is a token, and nothing to do with it
            session.revoke().await;
            Err(error)
        }
    }
}

impl Session<'_> {
    /// A GET of a service, and its whole answer, whatever the status.
    pub(super) async fn get(&self, service: Service, url: Url) -> Result<Answer, SourceError> {
        self.http.send(Request::new(service, Method::GET, url, &self.token)).await
    }

    /// A GET of what is of the type `accept`.
    pub(super) async fn get_as(
        &self,
        service: Service,
        url: Url,
        accept: &str,
    ) -> Result<Answer, SourceError> {
        self.http.send(Request { accept, ..Request::new(service, Method::GET, url, &self.token) }).await
    }

    /// A HEAD of a service.
    pub(super) async fn head(&self, service: Service, url: Url) -> Result<Answer, SourceError> {
        self.http.send(Request::new(service, Method::HEAD, url, &self.token)).await
    }

    /// Whether the cloud has `service` at all, in whatever region.
    pub(super) fn has(&self, service: Service) -> bool {
        self.catalog.iter().any(|entry| entry.kind == kind_of(service))
    }

    /// Where `service` is, for the interface and the region that the settings name.
    pub(super) fn endpoint(&self, service: Service, settings: &CloudSettings) -> Result<Url, SourceError> {
        let kind = kind_of(service);
        let fits = |endpoint: &&Endpoint| {
            endpoint.interface == settings.interface
                && settings.region.as_ref().is_none_or(|region| endpoint.region.as_ref() == Some(region))
        };
        let endpoints =
            self.catalog.iter().filter(|entry| entry.kind == kind).flat_map(|entry| &entry.endpoints);
        let found = endpoints.into_iter().find(fits).ok_or_else(|| SourceError::NoEndpoint {
            service,
            interface: settings.interface.clone(),
            region: settings.region.clone().unwrap_or_else(|| String::from("any")),
        })?;
        let url = Url::parse(&found.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        url.ok_or(SourceError::BadAnswer { service: Service::Keystone, expected: "a catalog of URLs" })
    }

    /// Ends the token's life; whether Keystone agreed, at the second try if need be.
    pub(super) async fn revoke(&self) -> bool {
        self.try_revoke().await || self.try_revoke().await
    }

    async fn try_revoke(&self) -> bool {
        let request = Request {
            header: Some(("x-subject-token", &self.token)),
            ..Request::new(Service::Keystone, Method::DELETE, self.tokens_url.clone(), &self.token)
        };
        self.http.send(request).await.is_ok_and(|answer| answer.status == 204)
    }
}

fn login_request<'a>(settings: &CloudSettings, tokens_url: &Url) -> Request<'a> {
    Request {
        service: Service::Keystone,
        method: Method::POST,
        url: tokens_url.clone(),
        accept: JSON,
        token: None,
        header: None,
        body: Some(login_body(settings)),
    }
}

/// The type of a service in the catalog.
const fn kind_of(service: Service) -> &'static str {
    match service {
        Service::Barbican => "key-manager",
        Service::Heat => "orchestration",
        Service::Keystone => "identity",
        Service::Swift => "object-store",
    }
}

const fn no_login() -> SourceError {
    SourceError::BadAnswer { service: Service::Keystone, expected: "a login" }
}

fn scope_in(body: &[u8]) -> Result<Scope, SourceError> {
    let answer: LoginAnswer = serde_json::from_slice(body)
        .map_err(|_| SourceError::BadAnswer { service: Service::Keystone, expected: "JSON" })?;
    if answer.token.catalog.is_empty() { Err(SourceError::NotScoped) } else { Ok(answer.token) }
}

fn refused(settings: &CloudSettings) -> SourceError {
    let name = |named: &Named| match named {
        Named::Id(id) => id.clone(),
        Named::Name { name, .. } => name.clone(),
    };
    SourceError::LoginRefused {
        user: name(&settings.user),
        project: settings.project.as_ref().map_or_else(|| String::from("none"), name),
    }
}

fn login_body(settings: &CloudSettings) -> SecretBuffer {
    let mut body = SecretBuffer::with_capacity(1024);
    body.push(br#"{"auth":{"identity":{"methods":["password"],"password":{"user":{"#);
    push_named(&settings.user, &mut body);
    body.push(br#","password":"#);
    // EXPOSE: into a buffer that is wiped
    settings.password.expose(|text| json::write_string(text, &mut body));
    body.push(b"}}}");
    if let Some(project) = &settings.project {
        body.push(br#","scope":{"project":{"#);
        push_named(project, &mut body);
        body.push(b"}}");
    }
    body.push(b"}}");
    body
}

fn push_named(named: &Named, body: &mut SecretBuffer) {
    match named {
        Named::Id(id) => push_pair("id", id, body),
        Named::Name { name, domain } => {
            push_pair("name", name, body);
            body.push(br#","domain":{"#);
            match domain {
                Domain::Id(id) => push_pair("id", id, body),
                Domain::Name(name) => push_pair("name", name, body),
            }
            body.push(b"}");
        }
    }
}

fn push_pair(key: &str, value: &str, body: &mut SecretBuffer) {
    json::write_string(key, body);
    body.push(b":");
    json::write_string(value, body);
}

#[derive(Deserialize)]
struct LoginAnswer {
    token: Scope,
}

#[derive(Deserialize)]
struct Scope {
    #[serde(default)]
    catalog: Vec<CatalogEntry>,
    project: Option<Project>,
}

#[derive(Deserialize)]
struct Project {
    name: String,
}

#[derive(Deserialize)]
struct CatalogEntry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    interface: String,
    region: Option<String>,
    url: String,
}
