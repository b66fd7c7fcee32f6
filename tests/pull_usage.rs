//! Mistakes on this side of a `pull`: found before anybody is asked for a secret, and never repeated where they hold one.

mod program;

use program::refusal::assert_refused;
use program::{Scratch, said};

const ABSENT: &str = "hint: check the path\n";
const ANOTHER: &str = "hint: give another directory; nothing in this one was touched\n";
const FROM_FILE: [&str; 3] = ["pull", "--from-file", "plan.yaml"];
const LOST: &str = "hint: take it out, of git's history too, and make a new one: `dcn-vault keygen -o FILE` prints its recipient\n";
const NO_RECIPIENT: &str = "hint: it is `age1…` of 62 characters, as `dcn-vault keygen` prints it, an ssh-ed25519 or ssh-rsa key, or a plugin's `age1NAME1…`\n";
const KINDS: &str = "hint: give a plan-environment.yaml, an environment file with `parameter_defaults`, an export, what `openstack stack output show -f json` prints, kolla-ansible's passwords.yml or OpenStack-Ansible's user_secrets.yml\n";
const OTHER_PLAN: &str =
    "hint: is it the plan of a deployed stack? Name it with --plan, or give another --from-file\n";

/// `FROM_FILE`, then these.
fn from_file<'a>(more: &[&'a str]) -> Vec<&'a str> {
    FROM_FILE.iter().chain(more).copied().collect()
}

#[test]
fn nobody_could_open_it() {
    let (scratch, _) = Scratch::with_plan();
    let none = "error: no recipients: nobody could open the bundle\nhint: give -r age1… or -R FILE, or list a site's in keys/SITE/recipients.txt\n";
    scratch.refuses(&FROM_FILE, none);
    let absent = format!("error: cannot read `r.txt`: no such file or directory\n{ABSENT}");
    scratch.refuses(&from_file(&["-R", "r.txt"]), &absent);
    scratch.write("r.txt", "# nobody yet\n", 0o644);
    let empty = "error: `r.txt` lists no recipient\nhint: add an `age1…` line to r.txt\n";
    scratch.refuses(&from_file(&["-R", "r.txt"]), empty);
    std::fs::create_dir_all(scratch.join("keys/turin")).unwrap();
    std::os::unix::fs::symlink("nowhere", scratch.join("keys/turin/recipients.txt")).unwrap();
    let lost = format!(
        "error: cannot open `{{here}}/keys/turin/recipients.txt`: no such file or directory\n{ABSENT}"
    );
    scratch.refuses(&FROM_FILE, &lost);
    std::fs::remove_file(scratch.join("keys/turin/recipients.txt")).unwrap();
    scratch.write("keys/lyon/recipients.txt", "", 0o644);
    let empty = "error: `{here}/keys/lyon/recipients.txt` lists no recipient\nhint: add an `age1…` line to {here}/keys/lyon/recipients.txt\n";
    scratch.refuses(&FROM_FILE, empty);
}

#[test]
fn what_is_no_recipient_is_named_by_its_place() {
    let (scratch, recipient) = Scratch::with_plan();
    let argument = format!("error: an argument of --recipient is not an age recipient\n{NO_RECIPIENT}");
    let shorter = recipient.get(..61).unwrap();
    for text in ["", "age1", shorter, "ssh-ed25519 AAAA", "\u{1b}[2J"] {
        scratch.refuses(&from_file(&["-r", text]), &argument);
    }
    scratch.write("r.txt", format!("# one\n{recipient}\n{recipient}x\n"), 0o644);
    let line = format!("error: r.txt:3 is not an age recipient\n{NO_RECIPIENT}");
    scratch.refuses(&from_file(&["-R", "r.txt"]), &line);
    scratch.write("keys/-x/recipients.txt", &recipient, 0o644);
    let site = "error: `{here}/keys/-x` is not a site's directory\nhint: name it with letters, digits, `.`, `_` and `-`\n";
    scratch.refuses(&FROM_FILE, site);
}

