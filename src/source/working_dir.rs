//! The working directory of a deployment, from Wallaby on: everything is a file there, and no service is asked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::fs;
use crate::model::{Data, EnvironmentFile, Origin, SecretOrigin, SourceKind};
use crate::secret::SecretBuffer;
use crate::yaml;

use super::config_download::ConfigDownload;
use super::incomplete::Incomplete;
use super::output::{Holder, checked};
use super::plan::{Holds, Layer, Plan, parameters};
use super::recognize::encrypted_by;
use super::release::{config_download_in, export_settings};
use super::user_environments::set_by_users;
use super::{Harvest, Layout, Note, Output, Places, Release, SavedError, SourceError};

/// How often files that change are read.
const READINGS: usize = 3;
const PASSWORDS: &str = "-passwords.yaml";
const SUCCESS: &str = "DEPLOY_SUCCESS";

/// A working directory, and what to take from it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkingDir {
    /// The directory: `~/overcloud-deploy/STACK` unless told otherwise.
    pub directory: PathBuf,
    /// The control plane's stack.
    pub stack: String,
    /// Where config-download's files are, if not in it.
    pub config_download_dir: Option<PathBuf>,
    /// The release, where somebody says it.
    pub release: Option<Release>,
    /// Whether to do without what the directory does not have.
    pub allow_incomplete: bool,
}

impl WorkingDir {
    /// The working directory of `stack`.
    #[must_use]
    pub const fn new(directory: PathBuf, stack: String) -> Self {
        Self { directory, stack, config_download_dir: None, release: None, allow_incomplete: false }
    }
}

/// The working directories that deployments have left in their usual place, by stack.
///
/// # Errors
///
/// [`SourceError::File`].
pub fn working_dirs(places: &Places) -> Result<Vec<WorkingDir>, SourceError> {
    let Some(directory) = places.working_dirs() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for directory in fs::directories_below(&directory)? {
        let stacks = stacks_of(&fs::names_in(&directory)?);
        found.extend(stacks.into_iter().map(|stack| WorkingDir::new(directory.clone(), stack)));
    }
    Ok(found)
}

/// The stacks whose passwords are among files of these names.
fn stacks_of(names: &[OsString]) -> Vec<String> {
    let stack_of = |name: &OsString| Some(name.to_str()?.strip_suffix(PASSWORDS)?.to_owned());
    names.iter().filter_map(stack_of).collect()
}

/// Reads a working directory.
///
/// # Errors
///
/// [`SourceError::File`], [`SourceError::Yaml`], [`SourceError::Json`]; [`SavedError::WorkingDirForeign`] when it is none
/// of this stack's; [`SavedError::DeploymentUnfinished`], [`SourceError::OutputUnusable`],
/// [`SavedError::OutputNotSaved`], [`SourceError::PlanMasked`] and [`SourceError::PlanChanging`].
pub fn from_working_dir(wanted: &WorkingDir) -> Result<Harvest, SourceError> {
    if let Some(release) = wanted.release.filter(|release| release.layout() != Layout::WorkingDirectory) {
        return Err(SavedError::ReleaseElsewhere { release: release.title() }.into());
    }
    let passwords = wanted.passwords_file()?;
    until_unchanged(&passwords, &wanted.other_files(), |text| wanted.read(&passwords, text))
}

/// What `read` makes of a file's text, once neither it nor `others` have changed in the meantime: a deployment may write
/// them.
fn until_unchanged<T>(
    path: &Path,
    others: &[PathBuf],
    mut read: impl FnMut(&SecretBuffer) -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    let times = || others.iter().map(|path| fs::modified(path).ok()).collect::<Vec<_>>();
    for _ in 0..READINGS {
        let (before, times_before) = (fs::read_secret(path)?, times());
        let made = read(&before)?;
        let after = fs::read_secret(path)?;
        // EXPOSE: compared in place
        if before.expose(|before| after.expose(|after| before == after)) && times() == times_before {
            return Ok(made);
        }
    }
    Err(SourceError::PlanChanging { plan: path.display().to_string(), times: READINGS })
}

impl WorkingDir {
    fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn environment_file(&self) -> PathBuf {
        self.file(&format!("environment/tripleo-{}-environment.yaml", self.stack))
    }

    /// What is read beside the passwords.
    fn other_files(&self) -> Vec<PathBuf> {
        let outputs = EnvironmentFile::ALL.into_iter().filter_map(EnvironmentFile::output);
        outputs.map(|output| self.output_file(output)).chain([self.environment_file()]).collect()
    }

    fn passwords_file(&self) -> Result<PathBuf, SourceError> {
        let path = self.file(&format!("{}{PASSWORDS}", self.stack));
        let names = fs::names_in(&self.directory)?;
        if names.iter().any(|name| path.file_name() == Some(name)) {
            return Ok(path);
        }
        Err(SavedError::WorkingDirForeign {
            directory: self.directory.clone(),
            stack: self.stack.clone(),
            stacks: stacks_of(&names),
        }
        .into())
    }

