use crate::fs::FileError;
use crate::report::Hint;

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The command of `cmd:` has not ended as one that has done its work.
    #[error("`{program}`, which was to write an identity, {how}")]
    CommandFailed {
        /// Its first word.
        program: String,
        /// How it has ended.
        how: String,
    },
    /// The command of `cmd:` could not be started.
    #[error("`{program}`, which was to write an identity, cannot be started: {reason}")]
    CommandNotStarted {
        /// Its first word.
        program: String,
        /// What the kernel says.
        reason: String,
    },
    /// It is encrypted.
    #[error("`{place}` is protected by a passphrase")]
    Encrypted {
        /// Where it is.
        place: String,
    },
    /// The file could not be read, or others can.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no identity in it.
    #[error("`{place}` holds no identity")]
    NoneInFile {
        /// Where it would be.
        place: String,
    },
    /// A line is no identity.
    #[error("{place}:{line} is not an age identity")]
    NotAnIdentity {
        /// Where it is.
        place: String,
        /// The line, from 1.
        line: usize,
    },
    /// No file was named, and none is in the usual places.
    #[error("no identity: looked for {searched}")]
    NotFound {
        /// Where.
        searched: String,
    },
    /// Who seals needs it, and nobody opens anything with it.
    #[error("`{place}` holds recipients, not identities")]
    Recipients {
        /// Where they are.
        place: String,
    },
    /// It is a private key of a kind that age does not take.
    #[error("`{place}` is not a private key that age can use")]
    UnknownKey {
        /// Where it is.
        place: String,
    },
}

impl Hint for IdentityError {
    fn hint(&self) -> String {
        String::from(match self {
            Self::CommandFailed { .. } => "what it has said stands above; run it by hand",
            Self::CommandNotStarted { .. } => {
                "cmd: takes a program and its arguments, without a shell: check its name, its mode and PATH"
            }
            Self::Encrypted { .. } => {
                "that is not supported yet: use an identity without one, in a file of mode 0600"
            }
            Self::File(error) => return error.hint(),
            Self::NoneInFile { .. } => {
                "an identity is a line AGE-SECRET-KEY-1…, as `dcn-vault keygen` and `age-keygen` write it, or an ssh key"
            }
            Self::NotAnIdentity { .. } => {
                "an identity is a line AGE-SECRET-KEY-1…, or the file is an ssh key; plugins are not read yet"
            }
            Self::NotFound { .. } => {
                "name yours with -i; a new one, from `dcn-vault keygen`, opens nothing until the centre lists it and seals anew"
            }
            Self::Recipients { .. } => {
                "name the private half: what `dcn-vault keygen` has written, or the ssh key without .pub"
            }
            Self::UnknownKey { .. } => "ssh-ed25519 and ssh-rsa keys are taken, as ssh-keygen writes them",
        })
    }
}
