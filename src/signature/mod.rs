//! Who made it: signatures over exact bytes, in OpenSSH's form (SSHSIG, `PROTOCOL.sshsig`), and who may make them.
//!
//! It stands apart because all trust in a bundle begins here: a signature is read, and its signer looked up, before anything
//! that it covers is believed. What it writes checks with `ssh-keygen -Y verify`, and what `ssh-keygen -Y sign` writes
//! checks here.
//!
//! # What this does not do
//!
//! It knows no certificates: a line `cert-authority` is refused, not passed over. It does not say that what is signed is
//! new, or meant for this site: that is `trust`. A private key that is to sign is an ssh-ed25519 key; other kinds sign
//! through an agent.

mod agent;
mod armor;
mod beside;
mod error;
mod key;
mod line;
mod moment;
mod signers;
mod signing;

pub use beside::{names_beside, read_beside};
pub use error::{KeyFault, SignatureError, SignersError, SigningError};
pub use key::PublicKey;
pub use signers::{Listed, Signer, Signers};
pub use signing::SigningKey;

use ssh_key::SshSig;

/// What our signatures are for: one that was made for another purpose (git, mail) says nothing of a bundle.
pub const NAMESPACE: &str = "dcn-vault";

/// Of a hardware key's signature: somebody has touched it (`PROTOCOL.u2f`).
const USER_PRESENT: u8 = 1;
/// After a hardware key's signature: a byte of flags, and a counter of four.
const FLAGS_FROM_END: usize = 5;

/// A signature, and the key that it says made it. Nothing is believed of it until it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    inner: SshSig,
    key: PublicKey,
}

impl Signature {
    /// Reads a signature as `ssh-keygen -Y sign` writes it. Nothing may stand before it or behind it.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Damaged`] and [`SignatureError::Key`].
    pub fn parse(armored: &[u8]) -> Result<Self, SignatureError> {
        Self::of(armor::read(armored).ok_or(SignatureError::Damaged)?)
    }

    /// Its text, as `ssh-keygen -Y sign` writes it.
    #[must_use]
    pub fn to_armored(&self) -> String {
        armor::write(&self.inner).unwrap_or_default()
    }

    /// The key that it says made it.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// That key's fingerprint: `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint()
    }

    /// Whether it is that key's signature over `message`, made for us. Whether that key may sign is for
    /// [`Signers::verify`].
    ///
    /// # Errors
    ///
    /// [`SignatureError::OtherNamespace`], [`SignatureError::DoesNotFit`] and [`SignatureError::NotTouched`].
    pub fn fits(&self, message: &[u8]) -> Result<(), SignatureError> {
        if self.inner.namespace() != NAMESPACE {
            let namespace = self.inner.namespace().escape_debug().take(40).collect();
            return Err(SignatureError::OtherNamespace { namespace });
        }
        let fits = self.key.verify(NAMESPACE, message, &self.inner);
        if !fits {
            return Err(SignatureError::DoesNotFit { fingerprint: self.fingerprint() });
        }
        if self.is_untouched() {
            return Err(SignatureError::NotTouched { fingerprint: self.fingerprint() });
        }
        Ok(())
    }

    /// As ssh-key has read it or made it.
    fn of(inner: SshSig) -> Result<Self, SignatureError> {
        let key = PublicKey::of(inner.public_key().clone())?;
        // The version is not signed: another, which ssh-key takes, would be a change that nobody sees
        if inner.version() != SshSig::VERSION || !key.makes(&inner.algorithm()) {
            return Err(SignatureError::Damaged);
        }
        Ok(Self { inner, key })
    }

    /// Whether a hardware key says that nobody was there.
    fn is_untouched(&self) -> bool {
        let bytes = self.inner.signature_bytes();
        let flags = bytes.len().checked_sub(FLAGS_FROM_END).and_then(|at| bytes.get(at));
        self.key.is_hardware() && flags.is_none_or(|flags| flags & USER_PRESENT == 0)
    }
}

#[cfg(test)]
mod tests;
