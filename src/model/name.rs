use std::fmt;

use serde::{Deserialize, Serialize};

use crate::report::Hint;

const LONGEST_NAME: usize = 255;

/// The name of a Heat parameter, such as `NovaPassword`: printable, of one line, at most 255 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ParameterName(String);

/// The name of a remote site: letters, digits, `.`, `_` and `-`, starting with a letter or digit.
///
/// It is also the name of a directory below `keys/`, and cannot leave it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Site(String);

/// Why a text is no name. It does not repeat the text: a value that stands where a name should be could be a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It is empty, too long, or has characters that no parameter's name has.
    #[error("not a parameter's name")]
    NotAParameter,
    /// It is empty, too long, or could be a path.
    #[error("not a site's name")]
    NotASite,
}

impl Hint for NameError {
    fn hint(&self) -> String {
        String::from(match self {
            Self::NotAParameter => "a parameter's name has 1 to 255 printable characters",
            Self::NotASite => "use letters, digits, `.`, `_` and `-`; begin with a letter or a digit",
        })
    }
}

impl ParameterName {
    /// Takes `text` when it is a name.
    ///
    /// # Errors
    ///
    /// [`NameError::NotAParameter`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fits = (1..=LONGEST_NAME).contains(&text.len()) && !text.chars().any(char::is_control);
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::NotAParameter) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Site {
    /// Takes `text` when it is a name.
    ///
    /// # Errors
    ///
    /// [`NameError::NotASite`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let first = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
        let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if first && rest && text.len() <= LONGEST_NAME {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::NotASite)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ParameterName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl TryFrom<String> for Site {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<ParameterName> for String {
    fn from(name: ParameterName) -> Self {
        name.0
    }
}

impl From<Site> for String {
    fn from(site: Site) -> Self {
        site.0
    }
}

impl fmt::Display for ParameterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_cannot_be_a_path() {
        for text in ["", ".", "..", "../x", "a/b", "-r", "a b", "é"] {
            assert_eq!(Site::parse(text), Err(NameError::NotASite), "{text}");
        }
        assert_eq!(Site::parse("edge-1.lyon").unwrap().as_str(), "edge-1.lyon");
    }

    #[test]
    fn a_parameter_cannot_be_a_whole_key() {
        assert!(ParameterName::parse("NovaPassword").is_ok());
        assert!(ParameterName::parse("-----BEGIN\nkey").is_err());
        assert!(ParameterName::parse("").is_err());
    }
}
