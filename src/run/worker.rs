use std::path::Path;

use nix::sys::signal::SigSet;
use rustix::fd::BorrowedFd;
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::admit::{AdmitError, Admitted};
use crate::audit::AuditError;
use crate::identity::{IdentityError, IdentitySet, Search};
use crate::model::{EnvironmentFile, Site};
use crate::open::{OpenError, Opened, open, site_of};
use crate::report::Hint;
use crate::secret::{SecretBuffer, harden};

use super::facts::Facts;
use super::{Delivery, RunError, covered, nameless, namespace, pass, plain};

/// Where the plaintext was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivered {
    /// On a ramfs: it never swaps.
    Ramfs,
    /// In memfds: they may swap.
    Memfd,
    /// In files that have a name, on a file system in memory: they may swap.
    Named,
}

/// Why the worker could not hand over a bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// The bundle is not to be believed, or not whole.
    #[error(transparent)]
    Admit(#[from] AdmitError),
    /// It cannot be written down that it was opened.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// There is no identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// It does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The kernel refuses.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Hint for WorkerError {
    fn hint(&self) -> String {
        match self {
            Self::Admit(error) => error.hint(),
            Self::Audit(error) => error.hint(),
            Self::Identity(error) => error.hint(),
            Self::Open(error) => error.hint(),
            Self::Run(error) => error.hint(),
        }
    }
}

/// Who we are.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Identities<'a> {
    /// Where identities are looked for.
    pub search: &'a Search,
    /// The site, where it is named.
    pub site: Option<&'a Site>,
}

/// What is about to be handed over.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opening<'a> {
    /// The bundle.
    pub admitted: &'a Admitted,
    /// The site as which it was opened.
    pub site: &'a Site,
    /// The files.
    pub files: Vec<EnvironmentFile>,
    /// Where they were put.
    pub delivered: Delivered,
}

/// A file that the command will find.
pub(super) struct HandedOver {
    pub(super) name: String,
    pub(super) content: SecretBuffer,
}

/// The environment files in clear, then what they were admitted by, which is public: a hook may want to know the generation.
fn to_hand_over(opened: Opened, admitted: &Admitted) -> Vec<HandedOver> {
    let clear = opened.files.into_iter();
    let clear =
        clear.map(|file| HandedOver { name: file.file.file_name().to_owned(), content: file.content });
    let signed = admitted.signed().map(|(name, bytes)| {
        let mut content = SecretBuffer::with_capacity(bytes.len());
        content.push(bytes);
        HandedOver { name: name.to_owned(), content }
    });
    clear.chain(signed).collect()
}

/// The worker's whole life: has the bundle admitted, opens it, puts the plaintext where `delivery` wants it, and passes descriptors
/// of it over `socket`. `directory` is where the command will find the files. `note` writes down what is about to be handed over. The caller
/// **must** exit then.
///
/// # Errors
///
/// Any [`WorkerError`]; nothing was handed over then.
pub fn hand_over(
    admit: impl FnOnce() -> Result<Admitted, AdmitError>,
    note: impl FnOnce(&Opening<'_>) -> Result<(), AuditError>,
    identities: &Identities<'_>,
    delivery: Delivery,
    directory: &Path,
    socket: BorrowedFd<'_>,
) -> Result<Delivered, WorkerError> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(RunError::os("follow the supervisor"))?;
    // One that has died before that is not followed
    if !pass::is_connected(socket) {
        return Err(RunError::SupervisorGone.into());
    }
    // Where the supervisor holds signals back it passes them on
    let _ = SigSet::empty().thread_set_mask();
    // First of all: the kernel wants a process of one thread, and one that may be traced, to write its own maps
    let may_mount = if delivery == Delivery::Fd { namespace::enter_any() } else { Ok(()) };
    harden::shut_out_others().map_err(RunError::os("shut other processes out"))?;
    // The bundle before the identity: what can fail without a secret fails first
    let admitted = admit()?;
    let keys = IdentitySet::find(identities.search)?;
    let site = site_of(admitted.bundle(), &keys, identities.site)?;
    let opened = open(&admitted, &site, &keys)?;
    drop(keys);
    let facts = Facts::of(&admitted, &site);
    let names = opened.files.iter().map(|opened| opened.file).collect();
    let files = to_hand_over(opened, &admitted);
    let (delivered, descriptors) = match delivery {
        Delivery::Fd => {
            let on_ramfs = may_mount.map_err(RunError::os("mount"));
            if let Ok(descriptors) = on_ramfs.and_then(|()| nameless::on_ramfs(&files, directory)) {
                (Delivered::Ramfs, descriptors)
            } else {
                let made = nameless::on_memfd(&files);
                (Delivered::Memfd, made.map_err(RunError::os("make a file in memory"))?)
            }
        }
        Delivery::File => (Delivered::Named, plain::write(&files, directory)?),
        Delivery::Mount => (Delivered::Ramfs, covered::over(directory, &files)?),
    };
    note(&Opening { admitted: &admitted, site: &site, files: names, delivered })?;
    for (file, descriptor) in files.iter().zip(&descriptors) {
        pass::send(socket, &file.name, descriptor).map_err(RunError::os("pass a descriptor on"))?;
    }
    let (name, file) = facts.to_file().map_err(RunError::os("make a file in memory"))?;
    pass::send(socket, name, &file).map_err(RunError::os("pass a descriptor on"))?;
    pass::send_end(socket).map_err(RunError::os("pass a descriptor on"))?;
    Ok(delivered)
}
