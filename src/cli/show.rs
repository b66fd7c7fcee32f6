use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;

use crate::bundle::{Bundle, Manifest};
use crate::certificate;
use crate::model::{Certificate, Origin, SecretOrigin, SourceKind};

use super::args::ShowArguments;
use super::environment;
use super::exit::Failure;
use super::ui;

const WIDTH: usize = 96;

pub(super) fn show(arguments: &ShowArguments, directory: Option<&Path>) -> Result<ExitCode, Failure> {
    let path = match &arguments.bundle.bundle {
        Some(path) => path.clone(),
        None => environment::vault(directory)?.bundle(),
    };
    let manifest = Bundle::read(&path)?.manifest;
    if arguments.json {
        ui::print(&format!("{}\n", serde_json::to_string_pretty(&manifest).unwrap_or_default()))?;
    } else {
        ui::print_text(&table(&manifest, &path, environment::now()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(manifest: &Manifest, path: &Path, now: Timestamp) -> String {
    let mut text = String::new();
    // Writing to a String does not fail
    let _ = writeln!(text, "{}", path.display());
    let _ = writeln!(
        text,
        "  generation  {}, made {} by {}",
        manifest.generation, manifest.created, manifest.tool
    );
    let _ = writeln!(text, "  source      {}", source(&manifest.source));
    let _ = writeln!(text, "\nFiles");
    for file in &manifest.files {
        let state = if file.sealed { "sealed" } else { "clear " };
        let _ = writeln!(text, "  {state}  {:>8} B  {}", file.size, file.path);
        let plain = file.path.trim_end_matches(".age");
        for finding in manifest.guard.findings.iter().filter(|finding| finding.file == plain) {
            let _ = writeln!(text, "  {:20}{}: {}", "", finding.path.escape_debug(), finding.rule);
        }
    }
    let _ = writeln!(text, "\nWho can open the sealed files");
    for (site, recipients) in &manifest.recipients {
        for recipient in recipients {
            let _ = writeln!(text, "  {site}  {}", recipient.escape_debug());
        }
    }
    let _ = writeln!(
        text,
        "\nSecrets: {} (* set by the plan's user, + kept by Barbican)",
        manifest.secrets.len()
    );
    let names = manifest.secrets.iter().map(|secret| match secret.origin {
        SecretOrigin::Barbican => format!("{}+", secret.name.as_str().escape_debug()),
        SecretOrigin::User => format!("{}*", secret.name.as_str().escape_debug()),
        SecretOrigin::Generated => secret.name.as_str().escape_debug().to_string(),
    });
    text.push_str(&wrapped(names));
    text.push_str(&certificates(manifest, now));
    if !manifest.guard.too_short.is_empty() {
        text.push_str("\nToo short to be searched for in the clear files\n");
        text.push_str(&wrapped(manifest.guard.too_short.iter().map(ToString::to_string)));
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

fn wrapped(names: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    let mut line = String::from(" ");
    for name in names {
        if line.len() + 1 + name.len() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = String::from(" ");
        }
        line.push(' ');
        line.push_str(&name);
    }
    text.push_str(&line);
    text.push('\n');
    text
}
