//! What config-download leaves on the host that deploys: from Train on the data of all nodes is a file.

use std::path::{Path, PathBuf};

use crate::fs;
use crate::json;
use crate::model::{Data, EnvironmentFile};

use super::output::{Holder, checked};
use super::{Places, Release, SavedError, SourceError};

/// Where to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConfigDownload<'a> {
    pub(super) stack: &'a str,
    /// The directory that somebody has named.
    pub(super) given: Option<&'a Path>,
    pub(super) release: Option<Release>,
    pub(super) places: &'a Places,
}

impl ConfigDownload<'_> {
    /// The data of all nodes, and the file that has it.
    pub(super) fn all_nodes(&self) -> Result<(Data, PathBuf), SourceError> {
        let path = self.find()?;
        Ok((read_all_nodes(&path)?, path))
    }

    /// The one file that there is. Two are one too many: an upgraded host still has the old release's.
    fn find(&self) -> Result<PathBuf, SourceError> {
        let candidates: Vec<PathBuf> = self.directories().iter().map(|path| all_nodes_in(path)).collect();
        // A file that may not be looked at counts: reading it says why
        let mut found = candidates.iter().filter(|path| path.try_exists().unwrap_or(true));
        match (found.next(), found.next()) {
            (None, _) => Err(SavedError::AllNodesNotFound {
                stack: self.stack.to_owned(),
                places: self.places_in_words(&candidates),
            }
            .into()),
            (Some(path), None) => Ok(path.clone()),
            (Some(one), Some(other)) => {
                Err(SavedError::AllNodesTwice { one: one.clone(), other: other.clone() }.into())
            }
        }
    }

    fn places_in_words(&self, candidates: &[PathBuf]) -> String {
        let paths: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
        match (self.given, self.release, paths.as_slice()) {
            (None, None, [train, victoria, wallaby]) => format!(
                "Train keeps it in {train}, Ussuri and Victoria in {victoria}, Wallaby and later in {wallaby}, of whoever deployed"
            ),
            (None, Some(release), [path]) => {
                format!(
                    "{} keeps it in {path}, of whoever deployed; leave --release out where the stack has it itself",
                    release.title()
                )
            }
            (_, _, paths) => format!("looked for {}", paths.join(" and ")),
        }
    }

    /// Train's directory is the stack's own, a later release's holds one for each stack.
    fn directories(&self) -> Vec<PathBuf> {
        match self.given {
            Some(directory) => vec![directory.to_owned(), directory.join(self.stack)],
            None => self.places.config_download(self.stack, self.release),
        }
    }
}

fn all_nodes_in(directory: &Path) -> PathBuf {
    // It has this name whatever the stack's
    directory.join("group_vars").join("overcloud.json")
}

fn read_all_nodes(path: &Path) -> Result<Data, SourceError> {
    let name = path.display().to_string();
    let text = fs::read_secret(path)?;
    // EXPOSE: parsed into secret values; the error carries no text
    let value = text.expose(|bytes| json::read(bytes, &name))?;
    checked(EnvironmentFile::AllNodes, value, || Holder::File(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TemporaryDirectory;

    const FILE: &str = "group_vars/overcloud.json";

    fn found(
        here: &TemporaryDirectory,
        given: Option<&str>,
        release: Option<Release>,
    ) -> Result<String, SourceError> {
        let places = Places { mistral: here.path().join("mistral"), home: Some(here.path().join("home")) };
        let given = given.map(|name| here.path().join(name));
        let search = ConfigDownload { stack: "central", given: given.as_deref(), release, places: &places };
        let (_, path) = search.all_nodes()?;
        Ok(path.strip_prefix(here.path()).unwrap().display().to_string())
    }

    #[test]
    fn the_default_place_of_every_release_is_looked_at() {
        for directory in [
            "mistral/central",
            "home/config-download/central",
            "home/overcloud-deploy/central/config-download/central",
        ] {
            let here = TemporaryDirectory::scratch();
            let file = format!("{directory}/{FILE}");
            here.write(&file, r#"{"a": 1}"#);
            assert_eq!(found(&here, None, None).unwrap(), file);
        }
    }

    #[test]
    fn of_two_files_none_is_taken_until_somebody_chooses() {
        let here = TemporaryDirectory::scratch();
        here.write(&format!("mistral/central/{FILE}"), r#"{"a": 1}"#);
        here.write(&format!("home/config-download/central/{FILE}"), r#"{"a": 1}"#);
        assert!(matches!(
            found(&here, None, None),
            Err(SourceError::Saved(SavedError::AllNodesTwice { .. }))
        ));
        assert!(found(&here, None, Some(Release::Train)).unwrap().starts_with("mistral"));
        assert!(found(&here, Some("home/config-download"), None).unwrap().starts_with("home"));
    }

    #[test]
    fn where_there_is_none_every_place_is_named() {
        let here = TemporaryDirectory::scratch();
        let Err(SourceError::Saved(SavedError::AllNodesNotFound { places, .. })) = found(&here, None, None)
        else {
            panic!("found")
        };
        for place in
            ["Train keeps it in ", "mistral", "Victoria in ", "home/config-download", "overcloud-deploy"]
        {
            assert!(places.contains(place), "{places}");
        }
    }
}
