use std::fmt;

use crate::report::Hint;
use crate::secret::SecretValue;

/// Whoever is at the keyboard. This library opens no terminal: what an identity needs of a person is asked through this.
pub trait Person: fmt::Debug + Send + Sync {
    /// Asks for a secret that `question` names.
    ///
    /// # Errors
    ///
    /// Any [`Unanswered`].
    fn secret(&self, question: &str) -> Result<SecretValue, Unanswered>;

    /// Asks for what may be seen while it is typed.
    ///
    /// # Errors
    ///
    /// Any [`Unanswered`].
    fn text(&self, question: &str) -> Result<String, Unanswered>;

    /// Tells what a plugin says, or what is waited for.
    fn tell(&self, message: &str);
}

/// Nobody: nothing can be asked.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "it has no parts")]
pub struct Nobody;

impl Person for Nobody {
    fn secret(&self, _: &str) -> Result<SecretValue, Unanswered> {
        Err(Unanswered::NoTerminal)
    }

    fn text(&self, _: &str) -> Result<String, Unanswered> {
        Err(Unanswered::NoTerminal)
    }

    fn tell(&self, _: &str) {}
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// Questions are forbidden.
    #[error("--batch forbids to ask")]
    Batch,
    /// The question was put, and failed.
    #[error("{0}")]
    Failed(Box<dyn Hint + Send + Sync>),
    /// There is no terminal.
    #[error("there is no terminal to ask at")]
    NoTerminal,
}

impl Hint for Unanswered {
    fn hint(&self) -> String {
        match self {
            Self::Failed(error) => error.hint(),
            Self::Batch | Self::NoTerminal => String::from(
                "run it at a terminal, without --batch; or take an identity that nobody is asked for: a file of mode 0600, a systemd credential, -i fd:N, -i cmd:…",
            ),
        }
    }
}
