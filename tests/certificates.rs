//! What a pull and `show` say of certificates, and that their keys are compared in every form that OpenSSL writes.

#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and runs openssl"
)]

mod authority;
mod program;

use std::process::{Command, Stdio};

use authority::{DAY, certificate, date_in, pair, pull};
use program::{Scratch, occurring, said};
use rcgen::KeyPair;
use serde_json::{Value, json};

/// What `pull` says first, and last.
const READ: &str = "plan.yaml: a plan\n";
const WROTE: &str = "wrote bundle: generation 1, 3 secrets, sealed for default\n";

fn manifest(scratch: &Scratch) -> Value {
    serde_json::from_slice(&std::fs::read(scratch.join("bundle/manifest.json")).unwrap()).unwrap()
}

/// Runs openssl in the scratch directory; it must succeed.
fn openssl(scratch: &Scratch, words: &str) {
    let mut command = Command::new("openssl");
    let ended = said(command.args(words.split(' ')).current_dir(scratch.path()).stdin(Stdio::null()));
    assert_eq!(ended.code, 0, "openssl {words}\n{}", ended.err);
}

fn text(scratch: &Scratch, name: &str) -> String {
    std::fs::read_to_string(scratch.join(name)).unwrap()
}

#[test]
fn the_manifest_has_what_a_certificate_says_and_nothing_of_its_key_but_that_it_fits() {
    let scratch = Scratch::new();
    let (certificate, key) = pair("overcloud.example.com", 300 * DAY);
    let pulled = pull(&scratch, &[("SSLCertificate", &certificate), ("SSLKey", &key)]);
    assert_eq!((pulled.code, pulled.err), (0, format!("{READ}{WROTE}")));
    scratch.write("certificate.pem", &certificate, 0o644);
    openssl(&scratch, "x509 -in certificate.pem -pubkey -noout -out public.pem");
    openssl(&scratch, "pkey -pubin -in public.pem -outform DER -out public.der");
    let digest = said(Command::new("sha256sum").arg(scratch.join("public.der"))).out;
    let listed = &manifest(&scratch)["certificates"];
    let ends = &listed[0]["not_after"];
    assert!(ends.as_str().unwrap().starts_with(&date_in(300 * DAY)), "{ends}");
    let expected = json!([{
        "parameter": "SSLCertificate",
        "subject": "CN=overcloud.example.com",
        "issuer": "CN=overcloud.example.com",
        "san": ["overcloud.example.com"],
        "not_before": "2020-01-01T00:00:00Z",
        "not_after": ends,
        "spki_sha256": digest.split(' ').next().unwrap(),
        "key": "SSLKey",
        "key_matches": true,
    }]);
    assert_eq!(*listed, expected);
    let secret: Vec<String> =
        key.lines().filter(|line| !line.starts_with("-----")).map(String::from).collect();
    assert_eq!(
        occurring(&secret, &std::fs::read(scratch.join("bundle/manifest.json")).unwrap()),
        Vec::<&String>::new()
    );
}

