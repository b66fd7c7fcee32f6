use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::report::Hint;
use crate::source::Release;
use crate::vault::SourceSettings;

/// Where a harvest comes from, and what of it is taken.
#[derive(Debug, Args)]
pub(in crate::cli) struct SourceArguments {
    /// An entry of clouds.yaml [default: OS_CLOUD, else the other OS_* variables]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) os_cloud: Option<String>,
    /// Read the password from FILE, of mode 0600, instead of asking for it
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) os_password_file: Option<PathBuf>,
    /// Log in with the token in FILE, of mode 0600
    #[arg(long, value_name = "FILE", conflicts_with = "os_password_file")]
    pub(in crate::cli) os_token_file: Option<PathBuf>,
    /// The control plane's stack [default: overcloud]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) stack: Option<String>,
    /// TripleO's release, where it is not to be found out
    #[arg(long, value_name = "NAME", value_parser = release_parser())]
    pub(in crate::cli) release: Option<Release>,
    /// The Swift container of its plan [default: the stack's name]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) plan: Option<String>,
    /// Read group_vars/overcloud.json there instead of the output AllNodesConfig [default: the release's own place]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) config_download_dir: Option<PathBuf>,
    /// Read a deployment's working directory instead of a cloud (Wallaby and later)
    #[arg(long, value_name = "DIR", conflicts_with_all = ["os_cloud", "os_password_file", "os_token_file", "plan", "barbican"])]
    pub(in crate::cli) working_dir: Option<PathBuf>,
    /// Add the Ceph cluster of this stack, with a key to it; can be repeated
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) ceph_stack: Vec<String>,
    /// Whose key to the Ceph clusters [default: openstack]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) cephx_key_client_name: Option<String>,
    /// Ask Barbican for a secret or a certificate container: REF as it prints it, and the PARAMETER that takes it
    #[arg(long, value_name = "REF=PARAMETER")]
    pub(in crate::cli) barbican: Vec<String>,
    /// Do without what the stack does not have, and say what that is
    #[arg(long)]
    pub(in crate::cli) allow_incomplete: bool,
    /// Read a plan, an environment file, an export, an output or Ansible's secrets instead of a cloud; `-` is
    /// standard input; of several files the later one wins
    #[arg(long, value_name = "FILE", conflicts_with_all = ["os_cloud", "os_password_file", "os_token_file", "plan", "working_dir", "barbican", "allow_incomplete"])]
    pub(in crate::cli) from_file: Vec<PathBuf>,
    /// Leave out the parameters that match; `*` and `?` are wildcards
    #[arg(long, value_name = "GLOB")]
    pub(in crate::cli) exclude: Vec<String>,
}

/// What is wrong with a command line, and only the vault tells.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum UsageError {
    /// Memory is put over a directory only where the command has a namespace.
    #[error("--contain goes with --delivery mount alone")]
    ContainWithoutMount,
    /// There is no cluster that the client could have a key to.
    #[error("--cephx-key-client-name is given, and no stack that has a Ceph cluster")]
    NoCephStack,
}

impl Hint for UsageError {
    fn hint(&self) -> String {
        match self {
            Self::ContainWithoutMount => String::from("leave --delivery out, or make it mount"),
            Self::NoCephStack => String::from(
                "name one with --ceph-stack, or in dcn-vault.yaml: `source: {ceph: {stacks: [NAME]}}`",
            ),
        }
    }
}

impl SourceArguments {
    /// Refuses what would be passed over with these settings of the vault.
    pub(in crate::cli) fn fit(&self, source: &SourceSettings) -> Result<(), UsageError> {
        let has_cluster = !self.ceph_stack.is_empty() || !source.ceph.stacks.is_empty();
        if self.cephx_key_client_name.is_some() && !has_cluster {
            return Err(UsageError::NoCephStack);
        }
        Ok(())
    }
}

fn release_parser() -> impl TypedValueParser<Value = Release> {
    let names = PossibleValuesParser::new(Release::ALL.map(Release::name));
    names.try_map(|name| Release::named(&name).ok_or("not a release"))
}
