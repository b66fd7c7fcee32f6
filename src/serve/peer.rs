//! Who is at the other end of a socket, as the kernel says, and not as he says himself.

use std::path::Path;

use nix::sys::socket::{getsockopt, sockopt};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{SocketAddrAny, SocketAddrUnix, getpeername};

use crate::audit::unit_of;
use crate::fs;

use super::credential::CredentialRequest;

const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
/// A process of 65,536 groups has as much.
const LONGEST: usize = 1024 * 1024;

/// A client: its user, its process, its unit.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Its own, and those that it is in besides.
    pub(super) groups: Vec<u32>,
    pub(super) pid: i32,
    /// The unit of systemd that it runs in, where that is certain.
    pub(super) unit: Option<String>,
    /// What it wants, where it asks as systemd does: by its address, without a word.
    pub(super) credential: Option<String>,
}

impl Peer {
    /// Asks the kernel who has connected.
    ///
    /// What is read in `/proc` counts only where the kernel gives a descriptor of the process itself (`SO_PEERPIDFD`, Linux 6.5), and that
    /// one says afterwards that it still lives: a process id alone can be another's by now.
    pub(super) fn of(socket: &OwnedFd) -> rustix::io::Result<Self> {
        // nix and not rustix: in another PID namespace the id is 0, which is none of rustix's
        let known = getsockopt(socket, sockopt::PeerCredentials)
            .map_err(|error| Errno::from_raw_os_error(error as i32))?;
        let (uid, gid, pid) = (known.uid(), known.gid(), known.pid());
        let mut peer = Self { uid, gid, groups: vec![gid], pid, unit: None, credential: None };
        if let Some((groups, unit)) = in_proc(socket, pid) {
            peer.groups.extend(groups);
            peer.unit = unit;
        }
        if let Some(request) = request_of(socket) {
            // Anybody may bind such a name; of a unit only systemd itself can speak, and that is root
            if uid == 0 {
                peer.unit = Some(request.unit);
            }
            peer.credential = Some(request.id);
        }
        Ok(peer)
    }
}

/// Whether the kernel can say which process a client is.
pub(super) fn kernel_pins_peers(socket: &OwnedFd) -> bool {
    getsockopt(socket, sockopt::PeerPidfd).is_ok()
}

fn in_proc(socket: &OwnedFd, pid: i32) -> Option<(Vec<u32>, Option<String>)> {
    let process = getsockopt(socket, sockopt::PeerPidfd).ok()?;
    let text = |name: &str| {
        let bytes = fs::read_capped(&Path::new("/proc").join(pid.to_string()).join(name), LONGEST).ok()?;
        String::from_utf8(bytes).ok()
    };
    let (status, cgroup) = (text("status")?, text("cgroup")?);
    // Readable is what has ended: only then could the files have been another's
    let mut ended = [PollFd::new(&process, PollFlags::IN)];
    let count = poll(&mut ended, Some(&AT_ONCE)).ok()?;
    (count == 0).then(|| (groups_in(&status), unit_of(&cgroup)))
}

fn groups_in(status: &str) -> Vec<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Groups:"));
    line.unwrap_or_default().split_whitespace().filter_map(|group| group.parse().ok()).collect()
}

fn request_of(socket: &OwnedFd) -> Option<CredentialRequest> {
    let address: SocketAddrAny = getpeername(socket).ok()??;
    CredentialRequest::parse(SocketAddrUnix::try_from(address).ok()?.abstract_name()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_groups_are_read() {
        assert_eq!(groups_in("Name:\tx\nGid:\t1\t1\t1\t1\nGroups:\t4 24 1000 \nNStgid:\t1\n"), [4, 24, 1000]);
        assert_eq!(groups_in("Name:\tx\nGroups:\t \n"), Vec::<u32>::new());
    }
}
