use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::fs::{self, FileError, Held};
use crate::model::Digest;

use super::{Accepted, TrustError};

const FORMAT: &str = "dcn-vault-seen/1";
/// A file has some hundred bytes, and some paths.
const LIMIT: usize = 1024 * 1024;
/// Bundles that are unpacked to ever new directories leave ever new places; the oldest are forgotten.
const MOST_PLACES: usize = 64;
/// That a clock has gone on by less is not written down.
const NOTEWORTHY: SignedDuration = SignedDuration::from_mins(1);

/// What this machine has seen of vaults: a file for each, which only its user can read or write.
#[derive(Debug)]
pub struct Memory {
    directory: PathBuf,
}

/// What was seen of one vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Seen {
    /// Its id.
    pub vault: String,
    /// The highest generation that was accepted.
    pub generation: u64,
    /// The digest of that one's manifest.
    pub digest: Digest,
    /// The latest time that the clock, or an accepted manifest, has said.
    pub latest: Timestamp,
    /// How many signatures that manifest asks for.
    pub signatures_required: u32,
    /// The directories that its bundles were in, the last one last.
    pub places: Vec<String>,
}

/// What is remembered when a bundle comes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recollection {
    /// What was seen of its vault.
    pub seen: Option<Seen>,
    /// Another vault, whose bundles were at the same place.
    pub other_vault: Option<String>,
    /// Where it is: the directory's true path.
    pub place: String,
}

#[derive(Serialize, Deserialize)]
struct File {
    format: String,
    seen: Seen,
}

impl Memory {
    /// The memory in the directory `state`, such as `~/.local/state/dcn-vault`. It need not exist.
    #[must_use]
    pub fn at(state: &Path) -> Self {
        Self { directory: state.join("seen") }
    }

    /// What there is to remember of `vault`, whose bundle is in the directory `place`.
    ///
    /// # Errors
    ///
    /// [`TrustError::Damaged`], [`TrustError::File`] and [`TrustError::VaultName`].
    pub fn recall(&self, vault: &str, place: &Path) -> Result<Recollection, TrustError> {
        let place = named(place)?;
        // It becomes a file's name, and comes from a manifest
        if !fs::is_id(vault) {
            return Err(TrustError::VaultName);
        }
        let all = self.all()?;
        let other = all.iter().find(|seen| seen.vault != vault && seen.places.contains(&place));
        let other_vault = other.map(|seen| seen.vault.clone());
        Ok(Recollection { seen: all.into_iter().find(|seen| seen.vault == vault), other_vault, place })
    }

    /// Remembers what was accepted. What another process has accepted meanwhile, and is newer, stays. The caller **must** do
    /// so before it opens the bundle: of two forks that come at once, the second is refused here.
    ///
    /// # Errors
    ///
    /// [`TrustError::Damaged`], [`TrustError::File`] and [`TrustError::Forked`].
    pub fn remember(&self, accepted: &Accepted) -> Result<(), TrustError> {
        let Some(new) = &accepted.seen else { return Ok(()) };
        fs::make_private_directories(&self.directory)?;
        let held = Held::hold(&self.directory)?;
        let seen = match read(&self.path(&new.vault)?)? {
            // A deployment of many runs need not wait for the disk with each
            Some(old) if is_same(&old, new) => return Ok(()),
            Some(old) => merged(old, new)?,
            None => new.clone(),
        };
        let name = seen.vault.clone();
        let file = File { format: FORMAT.to_owned(), seen };
        // Every field is a string, a number or a list of those: there is nothing to fail on
        let mut bytes = serde_json::to_vec_pretty(&file).unwrap_or_default();
        bytes.push(b'\n');
        Ok(held.replace(&name, &bytes)?)
    }

    /// Everything, in the order of the vaults' ids.
    ///
    /// # Errors
    ///
    /// [`TrustError::Damaged`] and [`TrustError::File`].
    pub fn all(&self) -> Result<Vec<Seen>, TrustError> {
        let mut all = Vec::new();
        for vault in self.vaults()? {
            all.extend(read(&self.path(&vault)?)?);
        }
        Ok(all)
    }

    /// What was seen of `vault`, and of every vault whose bundles were in the directory `place`.
    ///
    /// # Errors
    ///
    /// [`TrustError::Damaged`] and [`TrustError::File`].
    pub fn about(&self, vault: Option<&str>, place: &Path) -> Result<Vec<Seen>, TrustError> {
        let place = named(place)?;
        let mut about = self.all()?;
        about.retain(|seen| vault == Some(seen.vault.as_str()) || seen.places.contains(&place));
        Ok(about)
    }

