use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, Url};

use crate::secret::{SecretBuffer, SecretValue};
use crate::source::{CertificateFault, Service, SourceError, Warning};

use super::cloud::CloudSettings;
use super::failure::{Asked, Failure};
use super::proxy::{Proxies, ProxyError, proxied};
use super::retry::{Outcome, Patience, Tries};
use super::tls;

pub(super) use super::failure::unexpected;

pub(super) const JSON: &str = "application/json";
/// What a server announces is believed up to here; beyond, memory is taken as it arrives.
const TRUSTED_LENGTH: usize = 1024 * 1024;

/// A client that follows no redirect, reads no more than it must, and keeps bodies in wiped buffers.
pub(super) struct Http {
    client: Client,
    proxies: Rc<Proxies>,
    by_cacert: bool,
    patience: Patience,
    /// How often a service had to be asked again.
    repeats: RefCell<BTreeMap<Service, u32>>,
}

/// A request to one of the services.
pub(super) struct Request<'a> {
    pub(super) service: Service,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) accept: &'a str,
    pub(super) token: Option<&'a SecretValue>,
    pub(super) header: Option<(&'static str, &'a SecretValue)>,
    pub(super) body: Option<SecretBuffer>,
}

/// An answer whose body is still to come.
pub(super) struct Opening {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    asked: Asked,
    tries: u32,
    response: Response,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: SecretBuffer,
    tries: u32,
}

impl<'a> Request<'a> {
    pub(super) const fn new(service: Service, method: Method, url: Url, token: &'a SecretValue) -> Self {
        Self { service, method, url, accept: JSON, token: Some(token), header: None, body: None }
    }
}

impl Answer {
    /// A header's value, when it is there and is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The error of a status that the caller does not expect.
    pub(super) fn unexpected(&self, service: Service) -> SourceError {
        described(service, self.status, &self.headers, self.tries)
    }
}

impl Opening {
    /// Reads the body.
    pub(super) async fn finish(self) -> Result<Answer, SourceError> {
        self.read().await.map_err(|failure| failure.error)
    }

    /// The error of a status that the caller does not expect.
    pub(super) fn unexpected(&self) -> SourceError {
        described(self.asked.service, self.status, &self.headers, self.tries)
    }

    async fn read(self) -> Result<Answer, Failure> {
        let Self { status, headers, asked, tries, response } = self;
        Ok(Answer { status, headers, tries, body: drain(response, &asked).await? })
    }
}

impl Http {
    pub(super) fn new(settings: &CloudSettings, patience: Patience) -> Result<Self, SourceError> {
        let builder = match &settings.ca {
            // As for Python's clients: the named CA instead of the system's, not beside it
            Some(certificates) => Client::builder().tls_certs_only(certificates.iter().cloned()),
            None => Client::builder(),
        };
        let builder = match &settings.client {
            Some(certificate) => builder.identity(certificate.clone()),
            None => builder,
        };
        let builder = if settings.verify { builder } else { builder.tls_danger_accept_invalid_certs(true) };
        Self::with(builder, &settings.proxies, settings.ca.is_some(), patience)
    }

    fn with(
        builder: reqwest::ClientBuilder,
        proxies: &Rc<Proxies>,
        by_cacert: bool,
        patience: Patience,
    ) -> Result<Self, SourceError> {
        let builder = proxied(builder, proxies)
            .http1_only()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(patience.connect)
            .read_timeout(patience.idle)
            .timeout(patience.whole)
            .user_agent(concat!("dcn-vault/", env!("CARGO_PKG_VERSION")));
        let client = builder.build().map_err(|_| SourceError::Setup { reason: "no TLS" })?;
        let proxies = Rc::clone(proxies);
        Ok(Self { client, proxies, by_cacert, patience, repeats: RefCell::default() })
    }

