//! The audit log: who opened what, when, for which command; one line of JSON for each, never a value.
//!
//! It stands apart because an auditor reads it, and not those who write it: each line holds the SHA-256 of the line before, so that
//! one that is changed, taken out or moved is noticed by anybody, with `sha256sum` alone.
//!
//! # What this does not do
//!
//! It does not stop its owner. Who may write the file can write all of it anew, with digests that fit; and can cut lines off at the
//! end, or change the last one, which no later line holds to it. Both are noticed only against a *head*, the digest of the last
//! line, that was kept elsewhere: [`verify()`] takes one. A line is not forced onto the disk: a power failure may take the last ones.
//! It does not say what a command did with what it was given.

mod entry;
mod error;
mod line;
mod log;
mod verify;
mod who;

pub use entry::{Entry, Event, Peer, Verb};
pub use error::AuditError;
pub use line::Line;
pub use log::Log;
pub use verify::{Fault, Finding, Report, lines, verify};
pub use who::{Who, unit_of};
