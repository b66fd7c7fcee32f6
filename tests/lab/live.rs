//! Services that stop, stall and come back under a pull. In a lab of its own, since the other tests need theirs whole.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic, starts processes, and shows what it has seen"
)]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::refusal::after_the_way;
use crate::program::{Said, Scratch, said};
use crate::running::Lab;

/// What is done to the lab here, as `lab failures` has it.
pub(crate) const FAULTS: [&str; 4] = ["pause heat", "stop heat", "stop keystone", "stop swift-object"];

const REACH: &str = "check the URL, the route and the firewall: `curl -v` on it says more";
const LATER: &str = "try again later; the service's own log says why";
/// All tries and their pauses, on a machine that is busy.
const AT_MOST: Duration = Duration::from_secs(20);

/// A lab that goes away with the test, however that ends.
struct OwnLab {
    state: PathBuf,
    /// Wipes the lab once our end of its standard input is gone.
    guard: Child,
    command: PathBuf,
    scratch: Scratch,
    recipient: String,
}

impl OwnLab {
    fn start() -> Self {
        let command = Lab::running().program();
        let scratch = Scratch::new();
        // Not in the temporary directory, which may be without user xattrs: Swift needs them
        let name = scratch.path().file_name().unwrap().to_owned();
        let state = PathBuf::from("/var/tmp").join(name);
        let (_, recipient) = scratch.keygen("identity.txt");
        // In a session of its own, so that it outlives whoever interrupts the tests
        let script = r#"trap '' INT TERM; read -r _; exec "$@""#;
        let mut guard = Command::new("setsid");
        guard.args(["sh", "-c", script, "sh"]).arg(&command).arg("wipe").env("LAB_STATE", &state);
        let guard = guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let lab = Self { state, guard, command, scratch, recipient };
        lab.does(&["start"]);
        lab.does(&["seed"]);
        lab
    }

    fn lab(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.command);
        command.args(arguments).env("LAB_STATE", &self.state).env("LAB_PORT_OFFSET", "auto");
        command
    }

    fn does(&self, arguments: &[&str]) -> String {
        said(&mut self.lab(arguments)).succeeded()
    }

    fn pull(&self, cloud: &str) -> Command {
        let mut program = self.scratch.program();
        program.env("OS_CLIENT_CONFIG_FILE", self.state.join("run/clouds.yaml"));
        program.args([
            "pull",
            "--os-cloud",
            cloud,
            "--stack",
            "standalone",
            "-r",
            &self.recipient,
            "-o",
            "bundle",
        ]);
        program
    }

    fn port(&self, service: &str) -> String {
        let ports = std::fs::read_to_string(self.state.join("run/ports.json")).unwrap();
        let ports: serde_json::Value = serde_json::from_str(&ports).unwrap();
        ports[service].to_string()
    }

    /// Fails unless a pull says this, soon, and leaves nothing.
    #[track_caller]
    fn refuses(&self, cloud: &str, error: &str, hint: &str) {
        let begun = Instant::now();
        let pulled = said(&mut self.pull(cloud));
        let took = begun.elapsed();
        println!("{:5.1} s  {cloud}\n         error: {error}", took.as_secs_f64());
        let words = format!("error: {error}\nhint: {hint}\n");
        assert_eq!((pulled.code, after_the_way(&pulled.err), pulled.out.as_str()), (1, words.as_str(), ""));
        assert_eq!(self.scratch.names(), ["identity.txt"]);
        assert!(took < AT_MOST, "{took:?}");
    }

    /// Fails unless a pull that is under way while `lab …` runs succeeds, and says that it had to wait.
    #[track_caller]
    fn survives(&self, arguments: &[&str], service: &str) {
        let pull = self.pull("admin").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        self.does(arguments);
        let pulled = said_by(pull);
        assert_eq!(pulled.code, 0, "{arguments:?}: {}", pulled.err);
        let warning = format!("warning: {service} did not answer at once: it was asked again, ");
        assert!(service.is_empty() || pulled.err.contains(&warning), "{}", pulled.err);
        std::fs::remove_dir_all(self.scratch.join("bundle")).unwrap();
        std::fs::remove_dir_all(self.scratch.join(".local/state/dcn-vault/pulled")).unwrap();
    }
}

impl Drop for OwnLab {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

fn said_by(child: Child) -> Said {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_service_that_is_down_is_named_and_one_that_comes_back_is_waited_for() {
    let lab = OwnLab::start();
    let page = |service: &str| {
        format!(
            "a proxy in front of it has answered, with a page: is {service} itself running? Else try again later"
        )
    };

    lab.does(&["stop", "swift-object"]);
    lab.refuses("admin", "Swift answered with status 503, 5 times in a row", LATER);
    lab.does(&["start", "swift-object"]);

    lab.does(&["stop", "swift-proxy"]);
    lab.survives(&["start", "swift-proxy"], "Swift");

    lab.does(&["stop", "keystone"]);
    let at = format!("http://127.0.0.1:{}", lab.port("KEYSTONE"));
    lab.refuses("admin", &format!("Keystone cannot be reached at {at}: connection refused"), REACH);
    lab.refuses("admin-tls", "Keystone answered with status 502", &page("Keystone"));
    lab.does(&["start", "keystone"]);

    // It is silent until it goes on: no try is lost, and nothing is said
    lab.does(&["pause", "heat"]);
    lab.survives(&["resume", "heat"], "");

    lab.does(&["stop", "heat"]);
    let at = format!("http://127.0.0.1:{}", lab.port("HEAT"));
    lab.refuses("admin", &format!("Heat cannot be reached at {at}: connection refused"), REACH);
    lab.refuses("admin-tls", "Heat answered with status 502, 5 times in a row", &page("Heat"));
    lab.survives(&["start", "heat"], "Heat");
}
