//! Who may open what is sealed: age recipients, and the files that list them.
//!
//! It stands apart because a recipient that is taken by mistake is a leak: lines are parsed before anything is pulled,
//! and a private key in their place is refused.
//!
//! # What this does not do
//!
//! It does not know whose key it is: that is for those who review changes below `keys/`. Native X25519 recipients
//! (`age1…`) and ssh keys (ssh-ed25519, ssh-rsa) are taken so far, not plugins. A file for an ssh key shows whose it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use age::{ssh, x25519};

use crate::fs::{self, FileError};
use crate::model::Site;
use crate::report::Hint;

/// The site of recipients that are given by hand, without a vault.
const DEFAULT_SITE: &str = "default";
const FILE_NAME: &str = "recipients.txt";

/// The recipients of each site; at least one site, and for each at least one recipient.
#[derive(Debug)]
#[non_exhaustive]
pub struct RecipientSet {
    sites: BTreeMap<Site, Vec<Recipient>>,
}

/// An age recipient, and its text.
#[derive(Debug)]
struct Recipient {
    text: String,
    key: Key,
}

#[derive(Debug)]
enum Key {
    Ssh(ssh::Recipient),
    X25519(x25519::Recipient),
}

/// Why there are no recipients.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipientsError {
    /// A recipients file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Nobody could open the bundle.
    #[error("no recipients: nobody could open the bundle")]
    None,
    /// A private key stands where a recipient should be.
    #[error("{place} is a private key, not a recipient")]
    PrivateKey {
        /// Where it stands.
        place: String,
    },
    /// A directory below `keys/` has a name that no site can have.
    #[error("`{}` is not a site's directory", .path.display())]
    NotASite {
        /// The directory.
        path: PathBuf,
    },
    /// A site has a file without recipients.
    #[error("`{}` lists no recipient", .path.display())]
    NoneInFile {
        /// The file.
        path: PathBuf,
    },
    /// It is no recipient.
    #[error("{place} is not an age recipient")]
    NotARecipient {
        /// Where it stands.
        place: String,
    },
}

impl Hint for RecipientsError {
    fn hint(&self) -> String {
        match self {
            Self::File(error) => error.hint(),
            Self::None => {
                String::from("give -r age1… or -R FILE, or list a site's in keys/SITE/recipients.txt")
            }
            Self::PrivateKey { .. } => String::from(
                "take it out, of git's history too, and make a new one: `dcn-vault keygen -o FILE` prints its recipient",
            ),
            Self::NotASite { .. } => String::from("name it with letters, digits, `.`, `_` and `-`"),
            Self::NoneInFile { path } => format!("add an `age1…` line to {}", path.display()),
            Self::NotARecipient { .. } => String::from(
                "it is `age1…` of 62 characters, as `dcn-vault keygen` prints it, or an ssh-ed25519 or ssh-rsa key",
            ),
        }
    }
}

impl RecipientSet {
    /// The recipients given by hand: texts, and files with one a line (as for `age -R`).
    ///
    /// # Errors
    ///
    /// Any [`RecipientsError`] but those of sites.
    pub fn given(texts: &[String], files: &[PathBuf]) -> Result<Self, RecipientsError> {
        let mut recipients = Vec::new();
        for text in texts {
            recipients.push(parse(text, || String::from("an argument of --recipient"))?);
        }
        for path in files {
            recipients.extend(in_file(path)?);
        }
        let site = Site::parse(DEFAULT_SITE).map_err(|_| RecipientsError::None)?;
        Self::of([(site, recipients)].into())
    }

    /// The recipients of every site of a vault: `keys/SITE/recipients.txt`.
    ///
    /// # Errors
    ///
    /// Any [`RecipientsError`].
    pub fn of_vault(keys: &Path) -> Result<Self, RecipientsError> {
        let mut sites = BTreeMap::new();
        for directory in fs::directories_below(keys)? {
            let path = directory.join(FILE_NAME);
            let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let site =
                Site::parse(name).map_err(|_| RecipientsError::NotASite { path: directory.clone() })?;
            sites.insert(site, in_file(&path)?);
        }
        Self::of(sites)
    }

    /// Each site, with its recipients as text.
    #[must_use]
    pub fn texts(&self) -> BTreeMap<Site, Vec<String>> {
        let texts =
            |recipients: &Vec<Recipient>| recipients.iter().map(|recipient| recipient.text.clone()).collect();
        self.sites.iter().map(|(site, recipients)| (site.clone(), texts(recipients))).collect()
    }

