//! Where an identity is looked for: the words after `-i`, or the usual places; and whoever is asked for what it needs.

use std::ffi::OsString;
use std::sync::Arc;

use crate::identity::{IdentitySource, Person, Search, Unanswered};
use crate::secret::SecretValue;

use super::environment;
use super::prompt::{self, PromptError};
use super::ui::Ui;

/// Those that are `named`, or else in the usual places.
pub(super) fn of(named: &[IdentitySource], batch: bool, ui: Ui) -> Search {
    Search {
        named: named.to_vec(),
        usual: environment::usual_identities(),
        credentials: environment::credentials(),
        person: Arc::new(AtTerminal { batch, ui }),
    }
}

/// Those that are `named`, and no others.
pub(super) fn only(named: &[IdentitySource], batch: bool, ui: Ui) -> Search {
    Search { usual: Vec::new(), ..of(named, batch, ui) }
}

/// The same sources, for a worker.
pub(super) fn words(named: &[IdentitySource]) -> impl Iterator<Item = OsString> + '_ {
    named.iter().map(|source| {
        let mut word = OsString::from("--identity=");
        word.push(source.word());
        word
    })
}

/// What a worker that looks for them finds in its environment.
pub(super) fn worker_environment(named: &[IdentitySource]) -> Vec<(OsString, OsString)> {
    environment::for_worker(named.iter().any(|source| matches!(source, IdentitySource::Command(_))))
}

/// Whoever sits at our terminal.
#[derive(Clone, Copy, Debug)]
struct AtTerminal {
    batch: bool,
    ui: Ui,
}

impl AtTerminal {
    fn put<T>(
        self,
        question: &str,
        ask: impl Fn(&rustix::fd::OwnedFd, &str) -> Result<T, PromptError>,
    ) -> Result<T, Unanswered> {
        if self.batch {
            return Err(Unanswered::Batch);
        }
        let terminal = prompt::terminal().ok_or(Unanswered::NoTerminal)?;
        ask(&terminal, question).map_err(|error| Unanswered::Failed(Box::new(error)))
    }
}

impl Person for AtTerminal {
    fn secret(&self, question: &str) -> Result<SecretValue, Unanswered> {
        self.put(question, prompt::ask)
    }

    fn text(&self, question: &str) -> Result<String, Unanswered> {
        self.put(question, prompt::ask_openly)
    }

    fn tell(&self, message: &str) {
        self.ui.say(message);
    }
}
