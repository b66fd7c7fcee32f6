//! The other side: what a probe does with the made-up secrets that it is given. It takes nothing else.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::fs::statfs;
use rustix::process::{Signal, getpid, kill_process};
use rustix::stdio::{stdin, stdout};

use crate::admit::Admitted;
use crate::audience::Audience;
use crate::bundle::{Bundle, BundleError, Slot, Terms};
use crate::classify::{Choice, classify};
use crate::fingerprint::{Notes, NotesError};
use crate::fs::{self, FileError};
use crate::guard::{GuardError, OnSecret, clear};
use crate::identity::{IdentityError, IdentitySet, Search};
use crate::json::{self, JsonError};
use crate::model::{EnvironmentFile, Origin, SourceKind};
use crate::open::{OpenError, open, site_of};
use crate::recipients::{RecipientSet, RecipientsError};
use crate::report::Hint;
use crate::run::{Command, Delivery, Places, RunError, Supervisor};
use crate::seal::{SealError, seal};
use crate::secret::{SecretBuffer, unlocked_bytes};
use crate::source::{Harvest, Output, Plan, SourceError};

use super::canary::{MARK, PARAMETER};
use super::{BUNDLE, IDENTITY};

const RAMFS: u64 = 0x8584_58f6;

/// Why a probe did not get to its end. Nobody reads it but who starts one by hand.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// From writing or reading the bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// From a pipe or a file.
    #[error(transparent)]
    File(#[from] FileError),
    /// From the guard.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// From the private key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// From the output.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// From the puller's notes.
    #[error(transparent)]
    Notes(#[from] NotesError),
    /// It was given something that may be a real secret.
    #[error("this is not made up by `selftest`")]
    NotMadeUp,
    /// From decryption.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// From the recipient.
    #[error(transparent)]
    Recipients(#[from] RecipientsError),
    /// From the supervisor.
    #[error(transparent)]
    Run(#[from] RunError),
    /// From encryption.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// From the plan.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl Hint for ProbeError {
    fn hint(&self) -> String {
        String::from("this verb is a part of `dcn-vault selftest`: run that")
    }
}

/// The way of a secret, from a plan to a bundle and back to files; the reader of our output looks at each stage.
///
/// # Errors
///
/// Any [`ProbeError`].
pub fn walk(directory: &Path, recipient: String) -> Result<(), ProbeError> {
    stage("started")?;
    let (text, output) = (given()?, fs::read_stdin_part()?);
    stage("given")?;
    let recipients = RecipientSet::given(&[recipient], &[])?;
    let audience = Audience::everyone(recipients);
    let slot = Slot::at(&directory.join(BUNDLE))?;
    let notes = Notes::read(None, slot.vault())?;
    let harvest = harvest(text, output)?;
    let classified = classify(harvest, &Choice::default());
    stage("sorted")?;
    let draft = slot.draft(None)?;
    let sealed = seal(clear(classified, OnSecret::Seal)?, &audience, &notes, None, &draft)?;
    draft.complete(&sealed, &Terms::default())?.commit()?;
    drop((sealed, notes));
    stage("sealed")?;
    let admitted = Admitted::made_here(Bundle::read(&directory.join(BUNDLE))?);
    let identities = IdentitySet::find(&Search::of_file(directory.join(IDENTITY)))?;
    let site = site_of(admitted.bundle(), &identities, None)?;
    let opened = open(&admitted, &site, &identities)?;
    stage("opened")?;
    drop((opened, identities));
    stage("closed")?;
    say(&format!("{}", unlocked_bytes()))?;
    wait()
}

/// `run`, as it is, but that its memory may be looked at: its supervisor never has a secret.
///
/// # Errors
///
/// Any [`ProbeError`].
pub fn supervise(directory: &Path) -> Result<(), ProbeError> {
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    let mut worker = words(&["deliver", "--bundle"]);
    worker.push(directory.join(BUNDLE).into());
    worker.push(OsString::from("--identity"));
    worker.push(directory.join(IDENTITY).into());
    // Nobody has signed what is made up
    worker.push(OsString::from("--allow-unsigned"));
    let supervisor = Supervisor {
        worker,
        worker_environment: Vec::new(),
        command_environment: Vec::new(),
        examiner: None,
        keep: None,
        places: Places {
            bundle: directory.join(BUNDLE),
            runtime: directory.to_owned(),
            memory: Vec::new(),
            watched: Vec::new(),
            contained: Vec::new(),
        },
        closed_to_command: Vec::new(),
        is_shut: false,
    };
    let command = Command::of(words(&["/proc/self/exe", "probe", "child", "{passwords}"]));
    supervisor.run(&command.ok_or(ProbeError::NotMadeUp)?, Delivery::Fd)?;
    Ok(())
}

/// The command of such a `run`: reads the passwords file, and says who it is, and whether the file can be swapped out.
///
/// # Errors
///
/// Any [`ProbeError`].
pub fn read_delivered(file: &Path) -> Result<(), ProbeError> {
    let content = fs::read_secret(file)?;
    // EXPOSE: compared in place, with a name that is public
    if !content.expose(|text| text.windows(PARAMETER.len()).any(|window| window == PARAMETER)) {
        return Err(ProbeError::NotMadeUp);
    }
    let system = statfs(file).map_err(|error| FileError::os("read", file, error))?;
    let delivered =
        if u64::try_from(system.f_type).is_ok_and(|magic| magic == RAMFS) { "ramfs" } else { "memfd" };
    say(&format!("{} {delivered}", getpid()))?;
    wait()?;
    drop(content);
    Ok(())
}

/// Holds what it is given.
///
/// # Errors
///
/// Any [`ProbeError`].
pub fn hold() -> Result<(), ProbeError> {
    let held = given()?;
    stage("held")?;
    drop(held);
    Ok(())
}

/// Crashes while it holds what it is given.
///
/// # Errors
///
/// Any [`ProbeError`]; one that returns has not crashed.
pub fn crash() -> Result<(), ProbeError> {
    let held = given()?;
    let _ = kill_process(getpid(), Signal::ABORT);
    drop(held);
    Ok(())
}

fn given() -> Result<SecretBuffer, ProbeError> {
    let text = fs::read_stdin_part()?;
    // EXPOSE: compared in place, with a line that is public
    if text.expose(|text| text.starts_with(MARK)) { Ok(text) } else { Err(ProbeError::NotMadeUp) }
}

fn harvest(text: SecretBuffer, output: SecretBuffer) -> Result<Harvest, ProbeError> {
    // EXPOSE: parsed into secret values, as `source` does it
    let plan = text.expose(|text| Plan::read(text, "the made-up plan"))?;
    // EXPOSE: parsed into secret values, as `source` does it
    let value = output.expose(|text| json::read(text, "the made-up output"))?;
    drop((text, output));
    let outputs = vec![Output { file: EnvironmentFile::AllNodes, value }];
    Ok(Harvest::new(Origin::of(SourceKind::File), plan, outputs))
}

fn stage(name: &str) -> Result<(), ProbeError> {
    say(name)?;
    wait()
}

fn say(line: &str) -> Result<(), ProbeError> {
    let failed = |error| FileError::os("write", &PathBuf::from("<stdout>"), error);
    rustix::io::write(stdout(), format!("{line}\n").as_bytes()).map(|_| ()).map_err(failed)?;
    Ok(())
}

/// Until the other side says so, or is gone.
fn wait() -> Result<(), ProbeError> {
    let failed = |error| FileError::os("read", &PathBuf::from("<stdin>"), error);
    rustix::io::read(stdin(), &mut [0; 1]).map(|_| ()).map_err(failed)?;
    Ok(())
}
