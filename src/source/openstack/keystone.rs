use std::cell::RefCell;
use std::rc::Rc;

use reqwest::{Method, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::secret::SecretValue;
use crate::source::{Service, SourceError, Warning};

use super::Say;
use super::auth::Login;
use super::cloud::{Access, CloudSettings};
use super::discovery::{self, Version3};
use super::http::{Answer, Http, JSON, Opening, Request, below};
use super::login_error::LoginError;
use super::scope::Scope;

/// The project of a Heat that runs without a Keystone.
const PROJECT_ALONE: &str = "admin";

/// A login: the token, and where the services are. Every request to a service goes through it.
///
/// A token that a service does not accept any more is replaced by a new login, once for all who wait for it.
pub(super) struct Session<'a> {
    pub(super) project: Option<String>,
    http: &'a Http,
    settings: &'a CloudSettings,
    /// Those that Keystone has given us; the last is in use. A token of the user's own is never among them.
    tokens: RefCell<Vec<Rc<SecretValue>>>,
    /// The user's own, where it is used as it is.
    given: Option<Rc<SecretValue>>,
    turn: Mutex<()>,
    tokens_url: Option<Url>,
    project_id: String,
    catalog: Vec<CatalogEntry>,
}

/// Asks Keystone for a token (Identity API v3, `POST /v3/auth/tokens`), where there is a Keystone.
pub(super) async fn login<'a>(
    http: &'a Http,
    settings: &'a CloudSettings,
    say: Say<'_>,
) -> Result<Session<'a>, SourceError> {
    let alone = Session {
        http,
        settings,
        tokens: RefCell::default(),
        given: settings.given_token().map(|token| Rc::new(token.duplicate())),
        turn: Mutex::new(()),
        tokens_url: None,
        project: Some(PROJECT_ALONE.to_owned()),
        project_id: PROJECT_ALONE.to_owned(),
        catalog: Vec::new(),
    };
    let (Access::Keystone(login), Some(auth_url)) = (&settings.access, &settings.auth_url) else {
        return Ok(alone);
    };
    let (tokens_url, opening) = knock(http, auth_url, login).await?;
    let token = token_in(&opening, login)?;
    let session = Session { tokens: RefCell::new(vec![token]), tokens_url: Some(tokens_url), ..alone };
    // EXPOSE: the catalog and the project are read from it; the token is in a header
    let scope = opening.finish().await.and_then(|answer| answer.body.expose(|body| scope_in(body, settings)));
    match scope {
        Ok(Granted { project, catalog }) => {
            let (project, project_id) = project.map(|project| (project.name, project.id)).unzip();
            Ok(Session { project, project_id: project_id.unwrap_or_default(), catalog, ..session })
        }
        Err(error) => {
            // There is a token, and nothing to do with it
            session.revoke(say).await;
            Err(error)
        }
    }
}

/// Where tokens are made, and the answer to the first login there: below `auth_url`, or where Keystone's own versions say.
async fn knock(http: &Http, auth_url: &Url, login: &Login) -> Result<(Url, Opening), SourceError> {
    let tokens_url = below(auth_url, &["auth", "tokens"]);
    let opening = http.open(&login_request(login, &tokens_url)).await?;
    if !discovery::is_wanted(opening.status) {
        return Ok((tokens_url, opening));
    }
    let found = match discovery::version_3(http, auth_url).await {
        Version3::Elsewhere(found) => found,
        // To a token that it does not know Keystone says 404, as for an address that is none
        Version3::Here if login.is_by_token() => return Err(LoginError::TokenDead.into()),
        Version3::Here | Version3::Unknown => {
            return Err(SourceError::NoKeystone { url: auth_url.to_string(), status: opening.status });
        }
    };
    let tokens_url = below(&found, &["auth", "tokens"]);
    let opening = http.open(&login_request(login, &tokens_url)).await?;
    Ok((tokens_url, opening))
}

/// The token in the head of a login's answer.
fn token_in(opening: &Opening, login: &Login) -> Result<Rc<SecretValue>, SourceError> {
    match opening.status {
        201 => {}
        401 => return Err(refused(login)),
        403 => return Err(SourceError::LoginForbidden),
        200..=299 => return Err(no_login()),
        _ => return Err(opening.unexpected()),
    }
    let token = opening.headers.get("x-subject-token").and_then(|token| token.to_str().ok());
    let token = token.map(SecretValue::copy_of).ok_or_else(no_login)?;
    Ok(Rc::new(token))
}

fn login_request<'a>(login: &Login, tokens_url: &Url) -> Request<'a> {
    Request {
        service: Service::Keystone,
        method: Method::POST,
        url: tokens_url.clone(),
        accept: JSON,
        token: None,
        header: None,
        body: Some(login.body()),
    }
}

