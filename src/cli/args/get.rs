use std::path::PathBuf;

use clap::Args;

use super::{AdmissionArguments, AuditArguments, IdentityArguments};

/// What a service decides.
const NOT_FOR_A_SERVICE: [&str; 9] = [
    "allow_expired",
    "allow_rollback",
    "allow_unsigned",
    "audit_log",
    "bundle",
    "identity",
    "require_audit",
    "signers",
    "site",
];

#[derive(Debug, Args)]
pub(in crate::cli) struct GetArguments {
    #[command(flatten)]
    pub(in crate::cli) admission: AdmissionArguments,
    #[command(flatten)]
    pub(in crate::cli) identity: IdentityArguments,
    #[command(flatten)]
    pub(in crate::cli) audit: AuditArguments,
    /// The parameter, and below it keys and indices, with dots between them; or a JSON pointer
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: String,
    /// The file that it is in [default: passwords.yaml, else the one that has it]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) file: Option<String>,
    /// Ask the service at PATH (`dcn-vault serve`), which opens the bundle and writes the audit line
    #[arg(long, value_name = "PATH", conflicts_with_all = NOT_FOR_A_SERVICE)]
    pub(in crate::cli) socket: Option<PathBuf>,
    /// Print the value as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Write to a new FILE of mode 0600; `-` is standard output, even when it is a terminal
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}
