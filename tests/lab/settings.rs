//! Our settings against openstacksdk's, cell by cell of one matrix: the same files and variables given to both.

#![allow(clippy::disallowed_methods, reason = "tests start processes")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use dcn_vault::report::Hint;
use dcn_vault::source::openstack::{CloudSettings, Variables};
use serde_json::{Value, json};

use crate::program::{Scratch, said};
use crate::running::{Lab, scripts};

const CELLS: usize = 114;
/// Those in which we differ on purpose; each cell says why.
const DIFFERENT: [&str; 10] = [
    "file: broken",
    "login: an empty type",
    "login: an octal password",
    "login: application credential and a project",
    "place: no domain",
    "profile: not there",
    "profile: one of openstacksdk's own",
    "tls: verify false as text",
    "variables: OS_PASSCODE beside a cloud",
    "variables: a token",
];
const COMPARED: [&str; 18] = [
    "auth_type",
    "auth_url",
    "cacert",
    "cert",
    "endpoint",
    "interface",
    "key",
    "key_manager_endpoint_override",
    "key_manager_interface",
    "key_manager_region_name",
    "object_store_endpoint_override",
    "object_store_interface",
    "object_store_region_name",
    "orchestration_endpoint_override",
    "orchestration_interface",
    "orchestration_region_name",
    "region_name",
    "verify",
];

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn the_effective_settings_and_the_login_are_openstacksdks_but_for_what_is_listed() {
    let scratch = Scratch::new();
    make_certificates(scratch.path());
    let mut peer = Command::new(Lab::running().interpreter());
    let printed = said(peer.arg("-B").arg(scripts().join("settings.py")).arg(scratch.path())).succeeded();
    let cells: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut wrong = Vec::new();
    let mut different = Vec::new();
    for cell in &cells {
        let name = text(&cell["name"]);
        let (ours, theirs) = (ours(cell), &cell["peer"]);
        let is_same =
            if theirs.get("error").is_some() { ours.get("error").is_some() } else { ours == *theirs };
        match (&cell["ours"], is_same) {
            (Value::Null, true) => {}
            (Value::String(words), false) if words_of(&ours).contains(words) => different.push(name),
            (expected, _) => {
                wrong.push(format!("{name}\n  expected {expected}\n  ours     {ours}\n  theirs   {theirs}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} cells:\n{}", wrong.len(), cells.len(), wrong.join("\n"));
    different.sort_unstable();
    assert_eq!((cells.len(), different.as_slice()), (CELLS, DIFFERENT.as_slice()));
}

/// What we make of a cell, in the form that the peer prints.
fn ours(cell: &Value) -> Value {
    let environment = cell["env"].as_object().unwrap().iter();
    let environment = environment.map(|(name, value)| (name.into(), text(value).into()));
    let variables = Variables::of(environment, Path::new(text(&cell["directory"]))).unwrap();
    match CloudSettings::find(cell["cloud"].as_str(), variables) {
        Ok(settings) => {
            assert_eq!(settings.lacking(), [], "{}", cell["name"]);
            let shown = settings.describe().iter().filter(|(name, _)| COMPARED.contains(&name.as_str()));
            let shown: BTreeMap<_, _> = shown.filter(|(_, value)| !value.is_empty()).collect();
            let login = settings.login_request();
            // EXPOSE: made up
            let parsed = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
            let login = login.map(|body| body.expose(parsed));
            json!({ "shown": shown, "login": login })
        }
        Err(error) => json!({ "error": error.to_string(), "hint": error.hint() }),
    }
}

/// All that we say of it, in one text, which a cell's `ours` is a part of.
fn words_of(ours: &Value) -> String {
    let shown = ours["shown"].as_object().into_iter().flatten();
    let shown = shown.map(|(name, value)| format!("{name}={}", text(value)));
    [ours["error"].as_str().unwrap_or_default().to_owned(), ours["login"].to_string()]
        .into_iter()
        .chain(shown)
        .collect::<Vec<_>>()
        .join(" ")
}

fn make_certificates(directory: &Path) {
    let (key, certificate) = (directory.join("client.key"), directory.join("ca.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
    openssl.args(["-subj", "/CN=made up for this test", "-keyout"]).arg(&key).arg("-out").arg(&certificate);
    said(&mut openssl).succeeded();
    std::fs::copy(certificate, directory.join("client.pem")).unwrap();
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
