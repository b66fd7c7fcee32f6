use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::model::Site;

/// What every verb takes that opens a bundle: which one, and what it is held against.
#[derive(Debug, Args)]
pub(in crate::cli) struct AdmissionArguments {
    /// The bundle [default: bundle/ of the vault]
    #[arg(short, long, value_name = "DIR")]
    pub(in crate::cli) bundle: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) trust: TrustArguments,
}

/// Whom and what to believe.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct TrustArguments {
    /// The site that we are [default: the one whose recipient our identity is]
    #[arg(long, value_name = "NAME", value_parser = parse_site)]
    pub(in crate::cli) site: Option<Site>,
    /// The file of those who may sign [default: ~/.config/dcn-vault/signers, /etc/dcn-vault/signers]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) signers: Option<PathBuf>,
    /// Open a bundle that nobody trusted has signed
    #[arg(long)]
    pub(in crate::cli) allow_unsigned: bool,
    /// Open a bundle that is older than one that was seen here, or not of its line
    #[arg(long)]
    pub(in crate::cli) allow_rollback: bool,
    /// Open a bundle whose time is over, or while the clock is wrong
    #[arg(long)]
    pub(in crate::cli) allow_expired: bool,
}

impl TrustArguments {
    /// The same words, for a worker.
    pub(in crate::cli) fn words(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        if let Some(site) = &self.site {
            words.extend([OsString::from("--site"), OsString::from(site.as_str())]);
        }
        if let Some(signers) = &self.signers {
            words.extend([OsString::from("--signers"), signers.clone().into_os_string()]);
        }
        let switches = [
            (self.allow_unsigned, "--allow-unsigned"),
            (self.allow_rollback, "--allow-rollback"),
            (self.allow_expired, "--allow-expired"),
        ];
        words.extend(
            switches.into_iter().filter(|(is_on, _)| *is_on).map(|(_, switch)| OsString::from(switch)),
        );
        words
    }
}

pub(super) fn parse_site(text: &str) -> Result<Site, String> {
    Site::parse(text).map_err(|error| error.to_string())
}
