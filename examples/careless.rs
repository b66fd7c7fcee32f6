//! Mistakes on purpose, which `tests/memory.rs` must find: a body taken by `.text()` and kept, plaintext that is still open
//! while a child runs, and plaintext in a buffer that may swap. The allocator wipes here as in the program: it does not help.
//!
//! Not for use with real secrets.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a bad example, which gives up when something is wrong"
)]

use std::alloc::System;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::OnceLock;

use dcn_vault::admit::Admission;
use dcn_vault::identity::{IdentitySet, Search};
use dcn_vault::open::{open, site_of};
use dcn_vault::trust::Waivers;

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<System> = zeroizing_alloc::ZeroAlloc(System);

/// "So that we need not ask twice."
static LAST_ANSWER: OnceLock<String> = OnceLock::new();

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["text", url] => text(url),
        ["hold", file] => hold(file),
        ["keep", bundle, identity, program, arguments @ ..] => keep(bundle, identity, program, arguments),
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

/// Fetches as one would without `SecretBuffer`.
fn text(url: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let body = runtime.block_on(async { reqwest::get(url).await?.text().await }).expect("an answer");
    let body = LAST_ANSWER.get_or_init(|| body);
    // Here somebody would read it
    writeln!(std::io::stderr(), "{} bytes", body.len()).expect("standard error");
}

/// Holds plaintext in an ordinary buffer, which the kernel may swap out.
fn hold(file: &str) {
    let text = std::fs::read(file).expect("a file");
    std::io::stdout().write_all(&text).expect("standard output");
}

/// Opens the bundle in the process that stays, and not in a worker.
fn keep(bundle: &str, identity: &str, program: &str, arguments: &[&str]) {
    let identities = IdentitySet::find(&Search::of_file(PathBuf::from(identity))).expect("an identity");
    let admission = Admission {
        directory: bundle.into(),
        signers: None,
        usual_signers: Vec::new(),
        state: None,
        waivers: Waivers { unsigned: true, rollback: false, expired: false },
        now: jiff::Timestamp::now(),
    };
    let admitted = admission.look().expect("a bundle");
    let site = site_of(admitted.bundle(), &identities, None).expect("a site");
    let opened = open(&admitted, &site, &identities).expect("it opens");
    Command::new(program).args(arguments).status().expect("the child runs");
    drop(opened);
}
