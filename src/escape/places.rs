use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::fs;

/// What the client is known to do with what it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Habits {
    /// It stores it in the plan: Swift, Mistral, Heat. Victoria and before.
    Plan,
    /// Nobody has said which.
    #[default]
    Unknown,
    /// It copies it to its working directory. Wallaby and later.
    WorkingDirectory,
}

/// Where a command may have left copies.
#[derive(Clone, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Places {
    /// The home of who deploys.
    pub home: Option<PathBuf>,
    /// Where Train's Mistral keeps a directory for each stack.
    pub mistral: PathBuf,
    /// The stack.
    pub stack: OsString,
    /// Where the client makes temporary directories.
    pub temporary: Vec<PathBuf>,
    /// Working directories that the command line names.
    pub working: Vec<PathBuf>,
    /// The directory that the command runs in. Only files in it, not below.
    pub here: Option<PathBuf>,
    /// Directories to look at beside those.
    pub watched: Vec<PathBuf>,
    /// What is the command's own memory, and no copy: it is not entered.
    pub not: Vec<PathBuf>,
}

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Root {
    /// A directory, and all below.
    Tree(PathBuf),
    /// The files in a directory.
    Files(PathBuf),
    /// A file.
    File(PathBuf),
    /// What the client makes in a directory for temporary files.
    Temporary(PathBuf),
}

impl Habits {
    /// Those of a release as a manifest names it: `train`, `train to victoria`, `wallaby or later`.
    #[must_use]
    pub fn of_release(release: Option<&str>) -> Self {
        let names = |known: &[&str]| {
            release.is_some_and(|release| {
                release.split(|c: char| !c.is_alphanumeric()).any(|word| known.contains(&word))
            })
        };
        let plan = names(&["queens", "rocky", "stein", "train", "ussuri", "victoria"]);
        match (plan, names(&["wallaby", "xena", "zed"])) {
            (true, false) => Self::Plan,
            (false, true) => Self::WorkingDirectory,
            _ => Self::Unknown,
        }
    }
}

impl Places {
    /// All that is to be looked at, for a client with these habits; of nested trees the outer one.
    pub(super) fn roots(&self, habits: Habits) -> Vec<Root> {
        let mut roots: Vec<Root> = self.watched.iter().cloned().map(Root::Tree).collect();
        roots.extend(self.working.iter().cloned().map(Root::Tree));
        roots.extend(self.here.iter().cloned().map(Root::Files));
        // A name, and no path that leads elsewhere
        let stack = Path::new(&self.stack).file_name().filter(|name| *name == self.stack);
        let stack = stack.unwrap_or_else(|| OsStr::new("overcloud"));
        if habits != Habits::WorkingDirectory {
            roots.extend(self.temporary.iter().cloned().map(Root::Temporary));
            roots.push(Root::Tree(self.mistral.join(stack)));
        }
        if let Some(home) = &self.home {
            roots.push(Root::Tree(home.join(".tripleo")));
            let mut credentials = stack.to_owned();
            credentials.push("rc");
            roots.push(Root::File(home.join(credentials)));
            if habits != Habits::WorkingDirectory {
                roots.push(Root::Tree(home.join("config-download").join(stack)));
            }
            if habits != Habits::Plan {
                roots.push(Root::Tree(home.join("overcloud-deploy").join(stack)));
            }
        }
        roots.sort();
        roots.dedup();
        let trees: Vec<PathBuf> = roots.iter().filter_map(Root::tree).cloned().collect();
        let is_cut_off = |root: &Root, tree: &Path| {
            self.not.iter().any(|not| not.starts_with(tree) && root.path().starts_with(not))
        };
        let is_within_another = |root: &Root| {
            let within = |tree: &&PathBuf| *tree != root.path() && root.path().starts_with(tree);
            trees.iter().filter(within).any(|tree| !is_cut_off(root, tree))
        };
        // What is the host's own may be mounted in it
        let is_memory = |root: &Root| {
            let within = |not: &&PathBuf| root.path().starts_with(not);
            self.not.iter().filter(within).any(|not| fs::is_same_file_system(root.path(), not))
        };
        roots.retain(|root| !is_within_another(root) && !is_memory(root));
        roots
    }
}

impl Root {
    const fn tree(&self) -> Option<&PathBuf> {
        match self {
            Self::Tree(path) => Some(path),
            Self::Files(_) | Self::File(_) | Self::Temporary(_) => None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Tree(path) | Self::Files(path) | Self::File(path) | Self::Temporary(path) => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(release: Option<&str>) -> String {
        let places = Places {
            home: Some("/h".into()),
            mistral: "/m".into(),
            stack: "edge1".into(),
            temporary: vec!["/tmp".into()],
            here: Some("/h/here".into()),
            ..Places::default()
        };
        let roots = places.roots(Habits::of_release(release));
        roots.iter().map(|root| root.path().display().to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_release_leaves_its_own_traces_and_an_unknown_one_all() {
        let train = "/h/.tripleo /h/config-download/edge1 /m/edge1 /h/here /h/edge1rc /tmp";
        for release in ["train", "stein or before", "train to victoria"] {
            assert_eq!(roots(Some(release)), train, "{release}");
        }
        for release in ["zed", "wallaby or later"] {
            assert_eq!(roots(Some(release)), "/h/.tripleo /h/overcloud-deploy/edge1 /h/here /h/edge1rc");
        }
        for release in [None, Some("antelope")] {
            assert_eq!(
                roots(release),
                "/h/.tripleo /h/config-download/edge1 /h/overcloud-deploy/edge1 /m/edge1 /h/here /h/edge1rc /tmp"
            );
        }
    }

    #[test]
    fn a_place_within_another_is_looked_at_once_and_no_stack_leads_elsewhere() {
        let places = Places {
            home: Some("/h".into()),
            mistral: "/m".into(),
            stack: "../x".into(),
            working: vec!["/w".into()],
            watched: vec!["/h".into(), "/w/below".into()],
            ..Places::default()
        };
        let roots = places.roots(Habits::Unknown);
        assert_eq!(
            roots,
            [Root::Tree("/h".into()), Root::Tree("/m/overcloud".into()), Root::Tree("/w".into())]
        );
    }
}
