//! The audit lines of one verb that opens a bundle.
//!
//! A line that cannot be written is a warning, said once, and the work goes on; with `--require-audit` it is an error, before anything is
//! handed over.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::admit::Admitted;
use crate::audit::{AuditError, Entry, Event, Log, Verb};
use crate::fs;
use crate::model::{ParameterName, Site};
use crate::report::Hint;
use crate::run::{ChildExit, Ended};

use super::args::{AuditArguments, OpeningArguments};
use super::environment::{self, LogPlace};
use super::exit::Failure;
use super::ui::Ui;

/// There is no place for the log.
#[derive(Debug, thiserror::Error)]
#[error("there is no place for an audit log: neither HOME nor XDG_STATE_HOME is set")]
pub(super) struct NoPlace;

impl Hint for NoPlace {
    fn hint(&self) -> String {
        String::from("name a file with --audit-log")
    }
}

pub(super) struct Auditor {
    log: Option<(Log, PathBuf)>,
    is_required: bool,
    entry: Entry,
    ui: Ui,
}

/// What is about to be handed over, by names.
pub(super) struct Opening {
    pub(super) site: Site,
    pub(super) files: Vec<String>,
    pub(super) parameters: Vec<ParameterName>,
    pub(super) delivery: Option<String>,
}

impl Auditor {
    /// For an opening by `verb` that now begins.
    pub(super) fn begin(arguments: &AuditArguments, verb: Verb, ui: Ui) -> Result<Self, Failure> {
        let mut auditor = Self::of(&fs::make_id()?, verb, arguments.require_audit, ui);
        let place = arguments.audit_log.clone().map(LogPlace::Named).or_else(environment::audit_log);
        match place.ok_or_else(|| Failure::from(NoPlace)).and_then(open) {
            Ok(log) => auditor.log = Some(log),
            Err(failure) => auditor.failed(failure)?,
        }
        Ok(auditor)
    }

    /// For the opening that `run` has begun, in its worker.
    pub(super) fn resume(arguments: &OpeningArguments, ui: Ui) -> Result<Self, Failure> {
        let mut auditor = Self::of(&arguments.opening, Verb::Run, arguments.require_audit, ui);
        auditor.entry.child = Some(arguments.child.clone());
        match arguments.audit_log.clone().map(LogPlace::Named).map(open) {
            Some(Ok(log)) => auditor.log = Some(log),
            Some(Err(failure)) => auditor.failed(failure)?,
            // The supervisor has said why
            None => {}
        }
        Ok(auditor)
    }

    /// What makes a worker go on with this opening, which is for `child`.
    pub(super) fn words(&mut self, child: &str) -> Vec<OsString> {
        self.entry.child = Some(child.to_owned());
        let mut words = vec![OsString::from("--opening"), OsString::from(&self.entry.id)];
        words.push(OsString::from(format!("--child={child}")));
        if let Some((_, path)) = &self.log {
            words.extend([OsString::from("--audit-log"), path.clone().into_os_string()]);
        }
        if self.is_required {
            words.push(OsString::from("--require-audit"));
        }
        words
    }

    /// Notes which bundle it is.
    pub(super) fn admitted(&mut self, admitted: &Admitted) {
        let manifest = &admitted.bundle().manifest;
        self.entry.vault = Some(manifest.vault.clone());
        self.entry.generation = Some(manifest.generation);
        self.entry.waived = admitted.waived().iter().map(|waived| waived.by.switch().to_owned()).collect();
        self.entry.waived.dedup();
    }

    /// That it is open, before anything of it is handed over.
    pub(super) fn opened(&mut self, opening: Opening) -> Result<(), AuditError> {
        let mut entry = self.entry.at(Event::Opened, environment::now());
        (entry.files, entry.parameters) = (opening.files, opening.parameters);
        entry.delivery = opening.delivery;
        entry.site = Some(opening.site.clone());
        self.entry.site = Some(opening.site);
        match self.append(&entry) {
            Err(error) if self.is_required => Err(error),
            Err(error) => {
                self.warn(&error.to_string());
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Notes a failure, where it is one.
    pub(super) fn close<T>(&mut self, ended: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(failure) = &ended {
            let mut entry = self.entry.at(Event::Refused, environment::now());
            entry.error = Some(failure.to_string());
            self.append_or_warn(&entry);
        }
        ended
    }

    /// That the command has ended, and how many secrets it has left where it was looked.
    pub(super) fn ended(&mut self, ended: &Ended) {
        let mut entry = self.entry.at(Event::Ended, environment::now());
        if let Some(Ok(found)) = &ended.examined {
            entry.escapes = Some(found.secrets());
        }
        match ended.exit {
            ChildExit::Code(code) => entry.exit = Some(code),
            ChildExit::Signal(number) => entry.signal = Some(number),
        }
        self.append_or_warn(&entry);
    }

    fn of(id: &str, verb: Verb, is_required: bool, ui: Ui) -> Self {
        let entry = Entry::new(Event::Opened, verb, id, &environment::who(), environment::now());
        Self { log: None, is_required, entry, ui }
    }

    fn append(&mut self, entry: &Entry) -> Result<(), AuditError> {
        let Some((log, _)) = &self.log else { return Ok(()) };
        // What does not take one line is not tried again
        log.append(entry).map(drop).inspect_err(|_| self.log = None)
    }

    fn append_or_warn(&mut self, entry: &Entry) {
        if let Err(error) = self.append(entry) {
            self.warn(&error.to_string());
        }
    }

    fn failed(&self, failure: Failure) -> Result<(), Failure> {
        if self.is_required {
            return Err(failure);
        }
        self.warn(&failure.to_string());
        Ok(())
    }

    fn warn(&self, why: &str) {
        self.ui.warn(&format!("{why}; this is not written down"));
    }
}

pub(super) fn open(place: LogPlace) -> Result<(Log, PathBuf), Failure> {
    let path = match place {
        LogPlace::Named(path) => path,
        LogPlace::Own(path) => {
            path.parent().map_or(Ok(()), fs::make_private_directories)?;
            path
        }
    };
    Ok((Log::open(&path)?, path))
}
