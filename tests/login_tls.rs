//! Client certificates: shown to a Keystone that asks for one.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may panic")]

mod program;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use program::refusal::assert_refused;
use program::{Scratch, said};

/// A Keystone that asks for a certificate; it ends with this.
struct Keystone {
    process: Child,
    port: String,
}

impl Keystone {
    fn start(scratch: &Scratch) -> Self {
        let mut python = Command::new("python3");
        python.arg("-B").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/login/keystone.py"));
        python.arg(scratch.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = python.spawn().unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { process, port: port.trim().to_owned() }
    }
}

impl Drop for Keystone {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

/// ca.pem, and by it server.pem and client.pem, each with its key.
fn make_certificates(scratch: &Scratch) {
    let script = "set -eu
        key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1.key; }
        key ca; openssl req -x509 -key ca.key -subj '/CN=made up' -days 2 -out ca.pem
        for name in server client; do
            key $name
            printf 'basicConstraints=critical,CA:FALSE\\nsubjectAltName=IP:127.0.0.1\\n' >extensions
            openssl req -new -key $name.key -subj /CN=$name |
                openssl x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out $name.pem
        done
        cat client.key client.pem >both.pem";
    let made = said(Command::new("sh").args(["-c", script]).current_dir(scratch.path()));
    assert_eq!(made.code, 0, "{}", made.err);
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_client_certificate_is_shown_and_one_that_is_none_is_named() {
    let (scratch, recipient) = Scratch::with_plan();
    make_certificates(&scratch);
    let keystone = Keystone::start(&scratch);
    let url = format!("https://127.0.0.1:{}", keystone.port);
    let pull = |more: &[(&str, &str)]| {
        let mut program = scratch.program();
        program.envs([("OS_AUTH_URL", url.as_str()), ("OS_USERNAME", "admin"), ("OS_PASSWORD", "x")]);
        program.envs([("OS_PROJECT_NAME", "admin"), ("OS_CACERT", "ca.pem")]).envs(more.iter().copied());
        said(program.args(["pull", "-r", &recipient]))
    };
    // The login is refused: so the server has taken the certificate
    let refused = "error: Keystone refuses the login of `admin` to project `admin` (401)\nhint: Keystone says no more: check user, password, project and their domains\n";
    for shown in [
        &[("OS_CERT", "client.pem"), ("OS_KEY", "client.key")][..],
        &[("OS_CERT", "~/client.pem"), ("OS_KEY", "~/client.key")],
        &[("OS_CERT", "both.pem")],
    ] {
        assert_refused(&pull(shown), 1, refused);
    }
    for none in [&[][..], &[("OS_KEY", "client.key")]] {
        let pulled = pull(none);
        assert!(pulled.code == 1 && pulled.err.starts_with("error: Keystone "), "{}", pulled.err);
        assert!(!pulled.err.contains("refuses the login"), "{}", pulled.err);
    }
    for bad in [&[("OS_CERT", "client.pem")][..], &[("OS_CERT", "client.pem"), ("OS_KEY", "plan.yaml")]] {
        let err = "error: the client certificate `client.pem` is not PEM with a key\nhint: name PEM files in `cert` and `key`, or one with both in `cert`; the key has no passphrase\n";
        assert_refused(&pull(bad), 1, err);
    }
}
