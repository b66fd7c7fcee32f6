//! The forms in which a value is written down elsewhere.
//!
//! An encoded form is found by pieces of its end. Encoders wrap their lines, so that a long form stands whole nowhere, but of two
//! pieces next to each other one does. And the beginning of a key is the same for all keys of its kind.

use crate::json;
use crate::secret::SecretBuffer;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_URLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";
/// How much of a value's end is looked for in base64: less than a line of an encoder's (64 or 76 characters).
const BASE64_TAIL: usize = 45;
/// And in hexadecimal, of which a line has 60 digits.
const HEX_TAIL: usize = 30;
/// A shorter piece is found by chance.
const SHORTEST_BASE64: usize = 10;
const SHORTEST_HEX: usize = 16;

/// Writes the forms of values, one after the other into the same wiped memory.
#[derive(Default)]
pub(super) struct Encoder {
    form: SecretBuffer,
    inner: SecretBuffer,
}

impl Encoder {
    /// Gives `each` the encoded forms of `text`: hexadecimal and base64.
    pub(super) fn encoded(&mut self, text: &str, mut each: impl FnMut(&[u8])) {
        for digits in [LOWER, UPPER] {
            let bytes = tail(text.as_bytes(), HEX_TAIL);
            self.fill(|form| bytes.iter().for_each(|byte| push_hex(*byte, digits, form)));
            self.pieces(SHORTEST_HEX, &mut each);
        }
        for alphabet in [STANDARD, FOR_URLS] {
            // What stands before the value decides how its bits fall into characters
            for before in 0..3 {
                self.fill(|form| base64(tail(text.as_bytes(), BASE64_TAIL), before, alphabet, form));
                self.pieces(SHORTEST_BASE64, &mut each);
            }
        }
    }

    /// Gives `each` the forms in which a writer of JSON, YAML or URLs escapes something of `text`.
    pub(super) fn escaped(&mut self, text: &str, mut each: impl FnMut(&[u8])) {
        if text.bytes().all(is_never_escaped) {
            return;
        }
        let mut whole = |form: &SecretBuffer| {
            // EXPOSE: lent on, to be copied into a wiped buffer
            form.expose(|form| {
                if form != text.as_bytes() {
                    each(form);
                }
            });
        };
        self.fill(|form| push_json(text, form));
        whole(&self.form);
        // A text of JSON as a value in another
        std::mem::swap(&mut self.form, &mut self.inner);
        self.form.clear();
        let form = &mut self.form;
        // EXPOSE: from one wiped buffer to another
        self.inner.expose(|inner| push_json(std::str::from_utf8(inner).unwrap_or_default(), form));
        whole(&self.form);
        for style in [Style::Ascii, Style::SingleQuoted, Style::DoubleQuoted] {
            self.fill(|form| text.chars().for_each(|character| push_styled(character, style, form)));
            whole(&self.form);
        }
        for (digits, plain) in [(UPPER, ""), (UPPER, "/"), (LOWER, ""), (UPPER, "!'()*")] {
            self.fill(|form| push_percent(text, digits, plain, false, form));
            whole(&self.form);
        }
        self.fill(|form| push_percent(text, UPPER, "", true, form));
        whole(&self.form);
    }

    fn fill(&mut self, fill: impl FnOnce(&mut SecretBuffer)) {
        self.form.clear();
        fill(&mut self.form);
    }

    /// The form's two halves, or all of it where they would say too little.
    fn pieces(&self, shortest: usize, each: &mut impl FnMut(&[u8])) {
        // EXPOSE: lent on, to be copied into a wiped buffer
        self.form.expose(|form| {
            if form.len() < 2 * shortest {
                each(form);
            } else {
                let (one, other) = form.split_at(form.len() / 2);
                each(one);
                each(other);
            }
        });
    }
}

/// How text is written that is more than letters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// As Python's json does by default.
    Ascii,
    /// As YAML's scalars in single quotes.
    SingleQuoted,
    /// As `PyYAML`'s scalars in double quotes.
    DoubleQuoted,
}

const fn is_never_escaped(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn tail(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(bytes.len().saturating_sub(length)..).unwrap_or_default()
}

fn push_char(character: char, form: &mut SecretBuffer) {
    form.push_str(character.encode_utf8(&mut [0; 4]));
}

/// As a JSON string without its quotes.
fn push_json(text: &str, form: &mut SecretBuffer) {
    let mut quoted = SecretBuffer::new();
    json::write_string(text, &mut quoted);
    // EXPOSE: from one wiped buffer to another
    quoted.expose(|quoted| form.push(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default()));
}

fn push_styled(character: char, style: Style, form: &mut SecretBuffer) {
    match (style, character) {
        (Style::SingleQuoted, '\'') => form.push(b"''"),
        (Style::Ascii | Style::DoubleQuoted, '"') => form.push(b"\\\""),
        (Style::Ascii | Style::DoubleQuoted, '\\') => form.push(b"\\\\"),
        (Style::Ascii | Style::DoubleQuoted, '\n') => form.push(b"\\n"),
        (Style::SingleQuoted, _) | (_, ' '..='~') => push_char(character, form),
        (Style::Ascii, _) => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                form.push_str(&format!("\\u{unit:04x}"));
            }
        }
        (Style::DoubleQuoted, _) => form.push_str(&match u32::from(character) {
            code @ 0..=0xff => format!("\\x{code:02X}"),
            code @ 0x100..=0xffff => format!("\\u{code:04X}"),
            code => format!("\\U{code:08X}"),
        }),
    }
}

