//! systemd: its credentials, its sockets, its notices, its opinion of our units.

use std::io::Read;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::net::{
    AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType, bind, connect, shutdown, socket_with,
};
use rustix::process::Signal;

use crate::program::{Scratch, said};
use crate::service::{OPEN, Service, audited, serve, serve_at, with_policy};

const FILE: &str = "parameter_defaults:\n  NovaPassword: not-a-real-secret\n  RpcPassword: neither-is-this\n";
const UNIT_RULE: &str = "version: 1\nrules:\n- unit: edge-*.service\n  allow: [passwords.yaml]\n  credentials: {nova: NovaPassword}\n";
/// What `systemd-analyze security` may say of our service: 10 is worst.
const MOST_EXPOSED: f64 = 1.0;

/// What a service manager gets for `LoadCredential=ID:SOCKET`, as systemd 252 to 258 do it (`load_credential` in
/// `src/core/exec-credential.c` gives the name to bind to, `xfopenat_unix_socket` in `src/basic/fileio.c` binds, connects, shuts its half
/// down, and `read_full_stream_full` reads up to the end).
fn credential(socket: &Path, unit: &str, id: &str) -> Vec<u8> {
    let client = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    let mut random = [0; 8];
    rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty()).unwrap();
    let name = format!("{:x}/unit/{unit}/{id}", u64::from_ne_bytes(random));
    bind(&client, &SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap()).unwrap();
    connect(&client, &SocketAddrUnix::new(socket).unwrap()).unwrap();
    shutdown(&client, Shutdown::Write).unwrap();
    let mut read = Vec::new();
    UnixStream::from(client).read_to_end(&mut read).unwrap();
    read
}

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd").join(name)
}

fn has(tool: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).stdout(Stdio::null()).status();
    let found = found.unwrap().success();
    if !found {
        println!("skipped: {tool} is not here; tests/all installs it");
    }
    found
}

#[test]
fn a_unit_gets_its_credentials_and_nothing_but_their_bytes() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: a unit's name counts from root alone");
        return;
    }
    let scratch = with_policy(UNIT_RULE);
    let service = Service::start(&scratch);
    let of = |unit, id| String::from_utf8(credential(&service.socket, unit, id)).unwrap();
    assert_eq!(of("edge-deploy.service", "passwords.yaml"), FILE);
    assert_eq!(of("edge-deploy.service", "nova"), "not-a-real-secret");
    // Each value of a file that it gets, by the parameter's name
    assert_eq!(of("edge-1.service", "RpcPassword"), "neither-is-this");
    for (unit, id) in [
        ("other.service", "passwords.yaml"),
        ("edge-deploy.service", "endpoint-map.json"),
        ("edge-deploy.service", "NoSuchParameter"),
    ] {
        assert_eq!(of(unit, id), "", "{unit} {id}");
    }
    // The same user without such an address is no unit
    assert_eq!(service.get("NovaPassword").refusal(), "no rule of the policy allows this");
    let log = std::fs::read_to_string(scratch.join("audit.log")).unwrap();
    let first: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(first["delivery"], "credential passwords.yaml");
    assert_eq!(first["peer"]["unit"], "edge-deploy.service");
    assert_eq!(audited(&scratch).len(), 7);
}

#[test]
fn a_name_like_systemds_is_worth_nothing_from_anybody_but_root() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: another user takes root");
        return;
    }
    let scratch = with_policy(UNIT_RULE);
    let service = Service::start_as(&scratch, serve(&scratch).args(["--group", "nogroup"]));
    std::fs::set_permissions(scratch.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let script = "import socket, sys\n\
                  s = socket.socket(socket.AF_UNIX)\n\
                  s.bind('\\0adf9d86b6eda275e/unit/edge-deploy.service/passwords.yaml')\n\
                  s.connect(sys.argv[1]); s.shutdown(socket.SHUT_WR)\n\
                  sys.stdout.buffer.write(s.recv(65536))\n";
    let mut stranger = Command::new("setpriv");
    stranger.args(["--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", script]);
    let heard = said(stranger.arg(&service.socket));
    // Nothing at all: to a service manager of his own any byte would be a credential
    assert_eq!((heard.code, heard.out.as_str(), heard.err.as_str()), (0, "", ""));
    assert_eq!(audited(&scratch)[0].2, "no rule of the policy allows this");
    assert_eq!(credential(&service.socket, "edge-deploy.service", "passwords.yaml"), FILE.as_bytes());
}

