//! Where bytes go, and which canaries are among them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Call, Canaries, Ended};

const WRITES: [&str; 8] =
    ["write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg"];
/// Calls that move bytes which strace does not show; we make none of them.
const UNSEEN: [&str; 13] = [
    "sendfile",
    "copy_file_range",
    "splice",
    "vmsplice",
    "tee",
    "io_uring_setup",
    "io_submit",
    "process_vm_writev",
    "add_key",
    "shmat",
    "msgsnd",
    "mq_timedsend",
    "fallocate",
];

/// A place where bytes of the program went.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An argument of a call that writes nothing: a name of a file, most of all.
    Argument(String),
    /// The arguments or the environment of a process.
    Exec(String),
    /// A file with a name, or a device.
    File(String),
    /// A memfd, or a file of a ramfs that the process has mounted for itself.
    Memory,
    /// A TCP connection; the port is the other side's.
    Network(u16),
    /// A socket between two processes.
    Local,
    Stderr,
    Stdout,
    /// Bytes that cannot be seen on the way.
    Unseen(String),
}

/// A canary, and where it was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    pub place: Place,
    pub canary: String,
}

/// A run that was watched.
pub struct Watch {
    pub ended: Ended,
    places: BTreeMap<Place, Vec<u8>>,
}

impl Watch {
    pub(super) fn new(ended: Ended, processes: &[Vec<Call>]) -> Self {
        let mut watch = Self { ended, places: BTreeMap::new() };
        for calls in processes {
            watch.follow(calls);
        }
        watch
    }

    /// Each canary at each place. Bytes of one place are joined first: a canary in two writes is found.
    pub fn sightings(&self, canaries: &Canaries) -> BTreeSet<Sighting> {
        let mut seen = BTreeSet::new();
        for (place, bytes) in &self.places {
            for canary in canaries.found_in(bytes) {
                seen.insert(Sighting { place: place.clone(), canary: canary.to_owned() });
            }
        }
        seen
    }

    /// All places that bytes went to.
    pub fn places(&self) -> Vec<&Place> {
        self.places.keys().collect()
    }

    /// One process, until it becomes a program of somebody else's: the command of `run`.
    fn follow(&mut self, calls: &[Call]) {
        let mut memory = BTreeSet::new();
        let mut ramfs: Vec<String> = Vec::new();
        for call in calls {
            let first = call.strings.first().map(|path| String::from_utf8_lossy(path).into_owned());
            match call.name.as_str() {
                "execve" => {
                    let program = first.unwrap_or_default();
                    let ours = program == "/proc/self/exe" || program.ends_with("dcn-vault");
                    // The first process of a namespace has the command's environment, to pass it on
                    let worker =
                        program == "/proc/self/exe" && !call.strings.iter().any(|word| word == b"enclosed");
                    for string in &call.strings {
                        // The user's own variables: they are there before us, and the command of `run` keeps them
                        if worker || !string.starts_with(b"OS_") {
                            self.note(Place::Exec(program.clone()), string);
                        }
                    }
                    if call.succeeded() && !ours {
                        return;
                    }
                }
                name if WRITES.contains(&name) => {
                    let place = place_of(call, &memory);
                    self.note(place, &call.strings.concat());
                }
                name if UNSEEN.contains(&name) || call.text.contains("FICLONE") => {
                    self.note(Place::Unseen(format!("{name}({})", call.text)), b"");
                }
                "mmap" if call.text.contains("MAP_SHARED") && !call.text.contains("MAP_ANONYMOUS") => {
                    self.note(Place::Unseen(format!("mmap({})", call.text)), b"");
                }
                name => {
                    for string in &call.strings {
                        self.note(Place::Argument(name.to_owned()), string);
                    }
                    let is_ramfs =
                        name == "mount" && call.strings.get(2).is_some_and(|kind| kind == b"ramfs");
                    let second = call.strings.get(1).map(|point| String::from_utf8_lossy(point).into_owned());
                    if is_ramfs && call.succeeded() {
                        ramfs.extend(second);
                    }
                    let on_ramfs = |path: &String| ramfs.iter().any(|point| path.starts_with(point));
                    let nameless =
                        name == "memfd_create" || name == "openat" && first.as_ref().is_some_and(on_ramfs);
                    if nameless && call.succeeded() {
                        memory.extend(call.opened().map(|target| target.replace("(deleted)", "")));
                    }
                }
            }
        }
    }

    fn note(&mut self, place: Place, bytes: &[u8]) {
        let apart = matches!(place, Place::Argument(_) | Place::Exec(_));
        let all = self.places.entry(place).or_default();
        all.extend(bytes);
        if apart {
            all.push(0);
        }
    }
}

fn place_of(call: &Call, memory: &BTreeSet<String>) -> Place {
    let (number, target) = call.descriptor.clone().unwrap_or_else(|| panic!("no descriptor: {}", call.text));
    let connected = target.rsplit_once("->").filter(|_| target.starts_with("TCP"));
    let port =
        connected.and_then(|(_, peer)| peer.trim_end_matches([']', '>']).rsplit(':').next()?.parse().ok());
    match (number, port) {
        (_, Some(port)) => Place::Network(port),
        _ if memory.contains(&target.replace("(deleted)", "")) => Place::Memory,
        (1, _) if target.starts_with("pipe:") => Place::Stdout,
        (2, _) if target.starts_with("pipe:") => Place::Stderr,
        _ if target.starts_with("UNIX") || target.starts_with("socket:") => Place::Local,
        _ => Place::File(target),
    }
}
