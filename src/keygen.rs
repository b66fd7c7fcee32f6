//! Makes age identities, in the form that `age-keygen` gives them.
//!
//! It stands apart from `identity`, which only reads: no path leads from opening a bundle to writing a key.
//!
//! # What this does not do
//!
//! It makes no post-quantum identities yet, and does not protect the file with a passphrase.

use std::path::Path;

use age::secrecy::ExposeSecret;
use age::x25519;
use jiff::Timestamp;

use crate::fs::{self, FileError};
use crate::secret::SecretBuffer;

/// A new identity, not yet written.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewIdentity {
    /// Its recipient: public.
    pub recipient: String,
    file: SecretBuffer,
}

impl NewIdentity {
    /// Makes an X25519 identity from the kernel's random numbers.
    #[must_use]
    pub fn make() -> Self {
        let identity = x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        let created = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
        let mut file = SecretBuffer::with_capacity(256);
        file.push_str(&format!("# created: {created}\n# public key: {recipient}\n"));
        file.push_str(identity.to_string().expose_secret());
        file.push(b"\n");
        Self { recipient, file }
    }

    /// Writes it to a new file that only its owner can read.
    ///
    /// # Errors
    ///
    /// [`FileError::Exists`] and [`FileError::Os`].
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        fs::create_private(path, &self.file)
    }

    /// The file's content, for who wants it on standard output.
    #[must_use]
    pub const fn content(&self) -> &SecretBuffer {
        &self.file
    }
}
