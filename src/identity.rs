//! Who we are: age identities, from files that nobody else can read.
//!
//! It stands apart because an identity is worth all the secrets that it opens: it is read as late as possible, in the
//! process that exits soonest.
//!
//! # What this does not do
//!
//! It reads native X25519 identities (`AGE-SECRET-KEY-1…`) and ssh keys without a passphrase so far; not plugins, nor what
//! a passphrase protects.

use std::path::{Path, PathBuf};

use age::{ssh, x25519};

use crate::fs::{self, FileError};
use crate::report::Hint;

/// The identities to try, at least one.
pub struct IdentitySet(Vec<Identity>);

struct Identity {
    key: Box<dyn age::Identity>,
    /// Its recipient, where that can be told.
    recipient: Option<String>,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// It is encrypted.
    #[error("`{}` is protected by a passphrase", .path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be read, or others can.
    #[error(transparent)]
    File(#[from] FileError),
    /// A line is no identity.
    #[error("{}:{line} is not an age identity", .path.display())]
    NotAnIdentity {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The file has no identity in it.
    #[error("`{}` holds no identity", .path.display())]
    NoneInFile {
        /// The file.
        path: PathBuf,
    },
    /// It is a private key of a kind that age does not take.
    #[error("`{}` is not a private key that age can use", .path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
    },
    /// No file was named, and none is in the usual places.
    #[error("no identity: looked for {searched}")]
    NotFound {
        /// Where.
        searched: String,
    },
}

impl Hint for IdentityError {
    fn hint(&self) -> String {
        match self {
            Self::Encrypted { .. } => {
                String::from("that is not supported yet: use an identity without one, in a file of mode 0600")
            }
            Self::File(error) => error.hint(),
            Self::NotAnIdentity { .. } => String::from(
                "an identity is a line AGE-SECRET-KEY-1…, or the file is an ssh key; plugins are not read yet",
            ),
            Self::NoneInFile { .. } => String::from("make one: dcn-vault keygen -o FILE"),
            Self::UnknownKey { .. } => {
                String::from("ssh-ed25519 and ssh-rsa keys are taken, as ssh-keygen writes them")
            }
            Self::NotFound { .. } => {
                String::from("name one with -i FILE; `dcn-vault keygen -o FILE` makes one")
            }
        }
    }
}

impl std::fmt::Debug for IdentitySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentitySet([REDACTED])")
    }
}

impl IdentitySet {
    /// Reads the identities in `named`, or else in the first of `usual` that exists.
    ///
    /// # Errors
    ///
    /// Any [`IdentityError`].
    pub fn read(named: &[PathBuf], usual: &[PathBuf]) -> Result<Self, IdentityError> {
        let fallback;
        let files = if named.is_empty() {
            fallback = usual.iter().find(|path| path.exists()).cloned().into_iter().collect::<Vec<_>>();
            fallback.as_slice()
        } else {
            named
        };
        if files.is_empty() {
            let searched = usual.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
            return Err(IdentityError::NotFound { searched });
        }
        let mut identities = Vec::new();
        for path in files {
            identities.extend(in_file(path)?);
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

fn in_file(path: &Path) -> Result<Vec<Identity>, IdentityError> {
    let content = fs::read_private(path)?;
    // EXPOSE: parsed in place into age's own type, which wipes itself
    let identities = content.expose(|bytes| parse(bytes, path))?;
    if identities.is_empty() {
        Err(IdentityError::NoneInFile { path: path.to_owned() })
    } else {
        Ok(identities)
    }
}

fn parse(bytes: &[u8], path: &Path) -> Result<Vec<Identity>, IdentityError> {
    if bytes.starts_with(b"age-encryption.org/") || bytes.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----") {
        return Err(IdentityError::Encrypted { path: path.to_owned() });
    }
    if bytes.starts_with(b"-----BEGIN ") {
        return Ok(vec![ssh_key(bytes, path)?]);
    }
    let mut identities = Vec::new();
    for (position, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let identity: Option<x25519::Identity> =
            std::str::from_utf8(line).ok().and_then(|text| text.parse().ok());
        let none = || IdentityError::NotAnIdentity { path: path.to_owned(), line: position + 1 };
        let identity = identity.ok_or_else(none)?;
        let recipient = Some(identity.to_public().to_string());
        identities.push(Identity { key: Box::new(identity), recipient });
    }
    Ok(identities)
}

fn ssh_key(bytes: &[u8], path: &Path) -> Result<Identity, IdentityError> {
    match ssh::Identity::from_buffer(bytes, None) {
        Ok(ssh::Identity::Encrypted(_)) => Err(IdentityError::Encrypted { path: path.to_owned() }),
        Ok(key @ ssh::Identity::Unencrypted(_)) => {
            let recipient = ssh::Recipient::try_from(key.clone()).ok().map(|recipient| recipient.to_string());
            Ok(Identity { key: Box::new(key), recipient })
        }
        Ok(ssh::Identity::Unsupported(_)) | Err(_) => {
            Err(IdentityError::UnknownKey { path: path.to_owned() })
        }
    }
}
