//! Who we are: age identities, from where nobody else can read them.
//!
//! It stands apart because an identity is worth all the secrets that it opens: it is read as late as possible, in the
//! process that exits soonest.
//!
//! # What this does not do
//!
//! It opens no terminal: who is asked for a passphrase, or by a plugin, is its caller's [`Person`]. What a plugin does, another program
//! does: it gets the parts of an age file's header, and gives the file's key.

mod command;
mod error;
mod file;
mod later;
mod passphrase;
mod person;
mod plugin;
mod source;

pub use error::IdentityError;
pub use person::{Nobody, Person, Unanswered};
pub use source::{IdentitySource, SourceError};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fs::{self, FileError};
use crate::secret::SecretBuffer;

use self::later::{Asking, Later};
use self::passphrase::Locked;
use self::plugin::OfPlugin;

/// The identities to try, at least one.
pub struct IdentitySet {
    ready: Vec<Ready>,
    /// What takes a person or another program, and is tried when nothing else opens.
    later: Vec<Later>,
    asking: Asking,
}

/// What a text has in it.
enum Identity {
    Locked(Locked),
    Plugin(OfPlugin),
    Ready(Ready),
}

/// An identity that age can use.
struct Ready {
    key: Box<dyn age::Identity>,
    /// Its recipient, where that can be told.
    recipient: Option<String>,
}

/// Where identities are looked for.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Search {
    /// Those that were named. All of them are taken.
    pub named: Vec<IdentitySource>,
    /// Where one is looked for when none is named. The first that is there is taken.
    pub usual: Vec<PathBuf>,
    /// The directory in which systemd puts what it lets this process read. It is guarded by systemd, not by the owner and the
    /// mode of its files.
    pub credentials: Option<PathBuf>,
    /// Who is asked for a passphrase, and by a plugin.
    pub person: Arc<dyn Person>,
}

impl Search {
    /// What is in the file at `path`, and nowhere else, with nobody to ask.
    #[must_use]
    pub fn of_file(path: PathBuf) -> Self {
        let named = vec![IdentitySource::File(path)];
        Self { named, usual: Vec::new(), credentials: None, person: Arc::new(Nobody) }
    }

    fn read(&self, source: &IdentitySource) -> Result<SecretBuffer, IdentityError> {
        match source {
            IdentitySource::Command(words) => command::output(words),
            IdentitySource::Descriptor(number) => Ok(fs::read_inherited(*number)?),
            IdentitySource::File(path) if self.is_credential(path) => Ok(fs::read_credential(path)?),
            IdentitySource::File(path) => match fs::read_private(path) {
                Err(FileError::NotPrivate { .. }) if is_of_recipients(path) => {
                    Err(IdentityError::Recipients { place: path.display().to_string() })
                }
                read => Ok(read?),
            },
        }
    }

    /// Whether it is itself in the directory of credentials, whatever words lead there.
    fn is_credential(&self, path: &Path) -> bool {
        let Some(credentials) = &self.credentials else { return false };
        let true_path = |path: &Path| fs::true_path(path).ok();
        let place = true_path(path);
        place.is_some_and(|place| place.parent() == true_path(credentials).as_deref())
    }
}

impl std::fmt::Debug for IdentitySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentitySet([REDACTED])")
    }
}

impl IdentitySet {
    /// Reads the identities that are named, or else those in the first of the usual places that exists.
    ///
    /// # Errors
    ///
    /// Any [`IdentityError`].
    pub fn find(search: &Search) -> Result<Self, IdentityError> {
        let fallback;
        let sources = if search.named.is_empty() {
            // A link to a place that is gone is there all the same: nobody means the next one
            let there = search.usual.iter().find(|path| path.exists() || path.is_symlink());
            fallback = there.cloned().map(IdentitySource::File).into_iter().collect::<Vec<_>>();
            fallback.as_slice()
        } else {
            search.named.as_slice()
        };
        if sources.is_empty() {
            let usual = search.usual.iter().map(|path| path.display().to_string());
            return Err(IdentityError::NotFound { searched: usual.collect::<Vec<_>>().join(", ") });
        }
        let mut identities = Vec::new();
        for source in sources {
            let text = search.read(source)?;
            // EXPOSE: parsed in place into age's own types, which wipe themselves
            identities.extend(text.expose(|bytes| file::parse(bytes, &source.name()))?);
        }
        let mut set = Self { ready: Vec::new(), later: Vec::new(), asking: Asking::of(&search.person) };
        for identity in identities {
            set.add(identity);
        }
        Ok(set)
    }

