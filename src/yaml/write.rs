use std::ops::Range;

use super::resolve::{Resolved, is_special_elsewhere};
use super::valid::truth;
use crate::model::{Data, Entry, Kind, Scalar};
use crate::secret::SecretBuffer;

/// Appends `data` to `out` as one document in block style, so that `PyYAML` and YAML 1.2 readers see the same text.
///
/// A string stands plain where no reader can take it for anything else, and within double quotes on one line otherwise.
/// A key of more than 128 characters is written as `? key` and `: value`, since a reader may refuse one of more than
/// 1024 before its colon.
pub fn write(data: &Data, out: &mut SecretBuffer) {
    match data {
        Data::Scalar(scalar) => {
            write_scalar(scalar, out);
            out.push(b"\n");
        }
        Data::List(items) if items.is_empty() => out.push(b"[]\n"),
        Data::Map(entries) if entries.is_empty() => out.push(b"{}\n"),
        Data::List(items) => write_list(items, 0, out),
        Data::Map(entries) => write_map(entries, 0, out),
    }
}

/// Like [`write()`], for a map that holds `entries`, below `key` where one is given; returns where in `out` each entry stands.
///
/// The text before the first entry, and any of the entries after it, are a document with these entries alone.
pub fn write_in_parts(key: Option<&str>, entries: &[Entry], out: &mut SecretBuffer) -> Vec<Range<usize>> {
    if let Some(key) = key {
        out.push_str(key);
        out.push(if entries.is_empty() { b": {}\n" } else { b":\n" });
    } else if entries.is_empty() {
        out.push(b"{}\n");
    }
    let indent = if key.is_some() { STEP } else { 0 };
    let mut parts = Vec::with_capacity(entries.len());
    for entry in entries {
        let start = out.len();
        push_indent(indent, out);
        write_map(std::slice::from_ref(entry), indent, out);
        parts.push(start..out.len());
    }
    parts
}

/// Writes `items`; the caller has indented the first line.
fn write_list(items: &[Data], indent: usize, out: &mut SecretBuffer) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            push_indent(indent, out);
        }
        out.push(b"- ");
        match item {
            Data::List(items) if !items.is_empty() => write_list(items, indent + STEP, out),
            Data::Map(entries) if !entries.is_empty() => write_map(entries, indent + STEP, out),
            Data::Scalar(_) | Data::List(_) | Data::Map(_) => write(item, out),
        }
    }
}

/// Writes `entries`; the caller has indented the first line.
fn write_map(entries: &[Entry], indent: usize, out: &mut SecretBuffer) {
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            push_indent(indent, out);
        }
        write_key(key, indent, out);
        match value {
            Data::List(items) if !items.is_empty() => {
                out.push(b"\n");
                // As PyYAML does: dashes below the first letter of the key
                push_indent(indent, out);
                write_list(items, indent, out);
            }
            Data::Map(entries) if !entries.is_empty() => {
                out.push(b"\n");
                push_indent(indent + STEP, out);
                write_map(entries, indent + STEP, out);
            }
            Data::Scalar(_) | Data::List(_) | Data::Map(_) => {
                out.push(b" ");
                write(value, out);
            }
        }
    }
}

fn write_key(key: &Scalar, indent: usize, out: &mut SecretBuffer) {
    // EXPOSE: its length decides the form; nothing is kept
    let is_long = key.text.expose(|text| text.chars().count() > MAX_SIMPLE_KEY);
    if is_long {
        out.push(b"? ");
        write_scalar(key, out);
        out.push(b"\n");
        push_indent(indent, out);
    } else {
        write_scalar(key, out);
    }
    out.push(b":");
}

fn write_scalar(scalar: &Scalar, out: &mut SecretBuffer) {
    // EXPOSE: copied into a buffer that wipes itself
    scalar.text.expose(|text| match scalar.kind {
        Kind::Null => out.push(b"null"),
        Kind::Bool => match truth(text) {
            Some(true) => out.push(b"true"),
            Some(false) => out.push(b"false"),
            None => write_tagged("!!bool ", text, out),
        },
        Kind::Int => write_typed(scalar.kind, "!!int ", text, out),
        Kind::Float => write_typed(scalar.kind, "!!float ", text, out),
        Kind::Timestamp => write_typed(scalar.kind, "!!timestamp ", text, out),
        Kind::Binary => write_tagged("!!binary ", text, out),
        Kind::String if is_plain_string(text) => out.push_str(text),
        Kind::String => write_quoted(text, out),
    });
}

