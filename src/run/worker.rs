use std::path::Path;

use rustix::fd::BorrowedFd;

use crate::admit::{AdmitError, Admitted};
use crate::identity::{IdentityError, IdentitySet, Search};
use crate::model::Site;
use crate::open::{OpenError, open, site_of};
use crate::report::Hint;
use crate::secret::harden;

use super::{RunError, nameless, pass};

/// Where the plaintext was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivered {
    /// On a ramfs: it never swaps.
    Ramfs,
    /// In memfds: they may swap.
    Memfd,
}

/// Why the worker could not hand over a bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// The bundle is not to be believed, or not whole.
    #[error(transparent)]
    Admit(#[from] AdmitError),
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

/// The worker's whole life: has the bundle admitted, opens it, and passes its files over `socket`. `directory` is where the supervisor will
/// make the links to them. The caller **must** exit then.
///
/// # Errors
///
/// Any [`WorkerError`]; nothing was handed over then.
pub fn hand_over(
    admit: impl FnOnce() -> Result<Admitted, AdmitError>,
    identities: &Identities<'_>,
    directory: &Path,
    socket: BorrowedFd<'_>,
) -> Result<Delivered, WorkerError> {
    // First of all: the kernel wants a process of one thread, and one that may be traced, to write its own maps
    let may_mount = nameless::enter_mount_namespace();
    harden::shut_out_others().map_err(RunError::os("shut other processes out"))?;
    // The bundle before the identity: what can fail without a secret fails first
    let admitted = admit()?;
    let keys = IdentitySet::find(identities.search)?;
    let site = site_of(admitted.bundle(), &keys, identities.site)?;
    let opened = open(&admitted, &site, &keys)?;
    drop(keys);
    let on_ramfs =
        may_mount.map_err(RunError::os("mount")).and_then(|()| nameless::on_ramfs(&opened, directory));
    let (delivered, files) = match on_ramfs {
        Ok(files) => (Delivered::Ramfs, files),
        Err(_) => {
            (Delivered::Memfd, nameless::on_memfd(&opened).map_err(RunError::os("make a file in memory"))?)
        }
    };
    for (opened, file) in opened.files.iter().zip(&files) {
        pass::send(socket, opened.file.file_name(), file).map_err(RunError::os("pass a descriptor on"))?;
    }
    pass::send_end(socket).map_err(RunError::os("pass a descriptor on"))?;
    Ok(delivered)
}
