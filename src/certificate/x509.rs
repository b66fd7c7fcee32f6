use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use x509_cert::Certificate as Parsed;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::time::Time;

use crate::model::Digest;

use super::key::PublicHalf;

/// What is read of a certificate.
pub(super) struct X509 {
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) san: Vec<String>,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) spki_sha256: Digest,
    pub(super) key: Option<PublicHalf>,
}

impl X509 {
    /// Reads DER (RFC 5280). Its signature is not checked: that is for whoever trusts an issuer.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let parsed = Parsed::from_der(der).ok()?.tbs_certificate;
        let spki = parsed.subject_public_key_info.to_der().ok()?;
        // One that cannot be read names no host that we could show
        let names = parsed.get::<SubjectAltName>().ok().flatten().map(|(_, names)| names.0);
        Some(Self {
            subject: parsed.subject.to_string(),
            issuer: parsed.issuer.to_string(),
            san: names.unwrap_or_default().iter().filter_map(host).collect(),
            not_before: moment(parsed.validity.not_before),
            not_after: moment(parsed.validity.not_after),
            spki_sha256: Digest::of(&spki),
            key: PublicHalf::of_certificate(&spki),
        })
    }
}

fn host(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::Rfc822Name(address) => Some(format!("email:{address}")),
        GeneralName::UniformResourceIdentifier(uri) => Some(format!("URI:{uri}")),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let four = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).to_string());
            four.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).to_string())).ok()
        }
        GeneralName::OtherName(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EdiPartyName(_)
        | GeneralName::RegisteredId(_) => None,
    }
}

/// The end of the year 9999 stands for no end at all (RFC 5280 §4.1.2.5), and is a day past what a [`Timestamp`] can be.
fn moment(time: Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}
