//! `get --socket`: what comes out is the value, or nothing and why.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use crate::program::refusal::assert_refused;
use crate::program::{Said, Scratch, said};
use crate::service::{OPEN, Service, with_policy};

fn get(scratch: &Scratch, arguments: &[&str]) -> Said {
    scratch.run(["get", "--socket", "socket"].iter().chain(arguments))
}

#[test]
fn it_writes_as_without_a_service() {
    let scratch = with_policy(&OPEN.replace("'*', passwords.yaml", "Nova*"));
    let service = Service::start(&scratch);
    for (arguments, out) in [
        (&["NovaPassword"][..], "not-a-real-secret"),
        (&["NovaPassword", "--json"], "\"not-a-real-secret\"\n"),
        (&["/parameter_defaults/NovaPassword", "--file", "passwords.yaml"], "not-a-real-secret"),
    ] {
        let Said { code, out: value, err } = get(&scratch, arguments);
        assert_eq!((code, value.as_str(), err.as_str()), (0, out, ""));
    }
    assert_eq!(get(&scratch, &["NovaPassword", "-o", "out"]).code, 0);
    assert_eq!(std::fs::read(scratch.join("out")).unwrap(), b"not-a-real-secret");
    assert_eq!(scratch.join("out").metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    let refused = get(&scratch, &["RpcPassword", "-o", "none"]);
    let err = "error: no rule of the policy allows this\nhint: whoever runs `dcn-vault serve` can add one to its policy\n";
    assert_refused(&refused, 1, err);
    assert!(!scratch.join("none").exists());
    drop(service);
    let err = "error: cannot ask `socket`: connection refused\nhint: is the service running? `systemctl status dcn-vault.socket`, or `dcn-vault serve`\n";
    assert_refused(&get(&scratch, &["NovaPassword"]), 1, err);
    let refused = scratch.run(["get", "--socket", "socket", "-i", "identity.txt", "NovaPassword"]);
    assert_eq!(refused.code, 2);
}

#[test]
fn what_is_not_whole_or_not_ours_is_never_a_value() {
    let ok = br#"{"version":1,"status":"ok","length":17}"#;
    let cut = "error: the answer of `socket` is cut\nhint: ask again; its log says what has happened\n";
    let not_ours = "error: `socket` does not answer as dcn-vault does\nhint: is it the right socket? Another version may speak another protocol\n";
    for (answer, err) in [
        (Vec::new(), cut),
        (ok.to_vec(), cut),
        ([&ok[..], b"\n"].concat(), cut),
        ([&ok[..], b"\nnot-a-real-secre"].concat(), cut),
        (b"not-a-real-secret\n".to_vec(), not_ours),
        (b"{\"version\":2,\"status\":\"ok\",\"length\":1}\nx".to_vec(), not_ours),
        ([b'x'; 5000].to_vec(), not_ours),
    ] {
        let scratch = Scratch::bare();
        let listener = UnixListener::bind(scratch.join("socket")).unwrap();
        let server = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            assert!(client.read(&mut request).unwrap() > 0);
            // The client may be gone before it has heard all
            let _ = client.write_all(&answer);
        });
        assert_refused(&get(&scratch, &["NovaPassword"]), 1, err);
        server.join().unwrap();
    }
}

#[test]
fn a_service_of_a_stranger_is_asked_nothing() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: another user's socket takes root");
        return;
    }
    let scratch = with_policy(OPEN);
    let mut program = crate::service::add_arguments(scratch.program_of_ordinary_user());
    let service = Service::start_as(&scratch, &mut program);
    // It is his own directory: somebody has let him
    assert_eq!(get(&scratch, &["NovaPassword"]).out, "not-a-real-secret");
    assert!(std::process::Command::new("chown").arg("0:0").arg(scratch.path()).status().unwrap().success());
    let err = "error: `socket` is served by user 65534, who is not root, not you, and not whose directory it is in\nhint: it could give false values: see who has made it\n";
    assert_refused(&said(scratch.program().args(["get", "--socket", "socket", "NovaPassword"])), 1, err);
    drop(service);
}
