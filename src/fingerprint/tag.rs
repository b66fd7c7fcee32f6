use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::model::{Data, Kind, ParameterName, Scalar, hex};
use crate::secret::SecretValue;

/// So many bytes of HMAC-SHA256 (RFC 2104) are kept.
const LENGTH: usize = 16;

/// Stands for a value, or for a file's values and recipients. Equal for equal ones, and says nothing without the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(String);

impl Tag {
    /// The tag of a parameter's value: of its types and texts, however a file writes them.
    pub(super) fn of_value(key: &SecretValue, name: &ParameterName, value: &Data) -> Self {
        let mut mac = Tagger::new(key, b"value");
        mac.text(name.as_str());
        mac.data(value);
        mac.end()
    }

    pub(super) fn of_file<'a>(
        key: &SecretValue,
        recipients: impl Iterator<Item = &'a str>,
        values: impl Iterator<Item = (&'a ParameterName, Option<&'a Self>)>,
    ) -> Self {
        let mut mac = Tagger::new(key, b"file");
        for recipient in recipients {
            mac.text(recipient);
        }
        mac.0.update(b"values");
        for (name, tag) in values {
            mac.text(name.as_str());
            mac.text(tag.map_or("", |tag| &tag.0));
        }
        mac.end()
    }
}

struct Tagger(Hmac<Sha256>);

impl Tagger {
    fn new(key: &SecretValue, what: &[u8]) -> Self {
        // EXPOSE: copied into the state of the HMAC, which the allocator and the end of the process wipe
        let mac = key.expose(|key| Hmac::new_from_slice(key.as_bytes()));
        // HMAC takes a key of any length
        let mut tagger = Self(mac.unwrap_or_else(|_| Hmac::new(&[0; 64].into())));
        tagger.0.update(what);
        tagger
    }

    /// With its length, so that two texts are not taken for one.
    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    fn count(&mut self, count: usize) {
        self.0.update(&u64::try_from(count).unwrap_or(u64::MAX).to_be_bytes());
    }

    fn data(&mut self, data: &Data) {
        match data {
            Data::Scalar(scalar) => self.scalar(scalar),
            Data::List(items) => {
                self.0.update(b"L");
                self.count(items.len());
                for item in items {
                    self.data(item);
                }
            }
            Data::Map(entries) => {
                self.0.update(b"M");
                self.count(entries.len());
                for (key, value) in entries {
                    self.scalar(key);
                    self.data(value);
                }
            }
        }
    }

    fn scalar(&mut self, scalar: &Scalar) {
        // EXPOSE: into the state of the HMAC
        scalar.text.expose(|text| match scalar.kind {
            Kind::Null => self.0.update(b"N"),
            // `yes` is `true` once it was written and read again
            Kind::Bool => {
                let is_true = ["true", "yes", "on"].iter().any(|word| text.eq_ignore_ascii_case(word));
                self.0.update(if is_true { b"T" } else { b"F" });
            }
            Kind::Int => self.typed(b"I", text),
            Kind::Float => self.typed(b"D", text),
            Kind::String => self.typed(b"S", text),
            Kind::Binary => self.typed(b"B", text),
            Kind::Timestamp => self.typed(b"W", text),
        });
    }

    fn typed(&mut self, kind: &[u8], text: &str) {
        self.0.update(kind);
        self.text(text);
    }

    fn end(self) -> Tag {
        let bytes = self.0.finalize().into_bytes();
        Tag(hex(bytes.get(..LENGTH).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretBuffer;
    use crate::yaml;

    fn tag(key: &str, text: &str) -> Tag {
        let data = yaml::read(text.as_bytes(), "test").unwrap();
        Tag::of_value(&SecretValue::copy_of(key), &ParameterName::parse("Name").unwrap(), &data)
    }

    #[test]
    fn equal_values_are_equal_however_they_are_written_and_others_are_not() {
        for (one, other) in [("'a'", "a"), ("yes", "true"), ("{a: [1]}", "a:\n- 1\n"), ("~", "null")] {
            assert_eq!(tag("k", one), tag("k", other), "{one}");
        }
        for (one, other) in
            [("1", "'1'"), ("[ab, c]", "[a, bc]"), ("[]", "{}"), ("{a: b}", "[a, b]"), ("no", "yes")]
        {
            assert_ne!(tag("k", one), tag("k", other), "{one}");
        }
        assert_ne!(tag("k", "a"), tag("other key", "a"));
    }

    #[test]
    fn it_is_hmac_sha_256_cut_to_128_bits() {
        // RFC 4231, test case 2
        let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        assert_eq!(Tagger(mac).end().0, "5bdcc146bf60754e6a042426089575c7");
    }

    #[test]
    fn a_value_that_was_sealed_and_read_back_is_not_taken_for_another() {
        let (name, key) = (ParameterName::parse("Name").unwrap(), SecretValue::copy_of("k"));
        let in_yaml = [
            "1_000",
            "0x1F",
            "017",
            "190:20:30",
            "1.0e+5",
            "1e5",
            "-.inf",
            ".nan",
            "12e03",
            "~",
            "''",
            "on",
            "+1",
            "-0",
            "0b11",
            "6.",
            "2001-12-14t21:59:43.10-05:00",
            "2001-12-14",
            "!!binary |\n  aGVs\n  bG8=\n",
            "!!float 1",
            "!!str 3",
            "\"a\\r\\nb\"",
            "\"a\\u0085b \"",
            "|\n  a\n  b\n",
            "[]",
            "{}",
            "{1: a, ~: b}",
            "{a: {b: [c, 1.50, {}]}}",
        ];
        let in_json = ["1e5", "1.50", "1E400", "-0.0", "123456789012345678901234567890", "\"2001-12-14\""];
        let of_yaml = in_yaml.map(|text| (text, yaml::read(text.as_bytes(), "test").unwrap()));
        let of_json = in_json.map(|text| (text, crate::json::read(text.as_bytes(), "test").unwrap()));
        for (text, data) in of_yaml.into_iter().chain(of_json) {
            let before = Tag::of_value(&key, &name, &data);
            let mut written = SecretBuffer::new();
            yaml::write(&data.wrapped("x"), &mut written);
            // EXPOSE: a test
            let read = written.expose(|bytes| yaml::read(bytes, "test")).unwrap();
            assert_eq!(Tag::of_value(&key, &name, read.under("x").unwrap()), before, "{text}");
        }
    }
}
