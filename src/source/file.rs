use std::path::{Path, PathBuf};

use crate::fs;
use crate::model::{Origin, SourceKind};

use super::{Harvest, Plan, SourceError};

/// A saved `plan-environment.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileSource {
    /// A file.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

impl FileSource {
    /// `-` is standard input, all else a path.
    #[must_use]
    pub fn named(name: &Path) -> Self {
        if name == Path::new("-") { Self::Stdin } else { Self::Path(name.to_owned()) }
    }
}

/// Reads a saved plan, with no cloud at all. There are no stack outputs then.
///
/// # Errors
///
/// [`SourceError::File`] and those of [`Plan::read`].
pub fn from_file(source: &FileSource) -> Result<Harvest, SourceError> {
    let (text, name) = match source {
        FileSource::Path(path) => (fs::read_secret(path)?, path.display().to_string()),
        FileSource::Stdin => (fs::read_stdin()?, String::from("<stdin>")),
    };
    // EXPOSE: parsed into secret values; the parser's errors carry no text
    let plan = text.expose(|bytes| Plan::read(bytes, &name))?;
    Ok(Harvest { origin: Origin::of(SourceKind::File), plan, outputs: Vec::new(), warnings: Vec::new() })
}
