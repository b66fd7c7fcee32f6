use std::str::from_utf8;

use super::compose::compose;
use super::construct::construct;
use super::error::{Place, YamlError};
use crate::model::Data;

/// Reads one YAML document as `PyYAML`'s `safe_load` does. `name` is what errors call the file.
///
/// An empty document is null, and a null has no text. Of equal keys the last value counts, at the place of the first.
/// Aliases become copies.
///
/// # Errors
///
/// Each variant of [`YamlError`] says what it is for. None holds text of the file.
pub fn read(text: &[u8], name: &str) -> Result<Data, YamlError> {
    let text = decode(text, name)?;
    check_printable(text, name)?;
    match compose(text, name)? {
        Some(root) => construct(&root, name, text.len()),
        None => Ok(Data::Scalar(super::construct::null())),
    }
}

/// The text without its byte order mark.
fn decode<'a>(bytes: &'a [u8], name: &str) -> Result<&'a str, YamlError> {
    let text = from_utf8(bytes).map_err(|error| {
        let before =
            bytes.get(..error.valid_up_to()).and_then(|good| from_utf8(good).ok()).unwrap_or_default();
        YamlError::NotUtf8 { at: place_after(before, name) }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Refuses what `PyYAML`'s reader refuses, and three characters more: U+0085, U+2028 and U+2029 are line breaks in
/// YAML 1.1 and letters in 1.2, so that the parser would read another value.
fn check_printable(text: &str, name: &str) -> Result<(), YamlError> {
    match text.char_indices().find(|(_, character)| !is_printable(*character)) {
        Some((index, _)) => {
            let before = text.get(..index).unwrap_or_default();
            Err(YamlError::Unprintable { at: place_after(before, name) })
        }
        None => Ok(()),
    }
}

const fn is_printable(character: char) -> bool {
    matches!(character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}'
        | '\u{10000}'..)
}

fn place_after(before: &str, name: &str) -> Place {
    let line_start = before.rfind('\n').map_or(0, |index| index + 1);
    Place {
        name: name.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    fn error(yaml: &str) -> String {
        read(yaml.as_bytes(), "f").unwrap_err().to_string()
    }

    fn is(data: &Data, kind: Kind, text: &str) -> bool {
        matches!(data, Data::Scalar(scalar) if scalar.kind == kind && scalar.is(text))
    }

    #[test]
    fn a_scalar_keeps_its_text_and_has_its_type() {
        let data = read(
            b"\xef\xbb\xbfa: 12e03\nb: 0777\nc: '0777'\nd: !!float 1e22\ne: !!binary |\n  QU\n  JD",
            "f",
        );
        let data = data.unwrap();
        assert!(is(data.under("a").unwrap(), Kind::String, "12e03"));
        assert!(is(data.under("b").unwrap(), Kind::Int, "0777"));
        assert!(is(data.under("c").unwrap(), Kind::String, "0777"));
        assert!(is(data.under("d").unwrap(), Kind::Float, "1e22"));
        assert!(is(data.under("e").unwrap(), Kind::Binary, "QUJD"));
    }

    #[test]
    fn an_empty_document_is_null() {
        for yaml in ["", "# comment\n", "---\n", "\u{feff}"] {
            assert!(is(&read(yaml.as_bytes(), "f").unwrap(), Kind::Null, ""), "{yaml:?}");
        }
    }

    #[test]
    fn of_equal_keys_the_last_value_stands_at_the_place_of_the_first() {
        let data = read(b"{a: 1, ~: 2, yes: 3, a: 4, null: 5, 'yes': 6, true: 7}", "f").unwrap();
        let Data::Map(entries) = data else { panic!("a map") };
        let values = ["4", "5", "7", "6"];
        assert_eq!(entries.len(), values.len());
        assert!(entries.iter().zip(values).all(|((_, value), expected)| is(value, Kind::Int, expected)));
    }

    #[test]
    fn a_maps_own_key_wins_over_a_merged_one_and_the_first_merged_map_over_the_second() {
        let data =
            read(b"- &a {x: 1, y: 1, z: 1}\n- &b {x: 2, y: 2, w: 2}\n- {y: 3, <<: [*a, *b]}\n", "f").unwrap();
        let Data::List(items) = data else { panic!("a list") };
        for (key, expected) in [("x", "1"), ("y", "3"), ("z", "1"), ("w", "2")] {
            assert!(is(items[2].under(key).unwrap(), Kind::Int, expected), "{key}");
        }
    }

    #[test]
    fn a_block_that_ends_with_the_file_gets_no_line_break() {
        for yaml in ["a: |\n  x\n  y", "a: |+\n  x\n  y", "a: |-\n  x\n  y", "a: |-\n  x\n  y\n"] {
            assert!(
                is(read(yaml.as_bytes(), "f").unwrap().under("a").unwrap(), Kind::String, "x\ny"),
                "{yaml:?}"
            );
        }
    }

    #[test]
    fn an_error_says_where_and_never_what_stands_there() {
        let table = [
            ("a: 1\n--- \nhunter2\n", "f:2:1: expected one document"),
            ("a:\n  !!int hunter2\n", "f:2:9: expected text that is valid for an integer"),
            ("a: 2024-13-01\n", "f:1:4: expected text that is valid for a date"),
            ("a: {<<: hunter2}\n", "f:1:9: expected `<<`"),
            ("a: [<<]\n", "f:1:5: expected `<<`"),
            ("hunter2: {? [hunter2] : 1}\n", "f:1:13: expected a key"),
            ("a: {{ hunter2 }}\n", "f:1:5: expected a key"),
            ("a: 1\nb: 'hunter2\n", "f:3:1: this is not YAML"),
            ("a: *hunter2\n", "f:1:4: this is not YAML"),
            ("a: &hunter2 [*hunter2]\n", "f:1:14: expected an alias"),
            ("a: &hunter2:x 1\n", "f:1:4: expected an anchor"),
            ("a: &hunter2 1\nb: &hunter2 2\n", "f:2:4: expected an anchor"),
            ("a: 'é\thunter2\u{7f}'\n", "f:1:14: expected printable"),
            ("a: hunter2\nb: \u{2028}\n", "f:2:4: expected printable"),
            ("a: !hunter2 x\n", "f:1:4: unsupported tag"),
            ("a: !!set {hunter2}\n", "f:1:4: unsupported tag"),
            ("a: =\n", "f:1:4: expected quotes"),
            ("a: [hunter2?]\n", "f:1:5: this is not YAML"),
        ];
        for (yaml, expected) in table {
            let shown = error(yaml);
            assert!(shown.starts_with(expected), "{yaml:?}: {shown}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        let shown = read(b"a: 1\nb: \xc3\xa9\xff", "f").unwrap_err().to_string();
        assert_eq!(shown, "f:2:5: expected UTF-8");
    }

    #[test]
    fn a_billion_laughs_end_with_an_error() {
        let ten = |level: usize| vec![format!("*a{}", level - 1); 10].join(", ");
        let levels = |line: &dyn Fn(usize) -> String| (1..=9).map(line).collect::<Vec<_>>().concat();
        let list = String::from("a0: &a0 [x]\n") + &levels(&|n| format!("a{n}: &a{n} [{}]\n", ten(n)));
        let merge =
            String::from("a0: &a0 {x: 1}\n") + &levels(&|n| format!("a{n}: &a{n} {{<<: [{}]}}\n", ten(n)));
        let text = format!("a0: &a0 {}\nb:\n", "x".repeat(100_000)) + &"- *a0\n".repeat(1_000);
        for yaml in [list, merge, text] {
            assert!(error(&yaml).contains("expected at most 1000000 values"));
        }
    }

    #[test]
    fn what_nests_deeply_ends_with_an_error() {
        let flow = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(read(flow(128).as_bytes(), "f").is_ok());
        assert_eq!(error(&flow(129)), "f:1:129: expected at most 128 levels of lists and maps");
        assert!(read(flow(100_000).as_bytes(), "f").is_err());
        assert!(read("- ".repeat(100_000).as_bytes(), "f").is_err());
        // No line of it is deep, but each alias adds a level
        let chain: Vec<String> = (1..100_000).map(|n| format!("- &a{n} [*a{}]\n", n - 1)).collect();
        let chain = String::from("- &a0 [x]\n") + &chain.concat();
        assert!(error(&chain).contains("expected at most 128 levels"));
    }

    #[test]
    fn many_keys_are_read_in_a_moment() {
        let lines: Vec<String> = (0..200_000).map(|key| format!("k{key}: v\n")).collect();
        let Data::Map(entries) = read(lines.concat().as_bytes(), "f").unwrap() else { panic!("a map") };
        assert_eq!(entries.len(), 200_000);
    }
}
