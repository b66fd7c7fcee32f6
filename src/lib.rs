//! dcn-vault
#![forbid(unsafe_code)]

pub mod model;
pub mod report;
pub mod secret;
