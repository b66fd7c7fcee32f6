//! JSON in and out of [`Data`], with every digit of a number kept.
//!
//! It stands apart because what it reads may hold secrets, and because what it writes must read the same for a JSON
//! parser and for heatclient, which loads `.json` environment files with `PyYAML`.
//!
//! # What this does not do
//!
//! `serde_json` keeps its own copies of what it reads; the binary's zeroizing allocator wipes them.

use serde_json::Value;

use crate::model::{Data, Kind, Scalar};
use crate::report::Hint;
use crate::secret::{SecretBuffer, SecretValue};

/// Why a text is not JSON. It never repeats the text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}:{column}: expected JSON")]
#[non_exhaustive]
pub struct JsonError {
    /// What was read.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1; 0 where the end came too early.
    pub column: usize,
}

impl Hint for JsonError {
    fn hint(&self) -> String {
        String::from("look at that place: a bracket, a quote or a comma is missing or too much")
    }
}

/// Reads one JSON text; `name` stands for it in errors.
///
/// # Errors
///
/// [`JsonError`] when it is not one JSON value (RFC 8259), or nested more than 128 deep.
pub fn read(text: &[u8], name: &str) -> Result<Data, JsonError> {
    serde_json::from_slice(text).map(from_value).map_err(|error| JsonError {
        name: name.to_owned(),
        line: error.line(),
        column: error.column(),
    })
}

/// Writes `data` with two spaces of indent, order kept, and a newline at the end.
pub fn write(data: &Data, out: &mut SecretBuffer) {
    write_value(data, 0, out);
    out.push(b"\n");
}

/// Appends `text` as a JSON string, quotes included.
pub fn write_string(text: &str, out: &mut SecretBuffer) {
    out.push(b"\"");
    let mut plain_from = 0;
    for (at, character) in text.char_indices() {
        if !needs_escape(character) {
            continue;
        }
        out.push(text.as_bytes().get(plain_from..at).unwrap_or_default());
        plain_from = at + character.len_utf8();
        match character {
            '"' => out.push(b"\\\""),
            '\\' => out.push(b"\\\\"),
            '\n' => out.push(b"\\n"),
            '\r' => out.push(b"\\r"),
            '\t' => out.push(b"\\t"),
            other => out.push_str(&format!("\\u{:04x}", u32::from(other))),
        }
    }
    out.push(text.as_bytes().get(plain_from..).unwrap_or_default());
    out.push(b"\"");
}

