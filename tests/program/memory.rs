//! What another process has in its memory.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use rustix::process::{Pid, getpid};

use super::deployment::proc;

/// Which of `needles` are in the readable memory of `process`; `None` where the kernel does not let us look.
pub fn found_in<'a>(process: Pid, needles: &[&'a [u8]]) -> Option<Vec<&'a [u8]>> {
    match search(process, needles) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            println!("skipped: {process} may not be looked into, which takes root");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn search<'a>(process: Pid, needles: &[&'a [u8]]) -> io::Result<Vec<&'a [u8]>> {
    let maps = std::fs::read_to_string(proc(process, "maps"))?;
    let memory = File::open(proc(process, "mem"))?;
    let finder = aho_corasick::AhoCorasick::new(needles).unwrap();
    let mut found = Vec::new();
    for line in maps.lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        // The kernel's own pages cannot be read through mem
        if !rest.starts_with('r') || rest.contains("[vvar") || rest.ends_with("[vsyscall]") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let bound = |text| u64::from_str_radix(text, 16).unwrap();
        let mut block = vec![0; usize::try_from(bound(to) - bound(from)).unwrap()];
        if memory.read_exact_at(&mut block, bound(from)).is_err() {
            // Our own threads map and unmap all the time; a supervisor that waits does not
            assert!(process == getpid(), "cannot read {line}");
            continue;
        }
        found.extend(finder.find_overlapping_iter(&block).map(|found| needles[found.pattern().as_usize()]));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
