use std::path::Path;

use rustix::fd::BorrowedFd;
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::admit::{AdmitError, Admitted};
use crate::audit::AuditError;
use crate::identity::{IdentityError, IdentitySet, Search};
use crate::model::{EnvironmentFile, Site};
use crate::open::{OpenError, open, site_of};
use crate::report::Hint;
use crate::secret::harden;

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
    let (delivered, files) = match delivery {
        Delivery::Fd => {
            let on_ramfs = may_mount.map_err(RunError::os("mount"));
            if let Ok(files) = on_ramfs.and_then(|()| nameless::on_ramfs(&opened, directory)) {
                (Delivered::Ramfs, files)
            } else {
                let files = nameless::on_memfd(&opened).map_err(RunError::os("make a file in memory"))?;
                (Delivered::Memfd, files)
            }
        }
        Delivery::File => (Delivered::Named, plain::write(&opened, directory)?),
        Delivery::Mount => (Delivered::Ramfs, covered::over(directory, &opened)?),
    };
    let names = opened.files.iter().map(|opened| opened.file).collect();
    note(&Opening { admitted: &admitted, site: &site, files: names, delivered })?;
    for (opened, file) in opened.files.iter().zip(&files) {
        pass::send(socket, opened.file.file_name(), file).map_err(RunError::os("pass a descriptor on"))?;
    }
    let (name, file) = facts.to_file().map_err(RunError::os("make a file in memory"))?;
    pass::send(socket, name, &file).map_err(RunError::os("pass a descriptor on"))?;
    pass::send_end(socket).map_err(RunError::os("pass a descriptor on"))?;
    Ok(delivered)
}
