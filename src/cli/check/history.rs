use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::{Bundle, Envelope, Manifest};
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
    let now = &bundle.manifest;
    let committed = committed.into_iter().filter(|(manifest, _)| manifest.vault == now.vault);
    let committed: BTreeMap<Digest, Manifest> =
        committed.map(|(manifest, bytes)| (Digest::of(&bytes), manifest)).collect();
    let mut lines = Vec::new();
    // From this one back to the first. What two have made of one generation is beside the way
    let mut way = BTreeSet::from([envelope.digest()]);
    let (mut later, mut missing) = (now, 0);
    loop {
        let named = later.previous.as_ref().and_then(|digest| committed.get_key_value(digest));
        let nearest = || {
            let older = committed.iter().filter(|(_, one)| one.generation < later.generation);
            older.max_by_key(|(_, one)| one.generation)
        };
        let Some((digest, before)) = named.or_else(nearest) else { break };
        if !way.insert(digest.clone()) {
            break;
        }
        let between = later.generation.saturating_sub(before.generation).saturating_sub(1);
        if named.is_none() && between == 0 {
            lines.push(not_following(later.generation));
        }
        missing += between;
        later = before;
    }
    for (_, beside) in committed.iter().filter(|(digest, _)| !way.contains(*digest)) {
        if beside.generation >= now.generation {
            let says =
                format!("git has generation {} before generation {}", beside.generation, now.generation);
            lines.push(finding("history", says));
        } else if beside.generation + 1 == now.generation {
            // A site that has seen it takes this one for forged
            lines.push(not_following(now.generation));
        }
    }
    let known = way.len() - 1;
    if lines.is_empty() && known > 0 {
        let says = match missing {
            0 => format!("{} before it, each follows the one before", counted(known, "generation")),
            _ => format!("{} before it; git lacks {missing} more in between", counted(known, "generation")),
        };
        lines.push(Line { check: "history", verdict: Verdict::Ok, says });
    }
    lines
}

fn not_following(generation: u64) -> Line {
    let before = generation.saturating_sub(1);
    finding(
        "history",
        format!("generation {generation} does not follow the generation {before} that git has"),
    )
}
