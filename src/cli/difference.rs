//! What becomes different, in words: names only.

use crate::bundle::{Change, Manifest, SiteChange, site_changes};
use crate::model::ParameterName;

use super::ui::counted;

/// So many lines are said of sites, so many names of one.
const LINES: usize = 20;
const NAMES: usize = 8;

/// A line for each site that gets something else in `now` than in `before`.
pub(super) fn sites(before: &Manifest, now: &Manifest) -> Vec<String> {
    let changes = site_changes(before, now);
    let mut lines: Vec<String> = changes.iter().take(LINES).map(site).collect();
    let more = changes.len().saturating_sub(LINES);
    if more > 0 {
        lines.push(format!("  and {} more", counted(more, "site")));
    }
    lines
}

/// The sign of a change.
pub(super) const fn sign(change: Change) -> char {
    match change {
        Change::Added => '+',
        Change::Changed => '~',
        Change::Removed => '-',
    }
}

fn site(change: &SiteChange) -> String {
    let SiteChange { site, kind, keys_added, keys_removed, gains, loses } = change;
    let mut parts = Vec::new();
    match kind {
        Change::Added => parts.push(counted(gains.len(), "secret")),
        Change::Removed => parts.push(String::from("gets nothing any more")),
        Change::Changed => {
            parts.extend((!gains.is_empty()).then(|| format!("+ {}", named(gains))));
            parts.extend((!loses.is_empty()).then(|| format!("- {}", named(loses))));
            parts.extend(keys_added.iter().map(|key| format!("+ key {key}")));
            parts.extend(keys_removed.iter().map(|key| format!("- key {key}")));
        }
    }
    format!("  {} {site}: {}", sign(*kind), parts.join("; "))
}

/// Some names, and how many more there are.
pub(super) fn named(names: &[ParameterName]) -> String {
    let shown = names.iter().take(NAMES).map(ParameterName::as_str).collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(NAMES);
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
