use crate::model::EnvironmentFile;
use crate::open::{SelectError, ValuePath};

/// Under what the parameters of a file stand, where a JSON pointer begins.
const PARAMETERS: &str = "parameter_defaults";
/// No parameter has a longer name.
const LONGEST_NAME: usize = 255;

/// What is asked for: a file, or a value in one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a bundle has nothing else, and its caller makes one")]
pub enum Asked {
    /// A whole file.
    File(EnvironmentFile),
    /// One value.
    Value {
        /// Where it is in its file.
        path: ValuePath,
        /// The file; where none is named, the passwords, or else the one that has the parameter.
        file: Option<EnvironmentFile>,
        /// As JSON, whatever its type.
        json: bool,
    },
}

impl Asked {
    /// What `text` stands for in a policy or a credential's name: the file of that name, else a value.
    ///
    /// # Errors
    ///
    /// [`SelectError::NoPath`] and [`SelectError::BadPointer`].
    pub fn named(text: &str) -> Result<Self, SelectError> {
        match EnvironmentFile::named(text) {
            Some(file) => Ok(Self::File(file)),
            None => Ok(Self::Value { path: ValuePath::parse(text)?, file: None, json: false }),
        }
    }

    /// The names that the parameter can have: a name may have dots, as the way to a value within it does. Only the bundle tells.
    pub(super) fn names(&self) -> Vec<String> {
        let Self::Value { path, .. } = self else { return Vec::new() };
        let text = path.as_str();
        if let Some(pointer) = text.strip_prefix('/') {
            let mut keys = pointer.split('/').map(|key| key.replace("~1", "/").replace("~0", "~"));
            let first = keys.next().filter(|key| key != PARAMETERS);
            return first.or_else(|| keys.next()).into_iter().collect();
        }
        let dots = text.match_indices('.').map(|(at, _)| at).chain([text.len()]);
        dots.take_while(|end| *end <= LONGEST_NAME)
            .filter_map(|end| text.get(..end))
            .map(str::to_owned)
            .collect()
    }

    /// What to call it in a log.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::File(file) => file.file_name(),
            Self::Value { path, .. } => path.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_of_any_parameter_that_it_begins_with() {
        for (text, names) in [
            ("NovaPassword", &["NovaPassword"][..]),
            ("A.b.c", &["A", "A.b", "A.b.c"]),
            ("/parameter_defaults/A~1b/c", &["A/b"]),
            ("/parameter_defaults", &[]),
            ("/A/b", &["A"]),
            ("passwords.yaml", &[]),
        ] {
            assert_eq!(Asked::named(text).unwrap().names(), names, "{text}");
        }
    }
}
