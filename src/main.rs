//! The `dcn-vault` program. All of it is in the library; here is only what a library must not decide.

use std::alloc::System;
use std::process::ExitCode;

/// Every block of the heap is wiped when it is freed, whoever used it.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<System> = zeroizing_alloc::ZeroAlloc(System);

fn main() -> ExitCode {
    dcn_vault::cli::main(std::env::args_os())
}
