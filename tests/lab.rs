//! The program against a real Keystone, Heat and Swift, with the clients that deployments use as the judges.
//!
//! `tests/all` starts the lab, seeds it and runs these; `tests/cloud/lab/README.md` lists what is in it. The comparisons are
//! Python scripts beside the modules, run by the lab's own client environment: PyYAML and heatclient decide what a file says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

#[path = "lab/barbican.rs"]
mod barbican;
#[path = "lab/certificates.rs"]
mod certificates;
#[path = "lab/deploys.rs"]
mod deploys;
#[path = "lab/explained.rs"]
mod explained;
#[path = "lab/failures.rs"]
mod failures;
#[path = "lab/listing.rs"]
mod listing;
#[path = "lab/live.rs"]
mod live;
#[path = "lab/logins.rs"]
mod logins;
#[path = "lab/matrix.rs"]
mod matrix;
#[path = "lab/operator.rs"]
mod operator;
mod program;
#[path = "lab/pulls.rs"]
mod pulls;
#[path = "lab/running.rs"]
mod running;
#[path = "lab/settings.rs"]
mod settings;
#[path = "lab/site_stack.rs"]
mod site_stack;
#[path = "lab/stack.rs"]
mod stack;
#[path = "lab/tripleo_deploys.rs"]
mod tripleo_deploys;
#[path = "lab/tripleoclient.rs"]
mod tripleoclient;
#[path = "lab/walkthrough.rs"]
mod walkthrough;
