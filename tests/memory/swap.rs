//! Swap: a file to swap to, a program that holds plaintext, and the kernel asked to page it out.

use std::fs::File;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::libc;

use super::canaries::Canaries;
use super::controls::example;
use super::stages::Site;
use super::trace::Trace;
use crate::program::said;

const SIZE: u64 = 64 << 20;
const ROUNDS: u32 = 8;

/// A file that the kernel swaps to, until this goes.
struct Swap(PathBuf);

impl Swap {
    /// `None`, with the reason printed, where the kernel or the file system wants none.
    fn on(path: &Path) -> Option<Self> {
        let file = File::options().write(true).create_new(true).mode(0o600).open(path).unwrap();
        // A swap file has no holes
        for block in 0..SIZE >> 20 {
            file.write_all_at(&vec![0; 1 << 20], block << 20).unwrap();
        }
        file.sync_all().unwrap();
        let swap = Self(path.to_owned());
        for program in ["/sbin/mkswap", "/sbin/swapon"] {
            let ended = said(Command::new(program).arg(path).stdin(Stdio::null()));
            if ended.code != 0 {
                println!("skipped: {program} says {}", ended.err.trim());
                return None;
            }
        }
        Some(swap)
    }

    fn occurring(&self, secrets: &Canaries) -> usize {
        // What was read before is not what the kernel has written since
        let file = File::open(&self.0).unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        let bytes = std::fs::read(&self.0).unwrap();
        let finder = aho_corasick::AhoCorasick::new(secrets.0.values()).unwrap();
        let found: std::collections::BTreeSet<_> =
            finder.find_overlapping_iter(&bytes).map(|at| at.pattern()).collect();
        found.len()
    }
}

impl Drop for Swap {
    fn drop(&mut self) {
        said(Command::new("/sbin/swapoff").arg(&self.0).stdin(Stdio::null()));
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
#[ignore = "needs root and python3: run tests/all"]
fn no_value_of_the_plan_is_swapped_out_of_our_pages_and_many_are_out_of_ordinary_ones() {
    let site = Site::with_bundle();
    let mut values = site.cloud.contents().secrets();
    values.retain(|secret| *secret != site.cloud.contents().password);
    let values = Canaries::of("plan", values);
    let Some(swap) = Swap::on(&Path::new("/var/tmp").join(format!("dcn-vault-swap-{}", std::process::id())))
    else {
        return;
    };
    let program = PathBuf::from(env!("CARGO_BIN_EXE_dcn-vault"));
    assert_eq!(paged_out(&site, &program, &swap, &values), 0, "a value was swapped out");
    // The control holds the same text in an ordinary buffer: if the kernel swaps at all, it is in the file
    assert!(
        paged_out(&site, &example("careless"), &swap, &values) >= 100,
        "nothing is ever swapped out here"
    );
}

/// How many values are in the swap file after `program` was paged out, time and again, while it holds them: the kernel
/// writes when it likes.
fn paged_out(site: &Site, program: &Path, swap: &Swap, values: &Canaries) -> usize {
    let mut command = site.scratch.program();
    if program.ends_with("careless") {
        let ordinary = site.scratch.run(["decrypt", "-b", "bundle", "-i", "identity.txt"]);
        site.scratch.write("clear.yaml", ordinary.out, 0o600);
        let mut other = Command::new(program);
        other.args(["hold", "clear.yaml"]).env_clear().current_dir(site.scratch.path());
        command = other;
    } else {
        command.args(["decrypt", "-b", "bundle", "-i", "identity.txt"]);
    }
    let mut trace = Trace::start(&command, "", |held| {
        held.stdin(Stdio::null()).stdout(Stdio::null());
    });
    let at = trace.until(|at| at.enters(libc::SYS_write) && at.arguments[0] == 1).expect("it writes");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/memory/pageout.py");
    let mut found = 0;
    for _ in 0..ROUNDS {
        let asked = said(Command::new("/usr/bin/python3").arg(&script).arg(at.pid.to_string()));
        assert!(asked.out.trim().parse::<u32>().is_ok_and(|ranges| ranges > 0), "{}", asked.err);
        found = found.max(swap.occurring(values));
    }
    drop(trace);
    found
}
