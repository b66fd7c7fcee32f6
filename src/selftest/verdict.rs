//! From what was seen to verdicts. Pure: a test gives it a copy that is not there, and sees red.

use super::memory::Tally;
use super::report::{Check, Figure, Verdict};
use super::seen::{Seen, Walk};

const SWAPPABLE: &str = "raise the limit on locked memory (`ulimit -l`, LimitMEMLOCK=), or turn swap off";

impl Seen {
    /// The verdict on each promise.
    pub(super) fn checks(&self) -> Vec<Check> {
        vec![
            self.scanner(),
            self.wiped("sealing", "after sealing", |walk| &walk.sealed),
            self.wiped("opening", "after opening", |walk| &walk.closed),
            self.pieces(),
            self.supervisor(),
            self.delivery(),
            self.others(),
            self.cores(),
            self.swap(),
        ]
    }

    /// Whether a search finds what is there: without it no zero means anything.
    fn scanner(&self) -> Check {
        let Some(walk) = &self.walk else { return not_seen("scanner") };
        let figures = vec![
            ("secrets", count(self.secrets)),
            ("found_before", count(walk.started.copies + walk.started.pieces())),
            ("found_when_given", count(walk.given.secrets)),
            ("found_when_opened", count(walk.opened.secrets)),
            ("most_copies_of_one_when_sorted", count(walk.sorted.most)),
            ("most_copies_of_one_when_opened", count(walk.opened.most)),
            ("bytes_searched", count(walk.given.bytes)),
        ];
        if self.sees() {
            let says = format!(
                "finds all {} made-up secrets while a process holds them, and none before",
                self.secrets
            );
            return check("scanner", Verdict::Holds, says, figures);
        }
        let says = "does not find just what is held: nothing below would prove anything; try again";
        check("scanner", Verdict::CannotBeTold, says, figures)
    }

    fn wiped(&self, name: &'static str, when: &str, stage: impl Fn(&Walk) -> &Tally) -> Check {
        let Some(walk) = &self.walk else { return not_seen(name) };
        let tally = stage(walk);
        let figures = tally_figures(tally);
        if tally.copies > 0 {
            let says = format!("{} whole copies stay in memory {when}: please report it", tally.copies);
            return check(name, Verdict::DoesNotHold, says, figures);
        }
        if !self.sees() || tally.unread > 0 {
            return check(name, Verdict::CannotBeTold, "not all of the memory could be searched", figures);
        }
        check(name, Verdict::Holds, format!("no whole copy of a secret stays in memory {when}"), figures)
    }

    /// Pieces on the stack are known, and go with the process; anywhere else they are a buffer that nobody wiped.
    fn pieces(&self) -> Check {
        let Some(walk) = &self.walk else { return not_seen("pieces") };
        let on_stack = |tally: &Tally| tally.pieces.get("stack").copied().unwrap_or_default();
        let stack = on_stack(&walk.sealed) + on_stack(&walk.closed);
        let elsewhere = walk.sealed.pieces() + walk.closed.pieces() - stack;
        let figures = vec![("on_stack", count(stack)), ("elsewhere", count(elsewhere))];
        let (verdict, says) = match (elsewhere, stack) {
            (pieces, _) if is_mistaken(walk) || (pieces == 0 && !self.sees()) => {
                (Verdict::CannotBeTold, String::from("not all of the memory could be searched"))
            }
            (0, 0) => (Verdict::Holds, String::from("no piece of 8 bytes or more stays either")),
            (0, stack) => (
                Verdict::Holds,
                format!("on the stack, until the process ends a moment later: {stack}; elsewhere: none"),
            ),
            (pieces, _) => (
                Verdict::DoesNotHold,
                format!("of 8 bytes or more, off the stack: {pieces}; please report it"),
            ),
        };
        check("pieces", verdict, says, figures)
    }

    fn supervisor(&self) -> Check {
        let Some(run) = &self.run else { return not_seen("supervisor") };
        let mut figures = tally_figures(&run.supervisor);
        figures.push(("found_in_command", count(run.child.secrets)));
        let is_mistaken = self.walk.as_ref().is_some_and(is_mistaken);
        let (verdict, says) = if run.supervisor.copies + run.supervisor.pieces() > 0 && !is_mistaken {
            (Verdict::DoesNotHold, "what waits for the command holds a part of a secret: please report it")
        } else if is_mistaken
            || run.child.secrets < self.secrets
            || run.supervisor.unread > 0
            || run.supervisor.bytes == 0
        {
            (Verdict::CannotBeTold, "not all of the memory could be searched")
        } else {
            (
                Verdict::Holds,
                "while a command of `run` has the secrets, what waits for it holds no piece of them",
            )
        };
        check("supervisor", verdict, says, figures)
    }

