//! What is on the bill, and what `since` says, through values that come back.

#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod program;

#[path = "tamper/centre.rs"]
mod centre;

use serde_json::{Value, json};

use centre::Centre;

/// A centre whose site `edge` has just lost all it had: three secrets.
fn with_a_removed_site() -> Centre {
    let mut centre = Centre::with(&[("all", "{}"), ("edge", "{}")], "");
    centre.pull(&[]);
    centre.change("NeutronPassword");
    std::fs::remove_dir_all(centre.scratch.join("keys/edge")).unwrap();
    centre.scratch.write("dcn-vault.yaml", "version: 1\nsites:\n  all: {}\n", 0o644);
    centre.pull(&[]);
    centre
}

fn billed(centre: &Centre) -> Value {
    centre.manifest()["bill"].as_array().into_iter().flatten().map(|entry| entry["secrets"].clone()).collect()
}

fn since(centre: &Centre, name: &str) -> Value {
    let manifest = centre.manifest();
    let secrets = manifest["secrets"].as_array().unwrap();
    secrets.iter().find(|secret| secret["name"] == name).unwrap()["since"].clone()
}

#[test]
fn a_value_that_a_removed_key_knows_is_on_the_bill_again_when_it_comes_back() {
    let mut centre = with_a_removed_site();
    let known = centre.passwords.clone();
    assert_eq!(billed(&centre), json!([["NovaPassword", "RpcPassword"]]));
    centre.change("NovaPassword");
    centre.pull(&[]);
    assert_eq!(billed(&centre), json!([["RpcPassword"]]));
    // The plan comes from a backup
    let rotated = std::mem::replace(&mut centre.passwords, known);
    let told = centre.pull(&[]);
    assert_eq!(billed(&centre), json!([["NovaPassword", "RpcPassword"]]), "{}", told.err);
    centre.passwords = rotated;
    centre.pull(&[]);
    assert_eq!(billed(&centre), json!([["RpcPassword"]]));
    // The one that was rotated in the very generation that took the site away, too
    let value = centre.passwords.get_mut("NeutronPassword").unwrap();
    *value = value.replace("-and-another", "");
    centre.pull(&[]);
    assert_eq!(billed(&centre), json!([["NeutronPassword", "RpcPassword"]]));
    // Who says that it does not matter is believed once and for all
    centre.pull(&["--settled", "NeutronPassword"]);
    centre.pull(&[]);
    assert_eq!(billed(&centre), json!([["RpcPassword"]]));
}

#[test]
fn who_gets_a_value_with_a_withheld_one_in_it_is_said_to_know_that_one() {
    let mut centre = Centre::with(&[("all", "{}"), ("edge", "{secrets: [Nova*]}")], "");
    let url = format!("rabbit://guest:{}@192.0.2.1", centre.passwords["RpcPassword"]);
    centre.passwords.insert(String::from("NovaTransport"), url);
    let told = centre.pull(&[]).err;
    let warning = "warning: edge: NovaTransport is given, and holds the value of RpcPassword, which is not\n";
    assert!(told.contains(warning), "{told}");
    std::fs::remove_dir_all(centre.scratch.join("keys/edge")).unwrap();
    centre.scratch.write("dcn-vault.yaml", "version: 1\nsites:\n  all: {}\n", 0o644);
    centre.pull(&[]);
    assert_eq!(billed(&centre), json!([["NovaPassword", "NovaTransport", "RpcPassword"]]));
}

#[test]
fn a_bundle_that_is_gone_or_another_vaults_is_not_built_on_for_it_has_no_bill() {
    let centre = with_a_removed_site();
    let notes = format!(".local/state/dcn-vault/pulled/{}", centre.manifest()["vault"].as_str().unwrap());
    let other = centre.pull(&["-o", "elsewhere/bundle"]);
    assert_eq!(other.code, 0, "{}", other.err);
    std::fs::rename(centre.scratch.join("bundle"), centre.scratch.join("kept")).unwrap();
    let err = format!(
        "error: `{{here}}/bundle` had generation 2 of another vault, made from here\nhint: get that bundle back, or write elsewhere with -o; to begin anew, and forget what is on its bill, remove {{here}}/{notes}\n"
    );
    centre.scratch.refuses(&Centre::pull_words(&[]), &err);
    std::fs::rename(centre.scratch.join("elsewhere/bundle"), centre.scratch.join("bundle")).unwrap();
    centre.scratch.refuses(&Centre::pull_words(&[]), &err);
    std::fs::remove_dir_all(centre.scratch.join("bundle")).unwrap();
    std::fs::rename(centre.scratch.join("kept"), centre.scratch.join("bundle")).unwrap();
    centre.pull(&[]);
    assert_eq!(billed(&centre), json!([["NovaPassword", "RpcPassword"]]));
}

#[test]
fn a_comment_that_changes_is_no_key_that_is_gone() {
    let centre = Centre::with(&[("all", "{}"), ("edge", "{}")], "");
    let key = centre.make_key("edge-key").public;
    let key = key.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    for comment in ["one", "another one"] {
        centre.scratch.write("keys/edge/recipients.txt", format!("{key} {comment}\n"), 0o644);
        let told = centre.pull(&[]).err;
        assert_eq!(billed(&centre), json!([]), "{told}");
    }
}

#[test]
fn a_secret_that_was_left_out_for_a_while_is_as_old_as_its_value() {
    let mut centre = Centre::with(&[("all", "{}")], "");
    centre.pull(&[]);
    centre.pull(&["--exclude", "Nova*", "--exclude", "Neutron*"]);
    centre.pull(&["--exclude", "Nova*", "--exclude", "Neutron*"]);
    centre.change("NeutronPassword");
    centre.pull(&[]);
    assert_eq!((since(&centre, "NovaPassword"), since(&centre, "NeutronPassword")), (json!(1), json!(4)));
}
