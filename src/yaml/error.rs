use std::fmt;

use crate::report::Hint;

/// Why a file was not read as YAML. It says where and what was expected, never what stands there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum YamlError {
    /// An anchor whose name is taken, or holds more than ASCII letters, digits, `-` and `_`.
    #[error("{at}: expected an anchor with a plain name of its own")]
    Anchor {
        /// Where the anchor is.
        at: Place,
    },
    /// A second document follows the first.
    #[error("{at}: expected one document, found a second")]
    AnotherDocument {
        /// Where the second one starts.
        at: Place,
    },
    /// Text that its type cannot have, such as a date in month 13 or base64 that does not decode.
    #[error("{at}: expected text that is valid for {kind}")]
    BadText {
        /// Where the text starts.
        at: Place,
        /// The type that the tag or the form of the text asks for.
        kind: &'static str,
    },
    /// A merge key `<<` whose value is neither a map nor a list of maps, or `<<` where no key is.
    #[error("{at}: expected `<<` to be a key that merges a map or a list of maps")]
    Merge {
        /// Where the value starts.
        at: Place,
    },
    /// Bytes that are no UTF-8.
    #[error("{at}: expected UTF-8")]
    NotUtf8 {
        /// Where the first such byte is.
        at: Place,
    },
    /// A key that is a list or a map.
    #[error("{at}: expected a key that is a single value")]
    StructuredKey {
        /// Where the key starts.
        at: Place,
    },
    /// Not YAML.
    #[error("{at}: this is not YAML")]
    Syntax {
        /// Where the parser gave up: at the fault, or shortly after.
        at: Place,
    },
    /// Lists and maps within each other, too many levels of them.
    #[error("{at}: expected at most {max} levels of lists and maps")]
    TooDeep {
        /// Where the limit is passed.
        at: Place,
        /// The limit.
        max: usize,
    },
    /// More values than any real file has, as a rule made by aliases of aliases.
    #[error("{at}: expected at most {max} values, and aliases that repeat little text")]
    TooLarge {
        /// The value that no longer fits.
        at: Place,
        /// The limit.
        max: usize,
    },
    /// An alias whose anchor does not exist, or is not complete where the alias stands.
    #[error("{at}: expected an alias of an anchor that stands complete above it")]
    UnknownAlias {
        /// Where the alias is.
        at: Place,
    },
    /// A control character, or a line break that only YAML 1.1 knows.
    #[error("{at}: expected printable characters, found an invisible one")]
    Unprintable {
        /// Where the character is.
        at: Place,
    },
    /// A tag that `PyYAML`'s safe loader does not know, or that we have no use for.
    #[error("{at}: unsupported tag")]
    UnsupportedTag {
        /// Where the tagged value starts.
        at: Place,
    },
    /// A plain `=`, which YAML 1.1 reserves.
    #[error("{at}: expected quotes around `=`")]
    ValueIndicator {
        /// Where it is.
        at: Place,
    },
}

/// A place in a file, as editors count: both numbers start at 1, columns are characters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// What the caller called the file.
    pub name: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, line, column } = self;
        write!(f, "{name}:{line}:{column}")
    }
}

impl Hint for YamlError {
    fn hint(&self) -> String {
        let hint = match self {
            Self::Anchor { .. } => "put a value that starts with `&` in quotes, or rename the anchor",
            Self::AnotherDocument { .. } => "keep one document: remove the second `---` and what follows",
            Self::BadText { .. } => "correct the value, or put it in quotes if it is meant as text",
            Self::Merge { .. } => "write `<<: *anchor` with the anchor of a map, or put `<<` in quotes",
            Self::NotUtf8 { .. } => "save the file as UTF-8, for instance with `iconv -t UTF-8`",
            Self::StructuredKey { .. } => {
                "Jinja braces? put `{{ … }}` in quotes; else make the key a single value"
            }
            Self::Syntax { .. } => {
                "look at this line and the one before: quotes, indentation, tabs, a missing `: `"
            }
            Self::TooDeep { .. } | Self::TooLarge { .. } => "this is no file of TripleO; look at its aliases",
            Self::UnknownAlias { .. } => {
                "put a value that starts with `*` in quotes, or define its anchor above it"
            }
            Self::Unprintable { .. } => {
                "is it a text file? Else write the character as an escape (`\\x7F`) within double quotes"
            }
            Self::UnsupportedTag { .. } => {
                "a value tagged `!vault` is encrypted by ansible-vault: decrypt it first; put one that only starts with `!` in quotes"
            }
            Self::ValueIndicator { .. } => "write `\"=\"`",
        };
        hint.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> [YamlError; 13] {
        let at = Place { name: String::from("a.yaml"), line: 3, column: 5 };
        [
            YamlError::Anchor { at: at.clone() },
            YamlError::AnotherDocument { at: at.clone() },
            YamlError::BadText { at: at.clone(), kind: "an int" },
            YamlError::Merge { at: at.clone() },
            YamlError::NotUtf8 { at: at.clone() },
            YamlError::StructuredKey { at: at.clone() },
            YamlError::Syntax { at: at.clone() },
            YamlError::TooDeep { at: at.clone(), max: 1 },
            YamlError::TooLarge { at: at.clone(), max: 1 },
            YamlError::UnknownAlias { at: at.clone() },
            YamlError::Unprintable { at: at.clone() },
            YamlError::UnsupportedTag { at: at.clone() },
            YamlError::ValueIndicator { at },
        ]
    }

    #[test]
    fn every_error_starts_with_the_place_and_has_a_hint() {
        for error in all() {
            assert!(error.to_string().starts_with("a.yaml:3:5: "), "{error}");
            assert!(!error.hint().is_empty(), "{error}");
        }
    }
}