    /// Forgets `vault`, and every vault whose bundles were in the directory `place`. Returns what is forgotten.
    ///
    /// # Errors
    ///
    /// [`TrustError::Damaged`], of another vault's file, and [`TrustError::File`].
    pub fn forget(&self, vault: Option<&str>, place: &Path) -> Result<Vec<Seen>, TrustError> {
        let place = named(place)?;
        let mut forgotten = Vec::new();
        if self.vaults()?.is_empty() {
            return Ok(forgotten);
        }
        let held = Held::hold(&self.directory)?;
        for name in self.vaults()? {
            let path = self.path(&name)?;
            let is_meant = vault == Some(name.as_str());
            match read(&path) {
                Ok(Some(seen)) if is_meant || seen.places.contains(&place) => {
                    held.remove(&name)?;
                    forgotten.push(seen);
                }
                // Whatever it was, it is to go
                Err(TrustError::Damaged { .. }) if is_meant => held.remove(&name)?,
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(forgotten)
    }

    fn vaults(&self) -> Result<Vec<String>, TrustError> {
        let names = match fs::names_in(&self.directory) {
            Ok(names) => names.into_iter(),
            Err(FileError::Os { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(Vec::new());
            }
            // What cannot be looked for may be there
            Err(error) => return Err(error.into()),
        };
        Ok(names.filter_map(|name| name.into_string().ok()).filter(|name| fs::is_id(name)).collect())
    }

    fn path(&self, vault: &str) -> Result<PathBuf, TrustError> {
        if fs::is_id(vault) { Ok(self.directory.join(vault)) } else { Err(TrustError::VaultName) }
    }
}

/// Whether nothing has become different but the time, and that by little.
fn is_same(old: &Seen, new: &Seen) -> bool {
    let is_recent = new.latest.duration_since(old.latest) < NOTEWORTHY;
    is_recent && *old == Seen { latest: old.latest, ..new.clone() }
}

/// What two processes have seen: the newer of them, and the places and the time of both.
fn merged(old: Seen, new: &Seen) -> Result<Seen, TrustError> {
    if old.generation == new.generation && old.digest != new.digest {
        let (generation, seen, digest) = (new.generation, old.digest, new.digest.clone());
        return Err(TrustError::Forked { generation, seen, digest });
    }
    let latest = old.latest.max(new.latest);
    let mut places: Vec<String> =
        old.places.iter().filter(|place| !new.places.contains(place)).cloned().collect();
    places.extend(new.places.iter().cloned());
    let oldest = places.len().saturating_sub(MOST_PLACES);
    places.drain(..oldest);
    let newer = if old.generation > new.generation { old } else { new.clone() };
    Ok(Seen { latest, places, ..newer })
}

/// What the file says; `None` where there is none.
fn read(path: &Path) -> Result<Option<Seen>, TrustError> {
    if path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(None);
    }
    let bytes = fs::read_guarded(path, LIMIT)?;
    let damaged = || TrustError::Damaged { path: path.to_owned() };
    // Its own message would quote what it reads
    let File { format, seen } = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
    let is_its_own = path.file_name().is_some_and(|name| name == seen.vault.as_str());
    let is_whole = format == FORMAT && is_its_own && is_hex(&seen.digest.to_string(), 64);
    if is_whole { Ok(Some(seen)) } else { Err(damaged()) }
}

/// The directory as its true path says, without the links that lead to it; one that is gone as it is written.
fn named(place: &Path) -> Result<String, TrustError> {
    let path = if place.exists() { fs::true_path(place)? } else { place.to_owned() };
    Ok(path.display().to_string())
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TemporaryDirectory;
    use std::os::unix::fs::MetadataExt;

    const VAULT: &str = "00112233445566778899aabbccddeeff";

    fn seen(vault: &str, generation: u64, places: &[&str]) -> Accepted {
        let seen = Seen {
            vault: vault.to_owned(),
            generation,
            digest: Digest::of(&generation.to_be_bytes()),
            latest: "2026-06-01T12:00:00Z".parse().unwrap(),
            signatures_required: 1,
            places: places.iter().map(ToString::to_string).collect(),
        };
        Accepted { signers: Vec::new(), waived: Vec::new(), seen: Some(seen) }
    }

    #[test]
    fn what_is_remembered_is_recalled_and_nobody_else_can_read_it() {
        let state = TemporaryDirectory::scratch();
        let memory = Memory::at(&state.path().join("deep/dcn-vault"));
        assert!(memory.recall(VAULT, Path::new("/gone")).unwrap().seen.is_none());
        let accepted = seen(VAULT, 7, &["/gone"]);
        memory.remember(&accepted).unwrap();
        memory.remember(&accepted).unwrap();
        let recalled = memory.recall(VAULT, Path::new("/gone")).unwrap();
        assert_eq!((recalled.seen, recalled.other_vault), (accepted.seen, None));
        let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode(&memory.directory.join(VAULT)), 0o600);
        assert_eq!(mode(&memory.directory), 0o700);
        assert_eq!(fs::names_in(&memory.directory).unwrap(), [VAULT]);
    }

    #[test]
    fn the_time_alone_is_written_down_when_it_has_gone_on_by_a_minute() {
        let state = TemporaryDirectory::scratch();
        let memory = Memory::at(state.path());
        let mut accepted = seen(VAULT, 7, &["/srv/a"]);
        memory.remember(&accepted).unwrap();
        let first = accepted.seen.clone().unwrap().latest;
        for (seconds, written) in [(59, 0), (61, 61)] {
            accepted.seen.as_mut().unwrap().latest = first + SignedDuration::from_secs(seconds);
            memory.remember(&accepted).unwrap();
            let latest = memory.all().unwrap()[0].latest;
            assert_eq!(latest, first + SignedDuration::from_secs(written));
        }
        accepted.seen.as_mut().unwrap().places.push(String::from("/srv/b"));
        memory.remember(&accepted).unwrap();
        assert_eq!(memory.all().unwrap()[0].places.len(), 2);
    }

    #[test]
    fn a_place_is_bound_to_the_vault_that_it_had() {
        let state = TemporaryDirectory::scratch();
        let memory = Memory::at(state.path());
        memory.remember(&seen(VAULT, 7, &["/srv/a", "/srv/b"])).unwrap();
        let other = "f".repeat(32);
        for (place, expected) in [("/srv/a", Some(VAULT)), ("/srv/b", Some(VAULT)), ("/srv/c", None)] {
            let recalled = memory.recall(&other, Path::new(place)).unwrap();
            assert_eq!(recalled.other_vault.as_deref(), expected, "{place}");
        }
        assert_eq!(memory.forget(Some(&other), Path::new("/srv/b")).unwrap().len(), 1);
        assert!(memory.all().unwrap().is_empty());
    }

    #[test]
    fn what_another_process_has_seen_meanwhile_is_not_lost() {
        let state = TemporaryDirectory::scratch();
        let memory = Memory::at(state.path());
        memory.remember(&seen(VAULT, 9, &["/srv/a"])).unwrap();
        memory.remember(&seen(VAULT, 8, &["/srv/b"])).unwrap();
        let [kept] = &memory.all().unwrap()[..] else { panic!("one vault") };
        assert_eq!((kept.generation, kept.places.join(" ").as_str()), (9, "/srv/a /srv/b"));
        let mut fork = seen(VAULT, 9, &["/srv/a"]);
        fork.seen.as_mut().unwrap().digest = Digest::of(b"another");
        assert!(matches!(memory.remember(&fork), Err(TrustError::Forked { generation: 9, .. })));
        let many: Vec<String> = (0..200).map(|n| format!("/tmp/{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        memory.remember(&seen(VAULT, 9, &many)).unwrap();
        assert_eq!(memory.all().unwrap()[0].places.last().unwrap(), "/tmp/199");
        assert_eq!(memory.all().unwrap()[0].places.len(), MOST_PLACES);
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test damages a file")]
    fn a_damaged_file_is_an_error_and_never_nothing() {
        let state = TemporaryDirectory::scratch();
        let memory = Memory::at(state.path());
        memory.remember(&seen(VAULT, 7, &["/srv/a"])).unwrap();
        let path = memory.directory.join(VAULT);
        let text = String::from_utf8(fs::read_public(&path).unwrap()).unwrap();
        let digest = Digest::of(&7_u64.to_be_bytes()).to_string();
        for damaged in [
            String::new(),
            text.get(..text.len() / 2).unwrap().to_owned(),
            text.replace("seen/1", "seen/2"),
            text.replace(VAULT, &"e".repeat(32)),
            text.replace(&digest, "short"),
            text.replace("\"generation\": 7", "\"generation\": -7"),
            String::from("null"),
        ] {
            std::fs::write(&path, &damaged).unwrap();
            for result in [
                memory.recall(VAULT, Path::new("/gone")).map(|_| ()),
                memory.recall(&"e".repeat(32), Path::new("/gone")).map(|_| ()),
                memory.remember(&seen(VAULT, 8, &[])),
                memory.forget(None, Path::new("/srv/a")).map(|_| ()),
            ] {
                assert!(matches!(result, Err(TrustError::Damaged { .. })), "{damaged}: {result:?}");
            }
        }
        memory.forget(Some(VAULT), Path::new("/gone")).unwrap();
        assert!(memory.all().unwrap().is_empty());
    }

    #[test]
    fn a_vault_whose_id_is_a_path_is_refused() {
        let memory = Memory::at(Path::new("/nowhere"));
        for vault in ["", "..", "../../etc/passwd", "A".repeat(32).as_str(), &"0".repeat(33), &"/".repeat(32)]
        {
            let recalled = memory.recall(vault, Path::new("/gone"));
            assert!(matches!(recalled, Err(TrustError::VaultName)), "{vault}");
        }
    }
}
