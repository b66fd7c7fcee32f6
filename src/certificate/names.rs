//! Which parameter holds what: the certificates of tripleo-heat-templates, and a rule for those that we have not heard of.

/// Parameters that hold certificates and nothing else. Empty is allowed: many have a default.
const CERTIFICATES: &[&str] = &[
    "CAMap",
    "LoggingSSLCertificate",
    "OctaviaCaCert",
    "RsyslogElasticsearchTlsCACert",
    "RsyslogElasticsearchTlsClientCert",
    "SSLCertificate",
    "SSLIntermediateCertificate",
    "SSLRootCertificate",
];

/// A certificate and its key in one.
const BOTH: &[&str] = &["OctaviaClientCert"];

pub(super) fn holds_certificates(parameter: &str) -> bool {
    CERTIFICATES.contains(&parameter) || BOTH.contains(&parameter)
}

pub(super) fn may_hold_key(parameter: &str) -> bool {
    !CERTIFICATES.contains(&parameter)
}

/// The parameter that has the key of the certificate in `parameter`: `SSLKey` of `SSLCertificate`, `OctaviaCaKey` of
/// `OctaviaCaCert`, `FooKey` of a `FooCertificate` that Barbican gave.
pub(super) fn key_of(parameter: &str) -> Option<String> {
    let stem = parameter.strip_suffix("Certificate").or_else(|| parameter.strip_suffix("Cert"))?;
    Some(format!("{stem}Key"))
}

/// Whether haproxy presents it, with or without a key that we know.
pub(super) fn is_sent(parameter: &str) -> bool {
    parameter == "SSLCertificate"
}

/// The parameter with the issuers of the certificate in `parameter`.
pub(super) fn intermediate_of(parameter: &str) -> Option<String> {
    Some(format!("{}IntermediateCertificate", parameter.strip_suffix("Certificate")?))
}
