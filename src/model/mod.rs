//! The nouns of the field, shared by all stages. No input, no output, no cryptography but a digest.

mod data;

pub use data::{Data, Entry, Kind, Scalar};
