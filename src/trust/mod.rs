//! Whether a bundle is to be believed here: who has signed it, and whether it is newer than what this machine has seen.
//!
//! It stands apart because a signature alone says nothing of time: an old bundle, with a password that has leaked since, is
//! signed as well as the new one. What was accepted is therefore remembered outside the bundle, where whoever hands it
//! over cannot reach.
//!
//! # What this does not do
//!
//! The first bundle of a vault is believed whatever its generation: there is nothing to compare it with. A machine whose
//! state is lost, or restored from a copy, is such a machine again. Between what was seen and a bundle more than one generation
//! on, the chain is not followed: the signers answer for it.

mod error;
mod judge;
mod memory;
mod own;
mod signers;

pub use error::TrustError;
pub use judge::{Accepted, Claim, Waived, Waiver, Waivers, judge};
pub use memory::{Memory, Recollection, Seen};
pub use own::{OwnSigners, claimed_name};
pub use signers::trusted_signers;
