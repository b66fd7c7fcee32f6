use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use reqwest::Url;

use crate::source::{Service, SourceError};

use super::proxy::ProxyError;
use super::retry::{Outcome, Patience};
use super::tls;

/// What a request was about, for the words of its failure.
pub(super) struct Asked {
    pub(super) service: Service,
    pub(super) url: Url,
    /// The proxy's host and port, where one stands in between.
    pub(super) proxy: Option<String>,
    pub(super) by_cacert: bool,
    pub(super) begun: Instant,
    pub(super) patience: Patience,
}

/// A request without a whole answer.
pub(super) struct Failure {
    pub(super) error: SourceError,
    /// Whether another try may go better.
    pub(super) is_broken: bool,
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self { error, is_broken: false }
    }
}

impl Failure {
    pub(super) const fn outcome(&self) -> Outcome {
        if self.is_broken { Outcome::Broken } else { Outcome::Final }
    }
}

impl Asked {
    /// What reqwest says, in our words: who is at fault, and never a URL's path, since it names the project.
    pub(super) fn failure(&self, error: &reqwest::Error) -> Failure {
        let service = self.service;
        if error.is_timeout() && !error.is_connect() {
            let patience = self.patience;
            let waited = if self.begun.elapsed() < patience.whole { patience.idle } else { patience.whole };
            return SourceError::Timeout { service, seconds: whole_seconds(waited) }.into();
        }
        if let Some(cause) = tls::fault_in(error, self.by_cacert) {
            return SourceError::CertificateRefused { service, cause }.into();
        }
        if error.is_timeout() {
            let seconds = whole_seconds(self.patience.connect);
            return self.unreachable(format!("no answer within {seconds} s")).into();
        }
        let is_broken = is_broken(error);
        if is_broken && !error.is_connect() {
            return Failure { error: SourceError::Truncated { service }, is_broken };
        }
        let cause =
            if tls::is_no_tls(error) { String::from("it does not speak TLS") } else { root_cause(error) };
        // TLS is the service's own, also at the other end of a proxy's tunnel
        let error = if tls::is_no_tls(error) { self.connect(cause) } else { self.unreachable(cause) };
        Failure { error, is_broken }
    }

    /// The end of a body that is not its whole.
    pub(super) fn broken_off(&self, error: &reqwest::Error) -> Failure {
        if error.is_timeout() {
            return self.failure(error);
        }
        Failure { error: SourceError::Truncated { service: self.service }, is_broken: true }
    }

    fn unreachable(&self, cause: String) -> SourceError {
        let service = self.service;
        match &self.proxy {
            // hyper's words for a proxy's answer to CONNECT
            Some(_) if cause == "tunnel error: proxy authorization required" => {
                ProxyError::Login { service }.into()
            }
            Some(proxy) if cause == "tunnel error: unsuccessful" => {
                let cause = String::from("it refuses the connection");
                ProxyError::Failed { service, proxy: proxy.clone(), cause }.into()
            }
            Some(proxy) => ProxyError::Failed { service, proxy: proxy.clone(), cause }.into(),
            None => self.connect(cause),
        }
    }

    fn connect(&self, cause: String) -> SourceError {
        SourceError::Connect { service: self.service, url: self.url.origin().ascii_serialization(), cause }
    }
}

/// The error of a status that the caller does not expect.
pub(super) const fn unexpected(service: Service, status: u16) -> SourceError {
    match status {
        401 => SourceError::TokenRefused { service },
        300..=399 => SourceError::Redirected { service },
        403 => SourceError::AccessDenied { service },
        407 => SourceError::Proxy(ProxyError::Login { service }),
        _ => SourceError::Status { service, status, times: 1 },
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().max(1)
}

/// Whether a connection was refused or ended early, as when a service restarts.
fn is_broken(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind.is_some_and(|kind| {
            matches!(
                kind,
                io::ErrorKind::BrokenPipe
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::UnexpectedEof
            )
        }) {
            return true;
        }
        next = error.source();
    }
    // hyper's word for an end before the answer; its type cannot be named here
    root_cause(error).starts_with("connection closed before message completed")
}

fn root_cause(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase().escape_debug().to_string()
}
