#![allow(clippy::doc_markdown, reason = "these comments are the help, which has no Markdown")]

mod admission;
mod audit;
mod diff;
mod examine;
mod examples;
mod generation;
mod get;
mod identity;
mod line;
mod rekey;
mod run;
mod serve;
mod source;
mod vault;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::identity::IdentitySource;
use crate::model::Site;

use examples::{
    AUDIT_EXAMPLES, CHECK_EXAMPLES, DECRYPT_EXAMPLES, DIFF_EXAMPLES, GET_EXAMPLES, INIT_EXAMPLES,
    KEYGEN_EXAMPLES, PULL_EXAMPLES, REKEY_EXAMPLES, RUN_EXAMPLES, SELFTEST_EXAMPLES, SERVE_EXAMPLES,
    SHOW_EXAMPLES, SIGN_EXAMPLES, TRUST_EXAMPLES,
};

pub(super) use admission::{AdmissionArguments, TrustArguments};
pub(super) use audit::{
    AuditArguments, AuditShowArguments, AuditVerb, AuditVerifyArguments, OpeningArguments, Since,
};
pub(super) use diff::DiffArguments;
pub(super) use examine::{EscapeArguments, ExamineArguments, KeepArguments, OnEscape};
pub(super) use generation::GenerationArguments;
pub(super) use get::GetArguments;
pub(super) use identity::IdentityArguments;
pub(super) use line::{Line, Probe, WorkerVerb};
pub(super) use rekey::{RekeyArguments, SiteRemoveArguments};
pub(super) use run::{DeliverArguments, EnclosedArguments, RunArguments};
pub(super) use serve::{AnswerArguments, ServeArguments};
pub(super) use source::{SourceArguments, UsageError};
pub(super) use vault::{
    AddArguments, InitArguments, ListArguments, MergeDriverArguments, SiteVerb, TextconvArguments,
};

/// What `pull --list` would pass over.
const NOT_FOR_A_LIST: [&str; 21] = [
    "after",
    "allow_incomplete",
    "barbican",
    "ceph_stack",
    "cephx_key_client_name",
    "config_download_dir",
    "dry_run",
    "exclude",
    "from_file",
    "identity",
    "no_sign",
    "on_secret",
    "output",
    "plan",
    "recipient",
    "recipients_file",
    "release",
    "settled",
    "sign_key",
    "stack",
    "working_dir",
];

/// Pulls a control plane's secrets, seals them with age, and opens them for one deployment.
#[derive(Debug, Parser)]
#[command(name = "dcn-vault", version, about, max_term_width = 100, subcommand_required = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// What every verb takes.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// The vault [default: the nearest directory with dcn-vault.yaml, else the current one]
    #[arg(short = 'C', long = "vault", value_name = "DIR", global = true)]
    pub(super) directory: Option<PathBuf>,
    /// Ask nothing: what is missing is an error
    #[arg(long, global = true)]
    pub(super) batch: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a vault: its settings, its keys, and what git should know
    #[command(after_help = INIT_EXAMPLES)]
    Init(InitArguments),
    /// Make an age identity, as age-keygen does
    #[command(after_help = KEYGEN_EXAMPLES)]
    Keygen(KeygenArguments),
    /// Add sites, remove them, and list them
    #[command(subcommand)]
    Site(SiteVerb),
    /// Pull secrets and public data from OpenStack into a sealed bundle
    #[command(after_help = PULL_EXAMPLES)]
    Pull(Box<PullArguments>),
    /// Show what is in a bundle, for whom; never a value
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowArguments),
    /// Check a bundle: who signed it, files, recipients, clear text, certificates; needs no identity
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArguments),
    /// Run a command with the secrets in place, for its process tree alone
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArguments),
    /// Say whose signatures count here, and what this machine has seen
    #[command(subcommand, after_help = TRUST_EXAMPLES)]
    Trust(TrustVerb),
    /// Say what has changed: live plan against bundle, or two bundles; names only
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(Box<DiffArguments>),
    /// Seal a bundle anew, with new keys, for those who may have it now
    #[command(after_help = REKEY_EXAMPLES)]
    Rekey(Box<RekeyArguments>),
    /// Add your signature to a bundle, where several are needed
    #[command(after_help = SIGN_EXAMPLES)]
    Sign(SignArguments),
    /// Prove on this machine that no copy of a secret stays in memory, and that cores, swap and others are shut out
    #[command(after_help = SELFTEST_EXAMPLES)]
    Selftest(SelftestArguments),
    /// Write one file of a bundle in clear
    #[command(after_help = DECRYPT_EXAMPLES)]
    Decrypt(DecryptArguments),
    /// Write one value of a bundle in clear
    #[command(after_help = GET_EXAMPLES)]
    Get(GetArguments),
    /// Verify the audit log, and show it
    #[command(subcommand, after_help = AUDIT_EXAMPLES)]
    Audit(AuditVerb),
    /// Answer decryption requests on a socket, as a policy allows: for hooks, and as systemd's source of credentials
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<ServeArguments>),
}

