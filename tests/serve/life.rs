//! From its beginning to its end: the place, the signals, a bundle that is replaced, another user.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;

use rustix::process::Signal;

use crate::program::refusal::assert_refused;
use crate::program::said;
use crate::service::{OPEN, Service, add_arguments, get, heard, serve, serve_at, with_policy};

#[test]
fn the_socket_is_its_owners_alone_and_goes_with_the_service() {
    let scratch = with_policy(OPEN);
    let service = Service::start(&scratch);
    let metadata = service.socket.symlink_metadata().unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
    assert_eq!(service.stop().0, Some(0));
    assert_eq!(scratch.names(), ["audit.log", "bundle", "identity.txt", "plan.yaml", "serve.yaml"]);
}

#[test]
fn a_group_may_connect_where_it_is_named() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: to give a socket to a group takes root");
        return;
    }
    let scratch = with_policy(OPEN);
    let service = Service::start_as(&scratch, serve(&scratch).args(["--group", "nogroup"]));
    let mode = service.socket.symlink_metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o660);
    let err = "error: `no-such-group` is no group of this host\nhint: `getent group` lists them\n";
    let refused =
        said(serve_at(&scratch, "other.log", &["--socket", "other"]).args(["--group", "no-such-group"]));
    assert_refused(&refused, 1, err);
}

#[test]
fn a_place_without_a_directory_is_said_with_what_to_do() {
    let scratch = with_policy(OPEN);
    let refused = said(&mut serve_at(&scratch, "audit.log", &["--socket", "none/socket"]));
    let err = "error: cannot listen at `none/socket`: no such file or directory\nhint: make the directory first: `mkdir -m 755`, or packaging/systemd/dcn-vault.tmpfiles\n";
    assert_refused(&refused, 1, err);
}

#[test]
fn a_place_that_somebody_has_is_not_taken_and_one_that_was_left_is() {
    let scratch = with_policy(OPEN);
    let service = Service::start(&scratch);
    let err = format!(
        "error: another dcn-vault (process {}) is at work on `socket`\nhint: wait until it has ended; nothing was written\n",
        service.pid()
    );
    assert_refused(&said(&mut serve(&scratch)), 1, &err);
    assert_eq!(service.get("NovaPassword").value(), "not-a-real-secret");
    // What is killed leaves its socket behind
    service.send(Signal::KILL);
    drop(service);
    assert!(scratch.join("socket").exists());
    let service = Service::start(&scratch);
    assert_eq!(service.get("NovaPassword").value(), "not-a-real-secret");
    drop(service);
    std::fs::remove_file(scratch.join("socket")).unwrap();
    let other = UnixListener::bind(scratch.join("socket")).unwrap();
    let err = "error: somebody answers at `socket` already\nhint: end it first, or choose another place with --socket\n";
    assert_refused(&said(&mut serve(&scratch)), 1, err);
    drop(other);
    std::fs::remove_file(scratch.join("socket")).unwrap();
    scratch.write("socket", "precious", 0o600);
    let err =
        "error: `socket` is not a socket\nhint: choose another place with --socket, or remove it first\n";
    assert_refused(&said(&mut serve(&scratch)), 1, err);
    assert_eq!(std::fs::read(scratch.join("socket")).unwrap(), b"precious");
}

#[test]
fn without_a_place_to_write_down_who_got_what_nothing_is_served() {
    let scratch = with_policy(OPEN);
    let refused = said(&mut serve_at(&scratch, "nowhere/audit.log", &["--socket", "other"]));
    let err = "error: the audit log: cannot write `nowhere/audit.log`: no such file or directory\nhint: check the path\n";
    assert_refused(&refused, 1, err);
    assert!(!scratch.join("other").exists());
}

#[test]
fn an_identity_that_can_be_read_once_is_not_enough() {
    let scratch = with_policy(OPEN);
    let mut shell = scratch.program_in_shell("exec \"$@\" 3<identity.txt");
    let refused = said(shell.args(["serve", "-b", "bundle", "-i", "fd:3", "--policy", "serve.yaml"]));
    let err = "error: an identity of an inherited descriptor can be read once, and a bundle is opened for each request\nhint: name a file, or have systemd load the credential dcn-vault-identity\n";
    assert_refused(&refused, 1, err);
}