    /// All of them, for age. A person is asked when it comes to those that need it: when none before has opened what age has at
    /// hand. Whether that failed, [`Self::failure`] says.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.keys_of(|_| true)
    }

    /// The same, without those that are locked and of which it is known whose they are: for trying what is whose.
    pub(crate) fn keys_untold(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.keys_of(|later| later.recipient().is_none())
    }

    /// Why one of the keys could not be tried; once.
    pub(crate) fn failure(&self) -> Option<IdentityError> {
        self.asking.failure()
    }

    /// What a plugin says that has failed.
    pub(crate) fn said(errors: impl Iterator<Item = String>) -> IdentityError {
        plugin::said(errors)
    }

    /// A plugin has ended before its time, or has not spoken as one.
    pub(crate) fn plugin_has_failed(&self) -> IdentityError {
        let programs = self.later.iter().filter_map(Later::plugin).map(OfPlugin::program);
        let programs = programs.collect::<Vec<_>>().join(" or ");
        let program = if programs.is_empty() { String::from("a plugin") } else { programs };
        IdentityError::PluginFailed { program }
    }

    /// Whether `recipient` is one of a plugin that keeps an identity of ours, if not that one's.
    pub(crate) fn plugin_has(&self, recipient: &str) -> bool {
        self.later.iter().any(|later| later.plugin().is_some_and(|plugin| plugin.has(recipient)))
    }

    /// Whether `recipient` may be that of an identity of which it cannot be told.
    pub(crate) fn may_have(&self, recipient: &str) -> bool {
        self.later.iter().any(|later| later.may_be(recipient))
    }

    fn add(&mut self, identity: Identity) {
        match identity {
            Identity::Locked(locked) => self.later.push(Later::locked(locked)),
            Identity::Ready(identity) => self.ready.push(identity),
            Identity::Plugin(identity) => {
                let known = self.later.iter_mut().filter_map(Later::plugin_mut);
                match known.into_iter().find(|known| known.name() == identity.name()) {
                    Some(known) => known.join(identity),
                    None => self.later.push(Later::of_plugin(identity)),
                }
            }
        }
    }

    fn keys_of(&self, is_wanted: impl Fn(&Later) -> bool) -> impl Iterator<Item = &dyn age::Identity> {
        let later = self.later.iter().filter(move |later| is_wanted(later));
        let opened = later.flat_map(|later| later.opened_by(&self.asking));
        self.ready.iter().chain(opened).map(|identity| identity.key.as_ref())
    }

    /// Whether `recipient`, as a recipients file has it, is that of one of them; no where that cannot be told.
    #[must_use]
    pub fn has(&self, recipient: &str) -> bool {
        // What follows an ssh key is a comment
        let key = |text: &str| text.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
        let wanted = key(recipient);
        let ready = self.ready.iter().chain(self.later.iter().flat_map(Later::opened));
        let known = ready.filter_map(|identity| identity.recipient.as_deref());
        known.chain(self.later.iter().filter_map(Later::recipient)).any(|known| key(known) == wanted)
    }
}

/// Whether a file that others can read is one that they may: then its mode is not what is wrong.
fn is_of_recipients(path: &Path) -> bool {
    // EXPOSE: its first line says what it is
    fs::read_secret(path).is_ok_and(|text| text.expose(file::holds_recipients))
}