// Beyond what JSON asks for: characters that PyYAML refuses or takes for a line's end (YAML 1.1 §5.1, §5.4)
const fn needs_escape(character: char) -> bool {
    matches!(
        character,
        '"' | '\\' | '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

fn from_value(value: Value) -> Data {
    match value {
        Value::Null => scalar(Kind::Null, "null"),
        Value::Bool(true) => scalar(Kind::Bool, "true"),
        Value::Bool(false) => scalar(Kind::Bool, "false"),
        Value::Number(number) => from_number(number.as_str()),
        Value::String(text) => Data::Scalar(Scalar::new(Kind::String, SecretValue::take(text))),
        Value::Array(values) => Data::List(values.into_iter().map(from_value).collect()),
        Value::Object(map) => Data::Map(map.into_iter().map(from_entry).collect()),
    }
}

fn from_entry((key, value): (String, Value)) -> (Scalar, Data) {
    (Scalar::new(Kind::String, SecretValue::take(key)), from_value(value))
}

fn from_number(digits: &str) -> Data {
    let kind = if digits.contains(['.', 'e', 'E']) { Kind::Float } else { Kind::Int };
    scalar(kind, digits)
}

fn scalar(kind: Kind, text: &str) -> Data {
    Data::Scalar(Scalar::new(kind, SecretValue::copy_of(text)))
}

fn write_value(data: &Data, depth: usize, out: &mut SecretBuffer) {
    match data {
        Data::Scalar(scalar) => write_scalar(scalar, out),
        Data::List(items) => {
            write_items(items, *b"[]", depth, out, |item, out| write_value(item, depth + 1, out));
        }
        Data::Map(entries) => write_items(entries, *b"{}", depth, out, |(key, value), out| {
            // EXPOSE: into a buffer that is wiped
            key.text.expose(|text| write_string(text, out));
            out.push(b": ");
            write_value(value, depth + 1, out);
        }),
    }
}

fn write_items<T>(
    items: &[T],
    [open, close]: [u8; 2],
    depth: usize,
    out: &mut SecretBuffer,
    mut write_one: impl FnMut(&T, &mut SecretBuffer),
) {
    out.push(&[open]);
    for (position, item) in items.iter().enumerate() {
        out.push(if position == 0 { b"\n" } else { b",\n" });
        indent(depth + 1, out);
        write_one(item, out);
    }
    if !items.is_empty() {
        out.push(b"\n");
        indent(depth, out);
    }
    out.push(&[close]);
}

fn indent(depth: usize, out: &mut SecretBuffer) {
    for _ in 0..depth {
        out.push(b"  ");
    }
}

fn write_scalar(scalar: &Scalar, out: &mut SecretBuffer) {
    // EXPOSE: into a buffer that is wiped
    scalar.text.expose(|text| match scalar.kind {
        Kind::Null => out.push(b"null"),
        Kind::Bool | Kind::Int => out.push_str(text),
        Kind::Float => write_float(text, out),
        Kind::String | Kind::Binary | Kind::Timestamp => write_string(text, out),
    });
}

// PyYAML takes `1e22` for text: its floats have a dot, and a sign in the exponent. JSON does not mind either.
fn write_float(digits: &str, out: &mut SecretBuffer) {
    let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) else { return out.push_str(digits) };
    out.push_str(mantissa);
    if !mantissa.contains('.') {
        out.push(b".0");
    }
    out.push(b"e");
    if !exponent.starts_with(['+', '-']) {
        out.push(b"+");
    }
    out.push_str(exponent);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> String {
        let mut out = SecretBuffer::new();
        write(&read(text.as_bytes(), "test").unwrap(), &mut out);
        // EXPOSE: made up
        out.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn numbers_keep_their_digits() {
        for digits in ["9007199254740993", "123456789012345678901234567890", "16.0", "-0", "1.5e-7", "0.10"] {
            assert_eq!(rewritten(digits), format!("{digits}\n"));
        }
    }

    #[test]
    fn a_float_that_python_wrote_without_a_dot_gets_one_so_that_pyyaml_sees_a_float() {
        assert_eq!(rewritten("1e22"), "1.0e+22\n");
        assert_eq!(rewritten("1e-07"), "1.0e-07\n");
        assert_eq!(rewritten("2.5E3"), "2.5e+3\n");
    }

    #[test]
    fn order_is_kept_and_the_layout_is_jqs() {
        let text =
            "{\n  \"b\": [\n    1,\n    {\n      \"z\": null\n    }\n  ],\n  \"a\": {},\n  \"c\": []\n}\n";
        assert_eq!(rewritten(text), text);
    }

    #[test]
    fn text_that_pyyaml_would_trip_over_is_escaped() {
        assert_eq!(
            rewritten(r#""\u007f\u0085\u2028\ufeff\"\\\n密🔑""#),
            "\"\\u007f\\u0085\\u2028\\ufeff\\\"\\\\\\n密🔑\"\n"
        );
    }

    #[test]
    fn an_error_names_the_place_and_never_the_text() {
        let error = read(b"{\n \"a\": hunter2 }", "GlobalConfig").unwrap_err();
        assert_eq!(error.to_string(), "GlobalConfig:2:7: expected JSON");
    }

    #[test]
    fn a_text_nested_too_deep_is_an_error_and_no_crash() {
        assert!(read("[".repeat(100_000).as_bytes(), "bomb").is_err());
    }
}
