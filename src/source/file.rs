use std::fmt;
use std::path::{Path, PathBuf};

use crate::fs;
use crate::model::{Data, EnvironmentFile, Origin, ParameterName, SourceKind};

use super::config_download::ConfigDownload;
use super::output::{Holder, checked};
use super::plan::{Form, Layer, Plan, defaults_of, users_file};
use super::recognize::{Recognized, layer, recognize};
use super::release::export_settings;
use super::{Harvest, Note, Output, Places, Release, SavedError, SourceError};

/// A file that a pull reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileSource {
    /// A file.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

/// Files that a pull reads, and what goes with them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Files {
    /// The files, in their order: a later one wins where two set the same parameter.
    pub sources: Vec<FileSource>,
    /// The control plane's stack.
    pub stack: String,
    /// Where `group_vars/overcloud.json` is, if the nodes' data is to be taken from there.
    pub config_download_dir: Option<PathBuf>,
    /// The release, where somebody says it.
    pub release: Option<Release>,
}

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// An environment file with `parameter_defaults`.
    Environment,
    /// What `openstack overcloud export` writes, or a file of the documented procedure.
    Export,
    /// config-download's `group_vars/overcloud.json`.
    GroupVars,
    /// kolla-ansible's `passwords.yml`.
    Kolla,
    /// OpenStack-Ansible's `user_secrets.yml`.
    OpenstackAnsible,
    /// What `openstack stack output show -f json` prints.
    Output,
    /// `plan-environment.yaml`.
    Plan,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "an environment file",
            Self::Export => "an export of a stack",
            Self::GroupVars => "the data of all nodes",
            Self::Kolla => "kolla-ansible's passwords",
            Self::OpenstackAnsible => "OpenStack-Ansible's secrets",
            Self::Output => "an output of a stack",
            Self::Plan => "a plan",
        })
    }
}

impl FileSource {
    /// `-` is standard input, all else a path.
    #[must_use]
    pub fn named(name: &Path) -> Self {
        if name == Path::new("-") { Self::Stdin } else { Self::Path(name.to_owned()) }
    }
}

impl Files {
    /// These files, of the stack `overcloud`.
    #[must_use]
    pub fn new(sources: Vec<FileSource>) -> Self {
        Self { sources, stack: String::from("overcloud"), config_download_dir: None, release: None }
    }
}

/// Reads files that were saved, with no cloud at all.
///
/// # Errors
///
/// Any [`SourceError`] but a cloud's: [`SavedError::FileUnknown`] and [`SavedError::FileEncrypted`] for what is none of
/// the kinds, [`SavedError::FormsMixed`], and those of each kind.
pub fn from_files(files: &Files) -> Result<Harvest, SourceError> {
    if files.sources.iter().filter(|source| **source == FileSource::Stdin).count() > 1 {
        return Err(SavedError::StdinTwice.into());
    }
    let mut gathered = Gathered::default();
    for source in &files.sources {
        let (text, name) = match source {
            FileSource::Path(path) => (fs::read_secret(path)?, path.display().to_string()),
            FileSource::Stdin => (fs::read_stdin()?, String::from("<stdin>")),
        };
        // EXPOSE: parsed into secret values; the parsers' errors carry no text
        let (kind, recognized) = text.expose(|bytes| recognize(bytes, &name))?;
        gathered.notes.push(Note::File { name: name.clone(), kind });
        gathered.add(recognized, name)?;
    }
    if files.config_download_dir.is_some() {
        let places = Places::with_home(None);
        let given = files.config_download_dir.as_deref();
        let search = ConfigDownload { stack: &files.stack, given, release: files.release, places: &places };
        let (value, path) = search.all_nodes()?;
        gathered.notes.push(Note::AllNodes { path });
        gathered.put(Output { file: EnvironmentFile::AllNodes, value });
    }
    gathered.into_harvest(files)
}

