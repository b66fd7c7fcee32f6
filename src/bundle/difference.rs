//! What two generations differ in: names of sites, keys and secrets, never a value.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Digest, ParameterName, Site};

use super::Manifest;

/// What becomes different for one site.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SiteChange {
    /// The site.
    pub site: Site,
    /// What becomes of it.
    pub kind: Change,
    /// Its new keys.
    pub keys_added: Vec<String>,
    /// The keys that it has no more.
    pub keys_removed: Vec<String>,
    /// What it gets from now on.
    pub gains: Vec<ParameterName>,
    /// What it gets no more.
    pub loses: Vec<ParameterName>,
}

/// What becomes of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It is new.
    Added,
    /// It is another.
    Changed,
    /// It is gone.
    Removed,
}

/// Sites that get something else in `now` than in `before`, or by other keys.
#[must_use]
pub fn site_changes(before: &Manifest, now: &Manifest) -> Vec<SiteChange> {
    let (had, has) = (Exposures::of(before), Exposures::of(now));
    let sites: BTreeSet<&Site> = before.recipients.keys().chain(now.recipients.keys()).collect();
    let none = Vec::new();
    let each = sites.into_iter().filter_map(|site| {
        let (keys_before, keys_now) = (before.recipients.get(site), now.recipients.get(site));
        let kind = match (keys_before, keys_now) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            (Some(_), Some(_)) => Change::Changed,
        };
        let (keys_before, keys_now) = (keys_before.unwrap_or(&none), keys_now.unwrap_or(&none));
        let without = |some: &[String], others: &[String]| -> Vec<String> {
            some.iter().filter(|key| !others.contains(key)).cloned().collect()
        };
        let change = SiteChange {
            site: site.clone(),
            kind,
            keys_added: without(keys_now, keys_before),
            keys_removed: without(keys_before, keys_now),
            gains: has.beyond(site, &had),
            loses: had.beyond(site, &has),
        };
        let is_same = kind == Change::Changed
            && change.keys_added.is_empty()
            && change.keys_removed.is_empty()
            && change.gains.is_empty()
            && change.loses.is_empty();
        (!is_same).then_some(change)
    });
    each.collect()
}

/// Secrets that `now` has and `before` has not, the other way round, and those that have changed since, in the order of their
/// names. What changed is known for generations of one vault.
#[must_use]
pub fn secret_changes(before: &Manifest, now: &Manifest) -> Vec<(ParameterName, Change)> {
    let had: BTreeSet<&ParameterName> = before.secrets.iter().map(|secret| &secret.name).collect();
    let has: BTreeMap<&ParameterName, u64> =
        now.secrets.iter().map(|secret| (&secret.name, secret.since)).collect();
    let is_one_vault = before.vault == now.vault;
    let each = had.iter().copied().chain(has.keys().copied()).collect::<BTreeSet<_>>().into_iter();
    let changes = each.filter_map(|name| {
        let change = match (had.contains(name), has.get(name)) {
            (false, _) => Change::Added,
            (true, None) => Change::Removed,
            (true, Some(since)) if is_one_vault && *since > before.generation => Change::Changed,
            (true, Some(_)) => return None,
        };
        Some((name.clone(), change))
    });
    changes.collect()
}

/// Files in clear that `now` has and `before` has not, the other way round, and those whose bytes are others.
#[must_use]
pub fn file_changes(before: &Manifest, now: &Manifest) -> Vec<(String, Change)> {
    changes(&before.clear_files(), &now.clear_files())
}

/// What differs between two maps, in the order of their keys.
pub(crate) fn changes<K: Ord + Clone, V: PartialEq>(
    before: &BTreeMap<K, V>,
    now: &BTreeMap<K, V>,
) -> Vec<(K, Change)> {
    let keys: BTreeSet<&K> = before.keys().chain(now.keys()).collect();
    let each = keys.into_iter().filter_map(|key| {
        let change = match (before.get(key), now.get(key)) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            (Some(before), Some(now)) if before != now => Change::Changed,
            (Some(_), Some(_)) => return None,
        };
        Some((key.clone(), change))
    });
    each.collect()
}

impl Manifest {
    /// The files in clear, and the digest of each.
    pub(crate) fn clear_files(&self) -> BTreeMap<String, Digest> {
        let clear = self.files.iter().filter(|entry| !entry.sealed);
        clear.map(|entry| (entry.path.clone(), entry.sha256.clone())).collect()
    }
}

/// What each site can read. Thousands of sites share a handful of sets.
struct Exposures<'a> {
    manifest: &'a Manifest,
    sets: Vec<BTreeSet<&'a ParameterName>>,
    positions: BTreeMap<&'a Site, usize>,
}

impl<'a> Exposures<'a> {
    fn of(manifest: &'a Manifest) -> Self {
        let grants = [None].into_iter().chain(manifest.grants.iter().map(Some));
        let sets = grants.map(|grant| manifest.exposed_by(grant)).collect();
        Self { manifest, sets, positions: manifest.grant_positions() }
    }

    fn set(&self, site: &Site) -> Option<&BTreeSet<&'a ParameterName>> {
        let is_there = self.manifest.recipients.contains_key(site);
        is_there.then(|| self.sets.get(self.positions.get(site).copied().unwrap_or_default())).flatten()
    }

    /// What `site` can read here and not in `other`.
    fn beyond(&self, site: &Site, other: &Self) -> Vec<ParameterName> {
        let Some(ours) = self.set(site) else { return Vec::new() };
        let theirs = other.set(site);
        let more = ours.iter().filter(|name| theirs.is_none_or(|theirs| !theirs.contains(*name)));
        more.map(|name| (*name).clone()).collect()
    }
}
