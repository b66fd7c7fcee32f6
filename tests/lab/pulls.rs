//! What a pull leaves: each value as the cloud has it, and no secret in clear.

#![allow(clippy::disallowed_methods, reason = "tests start processes")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::operator::{Operator, User, Way};
use crate::program::said;
use crate::stack::OwnStack;

const FILES: [&str; 8] = [
    "all-nodes-extra-map-data.json",
    "endpoint-map.json",
    "extra-host-file-entries.json",
    "global-config-extra-map-data.json.age",
    "manifest.json",
    "manifest.json.sig",
    "oslo-messaging.yaml",
    "passwords.yaml.age",
];

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_pull_over_http_is_exact_and_leaves_no_secret_in_clear() {
    pulls_exactly(User::Own, Way::Cloud("admin"));
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_pull_over_tls_with_a_private_ca_is_exact_and_leaves_no_secret_in_clear() {
    pulls_exactly(User::Own, Way::Cloud("admin-tls"));
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_pull_by_os_variables_is_exact_and_leaves_no_secret_in_clear() {
    pulls_exactly(User::Own, Way::Variables("admin-tls"));
    pulls_exactly(User::Own, Way::Variables("admin"));
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn every_way_to_pull_works_for_a_user_who_is_not_root() {
    for way in [Way::Cloud("admin"), Way::Cloud("admin-tls"), Way::Variables("admin-tls")] {
        pulls_exactly(User::Unprivileged, way);
    }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_bundle_holds_what_the_documented_five_commands_write() {
    let operator = Operator::new(User::Own);
    let pulled = operator.pull(Way::Cloud("admin"), "standalone", "overcloud");
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    let reference = operator.join("reference");
    operator.lab.reference(&reference, "standalone", "overcloud");
    let shown = ["stack", "output", "show", "standalone", "AllNodesConfig", "--format", "json"];
    std::fs::write(reference.join("client.json"), operator.lab.openstack(&shown)).unwrap();
    let compared = [operator.lab.expected(), operator.open_by_age(), reference];
    operator.lab.python("check_reference.py", compared).succeeded();
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn numbers_and_strings_that_are_hard_to_pass_on_come_through_a_real_heat_exactly() {
    let operator = Operator::new(User::Own);
    let stack = OwnStack::create(&operator, &[]);
    let pulled = operator.pull(Way::Cloud("admin"), &stack.name, "overcloud");
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    let opened = operator.open_by_age();
    operator.lab.python("exact_stack.py", ["check".into(), stack.name.clone(), text(&opened)]).succeeded();
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_saved_plan_gives_the_same_passwords_as_the_cloud() {
    let operator = Operator::new(User::Own);
    let pulled = operator.pull(Way::Cloud("admin-tls"), "standalone", "overcloud");
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    let mut command = operator.program();
    command.args(["pull", "-r", &operator.recipient, "-o", "saved", "--from-file"]);
    let saved = said(command.arg(operator.lab.join("seed/plan-environment.yaml")));
    assert_eq!(saved.code, 0, "{}", saved.err);
    let passwords = |bundle: &str| {
        let path = format!("{bundle}/passwords.yaml.age");
        said(operator.command("age").args(["-d", "-i", "identity.txt", &path])).succeeded()
    };
    assert!(passwords("saved") == passwords("bundle"), "the saved plan gives other passwords");
    operator.has_no_secret_in_clear(&saved.err);
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_second_pull_is_generation_two_and_names_the_manifest_before_it() {
    let operator = Operator::new(User::Own);
    let mut digests = vec![None];
    for generation in 1..=3 {
        let pulled = operator.pull(Way::Cloud("admin-tls"), "standalone", "overcloud");
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        let shown = said(operator.program().args(["show", "--json", "-b", "bundle"])).succeeded();
        let manifest: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let previous = manifest.get("previous").and_then(|digest| digest.as_str()).map(str::to_owned);
        assert_eq!(manifest.get("generation"), Some(&generation.into()));
        assert_eq!(Some(&previous), digests.last());
        let summed = said(Command::new("sha256sum").arg(operator.bundle().join("manifest.json"))).succeeded();
        digests.push(summed.split_whitespace().next().map(str::to_owned));
        assert_eq!(names(&operator.bundle()), FILES);
    }
    let left = ["home/.config", "home/.local", "home/bundle", "home/ca.crt", "home/identity.txt"];
    assert_eq!(operator.names(), left);
}

fn pulls_exactly(user: User, way: Way) {
    let operator = Operator::new(user);
    let pulled = operator.pull(way, "standalone", "overcloud");
    assert_eq!((pulled.code, pulled.out.as_str()), (0, ""), "{way:?}: {}", pulled.err);
    assert_eq!(names(&operator.bundle()), FILES, "{way:?}");
    let shown = said(operator.program().args(["show", "-b", "bundle"])).succeeded();
    operator.has_no_secret_in_clear(&(pulled.err + &shown));

    let (lab, expected, opened) = (&operator.lab, operator.lab.expected(), operator.open_by_age());
    let outputs = |directory: &Path, outputs: &[&str]| {
        let first = [text(&expected), "standalone".into(), text(directory)];
        let all = first.into_iter().chain(outputs.iter().map(|output| (*output).to_owned()));
        lab.python("check_outputs.py", all).succeeded();
    };
    outputs(&operator.bundle(), &["EndpointMap", "AllNodesConfig", "HostsEntry"]);
    outputs(&opened, &["GlobalConfig"]);
    lab.python("check_passwords.py", [&expected, &opened.join("passwords.yaml")]).succeeded();
    for name in ["passwords.yaml", "global-config-extra-map-data.json"] {
        let ours = said(operator.program().args(["decrypt", name, "-b", "bundle", "-i", "identity.txt"]));
        let by_age = std::fs::read(opened.join(name)).unwrap();
        assert!(ours.succeeded().as_bytes() == by_age, "{name}: age opens it to something else");
    }
    // The search above is worth something only if it finds what is there
    for name in ["passwords.yaml", "global-config-extra-map-data.json"] {
        let found = lab.python("find_secrets.py", [&expected, &opened.join(name)]);
        assert_eq!(found.code, 3, "no secret was found in {name}: {}", found.err);
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn text(path: &Path) -> String {
    PathBuf::from(path).into_os_string().into_string().unwrap()
}