/// Without the tag where the text alone says the type.
fn write_typed(kind: Kind, tag: &str, text: &str, out: &mut SecretBuffer) {
    if Resolved::of_plain(text) == Resolved::Kind(kind) && is_safe_number(text) {
        out.push_str(text);
    } else {
        write_tagged(tag, text, out);
    }
}

fn write_tagged(tag: &str, text: &str, out: &mut SecretBuffer) {
    out.push_str(tag);
    if is_safe_number(text) { out.push_str(text) } else { write_quoted(text, out) }
}

fn write_quoted(text: &str, out: &mut SecretBuffer) {
    out.push(b"\"");
    for character in text.chars() {
        match character {
            '\n' => out.push(b"\\n"),
            '\t' => out.push(b"\\t"),
            '"' => out.push(b"\\\""),
            '\\' => out.push(b"\\\\"),
            ' '..='~' => out.push_str(character.encode_utf8(&mut [0; 4])),
            '\0'..='\u{ff}' => push_escape('x', 2, character, out),
            '\u{100}'..='\u{ffff}' => push_escape('u', 4, character, out),
            _ => push_escape('U', 8, character, out),
        }
    }
    out.push(b"\"");
}

/// `\xNN`, `\uNNNN` or `\UNNNNNNNN`, digit by digit: no formatted copy of the character is left behind.
fn push_escape(letter: char, width: u32, character: char, out: &mut SecretBuffer) {
    out.push_str("\\");
    out.push_str(letter.encode_utf8(&mut [0; 4]));
    for place in (0..width).rev() {
        let digit = char::from_digit((u32::from(character) >> (4 * place)) & 0xf, 16).unwrap_or('0');
        out.push_str(digit.to_ascii_uppercase().encode_utf8(&mut [0; 4]));
    }
}

fn push_indent(indent: usize, out: &mut SecretBuffer) {
    for _ in 0..indent {
        out.push(b" ");
    }
}

/// Whether every reader takes `text`, standing plain, for this very string.
fn is_plain_string(text: &str) -> bool {
    Resolved::of_plain(text) == Resolved::Kind(Kind::String)
        && !is_special_elsewhere(text)
        && is_safe_plain(text)
}

/// Where a tag or the form says that `text` is no string, a minus sign in front is safe.
fn is_safe_number(text: &str) -> bool {
    is_safe_plain(text.strip_prefix('-').unwrap_or(text))
}

/// Whether `text` can stand plain in block context. Stricter than YAML, which allows some indicators in front.
fn is_safe_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !text.is_empty()
        && !text.starts_with(INDICATORS)
        && !text.starts_with("...")
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
}

