use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::bundle::{Change, Envelope, Manifest, file_changes, secret_changes};
use crate::classify::classify;
use crate::drift::Drift;
use crate::fingerprint::Notes;
use crate::guard::{OnSecret, clear};
use crate::model::ParameterName;
use crate::report::Hint;

use super::args::DiffArguments;
use super::difference::{self, sign};
use super::exit::{Failure, findings};
use super::harvest::harvest;
use super::ui::{self, Ui};
use super::{environment, git, pull};

/// Why there is nothing to compare with.
#[derive(Debug, thiserror::Error)]
enum DiffError {
    #[error("which values have changed cannot be told: generation {generation} was not made from here")]
    Untold { generation: u64 },
    #[error("git's history of `{bundle}` has no generation {generation}")]
    NoGeneration { bundle: String, generation: u64 },
}

impl Hint for DiffError {
    fn hint(&self) -> String {
        match self {
            Self::Untold { .. } => String::from(
                "no name has changed; ask where it was made, or `dcn-vault pull -i FILE`, with an identity that opens it",
            ),
            Self::NoGeneration { .. } => String::from(
                "`git log -- bundle/manifest.json` names the commits; is the clone a shallow one?",
            ),
        }
    }
}

/// What differs, in names.
struct Differences {
    secrets: Vec<(ParameterName, Change)>,
    files: Vec<(String, Change)>,
    sites: Vec<String>,
}

pub(super) fn diff(
    arguments: &DiffArguments,
    directory: Option<&Path>,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let vault = environment::vault(directory)?;
    let bundle = arguments.bundle.clone().unwrap_or_else(|| vault.bundle());
    let envelope = Envelope::read(&bundle)?;
    let now = envelope.manifest()?;
    let differences = if let Some(older) = &arguments.older {
        between(&Envelope::read(older)?.manifest()?, &now)
    } else if let Some(generation) = arguments.generation {
        let older = git::manifests(&bundle)?.into_iter().find(|one| one.generation == generation);
        let missing = || DiffError::NoGeneration { bundle: bundle.display().to_string(), generation };
        between(&older.ok_or_else(missing)?, &now)
    } else {
        arguments.source.fit(&vault.source)?;
        let harvest = harvest(&arguments.source, &vault.source, batch, ui)?;
        for warning in &harvest.warnings {
            ui.warn(&warning.to_string());
        }
        let cleared = clear(classify(harvest, &pull::choice(&arguments.source, &vault)), OnSecret::Seal)?;
        let notes = Notes::read(environment::notes_directory().as_deref(), &now.vault)?;
        let drift = Drift::of(&now, &cleared, &notes.tags(&cleared), notes.of(&envelope.digest()));
        if !drift.knows_values && drift.secrets.is_empty() && drift.files.is_empty() {
            // Not to be taken for no difference
            return Err(DiffError::Untold { generation: now.generation }.into());
        }
        if !drift.knows_values {
            ui.warn(&format!(
                "generation {} was not made from here: which values have changed since cannot be told",
                now.generation
            ));
        }
        Differences { secrets: drift.secrets, files: drift.files, sites: Vec::new() }
    };
    if arguments.json {
        ui::print(&format!("{:#}\n", as_json(&differences)))?;
    } else {
        ui::print_text(&text(&differences))?;
    }
    let is_same =
        differences.secrets.is_empty() && differences.files.is_empty() && differences.sites.is_empty();
    Ok(if is_same { ExitCode::SUCCESS } else { findings() })
}

fn between(older: &Manifest, now: &Manifest) -> Differences {
    Differences {
        secrets: secret_changes(older, now),
        files: file_changes(older, now),
        sites: difference::sites(older, now),
    }
}

fn text(differences: &Differences) -> String {
    let mut text = String::new();
    // Writing to a String does not fail
    for (name, change) in &differences.secrets {
        let _ = writeln!(text, "{} {}", sign(*change), ui::shown(name.as_str()));
    }
    for (name, change) in &differences.files {
        let _ = writeln!(text, "{} {}", sign(*change), ui::shown(name));
    }
    for line in &differences.sites {
        let _ = writeln!(text, "{}", ui::shown(line.trim_start()));
    }
    text
}

fn as_json(differences: &Differences) -> Value {
    let word = |change: Change| match change {
        Change::Added => "added",
        Change::Changed => "changed",
        Change::Removed => "removed",
    };
    let secrets =
        differences.secrets.iter().map(|(name, change)| json!({"name": name, "change": word(*change)}));
    let files = differences.files.iter().map(|(name, change)| json!({"file": name, "change": word(*change)}));
    json!({
        "secrets": secrets.collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
        "sites": differences.sites.iter().map(|line| line.trim_start()).collect::<Vec<_>>(),
    })
}
