use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::fs::{self, Blocks, Found, FoundKind, Moment, Step};
use crate::guard::KnownValues;
use crate::model::ParameterName;

use super::places::Root;
use super::{Contents, Escape, Examination, Habits, Opaque, Places};

/// How the client's temporary directories begin.
const TEMPORARY_PREFIX: &str = "tripleoclient-";
/// What compressed files begin with: gzip, bzip2, xz, zstd, zip, lz4.
const COMPRESSED: [&[u8]; 6] =
    [b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"\x04\x22\x4d\x18"];

/// Looks for `known` in the files of `places` that have changed since `since`.
#[must_use]
pub fn search(known: &KnownValues, places: &Places, habits: Habits, since: Moment) -> Examination {
    let mut search = Search {
        known,
        since,
        not: &places.not,
        blocks: Blocks::overlapping(known.longest().saturating_sub(1)),
        escapes: BTreeMap::new(),
        archives: BTreeMap::new(),
        repositories: BTreeMap::new(),
        unreadable: BTreeSet::new(),
        looked_at: BTreeSet::new(),
    };
    for root in places.roots(habits) {
        search.root(&root);
    }
    let watched = places.watched.iter().map(|directory| {
        let files = search.looked_at.iter().filter(|path| path.starts_with(directory)).count();
        (shown(directory), u64::try_from(files).unwrap_or(u64::MAX))
    });
    let watched = watched.collect();
    let archive = |(path, holds): (PathBuf, _)| Opaque::Archive { path: shown(&path), holds };
    let repository = |(path, objects): (PathBuf, _)| Opaque::Git { path: shown(&path), objects };
    Examination {
        escapes: search.escapes.into_values().collect(),
        opaque: (search.archives.into_iter().map(archive))
            .chain(search.repositories.into_iter().map(repository))
            .collect(),
        unreadable: search.unreadable.iter().map(|path| shown(path)).collect(),
        too_short: known.too_short().to_vec(),
        watched,
        habits,
    }
}

struct Search<'a> {
    known: &'a KnownValues,
    since: Moment,
    not: &'a [PathBuf],
    blocks: Blocks,
    escapes: BTreeMap<PathBuf, Escape>,
    archives: BTreeMap<PathBuf, Option<Contents>>,
    repositories: BTreeMap<PathBuf, u64>,
    unreadable: BTreeSet<PathBuf>,
    looked_at: BTreeSet<PathBuf>,
}

impl Search<'_> {
    fn root(&mut self, root: &Root) {
        match root {
            Root::Tree(path) => fs::walk(path, &mut |step| self.step(&step)),
            Root::Files(path) => fs::walk(path, &mut |step| {
                self.step(&step);
                false
            }),
            Root::File(path) => fs::look(path, &mut |step| self.step(&step)),
            Root::Temporary(directory) => {
                let is_clients = |found: &Found<'_>| {
                    let below = found.path().strip_prefix(directory).unwrap_or_else(|_| found.path());
                    below.as_os_str().as_encoded_bytes().starts_with(TEMPORARY_PREFIX.as_bytes())
                };
                fs::walk(directory, &mut |step| match &step {
                    Step::Found(found) if !is_clients(found) => false,
                    // Of others' temporary directories nothing is said
                    Step::Unreadable(path) if *path == directory => false,
                    Step::Found(_) | Step::Unreadable(_) => self.step(&step),
                });
            }
        }
    }

    fn step(&mut self, step: &Step<'_>) -> bool {
        match step {
            Step::Unreadable(path) => {
                self.unreadable.insert(path.to_path_buf());
                false
            }
            Step::Found(found) if self.not.iter().any(|not| found.path() == not) => false,
            Step::Found(found) => {
                if found.kind() == FoundKind::File && found.is_changed_since(self.since) {
                    self.file(found);
                }
                true
            }
        }
    }

    fn file(&mut self, found: &Found<'_>) {
        let path = found.path();
        if let Some(repository) = repository_of(path) {
            *self.repositories.entry(repository).or_default() += 1;
            return;
        }
        let mut parameters: BTreeSet<ParameterName> = BTreeSet::new();
        let mut is_compressed = None;
        let read = found.open().and_then(|file| {
            self.blocks.read(&file, |block| {
                is_compressed.get_or_insert_with(|| COMPRESSED.iter().any(|start| block.starts_with(start)));
                parameters.extend(self.known.find_all(block));
            })
        });
        // One that has gone meanwhile is no copy any more
        if read.is_err() && path.symlink_metadata().is_ok() {
            self.unreadable.insert(path.to_owned());
        }
        self.looked_at.insert(path.to_owned());
        if !parameters.is_empty() {
            let parameters = parameters.into_iter().collect();
            let escape = Escape { path: shown(path), mode: found.mode(), parameters };
            self.escapes.insert(path.to_owned(), escape);
        } else if is_compressed == Some(true) {
            self.archives.insert(path.to_owned(), contents_of(path));
        }
    }
}

/// The repository of git whose compressed objects `path` is one of.
fn repository_of(path: &Path) -> Option<PathBuf> {
    let objects = path.ancestors().find(|above| above.ends_with(".git/objects"))?;
    objects.parent().map(Path::to_owned)
}

/// What the client puts into a file of this name.
fn contents_of(path: &Path) -> Option<Contents> {
    let name = path.file_name()?.to_string_lossy();
    let is_archive =
        [".tar.bzip2", ".tar.bz2", ".tar.gz", ".tgz"].iter().any(|ending| name.ends_with(ending));
    if is_archive && name.starts_with("heat-db") {
        Some(Contents::HeatDatabase)
    } else if is_archive && name.contains("-install-") {
        Some(Contents::WorkingDirectory)
    } else {
        None
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