    /// What the person at the keyboard should know of the requests so far.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        let repeats = self.repeats.borrow();
        repeats
            .iter()
            .map(|(service, times)| Warning::AskedAgain { service: *service, times: *times })
            .collect()
    }

    /// Sends `request` and reads the whole answer, whatever its status. What only reads is sent again where that may help.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Answer, SourceError> {
        let mut tries = Tries::begin(&request.method, self.patience);
        loop {
            let answer = match self.ask(&request, tries.made).await {
                Ok(opening) => opening.read().await,
                Err(failure) => Err(failure),
            };
            let outcome = match &answer {
                Ok(answer) => Outcome::of(answer.status, &answer.headers),
                Err(failure) => failure.outcome(),
            };
            match tries.pause_after(outcome) {
                Some(pause) => self.wait(request.service, pause).await,
                None => return self.explained(answer, &request.url).await,
            }
        }
    }

    /// Sends `request` and waits for the answer's head.
    pub(super) async fn open(&self, request: &Request<'_>) -> Result<Opening, SourceError> {
        let mut tries = Tries::begin(&request.method, self.patience);
        loop {
            let opening = self.ask(request, tries.made).await;
            let outcome = match &opening {
                Ok(opening) => Outcome::of(opening.status, &opening.headers),
                Err(failure) => failure.outcome(),
            };
            match tries.pause_after(outcome) {
                Some(pause) => self.wait(request.service, pause).await,
                None => return self.explained(opening, &request.url).await,
            }
        }
    }

    async fn wait(&self, service: Service, pause: Duration) {
        *self.repeats.borrow_mut().entry(service).or_default() += 1;
        tokio::time::sleep(pause).await;
    }

    /// With a certificate's issuer, which rustls does not tell.
    async fn explained<T>(&self, found: Result<T, Failure>, url: &Url) -> Result<T, SourceError> {
        let error = match found {
            Ok(found) => return Ok(found),
            Err(failure) => failure.error,
        };
        let SourceError::CertificateRefused { service, cause } = error else { return Err(error) };
        if !matches!(cause, CertificateFault::UnknownIssuer { .. }) {
            return Err(SourceError::CertificateRefused { service, cause });
        }
        let certificate = tls::presented_by(url, &self.proxies, self.patience.connect).await;
        let cause = certificate.into_iter().fold(cause, |cause, der| tls::with_issuer(cause, &der));
        Err(SourceError::CertificateRefused { service, cause })
    }

    async fn ask(&self, request: &Request<'_>, tries: u32) -> Result<Opening, Failure> {
        let asked = Asked {
            service: request.service,
            url: request.url.clone(),
            proxy: self.proxies.host_for(&request.url)?,
            by_cacert: self.by_cacert,
            begun: Instant::now(),
            patience: self.patience,
        };
        let response = self.prepared(request)?.send().await.map_err(|error| asked.failure(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Opening { status, headers, asked, tries, response })
    }

    fn prepared(&self, request: &Request<'_>) -> Result<reqwest::RequestBuilder, SourceError> {
        let mut builder = self.client.request(request.method.clone(), request.url.clone());
        builder = builder.header(ACCEPT, request.accept);
        if request.method == Method::DELETE {
            builder = builder.timeout(self.patience.farewell);
        }
        if let Some(token) = request.token {
            builder = builder.header("x-auth-token", secret_header(token)?);
        }
        if let Some((name, value)) = request.header {
            builder = builder.header(HeaderName::from_static(name), secret_header(value)?);
        }
        if let Some(body) = &request.body {
            // EXPOSE: reqwest needs bytes of its own; the zeroizing allocator wipes them with the request
            let bytes = body.expose(<[u8]>::to_vec);
            builder = builder.header(CONTENT_TYPE, JSON).body(bytes);
        }
        Ok(builder)
    }
}

/// `base` with more path segments, each percent-encoded as it needs.
pub(super) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

#[allow(
    clippy::await_holding_invalid_type,
    reason = "the body is what is awaited, and this buffer is where it belongs"
)]
async fn drain(mut response: Response, asked: &Asked) -> Result<SecretBuffer, Failure> {
    let service = asked.service;
    let limit = body_limit_mib(service) * 1024 * 1024;
    let too_large = || SourceError::BodyTooLarge { service, limit: body_limit_mib(service) };
    let announced =
        response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    if announced > limit {
        return Err(too_large().into());
    }
    let mut body = SecretBuffer::with_capacity(announced.min(TRUSTED_LENGTH));
    while let Some(chunk) = response.chunk().await.map_err(|error| asked.broken_off(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(too_large().into());
        }
        body.push(&chunk);
    }
    Ok(body)
}

/// Several times what a large cloud has: a catalog, a plan with its certificates, an output of a stack of a thousand nodes
/// (2 to 3 MB). Four outputs come in at a time.
const fn body_limit_mib(service: Service) -> usize {
    match service {
        Service::Keystone | Service::Barbican => 4,
        Service::Heat | Service::Swift => 16,
    }
}

/// Keystone, Heat and Barbican answer in JSON: a page of HTML comes from something before them. Swift has such pages itself.
fn described(service: Service, status: u16, headers: &HeaderMap, times: u32) -> SourceError {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_page = content_type.trim_start().to_ascii_lowercase().starts_with("text/html");
    let plain = unexpected(service, status);
    if !matches!(plain, SourceError::Status { .. }) {
        plain
    } else if is_page && status >= 500 && service != Service::Swift {
        ProxyError::Page { service, status, times }.into()
    } else {
        SourceError::Status { service, status, times }
    }
}

fn secret_header(value: &SecretValue) -> Result<HeaderValue, SourceError> {
    // EXPOSE: a header needs its own copy; hyper drops it with the request
    let mut header = value
        .expose(HeaderValue::from_str)
        .map_err(|_| SourceError::BadAnswer { service: Service::Keystone, expected: "a token" })?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests;
