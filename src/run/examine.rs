//! Once the command has ended: a worker that is given the plaintext again looks for copies of it, and answers with names.

use std::ffi::OsString;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::SigSet;
use rustix::fd::BorrowedFd;
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::escape::{Examination, Habits, Places, search};
use crate::fs::{Moment, read_open_secret};
use crate::guard::KnownValues;
use crate::model::{Data, EnvironmentFile};
use crate::secret::harden;
use crate::{json, yaml};

use super::facts::Facts;
use super::start::{option, start_beside};
use super::{RunError, pass};

/// The worker's whole life: receives the files of a bundle over `socket`, and looks for their values in `places`, in what has
/// changed since `since`; nothing where the supervisor has gone before. The caller **must** exit then.
///
/// # Errors
///
/// [`RunError::Os`] and [`RunError::NotExamined`].
pub fn examine(
    socket: BorrowedFd<'_>,
    places: &Places,
    since: Moment,
) -> Result<Option<Examination>, RunError> {
    begin_beside()?;
    let socket =
        socket.try_clone_to_owned().map_err(|source| RunError::Os { what: "keep a socket", source })?;
    let files = pass::receive_all(&socket).map_err(RunError::os("receive a descriptor"))?;
    let Some(files) = files else { return Ok(None) };
    let facts = Facts::among(&files);
    let contents = files.into_iter().filter_map(|(name, file)| Some((EnvironmentFile::named(&name)?, file)));
    let contents = contents.map(|(name, file)| Ok((name, content_of(name, &file)?)));
    let contents = contents.collect::<Result<Vec<_>, RunError>>()?;
    let known = KnownValues::in_files(&contents);
    drop(contents);
    let habits = Habits::of_release(facts.release.as_deref());
    Ok(Some(search(&known, places, habits, since)))
}

fn content_of(name: EnvironmentFile, file: &OwnedFd) -> Result<Data, RunError> {
    let text = read_open_secret(file).map_err(RunError::os("read a file in memory"))?;
    // EXPOSE: read into values that are wiped
    let content = text.expose(|text| {
        if name.is_json() {
            json::read(text, name.file_name()).ok()
        } else {
            yaml::read(text, name.file_name()).ok()
        }
    });
    content.ok_or(RunError::NotExamined { reason: "a file of the bundle is no environment file" })
}

/// The supervisor's side: starts this program with `words`, which make it that worker, hands `files` over, and waits for the answer.
/// What lies in `memory` is the command's own, and gone with it. Who does not want to wait may end us, and with us the worker.
pub(super) fn examine_after(
    words: &[OsString],
    environment: &[(OsString, OsString)],
    since: Moment,
    memory: &[&Path],
    files: &[(String, OwnedFd)],
) -> Result<Examination, RunError> {
    let _ = SigSet::empty().thread_set_mask();
    let mut words = words.to_vec();
    words.push(OsString::from(format!("--since={since}")));
    words.extend(memory.iter().map(|directory| option("--not=", directory)));
    let (socket, theirs) = pass::socket_pair().map_err(RunError::os("make a socket"))?;
    let mut worker = start_beside(words, environment, Stdio::from(theirs), Stdio::piped())?;
    let sent = files.iter().try_for_each(|(name, file)| pass::send(&socket, name, file));
    let sent = sent.and_then(|()| pass::send_end(&socket));
    let mut answer = Vec::new();
    let read = worker.stdout.take().map(|mut stdout| stdout.read_to_end(&mut answer));
    let ended = worker.wait().is_ok_and(|status| status.success());
    let is_whole = sent.is_ok() && ended && matches!(read, Some(Ok(_)));
    let examination = Examination::parse(&answer).filter(|_| is_whole);
    examination.ok_or(RunError::NotExamined { reason: "the process that looks for them has failed" })
}

/// What a worker beside the supervisor does first: it ends with the supervisor, hears signals, and shuts itself to others.
///
/// # Errors
///
/// [`RunError::Os`].
pub fn begin_beside() -> Result<(), RunError> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(RunError::os("follow the supervisor"))?;
    let _ = SigSet::empty().thread_set_mask();
    harden::shut_out_others().map_err(RunError::os("shut other processes out"))
}