#[test]
fn a_private_key_where_a_recipient_belongs_is_never_repeated() {
    let (scratch, _) = Scratch::with_plan();
    let identity = String::from_utf8(std::fs::read(scratch.join("identity.txt")).unwrap()).unwrap();
    let key = identity.lines().last().unwrap();
    let lower = key.to_lowercase();
    let at = |place: &str| format!("error: {place} is a private key, not a recipient\n{LOST}");
    for text in [key, &lower, "-----BEGIN OPENSSH PRIVATE KEY-----"] {
        scratch.refuses(&from_file(&[&format!("-r{text}")]), &at("an argument of --recipient"));
    }
    scratch.refuses(&from_file(&["-R", "identity.txt"]), &at("identity.txt:3"));
    scratch.write("keys/lyon/recipients.txt", &identity, 0o644);
    scratch.refuses(&FROM_FILE, &at("{here}/keys/lyon/recipients.txt:3"));
}

#[test]
fn an_output_that_is_something_else_is_not_touched() {
    let (scratch, recipient) = Scratch::with_plan();
    scratch.write("file", "x", 0o644);
    scratch.write("full/notes", "x", 0o644);
    std::os::unix::fs::symlink("full", scratch.join("link")).unwrap();
    for name in ["file", "full", "link"] {
        let err = format!("error: `{name}` exists and is not a bundle\n{ANOTHER}");
        scratch.refuses(&from_file(&["-r", &recipient, "-o", name]), &err);
    }
    let pull = scratch.run(from_file(&["-r", &recipient]));
    assert_eq!(pull.code, 0, "{}", pull.err);
    scratch.write("bundle/notes", "x", 0o644);
    let foreign = "error: `{here}/bundle/notes` does not belong to the bundle\nhint: move {here}/bundle/notes elsewhere: a pull replaces the whole directory\n";
    scratch.refuses(&from_file(&["-r", &recipient]), foreign);
    std::fs::remove_file(scratch.join("bundle/notes")).unwrap();
    scratch.write_unsigned_manifest("{");
    let malformed = "error: `{here}/bundle/manifest.json`:1:1: not a bundle's manifest\nhint: get the bundle anew from where it was made; do not deploy with it\n";
    scratch.refuses(&from_file(&["-r", &recipient]), malformed);
}

#[test]
fn an_output_that_may_not_be_written_is_refused() {
    let (scratch, recipient) = Scratch::with_plan();
    let closed = scratch.join("closed");
    std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o555).create(closed).unwrap();
    let mut program = scratch.program_of_ordinary_user();
    let before = (scratch.names(), scratch.files());
    let ended = said(program.args(from_file(&["-r", &recipient, "-o", "closed/bundle"])));
    let err = "error: cannot write in `closed`: permission denied\nhint: run this as a user who may\n";
    assert_refused(&ended, 1, err);
    assert_eq!((scratch.names(), scratch.files()), before);
    assert_eq!(std::fs::read_dir(scratch.join("closed")).unwrap().count(), 0);
}

#[test]
fn a_file_that_is_no_plan_is_refused() {
    let (scratch, recipient) = Scratch::with_plan();
    let broken = "this is not YAML\nhint: look at this line and the one before: quotes, indentation, tabs, a missing `: `\n";
    let rows: &[(&[u8], &str)] = &[
        (b"", &format!("error: odd.yaml is empty\n{OTHER_PLAN}")),
        (b" \n\n", &format!("error: odd.yaml is empty\n{OTHER_PLAN}")),
        (
            b"- not-a-real-secret\n",
            &format!("error: odd.yaml is none of the files that can be read\n{KINDS}"),
        ),
        (b"passwords: {a: 'not-a-real-secret\n", &format!("error: odd.yaml:1:16: {broken}")),
        (
            b"\x7fELF\x02\x01\x01\0\0",
            "error: odd.yaml:1:1: expected printable characters, found an invisible one\nhint: is it a text file? Else write the character as an escape (`\\x7F`) within double quotes\n",
        ),
        (
            b"\xff\xfe\x01",
            "error: odd.yaml:1:1: expected UTF-8\nhint: save the file as UTF-8, for instance with `iconv -t UTF-8`\n",
        ),
    ];
    for (text, err) in rows {
        scratch.write("odd.yaml", text, 0o600);
        scratch.refuses(&["pull", "--from-file", "odd.yaml", "-r", &recipient], err);
    }
    let absent = format!("error: cannot read `absent.yaml`: no such file or directory\n{ABSENT}");
    scratch.refuses(&["pull", "--from-file", "absent.yaml", "-r", &recipient], &absent);
    let directory = "error: cannot read `.`: is a directory\nhint: name a file\n";
    scratch.refuses(&["pull", "--from-file", ".", "-r", &recipient], directory);
}

