use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::signature::{Listed, Signers};
use crate::trust::{Memory, Seen, trusted_signers};

use super::args::TrustListArguments;
use super::environment;
use super::exit::Failure;
use super::ui::{self, shown};

pub(super) fn list(arguments: &TrustListArguments, memory: &Memory) -> Result<ExitCode, Failure> {
    let usual = environment::usual_signers();
    let trusted = trusted_signers(None, &usual)?;
    let trusted = trusted.as_ref().map(|(path, signers)| (path.as_path(), signers));
    let seen = memory.all()?;
    if arguments.json {
        ui::print(&format!("{:#}\n", as_json(trusted, &seen)))?;
    } else {
        ui::print_text(&table(trusted, &usual, &seen))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(trusted: Option<(&Path, &Signers)>, usual: &[PathBuf], seen: &[Seen]) -> String {
    let mut text = String::new();
    // Writing to a String does not fail
    if let Some((path, signers)) = trusted {
        let _ = writeln!(text, "Signers, from {}", path.display());
        for listed in signers.listed() {
            let key = format!("{}  {}", listed.key.fingerprint(), listed.key.kind());
            let _ = writeln!(text, "  {key}  {}{}", shown(&listed.principal), limits(listed));
        }
    } else {
        let places: Vec<String> = usual.iter().map(|path| path.display().to_string()).collect();
        let _ = writeln!(text, "Signers: none, there is no {}", places.join(" nor "));
    }
    let _ = writeln!(text, "\nVaults seen{}", if seen.is_empty() { ": none" } else { "" });
    for one in seen {
        let signatures = match one.signatures_required {
            0 | 1 => String::new(),
            count => format!(", {count} signatures"),
        };
        let _ = writeln!(
            text,
            "  {}  generation {}{signatures}, until {}",
            one.vault, one.generation, one.latest
        );
        for place in &one.places {
            let _ = writeln!(text, "    {}", shown(place));
        }
    }
    text
}

fn limits(listed: &Listed) -> String {
    let mut text = String::new();
    if let Some(from) = listed.valid_after {
        let _ = write!(text, ", from {from}");
    }
    if let Some(until) = listed.valid_before {
        let _ = write!(text, ", until {until}");
    }
    if let Some(namespaces) = &listed.namespaces {
        let _ = write!(text, ", for {}", shown(namespaces));
    }
    text
}

fn as_json(trusted: Option<(&Path, &Signers)>, seen: &[Seen]) -> Value {
    let listed = trusted.map(|(_, signers)| signers.listed()).unwrap_or_default();
    let signers = listed.iter().map(|listed| {
        json!({
            "principal": listed.principal,
            "kind": listed.key.kind(),
            "fingerprint": listed.key.fingerprint(),
            "namespaces": listed.namespaces,
            "valid_after": listed.valid_after,
            "valid_before": listed.valid_before,
        })
    });
    json!({
        "file": trusted.map(|(path, _)| path.display().to_string()),
        "signers": signers.collect::<Vec<_>>(),
        "vaults": seen,
    })
}
