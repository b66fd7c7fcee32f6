//! Answers on a socket: a value or a file of the bundle, to whom a policy allows it, one process for each request.
//!
//! ```text
//!  client ──line of JSON──▶ listener ──task──▶ worker: admits, opens, picks
//!  systemd ─its address───▶ policy, audit ◀─ready─┤
//!                                       └──go────▶ writes to the client, and exits
//! ```
//!
//! It stands apart because one process of it lives long. That one, the *listener*, reads requests, asks the policy, has every outcome
//! written down, and never maps a secret: a *worker* reads the identity, opens the one file that is asked for, and writes to the client
//! itself. It writes nothing before the listener has written down that it will.
//!
//! # What this does not do
//!
//! It does not know what a client does with an answer. Root can be any client. A unit of a client that is not systemd is what the kernel
//! says of its control group: whoever may write there, moves processes there.

mod answer;
mod ask;
mod asked;
mod credential;
mod error;
mod listener;
mod notify;
mod peer;
mod policy;
mod protocol;
mod queue;
mod server;
mod worker;

pub use answer::{AnswerError, answer};
pub use ask::{AskError, ask};
pub use asked::Asked;
pub use credential::{DropInError, drop_in};
pub use error::ServeError;
pub use listener::{Activation, Listener};
pub use policy::{Fault, Limits, Policy, PolicyError, Refusal};
pub use protocol::RequestError;
pub use server::{Entry, Notice, Outcome, Place, Service, Unrecorded};
pub use worker::Workshop;
