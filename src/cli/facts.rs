//! A manifest as facts, one a line, for people who compare two of them. Read as any JSON: a field that this version does
//! not know is a fact as well.

use std::collections::BTreeSet;

use serde_json::Value;

/// What names an entry of a list, in this order.
const NAMES: [&str; 5] = ["path", "name", "parameter", "site", "file"];

/// Each fact of `manifest` on a line of its own: `secrets[NovaPassword].since: 3`.
pub(super) fn lines(manifest: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    add("", manifest, &mut lines);
    lines
}

/// What two manifests say in words, and in which names they differ.
pub(super) fn differences(ours: &Value, theirs: &Value) -> Vec<String> {
    let mut said = vec![format!("ours: {}", generation(ours)), format!("theirs: {}", generation(theirs))];
    for (list, noun) in [("secrets", "secret"), ("files", "file"), ("recipients", "site")] {
        let (mine, yours) = (named(ours.get(list)), named(theirs.get(list)));
        let names: BTreeSet<&String> = mine.iter().chain(&yours).map(|(name, _)| name).collect();
        for name in names {
            let find = |all: &[(String, Value)]| {
                all.iter().find(|(there, _)| there == name).map(|(_, value)| value.clone())
            };
            match (find(&mine), find(&yours)) {
                (Some(_), None) => said.push(format!("only in ours: {noun} {name}")),
                (None, Some(_)) => said.push(format!("only in theirs: {noun} {name}")),
                (mine, yours) if mine != yours => said.push(format!("different: {noun} {name}")),
                _ => {}
            }
        }
    }
    said
}

fn generation(manifest: &Value) -> String {
    let field = |name: &str| manifest.get(name).map_or_else(|| String::from("?"), text);
    format!("generation {} of {}", field("generation"), field("created"))
}

fn add(place: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if place.is_empty() { "" } else { "." };
                add(&format!("{place}{dot}{name}"), value, lines);
            }
        }
        Value::Array(entries) if entries.iter().any(Value::is_object) => {
            for (position, entry) in entries.iter().enumerate() {
                let name = name(entry).map_or_else(|| position.to_string(), ToOwned::to_owned);
                add(&format!("{place}[{name}]"), entry, lines);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| add(place, entry, lines)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            lines.push(format!("{place}: {}", text(value)));
        }
    }
}

/// The entries of a list by their names, or of a map by its keys.
fn named(list: Option<&Value>) -> Vec<(String, Value)> {
    match list {
        Some(Value::Array(entries)) => {
            entries.iter().filter_map(|entry| Some((name(entry)?.to_owned(), entry.clone()))).collect()
        }
        Some(Value::Object(fields)) => {
            fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
        }
        _ => Vec::new(),
    }
}

fn name(entry: &Value) -> Option<&str> {
    NAMES.iter().find_map(|name| entry.get(name)?.as_str())
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::from("none"),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_fact_is_a_line_also_one_that_is_not_known() {
        let manifest = json!({
            "generation": 3,
            "previous": null,
            "source": {"stack": "central"},
            "files": [{"path": "passwords.yaml.age", "sealed": true, "sites": ["edge1", "edge2"]}],
            "secrets": [{"name": "NovaPassword", "since": 2}],
            "recipients": {"edge1": ["age1a", "age1b"], "edge2": []},
            "certificates": [],
            "bill": [{"new": 1}, 7],
        });
        let expected = [
            "generation: 3",
            "previous: none",
            "source.stack: central",
            "files[passwords.yaml.age].path: passwords.yaml.age",
            "files[passwords.yaml.age].sealed: true",
            "files[passwords.yaml.age].sites: edge1",
            "files[passwords.yaml.age].sites: edge2",
            "secrets[NovaPassword].name: NovaPassword",
            "secrets[NovaPassword].since: 2",
            "recipients.edge1: age1a",
            "recipients.edge1: age1b",
            "bill[0].new: 1",
            "bill[1]: 7",
        ];
        assert_eq!(lines(&manifest), expected);
    }

    #[test]
    fn two_manifests_differ_by_name() {
        let ours = json!({
            "generation": 3, "created": "2026-01-01",
            "secrets": [{"name": "A"}, {"name": "B", "since": 1}],
            "files": [{"path": "x", "sha256": "1"}],
            "recipients": {"edge1": ["age1a"]},
        });
        let theirs = json!({
            "generation": 4,
            "secrets": [{"name": "B", "since": 2}, {"name": "C"}],
            "files": [{"path": "x", "sha256": "2"}],
            "recipients": {"edge1": ["age1a"], "edge2": []},
        });
        let expected = [
            "ours: generation 3 of 2026-01-01",
            "theirs: generation 4 of ?",
            "only in ours: secret A",
            "different: secret B",
            "only in theirs: secret C",
            "different: file x",
            "only in theirs: site edge2",
        ];
        assert_eq!(differences(&ours, &theirs), expected);
    }
}
