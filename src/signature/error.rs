use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::fs::FileError;
use crate::report::Hint;

/// Why a public key may not sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// It is of another kind.
    #[error("a key of kind `{kind}`, which cannot sign here")]
    Kind {
        /// OpenSSH's name of the kind.
        kind: String,
    },
    /// It has more bits than can be worked with.
    #[error("an RSA key of {bits} bits, which are too many")]
    Long {
        /// Its bits.
        bits: usize,
    },
    /// It has too few bits.
    #[error("an RSA key of only {bits} bits")]
    Short {
        /// Its bits.
        bits: usize,
    },
    /// It is no public key at all.
    #[error("not a public key")]
    Unreadable,
}

impl Hint for KeyFault {
    fn hint(&self) -> String {
        match self {
            Self::Kind { .. } => String::from(
                "use an ssh-ed25519 key, in a file or in a security key; ecdsa on P-256 and RSA are read as well",
            ),
            Self::Long { .. } => String::from("use an ssh-ed25519 key, or RSA of 2048 to 4096 bits"),
            Self::Short { .. } => String::from("use an ssh-ed25519 key: `ssh-keygen -t ed25519`"),
            Self::Unreadable => String::from("it is `ssh-ed25519 AAAA…`, as a file .pub has it"),
        }
    }
}

/// Why a signature is not believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// It is no signature, or not all of one, or more than one.
    #[error("the signature is damaged")]
    Damaged,
    /// What was signed is not what is there.
    #[error("the signature of {fingerprint} does not fit: what it signed is not what is here")]
    DoesNotFit {
        /// The key that it says made it.
        fingerprint: String,
    },
    /// Its file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Which of several it is.
    #[error("`{}`: {fault}", .path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: Box<Self>,
    },
    /// Its key cannot be relied upon.
    #[error("the signature is by {0}")]
    Key(#[from] KeyFault),
    /// The key is listed, for something else.
    #[error("{place}: {fingerprint} may not sign for `{}`", super::NAMESPACE)]
    ListedForOther {
        /// The line that lists it.
        place: String,
        /// The key.
        fingerprint: String,
    },
    /// The key was listed, and its time is over.
    #[error("{place}: {fingerprint} could sign until {until}, and not at {at}")]
    NoLongerValid {
        /// The line that lists it.
        place: String,
        /// The key.
        fingerprint: String,
        /// The end of its time.
        until: Timestamp,
        /// The moment that counts.
        at: Timestamp,
    },
    /// A security key has signed, and nobody was there.
    #[error("the security key {fingerprint} has signed without being touched")]
    NotTouched {
        /// The key.
        fingerprint: String,
    },
    /// The key is listed, for a time that is to come.
    #[error("{place}: {fingerprint} can sign from {from} on, and not at {at}")]
    NotYetValid {
        /// The line that lists it.
        place: String,
        /// The key.
        fingerprint: String,
        /// The beginning of its time.
        from: Timestamp,
        /// The moment that counts.
        at: Timestamp,
    },
    /// It was made for another purpose.
    #[error("the signature was made for `{namespace}`, not for `{}`", super::NAMESPACE)]
    OtherNamespace {
        /// What for.
        namespace: String,
    },
    /// Nobody has said that this key may sign.
    #[error("signed by {fingerprint}, which `{name}` does not list")]
    Stranger {
        /// The key.
        fingerprint: String,
        /// The file of signers.
        name: String,
    },
}

impl SignatureError {
    /// The same, with the file that it is in.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Self {
        Self::InFile { path: path.to_owned(), fault: Box::new(self) }
    }
}

impl Hint for SignatureError {
    fn hint(&self) -> String {
        match self {
            Self::Damaged => String::from("get the bundle anew, with its signatures"),
            Self::DoesNotFit { .. } => {
                String::from("do not deploy with it: it was changed after it was signed; get it anew")
            }
            Self::File(error) => error.hint(),
            Self::InFile { fault, .. } => fault.hint(),
            Self::Key(fault) => fault.hint(),
            Self::ListedForOther { .. } => {
                format!("if it should, add {} to the line's `namespaces`", super::NAMESPACE)
            }
            Self::NoLongerValid { .. } => {
                String::from("have it signed with a key that is valid, or ask its owner why this one is not")
            }
            Self::NotTouched { .. } => String::from("sign again, with a key that asks for a touch"),
            Self::NotYetValid { .. } => {
                String::from("is the clock right? Else have it signed with a key that is valid now")
            }
            Self::OtherNamespace { .. } => {
                format!("sign it for us: `ssh-keygen -Y sign -n {} …`", super::NAMESPACE)
            }
            Self::Stranger { .. } => String::from(
                "ask the centre for its fingerprint, over another way; if it is the same: `dcn-vault trust add`",
            ),
        }
    }
}

