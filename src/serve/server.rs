//! The process that listens: one thread that accepts, reads requests, asks the policy, has the answer written down, and deals out
//! workers. It never maps a secret.

mod client;
mod record;
mod work;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::error::ServeError;
use super::listener::Listener;
use super::notify::Notifier;
use super::peer::{Peer, kernel_pins_peers};
use super::policy::{Policy, PolicyError};
use super::queue::Queue;
use super::worker::{Worker, Workshop};

use self::client::{Client, Stage};

pub use record::{Entry, Outcome, Place, Unrecorded};

const SIGNALS: u64 = 0;
const FIRST_LISTENER: u64 = 1;
/// Above it each client has two numbers: its socket's, and its worker's.
const FIRST_CLIENT: u64 = 100;
const EVENTS: usize = 256;
/// So many are accepted before others have a turn.
const ACCEPTS: usize = 64;
/// Descriptors that are neither a client's nor its worker's.
const SPARE_DESCRIPTORS: u64 = 32;
/// Where no descriptor is left to accept another client with.
const PAUSE: Duration = Duration::from_millis(200);

/// What the person at the console, or the journal, is told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// It answers from now on.
    Ready,
    /// The kernel cannot say which process a client is, so no `unit` of a rule fits one that is not systemd's.
    UnpinnedPeers,
    /// A new policy holds.
    Reloaded {
        /// How many rules it has.
        rules: usize,
    },
    /// The new policy cannot be used; the old one holds.
    NotReloaded(&'a PolicyError),
    /// Nothing more is accepted.
    Stopping,
    /// Nothing is answered, since it cannot be written down.
    Unrecorded(&'a str),
}

/// What a service is made of.
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
#[allow(missing_debug_implementations, reason = "it has functions")]
pub struct Service<'s> {
    /// Where clients connect.
    pub listener: Listener,
    /// Reads the policy: at the beginning, and again on SIGHUP.
    pub policy: &'s dyn Fn() -> Result<Policy, PolicyError>,
    /// How workers are started.
    pub workshop: Workshop,
    /// Writes down a request and its outcome, before it has one. A request that cannot be written down is refused.
    pub record: &'s dyn Fn(&Entry<'_>) -> Result<(), Unrecorded>,
    /// Tells a person.
    pub tell: &'s dyn Fn(&Notice<'_>),
    /// Where systemd wants to know our state (`NOTIFY_SOCKET`).
    pub notify: Option<&'s OsStr>,
}

/// A service at work.
struct Server<'s> {
    service: Service<'s>,
    notifier: Notifier,
    policy: Policy,
    epoll: OwnedFd,
    signals: SignalFd,
    clients: BTreeMap<u64, Client>,
    queue: Queue,
    /// Those that have nobody to work for, and have not ended yet.
    ending: Vec<Worker>,
    next: u64,
    most_clients: usize,
    is_stopping: bool,
    paused_until: Option<Instant>,
}

impl Service<'_> {
    /// Answers until SIGTERM or SIGINT comes, then what was asked for until then.
    ///
    /// # Errors
    ///
    /// [`ServeError::Policy`], and [`ServeError::Os`] when the kernel refuses what every process may do.
    pub fn run(self) -> Result<(), ServeError> {
        let policy = (self.policy)()?;
        let mut server = Server::new(self, policy)?;
        server.notifier.ready();
        (server.service.tell)(&Notice::Ready);
        while !(server.is_stopping && server.clients.is_empty()) {
            server.turn()?;
        }
        Ok(())
    }
}

