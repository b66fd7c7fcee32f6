//! The type of a plain scalar: the regular expressions of `PyYAML`'s `resolver.py`, by hand.

use super::valid::Timestamp;
use crate::model::Kind;

/// The type that `PyYAML`'s `SafeLoader` gives to a scalar which stands without quotes and without a tag.
///
/// `<<` and `=` have types of their own in YAML 1.1, which no value may have; here they count as strings.
#[must_use]
pub fn resolve_plain(text: &str) -> Kind {
    match Resolved::of_plain(text) {
        Resolved::Kind(kind) => kind,
        Resolved::Merge | Resolved::Value => Kind::String,
    }
}

/// What a scalar turns out to be, with the two that are no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolved {
    Kind(Kind),
    /// `<<`
    Merge,
    /// `=`
    Value,
}

impl Resolved {
    pub(super) fn of_plain(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Self::Kind(Kind::Null),
            "<<" => Self::Merge,
            "=" => Self::Value,
            _ if is_bool(text) => Self::Kind(Kind::Bool),
            // The order of PyYAML: floats are tried before ints, ints before timestamps
            _ if is_float(text) => Self::Kind(Kind::Float),
            _ if is_int(text) => Self::Kind(Kind::Int),
            _ if is_timestamp(text) => Self::Kind(Kind::Timestamp),
            _ => Self::Kind(Kind::String),
        }
    }
}

/// Whether the core schema of YAML 1.2 takes `text` for something other than a string, or an old YAML 1.1 reader does
/// (`y` and `n`).
pub(super) fn is_special_elsewhere(text: &str) -> bool {
    let bare = unsigned(text);
    matches!(text, "y" | "Y" | "n" | "N")
        || (!bare.is_empty() && all(bare, is_digit))
        || text.strip_prefix("0o").is_some_and(|octal| !octal.is_empty() && all(octal, is_octal))
        || is_core_float(bare)
        || matches!(bare, ".inf" | ".Inf" | ".INF")
}

fn is_bool(text: &str) -> bool {
    matches!(
        text,
        "yes" | "Yes" | "YES" | "no" | "No" | "NO" | "true" | "True" | "TRUE" | "false" | "False" | "FALSE"
    ) || matches!(text, "on" | "On" | "ON" | "off" | "Off" | "OFF")
}

/// `12.5`, `1_0.`, `1.5e+3`, `.5`, `1:30.5`, `-.inf`, `.nan`; not `1e5`, not `1.0e5`, not `-.5`.
fn is_float(text: &str) -> bool {
    let bare = unsigned(text);
    if matches!(bare, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    match bare.split_once('.') {
        None => false,
        // PyYAML allows no sign here
        Some(("", fraction)) => {
            bare.len() == text.len() && starts_with_digit(fraction) && is_fraction(fraction)
        }
        Some((whole, fraction)) => {
            (is_number(whole) && is_fraction(fraction))
                || (is_sexagesimal(whole) && all(fraction, is_digit_or_underscore))
        }
    }
}

/// `[0-9_]*(?:[eE][-+][0-9]+)?`
fn is_fraction(text: &str) -> bool {
    match text.split_once(['e', 'E']) {
        None => all(text, is_digit_or_underscore),
        Some((digits, exponent)) => {
            let power = exponent.strip_prefix(['-', '+']);
            all(digits, is_digit_or_underscore)
                && power.is_some_and(|power| !power.is_empty() && all(power, is_digit))
        }
    }
}

/// `0b1`, `017`, `1_000`, `0x1f`, `12:30`; not `08`.
fn is_int(text: &str) -> bool {
    let bare = unsigned(text);
    if bare == "0" {
        return true;
    }
    match bare.strip_prefix('0') {
        Some(rest) => {
            all(rest, is_octal_or_underscore)
                || is_prefixed(rest, 'b', |byte| matches!(byte, b'0' | b'1' | b'_'))
                || is_prefixed(rest, 'x', |byte| byte.is_ascii_hexdigit() || byte == b'_')
        }
        None => is_number(bare) || is_sexagesimal(bare),
    }
}

fn is_prefixed(text: &str, prefix: char, allowed: impl Fn(u8) -> bool) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| !digits.is_empty() && all(digits, allowed))
}

