use std::error::Error;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};

use crate::source::{CertificateFault, HostName};

use super::proxy::{Proxies, proxied};

/// So many of a certificate's names are shown.
const NAMES_SHOWN: usize = 8;

/// The fault of a certificate that rustls has refused; `None` when that is not what went wrong.
pub(super) fn fault_in(error: &(dyn Error + 'static), by_cacert: bool) -> Option<CertificateFault> {
    let TlsError::InvalidCertificate(refusal) = rustls_error_in(error)? else { return None };
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the rest has no words of ours: rustls's own are shown"
    )]
    Some(match refusal {
        CertificateError::Expired => CertificateFault::Expired { since: None },
        CertificateError::ExpiredContext { not_after, .. } => {
            CertificateFault::Expired { since: day(*not_after) }
        }
        CertificateError::NotValidYet => CertificateFault::NotYetValid { from: None },
        CertificateError::NotValidYetContext { not_before, .. } => {
            CertificateFault::NotYetValid { from: day(*not_before) }
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let wanted = host_name(expected);
            let names: Vec<String> = presented.iter().filter_map(|name| shown_name(name)).collect();
            if presented.is_empty() {
                CertificateFault::NoName { wanted }
            } else {
                CertificateFault::OtherNames { wanted, names: shortened(names) }
            }
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            CertificateFault::Purpose
        }
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer { issuer: None, by_cacert },
        CertificateError::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
            Some(webpki::Error::CaUsedAsEndEntity) => CertificateFault::CaAsServer,
            Some(webpki::Error::EndEntityUsedAsCa) => CertificateFault::IssuerIsNoCa,
            Some(webpki::Error::UnsupportedCertVersion) => CertificateFault::VersionOne,
            // rustls-platform-verifier has a type of its own for it, which it does not let others name
            None if other.0.to_string().contains("Extended Key Usage") => CertificateFault::Purpose,
            _ => CertificateFault::Other(printable(&other.0.to_string())),
        },
        other => CertificateFault::Other(printable(&other.to_string())),
    })
}

/// `fault`, with what the certificate itself says of its issuer.
pub(super) fn with_issuer(fault: CertificateFault, certificate: &[u8]) -> CertificateFault {
    let CertificateFault::UnknownIssuer { by_cacert, .. } = fault else { return fault };
    let der = CertificateDer::from(certificate);
    let Ok(parsed) = webpki::EndEntityCert::try_from(&der) else { return fault };
    if parsed.issuer() == parsed.subject() {
        return CertificateFault::SelfSigned { by_cacert };
    }
    CertificateFault::UnknownIssuer { issuer: name_in(parsed.issuer()), by_cacert }
}

/// The certificate that the server presents, for the words of an error: it was refused, and rustls does not say who issued it.
/// It is refused here, too, whatever it is, so that nothing is ever sent.
pub(super) async fn presented_by(url: &Url, proxies: &Rc<Proxies>, wait: Duration) -> Option<Vec<u8>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let schemes = provider.signature_verification_algorithms.supported_schemes();
    let refusal = Arc::new(Refusal { schemes, seen: Mutex::default() });
    let verifier: Arc<dyn ServerCertVerifier> = Arc::<Refusal>::clone(&refusal);
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    let config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    let builder = Client::builder().tls_backend_preconfigured(config).redirect(Policy::none()).timeout(wait);
    let client = proxied(builder, proxies).build().ok()?;
    let origin = Url::parse(&url.origin().ascii_serialization()).ok()?;
    let refused = client.request(Method::HEAD, origin).send().await;
    let seen = refusal.seen.lock().ok()?.take();
    seen.filter(|_| refused.is_err())
}

/// Sees a certificate, and refuses it.
#[derive(Debug)]
struct Refusal {
    schemes: Vec<SignatureScheme>,
    seen: Mutex<Option<Vec<u8>>>,
}

impl ServerCertVerifier for Refusal {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if let Ok(mut seen) = self.seen.lock() {
            *seen = Some(certificate.to_vec());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// Whether the other side speaks something else than TLS.
pub(super) fn is_no_tls(error: &(dyn Error + 'static)) -> bool {
    matches!(rustls_error_in(error), Some(TlsError::InvalidMessage(_)))
}

/// It stands somewhere in a chain of errors, or within an I/O error of that chain.
fn rustls_error_in<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) = error.downcast_ref().or_else(|| inner.and_then(|inner| inner.downcast_ref())) {
            return Some(found);
        }
        next = match inner {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

fn day(time: UnixTime) -> Option<String> {
    let seconds = i64::try_from(time.as_secs()).ok()?;
    Some(Timestamp::from_second(seconds).ok()?.strftime("%Y-%m-%d").to_string())
}

fn host_name(name: &ServerName<'_>) -> HostName {
    let text = printable(&name.to_str());
    if matches!(name, ServerName::IpAddress(_)) { HostName::Address(text) } else { HostName::Dns(text) }
}

/// webpki writes `DnsName("h")` and `IpAddress(::1)`. Other kinds of names never count.
fn shown_name(presented: &str) -> Option<String> {
    let (kind, rest) = presented.split_once('(')?;
    let name = rest.strip_suffix(')')?.trim_matches('"');
    matches!(kind, "DnsName" | "IpAddress").then(|| printable(name))
}

fn shortened(mut names: Vec<String>) -> Vec<String> {
    if names.is_empty() {
        names.push(String::from("no host"));
    }
    if names.len() > NAMES_SHOWN {
        names.truncate(NAMES_SHOWN);
        names.push(String::from("…"));
    }
    names
}

/// The common name, else the organisation, in the DER of a distinguished name.
fn name_in(distinguished: &[u8]) -> Option<String> {
    // id-at-commonName and id-at-organizationName, each as a whole OBJECT IDENTIFIER
    [[6, 3, 0x55, 4, 3], [6, 3, 0x55, 4, 10]].iter().find_map(|attribute| {
        let at = distinguished.windows(attribute.len()).position(|window| window == attribute)?;
        let value = distinguished.get(at + attribute.len()..)?;
        // A string's tag and length; the form for more than 127 bytes is nobody's name
        let (length, text) = (usize::from(*value.get(1)?), value.get(2..)?);
        Some(printable(&String::from_utf8_lossy(text.get(..length)?)))
    })
}

fn printable(text: &str) -> String {
    text.escape_debug().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_count_are_shown_and_they_are_escaped() {
        assert_eq!(shown_name("DnsName(\"other.example\")").unwrap(), "other.example");
        assert_eq!(shown_name("IpAddress(10.0.0.1)").unwrap(), "10.0.0.1");
        assert_eq!(shown_name("DnsName(\"\u{1b}[2J\")").unwrap(), "\\u{1b}[2J");
        assert_eq!(shown_name("UniformResourceIdentifier(\"x\")"), None);
        let many = shortened((0..20).map(|n| n.to_string()).collect());
        assert_eq!((many.len(), many[8].as_str()), (9, "…"));
    }

    #[test]
    fn a_distinguished_name_gives_its_common_name_before_its_organisation() {
        let name =
            b"\x31\x0c\x30\x0a\x06\x03\x55\x04\x0a\x0c\x03Lab\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02CA";
        assert_eq!(name_in(name).as_deref(), Some("CA"));
        assert_eq!(name_in(&name[..14]).as_deref(), Some("Lab"));
        assert_eq!(name_in(b"\x06\x03\x55\x04\x03\x0c\x09CA"), None);
    }
}
