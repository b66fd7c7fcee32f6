//! `check`: what can be seen of a bundle without an identity, as an exit code.

#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod authority;
mod cloud;
mod program;
mod pulled;

use authority::{DAY, date_in, pair, pull};
use program::refusal::assert_refused;
use program::{Said, Scratch, occurring};
use pulled::Pulled;
use serde_json::{Value, json};

fn checked(scratch: &Scratch) -> Said {
    let checked = scratch.run(["check", "-b", "bundle"]);
    assert_eq!(checked.err, "");
    checked
}

/// The lines about certificates, which are followed by those about what must be rotated and who may write.
fn of_certificates(checked: &Said) -> String {
    checked
        .out
        .lines()
        .filter(|line| line.contains("  certificates  "))
        .fold(String::new(), |all, line| all + line + "\n")
}

#[test]
fn a_good_bundle_gives_a_line_for_each_check_and_no_identity_is_needed() {
    let pulled = Pulled::new();
    std::fs::remove_file(pulled.scratch.join("identity.txt")).unwrap();
    let checked = checked(&pulled.scratch);
    let expected = format!(
        "ok       signature     by operator ({})
ok       bundle        generation 1: 6 files as the manifest lists them
ok       guard         4 files in clear, without the name or the form of a secret
ok       headers       2 sealed files, each for as many as are listed
ok       certificates  1 certificate, valid; 1 key fits
ok       rotation      nobody still knows what can be rotated
ok       permissions   nobody else can write here
",
        pulled.scratch.operator()
    );
    assert_eq!((checked.code, &checked.out), (0, &expected));
    assert_eq!(occurring(&pulled.secrets, checked.out.as_bytes()), Vec::<&String>::new());
}

#[test]
fn a_certificate_that_will_expire_is_a_warning_and_one_that_has_is_a_finding() {
    for (left, code, line) in [
        (
            20 * DAY + 60,
            0,
            format!(
                "warning  certificates  SSLCertificate: expires in 20 days ({})\n",
                date_in(20 * DAY + 60)
            ),
        ),
        (
            -60,
            3,
            format!(
                "finding  certificates  SSLCertificate: expired less than an hour ago ({})\n",
                date_in(-60)
            ),
        ),
    ] {
        let scratch = Scratch::new();
        let (certificate, key) = pair("x", left);
        pull(&scratch, &[("SSLCertificate", &certificate), ("SSLKey", &key)]);
        let checked = checked(&scratch);
        assert_eq!(checked.code, code, "{}", checked.out);
        assert_eq!(of_certificates(&checked), line);
    }
}

#[test]
fn a_key_that_does_not_fit_and_a_chain_that_is_out_of_order_are_findings() {
    let scratch = Scratch::new();
    let (certificate, key) = (pair("x", 300 * DAY).0, pair("y", 300 * DAY).1);
    pull(&scratch, &[("SSLCertificate", &certificate), ("SSLKey", &key)]);
    let mut manifest = scratch.manifest();
    let mut issuer = manifest["certificates"][0].clone();
    issuer["parameter"] = json!("SSLIntermediateCertificate");
    issuer["subject"] = json!("CN=another");
    issuer["issuer"] = json!("CN=root");
    issuer.as_object_mut().unwrap().retain(|field, _| !field.starts_with("key"));
    manifest["certificates"].as_array_mut().unwrap().push(issuer);
    manifest["certificates"][0]["issuer"] = json!("CN=middle");
    scratch.write_manifest(manifest.to_string());
    let checked = checked(&scratch);
    let expected = "finding  certificates  SSLCertificate: its key, SSLKey, is another certificate's
finding  certificates  SSLIntermediateCertificate: the chain has a gap: it follows SSLCertificate, which CN=middle has signed
";
    assert_eq!(checked.code, 3);
    assert_eq!(of_certificates(&checked), expected);
}

#[test]
fn what_is_no_certificate_is_a_finding() {
    let scratch = Scratch::new();
    pull(&scratch, &[("SSLCertificate", "/etc/pki/tls/certs/undercloud.pem")]);
    let checked = checked(&scratch);
    assert_eq!(checked.code, 3);
    let line = "finding  certificates  SSLCertificate: there is no PEM certificate in it\n";
    assert_eq!(of_certificates(&checked), line);
}