impl Session<'_> {
    /// A GET of a service, and its whole answer, whatever the status.
    pub(super) async fn get(&self, service: Service, url: Url) -> Result<Answer, SourceError> {
        self.ask(service, Method::GET, url, JSON).await
    }

    /// A GET of what is of the type `accept`.
    pub(super) async fn get_as(
        &self,
        service: Service,
        url: Url,
        accept: &str,
    ) -> Result<Answer, SourceError> {
        self.ask(service, Method::GET, url, accept).await
    }

    /// A HEAD of a service.
    pub(super) async fn head(&self, service: Service, url: Url) -> Result<Answer, SourceError> {
        self.ask(service, Method::HEAD, url, JSON).await
    }

    /// Whether the cloud has `service` at all, in whatever region.
    pub(super) fn has(&self, service: Service) -> bool {
        self.settings.place(service).is_some_and(|place| place.endpoint.is_some())
            || self.catalog.iter().any(|entry| entry.kind == kind_of(service))
    }

    /// Where `service` is: where the settings say, or else the catalog, for the interface and the region of the settings.
    pub(super) fn endpoint(&self, service: Service, settings: &CloudSettings) -> Result<Url, SourceError> {
        let place = settings.place(service);
        if let Some(endpoint) = place.and_then(|place| place.endpoint_for(&self.project_id)) {
            return endpoint;
        }
        if service == Service::Heat && !self.has(service) {
            return Err(SourceError::NoHeat);
        }
        let kind = kind_of(service);
        let interface = place.and_then(|place| place.interface.as_ref()).unwrap_or(&settings.interface);
        let region = place.and_then(|place| place.region.as_ref()).or(settings.region.as_ref());
        let fits = |endpoint: &&Endpoint| {
            endpoint.interface == *interface
                && region.is_none_or(|region| endpoint.region.as_ref() == Some(region))
        };
        let endpoints =
            self.catalog.iter().filter(|entry| entry.kind == kind).flat_map(|entry| &entry.endpoints);
        let found = endpoints.into_iter().find(fits).ok_or_else(|| SourceError::NoEndpoint {
            service,
            interface: interface.clone(),
            region: region.cloned().unwrap_or_else(|| String::from("any")),
        })?;
        let url = Url::parse(&found.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        url.ok_or(SourceError::BadAnswer { service: Service::Keystone, expected: "a catalog of URLs" })
    }

    /// Ends the life of the tokens that are ours, at the second try if need be; says so when Keystone does not agree.
    pub(super) async fn revoke(&self, say: Say<'_>) {
        let tokens = self.tokens.borrow().clone();
        let (Some(current), Some(tokens_url)) = (tokens.last(), &self.tokens_url) else { return };
        let mut all = true;
        // The one in use is the last, since it opens the door for the others
        for token in &tokens {
            all &= self.try_revoke(token, current, tokens_url).await
                || self.try_revoke(token, current, tokens_url).await;
        }
        if !all {
            say(Warning::TokenNotRevoked);
        }
    }

    async fn try_revoke(&self, token: &SecretValue, current: &SecretValue, tokens_url: &Url) -> bool {
        let request = Request {
            header: Some(("x-subject-token", token)),
            ..Request::new(Service::Keystone, Method::DELETE, tokens_url.clone(), current)
        };
        // 404: it was dead before; 401: so was the one that was to open the door, and that may be the same
        let is_own = std::ptr::eq(token, current);
        self.http.send(request).await.is_ok_and(|answer| match answer.status {
            204 | 404 => true,
            401 => is_own,
            _ => false,
        })
    }

    /// One request. After a 401 it is made again with the token of a new login, and what comes then stands.
    async fn ask(
        &self,
        service: Service,
        method: Method,
        url: Url,
        accept: &str,
    ) -> Result<Answer, SourceError> {
        let token = self.token();
        let answer = self.send(service, &method, &url, accept, token.as_deref()).await?;
        match token {
            Some(refused) if answer.status == 401 && self.renew(service, &refused).await? => {
                self.send(service, &method, &url, accept, self.token().as_deref()).await
            }
            _ => Ok(answer),
        }
    }

    async fn send(
        &self,
        service: Service,
        method: &Method,
        url: &Url,
        accept: &str,
        token: Option<&SecretValue>,
    ) -> Result<Answer, SourceError> {
        let (method, url) = (method.clone(), url.clone());
        self.http.send(Request { service, method, url, accept, token, header: None, body: None }).await
    }

    /// The token in use: the last of ours, or the one that needs no login.
    fn token(&self) -> Option<Rc<SecretValue>> {
        self.given.clone().or_else(|| self.tokens.borrow().last().cloned())
    }

    /// Logs in anew, unless somebody else has done so while we waited. Whether there is another token now.
    async fn renew(&self, service: Service, refused: &Rc<SecretValue>) -> Result<bool, SourceError> {
        let (Access::Keystone(login), Some(tokens_url)) = (&self.settings.access, &self.tokens_url) else {
            return Ok(false);
        };
        let _turn = self.turn.lock().await;
        if self.token().is_some_and(|token| !Rc::ptr_eq(&token, refused)) {
            return Ok(true);
        }
        if let Some(spent) = login.spent() {
            return Err(LoginError::CannotLogInAgain { service, spent }.into());
        }
        let opening = self.http.open(&login_request(login, tokens_url)).await?;
        self.tokens.borrow_mut().push(token_in(&opening, login)?);
        // What it says is known: the scope is the same
        opening.finish().await?;
        Ok(true)
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

fn scope_in(body: &[u8], settings: &CloudSettings) -> Result<Granted, SourceError> {
    let answer: LoginAnswer = serde_json::from_slice(body)
        .map_err(|_| SourceError::BadAnswer { service: Service::Keystone, expected: "JSON" })?;
    let granted = answer.token;
    if let (None, Some(scope)) = (&granted.project, settings.scope_without_project()) {
        return Err(LoginError::NoProject { scope }.into());
    }
    if granted.catalog.is_empty() { Err(SourceError::NotScoped) } else { Ok(granted) }
}

fn refused(login: &Login) -> SourceError {
    let scope = login.scope.as_ref().map_or_else(|| String::from("no project"), Scope::shown);
    SourceError::LoginRefused { user: login.user(), scope, check: login.to_check() }
}

#[derive(Deserialize)]
struct LoginAnswer {
    token: Granted,
}

#[derive(Deserialize)]
struct Granted {
    #[serde(default)]
    catalog: Vec<CatalogEntry>,
    project: Option<Project>,
}

#[derive(Deserialize)]
struct Project {
    id: String,
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