    fn delivery(&self) -> Check {
        let Some(run) = &self.run else { return not_seen("delivery") };
        let mut figures = vec![("ramfs", Figure::Flag(run.is_on_ramfs))];
        figures.extend(self.host.swaps.map(|swaps| ("swap_areas", count(swaps))));
        let (verdict, says) = match (run.is_on_ramfs, self.host.swaps) {
            (true, _) => (Verdict::Holds, "the files of `run` are on a ramfs, which never swaps"),
            (false, Some(0)) => {
                (Verdict::Holds, "the files of `run` are in memfds, which may swap; no swap is on")
            }
            (false, Some(_)) => (
                Verdict::DoesNotHold,
                "the files of `run` are in memfds, and swap is on: allow user namespaces, or turn swap off",
            ),
            (false, None) => (Verdict::CannotBeTold, "the files of `run` are in memfds; is swap on?"),
        };
        check("delivery", verdict, says, figures)
    }

    fn others(&self) -> Check {
        let Some(others) = &self.others else { return not_seen("others") };
        let figures = vec![
            ("open", Figure::Words(others.shut.clone())),
            ("open_without_protection", Figure::Words(others.open.clone())),
        ];
        let (verdict, says) = match (others.shut.as_slice(), self.host.may_trace_all) {
            ([], _) if others.open.is_empty() => {
                (Verdict::Holds, String::from("refused, as this host refuses it for every process"))
            }
            ([], _) => {
                let says =
                    format!("another process of this user is refused in all {} ways", others.open.len());
                (Verdict::Holds, says)
            }
            (_, true) => {
                (Verdict::CannotBeTold, String::from("root may always look: run it as an ordinary user"))
            }
            (ways, false) => (
                Verdict::DoesNotHold,
                format!("another process of this user is let in, by {} ways (--json names them)", ways.len()),
            ),
        };
        check("others", verdict, says, figures)
    }

    fn cores(&self) -> Check {
        let Some(crash) = &self.crash else { return not_seen("cores") };
        let mut figures = vec![
            ("dumped", Figure::Flag(crash.dumped)),
            ("handed_to_a_program", Figure::Flag(self.host.core_to_program)),
        ];
        figures.extend(self.host.core.map(|limit| ("hard_limit", Figure::Count(limit))));
        let (verdict, says) = if crash.dumped || self.host.core != Some(0) {
            (Verdict::DoesNotHold, "a crash of ours can leave a core dump: please report it")
        } else if crash.was_abort {
            (Verdict::Holds, "a crash of ours leaves no core dump, and the limit on them is 0 for good")
        } else {
            (Verdict::CannotBeTold, "the process that was to crash ended otherwise")
        };
        check("cores", verdict, says, figures)
    }

    fn swap(&self) -> Check {
        let Some(walk) = &self.walk else { return not_seen("swap") };
        let mut figures = vec![("unlocked_bytes", count(walk.unlocked))];
        figures.extend(self.host.lockable.map(|limit| ("limit_bytes", Figure::Count(limit))));
        figures.extend(self.host.swaps.map(|swaps| ("swap_areas", count(swaps))));
        let (verdict, says) = match (walk.unlocked, self.host.swaps) {
            (0, Some(0)) => (Verdict::Holds, "the secrets of a plan are locked in memory, and no swap is on"),
            (0, _) => (Verdict::Holds, "the secrets of a plan are locked in memory"),
            (_, Some(0)) => {
                (Verdict::Holds, "not all secrets of a plan can be locked in memory; no swap is on")
            }
            (_, Some(_)) => (Verdict::DoesNotHold, SWAPPABLE),
            (_, None) => (Verdict::CannotBeTold, SWAPPABLE),
        };
        check("swap", verdict, says, figures)
    }

    fn sees(&self) -> bool {
        let all = |tally: &Tally| tally.secrets >= self.secrets && tally.unread == 0;
        let sees = |walk: &Walk| all(&walk.given) && all(&walk.opened) && !is_mistaken(walk);
        self.secrets > 0 && self.walk.as_ref().is_some_and(sees)
    }
}

/// Whether a made-up secret is like something that the program has anyway.
fn is_mistaken(walk: &Walk) -> bool {
    walk.started.copies + walk.started.pieces() > 0
}

fn not_seen(name: &'static str) -> Check {
    let says = "the process to look into did not start, or may not be looked into (ptrace_scope, seccomp)";
    check(name, Verdict::CannotBeTold, says, Vec::new())
}

fn check(
    name: &'static str,
    verdict: Verdict,
    says: impl Into<String>,
    figures: Vec<(&'static str, Figure)>,
) -> Check {
    Check { name, verdict, says: says.into(), figures }
}

fn tally_figures(tally: &Tally) -> Vec<(&'static str, Figure)> {
    vec![
        ("copies", count(tally.copies)),
        ("pieces", count(tally.pieces())),
        ("bytes_searched", count(tally.bytes)),
        ("mappings_unread", count(tally.unread)),
    ]
}

fn count(number: usize) -> Figure {
    Figure::Count(u64::try_from(number).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
