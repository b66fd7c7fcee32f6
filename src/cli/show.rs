use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::bundle::{Bundle, Manifest};
use crate::model::{Origin, SecretOrigin, SourceKind};

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
        ui::print_text(&table(&manifest, &path))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(manifest: &Manifest, path: &Path) -> String {
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
    if !manifest.guard.too_short.is_empty() {
        text.push_str("\nToo short to be searched for in the clear files\n");
        text.push_str(&wrapped(manifest.guard.too_short.iter().map(ToString::to_string)));
    }
    text
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
