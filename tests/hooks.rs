//! The examples in `examples/hooks`, as somebody who has copied them runs them. `tests/cmd` has the stories of two more.

#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, writes files and starts processes"
)]

#[path = "hooks/ansible.rs"]
mod ansible;
#[path = "tamper/centre.rs"]
mod centre;
#[path = "hooks/ci.rs"]
mod ci;
mod program;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use program::Scratch;
use program::deployment::Deployment;

/// One of the examples.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hooks").join(name)
}

/// `PATH` with the program on it.
fn path() -> OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_dcn-vault")).parent().unwrap().to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([program].into_iter().chain(std::env::split_paths(&others))).unwrap()
}

#[test]
fn a_signal_to_the_deploy_hook_is_one_to_the_deployment() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let mut hook = Command::new(example("deploy"));
    hook.current_dir(scratch.path()).env_clear().env("HOME", scratch.path()).env("PATH", path());
    hook.env("XDG_RUNTIME_DIR", scratch.path());
    // What waits is not the shell, whose trap would wait, too
    let script = "trap 'echo told; exit 9' TERM; echo $$; cat <&3 & wait";
    hook.args([".", "identity.txt", "sh", "-c", &format!("exec 3<&0; {script}")]);
    let mut deployment = Deployment::start(&mut hook);
    deployment.send(Signal::TERM);
    // Its input stays open until it has heard: it would end of itself
    assert_eq!(deployment.line(), "told");
    assert_eq!(deployment.end(), (9, String::new(), String::new()));
}
