//! The program on its way, looked at where it stands still, and the table of what was seen.

use std::fmt::Write;

use nix::unistd::Pid;

use super::canaries::Canaries;
use super::core;
use super::scan::{Found, Scanner};
use super::trace::{At, Trace};
use crate::program::Scratch;

/// What was found, stage by stage.
#[derive(Default)]
pub struct Table {
    title: String,
    rows: Vec<(String, usize, Found)>,
}

impl Table {
    pub fn of(title: &str) -> Self {
        Self {
            title: format!("{title} ({})", if cfg!(debug_assertions) { "debug" } else { "release" }),
            rows: Vec::new(),
        }
    }

    pub fn note(&mut self, stage: &str, secrets: usize, found: Found) {
        self.rows.push((stage.to_owned(), secrets, found));
    }

    pub fn look(&mut self, stage: &str, scanner: &Scanner, pid: Pid) {
        self.note(stage, scanner.count(), scanner.process(pid));
    }

    /// Memory at the entry of the process's last call, then its registers; the process is killed by the trace's end.
    pub fn look_at_end(
        &mut self,
        stage: &str,
        canaries: &Canaries,
        at: &At,
        trace: &mut Trace,
        scratch: &Scratch,
    ) {
        let scanner = Scanner::new(canaries);
        self.look(stage, &scanner, at.pid);
        trace.release_stopped(at.pid);
        let registers = core::registers(&scanner, at.pid, scratch.path());
        self.note(&format!("{stage}, registers"), scanner.count(), registers);
    }

    pub fn found(&self, stage: &str) -> &Found {
        &self.rows.iter().find(|(name, ..)| name == stage).unwrap().2
    }

    /// Nothing at all at these stages. Registers are a stage of their own: what ends with the process may stay in one.
    pub fn assert_nothing_at(&self, stages: &[&str]) {
        let mut wrong = String::new();
        for (stage, _, found) in &self.rows {
            let meant = stages.contains(&stage.as_str());
            for line in found.details().iter().filter(|_| meant) {
                writeln!(wrong, "{stage}: {line}").unwrap();
            }
        }
        assert!(wrong.is_empty(), "{self}\n{wrong}");
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.title)?;
        writeln!(f, "| stage | secrets | full, distinct | copies | most of one | pieces | where |")?;
        for (stage, secrets, found) in &self.rows {
            let (distinct, most) = (found.distinct(), found.most_of_one(""));
            let (copies, pieces, places) = (found.full.len(), found.partial.len(), found.places());
            writeln!(
                f,
                "| {stage} | {secrets} | {distinct} | {copies} | {} ({}) | {pieces} | {places} |",
                most.0, most.1
            )?;
        }
        Ok(())
    }
}