    /// Everyone's keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &dyn age::Recipient> {
        self.sites.values().flatten().map(|recipient| match &recipient.key {
            Key::Ssh(key) => key as &dyn age::Recipient,
            Key::X25519(key) => key,
        })
    }

    /// The sites.
    pub fn sites(&self) -> impl Iterator<Item = &Site> {
        self.sites.keys()
    }

    /// The keys of one site.
    pub(crate) fn keys_of(&self, site: &Site) -> impl Iterator<Item = &(dyn age::Recipient + Sync)> {
        self.sites.get(site).into_iter().flatten().map(|recipient| match &recipient.key {
            Key::Ssh(key) => key as &(dyn age::Recipient + Sync),
            Key::X25519(key) => key,
        })
    }

    /// The texts of one site.
    pub(crate) fn texts_of(&self, site: &Site) -> impl Iterator<Item = &str> {
        self.sites.get(site).into_iter().flatten().map(|recipient| recipient.text.as_str())
    }

    fn of(mut sites: BTreeMap<Site, Vec<Recipient>>) -> Result<Self, RecipientsError> {
        for recipients in sites.values_mut() {
            recipients.sort_by(|one, other| one.text.cmp(&other.text));
            recipients.dedup_by(|one, other| one.text == other.text);
        }
        if sites.values().all(Vec::is_empty) { Err(RecipientsError::None) } else { Ok(Self { sites }) }
    }
}

fn in_file(path: &Path) -> Result<Vec<Recipient>, RecipientsError> {
    let bytes = fs::read_public(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut recipients = Vec::new();
    for (position, line) in text.lines().enumerate() {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            recipients.push(parse(line, || format!("{}:{}", path.display(), position + 1))?);
        }
    }
    if recipients.is_empty() {
        Err(RecipientsError::NoneInFile { path: path.to_owned() })
    } else {
        Ok(recipients)
    }
}

fn parse(text: &str, place: impl Fn() -> String) -> Result<Recipient, RecipientsError> {
    let upper = text.to_ascii_uppercase();
    if upper.starts_with("AGE-SECRET-KEY-")
        || upper.starts_with("AGE-PLUGIN-")
        || upper.contains("PRIVATE KEY")
    {
        return Err(RecipientsError::PrivateKey { place: place() });
    }
    let native = text.parse().map(Key::X25519);
    let key = native.or_else(|_| text.parse().map(Key::Ssh));
    Ok(Recipient {
        text: text.to_owned(),
        key: key.map_err(|_| RecipientsError::NotARecipient { place: place() })?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TemporaryDirectory;

    fn make_recipient() -> String {
        x25519::Identity::generate().to_public().to_string()
    }

    #[test]
    fn a_file_for_age_works_as_it_stands_comments_and_all() {
        let here = TemporaryDirectory::scratch();
        let (one, other) = (make_recipient(), make_recipient());
        let path = here.write("recipients.txt", &format!("# site lyon\n\n{one}\r\n  {other}  \n{one}\n"));
        let set = RecipientSet::given(&[], &[path]).unwrap();
        assert_eq!(set.keys().count(), 2);
    }

    #[test]
    fn a_private_key_is_refused_by_its_place_and_never_repeated() {
        use age::secrecy::ExposeSecret;
        let identity = x25519::Identity::generate().to_string();
        let error = RecipientSet::given(&[identity.expose_secret().to_owned()], &[]).unwrap_err();
        assert_eq!(error.to_string(), "an argument of --recipient is a private key, not a recipient");
    }

    #[test]
    fn each_directory_below_keys_is_a_site() {
        let here = TemporaryDirectory::scratch();
        for site in ["lyon", "turin"] {
            here.write(&format!("{site}/recipients.txt"), &make_recipient());
        }
        here.write("README.md", "not a site");
        let sites: Vec<String> =
            RecipientSet::of_vault(here.path()).unwrap().texts().keys().map(ToString::to_string).collect();
        assert_eq!(sites, ["lyon", "turin"]);
    }

    #[test]
    fn nobody_is_an_error_and_so_is_a_file_of_comments() {
        assert!(matches!(RecipientSet::given(&[], &[]), Err(RecipientsError::None)));
        let here = TemporaryDirectory::scratch();
        let path = here.write("recipients.txt", "# nobody yet\n");
        assert!(matches!(RecipientSet::given(&[], &[path]), Err(RecipientsError::NoneInFile { .. })));
    }
}
