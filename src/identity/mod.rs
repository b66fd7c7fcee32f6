//! Who we are: age identities, from where nobody else can read them.
//!
//! It stands apart because an identity is worth all the secrets that it opens: it is read as late as possible, in the
//! process that exits soonest.
//!
//! # What this does not do
//!
//! It reads native X25519 identities (`AGE-SECRET-KEY-1…`) and ssh keys without a passphrase so far; not plugins, nor what
//! a passphrase protects.

mod command;
mod error;
mod file;
mod source;

pub use error::IdentityError;
pub use source::{IdentitySource, SourceError};

use std::path::{Path, PathBuf};

use crate::fs::{self, FileError};
use crate::secret::SecretBuffer;

/// The identities to try, at least one.
pub struct IdentitySet(Vec<Identity>);

struct Identity {
    key: Box<dyn age::Identity>,
    /// Its recipient, where that can be told.
    recipient: Option<String>,
}

/// Where identities are looked for.
#[derive(Clone, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Search {
    /// Those that were named. All of them are taken.
    pub named: Vec<IdentitySource>,
    /// Where one is looked for when none is named. The first that is there is taken.
    pub usual: Vec<PathBuf>,
    /// The directory in which systemd puts what it lets this process read. It is guarded by systemd, not by the owner and the
    /// mode of its files.
    pub credentials: Option<PathBuf>,
}

impl Search {
    /// What is in the file at `path`, and nowhere else.
    #[must_use]
    pub fn of_file(path: PathBuf) -> Self {
        Self { named: vec![IdentitySource::File(path)], ..Self::default() }
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
        Ok(Self(identities))
    }

    /// All of them, for age.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| identity.key.as_ref())
    }

    /// Whether `recipient`, as a recipients file has it, is that of one of them; no where that cannot be told.
    #[must_use]
    pub fn has(&self, recipient: &str) -> bool {
        // What follows an ssh key is a comment
        let key = |text: &str| text.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
        let wanted = key(recipient);
        self.0.iter().filter_map(|identity| identity.recipient.as_deref()).any(|known| key(known) == wanted)
    }
}

/// Whether a file that others can read is one that they may: then its mode is not what is wrong.
fn is_of_recipients(path: &Path) -> bool {
    // EXPOSE: its first line says what it is
    fs::read_secret(path).is_ok_and(|text| text.expose(file::holds_recipients))
}
