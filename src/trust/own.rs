use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::fs::{self, Held};
use crate::signature::{NAMESPACE, PublicKey, Signers, SignersError};

use super::signers::is_missing;

const LIMIT: usize = 1024 * 1024;

/// The file of signers that a user trusts, to which some are added.
#[derive(Debug)]
pub struct OwnSigners {
    path: PathBuf,
    lines: String,
}

impl OwnSigners {
    /// Reads the file in `path`, which may be missing.
    ///
    /// # Errors
    ///
    /// Any [`SignersError`].
    pub fn read(path: &Path) -> Result<Self, SignersError> {
        let bytes = match fs::read_guarded(path, LIMIT) {
            Err(error) if is_missing(&error) => Vec::new(),
            read => read?,
        };
        let path = path.to_owned();
        // What cannot be read as it stands is not written anew either
        Signers::parse(&bytes, &path.display().to_string())?;
        let mut lines = String::from_utf8_lossy(&bytes).into_owned();
        if !lines.is_empty() && !lines.ends_with('\n') {
            lines.push('\n');
        }
        Ok(Self { path, lines })
    }

    /// Adds a key, for our purpose only; without a name, its fingerprint is one.
    pub fn add(&mut self, key: &PublicKey, name: Option<&str>) {
        let fingerprint = key.fingerprint();
        let name = name.unwrap_or(&fingerprint);
        // Writing to a String does not fail
        let _ = writeln!(self.lines, "{name} namespaces=\"{NAMESPACE}\" {}", key.line());
    }

    /// Its lines, with those that were added.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.lines
    }

    /// Whether `key` is among them.
    ///
    /// # Errors
    ///
    /// Any [`SignersError`] but those of files.
    pub fn lists(&self, key: &PublicKey) -> Result<bool, SignersError> {
        Ok(self.signers()?.listed().iter().any(|listed| listed.key == *key))
    }

    /// The signers in it, with those that were added.
    ///
    /// # Errors
    ///
    /// Any [`SignersError`] but those of files.
    pub fn signers(&self) -> Result<Signers, SignersError> {
        Signers::parse(self.lines.as_bytes(), &self.path.display().to_string())
    }

    /// Writes it, for nobody else to read; the old file or the new one is there, whole.
    ///
    /// # Errors
    ///
    /// [`SignersError::File`].
    pub fn save(&self) -> Result<(), SignersError> {
        // A link, to a file that is kept elsewhere, stays one
        let path = if self.path.exists() { fs::true_path(&self.path)? } else { self.path.clone() };
        let directory = path.parent().unwrap_or_else(|| Path::new("."));
        fs::make_private_directories(directory)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Held::hold(directory)?.replace(&name, self.lines.as_bytes())?)
    }
}

/// The name that a vault's file of signers gives to `key`. Nobody has verified it: it is for people, and a file that
/// cannot be read gives none. A pattern is no name, nor is what could be taken for another part of a line.
#[must_use]
pub fn claimed_name(signers: &Path, key: &PublicKey) -> Option<String> {
    let signers = Signers::parse(&fs::read_capped(signers, LIMIT).ok()?, "signers").ok()?;
    let listed = signers.listed().iter().find(|listed| listed.key == *key)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@._+-".contains(c);
    let is_name = !listed.principal.is_empty() && listed.principal.chars().all(is_plain);
    is_name.then(|| listed.principal.clone())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::fs::TemporaryDirectory;
    use crate::signature::SigningKey;

    #[test]
    fn a_key_that_is_added_may_sign_for_us_only_and_what_was_there_stays() {
        let here = TemporaryDirectory::scratch();
        let path = here.path().join("config/dcn-vault/signers");
        let (one, other) = (SigningKey::make().unwrap(), SigningKey::make().unwrap());
        let mut own = OwnSigners::read(&path).unwrap();
        own.add(one.public_key(), Some("alice@centre"));
        own.save().unwrap();
        let mut own = OwnSigners::read(&path).unwrap();
        own.add(other.public_key(), None);
        own.save().unwrap();
        let signers = Signers::read(&path).unwrap();
        let listed: Vec<(&str, &PublicKey)> =
            signers.listed().iter().map(|one| (one.principal.as_str(), &one.key)).collect();
        let fingerprint = other.fingerprint();
        assert_eq!(listed, [("alice@centre", one.public_key()), (fingerprint.as_str(), other.public_key())]);
        assert!(signers.listed().iter().all(|one| one.namespaces.as_deref() == Some("dcn-vault")));
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_claimed_name_is_a_plain_one_or_none() {
        let here = TemporaryDirectory::scratch();
        let key = SigningKey::make().unwrap();
        let line = key.public_line();
        for (text, expected) in [
            (format!("alice@centre {line}\n"), Some("alice@centre")),
            (format!("*@centre {line}\n"), None),
            (format!("alice,bob {line}\n"), None),
            (format!("\"alice namespaces\" {line}\n"), None),
            (format!("alice {}\n", SigningKey::make().unwrap().public_line()), None),
            (format!("broken\nalice {line}\n"), None),
        ] {
            let path = here.write("signers", &text);
            assert_eq!(claimed_name(&path, key.public_key()).as_deref(), expected, "{text}");
        }
        assert_eq!(claimed_name(&here.path().join("missing"), key.public_key()), None);
    }
}