/// Why a file of signers cannot be used. One line that is not understood is enough: it may be the one that matters.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignersError {
    /// It names an authority, whose certificates are not read.
    #[error("{place}: `cert-authority` is not supported")]
    CertificateAuthority {
        /// The file and the line.
        place: String,
    },
    /// It could not be read, or others can write it.
    #[error(transparent)]
    File(#[from] FileError),
    /// The line has a key that may not sign.
    #[error("{place}: {fault}")]
    Key {
        /// The file and the line.
        place: String,
        /// What is wrong with it.
        fault: KeyFault,
    },
    /// The line is none of a file of signers.
    #[error("{place}: {what}")]
    Malformed {
        /// The file and the line.
        place: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A private key lies where everybody reads.
    #[error("{place} is a private key")]
    PrivateKey {
        /// The file and the line.
        place: String,
    },
}

impl Hint for SignersError {
    fn hint(&self) -> String {
        match self {
            Self::CertificateAuthority { .. } => String::from("list the keys themselves, a line each"),
            Self::File(error) => error.hint(),
            Self::Key { fault, .. } => fault.hint(),
            Self::Malformed { .. } => String::from(
                "a line is `NAME [namespaces=\"dcn-vault\"] [valid-before=\"YYYYMMDDZ\"] ssh-ed25519 AAAA…`, see ssh-keygen(1)",
            ),
            Self::PrivateKey { .. } => String::from(
                "take it out, of git's history too, and make a new one; the line has the public key, from the file .pub",
            ),
        }
    }
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The agent has not answered, or not as an agent does.
    #[error("the ssh agent at `{}`: {reason}", .socket.display())]
    Agent {
        /// Its socket.
        socket: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// It is there, and does not have the key.
    #[error("the ssh agent does not have the key of `{}` ({fingerprint})", .path.display())]
    AgentLacksKey {
        /// The public key's file.
        path: PathBuf,
        /// The key.
        fingerprint: String,
    },
    /// It has the key, and does not sign with it.
    #[error("the ssh agent has not signed with {fingerprint}")]
    AgentRefused {
        /// The key.
        fingerprint: String,
    },
    /// A signature was made that does not verify.
    #[error("the signature that {fingerprint} made does not verify")]
    Bad {
        /// The key.
        fingerprint: String,
    },
    /// The key's file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The public key's file has one that may not sign.
    #[error("`{}`: {fault}", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: KeyFault,
    },
    /// Only an agent could have the private half.
    #[error("`{}` is a public key, and no ssh agent is there", .path.display())]
    NoAgent {
        /// The public key's file.
        path: PathBuf,
    },
    /// It is protected, and nobody has given the passphrase.
    #[error("`{}` is protected by a passphrase, and none is given", .path.display())]
    NoPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// It is no private key in OpenSSH's form.
    #[error("`{}` is not a private key as OpenSSH writes it", .path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// It is a private key of a kind that does not sign here.
    #[error("`{}` is a private key of kind `{kind}`", .path.display())]
    OtherKind {
        /// The file.
        path: PathBuf,
        /// Its kind.
        kind: String,
    },
    /// The passphrase is another key's.
    #[error("the passphrase does not open `{}`", .path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
}

impl Hint for SigningError {
    fn hint(&self) -> String {
        match self {
            Self::Agent { .. } => String::from(
                "does `ssh-add -l` answer? Start one with `eval $(ssh-agent)`, or name a key file",
            ),
            Self::AgentLacksKey { .. } => String::from("add it with `ssh-add`"),
            Self::AgentRefused { .. } => {
                String::from("is the agent locked, or was the key not touched or confirmed? Try again")
            }
            Self::Bad { .. } => String::from("do the key's two halves belong together? Make a new one"),
            Self::File(error) => error.hint(),
            Self::Key { fault, .. } => fault.hint(),
            Self::NoAgent { .. } => {
                String::from("start one (`eval $(ssh-agent)`, `ssh-add`), or name the private key's file")
            }
            Self::NoPassphrase { .. } => String::from(
                "run it at a terminal without --batch, or add the key to an ssh agent and name its .pub",
            ),
            Self::NotAKey { .. } => String::from(
                "make one with `ssh-keygen -t ed25519`, or rewrite it with `ssh-keygen -p -f FILE`",
            ),
            Self::OtherKind { .. } => {
                String::from("use an ssh-ed25519 key, or add this one to an ssh agent and name its .pub")
            }
            Self::WrongPassphrase { .. } => String::from("try again"),
        }
    }
}
