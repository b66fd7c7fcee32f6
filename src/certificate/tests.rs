use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use super::*;
use crate::model::Scalar;
use crate::secret::SecretValue;

const DAY: i64 = 24 * 60 * 60;

fn now() -> Timestamp {
    "2026-11-26T10:00:00Z".parse().unwrap()
}

/// Parameters for a certificate that ends `left` seconds from now.
fn named(name: &str, left: i64) -> CertificateParams {
    let mut made = CertificateParams::new([String::from("a.example"), String::from("10.0.0.5")]).unwrap();
    made.distinguished_name.push(DnType::CommonName, name);
    let end = u64::try_from(now().as_second() + left).unwrap();
    made.not_before = date_time_ymd(2020, 1, 1);
    made.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(end);
    made
}

fn self_signed(name: &str, left: i64) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (named(name, left).self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// Root, issuing authority, leaf; and the leaf's key.
fn chain() -> ([String; 3], String) {
    let ca = |name| {
        let mut made = named(name, 1000 * DAY);
        made.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        made
    };
    let [root_key, middle_key, leaf_key] = [(); 3].map(|()| KeyPair::generate().unwrap());
    let root = ca("root").self_signed(&root_key).unwrap().pem();
    let root_issuer = Issuer::new(ca("root"), root_key);
    let middle = ca("middle").signed_by(&middle_key, &root_issuer).unwrap().pem();
    let middle_issuer = Issuer::new(ca("middle"), middle_key);
    let leaf = named("leaf", 300 * DAY).signed_by(&leaf_key, &middle_issuer).unwrap().pem();
    ([root, middle, leaf], leaf_key.serialize_pem())
}

fn listed(parameters: &[(&str, &str)]) -> Certificates {
    let value =
        |text: &str| Data::Scalar(Scalar::new(crate::model::Kind::String, SecretValue::copy_of(text)));
    let entries = parameters.iter().map(|(name, text)| (Scalar::string(name), value(text)));
    list(&Data::Map(entries.collect()).wrapped("parameter_defaults"))
}

fn notices(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    let Certificates { read, unreadable } = listed(parameters);
    judge(&read, &unreadable, now()).into_iter().map(|notice| (notice.of, notice.says)).collect()
}

#[test]
fn a_certificate_says_whose_it_is_for_which_hosts_and_until_when() {
    let (certificate, key) = self_signed("overcloud, \"x\"", 90 * DAY);
    let read = listed(&[("SSLCertificate", &certificate), ("SSLKey", &key)]).read;
    let [one] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!(
        (one.subject.as_str(), one.issuer.as_str()),
        (r#"CN=overcloud\, \"x\""#, one.subject.as_str())
    );
    assert_eq!(one.san, ["a.example", "10.0.0.5"]);
    assert_eq!(one.not_before.to_string(), "2020-01-01T00:00:00Z");
    assert_eq!(one.not_after.as_second(), now().as_second() + 90 * DAY);
    assert_eq!((one.key.as_ref().unwrap().as_str(), one.key_matches), ("SSLKey", Some(true)));
    assert_eq!((one.position, &one.entry), (None, &None));
}

#[test]
fn a_certificate_without_end_is_valid_as_long_as_we_can_count() {
    let key = KeyPair::generate().unwrap();
    let mut made = named("forever", 0);
    made.not_after = date_time_ymd(9999, 12, 31) + Duration::from_secs(86399);
    let certificate = made.self_signed(&key).unwrap().pem();
    assert_eq!(listed(&[("CAMap", &certificate)]).read[0].not_after, Timestamp::MAX);
}

#[test]
fn the_words_rise_as_the_end_comes_near() {
    let hour = 3600;
    for (left, words) in [
        (30 * DAY, None),
        (30 * DAY - 1, Some("expires in 29 days (2026-12-26)")),
        (14 * DAY - 1, Some("expires in 13 days (2026-12-10): renew it soon")),
        (7 * DAY, Some("expires in 7 days (2026-12-03): renew it soon")),
        (6 * DAY + 5 * hour, Some("expires in 6 days (2026-12-02): renew it now")),
        (DAY, Some("expires in 1 day (2026-11-27): renew it now")),
        (5 * hour, Some("expires in 5 hours (2026-11-26): renew it now")),
        (0, Some("expires in less than an hour (2026-11-26): renew it now")),
        (-1, Some("expired less than an hour ago (2026-11-26)")),
        (-3 * DAY, Some("expired 3 days ago (2026-11-23)")),
    ] {
        let found = notices(&[("SSLCertificate", &self_signed("x", left).0)]);
        let expected = words.map(|words| (String::from("SSLCertificate"), words.to_owned()));
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{left}");
    }
}

#[test]
fn one_that_is_about_to_expire_is_a_warning_and_one_that_is_over_or_not_yet_valid_a_finding() {
    let read = listed(&[("SSLCertificate", &self_signed("x", 2 * DAY).0)]).read;
    let severity =
        |shift| judge(&read, &[], now() + SignedDuration::from_secs(shift)).pop().unwrap().severity;
    assert_eq!(severity(0), Severity::Warning);
    assert_eq!(severity(2 * DAY + 1), Severity::Finding);
    let before = "2019-12-31T23:59:59Z".parse().unwrap();
    let early = judge(&read, &[], before).pop().unwrap();
    assert_eq!((early.severity, early.says.as_str()), (Severity::Finding, "not valid before 2020-01-01"));
}

#[test]
fn a_key_is_found_by_the_name_of_its_certificate_and_compared() {
    let ((one, key), (_, other)) = (self_signed("one", 90 * DAY), self_signed("other", 90 * DAY));
    for (certificate, holder) in [
        ("SSLCertificate", "SSLKey"),
        ("OctaviaCaCert", "OctaviaCaKey"),
        ("RsyslogElasticsearchTlsClientCert", "RsyslogElasticsearchTlsClientKey"),
        ("MyCertificate", "MyKey"),
    ] {
        assert_eq!(notices(&[(certificate, &one), (holder, &key)]), []);
        let wrong = format!("its key, {holder}, is another certificate's");
        assert_eq!(notices(&[(certificate, &one), (holder, &other)]), [(certificate.to_owned(), wrong)]);
    }
    let both = listed(&[("OctaviaClientCert", &format!("{key}{one}"))]).read;
    assert_eq!(
        (both[0].key.as_ref().unwrap().as_str(), both[0].key_matches),
        ("OctaviaClientCert", Some(true))
    );
}

#[test]
fn a_chain_goes_from_the_server_up_and_joins_the_intermediate_parameter() {
    let ([root, middle, leaf], key) = chain();
    let join = |parts: &[&String]| parts.iter().map(|part| part.as_str()).collect::<String>();
    let of = |own: &str, intermediate: &str| {
        notices(&[("SSLCertificate", own), ("SSLIntermediateCertificate", intermediate), ("SSLKey", &key)])
    };
    assert_eq!(of(&leaf, ""), []);
    assert_eq!(of(&leaf, &middle), []);
    assert_eq!(of(&join(&[&leaf, &middle, &root]), ""), []);
    let says = "the chain is in the wrong order; it should be SSLCertificate, SSLIntermediateCertificate #2, SSLIntermediateCertificate #1";
    assert_eq!(of(&leaf, &join(&[&root, &middle])), [(String::from("SSLCertificate"), says.to_owned())]);
    let says = "the chain has a gap: it follows SSLCertificate, which CN=middle has signed";
    assert_eq!(of(&leaf, &root), [(String::from("SSLIntermediateCertificate"), says.to_owned())]);
    // The key is of the second, the first is what a server would present
    let said: Vec<String> = of(&join(&[&middle, &leaf]), "").into_iter().map(|(_, says)| says).collect();
    let order = "the chain is in the wrong order; it should be SSLCertificate #2, SSLCertificate #1";
    assert_eq!(said, ["its key, SSLKey, is another certificate's", order]);
}

#[test]
fn several_roots_beside_each_other_are_no_chain() {
    let (one, key) = self_signed("one", 90 * DAY);
    let both = format!("{one}{}", self_signed("other", 90 * DAY).0);
    assert_eq!(
        notices(&[("OctaviaCaCert", &both), ("OctaviaCaKey", &key), ("SSLRootCertificate", &both)]),
        []
    );
}

#[test]
fn what_belongs_there_and_is_not_there_is_said_and_an_empty_value_is_a_default() {
    let (certificate, key) = self_signed("one", 90 * DAY);
    let damaged = certificate.replace("MII", "MIJ");
    for (parameters, of, says) in [
        (
            [("SSLCertificate", "no pem"), ("SSLKey", "")],
            "SSLCertificate",
            "there is no PEM certificate in it",
        ),
        (
            [("SSLCertificate", &certificate), ("SSLKey", "no pem")],
            "SSLKey",
            "there is no PEM private key in it",
        ),
        (
            [("SSLRootCertificate", &damaged), ("SSLKey", &key)],
            "SSLRootCertificate",
            "a PEM block in it says CERTIFICATE, and is none",
        ),
        (
            [("OctaviaCaCert", &key), ("SSLKey", &key)],
            "OctaviaCaCert",
            "a private key is in it, where only certificates belong",
        ),
    ] {
        assert_eq!(notices(&parameters), [(of.to_owned(), says.to_owned())]);
    }
    assert_eq!(notices(&[("SSLCertificate", ""), ("SSLKey", "\n")]), []);
}

#[test]
fn authorities_are_called_by_their_names() {
    let scalar =
        |text: &str| Data::Scalar(Scalar::new(crate::model::Kind::String, SecretValue::copy_of(text)));
    let pem = self_signed("ca", 90 * DAY).0;
    let map = scalar(&pem).wrapped("content").wrapped("undercloud-ca").wrapped("CAMap");
    let read = list(&map.wrapped("parameter_defaults")).read;
    assert_eq!(read[0].label(), "CAMap undercloud-ca");
}

#[test]
fn many_parameters_are_looked_through_once() {
    let scalar =
        |text: &str| Data::Scalar(Scalar::new(crate::model::Kind::String, SecretValue::copy_of(text)));
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let count = 50_000;
    // Each against each would take minutes
    let others = (0..count).map(|at| (Scalar::string(&format!("P{at}")), scalar("x")));
    let certificates = (0..count).map(|at| (Scalar::string(&format!("P{at}Cert")), scalar(damaged)));
    let found = list(&Data::Map(others.chain(certificates).collect()).wrapped("parameter_defaults"));
    assert_eq!((found.read.len(), found.unreadable.len()), (0, count));
}
