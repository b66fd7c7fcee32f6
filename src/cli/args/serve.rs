use std::path::PathBuf;

use clap::Args;

use crate::identity::IdentitySource;

use super::{AdmissionArguments, IdentityArguments, TrustArguments};

#[derive(Debug, Args)]
pub(in crate::cli) struct ServeArguments {
    #[command(flatten)]
    pub(in crate::cli) admission: AdmissionArguments,
    #[command(flatten)]
    pub(in crate::cli) identity: IdentityArguments,
    /// Listen here [default: systemd's socket, else /run/dcn-vault/dcn-vault.sock, for others than root $XDG_RUNTIME_DIR/dcn-vault.sock]
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) socket: Option<PathBuf>,
    /// Let this group connect, too: the socket's mode is 0660 then, and 0600 else
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) group: Option<String>,
    /// Who gets what
    #[arg(long, value_name = "FILE", default_value = "/etc/dcn-vault/serve.yaml")]
    pub(in crate::cli) policy: PathBuf,
    /// The audit log, without which nothing is answered [default: as for `get`]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) audit_log: Option<PathBuf>,
    /// Print a drop-in by which this unit of systemd gets credentials from here; serve nothing
    #[arg(long, value_name = "UNIT", requires = "credential", conflicts_with_all = ["group", "identity", "policy"])]
    pub(in crate::cli) drop_in: Option<String>,
    /// With --drop-in: a credential, by the name of a file, of a parameter, or of an entry of the policy's `credentials`
    #[arg(long, value_name = "ID", requires = "drop_in")]
    pub(in crate::cli) credential: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AnswerArguments {
    #[arg(long)]
    pub(in crate::cli) bundle: PathBuf,
    #[arg(long, value_parser = super::identity::parser())]
    pub(in crate::cli) identity: Vec<IdentitySource>,
    #[command(flatten)]
    pub(in crate::cli) trust: TrustArguments,
}