#[test]
fn a_key_is_compared_in_every_form_and_one_that_cannot_be_is_no_mismatch() {
    let scratch = Scratch::new();
    for (name, algorithm) in [
        ("rsa", "RSA -pkeyopt rsa_keygen_bits:2048"),
        ("ec", "EC -pkeyopt ec_paramgen_curve:P-256"),
        ("p384", "EC -pkeyopt ec_paramgen_curve:secp384r1"),
        ("ed", "ED25519"),
        ("ed448", "ED448"),
    ] {
        for owner in ["own", "other"] {
            openssl(&scratch, &format!("genpkey -algorithm {algorithm} -out {owner}-{name}.pem"));
        }
        openssl(
            &scratch,
            &format!("req -x509 -new -key own-{name}.pem -subj /CN=x -days 90 -out {name}.crt"),
        );
    }
    for owner in ["own", "other"] {
        openssl(&scratch, &format!("rsa -in {owner}-rsa.pem -traditional -out {owner}-pkcs1.pem"));
        openssl(&scratch, &format!("ec -in {owner}-ec.pem -out {owner}-sec1.pem"));
        openssl(&scratch, &format!("ecparam -name prime256v1 -out params-{owner}.pem"));
        let with_parameters =
            text(&scratch, &format!("params-{owner}.pem")) + &text(&scratch, &format!("{owner}-sec1.pem"));
        scratch.write(&format!("{owner}-with-parameters.pem"), with_parameters, 0o600);
        openssl(
            &scratch,
            &format!(
                "rsa -in {owner}-rsa.pem -traditional -aes128 -passout pass:made-up -out {owner}-old.pem"
            ),
        );
        openssl(
            &scratch,
            &format!("pkcs8 -topk8 -in {owner}-ec.pem -passout pass:made-up -out {owner}-pkcs8.pem"),
        );
        openssl(&scratch, &format!("ec -in {owner}-p384.pem -no_public -out {owner}-p384-no-public.pem"));
        openssl(&scratch, &format!("ec -in {owner}-ec.pem -no_public -out {owner}-no-public.pem"));
    }
    for (form, certificate, told) in [
        ("rsa", "rsa", true),
        ("pkcs1", "rsa", true),
        ("ec", "ec", true),
        ("sec1", "ec", true),
        ("with-parameters", "ec", true),
        ("p384", "p384", true),
        ("ed", "ed", true),
        ("old", "rsa", false),
        ("pkcs8", "ec", false),
        ("no-public", "ec", true),
        ("p384-no-public", "p384", false),
        ("ed448", "ed448", false),
    ] {
        let certificate = text(&scratch, &format!("{certificate}.crt"));
        for owner in ["own", "other"] {
            let key = text(&scratch, &format!("{owner}-{form}.pem"));
            let pulled = pull(&scratch, &[("SSLCertificate", &certificate), ("SSLKey", &key)]);
            let expected = told.then_some(owner == "own");
            let listed = &manifest(&scratch)["certificates"][0];
            assert_eq!(listed.get("key_matches"), expected.map(Value::Bool).as_ref(), "{owner} {form}");
            assert_eq!(listed["key"], "SSLKey");
            let shown = scratch.run(["show", "-b", "bundle"]).out;
            let fits = match expected {
                Some(true) => "SSLKey fits\n",
                Some(false) => "SSLKey DOES NOT FIT\n",
                None => "SSLKey not compared: encrypted, or of an unknown form\n",
            };
            assert!(shown.contains(fits), "{shown}");
            let warns =
                pulled.err.contains("warning: SSLCertificate: its key, SSLKey, is another certificate's\n");
            assert_eq!((pulled.code, warns), (0, expected == Some(false)), "{owner} {form}: {}", pulled.err);
        }
    }
    // RSA and EC are never of one pair
    let [rsa, ec] = ["rsa.crt", "own-ec.pem"].map(|name| text(&scratch, name));
    pull(&scratch, &[("SSLCertificate", &rsa), ("SSLKey", &ec)]);
    assert_eq!(manifest(&scratch)["certificates"][0]["key_matches"], false);
}

#[test]
fn a_pull_takes_what_is_wrong_as_it_is_and_warns() {
    let left = 6 * DAY + 5 * 3600;
    let ((soon, key), (over, _), (_, other)) =
        (pair("soon", left), pair("over", -3 * DAY), pair("other", DAY));
    let expires = format!("warning: SSLCertificate: expires in 6 days ({}): renew it now\n", date_in(left));
    let over_for = format!("warning: SSLCertificate: expired 3 days ago ({})\n", date_in(-3 * DAY));
    for (certificate, key, warnings) in [
        (&soon, &key, expires),
        (&over, &String::new(), over_for),
        (
            &pair("x", 300 * DAY).0,
            &other,
            String::from("warning: SSLCertificate: its key, SSLKey, is another certificate's\n"),
        ),
        (
            &key,
            &key,
            String::from("warning: SSLCertificate: a private key is in it, where only certificates belong\n"),
        ),
        (
            &String::from("/etc/pki/tls/certs/undercloud.pem"),
            &key,
            String::from("warning: SSLCertificate: there is no PEM certificate in it\n"),
        ),
    ] {
        let scratch = Scratch::new();
        let pulled = pull(&scratch, &[("SSLCertificate", certificate), ("SSLKey", key)]);
        assert_eq!((pulled.code, pulled.err), (0, format!("{READ}{warnings}{WROTE}")));
        let opened = scratch.run(["decrypt", "-b", "bundle", "-i", "identity.txt"]).out;
        for line in certificate.lines() {
            assert!(opened.contains(line), "{line} is missing");
        }
    }
}

