//! The manual, as modules, so that its links and its examples are checked.

#[doc = include_str!("format.md")]
pub mod format {}

#[doc = include_str!("operations.md")]
pub mod operations {}

#[doc = include_str!("protocol.md")]
pub mod protocol {}

#[doc = include_str!("decisions.md")]
pub mod decisions {}

#[doc = include_str!("../../SECURITY.md")]
pub mod security {}
