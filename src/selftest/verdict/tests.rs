use std::collections::BTreeMap;

use super::*;
use crate::selftest::host::Host;
use crate::selftest::report::Report;
use crate::selftest::seen::{Crash, Others, Run};

/// What is seen where all is well.
fn good() -> Seen {
    let held = Tally { copies: 40, secrets: 20, most: 2, bytes: 1_000_000, ..Tally::default() };
    let empty = Tally { bytes: 1_000_000, ..Tally::default() };
    Seen {
        host: Host { swaps: Some(1), core: Some(0), lockable: Some(8 << 20), ..Host::default() },
        secrets: 20,
        walk: Some(Walk {
            started: empty.clone(),
            given: held.clone(),
            sorted: held.clone(),
            sealed: empty.clone(),
            opened: held.clone(),
            closed: empty.clone(),
            unlocked: 0,
        }),
        run: Some(Run { supervisor: empty, child: held, is_on_ramfs: true }),
        others: Some(Others { shut: Vec::new(), open: vec!["ptrace"] }),
        crash: Some(Crash { was_abort: true, dumped: false }),
    }
}

/// The checks that do not hold, and those that cannot be told, when `change` is made to what is seen where all is well.
fn after(change: impl FnOnce(&mut Seen)) -> (Vec<&'static str>, Vec<&'static str>) {
    let mut seen = good();
    change(&mut seen);
    let checks = seen.checks();
    let with =
        |verdict| checks.iter().filter(|check| check.verdict == verdict).map(|check| check.name).collect();
    (with(Verdict::DoesNotHold), with(Verdict::CannotBeTold))
}

fn walk(seen: &mut Seen) -> &mut Walk {
    seen.walk.as_mut().unwrap()
}

fn run(seen: &mut Seen) -> &mut Run {
    seen.run.as_mut().unwrap()
}

fn none() -> Vec<&'static str> {
    Vec::new()
}

#[test]
fn all_holds_where_all_is_well() {
    assert_eq!(after(|_| {}), (none(), none()));
}

#[test]
fn a_single_copy_does_not_hold() {
    assert_eq!(after(|seen| walk(seen).sealed.copies = 1), (vec!["sealing"], none()));
    assert_eq!(after(|seen| walk(seen).closed.copies = 1), (vec!["opening"], none()));
    assert_eq!(after(|seen| run(seen).supervisor.copies = 1), (vec!["supervisor"], none()));
}

#[test]
fn a_piece_may_stay_on_the_stack_of_a_process_that_ends_and_nowhere_else() {
    let piece = |tally: &mut Tally, place| tally.pieces = BTreeMap::from([(place, 1)]);
    assert_eq!(after(|seen| piece(&mut walk(seen).closed, "stack")), (none(), none()));
    assert_eq!(after(|seen| piece(&mut walk(seen).closed, "heap")), (vec!["pieces"], none()));
    assert_eq!(after(|seen| piece(&mut walk(seen).sealed, "anonymous")), (vec!["pieces"], none()));
    assert_eq!(after(|seen| piece(&mut run(seen).supervisor, "stack")), (vec!["supervisor"], none()));
}

#[test]
fn a_blind_scanner_proves_nothing_but_what_it_finds() {
    let all = vec!["scanner", "sealing", "opening", "pieces"];
    assert_eq!(after(|seen| walk(seen).given.secrets = 19), (none(), all.clone()));
    assert_eq!(after(|seen| walk(seen).opened.secrets = 0), (none(), all.clone()));
    assert_eq!(after(|seen| walk(seen).given.unread = 1), (none(), all.clone()));
    assert_eq!(after(|seen| walk(seen).sealed.unread = 1), (none(), vec!["sealing"]));
    assert_eq!(after(|seen| run(seen).child.secrets = 19), (none(), vec!["supervisor"]));
    assert_eq!(after(|seen| run(seen).supervisor.bytes = 0), (none(), vec!["supervisor"]));
    let found = after(|seen| {
        walk(seen).given.secrets = 0;
        walk(seen).sealed.copies = 1;
    });
    assert_eq!(found, (vec!["sealing"], vec!["scanner", "opening", "pieces"]));
}

#[test]
fn what_is_found_before_there_is_a_secret_proves_nothing_and_accuses_nobody() {
    let mistaken = after(|seen| {
        let seen_by = walk(seen);
        for tally in [&mut seen_by.started, &mut seen_by.sealed, &mut seen_by.closed] {
            tally.pieces = BTreeMap::from([("file", 1)]);
        }
        run(seen).supervisor.pieces = BTreeMap::from([("file", 1)]);
    });
    assert_eq!(mistaken, (none(), vec!["scanner", "sealing", "opening", "pieces", "supervisor"]));
}

#[test]
fn a_probe_that_was_not_seen_cannot_be_told() {
    let seen = |change: fn(&mut Seen)| after(change).1;
    assert_eq!(seen(|seen| seen.walk = None), ["scanner", "sealing", "opening", "pieces", "swap"]);
    assert_eq!(seen(|seen| seen.run = None), ["supervisor", "delivery"]);
    assert_eq!(seen(|seen| seen.others = None), ["others"]);
    assert_eq!(seen(|seen| seen.crash = None), ["cores"]);
}

#[test]
fn an_open_way_does_not_hold_unless_one_may_trace_all() {
    let open = |seen: &mut Seen| seen.others.as_mut().unwrap().shut = vec!["/proc/PID/fd"];
    assert_eq!(after(open), (vec!["others"], none()));
    let as_root = after(|seen| {
        open(seen);
        seen.host.may_trace_all = true;
    });
    assert_eq!(as_root, (none(), vec!["others"]));
}

#[test]
fn a_core_dump_or_a_limit_that_may_be_raised_does_not_hold() {
    assert_eq!(after(|seen| seen.crash.as_mut().unwrap().dumped = true), (vec!["cores"], none()));
    assert_eq!(after(|seen| seen.host.core = None), (vec!["cores"], none()));
    assert_eq!(after(|seen| seen.host.core = Some(1)), (vec!["cores"], none()));
    assert_eq!(after(|seen| seen.crash.as_mut().unwrap().was_abort = false), (none(), vec!["cores"]));
}

#[test]
fn what_may_swap_does_not_hold_where_swap_is_on() {
    assert_eq!(after(|seen| walk(seen).unlocked = 1), (vec!["swap"], none()));
    assert_eq!(after(|seen| run(seen).is_on_ramfs = false), (vec!["delivery"], none()));
    let without = |swaps| {
        after(|seen| {
            walk(seen).unlocked = 1;
            run(seen).is_on_ramfs = false;
            seen.host.swaps = swaps;
        })
    };
    assert_eq!(without(Some(0)), (none(), none()));
    assert_eq!(without(None), (none(), vec!["delivery", "swap"]));
}

#[test]
fn the_whole_is_as_bad_as_its_worst_check() {
    let whole = |change: fn(&mut Seen)| {
        let mut seen = good();
        change(&mut seen);
        let time = jiff::Timestamp::UNIX_EPOCH;
        Report { version: "", time, kernel: String::new(), uid: 0, checks: seen.checks() }.verdict()
    };
    assert_eq!(whole(|_| {}), Verdict::Holds);
    assert_eq!(whole(|seen| seen.crash = None), Verdict::CannotBeTold);
    let copy = |seen: &mut Seen| {
        seen.crash = None;
        walk(seen).sealed.copies = 1;
    };
    assert_eq!(whole(copy), Verdict::DoesNotHold);
}
