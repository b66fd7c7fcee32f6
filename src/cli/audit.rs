//! `audit`: whether the log is what was written, and who opened what.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use crate::audit::{Entry, Event, Line, Verb, lines, verify};
use crate::fs::{FileError, read_journal};

use super::args::{AuditShowArguments, AuditVerb, AuditVerifyArguments, Since};
use super::auditor::NoPlace;
use super::environment::{self, LogPlace};
use super::exit::{Failure, findings};
use super::list::columns;
use super::ui::{self, Ui, counted};

pub(super) fn audit(verb: &AuditVerb, ui: Ui) -> Result<ExitCode, Failure> {
    match verb {
        AuditVerb::Verify(arguments) => check(arguments),
        AuditVerb::Show(arguments) => show(arguments, ui),
    }
}

fn check(arguments: &AuditVerifyArguments) -> Result<ExitCode, Failure> {
    let path = path(arguments.file.as_deref())?;
    let report = verify(read_journal(&path)?, arguments.head.as_deref())
        .map_err(|error| FileError::os("read", &path, error))?;
    let mut text = String::new();
    for finding in &report.findings {
        // Writing to a String does not fail
        let _ = writeln!(text, "line {}: {}", finding.line, finding.fault);
    }
    match (&arguments.head, report.kept_at) {
        (None, _) => {}
        (Some(_), Some(line)) => {
            let _ = writeln!(text, "the head that was kept is that of line {line}");
        }
        (Some(_), None) => text.push_str("no line has the head that was kept: it was cut off, or changed\n"),
    }
    let is_whole = report.findings.is_empty() && (arguments.head.is_none() || report.kept_at.is_some());
    let lines = counted(usize::try_from(report.lines).unwrap_or(usize::MAX), "line");
    let verdict = if is_whole { "whole" } else { "not whole" };
    let _ = writeln!(text, "{}: {lines}, {verdict}", path.display());
    if let Some(head) = report.head {
        let _ = writeln!(text, "head {head}");
    }
    ui::print_text(&text)?;
    Ok(if is_whole { ExitCode::SUCCESS } else { findings() })
}

fn show(arguments: &AuditShowArguments, ui: Ui) -> Result<ExitCode, Failure> {
    let path = path(arguments.file.as_deref())?;
    let (mut shown, unread) =
        lines(read_journal(&path)?).map_err(|error| FileError::os("read", &path, error))?;
    let since = arguments.since.map(|since| match since {
        Since::Ago(span) => environment::now() - span,
        Since::At(time) => time,
    });
    shown.retain(|line| since.is_none_or(|since| line.entry.time >= since));
    if arguments.json {
        ui::print(&format!("{:#}\n", json!(shown)))?;
    } else {
        let heads = ["TIME", "WHO", "VERB", "BUNDLE", "SITE", "WHAT", "OUTCOME"];
        ui::print_text(&columns(&heads, shown.iter().map(row)))?;
    }
    if unread > 0 {
        ui.warn(&format!("{} cannot be read: `dcn-vault audit verify` says which", counted(unread, "line")));
    }
    Ok(ExitCode::SUCCESS)
}

fn path(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let place = named.map(Path::to_owned).map(LogPlace::Named).or_else(environment::audit_log);
    match place.ok_or(NoPlace)? {
        LogPlace::Named(path) | LogPlace::Own(path) => Ok(path),
    }
}

fn row(line: &Line) -> Vec<String> {
    let entry = &line.entry;
    let or_dash =
        |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| String::from("-"));
    let bundle = entry.generation.map(|generation| {
        let vault: String = entry.vault.as_deref().unwrap_or_default().chars().take(8).collect();
        format!("{vault}/{generation}")
    });
    let verb = match entry.verb {
        Verb::Run => "run",
        Verb::Decrypt => "decrypt",
        Verb::Get => "get",
        Verb::Serve => "serve",
    };
    let cells = [
        entry.time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        who(entry),
        String::from(verb),
        or_dash(bundle),
        or_dash(entry.site.as_ref().map(ToString::to_string)),
        or_dash(Some(what(entry))),
        outcome(entry),
    ];
    // Whoever writes to the log decides what is in it
    cells.iter().map(|cell| ui::shown(cell)).collect()
}

fn who(entry: &Entry) -> String {
    let mut who = entry.user.clone().unwrap_or_else(|| entry.uid.to_string());
    if entry.login_uid.is_some() {
        let _ = write!(who, " as {}", entry.uid);
    }
    for place in [&entry.tty, &entry.unit].into_iter().flatten() {
        let _ = write!(who, " {place}");
    }
    if let Some(peer) = &entry.peer {
        let unit = peer.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
        let _ = write!(who, " for {}{unit}", peer.uid);
    }
    who
}

/// The command, or what was asked for by name.
fn what(entry: &Entry) -> String {
    let of = match (&entry.child, entry.parameters.as_slice(), entry.files.as_slice()) {
        (Some(child), _, _) => child.clone(),
        (None, [name], _) if matches!(entry.verb, Verb::Get | Verb::Serve) => name.to_string(),
        (None, _, [file]) => file.clone(),
        (None, _, []) => String::new(),
        (None, _, files) => counted(files.len(), "file"),
    };
    match &entry.delivery {
        Some(delivery) => format!("{of} ({delivery})"),
        None => of,
    }
}

fn outcome(entry: &Entry) -> String {
    let mut says = match (entry.event, entry.exit, entry.signal) {
        (Event::Opened, _, _) => String::from("opened"),
        (Event::Refused, _, _) => String::from("refused"),
        (Event::Ended, Some(code), _) => format!("ended with {code}"),
        (Event::Ended, None, Some(signal)) => format!("ended by signal {signal}"),
        (Event::Ended, None, None) => String::from("ended"),
    };
    if let Some(error) = &entry.error {
        let _ = write!(says, ": {error}");
    }
    if let Some(escapes) = entry.escapes.filter(|escapes| *escapes > 0) {
        let _ = write!(says, ", {} left behind", counted(escapes, "secret"));
    }
    if !entry.waived.is_empty() {
        let _ = write!(says, ", {}", entry.waived.join(" "));
    }
    says
}
