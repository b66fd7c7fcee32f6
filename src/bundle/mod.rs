//! A bundle on disk: what a site gets, as files that anybody may see.
//!
//! It stands apart because it never names a type that holds plaintext: what it writes comes sealed, what it reads is
//! still sealed.
//!
//! # What this does not do
//!
//! The manifest is not signed yet: its digests tie the files together, and show damage, but whoever can write the
//! directory can write a bundle of his own.

mod error;
mod header;
mod loss;
mod manifest;
mod read;
mod slot;

pub use error::BundleError;
pub use loss::Loss;
pub use manifest::{FileEntry, Manifest, SecretEntry};
pub use read::{Bundle, BundleFile};
pub use slot::Slot;

const MANIFEST: &str = "manifest.json";