    fn read(&self, path: &Path, passwords: &SecretBuffer) -> Result<Harvest, SourceError> {
        let mut incomplete = Incomplete::new(self.allow_incomplete);
        incomplete.without(self.check_status())?;
        let plan = self.plan(path, passwords, &mut incomplete)?;
        let mut outputs = Vec::new();
        for file in
            [EnvironmentFile::EndpointMap, EnvironmentFile::GlobalConfig, EnvironmentFile::HostEntries]
        {
            let saved = self.saved_output(file).map(|value| Output { file, value });
            outputs.extend(incomplete.without(saved)?);
        }
        let release = Layout::WorkingDirectory.known_as(self.release);
        let mut notes = vec![Note::Release { name: release.clone(), forced: self.release.is_some() }];
        if let Some((value, path)) = incomplete.without(self.all_nodes())? {
            notes.push(Note::AllNodes { path });
            outputs.push(Output { file: EnvironmentFile::AllNodes, value });
        }
        outputs.sort_by_key(|output| output.file);
        let cloud = self.auth_cloud_name()?;
        let settings = export_settings(Layout::WorkingDirectory, self.release, Some(&cloud));
        let origin = Origin {
            release: Some(release),
            stack: Some(self.stack.clone()),
            ..Origin::of(SourceKind::WorkingDir)
        };
        Ok(Harvest { origin, plan, outputs, settings, notes, warnings: incomplete.warnings })
    }

    /// What the client noted of its last run; where it noted nothing there is nothing to say.
    fn check_status(&self) -> Result<(), SourceError> {
        let path = self.file(&format!("{}-deployment_status.yaml", self.stack));
        let Some(mut noted) = read_if_there(&path)? else { return Ok(()) };
        match noted.take_from("deployment_status") {
            Some(Data::Scalar(status)) if !status.is(SUCCESS) => {
                // EXPOSE: a status is public
                let status = status.text.expose(|text| text.escape_debug().take(40).collect());
                Err(SavedError::DeploymentUnfinished { stack: self.stack.clone(), status }.into())
            }
            _ => Ok(()),
        }
    }

    /// What `TripleO` generated, and over it what users set: in the stack's environment as it was saved, and where Heat
    /// has masked that, in the copies of the users' own files.
    fn plan(
        &self,
        path: &Path,
        passwords: &SecretBuffer,
        incomplete: &mut Incomplete,
    ) -> Result<Plan, SourceError> {
        let name = path.display().to_string();
        // EXPOSE: its first bytes are compared with those of encrypted files
        if let Some(by) = passwords.expose(encrypted_by) {
            return Err(SavedError::FileEncrypted { name, by }.into());
        }
        // EXPOSE: parsed into secret values; the parser's errors carry no text
        let mut content = passwords.expose(|bytes| yaml::read(bytes, &name))?;
        let generated = content.take_from("parameter_defaults");
        let generated = generated.map_or_else(|| Ok(Vec::new()), |generated| parameters(generated, &name))?;
        if generated.is_empty() {
            return Err(SavedError::PasswordsMissing { name }.into());
        }
        let set = set_by_users(&self.environment_file(), &self.directory, &generated, incomplete)?;
        let generated = Layer::new(SecretOrigin::Generated, Holds::Secrets, generated);
        Ok(Plan { layers: vec![generated, Layer::settings(set)], ..Plan::default() })
    }

    fn all_nodes(&self) -> Result<(Data, PathBuf), SourceError> {
        let own = config_download_in(&self.directory, &self.stack);
        let given = self.config_download_dir.as_deref().unwrap_or(&own);
        let places = Places::with_home(None);
        ConfigDownload { stack: &self.stack, given: Some(given), release: None, places: &places }.all_nodes()
    }

    fn saved_output(&self, file: EnvironmentFile) -> Result<Data, SourceError> {
        let output = file.output().unwrap_or_else(|| file.file_name());
        let path = self.output_file(output);
        let value =
            read_if_there(&path)?.ok_or_else(|| SavedError::OutputNotSaved { path: path.clone(), output })?;
        checked(file, value, || Holder::File(path.display().to_string()))
    }

    /// The cloud that a site logs in to: the stack's own name, unless the stack has been told another.
    fn auth_cloud_name(&self) -> Result<String, SourceError> {
        let saved = read_if_there(&self.output_file("AuthCloudName"))?;
        let Some(Data::Scalar(name)) = saved else { return Ok(self.stack.clone()) };
        // EXPOSE: a cloud's name is public
        let name = name.text.expose(str::to_owned);
        Ok(if matches!(name.as_str(), "" | "null") { self.stack.clone() } else { name })
    }

    fn output_file(&self, output: &str) -> PathBuf {
        self.directory.join("outputs").join(output)
    }
}

pub(super) fn read_if_there(path: &Path) -> Result<Option<Data>, SourceError> {
    // What may not be looked at is read, so that the error says so
    if !path.try_exists().unwrap_or(true) {
        return Ok(None);
    }
    let text = fs::read_secret(path)?;
    // EXPOSE: parsed into secret values; the parser's errors carry no text
    Ok(Some(text.expose(|bytes| yaml::read(bytes, &path.display().to_string()))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TemporaryDirectory;

    /// How often the files are read when `changing` is written anew during the first `changes` readings.
    fn readings(changing: &str, changes: usize) -> Result<usize, SourceError> {
        let here = TemporaryDirectory::scratch();
        let path = here.write("central-passwords.yaml", "0");
        let environment = here.path().join("environment.yaml");
        let mut times = 0;
        until_unchanged(&path, &[environment], |_| {
            times += 1;
            if times <= changes {
                let written = here.write(changing, &times.to_string());
                // Clocks of file systems are coarse
                let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(times as u64);
                std::fs::File::options().write(true).open(written).unwrap().set_modified(then).unwrap();
            }
            Ok(times)
        })
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_again_and_not_for_ever() {
        for changing in ["central-passwords.yaml", "environment.yaml"] {
            assert_eq!(readings(changing, 0).unwrap(), 1);
            assert_eq!(readings(changing, 2).unwrap(), 3);
            assert!(matches!(readings(changing, 3), Err(SourceError::PlanChanging { times: 3, .. })));
        }
    }
}
