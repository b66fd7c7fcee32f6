//! stub until the tables come

use crate::report::Hint;

/// stub
#[derive(Debug)]
#[non_exhaustive]
pub struct Needs;

/// stub
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoleError {
    /// stub
    #[error("no table of roles")]
    NoTable,
}

impl Hint for RoleError {
    fn hint(&self) -> String {
        String::from("give a list of secrets")
    }
}

impl Needs {
    /// stub
    #[must_use]
    pub fn takes(&self, _parameter: &str) -> bool {
        false
    }

    /// stub
    #[must_use]
    pub fn origin(&self) -> String {
        String::new()
    }
}

/// stub
///
/// # Errors
///
/// stub
pub fn needs(_release: Option<&str>, _role: &str) -> Result<Needs, RoleError> {
    Err(RoleError::NoTable)
}
