//! No copy of a secret stays in memory: the real program, stopped at system calls, and every readable page of it searched.
//!
//! What this cannot see: the kernel's own memory (sockets, pipes, page cache), and what comes and goes between two stops.
//! The keys of TLS are not searched for.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(
    clippy::disallowed_methods,
    clippy::doc_markdown,
    clippy::format_collect,
    clippy::string_slice,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    reason = "a test may panic, and shows its table"
)]

mod cloud;
mod program;

#[path = "memory/canaries.rs"]
mod canaries;
#[path = "memory/controls.rs"]
mod controls;
#[path = "memory/core.rs"]
mod core;
#[path = "memory/keys.rs"]
mod keys;
#[path = "memory/others.rs"]
mod others;
#[path = "memory/scan.rs"]
mod scan;
#[path = "memory/serve.rs"]
mod serve;
#[path = "memory/sources.rs"]
mod sources;
#[path = "memory/ssh.rs"]
mod ssh;
#[path = "memory/stage.rs"]
mod stage;
#[path = "memory/stages.rs"]
mod stages;
#[path = "memory/swap.rs"]
mod swap;
#[path = "memory/trace.rs"]
mod trace;
