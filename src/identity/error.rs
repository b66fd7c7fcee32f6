use crate::fs::FileError;
use crate::report::Hint;

use super::Unanswered;

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
    /// It is an age file, or begins as one, and not whole.
    #[error("`{place}` is damaged")]
    Damaged {
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
    /// The program of a plugin is not there.
    #[error("`{place}` takes `{program}`, which is not on PATH")]
    NoPlugin {
        /// Where the identity is.
        place: String,
        /// The program.
        program: String,
    },
    /// It is an age file for recipients.
    #[error("`{place}` is encrypted, and not with a passphrase")]
    NotByPassphrase {
        /// Where it is.
        place: String,
    },
    /// No file was named, and none is in the usual places.
    #[error("no identity: looked for {searched}")]
    NotFound {
        /// Where.
        searched: String,
    },
    /// A plugin has ended before its time.
    #[error("`{program}` has ended before its time, or does not speak as a plugin of age")]
    PluginFailed {
        /// The program.
        program: String,
    },
    /// A plugin has its reasons.
    #[error("a plugin does not open: {says}")]
    PluginRefused {
        /// What it says.
        says: String,
    },
    /// A plugin asks, and nobody answers.
    #[error("`{program}` has a question: {why}")]
    Question {
        /// The program.
        program: String,
        /// Why not.
        why: Unanswered,
    },
    /// Who seals needs it, and nobody opens anything with it.
    #[error("`{place}` holds recipients, not identities")]
    Recipients {
        /// Where they are.
        place: String,
    },
    /// Its passphrase takes more work than anybody waits for: age's own bound.
    #[error("the passphrase of `{place}` would take this machine too long")]
    TooMuchWork {
        /// Where it is.
        place: String,
    },
    /// It takes a passphrase, and nobody has given one.
    #[error("`{place}` is protected by a passphrase: {why}")]
    Unanswered {
        /// Where it is.
        place: String,
        /// Why not.
        why: Unanswered,
    },
    /// It is a private key of a kind that age does not take.
    #[error("`{place}` is not a private key that age can use")]
    UnknownKey {
        /// Where it is.
        place: String,
    },
    /// The passphrase is another one.
    #[error("this is not the passphrase of `{place}`")]
    WrongPassphrase {
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
            Self::Damaged { .. } => "get it from where it was made, or from your backup",
            Self::File(error) => return error.hint(),
            Self::NoneInFile { .. } => {
                "an identity is a line AGE-SECRET-KEY-1…, as `dcn-vault keygen` and `age-keygen` write it, or an ssh key"
            }
            Self::NoPlugin { program, .. } => {
                return format!("install {program}, and look that PATH has it");
            }
            Self::NotAnIdentity { .. } => {
                "an identity is a line AGE-SECRET-KEY-1… or AGE-PLUGIN-…, or the file is an ssh key"
            }
            Self::NotByPassphrase { .. } => {
                "an identity file is protected as `age -p` does it; what is encrypted for somebody else is decrypted first: -i 'cmd:age -d …'"
            }
            Self::NotFound { .. } => {
                "name yours with -i; a new one, from `dcn-vault keygen`, opens nothing until the centre lists it and seals anew"
            }
            Self::PluginFailed { .. } => "run `age -d` with this identity: does it open there?",
            Self::PluginRefused { .. } => {
                "these are the plugin's words; is its hardware there, and unlocked?"
            }
            Self::Recipients { .. } => {
                "name the private half: what `dcn-vault keygen` has written, or the ssh key without .pub"
            }
            Self::TooMuchWork { .. } => {
                "protect it anew on this machine: age -p; whoever has made it asks for hours, and gigabytes of memory"
            }
            Self::Question { why, .. } | Self::Unanswered { why, .. } => return why.hint(),
            Self::UnknownKey { .. } => "ssh-ed25519 and ssh-rsa keys are taken, as ssh-keygen writes them",
            Self::WrongPassphrase { .. } => "try again",
        })
    }
}
