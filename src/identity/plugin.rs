//! Identities that a program keeps, on a security key or in a TPM: it is found on `PATH`, and opens for us.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use age::plugin::{self, IdentityPluginV1};
use age::secrecy::SecretString;

use super::{IdentityError, Person, Ready, Unanswered};

/// The most that is repeated of what a plugin says.
const LONGEST: usize = 200;

/// Identities of one plugin.
pub(super) struct OfPlugin {
    /// Where the first of them is.
    place: String,
    identities: Vec<plugin::Identity>,
}

/// A question of a plugin that nobody has answered.
pub(super) type Open = Arc<Mutex<Option<(String, Unanswered)>>>;

impl OfPlugin {
    pub(super) fn new(place: &str, identity: plugin::Identity) -> Self {
        Self { place: place.to_owned(), identities: vec![identity] }
    }

    /// What the plugin is called.
    pub(super) fn name(&self) -> &str {
        self.identities.first().map(plugin::Identity::plugin).unwrap_or_default()
    }

    /// The program that is the plugin.
    pub(super) fn program(&self) -> String {
        format!("age-plugin-{}", self.name())
    }

    /// Whether `recipient` is one of the plugin.
    pub(super) fn has(&self, recipient: &str) -> bool {
        recipient.to_ascii_lowercase().starts_with(&format!("age1{}1", self.name()))
    }

    /// Those of the same plugin are tried at once.
    pub(super) fn join(&mut self, other: Self) {
        self.identities.extend(other.identities);
    }

    /// Finds the program.
    pub(super) fn find(&self, person: &Arc<dyn Person>, open: &Open) -> Result<Ready, IdentityError> {
        let program = self.program();
        let (person, open) = (Arc::clone(person), Arc::clone(open));
        let asks = Asks { person, program: program.clone(), open };
        let missing = |_| IdentityError::NoPlugin { place: self.place.clone(), program: program.clone() };
        let key = IdentityPluginV1::new(self.name(), &self.identities, asks).map_err(missing)?;
        Ok(Ready { key: Box::new(key), recipient: None })
    }
}

/// What plugins say that have failed, cut short, and without what looks like a key.
pub(super) fn said(errors: impl Iterator<Item = String>) -> IdentityError {
    // age sets off what it quotes by marks that nobody sees
    let all = errors.map(|error| error.replace(['\u{2068}', '\u{2069}'], ""));
    let all = all.map(|error| error.split_whitespace().collect::<Vec<_>>().join(" "));
    let says: String = all.collect::<Vec<_>>().join("; ").chars().take(LONGEST).collect();
    // Identities are written in capitals, programs are not
    let has_key = ["AGE-PLUGIN-", "AGE-SECRET-KEY-"].iter().any(|start| says.contains(start));
    let says = if has_key { String::from("it repeats a key, which is not shown") } else { says };
    IdentityError::PluginRefused { says }
}

/// What a plugin asks and tells, under its name.
#[derive(Clone)]
struct Asks {
    person: Arc<dyn Person>,
    program: String,
    open: Open,
}

impl Asks {
    fn question(&self, of: &str) -> String {
        format!("{}: {}", self.program, of.trim_end_matches([':', ' ', '\n']))
    }

    fn answered<T>(&self, answer: Result<T, Unanswered>) -> Option<T> {
        answer
            .map_err(|why| {
                *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some((self.program.clone(), why));
            })
            .ok()
    }
}

impl fmt::Debug for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asks")
    }
}

impl age::Callbacks for Asks {
    fn display_message(&self, message: &str) {
        self.person.tell(&self.question(message));
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let choice = format!("{} (1: {yes}, 2: {})", self.question(message), no.unwrap_or("no"));
        self.answered(self.person.text(&choice)).map(|answer| answer.trim() == "1")
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        self.answered(self.person.text(&self.question(description)))
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        let secret = self.answered(self.person.secret(&self.question(description)))?;
        // EXPOSE: age's own type, which wipes itself
        Some(secret.expose(|text| SecretString::from(text.to_owned())))
    }
}
