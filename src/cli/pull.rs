use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::bundle::{Manifest, Slot};
use crate::certificate;
use crate::classify::{Choice, classify};
use crate::guard::{self, clear};
use crate::model::{Certificates, Glob, GuardReport, ParameterName, Rule, Site};
use crate::recipients::RecipientSet;
use crate::seal::seal;
use crate::source::openstack::{self, BarbicanError, BarbicanReference, Wanted};
use crate::source::{
    Ceph, FileSource, Files, Harvest, Places, Release, WorkingDir, from_files, from_working_dir, working_dirs,
};
use crate::vault::{SourceSettings, Vault, VaultError};

use super::args::{OnSecret, PullArguments};
use super::environment;
use super::exit::Failure;
use super::list::{self, Seen};
use super::login;
use super::ui::{self, Ui};

const DEFAULT_STACK: &str = "overcloud";

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
    let choice =
        Choice { exclude: excluded.map(|pattern| Glob::new(pattern)).collect(), ..Choice::default() };
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

fn harvest(
    arguments: &PullArguments,
    source: &SourceSettings,
    batch: bool,
    ui: Ui,
) -> Result<Harvest, Failure> {
    let stack = arguments.stack.as_ref().or(source.stack.as_ref());
    let stack = stack.cloned().unwrap_or_else(|| DEFAULT_STACK.to_owned());
    let release = match (arguments.release, &source.release) {
        (None, Some(name)) => Some(Release::named(name).ok_or_else(|| VaultError::release(name))?),
        (given, _) => given,
    };
    let config_download_dir = arguments.config_download_dir.as_ref().or(source.config_download_dir.as_ref());
    let places = environment::places();
    let ceph =
        ceph(arguments, source, config_download_dir, &places).map(|ceph| ceph.collect()).transpose()?;
    let mut harvest = if !arguments.from_file.is_empty() {
        let sources = arguments.from_file.iter().map(|path| FileSource::named(path)).collect();
        let mut files = Files::new(sources);
        (files.stack, files.release) = (stack, release);
        files.config_download_dir.clone_from(&arguments.config_download_dir);
        from_files(&files)?
    } else if let Some(directory) = working_dir(arguments, source) {
        let mut wanted = WorkingDir::new(directory.clone(), stack);
        (wanted.release, wanted.allow_incomplete) = (release, arguments.allow_incomplete);
        wanted.config_download_dir = config_download_dir.cloned();
        from_working_dir(&wanted)?
    } else {
        let plan = arguments.plan.as_ref().or(source.plan.as_ref()).cloned().unwrap_or_else(|| stack.clone());
        let mut wanted = Wanted::new(stack, plan, places);
        (wanted.release, wanted.allow_incomplete) = (release, arguments.allow_incomplete);
        wanted.config_download_dir = config_download_dir.cloned();
        wanted.barbican = barbican(arguments, source)?;
        let cloud = arguments.os_cloud.as_ref().or(source.cloud.as_ref());
        let settings =
            login::settings(arguments, cloud.map(String::as_str), environment::openstack()?, batch)?;
        openstack::pull(&settings, &wanted, &mut |warning| ui.warn(&warning.to_string()))?
    };
    if let Some(ceph) = ceph {
        harvest.add_ceph(ceph);
    }
    Ok(harvest)
}

/// The working directory that is to be read; whoever names a cloud or a plan means those.
fn working_dir<'a>(arguments: &'a PullArguments, source: &'a SourceSettings) -> Option<&'a PathBuf> {
    let names_cloud = [&arguments.os_cloud, &arguments.plan].into_iter().any(Option::is_some)
        || !arguments.barbican.is_empty();
    let names_login = arguments.os_password_file.is_some() || arguments.os_token_file.is_some();
    arguments
        .working_dir
        .as_ref()
        .or_else(|| source.working_dir.as_ref().filter(|_| !names_cloud && !names_login))
}

fn ceph(
    arguments: &PullArguments,
    source: &SourceSettings,
    config_download_dir: Option<&PathBuf>,
    places: &Places,
) -> Option<Ceph> {
    let stacks = if arguments.ceph_stack.is_empty() { &source.ceph.stacks } else { &arguments.ceph_stack };
    let mut ceph = (!stacks.is_empty()).then(|| Ceph::new(stacks.clone(), places.clone()))?;
    ceph.config_download_dir = config_download_dir.cloned();
    if let Some(client) = arguments.cephx_key_client_name.as_ref().or(source.ceph.client.as_ref()) {
        ceph.client.clone_from(client);
    }
    Some(ceph)
}

/// What is asked of Barbican; the command line wins over the vault for the same parameter.
fn barbican(arguments: &PullArguments, source: &SourceSettings) -> Result<Vec<BarbicanReference>, Failure> {
    let given = arguments.barbican.iter().map(|text| {
        let bad = || BarbicanError::BadReference { reference: text.escape_debug().to_string() };
        let (reference, parameter) = text.rsplit_once('=').ok_or_else(bad)?;
        Ok((parameter, reference))
    });
    let given = given.collect::<Result<Vec<_>, BarbicanError>>()?;
    let settings =
        source.barbican.iter().map(|(parameter, reference)| (parameter.as_str(), reference.as_str()));
    let all: BTreeMap<&str, &str> = settings.chain(given).collect();
    let read =
        |(parameter, reference)| Ok(BarbicanReference::new(reference, ParameterName::parse(parameter)?)?);
    all.into_iter().map(read).collect()
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
