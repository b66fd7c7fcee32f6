//! A bundle on disk: what a site gets, as files that anybody may see.
//!
//! It stands apart because it never names a type that holds plaintext: what it writes comes sealed, what it reads is
//! still sealed.
//!
//! # What this does not do
//!
//! It does not judge signatures: the manifest's digests tie the files together, and show damage, but whoever can write the
//! directory can write a bundle of his own. `admit` asks who made it.

mod bill;
mod difference;
mod draft;
mod error;
mod header;
mod loss;
mod manifest;
mod read;
mod sign;
mod slot;

pub use bill::BillEntry;
pub(crate) use difference::changes;
pub use difference::{Change, SiteChange, file_changes, secret_changes, site_changes};
pub use draft::{Completed, Draft, Progress, Terms};
pub use error::BundleError;
pub use loss::{Loss, losses};
pub use manifest::{FileEntry, Manifest, SecretEntry};
pub use read::{Bundle, BundleFile, Envelope};
pub use sign::add_signature;
pub use slot::{Before, Slot};

const MANIFEST: &str = "manifest.json";
/// For how many the age file `bytes` was encrypted, as its header says; `None` where it is no age file.
#[must_use]
pub fn count_recipients(bytes: &[u8]) -> Option<usize> {
    header::count_recipients(bytes)
}
