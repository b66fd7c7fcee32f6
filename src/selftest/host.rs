//! What the kernel says of itself and of us.

use std::path::Path;

use rustix::process::{Resource, getrlimit};

use crate::fs::read_capped;

const LIMIT: usize = 1024 * 1024;
const CAP_SYS_PTRACE: u32 = 19;

/// This machine, as far as it matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Host {
    /// Its release.
    pub(super) kernel: String,
    /// Areas of swap; none when it cannot be told.
    pub(super) swaps: Option<usize>,
    /// Whether we may trace any process.
    pub(super) may_trace_all: bool,
    /// The limit on locked memory in bytes; none is no limit.
    pub(super) lockable: Option<u64>,
    /// The hard limit on core dumps in bytes; none is no limit.
    pub(super) core: Option<u64>,
    /// Whether the kernel hands core dumps to a program, for which that limit does not count.
    pub(super) core_to_program: bool,
}

impl Host {
    /// Asks.
    pub(super) fn ask() -> Self {
        Self {
            kernel: text("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            swaps: text("/proc/swaps").map(|text| text.lines().skip(1).count()),
            may_trace_all: text("/proc/self/status").is_some_and(|text| may_trace_all(&text)),
            lockable: getrlimit(Resource::Memlock).current,
            core: getrlimit(Resource::Core).maximum,
            core_to_program: text("/proc/sys/kernel/core_pattern").is_some_and(|text| text.starts_with('|')),
        }
    }
}

fn may_trace_all(status: &str) -> bool {
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let capabilities = capabilities.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    capabilities.is_some_and(|set| set >> CAP_SYS_PTRACE & 1 == 1)
}

fn text(path: &str) -> Option<String> {
    let bytes = read_capped(Path::new(path), LIMIT).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_trace_all_is_told_by_the_capability_and_not_by_the_name_root() {
        assert!(may_trace_all("Name:\tx\nCapEff:\t000001ffffffffff\n"));
        assert!(!may_trace_all("Name:\tx\nCapEff:\t00000000a80425fb\n"));
        assert!(!may_trace_all("Name:\tx\n"));
    }
}
