//! Secrets and certificate containers of a real Barbican.

#![allow(clippy::disallowed_methods, reason = "tests read files")]

use serde_json::Value;

use crate::operator::{Operator, User};
use crate::program::refusal::after_the_way;
use crate::program::{Said, said};

const NO_SUCH_ID: &str = "01234567-89ab-4cde-8f01-23456789abcd";

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_certificate_container_and_secrets_are_sealed_as_barbican_has_them() {
    for cloud in ["admin", "admin-tls"] {
        let operator = Operator::new(User::Own);
        let refs = references(&operator);
        let wanted = [
            format!("{}=SSLCertificate", refs("container-certificate")),
            format!("{}=Octets", refs("Octets")),
            // Its id alone, and another host: what is asked is the catalog's Barbican
            format!("{}=OctaviaCaKeyPassphrase", id_of(&refs("OctaviaCaKeyPassphrase"))),
        ];
        let pulled = pull(&operator, cloud, &wanted);
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        operator.has_no_secret_in_clear(&pulled.err);
        let passwords = operator.open_by_age().join("passwords.yaml");
        operator.lab.python("check_barbican.py", [&operator.lab.expected(), &passwords]).succeeded();
        let shown = said(operator.program().args(["show", "--json", "-b", "bundle"])).succeeded();
        let manifest: Value = serde_json::from_str(&shown).unwrap();
        let secrets = manifest.get("secrets").and_then(Value::as_array).unwrap();
        let kept = secrets.iter().filter(|secret| secret.get("origin") == Some(&"barbican".into()));
        assert_eq!(kept.count(), 5);
    }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_reference_that_cannot_be_had_is_named_and_nothing_is_written() {
    let operator = Operator::new(User::Own);
    let refs = references(&operator);
    let (empty, generic) = (refs("Empty"), refs("container-generic"));
    let rows = [
        (format!("{empty}=SSLKey"), format!("Barbican's secret {} has no payload", id_of(&empty))),
        (
            format!("{generic}=SSLCertificate"),
            format!("Barbican's container {} is of type `generic`, not `certificate`", id_of(&generic)),
        ),
        (format!("{generic}=SSLKey"), String::from("`SSLKey` cannot take a certificate container")),
        (format!("{NO_SUCH_ID}=SSLKey"), format!("Barbican has no secret {NO_SUCH_ID} for this project")),
        (
            format!("containers/{NO_SUCH_ID}=SSLCertificate"),
            format!("Barbican has no container {NO_SUCH_ID} for this project"),
        ),
        (String::from("SSLKey"), String::from("an argument of --barbican names no parameter")),
    ];
    for (reference, error) in rows {
        let refused = pull(&operator, "admin-tls", &[reference]);
        assert_eq!(
            (refused.code, after_the_way(&refused.err).lines().next()),
            (1, Some(format!("error: {error}").as_str()))
        );
        assert!(refused.err.lines().nth(1).unwrap_or_default().starts_with("hint: "), "{}", refused.err);
        assert!(!operator.bundle().exists());
    }
}

pub(crate) fn pull(operator: &Operator, cloud: &str, references: &[String]) -> Said {
    let mut command = operator.program();
    command.args([
        "pull",
        "--os-cloud",
        cloud,
        "--stack",
        "standalone",
        "-r",
        &operator.recipient,
        "-o",
        "bundle",
    ]);
    for reference in references {
        command.args(["--barbican", reference]);
    }
    said(&mut command)
}

pub(crate) fn references(operator: &Operator) -> impl Fn(&str) -> String {
    let expected: Value = serde_json::from_slice(&std::fs::read(operator.lab.expected()).unwrap()).unwrap();
    move |name| expected.pointer(&format!("/barbican/{name}")).and_then(Value::as_str).unwrap().to_owned()
}

fn id_of(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or_default()
}
