//! The only place that reads the environment.

#![allow(clippy::disallowed_methods, reason = "this is the place")]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::process::geteuid;

use crate::audit::Who;
use crate::fs;
use crate::report::Hint;
use crate::secret::SecretValue;
use crate::source::Places;
use crate::source::openstack::{Proxies, Variables};
use crate::trust::Memory;
use crate::vault::Vault;

use super::exit::Failure;

const IDENTITY_VARIABLES: [&str; 6] = [
    "CREDENTIALS_DIRECTORY",
    "DCN_VAULT_DIR",
    "SOPS_AGE_KEY",
    "SOPS_AGE_KEY_CMD",
    "SOPS_AGE_KEY_FILE",
    "SOPS_AGE_SSH_PRIVATE_KEY_FILE",
];
const IDENTITY_NAME: &str = "identity.txt";
const WORKER_VARIABLES: [&str; 22] = [
    "CREDENTIALS_DIRECTORY",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "GNUPGHOME",
    "GPG_TTY",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "PATH",
    "SSH_AUTH_SOCK",
    "STATE_DIRECTORY",
    "SUDO_USER",
    "TERM",
    "TMPDIR",
    "USER",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
];
const SIGNERS_NAME: &str = "signers";

/// The directory of a host's own log.
const HOST_LOGS: &str = "/var/log/dcn-vault";
const LOG_NAME: &str = "audit.jsonl";

/// Where an audit log goes.
#[derive(Debug)]
pub(super) enum LogPlace {
    /// To a file whose directory is somebody else's to make.
    Named(PathBuf),
    /// To one below this user's home, whose directory we make.
    Own(PathBuf),
}

/// With a variable for those who write plugins, age writes all that it tells one to standard error.
#[derive(Debug, thiserror::Error)]
#[error("with AGEDEBUG=plugin, age would write keys to standard error")]
pub(super) struct AgeDebug;

impl Hint for AgeDebug {
    fn hint(&self) -> String {
        String::from("unset AGEDEBUG; with a plugin alone, and what is made up, `age` itself shows the same")
    }
}

/// Refuses what would make age write keys where anybody reads them.
pub(super) fn refuse_debugging() -> Result<(), AgeDebug> {
    if std::env::var_os("AGEDEBUG").is_some_and(|value| value == "plugin") { Err(AgeDebug) } else { Ok(()) }
}

/// The vault that `-C` names, or that the current directory is in.
pub(super) fn vault(directory: Option<&Path>) -> Result<Vault, Failure> {
    let vault = find_vault(directory)?;
    Ok(vault.with_home(path("HOME").as_deref()))
}

/// The directory that `-C` names, which need not exist, or the current one.
pub(super) fn here(directory: Option<&Path>) -> PathBuf {
    let current = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    match directory {
        Some(directory) => current.join(directory),
        None => current,
    }
}

