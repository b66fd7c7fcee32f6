use std::cell::{OnceCell, RefCell};
use std::sync::{Arc, PoisonError};

use super::passphrase::Locked;
use super::plugin::{OfPlugin, Open};
use super::{Identity, IdentityError, Person, Ready};

/// Identities that are made ready when they are needed, once.
pub(super) struct Later {
    what: What,
    opened: OnceCell<Vec<Ready>>,
}

enum What {
    Locked(Locked),
    Plugin(OfPlugin),
}

/// Who is asked, and what has gone wrong.
pub(super) struct Asking {
    pub(super) person: Arc<dyn Person>,
    open: Open,
    failure: RefCell<Option<IdentityError>>,
}

impl Asking {
    pub(super) fn of(person: &Arc<dyn Person>) -> Self {
        Self { person: Arc::clone(person), open: Open::default(), failure: RefCell::default() }
    }

    /// Why an identity could not be used; once.
    pub(super) fn failure(&self) -> Option<IdentityError> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        let unanswered = |(program, why)| IdentityError::Question { program, why };
        self.failure.take().or_else(|| open.map(unanswered))
    }
}

impl Later {
    pub(super) const fn locked(locked: Locked) -> Self {
        Self { what: What::Locked(locked), opened: OnceCell::new() }
    }

    pub(super) const fn of_plugin(identity: OfPlugin) -> Self {
        Self { what: What::Plugin(identity), opened: OnceCell::new() }
    }

    /// The plugin that it needs.
    pub(super) const fn plugin(&self) -> Option<&OfPlugin> {
        match &self.what {
            What::Locked(_) => None,
            What::Plugin(identities) => Some(identities),
        }
    }

    /// The same, to add to it.
    pub(super) const fn plugin_mut(&mut self) -> Option<&mut OfPlugin> {
        match &mut self.what {
            What::Locked(_) => None,
            What::Plugin(identities) => Some(identities),
        }
    }

    /// The recipient, where it is known before.
    pub(super) fn recipient(&self) -> Option<&str> {
        match &self.what {
            What::Locked(locked) => locked.recipient(),
            What::Plugin(_) => None,
        }
    }

    /// Whether `recipient` may be theirs, as long as that cannot be told.
    pub(super) fn may_be(&self, recipient: &str) -> bool {
        match &self.what {
            What::Locked(_) => {
                self.opened.get().is_none() && self.recipient().is_none() && recipient.starts_with("age1")
            }
            What::Plugin(identities) => identities.has(recipient),
        }
    }

    /// Those that are ready by now.
    pub(super) fn opened(&self) -> &[Ready] {
        self.opened.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// Makes them ready, unless it was tried before. A failure ends it for all: nobody is asked for one thing after another.
    pub(super) fn opened_by(&self, asking: &Asking) -> &[Ready] {
        if asking.failure.borrow().is_some() {
            return &[];
        }
        self.opened.get_or_init(|| {
            self.open(asking).unwrap_or_else(|error| {
                asking.failure.replace(Some(error));
                Vec::new()
            })
        })
    }

    fn open(&self, asking: &Asking) -> Result<Vec<Ready>, IdentityError> {
        let locked = match &self.what {
            What::Plugin(identities) => return Ok(vec![identities.find(&asking.person, &asking.open)?]),
            What::Locked(locked) => locked,
        };
        let mut ready = Vec::new();
        for identity in locked.unlock(asking.person.as_ref())? {
            match identity {
                Identity::Ready(identity) => ready.push(identity),
                Identity::Plugin(identity) => ready.push(identity.find(&asking.person, &asking.open)?),
                // What is encrypted twice is refused before
                Identity::Locked(_) => {}
            }
        }
        Ok(ready)
    }
}