#[test]
fn recipients_are_those_in_keys_no_more_and_no_fewer() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let [one, other] = ["one.txt", "other.txt"].map(|name| scratch.keygen(name).1);
    scratch.write("dcn-vault.yaml", "version: 1\n", 0o644);
    scratch.write("keys/README.md", "no site yet", 0o644);
    assert!(!checked(&scratch).out.contains("recipients"));
    scratch.write("keys/lyon/recipients.txt", format!("{one}\n"), 0o644);
    // Who had the bundle before knows what is in it
    let settled = scratch.run(["pull", "--from-file", "plan.yaml", "--settled", "*"]);
    assert_eq!(settled.code, 0, "{}", settled.err);
    let well = checked(&scratch);
    assert!(well.out.contains("ok       recipients    those in keys/, and no others\n"), "{}", well.out);
    assert_eq!(well.code, 0);
    scratch.write("keys/lyon/recipients.txt", format!("{other}\n"), 0o644);
    let differs = checked(&scratch);
    let expected = format!(
        "finding  recipients    lyon: {one} is not listed in keys/, and can open the bundle\nfinding  recipients    lyon: {other} is listed in keys/, and cannot open the bundle\n"
    );
    assert!(differs.out.contains(&expected), "{}", differs.out);
    assert_eq!(differs.code, 3);
}

#[test]
fn a_secret_that_somebody_put_in_clear_is_found_by_its_name_or_form_even_where_the_digests_fit() {
    let pulled = Pulled::new();
    let text =
        r#"{"parameter_defaults": {"EndpointMapOverride": {"admin_password": "x", "url": "amqp://u:p@h"}}}"#;
    pulled.scratch.replace_in_bundle("endpoint-map.json", text.as_bytes());
    let checked = checked(&pulled.scratch);
    assert_eq!(checked.code, 3);
    let expected =
        "finding  guard         endpoint-map.json: EndpointMapOverride.admin_password: its name is a secret's
finding  guard         endpoint-map.json: EndpointMapOverride.url: it looks like a URI with a password
";
    assert!(checked.out.contains(expected), "{}", checked.out);
}

#[test]
fn as_json_it_says_the_worst_and_each_check() {
    let scratch = Scratch::new();
    pull(&scratch, &[("SSLCertificate", &pair("x", -DAY).0)]);
    let checked = scratch.run(["check", "-b", "bundle", "--json"]);
    assert_eq!((checked.code, checked.err.as_str()), (3, ""));
    let expected = json!({
        "bundle": "bundle",
        "generation": 1,
        "verdict": "finding",
        "checks": [
            { "check": "signature", "verdict": "ok", "says": format!("by operator ({})", scratch.operator()) },
            { "check": "bundle", "verdict": "ok", "says": "generation 1: 1 file as the manifest lists them" },
            { "check": "guard", "verdict": "ok", "says": "0 files in clear, without the name or the form of a secret" },
            { "check": "headers", "verdict": "ok", "says": "1 sealed file, each for as many as are listed" },
            {
                "check": "certificates",
                "verdict": "finding",
                "says": format!("SSLCertificate: expired 1 day ago ({})", date_in(-DAY)),
            },
            { "check": "rotation", "verdict": "ok", "says": "nobody still knows what can be rotated" },
            { "check": "permissions", "verdict": "ok", "says": "nobody else can write here" },
        ],
    });
    assert_eq!(serde_json::from_str::<Value>(&checked.out).unwrap(), expected);
}

#[test]
fn a_bundle_that_is_not_whole_is_refused_by_its_error() {
    let pulled = Pulled::new();
    let check = ["check", "-b", "bundle"];
    pulled.scratch.write("bundle/notes.txt", "", 0o644);
    let err = "error: `bundle/notes.txt` does not belong to the bundle\nhint: move bundle/notes.txt elsewhere: a pull replaces the whole directory\n";
    assert_refused(&pulled.scratch.run(check), 1, err);
    std::fs::remove_file(pulled.scratch.join("bundle/notes.txt")).unwrap();
    pulled.scratch.write("bundle/endpoint-map.json", "{}", 0o644);
    let err = "error: `bundle/endpoint-map.json` has changed since the bundle was made\nhint: get the bundle anew from where it was made; do not deploy with it\n";
    assert_refused(&pulled.scratch.run(check), 1, err);
}

#[test]
fn passwords_in_clear_are_a_finding_whatever_the_manifest_says() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let text = "parameter_defaults:\n  Nova: harmless\n";
    std::fs::remove_file(scratch.join("bundle/passwords.yaml.age")).unwrap();
    scratch.change_manifest(|manifest| {
        manifest["files"][0]["path"] = json!("passwords.yaml");
        manifest["files"][0]["sealed"] = json!(false);
    });
    scratch.replace_in_bundle("passwords.yaml", text.as_bytes());
    let checked = checked(&scratch);
    assert_eq!(checked.code, 3);
    assert!(checked.out.contains("finding  guard         passwords.yaml is not sealed\n"), "{}", checked.out);
}