#[test]
fn show_says_who_a_certificate_is_for_until_when_and_what_is_wrong_in_96_columns() {
    let scratch = Scratch::new();
    let key = KeyPair::generate().unwrap();
    let soon = certificate(&format!("{}.example.com", "overcloud-".repeat(5)), 6 * DAY + 60, &key);
    let long = certificate(&format!("{}.example", "a".repeat(60)), -DAY, &key);
    pull(&scratch, &[("SSLCertificate", &soon), ("OctaviaCaCert", &long), ("SSLKey", &key.serialize_pem())]);
    let shown = scratch.run(["show", "-b", "bundle"]);
    let name = format!("{}.example.com", "overcloud-".repeat(5));
    let section = format!(
        "Certificates
  OctaviaCaCert  CN={a}.example
      until {over}
      for {a}.example
  SSLCertificate  CN={name}
      until {end}, SSLKey fits
      for {name}
  ! OctaviaCaCert: expired 1 day ago ({over})
  ! SSLCertificate: expires in 6 days ({end}): renew it now
",
        a = "a".repeat(60),
        over = date_in(-DAY),
        end = date_in(6 * DAY + 60),
    );
    assert!(shown.out.contains(&section), "{}", shown.out);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
}

#[test]
fn show_cuts_what_is_too_long() {
    let scratch = Scratch::new();
    pull(&scratch, &[("SSLCertificate", &pair("x", 5 * DAY).0), ("SSLKey", &pair("y", 5 * DAY).1)]);
    let mut changed = manifest(&scratch);
    let long = format!("CN={}", "long,".repeat(60));
    changed["certificates"][0]["subject"] = json!(long);
    changed["certificates"][0]["entry"] = json!(long);
    let many = (0..40).map(|n| format!("host-{n}.example.com")).collect::<Vec<_>>();
    let fitting = "host-0.example.com, host-1.example.com, host-2.example.com and 37 more\n";
    for (hosts, line) in [(json!(many), fitting), (json!([format!("{}.example", "a".repeat(200))]), "aa…\n")]
    {
        changed["certificates"][0]["san"] = hosts;
        scratch.write_manifest(changed.to_string());
        let shown = scratch.run(["show", "-b", "bundle"]);
        assert_eq!(shown.code, 0, "{}", shown.err);
        assert!(shown.out.contains(line), "{}", shown.out);
        for line in shown.out.lines() {
            assert!(line.chars().count() <= 96, "{line}");
        }
    }
}

#[test]
fn a_manifest_of_before_certificates_were_listed_is_still_read() {
    let scratch = Scratch::new();
    pull(&scratch, &[("SSLCertificate", &pair("x", 300 * DAY).0)]);
    let mut changed = manifest(&scratch);
    changed.as_object_mut().unwrap().remove("certificates").unwrap();
    scratch.write_manifest(changed.to_string());
    assert!(!scratch.run(["show", "-b", "bundle"]).out.contains("Certificates"));
    let checked = scratch.run(["check", "-b", "bundle"]);
    assert_eq!(checked.code, 0, "{}", checked.err);
    assert!(checked.out.contains("ok       certificates  none is listed\n"), "{}", checked.out);
    assert_eq!(scratch.run(["decrypt", "-b", "bundle", "-i", "identity.txt"]).code, 0);
}
