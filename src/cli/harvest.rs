//! From arguments and settings to a harvest: which source, and what to take from it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::model::ParameterName;
use crate::source::openstack::{self, BarbicanError, BarbicanReference, Wanted};
use crate::source::{
    Ceph, FileSource, Files, Harvest, Places, Release, WorkingDir, from_files, from_working_dir,
};
use crate::vault::{SourceSettings, VaultError};

use super::args::SourceArguments;
use super::environment;
use super::exit::Failure;
use super::login;
use super::ui::Ui;

const DEFAULT_STACK: &str = "overcloud";

/// Brings in what the command line and the vault name; the command line wins.
pub(super) fn harvest(
    arguments: &SourceArguments,
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
    let working_dir = working_dir(arguments, source);
    let is_by_files = !arguments.from_file.is_empty() || working_dir.is_some();
    if is_by_files && !source.barbican.is_empty() {
        ui.warn("what the vault wants of Barbican is left out: it takes a cloud");
    }
    let mut harvest = if !arguments.from_file.is_empty() {
        let sources = arguments.from_file.iter().map(|path| FileSource::named(path)).collect();
        let mut files = Files::new(sources);
        (files.stack, files.release) = (stack, release);
        files.config_download_dir.clone_from(&arguments.config_download_dir);
        from_files(&files)?
    } else if let Some(directory) = working_dir {
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
fn working_dir<'a>(arguments: &'a SourceArguments, source: &'a SourceSettings) -> Option<&'a PathBuf> {
    let names_cloud = [&arguments.os_cloud, &arguments.plan].into_iter().any(Option::is_some)
        || !arguments.barbican.is_empty();
    let names_login = arguments.os_password_file.is_some() || arguments.os_token_file.is_some();
    arguments
        .working_dir
        .as_ref()
        .or_else(|| source.working_dir.as_ref().filter(|_| !names_cloud && !names_login))
}

fn ceph(
    arguments: &SourceArguments,
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
fn barbican(arguments: &SourceArguments, source: &SourceSettings) -> Result<Vec<BarbicanReference>, Failure> {
    let given = arguments.barbican.iter().map(|text| {
        // Not with its text: somebody may have typed the secret there
        let (reference, parameter) = text.rsplit_once('=').ok_or(BarbicanError::NoParameter)?;
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
