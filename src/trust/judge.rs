use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::Digest;
use crate::signature::Signer;

use super::{Recollection, Seen, TrustError};

/// Clocks differ; by less than this nothing is said of it.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(10);

/// What a bundle says of itself.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "its caller fills it in, and must not leave out a field")]
pub struct Claim<'a> {
    /// Its vault.
    pub vault: &'a str,
    /// Its generation.
    pub generation: u64,
    /// The digest of its manifest.
    pub digest: &'a Digest,
    /// The digest of the manifest before.
    pub previous: Option<&'a Digest>,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it may be deployed.
    pub not_after: Option<Timestamp>,
    /// How many have to sign.
    pub signatures_required: u32,
}

/// What its user does without, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "three switches of the command line")]
pub struct Waivers {
    /// `--allow-unsigned`.
    pub unsigned: bool,
    /// `--allow-rollback`.
    pub rollback: bool,
    /// `--allow-expired`.
    pub expired: bool,
}

/// One of the [`Waivers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "three switches of the command line")]
pub enum Waiver {
    /// Nobody, or too few, have signed.
    Unsigned,
    /// Something newer, or else, was seen.
    Rollback,
    /// Its time is over, or the clock is wrong.
    Expired,
}

/// A fault that was let pass.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waived {
    /// By which waiver.
    pub by: Waiver,
    /// What the error would have said.
    pub says: String,
}

/// A bundle that may be used here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Accepted {
    /// Who has signed it.
    pub signers: Vec<Signer>,
    /// What was let pass: to be said loudly, and written to the audit line.
    pub waived: Vec<Waived>,
    /// What is to be remembered, with [`super::Memory::remember`].
    pub seen: Option<Seen>,
}

impl Waived {
    /// A fault that `by` lets pass.
    #[must_use]
    pub const fn new(by: Waiver, says: String) -> Self {
        Self { by, says }
    }
}

impl Waiver {
    /// The switch that gives it.
    #[must_use]
    pub const fn switch(self) -> &'static str {
        match self {
            Self::Unsigned => "--allow-unsigned",
            Self::Rollback => "--allow-rollback",
            Self::Expired => "--allow-expired",
        }
    }
}

impl Waivers {
    const fn allow(self, waiver: Waiver) -> bool {
        match waiver {
            Waiver::Unsigned => self.unsigned,
            Waiver::Rollback => self.rollback,
            Waiver::Expired => self.expired,
        }
    }
}

/// Whether a bundle with this claim, which `signers` have signed, may be used at the moment `now`.
///
/// The first fault that is not waived decides. A waiver is for once: what was let pass by `unsigned` or `rollback` is not
/// remembered, so that neither a forged generation nor a fork becomes what later ones are measured against.
///
/// # Errors
///
/// Any [`TrustError`] but those of files.
pub fn judge(
    claim: &Claim<'_>,
    signers: &[Signer],
    recollection: &Recollection,
    now: Timestamp,
    waivers: Waivers,
) -> Result<Accepted, TrustError> {
    // People read it, and nobody's clock is better
    let now = whole_second(now);
    let seen = recollection.seen.as_ref();
    let faults = [
        (Waiver::Unsigned, too_few(claim, signers, seen)),
        (Waiver::Rollback, other_vault(claim, recollection)),
        (Waiver::Rollback, out_of_order(claim, seen)),
        (Waiver::Expired, wrong_clock(claim, seen, now)),
        (Waiver::Expired, expired(claim, now)),
    ];
    let mut waived = Vec::new();
    for (by, fault) in faults {
        match fault {
            Some(error) if waivers.allow(by) => waived.push(Waived { by, says: error.to_string() }),
            Some(error) => return Err(error),
            None => {}
        }
    }
    let seen = remembered(claim, recollection, now, &waived);
    Ok(Accepted { signers: signers.to_vec(), waived, seen })
}

fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Two keys under one name are one signer, and so is one key under two names.
fn too_few(claim: &Claim<'_>, signers: &[Signer], seen: Option<&Seen>) -> Option<TrustError> {
    let names: BTreeSet<&str> = signers.iter().map(|signer| signer.principal.as_str()).collect();
    let keys: BTreeSet<&str> = signers.iter().map(|signer| signer.fingerprint.as_str()).collect();
    let valid = u32::try_from(names.len().min(keys.len())).unwrap_or(u32::MAX);
    // Who lowers it needs as many as it takes so far
    let required = claim.signatures_required.max(seen.map_or(1, |seen| seen.signatures_required)).max(1);
    (valid < required).then_some(TrustError::TooFewSigners { valid, required })
}

fn other_vault(claim: &Claim<'_>, recollection: &Recollection) -> Option<TrustError> {
    let expected = recollection.other_vault.as_ref()?;
    Some(TrustError::OtherVault {
        place: recollection.place.clone(),
        vault: claim.vault.to_owned(),
        expected: expected.clone(),
    })
}

fn out_of_order(claim: &Claim<'_>, seen: Option<&Seen>) -> Option<TrustError> {
    let (seen, generation) = (seen?, claim.generation);
    if generation < seen.generation {
        return Some(TrustError::Older { generation, seen: seen.generation });
    }
    if generation == seen.generation && *claim.digest != seen.digest {
        let (seen, digest) = (seen.digest.clone(), claim.digest.clone());
        return Some(TrustError::Forked { generation, seen, digest });
    }
    let is_next = seen.generation.checked_add(1) == Some(generation);
    (is_next && claim.previous != Some(&seen.digest)).then_some(TrustError::ForkedBefore { generation })
}

/// A clock that is wrong cannot say what has expired.
fn wrong_clock(claim: &Claim<'_>, seen: Option<&Seen>, now: Timestamp) -> Option<TrustError> {
    let latest = seen.map(|seen| seen.latest).filter(|latest| latest.duration_since(now) > TOLERANCE);
    if let Some(latest) = latest {
        return Some(TrustError::ClockSetBack { latest, now });
    }
    let created = claim.created;
    (created.duration_since(now) > TOLERANCE).then_some(TrustError::ClockBehind { created, now })
}

fn expired(claim: &Claim<'_>, now: Timestamp) -> Option<TrustError> {
    let not_after = claim.not_after.filter(|not_after| *not_after < now)?;
    Some(TrustError::Expired { not_after, now })
}

fn remembered(
    claim: &Claim<'_>,
    recollection: &Recollection,
    now: Timestamp,
    waived: &[Waived],
) -> Option<Seen> {
    let before = recollection.seen.as_ref();
    let latest = before.map_or(now, |seen| seen.latest.max(now));
    if waived.iter().any(|waived| waived.by != Waiver::Expired) {
        return Some(Seen { latest, ..before?.clone() });
    }
    // Who has waived a wrong clock does not want to be held to a time that no clock has reached
    let latest = if waived.is_empty() { latest.max(claim.created) } else { latest };
    let mut places = before.map_or_else(Vec::new, |seen| seen.places.clone());
    places.retain(|place| *place != recollection.place);
    places.push(recollection.place.clone());
    Some(Seen {
        vault: claim.vault.to_owned(),
        generation: claim.generation,
        digest: claim.digest.clone(),
        latest,
        signatures_required: claim.signatures_required.max(1),
        places,
    })
}

#[cfg(test)]
mod tests;
