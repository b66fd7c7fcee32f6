//! The registers of a stopped process: gdb writes a core, and its notes are searched (NT_PRSTATUS, NT_X86_XSTATE, …).

use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::Pid;

use super::scan::{Found, Scanner};

const PT_NOTE: u64 = 4;

/// Searches the registers of all threads of `pid`, which no debugger holds; the core is made in `scratch`.
pub fn registers(scanner: &Scanner, pid: Pid, scratch: &Path) -> Found {
    let path = scratch.join(format!("core-of-{pid}"));
    let dump = format!("generate-core-file {}", path.display());
    let mut gdb = Command::new("gdb");
    gdb.args(["--batch", "-nx", "--readnever", "-p", &pid.to_string(), "-ex", &dump]);
    let output = gdb.stdin(Stdio::null()).output().expect("gdb is there");
    let core = std::fs::read(&path).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    std::fs::remove_file(&path).unwrap();
    let mut found = Found::default();
    let mut kinds = Vec::new();
    for note in notes(&core) {
        kinds.push(note.kind);
        scanner.search(note.bytes, &format!("register note {:#x}", note.kind), &mut found);
    }
    assert!(kinds.contains(&1) && kinds.contains(&0x202), "no registers in the core: {kinds:?}");
    found
}

struct Note<'a> {
    kind: u64,
    bytes: &'a [u8],
}

/// The notes of an ELF core, 64 bit and little-endian.
fn notes(core: &[u8]) -> Vec<Note<'_>> {
    let number = |at: usize, width: usize| {
        core[at..at + width].iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte))
    };
    let size = |at: usize, width: usize| usize::try_from(number(at, width)).unwrap();
    let (table, entry, count) = (size(32, 8), size(54, 2), size(56, 2));
    let mut notes = Vec::new();
    for header in (0..count).map(|index| table + index * entry).filter(|at| number(*at, 4) == PT_NOTE) {
        let (mut at, end) = (size(header + 8, 8), size(header + 8, 8) + size(header + 32, 8));
        while at + 12 <= end {
            let content = at + 12 + size(at, 4).next_multiple_of(4);
            let length = size(at + 4, 4);
            notes.push(Note { kind: number(at + 8, 4), bytes: &core[content..content + length] });
            at = content + length.next_multiple_of(4);
        }
    }
    notes
}