#[test]
fn a_credential_that_could_be_cut_is_refused() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: a unit's name counts from root alone");
        return;
    }
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    // More than systemd takes, whatever the socket's buffer
    let secrets = (0..220).map(|number| format!("  Large{number:03}: '{number:05000}x'\n"));
    scratch.write("plan.yaml", format!("passwords:\n{}", secrets.collect::<String>()), 0o600);
    assert_eq!(scratch.run(["pull", "--from-file", "plan.yaml", "-r", &recipient, "-o", "bundle"]).code, 0);
    scratch.write("serve.yaml", UNIT_RULE, 0o600);
    let service = Service::start(&scratch);
    assert_eq!(credential(&service.socket, "edge-deploy.service", "passwords.yaml").len(), 0);
    assert!(audited(&scratch)[0].2.contains("too large for a credential"), "{:?}", audited(&scratch));
    assert_eq!(credential(&service.socket, "edge-deploy.service", "Large007").len(), 5001);
}

#[test]
fn sockets_that_systemd_hands_over_are_taken_both_ways() {
    if !has("systemd-socket-activate") {
        return;
    }
    for inetd in [false, true] {
        let scratch = with_policy(OPEN);
        let inner = serve_at(&scratch, "audit.log", &[]);
        let mut activate = Command::new("systemd-socket-activate");
        activate.current_dir(scratch.path()).env_clear().env("HOME", scratch.path());
        activate.env("PATH", std::env::var_os("PATH").unwrap()).stdin(Stdio::null());
        activate.arg("-l").arg(scratch.join("socket")).args(inetd.then_some("--inetd"));
        activate.args(["-E", "HOME"]).arg(inner.get_program()).args(inner.get_args());
        let service = Service::begin(&scratch, &mut activate);
        while UnixStream::connect(&service.socket).is_err() {
            std::thread::yield_now();
        }
        service.wait_for("answering");
        assert_eq!(service.get("NovaPassword").value(), "not-a-real-secret", "--inetd: {inetd}");
        let (path, socket) = (service.socket.clone(), service.socket.symlink_metadata());
        assert_eq!(service.stop().0, Some(0));
        // It is systemd's, and stays
        assert!(path.exists() && socket.is_ok());
    }
}

#[test]
fn systemd_is_told_of_our_state() {
    let scratch = with_policy(OPEN);
    let abstract_name = format!("dcn-vault-test-{}", std::process::id());
    let by_path = UnixDatagram::bind(scratch.join("notify")).unwrap();
    let by_name =
        UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(abstract_name.as_bytes()).unwrap()).unwrap();
    let path = scratch.join("notify").into_os_string().into_string().unwrap();
    for (address, systemd) in [(path, by_path), (format!("@{abstract_name}"), by_name)] {
        systemd.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let told = || {
            let mut block = [0; 256];
            let count = systemd.recv(&mut block).unwrap();
            String::from_utf8(block[..count].to_vec()).unwrap()
        };
        let service = Service::start_as(&scratch, serve(&scratch).env("NOTIFY_SOCKET", &address));
        assert!(told().starts_with("READY=1\n"));
        service.send(Signal::HUP);
        assert!(told().starts_with("RELOADING=1\nMONOTONIC_USEC="));
        assert!(told().starts_with("READY=1\n"));
        assert_eq!(service.stop().0, Some(0));
        assert!(told().starts_with("STOPPING=1\n"));
    }
}

/// Our units, with this program in the place of the one that is installed.
fn units_in(scratch: &Scratch) -> Vec<PathBuf> {
    ["dcn-vault.service", "dcn-vault.socket"]
        .map(|name| {
            let unit = std::fs::read_to_string(packaging(name)).unwrap();
            let unit = unit.replace("/usr/bin/dcn-vault", env!("CARGO_BIN_EXE_dcn-vault"));
            scratch.write(&format!("units/{name}"), unit, 0o644)
        })
        .to_vec()
}