fn find_vault(directory: Option<&Path>) -> Result<Vault, Failure> {
    if let Some(directory) = directory {
        // The directories above it are found in its true path, not in the words that lead to it: above `../x` is not here
        return Ok(Vault::find(&fs::true_path(directory)?)?);
    }
    Ok(Vault::find(&std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")))?)
}

/// The `OS_*` variables, those on proxies, and where openstacksdk looks for its files.
pub(super) fn openstack() -> Result<Variables, Failure> {
    let mut variables = Variables::of(std::env::vars_os(), Path::new(""))?;
    variables.proxies = Proxies::find(|name| std::env::var(name).ok().map(SecretValue::take));
    Ok(variables)
}

/// Where an identity is looked for when none is named.
pub(super) fn usual_identities() -> Vec<PathBuf> {
    let credential = credentials().map(|directory| directory.join("dcn-vault-identity"));
    let own = config_home().map(|home| home.join("dcn-vault").join(IDENTITY_NAME));
    credential.into_iter().chain(own).chain([Path::new("/etc/dcn-vault").join(IDENTITY_NAME)]).collect()
}

/// The directory in which systemd puts the credentials of a service.
pub(super) fn credentials() -> Option<PathBuf> {
    path("CREDENTIALS_DIRECTORY")
}

/// The file in which this user's trusted signers are.
pub(super) fn own_signers() -> Option<PathBuf> {
    config_home().map(|home| home.join("dcn-vault").join(SIGNERS_NAME))
}

/// Where trusted signers are looked for when no file is named.
pub(super) fn usual_signers() -> Vec<PathBuf> {
    own_signers().into_iter().chain([Path::new("/etc/dcn-vault").join(SIGNERS_NAME)]).collect()
}

/// Where it is remembered what was seen of vaults.
pub(super) fn memory() -> Option<Memory> {
    state().map(|state| Memory::at(&state))
}

/// What the worker of `run` gets of the environment: where identities are, what was seen, and what a plugin needs that asks
/// for a PIN in a window or talks to an agent; no password. A command that writes an identity runs as its user would run it, with
/// all of it.
pub(super) fn for_worker(has_command: bool) -> Vec<(OsString, OsString)> {
    std::env::vars_os()
        .filter(|(name, _)| has_command || WORKER_VARIABLES.iter().any(|wanted| name == wanted))
        .collect()
}

/// Where `serve` listens, and its clients look for it, when nothing is said.
pub(super) fn usual_socket() -> PathBuf {
    let of_user = if geteuid().is_root() { None } else { path("XDG_RUNTIME_DIR") };
    of_user.map_or_else(
        || PathBuf::from("/run/dcn-vault/dcn-vault.sock"),
        |directory| directory.join("dcn-vault.sock"),
    )
}

/// What systemd says to a service of its sockets, and where it wants to hear of its state.
pub(super) struct OfSystemd {
    pub(super) listen_pid: Option<OsString>,
    pub(super) listen_fds: Option<OsString>,
    pub(super) notify_socket: Option<OsString>,
}

pub(super) fn of_systemd() -> OfSystemd {
    OfSystemd {
        listen_pid: std::env::var_os("LISTEN_PID"),
        listen_fds: std::env::var_os("LISTEN_FDS"),
        notify_socket: std::env::var_os("NOTIFY_SOCKET"),
    }
}

/// Our own environment, without what leads to a private key.
pub(super) fn for_command() -> Vec<(OsString, OsString)> {
    std::env::vars_os()
        .filter(|(name, _)| !IDENTITY_VARIABLES.iter().any(|identity| name == identity))
        .collect()
}

/// Where what a puller remembers is kept; nowhere without a home.
pub(super) fn notes_directory() -> Option<PathBuf> {
    state().map(|state| state.join("pulled"))
}

/// Where is kept what this machine has seen, and what a puller knows; nowhere without a home. A service has a directory of its
/// own, which systemd makes for it: `StateDirectory=`, of which the first counts.
pub(super) fn state() -> Option<PathBuf> {
    let of_service = || {
        let all = std::env::var_os("STATE_DIRECTORY")?;
        let first = all.as_bytes().split(|byte| *byte == b':').next().filter(|first| !first.is_empty())?;
        Some(PathBuf::from(OsStr::from_bytes(first)))
    };
    let below = |home: PathBuf| home.join("dcn-vault");
    let of_user = || path("HOME").map(|home| below(home.join(".local/state")));
    path("XDG_STATE_HOME").map(below).or_else(of_service).or_else(of_user)
}

/// Where the audit log goes when no file is named: to the service's directory of logs, the host's, or one's own.
pub(super) fn audit_log() -> Option<LogPlace> {
    // systemd lists all of a service's directories, with colons between them
    let service = std::env::var_os("LOGS_DIRECTORY").and_then(|list| {
        let first = list.as_bytes().split(|byte| *byte == b':').next().filter(|first| !first.is_empty())?;
        Some(Path::new(OsStr::from_bytes(first)).join(LOG_NAME))
    });
    let host = || {
        let directory = Path::new(HOST_LOGS);
        (geteuid().is_root() && directory.is_dir()).then(|| directory.join(LOG_NAME))
    };
    let named = service.or_else(host).map(LogPlace::Named);
    named.or_else(|| state().map(|state| LogPlace::Own(state.join(LOG_NAME))))
}

/// On whose behalf we run.
pub(super) fn who() -> Who {
    Who::here(std::env::var("SUDO_USER").ok().as_deref())
}

/// Where one's own signing key is.
pub(super) fn usual_signing_key() -> Option<PathBuf> {
    config_home().map(|home| home.join("dcn-vault").join("signing_key"))
}

/// What this user is called, as a signer's name.
pub(super) fn user() -> String {
    let name = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let is_plain = |name: &String| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    name.filter(is_plain).unwrap_or_else(|| String::from("operator"))
}

/// The socket of the ssh agent.
pub(super) fn ssh_agent() -> Option<PathBuf> {
    path("SSH_AUTH_SOCK")
}

/// All of it.
pub(super) fn whole() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

/// Where short-lived directories of this user go. A directory of somebody else, which `su` leaves in the variable, is none: its
/// owner could put another in the place of ours.
pub(super) fn runtime_directory() -> PathBuf {
    path("XDG_RUNTIME_DIR")
        .filter(|directory| fs::is_own_directory(directory))
        .unwrap_or_else(std::env::temp_dir)
}

/// Where a command that is not told otherwise makes temporary files, and where it does if its variables do not reach it.
pub(super) fn temporary_directories() -> Vec<PathBuf> {
    let own = path("TMPDIR").filter(|directory| directory.is_absolute());
    own.into_iter().chain([PathBuf::from("/tmp")]).collect()
}

/// The home of the user who deploys.
pub(super) fn home() -> Option<PathBuf> {
    path("HOME")
}

/// Where deployments of `TripleO` leave files on this host.
pub(super) fn places() -> Places {
    Places::with_home(path("HOME"))
}

/// The moment at which a certificate is looked at.
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

fn config_home() -> Option<PathBuf> {
    path("XDG_CONFIG_HOME").or_else(|| path("HOME").map(|home| home.join(".config")))
}

fn path(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
