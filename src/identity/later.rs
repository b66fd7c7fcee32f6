use std::cell::{OnceCell, RefCell};

use super::passphrase::Locked;
use super::{Identity, IdentityError, Person, Ready};

/// Identities that are made ready when they are needed, once.
pub(super) struct Later {
    locked: Locked,
    opened: OnceCell<Vec<Ready>>,
}

impl Later {
    pub(super) const fn of(locked: Locked) -> Self {
        Self { locked, opened: OnceCell::new() }
    }

    /// The recipient, where it is known before.
    pub(super) fn recipient(&self) -> Option<&str> {
        self.locked.recipient()
    }

    /// Whether `recipient` may be theirs, as long as that cannot be told.
    pub(super) fn may_be(&self, recipient: &str) -> bool {
        self.opened.get().is_none() && self.recipient().is_none() && recipient.starts_with("age1")
    }

    /// Those that are ready by now.
    pub(super) fn opened(&self) -> &[Ready] {
        self.opened.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// Makes them ready, unless it was tried before. A `failure` ends it for all: nobody is asked for one thing after another.
    pub(super) fn opened_by(
        &self,
        person: &dyn Person,
        failure: &RefCell<Option<IdentityError>>,
    ) -> &[Ready] {
        if failure.borrow().is_some() {
            return &[];
        }
        self.opened.get_or_init(|| {
            self.open(person).unwrap_or_else(|error| {
                failure.replace(Some(error));
                Vec::new()
            })
        })
    }

    fn open(&self, person: &dyn Person) -> Result<Vec<Ready>, IdentityError> {
        let identities = self.locked.unlock(person)?;
        let ready = identities.into_iter().filter_map(|identity| match identity {
            Identity::Ready(identity) => Some(identity),
            Identity::Locked(_) => None,
        });
        Ok(ready.collect())
    }
}
