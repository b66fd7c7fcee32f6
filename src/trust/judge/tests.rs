use super::*;
use crate::report::Hint;

const VAULT: &str = "00112233445566778899aabbccddeeff";
const PLACE: &str = "/srv/central";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn noon() -> Timestamp {
    at("2026-06-01T12:00:00Z")
}

fn digest(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

fn signer(name: &str, key: &str) -> Signer {
    Signer::made_up(name, key)
}

/// A bundle, what is known here, and who comes with it: good, until a test changes it.
struct Case {
    generation: u64,
    digest: Digest,
    previous: Option<Digest>,
    created: Timestamp,
    not_after: Option<Timestamp>,
    required: u32,
    signers: Vec<Signer>,
    known: Recollection,
    now: Timestamp,
}

impl Case {
    fn first() -> Self {
        Self {
            generation: 8,
            digest: digest("8"),
            previous: Some(digest("7")),
            created: at("2026-06-01T11:00:00Z"),
            not_after: Some(at("2026-09-01T00:00:00Z")),
            required: 1,
            signers: vec![signer("alice", "SHA256:a")],
            known: Recollection { seen: None, other_vault: None, place: PLACE.to_owned() },
            now: noon(),
        }
    }

    /// Generation 7 was seen.
    fn next() -> Self {
        let seen = Seen {
            vault: VAULT.to_owned(),
            generation: 7,
            digest: digest("7"),
            latest: at("2026-05-01T00:00:00Z"),
            signatures_required: 1,
            places: vec![String::from("/old"), PLACE.to_owned(), String::from("/other")],
        };
        let mut case = Self::first();
        case.known.seen = Some(seen);
        case
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn judge(&self, waivers: Waivers) -> Result<Accepted, TrustError> {
        let claim = Claim {
            vault: VAULT,
            generation: self.generation,
            digest: &self.digest,
            previous: self.previous.as_ref(),
            created: self.created,
            not_after: self.not_after,
            signatures_required: self.required,
        };
        judge(&claim, &self.signers, &self.known, self.now, waivers)
    }

    /// Refused with these words and hint; accepted with this waiver, and with no other.
    fn is_refused(&self, by: Waiver, words: &str, hint: &str) {
        for unsigned in [false, true] {
            for rollback in [false, true] {
                for expired in [false, true] {
                    let waivers = Waivers { unsigned, rollback, expired };
                    match self.judge(waivers) {
                        Ok(accepted) => {
                            assert!(waivers.allow(by), "{waivers:?} lets pass: {words}");
                            assert_eq!(accepted.waived, [Waived { by, says: words.to_owned() }]);
                        }
                        Err(error) => {
                            assert!(!waivers.allow(by), "{waivers:?} does not let pass: {error}");
                            assert_eq!(error.to_string(), words);
                            assert!(error.hint().contains(hint), "{}", error.hint());
                        }
                    }
                }
            }
        }
    }

    fn is_accepted(&self) -> Seen {
        let accepted = self.judge(Waivers::default()).unwrap();
        assert!(accepted.waived.is_empty());
        assert_eq!(accepted.signers, self.signers);
        accepted.seen.unwrap()
    }
}

#[test]
fn the_first_bundle_is_accepted_and_remembered() {
    let seen = Case::first().is_accepted();
    let expected = Seen {
        vault: VAULT.to_owned(),
        generation: 8,
        digest: digest("8"),
        latest: noon(),
        signatures_required: 1,
        places: vec![PLACE.to_owned()],
    };
    assert_eq!(seen, expected);
}

#[test]
fn the_next_the_same_and_one_far_ahead_are_accepted() {
    let next = Case::next().is_accepted();
    assert_eq!((next.generation, next.places.join(" ").as_str()), (8, "/old /other /srv/central"));
    let same = Case::next().with(|case| {
        (case.generation, case.digest, case.previous) = (7, digest("7"), Some(digest("6")));
    });
    assert_eq!(same.is_accepted().generation, 7);
    let ahead = Case::next().with(|case| (case.generation, case.previous) = (900, Some(digest("899"))));
    assert_eq!(ahead.is_accepted().generation, 900);
}

#[test]
fn too_few_signers_are_refused_and_one_person_counts_once() {
    let hint = "sign";
    let nobody = Case::first().with(|case| case.signers.clear());
    nobody.is_refused(Waiver::Unsigned, "no trusted signer has signed the bundle", hint);
    let words = "1 trusted signer has signed the bundle, and 2 have to";
    for second in [signer("alice", "SHA256:b"), signer("bob", "SHA256:a"), signer("alice", "SHA256:a")] {
        let case = Case::first().with(|case| {
            case.required = 2;
            case.signers.push(second);
        });
        case.is_refused(Waiver::Unsigned, words, hint);
    }
    let two = Case::first().with(|case| {
        case.required = 2;
        case.signers.push(signer("bob", "SHA256:b"));
    });
    assert_eq!(two.is_accepted().signatures_required, 2);
    // Nor does a manifest that asks for none do with none
    let none = Case::first().with(|case| {
        case.required = 0;
        case.signers.clear();
    });
    none.is_refused(Waiver::Unsigned, "no trusted signer has signed the bundle", hint);
}

#[test]
fn who_asks_for_fewer_signers_needs_as_many_as_before() {
    let seen_with_two = || {
        Case::next().with(|case| {
            if let Some(seen) = &mut case.known.seen {
                seen.signatures_required = 2;
            }
        })
    };
    let words = "1 trusted signer has signed the bundle, and 2 have to";
    seen_with_two().is_refused(Waiver::Unsigned, words, "have more signers sign it");
    let both = seen_with_two().with(|case| case.signers.push(signer("bob", "SHA256:b")));
    assert_eq!(both.is_accepted().signatures_required, 1);
}

#[test]
fn an_older_bundle_and_a_forked_one_are_refused_each_by_its_own_words() {
    let older = Case::next().with(|case| (case.generation, case.digest) = (6, digest("6")));
    let words = "generation 6 is older than generation 7, which was seen here";
    older.is_refused(Waiver::Rollback, words, "`dcn-vault pull --after 8`");
    let forked = Case::next().with(|case| (case.generation, case.digest) = (7, digest("x")));
    let (seen, other) = (digest("7"), digest("x"));
    let words = format!("generation 7 was seen with the manifest {seen}, and this one's is {other}: forked");
    forked.is_refused(Waiver::Rollback, &words, "`dcn-vault pull --after 8`");
    for previous in [Some(digest("x")), None] {
        let forked = Case::next().with(|case| case.previous = previous);
        let words = "generation 8 does not follow generation 7 that was seen here, but another: forked";
        forked.is_refused(Waiver::Rollback, words, "`dcn-vault pull --after 8`");
    }
}

#[test]
fn another_vaults_bundle_at_the_same_place_is_refused() {
    let case = Case::first().with(|case| case.known.other_vault = Some("f".repeat(32)));
    let words = format!("`{PLACE}` has a bundle of vault {VAULT}, and had those of vault {}", "f".repeat(32));
    case.is_refused(Waiver::Rollback, &words, "`dcn-vault trust reset`");
}

#[test]
fn a_clock_that_was_set_back_is_noticed_and_one_that_is_a_little_off_is_not() {
    let set_back = |latest: &str| {
        Case::next().with(|case| {
            case.created = at("2026-05-01T00:00:00Z");
            if let Some(seen) = &mut case.known.seen {
                seen.latest = at(latest);
            }
        })
    };
    assert_eq!(set_back("2026-06-01T12:10:00Z").is_accepted().latest, at("2026-06-01T12:10:00Z"));
    set_back("2026-06-01T12:10:01Z").is_refused(
        Waiver::Expired,
        "it is 2026-06-01T12:00:00Z by the clock, and was 2026-06-01T12:10:01Z before: the clock was set back",
        "set the clock",
    );
    let created = |text: &str| Case::first().with(|case| case.created = at(text));
    assert_eq!(created("2026-06-01T12:10:00Z").is_accepted().latest, at("2026-06-01T12:10:00Z"));
    created("2026-06-01T12:10:01Z").is_refused(
        Waiver::Expired,
        "the bundle was made at 2026-06-01T12:10:01Z, and here it is 2026-06-01T12:00:00Z: the clock is behind",
        "set this machine's clock",
    );
}

#[test]
fn an_expired_bundle_is_refused_and_one_without_an_end_is_not() {
    let ends = |end: Option<&str>| Case::first().with(|case| case.not_after = end.map(at));
    ends(Some("2026-06-01T12:00:00Z")).is_accepted();
    ends(None).is_accepted();
    let words = "the bundle is good until 2026-06-01T11:59:59Z, and it is 2026-06-01T12:00:00Z";
    ends(Some("2026-06-01T11:59:59Z")).is_refused(Waiver::Expired, words, "--allow-expired");
}

#[test]
fn of_several_faults_the_first_decides_and_each_is_waived_by_its_own_name() {
    let case = Case::next().with(|case| {
        case.signers.clear();
        case.known.other_vault = Some("f".repeat(32));
        case.generation = 6;
        case.created = at("2026-07-01T00:00:00Z");
        case.not_after = Some(at("2026-05-01T00:00:00Z"));
    });
    let all = Waivers { unsigned: true, rollback: true, expired: true };
    let first = |waivers| case.judge(waivers).unwrap_err();
    assert!(matches!(first(Waivers { unsigned: false, ..all }), TrustError::TooFewSigners { .. }));
    assert!(matches!(first(Waivers { rollback: false, ..all }), TrustError::OtherVault { .. }));
    assert!(matches!(first(Waivers { expired: false, ..all }), TrustError::ClockBehind { .. }));
    let switches: Vec<&str> =
        case.judge(all).unwrap().waived.iter().map(|waived| waived.by.switch()).collect();
    let (rollback, expired) = ("--allow-rollback", "--allow-expired");
    assert_eq!(switches, ["--allow-unsigned", rollback, rollback, expired, expired]);
}

#[test]
fn a_waiver_is_for_once_and_what_it_lets_pass_is_not_remembered() {
    let unsigned = Waivers { unsigned: true, ..Waivers::default() };
    let rollback = Waivers { rollback: true, ..Waivers::default() };
    let expired = Waivers { expired: true, ..Waivers::default() };
    let remembered = |case: Case, waivers| case.judge(waivers).unwrap().seen;
    assert_eq!(remembered(Case::first().with(|case| case.signers.clear()), unsigned), None);
    let before = Seen { latest: noon(), ..Case::next().known.seen.unwrap() };
    let invented = Case::next().with(|case| {
        case.generation = u64::MAX;
        case.signers.clear();
    });
    assert_eq!(remembered(invented, unsigned).as_ref(), Some(&before));
    for generation in [6, 7, 8] {
        let forked = Case::next()
            .with(|case| (case.generation, case.digest, case.previous) = (generation, digest("x"), None));
        assert_eq!(remembered(forked, rollback).as_ref(), Some(&before), "{generation}");
    }
    // Not held to a time that no clock has reached
    let ahead = Case::next().with(|case| case.created = at("2036-01-01T00:00:00Z"));
    let seen = remembered(ahead, expired).unwrap();
    assert_eq!((seen.generation, seen.latest), (8, noon()));
}
