//! From the outside world to a [`Harvest`].
//!
//! It stands apart because everything in here is untrusted: a cloud's answer, a file, a variable. What leaves is
//! whole (a missing output or a masked value is an error, never a gap) and typed.
//!
//! # What this does not do
//!
//! It does not decide what is secret: all of a harvest is treated as if it were.

mod ceph;
mod certificate;
mod config_download;
mod error;
mod file;
mod incomplete;
pub mod openstack;
mod output;
mod plan;
mod recognize;
mod release;
mod saved;
mod user_environments;
mod working_dir;

pub use ceph::{Ceph, CephError};
pub use certificate::{CertificateFault, HostName};
pub use error::{Service, SourceError};
pub use file::{FileKind, FileSource, Files, from_files};
pub use output::{Holder, OutputFault};
pub use plan::{Form, Holds, Layer, Plan};
pub use release::{Layout, Places, Release};
pub use saved::SavedError;
pub use working_dir::{WorkingDir, from_working_dir, working_dirs};

use std::path::PathBuf;

use crate::model::{Data, EnvironmentFile, Origin, ParameterName};

/// Everything that one pull brought in.
#[derive(Debug)]
#[non_exhaustive]
pub struct Harvest {
    /// Where it came from.
    pub origin: Origin,
    /// The plan's passwords and its user's settings.
    pub plan: Plan,
    /// The stack's outputs, in the order of [`EnvironmentFile::ALL`]. Empty when the source has none.
    pub outputs: Vec<Output>,
    /// What the release's own export adds.
    pub settings: Vec<(ParameterName, Data)>,
    /// What was found out on the way.
    pub notes: Vec<Note>,
    /// What the person at the keyboard should know.
    pub warnings: Vec<Warning>,
}

impl Harvest {
    /// A plan and outputs of which there is nothing else to say.
    #[must_use]
    pub const fn new(origin: Origin, plan: Plan, outputs: Vec<Output>) -> Self {
        Self { origin, plan, outputs, settings: Vec::new(), notes: Vec::new(), warnings: Vec::new() }
    }

    /// Adds clusters of Ceph to those that there are.
    pub fn add_ceph(&mut self, (ceph, notes): (Output, Vec<Note>)) {
        self.notes.extend(notes);
        let known = self.outputs.iter_mut().find(|output| output.file == ceph.file);
        match (known, ceph) {
            (Some(Output { value: Data::List(known), .. }), Output { value: Data::List(more), .. }) => {
                known.extend(more);
            }
            (_, ceph) => self.outputs.push(ceph),
        }
    }
}

/// One output of the stack.
#[derive(Debug)]
#[non_exhaustive]
pub struct Output {
    /// The environment file that it becomes.
    pub file: EnvironmentFile,
    /// Its value.
    pub value: Data,
}

/// Something that was found out, and that somebody may want to know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Note {
    /// The nodes' data come from a file.
    #[error("data of all nodes: {}", .path.display())]
    AllNodes {
        /// The file.
        path: PathBuf,
    },
    /// Where a cluster of Ceph is described.
    #[error("Ceph cluster of stack {stack}: {}", .path.display())]
    Ceph {
        /// The stack.
        stack: String,
        /// The file.
        path: PathBuf,
    },
    /// A plan lists an environment file of its users that is not here.
    #[error("{name}: lists {path}, which is not here: what it sets is not taken")]
    ElsewhereSet {
        /// The plan.
        name: String,
        /// The file in the plan's container.
        path: String,
    },
    /// What a file is.
    #[error("{name}: {kind}")]
    File {
        /// The file.
        name: String,
        /// Its kind.
        kind: FileKind,
    },
    /// The release.
    #[error("release: {name}{}", if *.forced { ", as you say" } else { "" })]
    Release {
        /// One release, or several that cannot be told apart.
        name: String,
        /// Whether somebody has said it.
        forced: bool,
    },
}

/// Something that is not wrong, yet worth a line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// A service could not answer at once.
    #[error("{service} did not answer at once: it was asked again, {} in all", error::times(*.times))]
    AskedAgain {
        /// Which.
        service: Service,
        /// How often, all requests together.
        times: u32,
    },
    /// config-download has not run since the stack has changed.
    #[error(
        "{} is older than the stack's last change: a site would get the nodes of before. Let the deployment end, and pull again",
        .path.display()
    )]
    AllNodesOld {
        /// The file of the nodes' data.
        path: PathBuf,
    },
    /// There is more than was listed.
    #[error("there is more than a listing shows: it ends at {most} names")]
    ListingCut {
        /// So many.
        most: usize,
    },
    /// The cloud's settings turn the check of certificates off.
    #[error(
        "certificates are not verified (`verify: false`): whoever sits on the network can read and answer for the cloud"
    )]
    NotVerified,
    /// Something is missing, and that is allowed.
    #[error("incomplete, as you allow it: {what}")]
    Incomplete {
        /// What, as the error would have said it.
        what: String,
    },
    /// Somebody else stands in between, as the environment says.
    #[error("through the proxy {proxy}, as the environment says: {}", list(.services))]
    Proxied {
        /// Its host and port.
        proxy: String,
        /// Who is asked through it.
        services: Vec<Service>,
    },
    /// Passwords and the token cross the network in clear.
    #[error("asked over http, so that the login, the token and the answers cross the network in clear: {}", list(.services))]
    Unencrypted {
        /// Whose endpoints they are.
        services: Vec<Service>,
    },
    /// The token lives on until it expires.
    #[error("the token could not be revoked: it lives until it expires")]
    TokenNotRevoked,
}

fn list(services: &[Service]) -> String {
    services.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
