//! `show`: all that is public about a bundle, and nothing else.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod cloud;
mod program;
mod pulled;

use program::occurring;
use program::refusal::assert_refused;
use pulled::Pulled;
use serde_json::{Value, json};

#[test]
fn it_names_files_recipients_and_secrets_and_no_value() {
    let pulled = Pulled::new();
    let shown = pulled.scratch.run(["show", "-b", "bundle"]);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    assert_eq!(occurring(&pulled.secrets, shown.out.as_bytes()), Vec::<&String>::new());
    let words = [
        "passwords.yaml.age",
        &pulled.recipient,
        "signed      by operator",
        "UPDATE_COMPLETE",
        "generation  1, ",
    ];
    for word in words.into_iter().chain(["NeutronPassword*", "it has the value of RpcPassword"]) {
        assert!(shown.out.contains(word), "{word} is missing:\n{}", shown.out);
    }
    assert!(shown.out.split_whitespace().any(|word| word == "NovaPassword"), "{}", shown.out);
}

#[test]
fn as_json_it_is_the_manifest() {
    let pulled = Pulled::new();
    let shown = pulled.scratch.run(["show", "-b", "bundle", "--json"]);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    let manifest = std::fs::read(pulled.scratch.join("bundle/manifest.json")).unwrap();
    assert_eq!(shown.out.as_bytes(), manifest);
    assert_eq!(serde_json::from_str::<Value>(&shown.out).unwrap()["format"], "dcn-vault/1");
    assert_eq!(occurring(&pulled.secrets, &manifest), Vec::<&String>::new());
}

#[test]
fn it_needs_no_identity_but_a_whole_bundle() {
    let pulled = Pulled::new();
    std::fs::remove_file(pulled.scratch.join("identity.txt")).unwrap();
    assert_eq!(pulled.scratch.run(["-C", ".", "show"]).code, 0);
    pulled.scratch.write("bundle/endpoint-map.json", "{}", 0o644);
    let err = "error: `bundle/endpoint-map.json` has changed since the bundle was made\nhint: get the bundle anew from where it was made; do not deploy with it\n";
    assert_refused(&pulled.scratch.run(["show", "-b", "bundle"]), 1, err);
}

#[test]
fn escapes_in_a_manifest_do_not_reach_the_terminal() {
    let pulled = Pulled::new();
    pulled.change_manifest(|manifest| escape_texts(manifest, &mut Vec::new()));
    let shown = pulled.scratch.run(["show", "-b", "bundle"]);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    assert!(shown.out.contains("\\u{1b}]0;x\\u{7}"), "{}", shown.out);
    assert!(!shown.out.chars().any(|c| c.is_control() && c != '\n'), "{:?}", shown.out);
    let checked = pulled.scratch.run(["check", "-b", "bundle"]);
    assert!(!checked.out.chars().any(|c| c.is_control() && c != '\n'), "{:?}", checked.out);
}

/// Puts escapes into every text and key of a manifest that may have any.
fn escape_texts(value: &mut Value, place: &mut Vec<String>) {
    const FIXED: [&str; 18] = [
        "format",
        "created",
        "previous",
        "kind",
        "path",
        "sha256",
        "origin",
        "rule",
        "shape",
        "name",
        "of",
        "parameters",
        "too_short",
        "holds",
        "parameter",
        "not_before",
        "not_after",
        "key",
    ];
    match value {
        Value::String(text) => *value = json!(format!("{text}\u{1b}]0;x\u{7}\u{9b}2J\r")),
        Value::Array(items) => items.iter_mut().for_each(|item| escape_texts(item, place)),
        Value::Object(map) => {
            let is_finding = map.contains_key("rule");
            for (key, inner) in map
                .iter_mut()
                .filter(|(key, _)| is_finding && *key == "path" || !FIXED.contains(&key.as_str()))
            {
                place.push(key.clone());
                escape_texts(inner, place);
                place.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
