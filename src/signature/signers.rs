use std::path::Path;

use jiff::Timestamp;

use crate::fs;

use super::line::{self, Line, LineFault};
use super::{NAMESPACE, PublicKey, Signature, SignatureError, SignersError};

/// The most that a file of signers has: a thousand of them.
const LIMIT: usize = 1024 * 1024;

/// Who may sign: OpenSSH's allowed signers, in the order of their file.
#[derive(Debug)]
pub struct Signers {
    name: String,
    listed: Vec<Listed>,
}

/// One line of the file.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listed {
    /// Its principals, as they are written: names and patterns, with commas between them.
    pub principal: String,
    /// The key.
    pub key: PublicKey,
    /// What it may sign for, as patterns; without them, anything.
    pub namespaces: Option<String>,
    /// From when on.
    pub valid_after: Option<Timestamp>,
    /// Until when.
    pub valid_before: Option<Timestamp>,
    /// The file and the line.
    pub place: String,
}

/// Who has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signer {
    /// The principals of the line that lists the key.
    pub principal: String,
    /// The key's fingerprint, `SHA256:…`.
    pub fingerprint: String,
}

impl Signers {
    /// Reads a file that nobody but its owner or root can write.
    ///
    /// # Errors
    ///
    /// Any [`SignersError`].
    pub fn read(path: &Path) -> Result<Self, SignersError> {
        Self::parse(&fs::read_guarded(path, LIMIT)?, &path.display().to_string())
    }

    /// Reads the lines in `bytes`; `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// Any [`SignersError`] but those of files.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, SignersError> {
        let mut listed = Vec::new();
        for (position, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let place = format!("{name}:{}", position + 1);
            let text = std::str::from_utf8(line)
                .map_err(|_| SignersError::Malformed { place: place.clone(), what: "no text" })?;
            match line::parse(text) {
                Ok(None) => {}
                Ok(Some(line)) => listed.push(Listed::of(line, place)),
                Err(fault) => return Err(SignersError::of(fault, place)),
            }
        }
        Ok(Self { name: name.to_owned(), listed })
    }

    /// Every line, in the file's order.
    #[must_use]
    pub fn listed(&self) -> &[Listed] {
        &self.listed
    }

    /// Who has signed `message`, if `signature` is by somebody who may at the moment `at`.
    ///
    /// # Errors
    ///
    /// Any [`SignatureError`].
    pub fn verify(
        &self,
        message: &[u8],
        signature: &Signature,
        at: Timestamp,
    ) -> Result<Signer, SignatureError> {
        signature.fits(message)?;
        self.find(signature.public_key(), at, |_| true)
    }

    /// As [`Self::verify`], for a signer whose name is known: what `ssh-keygen -Y verify -I PRINCIPAL` asks.
    ///
    /// # Errors
    ///
    /// Any [`SignatureError`].
    pub fn verify_as(
        &self,
        principal: &str,
        message: &[u8],
        signature: &Signature,
        at: Timestamp,
    ) -> Result<Signer, SignatureError> {
        signature.fits(message)?;
        self.find(signature.public_key(), at, |listed| line::matches(&listed.principal, principal))
    }

    /// The first line that allows it. Without one, the first that would if the time were another says why not; then the
    /// first that has the key.
    fn find(
        &self,
        key: &PublicKey,
        at: Timestamp,
        is_meant: impl Fn(&Listed) -> bool,
    ) -> Result<Signer, SignatureError> {
        let fingerprint = key.fingerprint();
        let mut refusal = None;
        for listed in self.listed.iter().filter(|listed| listed.key == *key && is_meant(listed)) {
            match listed.allows(&fingerprint, at) {
                Ok(()) => return Ok(Signer { principal: listed.principal.clone(), fingerprint }),
                Err(error) if matches!(refusal, None | Some(SignatureError::ListedForOther { .. })) => {
                    refusal = Some(error);
                }
                Err(_) => {}
            }
        }
        Err(refusal.unwrap_or_else(|| SignatureError::Stranger { fingerprint, name: self.name.clone() }))
    }
}

impl Listed {
    fn of(line: Line, place: String) -> Self {
        Self {
            principal: line.principals,
            key: line.key,
            namespaces: line.options.namespaces,
            valid_after: line.options.valid_after,
            valid_before: line.options.valid_before,
            place,
        }
    }

    fn allows(&self, fingerprint: &str, at: Timestamp) -> Result<(), SignatureError> {
        let (place, fingerprint) = (self.place.clone(), fingerprint.to_owned());
        if self.namespaces.as_ref().is_some_and(|patterns| !line::matches(patterns, NAMESPACE)) {
            return Err(SignatureError::ListedForOther { place, fingerprint });
        }
        // As ssh-keygen, which counts whole seconds
        let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
        if let Some(from) = self.valid_after.filter(|from| at < *from) {
            return Err(SignatureError::NotYetValid { place, fingerprint, from, at });
        }
        if let Some(until) = self.valid_before.filter(|until| at > *until) {
            return Err(SignatureError::NoLongerValid { place, fingerprint, until, at });
        }
        Ok(())
    }
}

impl SignersError {
    fn of(fault: LineFault, place: String) -> Self {
        match fault {
            LineFault::CertificateAuthority => Self::CertificateAuthority { place },
            LineFault::Key(fault) => Self::Key { place, fault },
            LineFault::Malformed(what) => Self::Malformed { place, what },
            LineFault::PrivateKey => Self::PrivateKey { place },
        }
    }
}

#[cfg(test)]
impl Signer {
    /// One for a test.
    pub(crate) fn made_up(principal: &str, fingerprint: &str) -> Self {
        Self { principal: principal.to_owned(), fingerprint: fingerprint.to_owned() }
    }
}
