use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;

use crate::admit::AdmitError;
use crate::bundle::{Bundle, Manifest};
use crate::certificate;
use crate::model::{Certificate, Origin, SecretOrigin, Site, SourceKind};

use super::admission::admission;
use super::args::ShowArguments;
use super::exit::Failure;
use super::ui::{self, counted};
use super::{bill, environment};

const WIDTH: usize = 96;
/// So many sites are shown with their keys, and so many by name.
const MOST_WITH_KEYS: usize = 20;
const MOST_NAMED: usize = 200;

pub(super) fn show(arguments: &ShowArguments, directory: Option<&Path>) -> Result<ExitCode, Failure> {
    let admission = admission(&arguments.admission, directory)?;
    let (manifest, trusted) = match admission.look() {
        Ok(admitted) => {
            let signers =
                admitted.signers().iter().map(|signer| signer.principal.clone()).collect::<Vec<_>>();
            (admitted.bundle().manifest.clone(), Ok(signers))
        }
        Err(AdmitError::Bundle(error)) => return Err(error.into()),
        // It is shown all the same, and what is wrong with it as well
        Err(error) => (Bundle::read(&admission.directory)?.manifest, Err(error.to_string())),
    };
    if arguments.json {
        ui::print(&format!("{}\n", serde_json::to_string_pretty(&manifest).unwrap_or_default()))?;
    } else {
        ui::print_text(&table(&manifest, &trusted, &admission.directory, environment::now()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(manifest: &Manifest, trusted: &Result<Vec<String>, String>, path: &Path, now: Timestamp) -> String {
    let mut text = String::new();
    // Writing to a String does not fail
    let _ = writeln!(text, "{}", path.display());
    let _ = writeln!(
        text,
        "  generation  {}, made {} by {}",
        manifest.generation, manifest.created, manifest.tool
    );
    match trusted {
        Ok(signers) if signers.is_empty() => text.push_str("  ! not signed by anybody who is trusted here\n"),
        Ok(signers) => {
            let _ = writeln!(text, "  signed      by {}", ui::shown(&signers.join(", ")));
        }
        Err(why) => {
            let _ = writeln!(text, "  ! not to be deployed with: {}", ui::shown(why));
        }
    }
    if let Some(until) = manifest.not_after {
        let _ = writeln!(text, "  good until  {until}");
    }
    let _ = writeln!(text, "  source      {}", source(&manifest.source));
    text.push_str(&files(manifest));
    text.push_str(&readers(manifest));
    text.push_str(&secrets(manifest));
    text.push_str(&certificates(manifest, now));
    let owed = bill::whole(manifest.bill.iter());
    if !owed.is_empty() {
        text.push_str("\nWhat is known to who does not get it any more\n");
        for line in owed {
            let _ = writeln!(text, "  ! {}", ui::shown(&line));
        }
    }
    if !manifest.guard.too_short.is_empty() {
        text.push_str("\nToo short to be searched for in the clear files\n");
        text.push_str(&wrapped(manifest.guard.too_short.iter().map(ToString::to_string)));
    }
    text
}

/// The files for everybody; of those for one site, how many there are.
fn files(manifest: &Manifest) -> String {
    let mut text = String::from("\nFiles\n");
    let (of_sites, common): (Vec<_>, Vec<_>) =
        manifest.files.iter().partition(|file| file.path.contains('/'));
    for file in common {
        let state = if file.sealed { "sealed" } else { "clear " };
        // Writing to a String does not fail
        let _ = writeln!(text, "  {state}  {:>8} B  {}", file.size, ui::shown(&file.path));
    }
    if !of_sites.is_empty() {
        let size: u64 = of_sites.iter().map(|file| file.size).sum();
        let _ = writeln!(text, "  sealed  {size:>8} B  {} below sites/", counted(of_sites.len(), "file"));
    }
    for finding in &manifest.guard.findings {
        let path = finding.path.escape_debug();
        let _ = writeln!(text, "    {}: {path}: {}", ui::shown(&finding.file), finding.rule);
    }
    text
}

/// Who can open what: sites that get the same stand together.
fn readers(manifest: &Manifest) -> String {
    let mut text = String::from("\nWho can open what\n");
    let entire = manifest.entire();
    let all = manifest.secrets.len();
    if !entire.is_empty() {
        let _ = writeln!(text, "  everything: {}", counted(all, "secret"));
        text.push_str(&sites(manifest, &entire));
    }
    for grant in &manifest.grants {
        let exposed = manifest.exposed_by(Some(grant));
        let by = ui::shown(&grant.by);
        let _ = writeln!(
            text,
            "  {} of {all} secrets, {} withheld: {by}",
            exposed.len(),
            all.saturating_sub(exposed.len())
        );
        text.push_str(&sites(manifest, &grant.sites.iter().collect::<Vec<_>>()));
        text.push_str(&indented(exposed.iter().map(|name| name.as_str().escape_debug().to_string())));
    }
    text
}

/// Each site with its keys; of many, only the names, and of very many their number.
fn sites(manifest: &Manifest, sites: &[&Site]) -> String {
    let mut text = String::new();
    if sites.len() > MOST_NAMED {
        let _ = writeln!(text, "    {}", counted(sites.len(), "site"));
    } else if sites.len() > MOST_WITH_KEYS {
        text.push_str(&indented(sites.iter().map(ToString::to_string)));
    } else {
        for site in sites {
            for recipient in manifest.recipients.get(site).into_iter().flatten() {
                let _ = writeln!(text, "    {site}  {}", recipient.escape_debug());
            }
        }
    }
    text
}

/// The secrets, by the generation in which each last changed.
fn secrets(manifest: &Manifest) -> String {
    let mut text =
        format!("\nSecrets: {} (* set by the plan's user, + kept by Barbican)\n", manifest.secrets.len());
    let mut by_since: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for secret in &manifest.secrets {
        let name = secret.name.as_str().escape_debug();
        let mark = match secret.origin {
            SecretOrigin::Barbican => "+",
            SecretOrigin::User => "*",
            SecretOrigin::Generated => "",
        };
        by_since.entry(secret.since).or_default().push(format!("{name}{mark}"));
    }
    for (since, names) in by_since {
        let _ = writeln!(text, "  since generation {since}");
        text.push_str(&indented(names.into_iter()));
    }
    text
}

/// What there is, then in front of a mark what is wrong with it.
fn certificates(manifest: &Manifest, now: Timestamp) -> String {
    let all = &manifest.certificates;
    if all.is_empty() && manifest.unreadable_certificates.is_empty() {
        return String::new();
    }
    let mut text = String::from("\nCertificates\n");
    for certificate in all {
        let (label, subject) = (certificate.label(), certificate.subject.as_str());
        let _ = writeln!(text, "  {}", shortened(&format!("{label}  {subject}"), WIDTH - 2));
        let until = certificate.not_after.strftime("%Y-%m-%d");
        let _ = writeln!(text, "{:6}until {until}{}", "", key(certificate));
        if !certificate.san.is_empty() {
            let _ = writeln!(text, "{:6}for {}", "", hosts(&certificate.san, WIDTH - 10));
        }
    }
    for notice in certificate::judge(all, &manifest.unreadable_certificates, now) {
        for line in lines(&format!("{}: {}", notice.of, notice.says), WIDTH - 4) {
            let _ = writeln!(text, "  ! {line}");
        }
    }
    text
}

fn key(certificate: &Certificate) -> String {
    let Some(key) = &certificate.key else { return String::new() };
    let fits = match certificate.key_matches {
        Some(true) => "fits",
        Some(false) => "DOES NOT FIT",
        None => "not compared: encrypted, or of an unknown form",
    };
    format!(", {} {fits}", shortened(key.as_str(), 24))
}

/// As many names as there is room for, and how many more there are.
fn hosts(names: &[String], room: usize) -> String {
    let mut text = String::new();
    for (position, name) in names.iter().enumerate() {
        let more = format!(" and {} more", names.len() - position);
        let name = shortened(name, room - more.len());
        if position > 0 && text.chars().count() + 2 + name.chars().count() + more.len() > room {
            return text + &more;
        }
        text.push_str(if position > 0 { ", " } else { "" });
        text.push_str(&name);
    }
    text
}

/// `text` as it can be shown, cut where it is longer than `room`.
fn shortened(text: &str, room: usize) -> String {
    let shown = ui::shown(text);
    if shown.chars().count() <= room {
        return shown;
    }
    shown.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

/// `text` in lines of at most `room`, broken between words.
fn lines(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ').map(|word| shortened(word, room)) {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(&word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(format!("  {}", shortened(&word, room - 2))),
        }
    }
    lines
}

fn source(origin: &Origin) -> String {
    let shown = |text: &Option<String>| text.as_deref().unwrap_or("?").escape_debug().to_string();
    let release =
        origin.release.as_ref().map_or_else(String::new, |name| format!(", {}", name.escape_debug()));
    match origin.kind {
        SourceKind::Openstack => {
            let plan =
                origin.plan.as_ref().map_or_else(String::new, |_| format!(", plan {}", shown(&origin.plan)));
            let (stack, status) = (shown(&origin.stack), shown(&origin.stack_status));
            format!("stack {stack} ({status}){plan}, {}{release}", shown(&origin.auth_url))
        }
        SourceKind::WorkingDir => format!("the working directory of stack {}{release}", shown(&origin.stack)),
        SourceKind::File => format!("files{release}"),
    }
}

fn indented(names: impl Iterator<Item = String>) -> String {
    wrapped_behind("   ", names)
}

fn wrapped(names: impl Iterator<Item = String>) -> String {
    wrapped_behind(" ", names)
}

fn wrapped_behind(margin: &str, names: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    let mut line = String::from(margin);
    for name in names {
        if line.len() + 1 + name.len() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = String::from(margin);
        }
        line.push(' ');
        line.push_str(&name);
    }
    text.push_str(&line);
    text.push('\n');
    text
}