#[test]
fn a_new_policy_holds_after_hup_and_a_broken_one_leaves_the_old() {
    let scratch = with_policy(&OPEN.replace("'*', passwords.yaml", "NovaPassword"));
    let service = Service::start(&scratch);
    assert_eq!(service.get("RpcPassword").refusal(), "no rule of the policy allows this");
    scratch.write("serve.yaml", OPEN, 0o600);
    assert_eq!(service.get("RpcPassword").refusal(), "no rule of the policy allows this");
    service.send(Signal::HUP);
    assert_eq!(service.wait_for("a new policy holds: 1 rule"), Vec::<String>::new());
    assert_eq!(service.get("RpcPassword").value(), "neither-is-this");
    scratch.write("serve.yaml", "version: 1\nrules: [{user: '*', alow: [X]}]\n", 0o600);
    service.send(Signal::HUP);
    let said = service.wait_for("hint: did you mean `allow`?");
    let error =
        "error: the old policy still holds, since the new one cannot: `serve.yaml`: no setting of `rules[0]`";
    assert_eq!(said, [error]);
    assert_eq!(service.get("RpcPassword").value(), "neither-is-this");
    std::fs::remove_file(scratch.join("serve.yaml")).unwrap();
    service.send(Signal::HUP);
    service.wait_for("hint: check the path");
    assert_eq!(service.get("RpcPassword").value(), "neither-is-this");
}

#[test]
fn what_was_asked_for_is_answered_before_the_end() {
    let scratch = with_policy(&OPEN.replace("rules:", "limits: {workers: 1}\nrules:"));
    let mut service = Service::start(&scratch);
    let clients: Vec<_> = (0..20).map(|_| service.ask(&get("NovaPassword"))).collect();
    let mute = service.connect();
    // One that was accepted after all of them has been answered: so they were, too
    let last = service.answer("hello");
    assert_eq!(last.refusal(), "the request is no line of JSON");
    service.send(Signal::TERM);
    service.wait_for("ending, when what was asked for is answered");
    assert_eq!(heard(mute).refusal(), "the service is about to end");
    for client in clients {
        assert_eq!(heard(client).value(), "not-a-real-secret");
    }
    assert_eq!(service.wait(), (Some(0), Vec::new()));
    assert!(!service.socket.exists());
}

#[test]
fn the_next_answer_is_of_the_bundle_that_is_there_then() {
    let scratch = with_policy(OPEN);
    let service = Service::start(&scratch);
    assert_eq!(service.get("NovaPassword").value(), "not-a-real-secret");
    let old = std::fs::read_dir(scratch.join("bundle")).unwrap().map(|entry| entry.unwrap().path());
    let old: Vec<_> = old.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    let recipient = std::fs::read_to_string(scratch.join("identity.txt")).unwrap();
    let recipient =
        recipient.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap().to_owned();
    scratch.write("plan.yaml", "passwords: {NovaPassword: changed, RpcPassword: neither-is-this}\n", 0o600);
    let pull = ["pull", "--from-file", "plan.yaml", "-r", &recipient, "-o", "bundle"];
    assert_eq!(scratch.run(pull).code, 0);
    assert_eq!(service.get("NovaPassword").value(), "changed");
    for (path, bytes) in old {
        std::fs::write(path, bytes).unwrap();
    }
    let refused = service.get("NovaPassword");
    assert!(refused.refusal().contains("generation 1"), "{refused:?}");
}

#[test]
fn an_ordinary_user_serves_himself_and_root() {
    let scratch = with_policy(OPEN);
    let mut program = add_arguments(scratch.program_of_ordinary_user());
    let service = Service::start_as(&scratch, &mut program);
    assert_eq!(service.get("NovaPassword").value(), "not-a-real-secret");
    assert_eq!(service.stop().0, Some(0));
}
