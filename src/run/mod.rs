//! The deployment, with the secrets in place for its process tree and for nothing else.
//!
//! Two processes share the work. A *worker* reads the identity, opens the bundle, writes the plaintext into nameless
//! files in memory, hands over their descriptors and exits; the *supervisor*, which lives as long as the deployment,
//! never maps plaintext. So no copy is in our memory while the child runs, by construction and not by wiping.
//!
//! With [`Delivery::Mount`] the supervisor has entered a mount namespace before, in which the worker puts the files over the
//! bundle; a thread of the supervisor then starts the first process of a process namespace, and that the command. When the
//! supervisor dies, the kernel ends that process, and with it all others.
//!
//! # What this does not do
//!
//! The child can do what it likes with what it reads: TripleO's own client writes copies to its working directory. A
//! child that closes the inherited descriptors before it reads (a Python program's grandchild) does not see the files.
//! What a command line is warned of is read from its own words: what it gives a shell to run, and what a script does, is not
//! seen.

mod arguments;
mod covered;
mod delivery;
mod enclosure;
mod error;
mod examine;
mod facts;
mod init;
mod keep;
mod links;
mod nameless;
mod namespace;
mod openstack;
mod pass;
mod place;
mod plain;
mod scratch;
mod signals;
mod start;
mod supervise;
mod terminal;
mod traps;
mod worker;

pub use arguments::Command;
pub use delivery::{Choice, Delivery, Places};
pub use enclosure::containable;
pub use error::RunError;
pub use examine::{begin_beside, examine};
pub use init::enclosed;
pub use supervise::{ChildExit, Ended, Supervisor};
pub use traps::{Surroundings, Trap, traps};
pub use worker::{Delivered, Identities, Opening, WorkerError, hand_over};
