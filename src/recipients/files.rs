//! Recipients files, and the directory that has one for each site.

use std::collections::BTreeMap;
use std::path::Path;

use crate::fs::{self, EntryKind, FileError};
use crate::model::Site;

use super::recipient::Written;
use super::{FILE_NAME, RecipientsError};

/// The shortest text of an age identity is longer; a mere mention of its form is shorter.
const SHORTEST_IDENTITY: usize = 40;

/// The recipients in a file, one a line, as for `age -R`.
pub(super) fn in_file(path: &Path) -> Result<Vec<Written>, RecipientsError> {
    let bytes = fs::read_shared(path)?;
    in_text(&bytes, path)
}

/// The recipients in the bytes of the file at `path`.
pub(super) fn in_text(bytes: &[u8], path: &Path) -> Result<Vec<Written>, RecipientsError> {
    let text = String::from_utf8_lossy(bytes);
    let mut recipients = Vec::new();
    let mut seen = BTreeMap::new();
    for (position, line) in text.lines().enumerate() {
        let line = line.trim();
        let place = || format!("{}:{}", path.display(), position + 1);
        if line.starts_with('#') && holds_private_key(line.as_bytes()) {
            return Err(RecipientsError::PrivateKey { place: place() });
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let recipient = Written::parse(line, place)?;
        if let Some(first) = seen.insert(recipient.key.clone(), position + 1) {
            return Err(RecipientsError::Twice { place: place(), first: format!("line {first}") });
        }
        recipients.push(recipient);
    }
    if recipients.is_empty() {
        Err(RecipientsError::NoneInFile { path: path.to_owned() })
    } else {
        Ok(recipients)
    }
}

/// The recipients of every site of a vault. What else lies there must not be a private key.
pub(super) fn in_keys(keys: &Path) -> Result<BTreeMap<Site, Vec<Written>>, RecipientsError> {
    let mut sites = BTreeMap::new();
    for (name, kind) in fs::entries_in(keys)? {
        let path = keys.join(&name);
        match followed(&path, kind, keys)? {
            EntryKind::Directory => {
                let site = name.to_str().and_then(|name| Site::parse(name).ok());
                let site = site.ok_or_else(|| RecipientsError::NotASite { path: path.clone() })?;
                sites.insert(site, of_site(&path, keys)?);
            }
            EntryKind::File => refuse_private_key(&path)?,
            EntryKind::Link | EntryKind::Other => {}
        }
    }
    Ok(sites)
}

/// The recipients in a site's directory.
fn of_site(directory: &Path, keys: &Path) -> Result<Vec<Written>, RecipientsError> {
    let mut recipients = None;
    for (name, kind) in fs::entries_in(directory)? {
        let path = directory.join(&name);
        match followed(&path, kind, keys)? {
            EntryKind::Directory => refuse_private_keys_below(&path, keys)?,
            _ if name == FILE_NAME => recipients = Some(in_file(&path)?),
            EntryKind::File => refuse_private_key(&path)?,
            EntryKind::Link | EntryKind::Other => {}
        }
    }
    recipients.ok_or_else(|| RecipientsError::NoFile { path: directory.join(FILE_NAME) })
}

fn refuse_private_keys_below(directory: &Path, keys: &Path) -> Result<(), RecipientsError> {
    for (name, kind) in fs::entries_in(directory)? {
        let path = directory.join(&name);
        match (kind, followed(&path, kind, keys)?) {
            // A link to a directory within keys/ is looked through where that is
            (EntryKind::Directory, _) => refuse_private_keys_below(&path, keys)?,
            (_, EntryKind::File) => refuse_private_key(&path)?,
            _ => {}
        }
    }
    Ok(())
}

/// What a link leads to, which must be within `keys`.
fn followed(path: &Path, kind: EntryKind, keys: &Path) -> Result<EntryKind, RecipientsError> {
    if kind != EntryKind::Link {
        return Ok(kind);
    }
    let target = fs::true_path(path)?;
    if !target.starts_with(fs::true_path(keys)?) {
        return Err(RecipientsError::Outside { path: path.to_owned() });
    }
    Ok(if target.is_dir() {
        EntryKind::Directory
    } else if target.is_file() {
        EntryKind::File
    } else {
        EntryKind::Other
    })
}

fn refuse_private_key(path: &Path) -> Result<(), RecipientsError> {
    match fs::read_public(path) {
        Ok(bytes) if holds_private_key(&bytes) => {
            Err(RecipientsError::IdentityInKeys { path: path.to_owned() })
        }
        // Larger than any key, and nothing that we use
        Ok(_) | Err(FileError::TooLarge { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether an age identity, a plugin's, or a PEM private key is in `bytes`; the mere names of these are not.
fn holds_private_key(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_ascii_uppercase();
    let is_identity = |word: &str| {
        ["AGE-SECRET-KEY-", "AGE-PLUGIN-"]
            .iter()
            .any(|form| word.split_once(form).is_some_and(|(_, key)| key.len() >= SHORTEST_IDENTITY))
    };
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    let begins = |line: &str| line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----");
    text.lines().any(|line| begins(line) || line.split(|c| !is_of_word(c)).any(is_identity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_known_from_what_speaks_of_one() {
        let (key, kind) = ("Q".repeat(59), "PRIVATE KEY");
        for text in [
            format!("AGE-SECRET-KEY-1{key}"),
            format!("# created: now\nkey=age-secret-key-1{key}\n"),
            format!("AGE-PLUGIN-YUBIKEY-1{key}"),
            format!("  -----BEGIN OPENSSH {kind}-----\r\n"),
            format!("-----BEGIN {kind}-----"),
        ] {
            assert!(holds_private_key(text.as_bytes()), "{text}");
        }
        for text in [
            "an identity (`AGE-SECRET-KEY-1…`)",
            "a PRIVATE KEY",
            "-----BEGIN PUBLIC KEY-----",
            "AGE-PLUGIN-YUBIKEY-1",
        ] {
            assert!(!holds_private_key(text.as_bytes()), "{text}");
        }
    }
}