#[derive(Debug, Args)]
pub(super) struct KeygenArguments {
    /// Write the identity to a new FILE of mode 0600, and its recipient to standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct PullArguments {
    #[command(flatten)]
    pub(super) source: SourceArguments,
    /// Name the clouds, stacks and plans that can be seen, each with its command; pull nothing
    #[arg(long, conflicts_with_all = NOT_FOR_A_LIST)]
    pub(super) list: bool,
    /// With --list: as JSON
    #[arg(long, requires = "list")]
    pub(super) json: bool,
    /// An age recipient who may open the bundle [default: every site in keys/]
    #[arg(short, long, value_name = "RECIPIENT")]
    pub(super) recipient: Vec<String>,
    /// A file of recipients, one a line
    #[arg(short = 'R', long, value_name = "FILE")]
    pub(super) recipients_file: Vec<PathBuf>,
    /// What to do with a plaintext file in which a secret is found
    #[arg(long, value_enum, default_value_t = OnSecret::Seal, value_name = "WHAT")]
    pub(super) on_secret: OnSecret,
    /// Where somebody else has pulled before: an identity that opens what he has made, to tell what has changed
    #[arg(short, long, value_name = "IDENTITY", value_parser = identity::parser())]
    pub(super) identity: Vec<IdentitySource>,
    #[command(flatten)]
    pub(super) generation: GenerationArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum OnSecret {
    /// Seal the whole file
    Seal,
    /// Fail
    Refuse,
}

#[derive(Debug, Args)]
pub(super) struct BundleArguments {
    /// The bundle [default: bundle/ of the vault]
    #[arg(short, long, value_name = "DIR")]
    pub(super) bundle: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    #[command(flatten)]
    pub(super) admission: AdmissionArguments,
    /// Print the manifest as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    pub(super) admission: AdmissionArguments,
    /// Open all that this identity can, and hold it against what the manifest says
    #[arg(short, long, value_name = "IDENTITY", value_parser = identity::parser())]
    pub(super) identity: Vec<IdentitySource>,
    /// Say what this site gets
    #[arg(long = "as", value_name = "SITE", value_parser = admission::parse_site)]
    pub(super) site_as: Option<Site>,
    /// Print the checks as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct SignArguments {
    #[command(flatten)]
    pub(super) bundle: BundleArguments,
    /// Sign with this ssh key; with a .pub file, the agent signs [default: ~/.config/dcn-vault/signing_key]
    #[arg(long, value_name = "FILE")]
    pub(super) sign_key: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum TrustVerb {
    /// Trust who has signed a bundle, once their fingerprint is confirmed
    Add(TrustAddArguments),
    /// List the signers that are trusted here, and what was seen of each vault
    List(TrustListArguments),
    /// Forget what was seen of a bundle's vault
    Reset(TrustResetArguments),
}

#[derive(Debug, Args)]
pub(super) struct TrustAddArguments {
    #[command(flatten)]
    pub(super) bundle: BundleArguments,
    /// The signer's fingerprint, as the centre has told it: ask nothing, and trust no other
    #[arg(long, value_name = "SHA256:…")]
    pub(super) fingerprint: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct TrustListArguments {
    /// Print the list as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct TrustResetArguments {
    #[command(flatten)]
    pub(super) bundle: BundleArguments,
    /// Ask nothing
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct DecryptArguments {
    #[command(flatten)]
    pub(super) admission: AdmissionArguments,
    #[command(flatten)]
    pub(super) identity: IdentityArguments,
    #[command(flatten)]
    pub(super) audit: AuditArguments,
    /// The file's plaintext name
    #[arg(default_value = "passwords.yaml", value_name = "FILE")]
    pub(super) file: String,
    /// Write to a new FILE of mode 0600; `-` is standard output, even when it is a terminal
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct SelftestArguments {
    /// Print the checks and their figures as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound_and_every_short_help_is_one_sentence_without_a_period() {
        use clap::CommandFactory;
        let command = Arguments::command();
        command.clone().debug_assert();
        for verb in command.get_subcommands() {
            let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty() && !about.ends_with('.'), "{}: {about}", verb.get_name());
            for argument in verb.get_arguments().filter(|_| !verb.is_hide_set()) {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(
                    !help.is_empty() && !help.ends_with('.'),
                    "{} {}: {help}",
                    verb.get_name(),
                    argument.get_id()
                );
            }
        }
    }

    #[test]
    fn a_list_takes_what_leads_to_a_cloud_and_nothing_else() {
        use clap::CommandFactory;
        let command = Arguments::command();
        let pull = command.find_subcommand("pull").unwrap();
        let takes = ["json", "os_cloud", "os_password_file", "os_token_file"];
        for argument in pull.get_arguments().filter(|argument| argument.get_id() != "list") {
            let name = argument.get_id().as_str();
            assert_eq!(NOT_FOR_A_LIST.contains(&name), !takes.contains(&name), "{name}");
        }
    }
}