impl<'s> Server<'s> {
    fn new(service: Service<'s>, policy: Policy) -> Result<Self, ServeError> {
        let mut wanted = SigSet::empty();
        for signal in [Signal::SIGCHLD, Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
            wanted.add(signal);
        }
        wanted.thread_block().map_err(ServeError::os("take over the signals"))?;
        let signals = SignalFd::with_flags(&wanted, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
            .map_err(ServeError::os("take over the signals"))?;
        let failed = ServeError::os::<Errno>("wait for clients");
        let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(&failed)?;
        epoll::add(&epoll, &signals, EventData::new_u64(SIGNALS), EventFlags::IN).map_err(&failed)?;
        let mut server = Self {
            notifier: Notifier::to(service.notify),
            service,
            policy,
            epoll,
            signals,
            clients: BTreeMap::new(),
            queue: Queue::default(),
            ending: Vec::new(),
            next: 0,
            most_clients: 0,
            is_stopping: false,
            paused_until: None,
        };
        server.listen()?;
        server.set_limits();
        Ok(server)
    }

    /// One round: waits for whatever comes next, and sees to it.
    fn turn(&mut self) -> Result<(), ServeError> {
        let mut events = Vec::with_capacity(EVENTS);
        let timeout = self.next_deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // A wait that ends a moment too early would be one for nothing
        let timeout = timeout.map(|wait| wait + Duration::from_millis(1));
        let timeout = timeout.and_then(|wait| Timespec::try_from(wait).ok());
        match epoll::wait(&self.epoll, spare_capacity(&mut events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(ServeError::os("wait for clients")(error)),
        }
        for event in events {
            match event.data.u64() {
                SIGNALS => self.take_signals()?,
                listener @ FIRST_LISTENER..FIRST_CLIENT => self.accept(listener - FIRST_LISTENER)?,
                number => {
                    let number = number - FIRST_CLIENT;
                    if number.is_multiple_of(2) {
                        self.hear_client(number / 2);
                    } else {
                        self.hear_worker(number / 2);
                    }
                }
            }
        }
        self.see_to_deadlines()?;
        self.deal_out();
        Ok(())
    }

    fn take_signals(&mut self) -> Result<(), ServeError> {
        while let Ok(Some(info)) = self.signals.read_signal() {
            let number = i32::try_from(info.ssi_signo).unwrap_or_default();
            match Signal::try_from(number) {
                Ok(Signal::SIGCHLD) => self.see_who_ended(),
                Ok(Signal::SIGHUP) => self.reload(),
                Ok(Signal::SIGINT | Signal::SIGTERM) => self.stop()?,
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn reload(&mut self) {
        self.notifier.reloading();
        match (self.service.policy)() {
            Ok(policy) => {
                self.policy = policy;
                self.set_limits();
                (self.service.tell)(&Notice::Reloaded { rules: self.policy.len() });
            }
            Err(error) => (self.service.tell)(&Notice::NotReloaded(&error)),
        }
        self.notifier.ready();
    }

    fn stop(&mut self) -> Result<(), ServeError> {
        if self.is_stopping {
            return Ok(());
        }
        self.notifier.stopping();
        (self.service.tell)(&Notice::Stopping);
        self.is_stopping = true;
        self.stop_listening()?;
        let mute = |(id, client): (&u64, &Client)| matches!(client.stage, Stage::Asking(_)).then_some(*id);
        for id in self.clients.iter().filter_map(mute).collect::<Vec<_>>() {
            self.refuse(id, &client::Trouble::Stopping);
        }
        Ok(())
    }

    /// As many clients as the policy says, and as there are descriptors for.
    fn set_limits(&mut self) {
        let limits = self.policy.limits;
        let workers = u64::try_from(limits.workers).unwrap_or(u64::MAX);
        let wanted =
            u64::try_from(limits.clients).unwrap_or(u64::MAX).saturating_add(workers * 4 + SPARE_DESCRIPTORS);
        let now = getrlimit(Resource::Nofile);
        let there = now.maximum.map_or(wanted, |most| most.min(wanted));
        if now.current.is_some_and(|current| current < there) {
            // A refusal leaves what was there
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(there), maximum: now.maximum });
        }
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
        let most = descriptors.saturating_sub(workers * 4 + SPARE_DESCRIPTORS).max(1);
        self.most_clients = limits.clients.min(usize::try_from(most).unwrap_or(usize::MAX));
    }

    fn listen(&self) -> Result<(), ServeError> {
        for (number, socket) in (FIRST_LISTENER..).zip(self.service.listener.sockets()) {
            epoll::add(&self.epoll, socket, EventData::new_u64(number), EventFlags::IN)
                .map_err(ServeError::os("wait for clients"))?;
        }
        Ok(())
    }

    fn stop_listening(&mut self) -> Result<(), ServeError> {
        if self.paused_until.take().is_some() {
            return Ok(());
        }
        for socket in self.service.listener.sockets() {
            epoll::delete(&self.epoll, socket).map_err(ServeError::os("wait for clients"))?;
        }
        Ok(())
    }

    fn accept(&mut self, listener: u64) -> Result<(), ServeError> {
        for _ in 0..ACCEPTS {
            let place = usize::try_from(listener).unwrap_or(usize::MAX);
            let Some(socket) = self.service.listener.sockets().get(place).filter(|_| !self.is_stopping)
            else {
                return Ok(());
            };
            match accept_with(socket, SocketFlags::CLOEXEC) {
                Ok(socket) => self.take(socket),
                Err(Errno::AGAIN) => return Ok(()),
                // One that has gone again
                Err(Errno::CONNABORTED | Errno::INTR) => {}
                Err(_) => {
                    self.stop_listening()?;
                    self.paused_until = Some(Instant::now() + PAUSE);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, socket: OwnedFd) {
        let Ok(peer) = Peer::of(&socket) else { return };
        if self.next == 0 && !kernel_pins_peers(&socket) {
            (self.service.tell)(&Notice::UnpinnedPeers);
        }
        let id = self.next;
        self.next += 1;
        let is_full = self.clients.len() >= self.most_clients;
        let of_this_user = self.clients.values().filter(|client| client.peer.uid == peer.uid).count();
        let has_his_share = of_this_user >= (self.most_clients * 3 / 4).max(1);
        let is_watched = self.watch(&socket, number_of(id), EventFlags::IN);
        let deadline = Instant::now() + self.policy.limits.request;
        let asks_by_name = peer.credential.is_some();
        self.clients.insert(id, Client { socket, peer, deadline, stage: Stage::Asking(Vec::new()) });
        if is_full || has_his_share || !is_watched {
            self.refuse(id, &client::Trouble::Busy);
        } else if asks_by_name {
            self.judge(id, None);
        }
    }

    fn watch(&self, source: impl AsFd, number: u64, flags: EventFlags) -> bool {
        epoll::add(&self.epoll, source, EventData::new_u64(number), flags).is_ok()
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.clients.values().map(|client| client.deadline).chain(self.paused_until).min()
    }

    fn see_to_deadlines(&mut self) -> Result<(), ServeError> {
        let now = Instant::now();
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
            self.listen()?;
        }
        let late = self.clients.iter().filter(|(_, client)| client.deadline <= now).map(|(id, _)| *id);
        for id in late.collect::<Vec<_>>() {
            self.give_up(id);
        }
        Ok(())
    }
}

/// The number of a client's socket. Its worker's is the next.
const fn number_of(client: u64) -> u64 {
    FIRST_CLIENT + 2 * client
}
