//! The nouns of the field, shared by all stages. No input, no output, no cryptography but a digest.

mod certificate;
mod data;
mod digest;
mod environment_file;
mod finding;
mod glob;
mod name;
mod origin;

pub use certificate::{Certificate, Certificates, PemFault, Unreadable};
pub use data::{Data, Entry, Kind, Scalar};
pub use digest::{Digest, hex};
pub use environment_file::EnvironmentFile;
pub use finding::{Finding, GuardReport, Rule, Shape};
pub use glob::Glob;
pub use name::{NameError, ParameterName, Site};
pub use origin::{Origin, SecretOrigin, SourceKind};
