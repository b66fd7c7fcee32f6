use crate::bundle::{Bundle, Envelope};
use crate::model::Digest;

use super::super::git;
use super::{Line, Verdict, counted, finding};

/// Whether each generation that git's history has follows the one before it; without git there is nothing to say.
pub(super) fn check(bundle: &Bundle) -> Vec<Line> {
    let directory = bundle.directory();
    if !git::has_work_tree(directory) {
        return Vec::new();
    }
    let (Ok(committed), Ok(envelope)) = (git::manifest_files(directory), Envelope::read(directory)) else {
        let says = String::from("git does not show it: `git log -- bundle/manifest.json`");
        return vec![Line { check: "history", verdict: Verdict::Warning, says }];
    };
    let mut lines = Vec::new();
    let (mut known, mut missing) = (0, 0);
    let mut later = (bundle.manifest.clone(), envelope.digest());
    // The newest first; what is not committed yet comes before it
    for (manifest, bytes) in committed {
        let digest = Digest::of(&bytes);
        if digest == later.1 || manifest.vault != later.0.vault {
            continue;
        }
        let follows = later.0.generation == manifest.generation + 1;
        if follows && later.0.previous.as_ref() != Some(&digest) {
            lines.push(finding(
                "history",
                format!(
                    "generation {} does not follow the generation {} that git has",
                    later.0.generation, manifest.generation
                ),
            ));
        }
        if manifest.generation >= later.0.generation {
            lines.push(finding(
                "history",
                format!(
                    "git has generation {} before generation {}",
                    manifest.generation, later.0.generation
                ),
            ));
        }
        known += 1;
        missing += later.0.generation.saturating_sub(manifest.generation).saturating_sub(1);
        later = (manifest, digest);
    }
    if lines.is_empty() && known > 0 {
        let says = match missing {
            0 => format!("{} before it, each follows the one before", counted(known, "generation")),
            _ => format!("{} before it; git lacks {missing} more in between", counted(known, "generation")),
        };
        lines.push(Line { check: "history", verdict: Verdict::Ok, says });
    }
    lines
}
