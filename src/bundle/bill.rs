//! What must be rotated, since somebody knows it who gets it no more.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::fingerprint::{Settled, Tag};
use crate::model::{Glob, Grant, ParameterName, Site, hindrance};

use super::Manifest;

/// Secrets that keys were able to open, and are no longer given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BillEntry {
    /// The site of the keys.
    pub site: Site,
    /// The keys.
    pub recipients: Vec<String>,
    /// The generation from which on they open them no more.
    pub since: u64,
    /// The secrets whose values are still the ones that the keys opened.
    pub secrets: BTreeSet<ParameterName>,
}

impl BillEntry {
    /// Those that must be rotated; without those that cannot be, or need not.
    pub fn due(&self) -> impl Iterator<Item = &ParameterName> {
        self.secrets.iter().filter(|name| hindrance(name).is_none())
    }
}

/// What `now` owes: what `before` owed, and what keys lose with `now`; without what is `settled`, since somebody says so.
pub(super) fn bill(
    before: &Manifest,
    now: &Manifest,
    settled: impl Fn(&ParameterName) -> bool,
) -> Vec<BillEntry> {
    let readers = Readers::of(now);
    let mut entries: Vec<BillEntry> = Vec::new();
    for owed in &before.bill {
        let mut entry = owed.clone();
        entry.secrets.retain(|name| !settled(name) && !readers.all_get(&owed.recipients, name));
        entries.push(entry);
    }
    let mut lost: BTreeMap<(&Site, BTreeSet<&ParameterName>), Vec<String>> = BTreeMap::new();
    let readers_before = Readers::of(before);
    let positions = before.grant_positions();
    for (site, recipients) in &before.recipients {
        let knew = readers_before.set_of(positions.get(site).copied().unwrap_or_default());
        for recipient in recipients {
            let mut secrets = readers.lost_by(recipient, knew);
            secrets.retain(|name| !settled(name));
            if !secrets.is_empty() {
                lost.entry((site, secrets)).or_default().push(recipient.clone());
            }
        }
    }
    entries.extend(lost.into_iter().map(|((site, secrets), recipients)| BillEntry {
        site: site.clone(),
        recipients,
        since: now.generation,
        secrets: secrets.into_iter().cloned().collect(),
    }));
    entries.retain(|entry| !entry.secrets.is_empty());
    entries
}

/// Whose keys, which, and since when they are given something no more.
type Keys = (Site, Vec<String>, u64);

/// Takes what was rotated off the bill `owed`, and puts what has come back on it. `rotated` gives the value that was known, of a
/// secret that has another now; `is_back` says whether a value that was known is the one of now. Returns the bill, and what is
/// settled of what was known.
pub(super) fn settle(
    owed: Vec<BillEntry>,
    settled: Vec<Settled>,
    now: &Manifest,
    rotated: impl Fn(&ParameterName) -> Option<Tag>,
    is_back: impl Fn(&ParameterName, &Tag) -> bool,
) -> (Vec<BillEntry>, Vec<Settled>) {
    let readers = Readers::of(now);
    let mut all: BTreeMap<Keys, BTreeMap<ParameterName, Tag>> = BTreeMap::new();
    for Settled { site, recipients, since, secrets } in settled {
        all.entry((site, recipients, since)).or_default().extend(secrets);
    }
    let mut owing: BTreeMap<Keys, BTreeSet<ParameterName>> = BTreeMap::new();
    for BillEntry { site, recipients, since, secrets } in owed {
        let keys = (site, recipients, since);
        let (known, still): (Vec<_>, Vec<_>) =
            secrets.into_iter().map(|name| (rotated(&name), name)).partition(|(tag, _)| tag.is_some());
        let known = known.into_iter().filter_map(|(tag, name)| Some((name, tag?)));
        all.entry(keys.clone()).or_default().extend(known);
        owing.entry(keys).or_default().extend(still.into_iter().map(|(_, name)| name));
    }
    all.retain(|_, secrets| !secrets.is_empty());
    for (keys, secrets) in &all {
        let back = secrets.iter().filter(|(name, tag)| is_back(name, tag) && !readers.all_get(&keys.1, name));
        owing.entry(keys.clone()).or_default().extend(back.map(|(name, _)| name.clone()));
    }
    owing.retain(|_, secrets| !secrets.is_empty());
    let mut owing: Vec<BillEntry> = owing
        .into_iter()
        .map(|((site, recipients, since), secrets)| BillEntry { site, recipients, since, secrets })
        .collect();
    // In the order in which they lost it
    owing.sort_by_key(|entry| entry.since);
    let all = all.into_iter().map(|((site, recipients, since), secrets)| Settled {
        site,
        recipients,
        since,
        secrets,
    });
    (owing, all.collect())
}

