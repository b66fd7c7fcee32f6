use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::certificate::{Severity, judge};
use crate::guard;
use crate::model::{Certificate, EnvironmentFile, Site};
use crate::recipients::{RecipientSet, RecipientsError};
use crate::vault::Vault;

use super::args::CheckArguments;
use super::environment;
use super::exit::{Failure, findings};
use super::ui;

/// One line of the answer.
struct Line {
    check: &'static str,
    verdict: Verdict,
    says: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Warning,
    Finding,
}

pub(super) fn check(arguments: &CheckArguments, directory: Option<&Path>) -> Result<ExitCode, Failure> {
    let vault = environment::vault(directory)?;
    let path = arguments.bundle.bundle.clone().unwrap_or_else(|| vault.bundle());
    let bundle = Bundle::read(&path)?;
    let mut lines = vec![whole(&bundle)];
    lines.extend(files(&bundle)?);
    lines.extend(recipients(&bundle, &vault)?);
    lines.extend(certificates(&bundle));
    if arguments.json {
        ui::print(&format!("{:#}\n", as_json(&bundle, &path, &lines)))?;
    } else {
        ui::print_text(&table(&lines))?;
    }
    let has_finding = lines.iter().any(|line| line.verdict == Verdict::Finding);
    Ok(if has_finding { findings() } else { ExitCode::SUCCESS })
}

/// Nothing else is read at all.
fn whole(bundle: &Bundle) -> Line {
    let (generation, count) = (bundle.manifest.generation, bundle.files.len());
    let says = format!("generation {generation}: {} as the manifest lists them", counted(count, "file"));
    Line { check: "bundle", verdict: Verdict::Ok, says }
}

/// What is sealed must be, and what is clear may be.
fn files(bundle: &Bundle) -> Result<Vec<Line>, Failure> {
    let (sealed, clear): (Vec<_>, Vec<_>) = bundle.files.iter().partition(|file| file.sealed);
    let mut lines = Vec::new();
    if !sealed.iter().any(|file| file.file == EnvironmentFile::Passwords) {
        lines.push(finding("guard", format!("{} is not sealed", EnvironmentFile::Passwords.file_name())));
    }
    for file in sealed.iter().filter(|file| file.count_recipients().is_none()) {
        let says = format!("{}.age is listed as sealed, and is no age file", file.file.file_name());
        lines.push(finding("guard", says));
    }
    for file in &clear {
        for found in guard::review(file.file, &file.bytes)? {
            lines.push(finding("guard", format!("{}: {}: {}", found.file, found.path, found.rule)));
        }
    }
    let says = format!("{} in clear, without the name or the form of a secret", counted(clear.len(), "file"));
    Ok(or_ok(lines, "guard", says))
}

/// Against the files' headers; and against `keys/`, when the vault lists sites there: a bundle for others has nothing to be
/// compared with.
fn recipients(bundle: &Bundle, vault: &Vault) -> Result<Vec<Line>, Failure> {
    let mut lines = headers(bundle);
    let listed = match RecipientSet::of_vault(&vault.keys()) {
        Ok(set) => set.texts(),
        Err(RecipientsError::None) => return Ok(lines),
        Err(error) => return Err(error.into()),
    };
    let sealed = &bundle.manifest.recipients;
    lines.extend(missing(sealed, &listed, "is not listed in keys/, and can open the bundle"));
    lines.extend(missing(&listed, sealed, "is listed in keys/, and cannot open the bundle"));
    Ok(or_ok(lines, "recipients", String::from("those in keys/, and no others")))
}

/// A line for each file with more or fewer recipients than the manifest lists. Whose they are, its header does not say.
fn headers(bundle: &Bundle) -> Vec<Line> {
    let listed: usize = bundle.manifest.recipients.values().map(Vec::len).sum();
    let lines = bundle.files.iter().filter(|file| file.sealed).filter_map(|file| {
        let has = file.count_recipients().filter(|has| *has != listed)?;
        let (name, has) = (file.file.file_name(), counted(has, "recipient"));
        let says = format!("{name}.age: its header has {has}, and the manifest lists {listed}");
        Some(finding("recipients", says))
    });
    lines.collect()
}

/// A line for each recipient of `ours` that is not among `theirs`.
fn missing<'a>(
    ours: &'a BTreeMap<Site, Vec<String>>,
    theirs: &'a BTreeMap<Site, Vec<String>>,
    says: &'static str,
) -> impl Iterator<Item = Line> + 'a {
    let is_there = |site, recipient| theirs.get(site).is_some_and(|known| known.contains(recipient));
    let each = ours.iter().flat_map(|(site, recipients)| recipients.iter().map(move |one| (site, one)));
    each.filter(move |(site, recipient)| !is_there(site, recipient))
        .map(move |(site, recipient)| finding("recipients", format!("{site}: {recipient} {says}")))
}

fn certificates(bundle: &Bundle) -> Vec<Line> {
    let manifest = &bundle.manifest;
    let notices = judge(&manifest.certificates, &manifest.unreadable_certificates, environment::now());
    let lines = notices.into_iter().map(|notice| {
        let verdict = match notice.severity {
            Severity::Warning => Verdict::Warning,
            Severity::Finding => Verdict::Finding,
        };
        Line { check: "certificates", verdict, says: format!("{}: {}", notice.of, notice.says) }
    });
    or_ok(lines.collect(), "certificates", all_well(&manifest.certificates))
}

fn all_well(certificates: &[Certificate]) -> String {
    let keys = certificates.iter().filter(|one| one.key.is_some());
    let unknown = keys.clone().filter(|one| one.key_matches.is_none()).count();
    let mut says = match certificates.len() {
        0 => return String::from("none is listed"),
        count => format!("{}, valid", counted(count, "certificate")),
    };
    // Writing to a String does not fail
    let _ = match (keys.count() - unknown, unknown) {
        (0, 0) => Ok(()),
        (1, 0) => write!(says, "; 1 key fits"),
        (fitting, 0) => write!(says, "; {fitting} keys fit"),
        (fitting, unknown) => {
            write!(says, "; of the keys {fitting} fit and {unknown} could not be compared")
        }
    };
    says
}

fn or_ok(mut lines: Vec<Line>, check: &'static str, says: String) -> Vec<Line> {
    if lines.is_empty() {
        lines.push(Line { check, verdict: Verdict::Ok, says });
    }
    lines
}

const fn finding(check: &'static str, says: String) -> Line {
    Line { check, verdict: Verdict::Finding, says }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn table(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        // Writing to a String does not fail
        let _ = writeln!(text, "{:<7}  {:<12}  {}", word(line.verdict), line.check, ui::shown(&line.says));
    }
    text
}

fn as_json(bundle: &Bundle, path: &Path, lines: &[Line]) -> Value {
    let worst = [Verdict::Finding, Verdict::Warning]
        .into_iter()
        .find(|verdict| lines.iter().any(|line| line.verdict == *verdict));
    let each = lines
        .iter()
        .map(|line| json!({ "check": line.check, "verdict": word(line.verdict), "says": line.says }));
    json!({
        "bundle": path.display().to_string(),
        "generation": bundle.manifest.generation,
        "verdict": word(worst.unwrap_or(Verdict::Ok)),
        "checks": each.collect::<Vec<_>>(),
    })
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Finding => "finding",
    }
}
