//! A value of a plan, a stack output or an environment file, as exact as Python's readers see it.

use crate::secret::SecretValue;

/// What type a scalar has for Python: `PyYAML`'s for YAML (1.1 rules), `json`'s for JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true`; in YAML 1.1 also `yes` and `on`.
    Bool,
    /// Any number of digits; in YAML 1.1 also `0x1f`, `017`, `1_000` and `12:30`.
    Int,
    /// A number with a dot; in JSON also one with an exponent alone.
    Float,
    /// Text.
    String,
    /// `!!binary`: the text is its base64.
    Binary,
    /// A date, with or without a time. The text is kept as it stands.
    Timestamp,
}

/// One value that holds no others: its type, and its text as it was read.
///
/// Every scalar is held as a secret. What is public is decided later, by the guard, and never by where it came from.
#[derive(Debug)]
#[non_exhaustive]
pub struct Scalar {
    /// The type that Python gives it.
    pub kind: Kind,
    /// The text without quotes and escapes; for numbers the digits as they were written.
    pub text: SecretValue,
}

/// A key and its value, in the order in which they were read.
pub type Entry = (Scalar, Data);

/// A tree of values. Order is kept, numbers keep their digits.
#[derive(Debug)]
#[non_exhaustive]
pub enum Data {
    /// A single value.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Self>),
    /// A mapping: each key once; of duplicates the last value counts, as for Python.
    Map(Vec<Entry>),
}

impl Scalar {
    /// A scalar of the given kind.
    #[must_use]
    pub const fn new(kind: Kind, text: SecretValue) -> Self {
        Self { kind, text }
    }

    /// Text that we wrote ourselves, such as a parameter's name.
    #[must_use]
    pub fn string(text: &str) -> Self {
        Self::new(Kind::String, SecretValue::copy_of(text))
    }

    /// Whether the text is `other`.
    #[must_use]
    pub fn is(&self, other: &str) -> bool {
        // EXPOSE: compared in place, with a name that is public
        self.text.expose(|text| text == other)
    }
}

impl Data {
    /// A map that holds one entry: the `parameter_defaults` of an environment file, say.
    #[must_use]
    pub fn wrapped(self, key: &str) -> Self {
        Self::Map(vec![(Scalar::string(key), self)])
    }

    /// The value under `key`, when this is a map that has it.
    #[must_use]
    pub fn under(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name.is(key)).map(|(_, value)| value)
    }

    /// Whether both hold the same values, of the same types, in the same order.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let texts = |one: &Scalar, other: &Scalar| {
            // EXPOSE: compared in place
            one.kind == other.kind && one.text.expose(|one| other.is(one))
        };
        match (self, other) {
            (Self::Scalar(one), Self::Scalar(other)) => texts(one, other),
            (Self::List(one), Self::List(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.same(other))
            }
            (Self::Map(one), Self::Map(other)) => {
                let entries = |((key, value), (other_key, other)): (&Entry, &Entry)| {
                    texts(key, other_key) && value.same(other)
                };
                one.len() == other.len() && one.iter().zip(other).all(entries)
            }
            (Self::Scalar(_) | Self::List(_) | Self::Map(_), _) => false,
        }
    }

    /// Takes the value under `key` out, when this is a map that has it.
    #[must_use]
    pub fn take(mut self, key: &str) -> Option<Self> {
        self.take_from(key)
    }

    /// Like [`Data::take`], and leaves the rest.
    pub fn take_from(&mut self, key: &str) -> Option<Self> {
        let Self::Map(entries) = self else { return None };
        let position = entries.iter().position(|(name, _)| name.is(key))?;
        Some(entries.remove(position).1)
    }
}