/// A full date, or a date of any width with a time.
fn is_timestamp(text: &str) -> bool {
    Timestamp::parse(text).is_some_and(|timestamp| timestamp.has_time() || text.len() == "2000-01-01".len())
}

/// `[0-9][0-9_]*(?::[0-5]?[0-9])+`
fn is_sexagesimal(text: &str) -> bool {
    text.split_once(':').is_some_and(|(head, rest)| is_number(head) && rest.split(':').all(is_sixtieth))
}

fn is_sixtieth(text: &str) -> bool {
    match text.as_bytes() {
        [units] => is_digit(*units),
        [tens, units] => matches!(tens, b'0'..=b'5') && is_digit(*units),
        _ => false,
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, without its sign.
fn is_core_float(bare: &str) -> bool {
    let (number, power) = match bare.split_once(['e', 'E']) {
        Some((number, power)) => (number, Some(unsigned(power))),
        None => (bare, None),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    all(whole, is_digit)
        && all(fraction, is_digit)
        && !(whole.is_empty() && fraction.is_empty())
        && power.is_none_or(|power| !power.is_empty() && all(power, is_digit))
}

/// `[0-9][0-9_]*`
fn is_number(text: &str) -> bool {
    starts_with_digit(text) && all(text, is_digit_or_underscore)
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn starts_with_digit(text: &str) -> bool {
    text.bytes().next().is_some_and(is_digit)
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(allowed)
}

const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

const fn is_octal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'7')
}

const fn is_digit_or_underscore(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'_'
}

const fn is_octal_or_underscore(byte: u8) -> bool {
    matches!(byte, b'0'..=b'7' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_scalar_has_the_type_that_pyyaml_gives_it() {
        let table: [(Kind, &[&str]); 6] = [
            (Kind::Null, &["", "~", "null", "Null", "NULL"]),
            (Kind::Bool, &["yes", "No", "ON", "off", "true", "False", "TRUE"]),
            (
                Kind::Int,
                &["0", "-0", "00", "0777", "0_7", "1_", "1__0", "+0b1_0", "0x_1", "0_", "1:30", "190:20:30"],
            ),
            (
                Kind::Float,
                &["1.", "1_0.5_", "1.5e+3", ".5", ".5E-1", "0:30.", "01:30.5_", "-.INF", ".NaN", "08.5"],
            ),
            (Kind::Timestamp, &["2024-01-01", "2024-1-1 1:00:00", "2024-01-01T00:00:00.1 -1:30"]),
            (
                Kind::String,
                &["y", "nUll", "tRue", "08", "0o17", "1e5", "1.0e5", "1e+5", "-.5", "+.nan", "0:30", "1:60"],
            ),
        ];
        for (kind, texts) in table {
            for text in texts {
                assert_eq!(resolve_plain(text), kind, "{text}");
            }
        }
        for text in
            ["2024-1-1", "2024-01-01 00:00:00 ", "2024-01-01t0:0:00", "1:", ":1", "_1", "0b", "0x", "+", "."]
        {
            assert_eq!(resolve_plain(text), Kind::String, "{text}");
        }
    }

    #[test]
    fn what_only_other_readers_take_for_a_number_is_known() {
        for text in ["1e5", "12e03", "1.0e5", "-.5", "+5E+5", "0o17", "08", "-09", "y", "N", "+.inf", "5.e5"]
        {
            assert!(is_special_elsewhere(text), "{text}");
        }
        for text in
            ["", "e5", ".", ".e5", "1e", "1e+", "0o", "0o8", "0x", "yy", "1f5", "1.2.3", "a", "+", "+-1"]
        {
            assert!(!is_special_elsewhere(text), "{text}");
        }
    }
}
