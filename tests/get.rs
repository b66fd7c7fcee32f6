//! `get`: one value in clear, exactly, where it was asked for and nowhere else.

mod cloud;
mod program;
mod pulled;

use std::os::unix::fs::{PermissionsExt, symlink};

use program::refusal::assert_refused;
use program::{AT_TERMINAL, Said, Scratch, occurring, said};
use pulled::Pulled;

const PLAN: &str = "\
passwords:
  NovaPassword: not-a-real-secret
  RpcPassword: \"two\\nlines \"
  Port: 0x1F
  Nothing: ~
  KeystoneFernetKeys:
    /etc/keystone/fernet-keys/0: {content: neither-is-this}
    /etc/keystone/fernet-keys/1: {content: nor-this-one}
    a.b: {c: first-of-two}
    a: {b.c: second-of-two}
";

fn bench() -> Scratch {
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    scratch.write("plan.yaml", PLAN, 0o600);
    let pulled = scratch.run(["pull", "--from-file", "plan.yaml", "-r", &recipient, "-o", "bundle"]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    scratch
}

fn get(scratch: &Scratch, arguments: &[&str]) -> Said {
    scratch.run(["get", "-b", "bundle", "-i", "identity.txt"].iter().chain(arguments))
}

#[test]
fn a_value_comes_exactly_as_it_is_with_nothing_before_or_behind_it() {
    let scratch = bench();
    for (arguments, out) in [
        (&["NovaPassword"][..], "not-a-real-secret"),
        (&["RpcPassword"], "two\nlines "),
        (&["RpcPassword", "--json"], "\"two\\nlines \"\n"),
        (&["Port", "-o", "-"], "0x1F"),
        (&["KeystoneFernetKeys./etc/keystone/fernet-keys/0.content"], "neither-is-this"),
        (&["/parameter_defaults/KeystoneFernetKeys/~1etc~1keystone~1fernet-keys~11/content"], "nor-this-one"),
        (&["/parameter_defaults/KeystoneFernetKeys/a.b/c"], "first-of-two"),
        (&["KeystoneFernetKeys.a", "--file", "passwords.yaml.age"], "b.c: second-of-two\n"),
        (&["KeystoneFernetKeys.a.b", "--json"], "{\n  \"c\": \"first-of-two\"\n}\n"),
        (&["Nothing", "--json"], "null\n"),
    ] {
        let Said { code, out: said, err } = get(&scratch, arguments);
        assert_eq!((code, said.as_str(), err.as_str()), (0, out, ""), "{arguments:?}");
    }
    // What a shell takes of it is the value
    let script = "test \"$(\"$@\" get -b bundle -i identity.txt NovaPassword)\" = not-a-real-secret";
    assert_eq!(said(&mut scratch.program_in_shell(script)).code, 0);
}

#[test]
fn what_is_not_there_is_told_by_what_was_typed_and_by_public_names() {
    let scratch = bench();
    let keys = "keys below a parameter are not listed, since they may be secret: get all of it";
    for (arguments, error, hint) in [
        (
            &["NovaPasword"][..],
            "no parameter `NovaPasword` is in what this site gets",
            "is `NovaPassword` meant? `dcn-vault show` lists the names",
        ),
        (
            &["/parameter_defaults/Heat"],
            "no parameter `Heat` is in what this site gets",
            "`dcn-vault show` lists the names of all 5",
        ),
        (
            &["\u{1b}[2J"],
            "no parameter `\\u{1b}[2J` is in what this site gets",
            "`dcn-vault show` lists the names of all 5",
        ),
        (&["KeystoneFernetKeys.2"], "there is no `2` below `KeystoneFernetKeys`", keys),
        (&["/x"], "there is no `x` in the file", keys),
        (
            &["NovaPassword.x"],
            "there is no `x` below `NovaPassword`, which is a single value",
            "leave out what comes behind it",
        ),
        (
            &["KeystoneFernetKeys.a.b.c"],
            "`KeystoneFernetKeys.a.b.c` can be several values",
            "say which, as a JSON pointer: '/parameter_defaults/KeystoneFernetKeys/a.b/c' or '/parameter_defaults/KeystoneFernetKeys/a/b.c'",
        ),
        (&["Nothing"], "`Nothing` is null", "--json writes it as JSON"),
        (&[""], "no value is named", "name a parameter: NovaPassword, say"),
        (
            &["/a~b"],
            "`/a~b` is not a JSON pointer: a `~` is followed by 0 or 1",
            "in a key, write ~1 for a slash and ~0 for a `~`",
        ),
        (
            &["NovaPassword", "--file", "secrets.yaml"],
            "`secrets.yaml` is not a file of a bundle",
            "it is one of: endpoint-map.json, all-nodes-extra-map-data.json, global-config-extra-map-data.json, extra-host-file-entries.json, oslo-messaging.yaml, export-settings.yaml, ceph-external.yaml, passwords.yaml",
        ),
    ] {
        let before = scratch.holdings();
        let err = format!("error: {error}\nhint: {hint}\n");
        assert_refused(&get(&scratch, arguments), 1, &err);
        assert_refused(&get(&scratch, &[arguments, &["-o", "out"]].concat()), 1, &err);
        assert!(scratch.holdings() == before, "something has changed");
    }
}

#[test]
fn a_parameter_is_found_in_the_file_that_has_it() {
    let pulled = Pulled::new();
    let scratch = &pulled.scratch;
    let file =
        |name: &str| -> serde_json::Value { serde_json::from_str(&pulled.decrypt(&[name]).out).unwrap() };
    for (name, parameter) in [
        ("endpoint-map.json", "EndpointMapOverride"),
        ("global-config-extra-map-data.json", "GlobalConfigExtraMapData"),
        ("extra-host-file-entries.json", "ExtraHostFileEntries"),
    ] {
        let Said { code, out, err } = get(scratch, &[parameter, "--json"]);
        assert_eq!((code, err.as_str()), (0, ""), "{parameter}");
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert!(value == file(name)["parameter_defaults"][parameter], "{parameter}");
    }
    let elsewhere = get(scratch, &["NovaPassword", "--file", "endpoint-map.json"]);
    let err = "error: no parameter `NovaPassword` is in what this site gets\nhint: `dcn-vault show` lists the names of all 1\n";
    assert_refused(&elsewhere, 1, err);
    // Every single value of the passwords file, one by one
    let passwords = dcn_vault::yaml::read(pulled.decrypt(&[]).out.as_bytes(), "passwords.yaml").unwrap();
    let Some(dcn_vault::model::Data::Map(entries)) = passwords.under("parameter_defaults") else {
        unreachable!()
    };
    let mut compared = 0;
    for (key, value) in entries.iter().step_by(6) {
        let dcn_vault::model::Data::Scalar(value) = value else { continue };
        // EXPOSE: made up
        let (name, value) = (key.text.expose(str::to_owned), value.text.expose(str::to_owned));
        assert_eq!(get(scratch, &[&name]).out, value, "{name}");
        compared += 1;
    }
    assert!(compared > 5, "{compared}");
}

#[test]
fn a_value_goes_to_a_new_private_file_whole_or_not_at_all() {
    let scratch = bench();
    let script = "umask 000; \"$@\" get -b bundle -i identity.txt NovaPassword -o out";
    assert_eq!(said(&mut scratch.program_in_shell(script)).code, 0);
    assert_eq!(std::fs::read(scratch.join("out")).unwrap(), b"not-a-real-secret");
    assert_eq!(scratch.join("out").metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    symlink("nowhere", scratch.join("dangling")).unwrap();
    symlink("/dev/null", scratch.join("device")).unwrap();
    let before = scratch.holdings();
    for name in ["out", "dangling", "device"] {
        let err = format!("error: `{name}` exists\nhint: choose another name, or remove it first\n");
        assert_refused(&get(&scratch, &["NovaPassword", "-o", name]), 1, &err);
    }
    let err = "error: cannot create `no/out`: no such file or directory\nhint: check the path\n";
    assert_refused(&get(&scratch, &["NovaPassword", "-o", "no/out"]), 1, err);
    assert!(scratch.holdings() == before, "something has changed");
}

#[test]
fn a_full_disk_takes_nothing_of_a_value_or_of_a_file() {
    let scratch = bench();
    for verb in ["get NovaPassword", "decrypt"] {
        let script = format!(
            "mkdir -p small && exec unshare -rm sh -c 'mount -t tmpfs -o size=16k none small || exit 77
             head -c 16384 /dev/zero > small/fill 2>/dev/null
             \"$@\" {verb} -b bundle -i identity.txt -o small/out; echo \"$?\"; ls small' sh \"$@\""
        );
        let ended = said(&mut scratch.program_in_shell(&script));
        if ended.code == 77 {
            assert!(!rustix::process::geteuid().is_root(), "{}", ended.err);
            return;
        }
        let err = "error: cannot write `small/out`: no space left on device\nhint: check the file system: is it full, read-only or gone?\n";
        assert_eq!((ended.out.as_str(), ended.err.as_str()), ("1\nfill\n", err), "{verb}");
    }
}

#[test]
fn a_terminal_gets_no_value_unless_it_is_asked_for_by_name() {
    let scratch = bench();
    let refused = scratch.run_at_terminal("get -b bundle -i identity.txt NovaPassword");
    assert_eq!((refused.code, refused.out.as_str()), (1, AT_TERMINAL));
    let asked = scratch.run_at_terminal("get -b bundle -i identity.txt NovaPassword -o -");
    assert_eq!((asked.code, asked.out.as_str()), (0, "not-a-real-secret"));
}

#[test]
fn whoever_may_not_open_it_gets_no_value() {
    let scratch = bench();
    scratch.keygen("other.txt");
    let refused = scratch.run(["get", "-b", "bundle", "-i", "other.txt", "NovaPassword"]);
    let err = "error: no identity of yours is a recipient of the bundle\nhint: `dcn-vault show` lists the recipients; is yours among them? Else ask for a new pull with it\n";
    assert_refused(&refused, 1, err);
    scratch.replace_in_bundle("passwords.yaml.age", b"not an age file");
    let damaged = get(&scratch, &["NovaPassword"]);
    let err = "error: `passwords.yaml.age` is damaged\nhint: get the bundle anew from where it was made; do not deploy with it\n";
    assert_refused(&damaged, 1, err);
    let secrets = ["not-a-real-secret".to_owned()];
    assert!(occurring(&secrets, refused.err.as_bytes()).is_empty());
}
