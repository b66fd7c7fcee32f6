//! dcn-vault
#![forbid(unsafe_code)]

pub mod bundle;
pub mod classify;
pub mod cli;
pub mod fs;
pub mod guard;
pub mod identity;
pub mod json;
pub mod keygen;
pub mod model;
pub mod open;
pub mod recipients;
pub mod report;
pub mod run;
pub mod seal;
pub mod secret;
pub mod source;
pub mod vault;
pub mod yaml;
