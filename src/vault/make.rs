//! A new vault: its settings with their explanations, who may change its keys, and what git should know.

use std::path::{Path, PathBuf};

use crate::fs::{self, FileError};

use super::{FILE_NAME, VaultError};

const SETTINGS: &str = include_str!("new/dcn-vault.yaml");
const KEYS_README: &str = include_str!("new/README.md");
/// What a pull that was ended leaves, and what would never be found again in a history that many have.
const GIT_IGNORES: [&str; 7] =
    [".bundle.*.new/", ".bundle.lock", ".*.new", "identity*.txt", "id_ed25519", "id_rsa", "*.key"];
/// A signature holds for exact bytes: git must not change line ends, and cannot merge what is signed.
const GIT_ATTRIBUTES: [&str; 4] = [
    "bundle/** merge=dcn-vault -text",
    "bundle/manifest.json diff=dcn-vault merge=dcn-vault -text",
    "*.age diff=dcn-vault-age merge=dcn-vault -text",
    "*.sig -diff merge=dcn-vault -text",
];

/// What git calls to show and to refuse to merge a bundle: keys of `git config`, and their values. git takes no commands
/// from a repository, so that each clone sets them anew.
pub const GIT_CONFIG: [(&str, &str); 4] = [
    ("diff.dcn-vault.textconv", "dcn-vault textconv"),
    ("diff.dcn-vault-age.textconv", "dcn-vault textconv"),
    ("merge.dcn-vault.name", "dcn-vault: a bundle is never merged"),
    ("merge.dcn-vault.driver", "dcn-vault merge-driver %O %A %B %P"),
];

/// Makes a vault in `directory`, which is made where it is missing. Returns what was made or added to. What is there stays.
///
/// # Errors
///
/// [`VaultError::Exists`], [`VaultError::File`].
pub fn make(directory: &Path) -> Result<Vec<PathBuf>, VaultError> {
    let settings = directory.join(FILE_NAME);
    if settings.symlink_metadata().is_ok() {
        return Err(VaultError::Exists { path: settings });
    }
    fs::make_public_directories(&directory.join("keys"))?;
    let mut made = Vec::new();
    let readme = directory.join("keys/README.md");
    if readme.symlink_metadata().is_err() {
        fs::replace_public(&readme, KEYS_README.as_bytes())?;
        made.push(readme);
    }
    for (name, lines) in [(".gitignore", &GIT_IGNORES[..]), (".gitattributes", &GIT_ATTRIBUTES[..])] {
        let path = directory.join(name);
        if append_missing(&path, lines)? {
            made.push(path);
        }
    }
    // Last: what fails before can be begun again
    fs::replace_public(&settings, SETTINGS.as_bytes())?;
    made.push(settings);
    Ok(made)
}

/// Adds the lines of `lines` that the file has not. Whether there were any.
fn append_missing(path: &Path, lines: &[&str]) -> Result<bool, FileError> {
    let mut bytes = match fs::read_public(path) {
        Ok(bytes) => bytes,
        Err(FileError::Os { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let missing: Vec<&&str> =
        lines.iter().filter(|line| !text.lines().any(|there| there.trim() == **line)).collect();
    if !bytes.is_empty() && !bytes.ends_with(b"\n") && !missing.is_empty() {
        bytes.push(b'\n');
    }
    for line in &missing {
        bytes.extend(line.as_bytes());
        bytes.push(b'\n');
    }
    if !missing.is_empty() {
        fs::replace_public(path, &bytes)?;
    }
    Ok(!missing.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::{BundleSettings, OsloWhen, SourceSettings, Vault};
    use super::*;
    use crate::fs::TemporaryDirectory;

    #[test]
    fn a_new_vault_has_nothing_set_and_does_not_get_in_the_way_of_its_own_keys() {
        let here = TemporaryDirectory::scratch();
        let directory = here.path().join("new/vault");
        let made = make(&directory).unwrap();
        assert_eq!(made.len(), 4);
        let vault = Vault::find(&directory).unwrap();
        assert_eq!((vault.source, vault.sites), (SourceSettings::default(), None));
        assert_eq!(vault.bundle, BundleSettings::default());
    }

    #[test]
    fn every_setting_is_explained_and_holds_once_its_mark_is_taken_away() {
        let is_setting = |line: &&str| {
            line.strip_prefix('#')
                .is_some_and(|rest| rest.starts_with("  ") || rest.starts_with(char::is_alphabetic))
        };
        let unmarked = |line| if is_setting(&line) { line.trim_start_matches('#') } else { line };
        let text = SETTINGS.lines().map(unmarked).collect::<Vec<_>>().join("\n");
        let here = TemporaryDirectory::scratch();
        here.write(FILE_NAME, &text);
        let vault = Vault::find(here.path()).unwrap();
        let SourceSettings {
            cloud: Some(_),
            stack: Some(_),
            plan: Some(_),
            exclude,
            barbican,
            release: Some(_),
            working_dir: Some(_),
            config_download_dir: Some(_),
            ceph,
            oslo_messaging,
        } = vault.source
        else {
            panic!("a setting of source is not explained")
        };
        assert!(!exclude.is_empty() && !barbican.is_empty() && !ceph.stacks.is_empty());
        assert!(ceph.client.is_some() && !oslo_messaging.roles.is_empty());
        assert_eq!(oslo_messaging.when, OsloWhen::Auto);
        let sites = vault.sites.unwrap();
        assert!(sites.values().any(|site| site.role.is_some() && site.release.is_some()));
        assert!(sites.values().any(|site| site.secrets.is_some()));
        assert!(vault.bundle.not_after.is_some() && text.contains("signatures: 1"));
    }

    #[test]
    fn what_is_there_is_added_to_and_never_replaced() {
        let here = TemporaryDirectory::scratch();
        here.write("keys/README.md", "ours");
        here.write(".gitignore", "*.pyc\nidentity*.txt");
        let made = make(here.path()).unwrap();
        let read = |name: &str| String::from_utf8(fs::read_public(&here.path().join(name)).unwrap()).unwrap();
        assert_eq!(read("keys/README.md"), "ours");
        assert!(!made.iter().any(|path| path.ends_with("README.md")));
        let ignores = read(".gitignore");
        assert!(ignores.starts_with("*.pyc\nidentity*.txt\n.bundle.*.new/\n"), "{ignores}");
        assert_eq!(ignores.matches("identity*.txt").count(), 1);
        assert!(matches!(make(here.path()), Err(VaultError::Exists { .. })));
        assert_eq!(read(".gitignore"), ignores);
    }
}