fn push_percent(text: &str, digits: &[u8; 16], plain: &str, plus: bool, form: &mut SecretBuffer) {
    for byte in text.bytes() {
        if is_never_escaped(byte) || plain.as_bytes().contains(&byte) {
            form.push(&[byte]);
        } else if plus && byte == b' ' {
            form.push(b"+");
        } else {
            form.push(b"%");
            push_hex(byte, digits, form);
        }
    }
}

fn push_hex(byte: u8, digits: &[u8; 16], form: &mut SecretBuffer) {
    for half in [byte >> 4, byte & 15] {
        form.push(digits.get(usize::from(half)..=usize::from(half)).unwrap_or_default());
    }
}

/// The characters of base64 that are decided by `bytes` alone, where so many bytes stand `before` in the same three.
fn base64(bytes: &[u8], before: usize, alphabet: &[u8; 64], form: &mut SecretBuffer) {
    let mut held = 0_u32;
    let mut bits = 8 * before;
    // The first character that has a bit of what stands before, and of ours
    let mut mixed = usize::from(before > 0);
    bits %= 6;
    for byte in bytes {
        held = (held << 8 | u32::from(*byte)) & 0x3fff;
        bits += 8;
        while bits >= 6 {
            bits -= 6;
            let index = usize::try_from(held >> bits & 63).unwrap_or_default();
            if mixed > 0 {
                mixed -= 1;
            } else {
                form.push(alphabet.get(index..=index).unwrap_or_default());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(text: &str) -> Vec<String> {
        let mut forms = Vec::new();
        let mut encoder = Encoder::default();
        let mut push = |form: &[u8]| forms.push(String::from_utf8(form.to_vec()).unwrap());
        encoder.escaped(text, &mut push);
        encoder.encoded(text, &mut push);
        forms
    }

    #[test]
    fn base64_is_found_at_each_of_its_three_places() {
        // `printf 'not-a-real-secret' | base64`, and with one and two letters before it
        for whole in ["bm90LWEtcmVhbC1zZWNyZXQ=", "eG5vdC1hLXJlYWwtc2VjcmV0", "eHlub3QtYS1yZWFsLXNlY3JldA=="]
        {
            let found =
                forms("not-a-real-secret").iter().filter(|form| whole.contains(form.as_str())).count();
            assert!(found >= 2, "{whole}: {found}");
        }
    }

    #[test]
    fn of_a_short_value_the_characters_that_are_its_own_are_found_whole() {
        let all = forms("?>?>?>?>");
        // `printf '?>?>?>?>' | base64`, and with one and two letters before it: of 64 bits, the characters with six of them
        for form in ["Pz4/Pj8+Pz", "8+Pz4/Pj8+", "/Pj8+Pz4/P", "Pz4_Pj8-Pz"] {
            assert!(all.iter().any(|one| one == form), "{form}: {all:?}");
        }
        assert!(
            all.contains(&String::from("3f3e3f3e3f3e3f3e"))
                && all.contains(&String::from("3F3E3F3E3F3E3F3E"))
        );
    }

    #[test]
    fn what_needs_escapes_is_found_as_each_writer_escapes_it() {
        let all = forms("a\"b\\c d/é'x");
        for form in [
            "a\\\"b\\\\c d/é'x",
            "a\\\\\\\"b\\\\\\\\c d/é'x",
            "a\\\"b\\\\c d/\\u00e9'x",
            "a\\\"b\\\\c d/\\xE9'x",
            "a\"b\\c d/é''x",
            "a%22b%5Cc%20d%2F%C3%A9%27x",
            "a%22b%5Cc%20d/%C3%A9%27x",
            "a%22b%5cc%20d%2f%c3%a9%27x",
            "a%22b%5Cc+d%2F%C3%A9%27x",
        ] {
            assert!(all.iter().any(|one| one == form), "{form}: {all:?}");
        }
    }

    #[test]
    fn a_long_value_is_found_by_two_pieces_of_its_end() {
        let text = "x".repeat(400) + "the-end-of-a-very-long-value-that-an-encoder-wraps";
        let mut encoded = Vec::new();
        Encoder::default().encoded(&text, |form| encoded.push(form.to_vec()));
        assert!(encoded.iter().all(|form| form.len() <= 30));
    }
}
