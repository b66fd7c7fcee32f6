//! What systemd gives a service: a credential that only it can read, and a directory for what is remembered.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test sets what systemd would"
)]

mod program;

use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use program::{Scratch, said};
use rustix::fs::{XattrFlags, setxattr};

const NOBODY: u32 = 65534;
const OPENING: [&[&str]; 2] = [
    &["decrypt", "-b", "bundle"],
    &["run", "-b", "bundle", "--", "grep", "not-a-real-secret", "{passwords}"],
];

fn assert_opens(mut program: Command, scratch: &Scratch, words: &[&str]) {
    let program = program.env("CREDENTIALS_DIRECTORY", scratch.join("credentials")).args(words);
    let ended = said(program);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{words:?}");
    assert!(ended.out.contains("not-a-real-secret"), "{words:?}");
}

fn pulled() -> Scratch {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let key = std::fs::read(scratch.join("identity.txt")).unwrap();
    scratch.write("credentials/dcn-vault-identity", &key, 0o440);
    scratch.write("credentials/other", &key, 0o440);
    std::fs::remove_file(scratch.join("identity.txt")).unwrap();
    scratch
}

/// An access list as systemd makes it: the owner and one more user may read (`man 5 acl`).
fn let_read(path: &Path, user: u32) {
    const NONE: u32 = u32::MAX;
    let entries: [(u16, u16, u32); 5] =
        [(0x01, 4, NONE), (0x02, 4, user), (0x04, 0, NONE), (0x10, 4, NONE), (0x20, 0, NONE)];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, may, who) in entries {
        list.extend(tag.to_le_bytes().into_iter().chain(may.to_le_bytes()).chain(who.to_le_bytes()));
    }
    setxattr(path, "system.posix_acl_access", &list, XattrFlags::empty()).unwrap();
}

#[test]
#[ignore = "needs root, and a file system with access lists: run tests/all"]
fn a_credential_is_read_that_belongs_to_root_and_that_its_access_list_lets_the_service_read() {
    let scratch = pulled();
    let service = || scratch.program_of_ordinary_user();
    drop(service());
    for name in ["credentials/dcn-vault-identity", "credentials/other"] {
        let path = scratch.write(name, std::fs::read(scratch.join(name)).unwrap(), 0o400);
        chown(&path, Some(0), Some(0)).unwrap();
        let_read(&path, NOBODY);
        let made = std::fs::metadata(&path).unwrap();
        assert_eq!((made.mode() & 0o7777, made.uid()), (0o440, 0), "this is what systemd leaves");
    }
    let mut program = service();
    // Whoever makes the program's command gives all away
    for name in ["credentials/dcn-vault-identity", "credentials/other"] {
        chown(scratch.join(name), Some(0), Some(0)).unwrap();
    }
    program.env("CREDENTIALS_DIRECTORY", scratch.join("credentials"));
    let (path, before): (Vec<_>, Vec<_>) = program.get_args().partition(|word| Path::new(word).is_absolute());
    for words in OPENING {
        for named in [&[][..], &["-i", "credentials/other"]] {
            let mut again = Command::new(program.get_program());
            again.args(&before).args(&path).current_dir(scratch.path()).env_clear();
            again.env("HOME", scratch.path()).env("PATH", std::env::var_os("PATH").unwrap());
            let (verb, rest) = words.split_at(3);
            assert_opens(again, &scratch, &[verb, named, rest].concat());
        }
    }
}

#[test]
fn what_a_group_may_read_is_a_credential_in_its_place_alone() {
    let scratch = pulled();
    for words in OPENING {
        assert_opens(scratch.program(), &scratch, words);
    }
    let err = |name: &str, mode: &str| {
        format!("error: `{name}` can be read by others: its mode is {mode}\nhint: chmod 600 {name}\n")
    };
    // Without the variable it is a file as any
    scratch.opens_nothing(&["-i", "credentials/other"], &err("credentials/other", "0440"));
    let credentials = scratch.join("credentials");
    let credentials = [("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())];
    scratch.write("credentials/other", std::fs::read(scratch.join("credentials/other")).unwrap(), 0o444);
    let named = ["decrypt", "-b", "bundle", "-i", "credentials/other"];
    scratch.refuses_with(&named, &credentials, &err("credentials/other", "0444"));
    // A link there leads out of it
    scratch.write("outside", std::fs::read(scratch.join("credentials/other")).unwrap(), 0o440);
    symlink("../outside", scratch.join("credentials/link")).unwrap();
    let named = ["decrypt", "-b", "bundle", "-i", "credentials/link"];
    scratch.refuses_with(&named, &credentials, &err("credentials/link", "0440"));
}

#[test]
fn a_service_remembers_in_the_first_directory_that_systemd_gives_it() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    scratch.forget();
    let opens = |variables: &[(&str, &Path)], seen_in: &str| {
        for words in OPENING {
            let mut program = scratch.program();
            program.envs(variables.iter().copied()).args(&words[..3]).args(["-i", "identity.txt"]);
            let ended = said(program.args(&words[3..]));
            assert_eq!(ended.code, 0, "{}", ended.err);
            let seen = scratch.join(seen_in).join("seen");
            assert_eq!(std::fs::read_dir(&seen).unwrap().count(), 1, "{seen_in}: {words:?}");
            std::fs::remove_dir_all(seen).unwrap();
        }
    };
    let (first, second) = (scratch.join("first"), scratch.join("second"));
    let both = format!("{}:{}", first.display(), second.display());
    opens(&[("STATE_DIRECTORY", &first)], "first");
    opens(&[("STATE_DIRECTORY", Path::new(&both))], "first");
    opens(&[("STATE_DIRECTORY", &first), ("XDG_STATE_HOME", &second)], "second/dcn-vault");
    opens(&[("STATE_DIRECTORY", Path::new(""))], ".local/state/dcn-vault");
}

#[test]
fn a_link_in_a_usual_place_that_leads_nowhere_is_not_passed_over() {
    let scratch = pulled();
    std::fs::create_dir_all(scratch.join(".config/dcn-vault")).unwrap();
    symlink("/nowhere/identity.txt", scratch.join(".config/dcn-vault/identity.txt")).unwrap();
    let err = "error: cannot read `{here}/.config/dcn-vault/identity.txt`: no such file or directory\nhint: check the path\n";
    scratch.opens_nothing(&[], err);
}
