//! What becomes different, in words: names only.

use crate::bundle::{Change, Manifest, SiteChange, site_changes};
use crate::model::{ParameterName, Site};

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

/// What each site would get; sites that get the same stand together.
pub(super) fn plan(manifest: &Manifest) -> Vec<String> {
    let all = manifest.secrets.len();
    let entire = manifest.entire();
    let mut lines = Vec::new();
    if !entire.is_empty() {
        lines.push(format!("  = {}: all {}", some(&entire), counted(all, "secret")));
    }
    for grant in &manifest.grants {
        let has = manifest.exposed_by(Some(grant)).len();
        let sites = some(&grant.sites.iter().collect::<Vec<_>>());
        lines.push(format!("  = {sites}: {has} of {all} secrets, {} withheld", all.saturating_sub(has)));
    }
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    if more > 0 {
        lines.push(format!("  and {} more", counted(more, "subset")));
    }
    lines
}

/// Some sites, and how many more there are.
pub(super) fn some(sites: &[&Site]) -> String {
    let shown = sites.iter().take(NAMES).map(|site| site.as_str()).collect::<Vec<_>>().join(", ");
    let more = sites.len().saturating_sub(NAMES);
    if more == 0 { shown } else { format!("{shown} and {more} more") }
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
