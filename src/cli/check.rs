//! `check`: whether a bundle may be deployed with, as far as it can be told; with an identity, what that opens.

mod files;
mod history;
mod opened;
mod sites;

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::admit::{AdmitError, Admitted};
use crate::bundle::Bundle;
use crate::certificate::{Severity, judge};
use crate::identity::IdentitySet;
use crate::model::Certificate;

use super::admission::admission;
use super::args::CheckArguments;
use super::exit::{Failure, findings};
use super::ui::{self, Ui, counted};
use super::{bill, environment, identities};

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

pub(super) fn check(
    arguments: &CheckArguments,
    directory: Option<&Path>,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let vault = environment::vault(directory)?;
    let mut admission = admission(&arguments.admission, directory)?;
    // In a vault, and where nobody has said whom to trust, its own list says who made it; no proof, and said so
    let is_own = admission.signers.is_none() && !admission.usual_signers.iter().any(|path| path.exists());
    let listed = vault.keys().join("signers");
    let by_vault = is_own && listed.exists();
    if by_vault {
        admission.signers = Some(listed);
    }
    let mut lines = Vec::new();
    // What is not admitted is looked at all the same, and not opened
    let admitted = match admission.look() {
        Ok(admitted) => Ok(admitted),
        Err(AdmitError::Bundle(error)) => return Err(error.into()),
        Err(error) => {
            lines.push(finding("signature", error.to_string()));
            Err(Bundle::read(&admission.directory)?)
        }
    };
    let bundle = match &admitted {
        Ok(admitted) => {
            lines.extend(signatures(admitted, by_vault));
            admitted.bundle()
        }
        Err(bundle) => bundle,
    };
    lines.push(whole(bundle));
    lines.extend(history::check(bundle));
    lines.extend(files::check(bundle)?);
    lines.extend(sites::check(bundle, &vault)?);
    lines.extend(certificates(bundle));
    lines.extend(rotation(bundle));
    lines.extend(files::permissions(&vault, &admission.directory)?);
    let site = arguments.admission.trust.site.as_ref().or(arguments.site_as.as_ref());
    if let Some(site) = site {
        lines.push(sites::gets(bundle, site)?);
    }
    match &admitted {
        _ if arguments.identity.is_empty() => {}
        Ok(admitted) => {
            let identities = IdentitySet::find(&identities::only(&arguments.identity, batch, ui))?;
            lines.extend(opened::check(admitted, &identities, site)?);
        }
        Err(_) => lines
            .push(finding("opened", String::from("nothing was opened: the bundle is not to be believed"))),
    }
    if arguments.json {
        ui::print(&format!("{:#}\n", as_json(bundle, &lines)))?;
    } else {
        ui::print_text(&table(&lines))?;
    }
    let has_finding = lines.iter().any(|line| line.verdict == Verdict::Finding);
    Ok(if has_finding { findings() } else { ExitCode::SUCCESS })
}

/// Who has signed, and what was let pass.
fn signatures(admitted: &Admitted, by_vault: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    for signer in admitted.signers() {
        let who = if by_vault { ", whom only the vault's own keys/signers lists" } else { "" };
        let says = format!("by {} ({}){who}", signer.principal, signer.fingerprint);
        lines.push(Line { check: "signature", verdict: Verdict::Ok, says });
    }
    let waived = admitted.waived().iter().map(|waived| Line {
        check: "signature",
        verdict: Verdict::Warning,
        says: format!("{}: {}", waived.by.switch(), waived.says),
    });
    lines.extend(waived);
    lines
}

/// Nothing else is read at all.
fn whole(bundle: &Bundle) -> Line {
    let (generation, count) = (bundle.manifest.generation, bundle.files().len());
    let until = bundle.manifest.not_after.map_or_else(String::new, |until| format!(", good until {until}"));
    let says =
        format!("generation {generation}{until}: {} as the manifest lists them", counted(count, "file"));
    Line { check: "bundle", verdict: Verdict::Ok, says }
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

/// What somebody still knows who gets it no more.
fn rotation(bundle: &Bundle) -> Vec<Line> {
    let lines =
        bill::lines(&bundle.manifest.bill).into_iter().map(|says| finding("rotation", says)).collect();
    or_ok(lines, "rotation", String::from("nobody still knows what can be rotated"))
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

fn table(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        // Writing to a String does not fail
        let _ = writeln!(text, "{:<7}  {:<12}  {}", word(line.verdict), line.check, ui::shown(&line.says));
    }
    text
}

fn as_json(bundle: &Bundle, lines: &[Line]) -> Value {
    let worst = [Verdict::Finding, Verdict::Warning]
        .into_iter()
        .find(|verdict| lines.iter().any(|line| line.verdict == *verdict));
    let each = lines
        .iter()
        .map(|line| json!({ "check": line.check, "verdict": word(line.verdict), "says": line.says }));
    json!({
        "bundle": bundle.directory().display().to_string(),
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
