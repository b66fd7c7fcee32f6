//! `serve`: a value to whom the policy allows it, a clear refusal to all others, and never an empty answer for either.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    missing_docs,
    reason = "a test may panic"
)]

mod program;

#[path = "serve/clients.rs"]
mod clients;
#[path = "serve/crowd.rs"]
mod crowd;
#[path = "serve/get.rs"]
mod get;
#[path = "serve/life.rs"]
mod life;
#[path = "serve/policy.rs"]
mod policy;
#[path = "serve/service.rs"]
mod service;
#[path = "serve/systemd.rs"]
mod systemd;
