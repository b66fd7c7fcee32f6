use super::host::Host;
use super::memory::Tally;

/// All that was seen; where a probe failed, nothing of it was.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) host: Host,
    /// How many made-up secrets there are.
    pub(super) secrets: usize,
    pub(super) walk: Option<Walk>,
    pub(super) run: Option<Run>,
    pub(super) others: Option<Others>,
    pub(super) crash: Option<Crash>,
}

/// A process that seals and opens, at each stage.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    /// Before it is given any.
    pub(super) started: Tally,
    pub(super) given: Tally,
    pub(super) sorted: Tally,
    pub(super) sealed: Tally,
    pub(super) opened: Tally,
    pub(super) closed: Tally,
    /// Bytes of secrets that the kernel would not lock.
    pub(super) unlocked: usize,
}

/// A `run`, while its command runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub(super) supervisor: Tally,
    pub(super) child: Tally,
    pub(super) is_on_ramfs: bool,
}

/// The ways that were open.
#[derive(Clone, Debug, Default)]
pub(super) struct Others {
    /// Into a process that has shut itself.
    pub(super) shut: Vec<&'static str>,
    /// Into one that has not.
    pub(super) open: Vec<&'static str>,
}

/// How a process that has shut itself crashed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Crash {
    pub(super) was_abort: bool,
    pub(super) dumped: bool,
}
