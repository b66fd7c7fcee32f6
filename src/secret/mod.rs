//! Plaintext, and the only types that may hold it.
//!
//! It stands apart so that every reader of a secret is found by one search: plaintext leaves these types through
//! `expose` alone, and each call outside this module has a line above it that says why (`// EXPOSE: …`).
//!
//! # What this does not do
//!
//! Its types cannot wipe what others copied: stack frames, registers, the buffers of a parser. The binary's zeroizing
//! allocator (`src/main.rs`) covers the heap, [`wipe_finished_frames`] the stack, and short-lived workers the rest
//! ([`crate::run`]).

mod arena;
mod buffer;
pub mod harden;
mod pages;
mod stack;
mod value;

pub use buffer::SecretBuffer;
pub use pages::unlocked_bytes;
pub use stack::wipe_finished_frames;
pub use value::SecretValue;