impl Manifest {
    /// What would be owed, were this bundle no more for `site`, and no value another.
    #[must_use]
    pub fn owed_without(&self, site: &Site) -> Vec<BillEntry> {
        let mut now = self.clone();
        now.generation = self.generation.saturating_add(1);
        now.recipients.remove(site);
        for grant in &mut now.grants {
            grant.sites.retain(|known| known != site);
        }
        bill(self, &now, |_| false)
    }
}

/// Who can read what in one generation.
struct Readers<'a> {
    /// What is exposed by getting everything, then by each subset.
    sets: Vec<BTreeSet<&'a ParameterName>>,
    /// Of each key, which of them.
    of: BTreeMap<&'a str, BTreeSet<usize>>,
}

impl<'a> Readers<'a> {
    fn of(manifest: &'a Manifest) -> Self {
        let grants = [None].into_iter().chain(manifest.grants.iter().map(Some));
        let sets = grants.map(|grant: Option<&Grant>| manifest.exposed_by(grant)).collect();
        let positions = manifest.grant_positions();
        let mut of: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for (site, recipients) in &manifest.recipients {
            let position = positions.get(site).copied().unwrap_or_default();
            for recipient in recipients {
                of.entry(key_of(recipient)).or_default().insert(position);
            }
        }
        Self { sets, of }
    }

    fn set_of(&self, position: usize) -> &BTreeSet<&'a ParameterName> {
        static NOTHING: BTreeSet<&ParameterName> = BTreeSet::new();
        self.sets.get(position).unwrap_or(&NOTHING)
    }

    fn sets_of(&self, recipient: &str) -> impl Iterator<Item = &BTreeSet<&'a ParameterName>> {
        self.of.get(key_of(recipient)).into_iter().flatten().map(|position| self.set_of(*position))
    }

    /// Whether each of these keys can read `name`.
    fn all_get(&self, recipients: &[String], name: &ParameterName) -> bool {
        recipients.iter().all(|recipient| self.sets_of(recipient).any(|set| set.contains(name)))
    }

    fn lost_by<'b>(
        &self,
        recipient: &str,
        knew: &BTreeSet<&'b ParameterName>,
    ) -> BTreeSet<&'b ParameterName> {
        let gets = |name: &ParameterName| self.sets_of(recipient).any(|set| set.contains(name));
        knew.iter().copied().filter(|name| !gets(name)).collect()
    }
}

/// A recipient without its comment: an ssh key may have one, and whoever edits it has no other key.
fn key_of(recipient: &str) -> &str {
    recipient.match_indices(' ').nth(1).and_then(|(end, _)| recipient.get(..end)).unwrap_or(recipient)
}

impl Manifest {
    /// Where each site's subset stands, counted from 1; the others get everything.
    pub(super) fn grant_positions(&self) -> BTreeMap<&Site, usize> {
        let numbered = self.grants.iter().zip(1..);
        numbered.flat_map(|(grant, position)| grant.sites.iter().map(move |site| (site, position))).collect()
    }
}

/// Whether one of `globs` names `name`.
pub(super) fn is_named(globs: &[Glob], name: &ParameterName) -> bool {
    globs.iter().any(|glob| glob.matches(name.as_str()))
}