const STEP: usize = 2;
/// `PyYAML`'s emitter stops here too.
const MAX_SIMPLE_KEY: usize = 128;
const INDICATORS: [char; 20] =
    [' ', '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`'];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretValue;
    use crate::yaml::read;

    fn scalar(kind: Kind, text: &str) -> Data {
        Data::Scalar(Scalar::new(kind, SecretValue::copy_of(text)))
    }

    fn written(data: &Data) -> String {
        let mut out = SecretBuffer::new();
        write(data, &mut out);
        // EXPOSE: a test
        out.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn parts_are_the_document_and_each_stands_for_itself() {
        let text = b"parameter_defaults:\n  A: 1\n  B:\n    c: [x, y]\n    d: {}\n  \"E\\n\": |\n    two\n    lines\n";
        let whole = read(text, "test").unwrap();
        let Some(Data::Map(entries)) = whole.under("parameter_defaults") else { unreachable!() };
        for (key, document) in [
            (Some("parameter_defaults"), written(&whole)),
            (None, written(whole.under("parameter_defaults").unwrap())),
        ] {
            let mut out = SecretBuffer::new();
            let parts = write_in_parts(key, entries, &mut out);
            // EXPOSE: a test
            let text = out.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
            assert_eq!((&text, parts.len(), parts.last().unwrap().end), (&document, 3, text.len()));
            let part = |range: Range<usize>| text.get(range).unwrap();
            let alone = format!("{}{}", part(0..parts[0].start), part(parts[1].clone()));
            let alone = read(alone.as_bytes(), "test").unwrap();
            let map = key.map_or(&alone, |key| alone.under(key).unwrap());
            let Data::Map(only) = map else { unreachable!() };
            assert!(only.len() == 1 && only[0].0.is("B") && only[0].1.same(&entries[1].1));
        }
        let mut out = SecretBuffer::new();
        assert!(write_in_parts(Some("parameter_defaults"), &[], &mut out).is_empty());
        // EXPOSE: a test
        assert!(out.expose(|bytes| bytes == b"parameter_defaults: {}\n"));
    }

    #[test]
    fn a_string_stands_plain_when_nothing_else_can_be_meant() {
        for text in [
            "jFmY8FTp",
            "AQCQ+mPk==",
            "ssh-rsa AAAA x@y",
            "/etc/keystone/0",
            "a:b",
            "a#b",
            "2024-1-1",
            "1.2.3",
            "~a",
        ] {
            assert_eq!(written(&scalar(Kind::String, text)), format!("{text}\n"));
        }
    }

    #[test]
    fn a_string_is_quoted_when_a_reader_may_take_it_for_something_else() {
        let resolved = [
            "",
            "~",
            "yes",
            "Off",
            "null",
            "12",
            "0x1f",
            "1_000",
            "1:30",
            "1.",
            ".inf",
            "2024-01-01",
            "<<",
            "=",
        ];
        let elsewhere = ["1e5", "12e03", "0o17", "08", "-.5", "y", "N"];
        let indicators =
            ["-a", "- a", "?", ":a", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", "{a", "[a", ",a", "#a"];
        let spaces = [" a", "a ", "a: b", "a:", "a #b", "---", "...", "... a"];
        for text in resolved.into_iter().chain(elsewhere).chain(indicators).chain(spaces) {
            assert_eq!(written(&scalar(Kind::String, text)), format!("\"{text}\"\n"));
        }
    }

    #[test]
    fn what_is_no_printable_ascii_is_escaped_on_one_line() {
        let text = "a\n\t\"\\'\r\0\u{7f}\u{85}é\u{2028}\u{feff}😀";
        let expected = r#""a\n\t\"\\'\x0D\x00\x7F\x85\xE9\u2028\uFEFF\U0001F600""#;
        assert_eq!(written(&scalar(Kind::String, text)), format!("{expected}\n"));
    }

    #[test]
    fn what_is_no_string_keeps_its_type() {
        let table = [
            (Kind::Null, "~", "null"),
            (Kind::Bool, "Yes", "true"),
            (Kind::Bool, "OFF", "false"),
            (Kind::Int, "-5", "-5"),
            (Kind::Int, "0777", "0777"),
            (Kind::Int, "1\n- 2", r#"!!int "1\n- 2""#),
            (Kind::Float, "1.5", "1.5"),
            (Kind::Float, "1e22", "!!float 1e22"),
            (Kind::Float, "-1E3", "!!float -1E3"),
            (Kind::Timestamp, "2024-01-01", "2024-01-01"),
            (Kind::Timestamp, "2024-01-01\t1:00:00", r#"!!timestamp "2024-01-01\t1:00:00""#),
            (Kind::Binary, "QUJD", "!!binary QUJD"),
            (Kind::Binary, "", r#"!!binary """#),
        ];
        for (kind, text, expected) in table {
            assert_eq!(written(&scalar(kind, text)), format!("{expected}\n"));
        }
    }

    #[test]
    fn lists_and_maps_stand_in_block_style() {
        let yaml = "passwords:\n  AdminPassword: x\n  List:\n  - a\n  - - b\n    - c\n  - d: 1\n    e:\n    - 2\n  Empty: []\nnone: {}\n";
        assert_eq!(written(&read(yaml.as_bytes(), "f").unwrap()), yaml);
        assert_eq!(written(&Data::List(Vec::new())), "[]\n");
        assert_eq!(written(&Data::Map(Vec::new())), "{}\n");
    }

    #[test]
    fn a_long_key_stands_alone() {
        let key = "k".repeat(129);
        let data = scalar(Kind::Int, "1").wrapped("a").wrapped(&key);
        assert_eq!(written(&data), format!("? {key}\n:\n  a: 1\n"));
        assert_eq!(written(&scalar(Kind::Int, "1").wrapped(&key)), format!("? {key}\n: 1\n"));
    }
}
