use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use crate::bundle::{Manifest, Slot};
use crate::certificate;
use crate::classify::{Choice, OsloMessaging, classify};
use crate::guard::{self, clear};
use crate::model::{Certificates, Glob, GuardReport, ParameterName, Rule, Site};
use crate::recipients::RecipientSet;
use crate::seal::seal;
use crate::source::{openstack, working_dirs};
use crate::vault::{OsloWhen, SourceSettings, Vault};

use super::args::{OnSecret, PullArguments};
use super::environment;
use super::exit::Failure;
use super::harvest::harvest;
use super::list::{self, Seen};
use super::login;
use super::ui::{self, Ui};

pub(super) fn pull(
    arguments: &PullArguments,
    directory: Option<&Path>,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let vault = environment::vault(directory)?;
    if arguments.list {
        return list(arguments, &vault.source, batch, ui);
    }
    // All that can be wrong on this side is found before anybody is asked for a secret
    arguments.fit(&vault.source)?;
    let recipients = recipients(arguments, &vault)?;
    let output = arguments.output.clone().unwrap_or_else(|| vault.bundle());
    let slot = Slot::at(&output)?;
    let harvest = harvest(arguments, &vault.source, batch, ui)?;
    for note in &harvest.notes {
        ui.say(&note.to_string());
    }
    for warning in &harvest.warnings {
        ui.warn(&warning.to_string());
    }
    let excluded = vault.source.exclude.iter().chain(&arguments.exclude);
    let choice = Choice {
        exclude: excluded.map(|pattern| Glob::new(pattern)).collect(),
        roles: vault.source.oslo_messaging.roles.clone(),
        oslo_messaging: match vault.source.oslo_messaging.when {
            OsloWhen::Auto => OsloMessaging::Auto,
            OsloWhen::Always => OsloMessaging::Always,
            OsloWhen::Never => OsloMessaging::Never,
        },
    };
    let on_secret = match arguments.on_secret {
        OnSecret::Seal => guard::OnSecret::Seal,
        OnSecret::Refuse => guard::OnSecret::Refuse,
    };
    let sealed = seal(clear(classify(harvest, &choice), on_secret)?, &recipients)?;
    say_certificates(sealed.certificates(), ui);
    for loss in slot.losses(&sealed) {
        ui.warn(&loss.to_string());
    }
    if arguments.dry_run {
        say_guard(&sealed.guard, ui);
        ui.say("dry run: nothing was written");
        return Ok(ExitCode::SUCCESS);
    }
    let manifest = slot.write(&sealed)?;
    say_guard(&manifest.guard, ui);
    say_written(&manifest, &output, ui);
    Ok(ExitCode::SUCCESS)
}

fn list(
    arguments: &PullArguments,
    source: &SourceSettings,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let cloud = arguments.os_cloud.clone().or_else(|| source.cloud.clone());
    let variables = environment::openstack()?;
    let working_dirs = working_dirs(&environment::places())?;
    let mut seen = Seen { cloud: cloud.clone(), working_dirs, ..Seen::default() };
    if cloud.is_none() {
        seen.clouds = openstack::clouds(&variables)?;
    }
    // Who names no cloud, and has sourced no stackrc, learns which clouds there are
    let is_all = seen.clouds.is_empty() && seen.working_dirs.is_empty();
    if cloud.is_some() || variables.names_a_cloud() || is_all {
        let settings = login::settings(arguments, cloud.as_deref(), variables, batch)?;
        match openstack::list(&settings, &mut |warning| ui.warn(&warning.to_string())) {
            Ok(listing) => seen.listing = Some(listing),
            // From Wallaby on there is no Heat but during a deployment, and all is in files
            Err(error) if arguments.os_cloud.is_none() && !seen.working_dirs.is_empty() => {
                seen.unlisted = Some(error.to_string());
            }
            Err(error) => return Err(error.into()),
        }
    }
    if arguments.json {
        ui::print(&format!("{:#}\n", list::json(&seen)))?;
    } else {
        ui::print_text(&list::table(&seen))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn recipients(arguments: &PullArguments, vault: &Vault) -> Result<RecipientSet, Failure> {
    if arguments.recipient.is_empty() && arguments.recipients_file.is_empty() {
        return Ok(RecipientSet::of_vault(&vault.keys())?);
    }
    Ok(RecipientSet::given(&arguments.recipient, &arguments.recipients_file)?)
}

/// A pull copies what the control plane uses, be it right or wrong; nobody should find that out from a client.
fn say_certificates(certificates: &Certificates, ui: Ui) {
    for notice in certificate::judge(&certificates.read, &certificates.unreadable, environment::now()) {
        ui.warn(&format!("{}: {}", notice.of, notice.says));
    }
}

fn say_guard(report: &GuardReport, ui: Ui) {
    let files: BTreeSet<&str> = report.findings.iter().map(|finding| finding.file.as_str()).collect();
    for file in files {
        let rules =
            report.findings.iter().filter(|finding| finding.file == file).map(|finding| &finding.rule);
        let known: BTreeSet<&str> = rules
            .filter_map(|rule| match rule {
                Rule::KnownValue { of } => Some(of.as_str()),
                Rule::KeyName | Rule::Shape { .. } => None,
            })
            .collect();
        let known: Vec<&str> = known.into_iter().collect();
        ui.say(&match known.as_slice() {
            [] => format!("sealed {file}: it holds what looks like a secret"),
            known => format!("sealed {file}: it holds the value of {}", known.join(", ")),
        });
    }
    match report.too_short.as_slice() {
        [] => {}
        [one] => ui.warn(&format!("the value of {one} is too short to search the plaintext files for")),
        [one, two, three, more @ ..] if !more.is_empty() => ui.warn(&format!(
            "the values of {one}, {two}, {three} and {} more are too short to search the plaintext files for",
            more.len()
        )),
        some => ui.warn(&format!(
            "the values of {} are too short to search the plaintext files for",
            some.iter().map(ParameterName::as_str).collect::<Vec<_>>().join(", ")
        )),
    }
}

fn say_written(manifest: &Manifest, output: &Path, ui: Ui) {
    let sites: Vec<&str> = manifest.recipients.keys().map(Site::as_str).collect();
    ui.say(&format!(
        "wrote {}: generation {}, {}, sealed for {}",
        output.display(),
        manifest.generation,
        match manifest.secrets.len() {
            1 => String::from("1 secret"),
            count => format!("{count} secrets"),
        },
        sites.join(", ")
    ));
}
