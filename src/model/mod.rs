//! The nouns of the field, shared by all stages. No input, no output, no cryptography but a digest.

mod certificate;
mod data;
mod digest;
mod environment_file;
mod file_path;
mod finding;
mod glob;
mod grant;
mod name;
mod origin;
mod rotation;

pub use certificate::{Certificate, Certificates, PemFault, Unreadable};
pub use data::{Data, Entry, Kind, Scalar};
pub use digest::{Digest, hex};
pub use environment_file::EnvironmentFile;
pub use file_path::FilePath;
pub use finding::{Finding, GuardReport, Rule, Shape};
pub use glob::Glob;
pub use grant::Grant;
pub use name::{NameError, ParameterName, Site};
pub use origin::{Origin, SecretOrigin, SourceKind};
pub use rotation::hindrance;
