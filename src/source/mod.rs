//! From the outside world to a [`Harvest`].
//!
//! It stands apart because everything in here is untrusted: a cloud's answer, a file, a variable. What leaves is
//! whole (a missing output or a masked value is an error, never a gap) and typed.
//!
//! # What this does not do
//!
//! It does not decide what is secret: all of a harvest is treated as if it were.

mod error;
mod file;
pub mod openstack;
mod plan;

pub use error::{CertificateFault, Service, SourceError};
pub use file::{FileSource, from_file};
pub use plan::{Holds, Layer, Plan};

use crate::model::{Data, EnvironmentFile, Origin};

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
    /// What the person at the keyboard should know.
    pub warnings: Vec<Warning>,
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

/// Something that is not wrong, yet worth a line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
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
    /// Passwords and the token crossed the network in clear.
    #[error("asked over http, so that the token and the answers crossed the network in clear: {}", list(.services))]
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
