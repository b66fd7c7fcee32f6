//! Certificates wherever a control plane has them: in the plan, in the environment files that it lists, in Barbican.

use serde_json::{Value, json};

use crate::barbican::{pull, references};
use crate::operator::{Operator, User, Way};
use crate::program::said;

/// What is compared of each certificate; the seed's are valid for a year.
fn listed(operator: &Operator) -> Vec<Value> {
    let shown = said(operator.program().args(["show", "--json", "-b", "bundle"])).succeeded();
    let manifest: Value = serde_json::from_str(&shown).unwrap();
    let certificates = manifest.get("certificates").and_then(Value::as_array).unwrap();
    let fields = ["parameter", "entry", "subject", "san", "key", "key_matches"];
    let of = |one: &Value| fields.iter().map(|field| one.get(*field).cloned().unwrap_or_default()).collect();
    certificates.iter().map(of).collect()
}

/// `show` and `check` agree that nothing is wrong.
fn all_is_well(operator: &Operator, says: &str) {
    let shown = said(operator.program().args(["show", "-b", "bundle"])).succeeded();
    assert!(shown.contains("SSLKey fits\n") && !shown.contains("  ! "), "{shown}");
    let checked = said(operator.program().args(["check", "-b", "bundle"])).succeeded();
    assert_eq!(of_certificates(&checked), [format!("ok       certificates  {says}")]);
}

fn of_certificates(checked: &str) -> Vec<&str> {
    checked.lines().filter(|line| line.contains("  certificates  ")).collect()
}

fn anchor() -> Value {
    let name = "undercloud-ca.example.com";
    json!(["CAMap", "undercloud-ca", format!("CN={name}"), [name], null, null])
}

fn served(name: &str) -> Value {
    json!(["SSLCertificate", null, format!("CN={name}"), [name], "SSLKey", true])
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn those_of_the_plan_fit_their_keys() {
    let operator = Operator::new(User::Own);
    let pulled = operator.pull(Way::Cloud("admin-tls"), "standalone", "overcloud");
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    let name = "octavia-ca.example.com";
    let octavia = json!(["OctaviaCaCert", null, format!("CN={name}"), [name], "OctaviaCaKey", true]);
    assert_eq!(listed(&operator), [anchor(), octavia, served("overcloud.example.com")]);
    all_is_well(&operator, "3 certificates, valid; 2 keys fit");
    operator.has_no_secret_in_clear(&pulled.err);
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn those_that_only_the_plans_environment_files_have_fit_their_keys() {
    let operator = Operator::new(User::Own);
    let pulled = operator.pull(Way::Cloud("admin-tls"), "standalone", "listed");
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    assert_eq!(listed(&operator), [anchor(), served("overcloud.example.com")]);
    all_is_well(&operator, "2 certificates, valid; 1 key fits");
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_certificate_container_of_barbican_fits_its_key_and_half_of_one_does_not_fit_the_plans() {
    let operator = Operator::new(User::Own);
    let refs = references(&operator);
    let container = format!("{}=SSLCertificate", refs("container-certificate"));
    let pulled = pull(&operator, "admin-tls", &[container]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    assert!(listed(&operator).contains(&served("barbican.example.com")), "{:?}", listed(&operator));
    all_is_well(&operator, "3 certificates, valid; 2 keys fit");

    // A passphrase where the key belongs
    let pulled = pull(&operator, "admin-tls", &[format!("{}=SSLKey", refs("OctaviaCaKeyPassphrase"))]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    assert!(pulled.err.contains("warning: SSLKey: there is no PEM private key in it\n"), "{}", pulled.err);
    let checked = said(operator.program().args(["check", "-b", "bundle"]));
    assert_eq!((checked.code, checked.err.as_str()), (3, ""));
    let line = "finding  certificates  SSLKey: there is no PEM private key in it";
    assert_eq!(of_certificates(&checked.out), [line]);
}
