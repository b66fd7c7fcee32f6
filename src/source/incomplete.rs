use super::{SourceError, Warning};

/// What is missing of a deployment, and whether that is allowed.
pub(super) struct Incomplete {
    is_allowed: bool,
    pub(super) warnings: Vec<Warning>,
}

impl Incomplete {
    pub(super) const fn new(is_allowed: bool) -> Self {
        Self { is_allowed, warnings: Vec::new() }
    }

    /// What was found, or `None` for what may be missing: then it is named.
    pub(super) fn without<T>(&mut self, found: Result<T, SourceError>) -> Result<Option<T>, SourceError> {
        match found {
            Ok(value) => Ok(Some(value)),
            Err(error) if self.is_allowed && error.is_of_an_incomplete_stack() => {
                self.warnings.push(Warning::Incomplete { what: error.to_string() });
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
