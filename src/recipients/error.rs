use std::fmt;
use std::path::PathBuf;

use crate::fs::FileError;
use crate::model::Site;
use crate::report::Hint;

/// Why there are no recipients.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipientsError {
    /// A recipients file could not be read, or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A private key lies among the recipients, where git sees it.
    #[error("`{}` holds a private key", .path.display())]
    IdentityInKeys {
        /// The file.
        path: PathBuf,
    },
    /// Nobody could open the bundle.
    #[error("no recipients: nobody could open the bundle")]
    None,
    /// A site has no recipients file.
    #[error("there is no `{}`", .path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
    },
    /// A site has a file without recipients.
    #[error("`{}` lists no recipient", .path.display())]
    NoneInFile {
        /// The file.
        path: PathBuf,
    },
    /// A plugin's program is not installed.
    #[error("{place} takes `{program}`, which is not on PATH")]
    NoPlugin {
        /// Where the recipient stands.
        place: String,
        /// The plugin's program.
        program: String,
    },
    /// There is no such site.
    #[error("there is no site `{site}` in `{}`", .keys.display())]
    NoSite {
        /// The site.
        site: Site,
        /// The vault's directory of keys.
        keys: PathBuf,
    },
    /// It is no recipient.
    #[error("{place} is not an age recipient")]
    NotARecipient {
        /// Where it stands.
        place: String,
    },
    /// A directory below `keys/` has a name that no site can have.
    #[error("`{}` is not a site's directory", .path.display())]
    NotASite {
        /// The directory.
        path: PathBuf,
    },
    /// A link leads out of `keys/`, to what no review of the vault sees.
    #[error("`{}` leads out of `keys/`", .path.display())]
    Outside {
        /// The link.
        path: PathBuf,
    },
    /// age knows the kind; this version cannot seal for it.
    #[error("{place} is {kind}, which is not supported")]
    NotSupported {
        /// Where it stands.
        place: String,
        /// What it is.
        kind: &'static str,
    },
    /// A private key stands where a recipient should be.
    #[error("{place} is a private key, not a recipient")]
    PrivateKey {
        /// Where it stands.
        place: String,
    },
    /// An ssh key that age does not take.
    #[error("{place} is {kind}, which age does not take")]
    SshKey {
        /// Where it stands.
        place: String,
        /// What it is.
        kind: &'static str,
    },
    /// A recipient is there already.
    #[error("{place} is the recipient of {first} again")]
    Twice {
        /// Where it stands.
        place: String,
        /// Where it stands, too.
        first: String,
    },
}

/// What is allowed and seldom meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Who has its identity can open what is for either site.
    Shared {
        /// The recipient.
        recipient: String,
        /// The sites.
        sites: Vec<Site>,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Shared { recipient, sites } = self;
        let names: Vec<&str> = sites.iter().map(Site::as_str).collect();
        let names = match names.split_last() {
            Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
            _ => names.concat(),
        };
        write!(
            f,
            "{names} share a recipient: whoever has its identity opens what is for any of them: {recipient}"
        )
    }
}

impl Hint for RecipientsError {
    fn hint(&self) -> String {
        match self {
            Self::File(error) => error.hint(),
            Self::IdentityInKeys { .. } | Self::PrivateKey { .. } => String::from(
                "take it out, of git's history too, and make a new one: `dcn-vault keygen -o FILE` prints its recipient",
            ),
            Self::None => {
                String::from("give -r age1… or -R FILE, or list a site's in keys/SITE/recipients.txt")
            }
            Self::NoFile { .. } => {
                String::from("make it, with an `age1…` line for each who may open what is for the site")
            }
            Self::NoneInFile { path } => format!("add an `age1…` line to {}", path.display()),
            Self::NoPlugin { program, .. } => format!("install {program}, and look that PATH has it"),
            Self::NoSite { .. } => String::from("`dcn-vault site list` names those that there are"),
            Self::NotARecipient { .. } => String::from(
                "it is `age1…` of 62 characters, as `dcn-vault keygen` prints it, an ssh-ed25519 or ssh-rsa key, or a plugin's `age1NAME1…`",
            ),
            Self::NotASite { .. } => String::from("name it with letters, digits, `.`, `_` and `-`"),
            Self::NotSupported { .. } => {
                String::from("age cannot mix it with others: use an `age1…` of 62 characters, or an ssh key")
            }
            Self::Outside { .. } => String::from("put the file itself there, where a review sees it change"),
            Self::SshKey { .. } => String::from("use ssh-ed25519, or ssh-rsa of 2048 to 4096 bits"),
            Self::Twice { .. } => String::from("leave one of them, with the right comment"),
        }
    }
}
