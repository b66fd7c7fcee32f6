//! The lab that is running, and its clients.

#![allow(clippy::disallowed_methods, reason = "tests read the environment and start processes")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Said, said};

/// The profile of a site: a project of its own, in which nothing of the centre can be seen.
pub(crate) const SITE: &str = "other";

/// Where the lab is, as its `env` file says.
#[derive(Debug)]
pub(crate) struct Lab {
    directory: PathBuf,
    client: PathBuf,
    command: PathBuf,
    environments: PathBuf,
}

impl Lab {
    /// The one that the environment names. Without it these tests fail: they were asked for.
    pub(crate) fn running() -> Self {
        let path = |name: &str| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            PathBuf::from(value.unwrap_or_else(|| {
                panic!("{name} is not set: there is no OpenStack lab to test against. Run tests/all")
            }))
        };
        let lab = Self {
            directory: path("DCN_VAULT_LAB"),
            client: path("DCN_VAULT_LAB_CLIENT"),
            command: path("DCN_VAULT_LAB_BIN"),
            environments: path("LAB_VENVS"),
        };
        let is_seeded = lab.expected().is_file();
        assert!(is_seeded, "the OpenStack lab has no seed/expected.json: run tests/all, or `lab seed`");
        lab
    }

    /// What the plan and the stacks hold.
    pub(crate) fn expected(&self) -> PathBuf {
        self.join("seed/expected.json")
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The `OS_*` variables of a profile.
    pub(crate) fn variables(&self, profile: &str) -> BTreeMap<String, String> {
        let script = r#"eval "$("$0" env "$1")" && env -0"#;
        let printed =
            said(Command::new("bash").args(["-euc", script]).arg(&self.command).arg(profile)).succeeded();
        let variables = printed.split('\0').filter_map(|line| line.split_once('='));
        let named = variables.filter(|(name, _)| name.starts_with("OS_"));
        named.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// `lab` itself.
    pub(crate) fn program(&self) -> PathBuf {
        self.command.clone()
    }

    /// What `lab …` prints.
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        said(Command::new(&self.command).args(arguments)).succeeded()
    }

    /// Runs the documented five commands; their files go to `directory`.
    pub(crate) fn reference(&self, directory: &Path, stack: &str, plan: &str) {
        let command = [OsStr::new("reference"), directory.as_os_str(), stack.as_ref(), plan.as_ref()];
        said(Command::new(&self.command).args(command)).succeeded();
    }

    /// `openstack …`, as the administrator.
    pub(crate) fn openstack(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(self.client.join("bin/openstack"));
        said(command.args(arguments).envs(self.variables("admin"))).succeeded()
    }

    pub(crate) fn interpreter(&self) -> PathBuf {
        self.client.join("bin/python")
    }

    /// TripleO's own client of this generation, running one of the scripts beside this file.
    pub(crate) fn tripleo(&self, generation: &str) -> Command {
        let mut command = Command::new(self.tripleo_interpreter(generation));
        command.arg("-B").arg(scripts().join("tripleo.py")).envs(self.variables("admin"));
        command
    }

    /// The interpreter of TripleO's own client of this generation.
    pub(crate) fn tripleo_interpreter(&self, generation: &str) -> PathBuf {
        self.environments.join(format!("tripleo-{generation}/bin/python"))
    }

    /// Runs one of the scripts beside this file.
    pub(crate) fn python<A: Into<OsString>>(
        &self,
        script: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Said {
        let mut command = Command::new(self.interpreter());
        command.arg("-B").arg(scripts().join(script)).args(arguments.into_iter().map(Into::into));
        said(command.envs(self.variables("admin")))
    }

    /// As [`Self::python`], as the user of another project: a site's.
    pub(crate) fn python_at_site(&self, script: &str, arguments: &[&OsStr]) -> Said {
        let mut command = Command::new(self.interpreter());
        command.arg("-B").arg(scripts().join(script)).args(arguments);
        said(command.envs(self.variables(SITE)))
    }
}

/// Where the scripts are.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab")
}

impl Said {
    /// As [`Said::succeeded`], with what was said.
    #[track_caller]
    pub(crate) fn succeeded_with_words(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out + &self.err
    }

    /// What it printed, when it has ended well; its complaint otherwise.
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }
}
