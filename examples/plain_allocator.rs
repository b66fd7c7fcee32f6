//! `dcn-vault` without the allocator that wipes: what `tests/memory.rs` must find copies in, or its search is blind.
//!
//! Not for use with real secrets.

use std::process::ExitCode;

fn main() -> ExitCode {
    dcn_vault::cli::main(std::env::args_os())
}
