//! Every release's layout, by every way to log in, over http and TLS with a private CA: the same bundle each time.
//!
//! Not here: a Heat without Keystone (`auth_type: none`), which the lab does not have; `tests/login.rs` has it.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests write files and start processes; --nocapture shows the table"
)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::operator::{Operator, User, Way};
use crate::program::said;
use crate::stack::OwnStack;

/// So many pulls at a time: most of them wait for the cloud.
const AT_ONCE: usize = 4;
const NODES: &str = "group_vars/overcloud.json";

/// How a release keeps what a site needs.
struct Layout {
    name: &'static str,
    /// The lab's stack; none is one of the test's own, with its passwords in Heat.
    stack: Option<&'static str>,
    /// What the pull is told.
    arguments: &'static [&'static str],
    /// Where the nodes' data are, for a stack of this name.
    nodes: Option<fn(&str) -> String>,
    /// What the pull says of the release.
    release: &'static str,
}

static LAYOUTS: [Layout; 4] = [
    Layout {
        name: "stein: plan in Swift, four outputs",
        stack: Some("stein"),
        arguments: &["--plan", "overcloud"],
        nodes: None,
        release: "release: stein or before\n",
    },
    Layout {
        name: "train: plan in Swift, nodes in a directory that is named",
        stack: Some("train"),
        arguments: &["--plan", "overcloud", "--release", "train", "--config-download-dir", "mistral/train"],
        nodes: Some(|_| String::from("mistral/train")),
        release: "release: train, as you say\n",
    },
    Layout {
        name: "victoria: plan in Swift, nodes in ~/config-download",
        stack: Some("train"),
        arguments: &["--plan", "overcloud"],
        nodes: Some(|stack| format!("config-download/{stack}")),
        release: "release: train to victoria\n",
    },
    Layout {
        name: "wallaby: passwords in Heat, nodes in ~/overcloud-deploy",
        stack: None,
        arguments: &["--release", "wallaby"],
        nodes: Some(|stack| format!("overcloud-deploy/{stack}/config-download/{stack}")),
        release: "release: wallaby, as you say\n",
    },
];

/// Each way, over http and over TLS. A token and a one-time code are in no file.
const WAYS: [(&str, [Way; 2]); 7] = [
    ("clouds.yaml, password", [Way::Cloud("admin"), Way::Cloud("admin-tls")]),
    ("OS_*, password", [Way::Variables("admin"), Way::Variables("admin-tls")]),
    ("application credential, id", [Way::Cloud("appcred"), Way::Cloud("appcred-tls")]),
    ("application credential, name", [Way::Cloud("appcred-name"), Way::Cloud("appcred-name-tls")]),
    ("trust", [Way::Cloud("trust"), Way::Cloud("trust-tls")]),
    ("token", [Way::Variables("token"), Way::Variables("token-tls")]),
    ("password and one-time code", [Way::Variables("totp"), Way::Variables("totp-tls")]),
];

/// One pull: which layout, which way, and whether over TLS.
struct Cell {
    layout: &'static Layout,
    way: (&'static str, Way),
    transport: &'static str,
}

/// The files of a bundle, opened.
type Files = BTreeMap<String, String>;

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn every_layout_by_every_way_over_http_and_tls_gives_the_same_bundle() {
    let maker = Operator::new(User::Own);
    let own = OwnStack::create(&maker, &[maker.lab.expected().to_str().unwrap()]);
    let mut cells = Vec::new();
    for layout in &LAYOUTS {
        for (name, [http, tls]) in WAYS {
            cells.push(Cell { layout, way: (name, http), transport: "http" });
            cells.push(Cell { layout, way: (name, tls), transport: "TLS, private CA" });
        }
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(cell) = cells.get(place) else { return done };
            let begun = Instant::now();
            let files = pulled(cell, &own.name);
            done.push((place, cell, files, begun.elapsed().as_millis()));
        }
    };
    let mut done: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });

    done.sort_by_key(|(place, ..)| *place);
    for (_, cell, files, took) in &done {
        let (_, _, first, _) =
            done.iter().find(|(_, other, ..)| other.layout.name == cell.layout.name).unwrap();
        assert!(files == first, "{}, {}, {}: another bundle", cell.layout.name, cell.way.0, cell.transport);
        println!("{:56} {:30} {:16} {took:5} ms", cell.layout.name, cell.way.0, cell.transport);
    }
    println!("{} cells, none left out", done.len());
    assert_eq!(done.len(), LAYOUTS.len() * WAYS.len() * 2);
}

/// Pulls as the cell says, and holds the bundle against what the lab has.
fn pulled(cell: &Cell, own: &str) -> Files {
    let (layout, (name, way)) = (cell.layout, cell.way);
    let operator = Operator::new(User::Own);
    let stack = layout.stack.unwrap_or(own);
    if let Some(place) = layout.nodes {
        let path = operator.home().join(place(stack)).join(NODES);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, expected(&operator, "/outputs/standalone/AllNodesConfig").to_string()).unwrap();
    }
    let mut command = operator.program();
    command.args(["pull", "--batch", "--stack", stack, "-r", &operator.recipient, "-o", "bundle"]);
    command.args(layout.arguments);
    match way {
        Way::Cloud(cloud) => command.args(["--os-cloud", cloud]),
        Way::Variables(profile) => command.envs(operator.variables(profile)),
    };
    let pulled = said(&mut command);
    let what = format!("{}, {name}, {}", layout.name, cell.transport);
    assert_eq!(pulled.code, 0, "{what}: {}", pulled.err);
    assert!(pulled.err.contains(layout.release), "{what}: {}", pulled.err);
    assert_eq!(pulled.err.contains("cross the network in clear"), cell.transport == "http", "{what}");
    operator.has_no_secret_in_clear(&pulled.err);

    let opened = operator.open_by_age();
    let path = |name: &str| opened.join(name).into_os_string();
    if layout.stack.is_some() {
        operator
            .lab
            .python("check_passwords.py", [operator.lab.expected().into(), path("passwords.yaml")])
            .succeeded();
    }
    let judged = [operator.lab.expected().into(), layout.stack.unwrap_or("standalone").into(), path("")];
    let outputs = ["EndpointMap", "GlobalConfig", "HostsEntry"].map(std::ffi::OsString::from);
    operator.lab.python("check_outputs.py", judged.into_iter().chain(outputs)).succeeded();
    let entries = std::fs::read_dir(&opened).unwrap().map(|entry| entry.unwrap().path());
    let files = entries
        .filter(|path| path.file_stem().is_some_and(|name| !name.to_str().unwrap().starts_with("manifest")));
    files
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn expected(operator: &Operator, pointer: &str) -> Value {
    let expected: Value = serde_json::from_slice(&std::fs::read(operator.lab.expected()).unwrap()).unwrap();
    expected.pointer(pointer).unwrap().clone()
}
