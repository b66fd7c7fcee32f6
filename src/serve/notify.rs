//! What systemd is told of our state, where it wants to know: datagrams to the socket that `NOTIFY_SOCKET` names.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, sendto, socket_with};
use rustix::time::{ClockId, clock_gettime};

/// Where states are told, if anywhere.
#[derive(Debug)]
pub(super) struct Notifier(Option<(OwnedFd, SocketAddrUnix)>);

impl Notifier {
    /// To the socket at `address`: a path, or `@` and an abstract name.
    pub(super) fn to(address: Option<&OsStr>) -> Self {
        Self(address.and_then(|address| {
            let bytes = address.as_bytes();
            let address = match bytes.split_first()? {
                (b'@', name) => SocketAddrUnix::new_abstract_name(name).ok()?,
                (b'/', _) => SocketAddrUnix::new(bytes).ok()?,
                _ => return None,
            };
            let socket =
                socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()?;
            Some((socket, address))
        }))
    }

    pub(super) fn ready(&self) {
        self.tell("READY=1\nSTATUS=answering");
    }

    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1_000_000 + now.tv_nsec / 1_000));
    }

    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=finishing what was asked for");
    }

    fn tell(&self, state: &str) {
        if let Some((socket, address)) = &self.0 {
            // Who does not listen has his reasons
            let _ = sendto(socket, state.as_bytes(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL, address);
        }
    }
}