#[test]
fn the_units_are_sound_and_so_is_a_service_with_a_drop_in() {
    if !has("systemd-analyze") {
        return;
    }
    let scratch = Scratch::bare();
    let mut units = units_in(&scratch);
    let unit = "[Service]\nType=oneshot\nExecStart=/bin/true\n";
    units.push(scratch.write("units/edge-deploy.service", unit, 0o644));
    let made = scratch.run([
        "serve",
        "--drop-in",
        "edge-deploy.service",
        "--socket",
        "/run/dcn-vault/dcn-vault.sock",
        "--credential",
        "passwords.yaml",
        "--credential",
        "nova",
    ]);
    assert_eq!((made.code, made.err.as_str()), (0, ""));
    scratch.write("units/edge-deploy.service.d/dcn-vault.conf", &made.out, 0o644);
    let verified = Command::new("systemd-analyze").arg("verify").args(&units).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr);
    // Of ours: it also speaks of the host's own
    let ours: Vec<&str> =
        said.lines().filter(|line| line.contains("dcn-vault") || line.contains("edge-")).collect();
    assert_eq!((verified.status.code(), ours), (Some(0), Vec::new()));
}

#[test]
fn the_service_is_as_little_exposed_as_we_say() {
    if !has("systemd-analyze") {
        return;
    }
    let scratch = Scratch::bare();
    let unit = units_in(&scratch).remove(0);
    let judged = said(Command::new("systemd-analyze").args(["security", "--offline=true"]).arg(unit));
    let line = judged.out.lines().find(|line| line.contains("Overall exposure level")).unwrap();
    let figure = line.split_whitespace().find_map(|word| word.parse::<f64>().ok()).unwrap();
    println!("{line}");
    assert!(figure <= MOST_EXPOSED, "{line}");
}

#[test]
#[ignore = "needs root and systemd: run tests/all"]
fn a_real_systemd_starts_the_service_loads_credentials_and_fails_the_unit_that_is_refused() {
    let scratch = with_policy(
        "version: 1\nrules:\n- {user: root, allow: [Nova*]}\n- {unit: edge.service, allow: [passwords.yaml]}\n",
    );
    std::fs::create_dir(scratch.join("out")).unwrap();
    let mut boot = Command::new("unshare");
    boot.args([
        "--pid",
        "--mount",
        "--cgroup",
        "--uts",
        "--ipc",
        "--fork",
        "--propagation",
        "private",
        "--kill-child",
    ]);
    boot.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/boot.sh")).arg(scratch.path());
    boot.arg(env!("CARGO_BIN_EXE_dcn-vault")).arg(packaging(""));
    let ended = boot.stdin(Stdio::null()).output().unwrap();
    let out = |name: &str| std::fs::read_to_string(scratch.join("out").join(name)).unwrap_or_default();
    let all = format!("{}\n{}", String::from_utf8_lossy(&ended.stderr), out("state"));
    assert_eq!(out("edge"), FILE, "{all}");
    assert_eq!(out("refused"), "", "{all}");
    assert_eq!(out("get"), "not-a-real-secret", "{all}");
    for line in [
        "edge.service success",
        "refused.service exit-code",
        "dcn-vault.service active",
        "dcn-vault.service reloaded",
        "dcn-vault.service inactive success",
    ] {
        assert!(out("state").lines().any(|one| one == line), "{line}\n{all}");
    }
    let log: Vec<serde_json::Value> =
        out("audit").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let units = log.iter().map(|line| (line["event"].as_str().unwrap(), line["peer"]["unit"].as_str()));
    let units: Vec<_> = units.filter(|(_, unit)| unit.is_some()).collect();
    assert!(units.contains(&("opened", Some("edge.service"))), "{units:?}");
    assert!(units.contains(&("refused", Some("refused.service"))), "{units:?}");
}
