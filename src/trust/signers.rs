use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::fs::FileError;
use crate::signature::{Signers, SignersError};

/// The signers that this machine trusts, and their file: the one that is `named`, else the first of `usual` that is there.
/// `None` where nobody has said whom to trust.
///
/// # Errors
///
/// Any [`SignersError`]. A file that is there and cannot be read is one: the next is not what its owner meant.
pub fn trusted_signers(
    named: Option<&Path>,
    usual: &[PathBuf],
) -> Result<Option<(PathBuf, Signers)>, SignersError> {
    if let Some(path) = named {
        return Ok(Some((path.to_owned(), Signers::read(path)?)));
    }
    for path in usual {
        match Signers::read(path) {
            Ok(signers) => return Ok(Some((path.clone(), signers))),
            Err(SignersError::File(error)) if is_missing(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

pub(super) fn is_missing(error: &FileError) -> bool {
    let FileError::Os { source, .. } = error else { return false };
    matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TemporaryDirectory;
    use crate::report::Hint;
    use crate::signature::SigningKey;

    #[allow(clippy::disallowed_methods, reason = "a test's own fixture")]
    fn with_mode(path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_file_that_is_named_comes_before_the_usual_ones_and_of_those_the_first() {
        let here = TemporaryDirectory::scratch();
        let file = |name: &str| {
            let line = format!("{name} {}\n", SigningKey::make().unwrap().public_line());
            let path = here.write(name, &line);
            with_mode(&path, 0o644);
            path
        };
        let (own, etc) = (file("own"), file("etc"));
        let missing = here.path().join("missing");
        let usual = [missing.clone(), own.clone(), etc.clone()];
        let found = |named| trusted_signers(named, &usual).unwrap().unwrap().0;
        assert_eq!((found(None), found(Some(&etc))), (own.clone(), etc));
        assert!(trusted_signers(None, std::slice::from_ref(&missing)).unwrap().is_none());
        assert!(trusted_signers(Some(&missing), &usual).is_err());
        // Below a file nothing is
        assert!(trusted_signers(None, &[own.join("signers")]).unwrap().is_none());
    }

    #[test]
    fn a_file_that_others_can_write_is_refused_and_not_passed_over() {
        let here = TemporaryDirectory::scratch();
        let own = here.write("own", "");
        let etc = here.write("etc", "");
        with_mode(&etc, 0o644);
        for mode in [0o664, 0o646] {
            with_mode(&own, mode);
            let error = trusted_signers(None, &[own.clone(), etc.clone()]).unwrap_err();
            let expected = format!("`{}` can be written by others: its mode is {mode:04o}", own.display());
            assert_eq!(
                (error.to_string(), error.hint()),
                (expected, format!("chmod go-w {}", own.display()))
            );
        }
    }
}
