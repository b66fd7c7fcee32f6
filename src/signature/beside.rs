use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::fs::{self, FileError};

use super::{Signature, SignatureError};

/// A signature of RSA has 2 KB.
const LIMIT: usize = 64 * 1024;
const MOST: u8 = 9;

/// The names that the signatures of the file `name` have beside it: `name.sig`, then `name.sig.2` to `name.sig.9`.
pub fn names_beside(name: &str) -> impl Iterator<Item = String> + '_ {
    (1..=MOST).map(move |n| if n == 1 { format!("{name}.sig") } else { format!("{name}.sig.{n}") })
}

/// The signatures that lie beside the file `path`, each with its own path. There may be none.
///
/// # Errors
///
/// [`SignatureError::File`] and [`SignatureError::InFile`].
pub fn read_beside(path: &Path) -> Result<Vec<(PathBuf, Signature)>, SignatureError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut found = Vec::new();
    for path in names_beside(&name).map(|name| path.with_file_name(name)) {
        let bytes = match fs::read_capped(&path, LIMIT) {
            Err(FileError::Os { source, .. }) if source.kind() == ErrorKind::NotFound => continue,
            read => read?,
        };
        let signature = Signature::parse(&bytes).map_err(|fault| fault.in_file(&path))?;
        found.push((path, signature));
    }
    Ok(found)
}