#[test]
fn flags_that_do_not_go_together_are_a_matter_of_usage() {
    let (scratch, _) = Scratch::with_plan();
    for flag in ["--os-cloud", "--plan", "--working-dir", "--barbican"] {
        let ended = scratch.run(from_file(&[flag, "x"]));
        assert_eq!((ended.code, ended.out.as_str()), (2, ""));
        let first = ended.err.lines().next().unwrap();
        assert!(
            first.starts_with("error: the argument '--from-file <FILE>' cannot be used with '"),
            "{first}"
        );
    }
    let list = [
        &["--after", "1"][..],
        &["--allow-incomplete"],
        &["--dry-run"],
        &["--on-secret", "seal"],
        &["--release", "train"],
        &["--barbican", "x=X"],
        &["--ceph-stack", "x"],
        &["--cephx-key-client-name", "x"],
        &["--config-download-dir", "x"],
        &["--exclude", "x"],
        &["--from-file", "plan.yaml"],
        &["--no-sign"],
        &["--output", "x"],
        &["--plan", "x"],
        &["--recipient", "x"],
        &["--recipients-file", "x"],
        &["--settled", "x"],
        &["--sign-key", "x"],
        &["--stack", "x"],
        &["--working-dir", "x"],
    ];
    for flags in list {
        let ended = scratch.run(["pull", "--list"].iter().chain(flags));
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{flags:?}");
        let first = ended.err.lines().next().unwrap();
        assert!(first.starts_with("error: the argument '--list' cannot be used with '"), "{first}");
    }
    for arguments in
        [&["pull", "--on-secret", "print"][..], &["pull", "extra"], &["pull", "--no-such"], &["pul"], &[]]
    {
        assert_eq!(scratch.run(arguments).code, 2, "{arguments:?}");
    }
    assert_eq!(scratch.names(), ["identity.txt", "plan.yaml"]);
}

#[test]
fn a_client_of_ceph_without_a_cluster_is_a_matter_of_usage() {
    let (scratch, recipient) = Scratch::with_plan();
    let flags = ["-r", &recipient, "--cephx-key-client-name", "external"];
    let err = "error: --cephx-key-client-name is given, and no stack that has a Ceph cluster\nhint: name one with --ceph-stack, or in dcn-vault.yaml: `source: {ceph: {stacks: [NAME]}}`\n";
    assert_refused(&scratch.run(from_file(&flags)), 2, err);
    // A stack of either kind is looked for
    let absent = "error: stack `dcn0` has left no files of a Ceph cluster here\n";
    let by_flag = scratch.run(from_file(&flags).iter().chain(&["--ceph-stack", "dcn0"]));
    assert!(by_flag.code == 1 && by_flag.err.starts_with(absent), "{}", by_flag.err);
    scratch.write("dcn-vault.yaml", "version: 1\nsource: {ceph: {stacks: [dcn0]}}\n", 0o644);
    let by_vault = scratch.run(from_file(&flags));
    assert!(by_vault.code == 1 && by_vault.err.starts_with(absent), "{}", by_vault.err);
    assert!(!scratch.join("bundle").exists());
}