#[derive(Default)]
struct Gathered {
    plan: Plan,
    /// The file that gave the plan its form.
    first: Option<String>,
    outputs: Vec<Output>,
    settings: Vec<(ParameterName, Data)>,
    notes: Vec<Note>,
}

impl Gathered {
    fn add(&mut self, recognized: Recognized, name: String) -> Result<(), SourceError> {
        match recognized {
            Recognized::Output(file, value) => self.put(Output { file, value }),
            Recognized::Plan(plan, environments) => {
                let set = self.set_in(environments, &name)?;
                self.take_form(Form::Environment, name)?;
                self.plan.layers.extend([Layer::settings(set)].into_iter().chain(plan.layers));
            }
            Recognized::Flat(parameters) => {
                self.take_form(Form::Flat, name)?;
                self.plan.layers.push(layer(parameters));
            }
            Recognized::Environment(parameters) => {
                let secrets = self.without_exported(parameters, &name)?;
                if !secrets.is_empty() {
                    self.take_form(Form::Environment, name)?;
                    self.plan.layers.push(layer(secrets));
                }
            }
        }
        Ok(())
    }

    /// What a plan's environment files set, as far as they are in it; the others are in its container alone.
    fn set_in(
        &mut self,
        environments: Vec<Data>,
        name: &str,
    ) -> Result<Vec<(ParameterName, Data)>, SourceError> {
        let mut set = Vec::new();
        for mut listed in environments {
            if let Some(data) = listed.take_from("data") {
                set.extend(defaults_of(data, name)?);
            } else if let Some(Data::Scalar(path)) = listed.take_from("path")
                && let Some(path) = users_file(&path.text)
            {
                self.notes.push(Note::ElsewhereSet { name: name.to_owned(), path });
            }
        }
        Ok(set)
    }

    /// Takes out of `parameters` what the bundle has files of its own for.
    fn without_exported(
        &mut self,
        parameters: Vec<(ParameterName, Data)>,
        name: &str,
    ) -> Result<Vec<(ParameterName, Data)>, SourceError> {
        let mut rest = Vec::new();
        for (parameter, value) in parameters {
            match EnvironmentFile::taking(parameter.as_str()) {
                Some(EnvironmentFile::ExportSettings) => {
                    self.settings.retain(|(known, _)| *known != parameter);
                    self.settings.push((parameter, value));
                }
                Some(file) => {
                    let value = checked(file, value, || Holder::File(name.to_owned()))?;
                    self.put(Output { file, value });
                }
                None => rest.push((parameter, value)),
            }
        }
        Ok(rest)
    }

    fn put(&mut self, output: Output) {
        self.outputs.retain(|known| known.file != output.file);
        self.outputs.push(output);
    }

    fn take_form(&mut self, form: Form, name: String) -> Result<(), SourceError> {
        match &self.first {
            Some(first) if self.plan.form != form => {
                Err(SavedError::FormsMixed { one: first.clone(), other: name }.into())
            }
            Some(_) => Ok(()),
            None => {
                self.plan.form = form;
                self.first = Some(name);
                Ok(())
            }
        }
    }

    fn into_harvest(mut self, files: &Files) -> Result<Harvest, SourceError> {
        if self.plan.layers.iter().all(|layer| layer.parameters.is_empty()) {
            return Err(SavedError::NoSecrets.into());
        }
        if let Some(release) = files.release {
            for (parameter, value) in export_settings(release.layout(), Some(release), Some(&files.stack)) {
                if !self.settings.iter().any(|(known, _)| *known == parameter) {
                    self.settings.push((parameter, value));
                }
            }
        }
        self.outputs.sort_by_key(|output| output.file);
        let release = files.release.map(|release| release.name().to_owned());
        let origin = Origin { release, ..Origin::of(SourceKind::File) };
        let harvest = Harvest::new(origin, self.plan, self.outputs);
        Ok(Harvest { settings: self.settings, notes: self.notes, ..harvest })
    }
}
