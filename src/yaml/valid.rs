//! Whether a text is valid for its type: the checks of `PyYAML`'s `constructor.py`.
//!
//! Python accepts a little more, such as spaces around an explicit `!!int`. What is accepted here means the same there.

use crate::model::Kind;
use crate::secret::SecretBuffer;

/// Whether `PyYAML` can make a value of type `kind` out of `text`.
pub(super) fn is_valid(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Null | Kind::String => true,
        Kind::Bool => truth(text).is_some(),
        Kind::Int => without_underscores(text, is_int),
        Kind::Float => without_underscores(text, is_float),
        Kind::Binary => is_base64(text),
        Kind::Timestamp => Timestamp::parse(text).is_some_and(|timestamp| timestamp.exists()),
    }
}

/// What a bool says, in any casing.
pub(super) fn truth(text: &str) -> Option<bool> {
    let any = |words: [&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    match (any(["yes", "true", "on"]), any(["no", "false", "off"])) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// A date and perhaps a time, in numbers.
#[derive(Debug)]
pub(super) struct Timestamp {
    year: u32,
    month: u32,
    day: u32,
    time: Option<Time>,
}

#[derive(Debug)]
struct Time {
    hour: u32,
    minute: u32,
    second: u32,
    zone_minutes: u32,
}

impl Timestamp {
    /// The form alone: `2024-1-1`, `2024-01-01 12:30:00.5 +2:00`. The numbers may be out of range.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let year = number(&mut rest, 4, 4)?;
        let month = mark(&mut rest, '-').then(|| number(&mut rest, 1, 2))??;
        let day = mark(&mut rest, '-').then(|| number(&mut rest, 1, 2))??;
        let time = if rest.is_empty() { None } else { Some(Time::parse(rest)?) };
        Some(Self { year, month, day, time })
    }

    pub(super) const fn has_time(&self) -> bool {
        self.time.is_some()
    }

    /// Whether Python's `datetime` takes the numbers.
    fn exists(&self) -> bool {
        let time = self.time.as_ref().is_none_or(|time| {
            time.hour < 24 && time.minute < 60 && time.second < 60 && time.zone_minutes < 24 * 60
        });
        time && self.year > 0 && (1..=self.days_in_month()).contains(&self.day)
    }

    const fn days_in_month(&self) -> u32 {
        let leap =
            self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        match self.month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        }
    }
}

impl Time {
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix(['T', 't']).unwrap_or_else(|| text.trim_start_matches([' ', '\t']));
        if rest.len() == text.len() {
            return None;
        }
        let hour = number(&mut rest, 1, 2)?;
        let minute = mark(&mut rest, ':').then(|| number(&mut rest, 2, 2))??;
        let second = mark(&mut rest, ':').then(|| number(&mut rest, 2, 2))??;
        if mark(&mut rest, '.') {
            rest = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
        }
        let zone_minutes = if rest.is_empty() { 0 } else { zone(rest.trim_start_matches([' ', '\t']))? };
        Some(Self { hour, minute, second, zone_minutes })
    }
}

/// `Z`, `+2`, `-02:30`: how many minutes from UTC, without the sign.
fn zone(text: &str) -> Option<u32> {
    if text == "Z" {
        return Some(0);
    }
    let mut rest = text.strip_prefix(['-', '+'])?;
    let hours = number(&mut rest, 1, 2)?;
    let minutes = if mark(&mut rest, ':') { number(&mut rest, 2, 2)? } else { 0 };
    rest.is_empty().then_some(hours * 60 + minutes)
}

/// Takes a number of `least` to `most` digits off the front of `rest`.
fn number(rest: &mut &str, least: usize, most: usize) -> Option<u32> {
    let width = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (digits, after) = rest.split_at_checked(width).filter(|_| width >= least)?;
    *rest = after;
    digits.parse().ok()
}

/// Takes `expected` off the front of `rest` if it stands there.
fn mark(rest: &mut &str, expected: char) -> bool {
    let after = rest.strip_prefix(expected);
    *rest = after.unwrap_or(rest);
    after.is_some()
}

fn without_underscores(text: &str, check: impl Fn(&str) -> bool) -> bool {
    if !text.contains('_') {
        return check(text);
    }
    let mut digits = SecretBuffer::with_capacity(text.len());
    text.split('_').for_each(|part| digits.push_str(part));
    // EXPOSE: a number is looked at in place
    digits.expose(|bytes| std::str::from_utf8(bytes).is_ok_and(check))
}

fn is_int(text: &str) -> bool {
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    let all = |digits: &str, radix| !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    match bare.strip_prefix('0') {
        Some("") => true,
        // Python's int(text, 8) knows the prefix of YAML 1.2 as well
        Some(rest) => match (rest.strip_prefix('b'), rest.strip_prefix('x'), rest.strip_prefix(['o', 'O'])) {
            (Some(binary), _, _) => all(binary, 2),
            (_, Some(hex), _) => all(hex, 16),
            (_, _, Some(octal)) => all(octal, 8),
            _ => all(rest, 8),
        },
        None => bare.split(':').all(|part| all(part, 10)),
    }
}

fn is_float(text: &str) -> bool {
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    let special = [".inf", ".nan"].iter().any(|word| word.eq_ignore_ascii_case(bare));
    // Without underscores and spaces, Rust and Python agree on what a decimal number is
    special || bare.split(':').all(|part| part.parse::<f64>().is_ok())
}

/// Base64 with its padding. Python skips what is none; here only line breaks and spaces are.
fn is_base64(text: &str) -> bool {
    let (mut digits, mut pads) = (0_usize, 0_usize);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        match byte {
            b'=' => pads += 1,
            b'+' | b'/' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' if pads == 0 => digits += 1,
            _ => return false,
        }
    }
    pads < 3 && (digits + pads) % 4 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(is_valid(kind, text), "{kind:?} {text}");
        }
        for text in bad {
            assert!(!is_valid(kind, text), "{kind:?} {text}");
        }
    }

    #[test]
    fn numbers_are_checked_as_python_builds_them() {
        check(
            Kind::Int,
            &["0", "-0_", "0b1_", "0xf", "017", "0o17", "1:99"],
            &["", "-", "0b_", "0x", "08", "0:30", "1e5", "1."],
        );
        check(
            Kind::Float,
            &["1e22", "1:30.5", ".5_", "-.INF", "5."],
            &["", "_", "x", "0x1", ".", "1:", "1 "],
        );
        check(Kind::Bool, &["tRuE", "no"], &["y", "", "1"]);
    }

    #[test]
    fn a_date_must_exist() {
        check(
            Kind::Timestamp,
            &["2024-02-29", "2000-2-29", "0001-1-1", "2024-01-01t23:59:59.\t-23:59", "2024-12-31 0:00:00Z"],
            &[
                "2023-02-29",
                "1900-02-29",
                "2024-13-01",
                "2024-00-01",
                "2024-01-00",
                "0000-01-01",
                "2024-04-31",
            ],
        );
        check(
            Kind::Timestamp,
            &[],
            &["2024-01-01 24:00:00", "2024-01-01 00:00:60", "2024-01-01T00:00:00+24"],
        );
    }

    #[test]
    fn base64_must_be_whole() {
        check(
            Kind::Binary,
            &["", "QUJD", "QUI=", "QQ==\n", "QU\n JD"],
            &["Q", "QQ=", "QQ", "Q===", "QQ==QQ==", "Q-_=", "é"],
        );
    }
}
