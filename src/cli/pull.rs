use std::path::Path;
use std::process::ExitCode;

use crate::classify::{Choice, OsloMessaging, classify};
use crate::guard::{self, clear};
use crate::model::Glob;
use crate::recipients::RecipientSet;
use crate::source::{openstack, working_dirs};
use crate::vault::{OsloWhen, SourceSettings, Vault};

use super::args::{OnSecret, PullArguments, SourceArguments, TrustArguments};
use super::environment;
use super::exit::Failure;
use super::generation::{Generation, Recipients, audience};
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
    arguments.source.fit(&vault.source)?;
    let recipients = recipients(arguments, &vault)?;
    recipients.fit(&vault)?;
    for warning in recipients.warnings() {
        ui.warn(&warning.to_string());
    }
    let trust = TrustArguments::default();
    let generation =
        Generation::begin(&arguments.generation, &vault, &arguments.identity, &trust, false, batch, ui)?;
    let harvest = harvest(&arguments.source, &vault.source, batch, ui)?;
    for note in &harvest.notes {
        ui.say(&note.to_string());
    }
    for warning in &harvest.warnings {
        ui.warn(&warning.to_string());
    }
    let on_secret = match arguments.on_secret {
        OnSecret::Seal => guard::OnSecret::Seal,
        OnSecret::Refuse => guard::OnSecret::Refuse,
    };
    let cleared = clear(classify(harvest, &choice(&arguments.source, &vault)), on_secret)?;
    let audience = audience(recipients, &cleared, &vault, ui)?;
    generation.end(cleared, &audience, &vault, ui)?;
    Ok(ExitCode::SUCCESS)
}

/// What of a plan is taken.
pub(super) fn choice(arguments: &SourceArguments, vault: &Vault) -> Choice {
    let excluded = vault.source.exclude.iter().chain(&arguments.exclude);
    Choice {
        exclude: excluded.map(|pattern| Glob::new(pattern)).collect(),
        roles: vault.source.oslo_messaging.roles.clone(),
        oslo_messaging: match vault.source.oslo_messaging.when {
            OsloWhen::Auto => OsloMessaging::Auto,
            OsloWhen::Always => OsloMessaging::Always,
            OsloWhen::Never => OsloMessaging::Never,
        },
    }
}

fn list(
    arguments: &PullArguments,
    source: &SourceSettings,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let cloud = arguments.source.os_cloud.clone().or_else(|| source.cloud.clone());
    let variables = environment::openstack()?;
    let working_dirs = working_dirs(&environment::places())?;
    let mut seen = Seen { cloud: cloud.clone(), working_dirs, ..Seen::default() };
    if cloud.is_none() {
        seen.clouds = openstack::clouds(&variables)?;
    }
    // Who names no cloud, and has sourced no stackrc, learns which clouds there are
    let is_all = seen.clouds.is_empty() && seen.working_dirs.is_empty();
    if cloud.is_some() || variables.names_a_cloud() || is_all {
        let settings = login::settings(&arguments.source, cloud.as_deref(), variables, batch)?;
        match openstack::list(&settings, &mut |warning| ui.warn(&warning.to_string())) {
            Ok(listing) => seen.listing = Some(listing),
            // From Wallaby on there is no Heat but during a deployment, and all is in files
            Err(error) if arguments.source.os_cloud.is_none() && !seen.working_dirs.is_empty() => {
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

fn recipients(arguments: &PullArguments, vault: &Vault) -> Result<Recipients, Failure> {
    if arguments.recipient.is_empty() && arguments.recipients_file.is_empty() {
        return Ok(Recipients::Vault(RecipientSet::of_vault(&vault.keys())?));
    }
    Ok(Recipients::Given(RecipientSet::given(&arguments.recipient, &arguments.recipients_file)?))
}
