//! YAML as Python's `PyYAML` reads and writes it: YAML 1.1, scalars with their type and their exact text.
//!
//! It stands apart because everything else that touches these files is Python. A YAML 1.2 library takes a password
//! `12e03` for a number, and writes a password `1_000` so that Python does; here the reader's verdict is `PyYAML`'s,
//! and what is written means the same to both.
//!
//! ```
//! use dcn_vault::model::Kind;
//!
//! let read = dcn_vault::yaml::read(b"AdminPassword: 12e03\n", "passwords.yaml").unwrap();
//! let mut written = dcn_vault::secret::SecretBuffer::new();
//! dcn_vault::yaml::write(&read, &mut written);
//! // Quoted, since a YAML 1.2 reader would make a number of it
//! // EXPOSE: an example
//! assert!(written.expose(|bytes| bytes == b"AdminPassword: \"12e03\"\n"));
//! assert_eq!(dcn_vault::yaml::resolve_plain("12e03"), Kind::String);
//! ```
//!
//! # What this does not do
//!
//! It does not keep comments, anchors, quoting or line breaks of the file that it read. It does not read UTF-16, sets,
//! ordered maps, Python objects, keys that are lists or maps, or structures that contain themselves: each is an error.
//! It does not wipe what the parser copied ([`crate::secret`] says who does). It does not bound the size of the file
//! itself, only what aliases make of it: the caller reads with a cap.

mod compose;
mod construct;
mod dialect;
mod error;
mod read;
mod resolve;
mod tag;
mod valid;
mod write;

pub use error::{Place, YamlError};
pub use read::read;
pub use resolve::resolve_plain;
pub use write::{write, write_in_parts};
