use std::error::Error;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, Url};

use crate::secret::{SecretBuffer, SecretValue};
use crate::source::{CertificateFault, Service, SourceError};

use super::cloud::CloudSettings;

pub(super) const JSON: &str = "application/json";
const BODY_LIMIT_MIB: usize = 64;
/// What a server announces is believed up to here; beyond, memory is taken as it arrives.
const TRUSTED_LENGTH: usize = 1024 * 1024;
const CONNECT_SECONDS: u64 = 10;
/// Heat may take minutes for an output of a large stack.
const ANSWER_SECONDS: u64 = 300;
const IDLE_SECONDS: u64 = 120;

/// A client that follows no redirect, reads no more than it must, and keeps bodies in wiped buffers.
pub(super) struct Http {
    client: Client,
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
    service: Service,
    url: Url,
    response: Response,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: SecretBuffer,
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
}

impl Opening {
    /// Reads the body.
    pub(super) async fn finish(self) -> Result<Answer, SourceError> {
        let Self { status, headers, service, url, response } = self;
        Ok(Answer { status, headers, body: drain(response, service, &url).await? })
    }
}

impl Http {
    pub(super) fn new(settings: &CloudSettings) -> Result<Self, SourceError> {
        let builder = Client::builder()
            .http1_only()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS))
            .read_timeout(Duration::from_secs(IDLE_SECONDS))
            .timeout(Duration::from_secs(ANSWER_SECONDS))
            .user_agent(concat!("dcn-vault/", env!("CARGO_PKG_VERSION")));
        let builder = match &settings.ca {
            // As for Python's clients: the named CA instead of the system's, not beside it
            Some(certificates) => builder.tls_certs_only(certificates.iter().cloned()),
            None => builder,
        };
        let builder = if settings.verify { builder } else { builder.tls_danger_accept_invalid_certs(true) };
        let client = builder.build().map_err(|_| SourceError::Setup { reason: "no TLS" })?;
        Ok(Self { client })
    }

    /// Sends `request` and reads the whole answer, whatever its status.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Answer, SourceError> {
        self.open(request).await?.finish().await
    }

    /// Sends `request` and waits for the answer's head.
    pub(super) async fn open(&self, request: Request<'_>) -> Result<Opening, SourceError> {
        let (service, url) = (request.service, request.url.clone());
        let failed = |error: reqwest::Error| explain(&error, service, &url);
        let mut builder = self.client.request(request.method, request.url).header(ACCEPT, request.accept);
        if let Some(token) = request.token {
            builder = builder.header("x-auth-token", secret_header(token)?);
        }
        if let Some((name, value)) = request.header {
            builder = builder.header(HeaderName::from_static(name), secret_header(value)?);
        }
        if let Some(body) = request.body {
            // EXPOSE: reqwest needs bytes of its own; the zeroizing allocator wipes them with the request
            let bytes = body.expose(<[u8]>::to_vec);
            builder = builder.header(CONTENT_TYPE, JSON).body(bytes);
        }
        let response = builder.send().await.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Opening { status, headers, service, url, response })
    }
}

/// The error of a status that the caller does not expect.
pub(super) const fn unexpected(service: Service, status: u16) -> SourceError {
    match status {
        401 => SourceError::TokenRefused { service },
        300..=399 => SourceError::Redirected { service },
        403 => SourceError::AccessDenied { service },
        _ => SourceError::Status { service, status },
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
async fn drain(mut response: Response, service: Service, url: &Url) -> Result<SecretBuffer, SourceError> {
    let limit = BODY_LIMIT_MIB * 1024 * 1024;
    let too_large = || SourceError::BodyTooLarge { service, limit: BODY_LIMIT_MIB };
    let announced =
        response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    if announced > limit {
        return Err(too_large());
    }
    let mut body = SecretBuffer::with_capacity(announced.min(TRUSTED_LENGTH));
    while let Some(chunk) = response.chunk().await.map_err(|error| {
        if error.is_timeout() { explain(&error, service, url) } else { SourceError::Truncated { service } }
    })? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.push(&chunk);
    }
    Ok(body)
}

fn secret_header(value: &SecretValue) -> Result<HeaderValue, SourceError> {
    // EXPOSE: a header needs its own copy; hyper drops it with the request
    let mut header = value
        .expose(HeaderValue::from_str)
        .map_err(|_| SourceError::BadAnswer { service: Service::Keystone, expected: "a token" })?;
    header.set_sensitive(true);
    Ok(header)
}

fn explain(error: &reqwest::Error, service: Service, url: &Url) -> SourceError {
    // Without the path: it names the project
    let connect =
        |cause: String| SourceError::Connect { service, url: url.origin().ascii_serialization(), cause };
    if error.is_timeout() && error.is_connect() {
        return connect(format!("no answer within {CONNECT_SECONDS} s"));
    }
    if error.is_timeout() {
        return SourceError::Timeout { service, seconds: IDLE_SECONDS };
    }
    let cause = root_cause(error);
    if let Some(verdict) = cause.strip_prefix("invalid peer certificate: ") {
        return SourceError::CertificateRefused { service, cause: certificate_fault(verdict) };
    }
    connect(if cause.contains("corrupt message") { String::from("it does not speak TLS") } else { cause })
}

fn root_cause(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase().escape_debug().to_string()
}

fn certificate_fault(verdict: &str) -> CertificateFault {
    let known = [
        ("notvalidyet", CertificateFault::NotYetValid),
        ("not valid yet", CertificateFault::NotYetValid),
        ("expired", CertificateFault::Expired),
        ("notvalidforname", CertificateFault::OtherName),
        ("not valid for name", CertificateFault::OtherName),
        ("unknownissuer", CertificateFault::UnknownIssuer),
    ];
    let found = known.into_iter().find(|(words, _)| verdict.contains(words)).map(|(_, fault)| fault);
    found.unwrap_or_else(|| CertificateFault::Other(verdict.to_owned()))
}
