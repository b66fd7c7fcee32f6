//! Which child reads the files in which delivery, as root and as an ordinary user: the table of SECURITY.md, cell by cell.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic"
)]

mod program;

use std::process::{Command, Stdio};

use program::{Said, Scratch, said};

/// Says whether it is a file, and reads it twice, each time from its beginning.
const READ: &str = r#"
import os, sys
path = sys.argv[1]
print(os.path.isfile(path), flush=True)
try:
    print(*[open(path).read().count("not-a-real-secret") for _ in range(2)])
except OSError as error:
    sys.exit(f"{type(error).__name__}: {error}".replace(os.path.dirname(path), "DIR"))
"#;
/// A program of Python's own library closes what it does not know.
const GRANDCHILD: &str = r#"
import subprocess, sys
sys.exit(subprocess.run([sys.executable, "-c", *sys.argv[1:]], close_fds=True).returncode)
"#;
/// Lets an ordinary user be root without a password, for what it starts and for nobody else.
const WITH_SUDO: &str = r#"
mount -t tmpfs -o mode=0755 sudoers /etc/sudoers.d
echo '#65534 ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/test
chmod 0440 /etc/sudoers.d/test
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"#;
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Clone, Copy)]
struct Outcome {
    code: i32,
    out: &'static str,
    err: &'static str,
    /// What the table says.
    word: &'static str,
}

const WORKS: Outcome = Outcome { code: 0, out: "True\n1 1\n", err: "", word: "yes" };
const CLOSED: Outcome = Outcome {
    code: 1,
    out: "False\n",
    err: "FileNotFoundError: [Errno 2] No such file or directory: 'DIR/passwords.yaml'\n",
    word: "no: `FileNotFoundError`, it has closed the descriptors",
};
const REFUSED: Outcome = Outcome {
    code: 1,
    out: "",
    err: "error: `/usr/bin/sudo` changes the user, and with --delivery mount there is no other user for it\nhint: run it as root: sudo dcn-vault run -- …; or use --delivery file\n",
    word: "no: refused before it starts",
};

const CHILDREN: [&str; 5] =
    ["python", "bash → python", "python → python", "sudo → python", "setsid → python"];

/// Delivery, child, and what comes of it for root and for an ordinary user.
const TABLE: [(&str, &str, [Outcome; 2]); 15] = [
    ("mount", CHILDREN[0], [WORKS, WORKS]),
    ("mount", CHILDREN[1], [WORKS, WORKS]),
    ("mount", CHILDREN[2], [WORKS, WORKS]),
    ("mount", CHILDREN[3], [WORKS, REFUSED]),
    ("mount", CHILDREN[4], [WORKS, WORKS]),
    ("fd", CHILDREN[0], [WORKS, WORKS]),
    ("fd", CHILDREN[1], [WORKS, WORKS]),
    ("fd", CHILDREN[2], [CLOSED, CLOSED]),
    ("fd", CHILDREN[3], [CLOSED, CLOSED]),
    ("fd", CHILDREN[4], [WORKS, WORKS]),
    ("file", CHILDREN[0], [WORKS, WORKS]),
    ("file", CHILDREN[1], [WORKS, WORKS]),
    ("file", CHILDREN[2], [WORKS, WORKS]),
    ("file", CHILDREN[3], [WORKS, WORKS]),
    ("file", CHILDREN[4], [WORKS, WORKS]),
];

#[test]
#[ignore = "needs root, python3 and sudo: run tests/all"]
fn each_child_reads_the_files_or_it_is_said_why_not() {
    for (delivery, child, outcomes) in TABLE {
        for (user, outcome) in ["root", "ordinary user"].into_iter().zip(outcomes) {
            let scratch = Scratch::new();
            scratch.pull_from_file();
            let Said { code, out, err } = said(program_of(&scratch, user).args(words(delivery, child)));
            let expected = format!("{}{}", warning(delivery), outcome.err);
            assert_eq!(
                (code, out.as_str(), err),
                (outcome.code, outcome.out, expected),
                "{delivery}, {child}, {user}"
            );
        }
    }
    println!(
        "{}",
        rows().join(
            "
"
        )
    );
}

#[test]
fn the_manual_has_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/manual/operations.md");
    let manual = std::fs::read_to_string(path).unwrap();
    let table = rows().join("\n");
    assert!(manual.contains(&table), "the manual has another table than\n{table}");
}

/// The table as the manual has it: one row a child.
fn rows() -> Vec<String> {
    let cell = |(_, _, [root, other]): &(&str, &str, [Outcome; 2])| {
        let (root, other) = (root.word, other.word);
        if root == other { root.to_owned() } else { format!("root: {root}; others: {other}") }
    };
    let row = |child: &str| {
        let cells: Vec<String> = TABLE.iter().filter(|(_, name, _)| *name == child).map(cell).collect();
        format!("| {child} | {} |", cells.join(" | "))
    };
    CHILDREN.map(row).to_vec()
}

/// In a mount namespace of its own: what is said there of who may be root is said to nobody else.
fn program_of(scratch: &Scratch, user: &str) -> Command {
    let program = scratch.program();
    let mut wrapped = Command::new("unshare");
    wrapped.arg("--mount");
    if user == "root" {
        wrapped.arg(program.get_program());
    } else {
        let copy = scratch.join(".program");
        program::copy_program_to(&copy);
        scratch.give_away();
        wrapped.args(["sh", "-euc", WITH_SUDO, "sh"]).arg(copy);
    }
    wrapped.current_dir(scratch.path()).env_clear().env("HOME", scratch.path()).env("PATH", PATH);
    wrapped.stdin(Stdio::null());
    wrapped
}

fn words(delivery: &'static str, child: &str) -> Vec<&'static str> {
    let mut words = vec!["run", "-b", "bundle", "-i", "identity.txt", "--delivery", delivery, "--"];
    words.extend(match child {
        "bash → python" => &["bash", "-c", "python3 -c \"$@\"; exit $?", "bash", READ] as &[_],
        "python → python" => &["python3", "-c", GRANDCHILD, READ],
        "sudo → python" => &["sudo", "-n", "python3", "-c", READ],
        "setsid → python" => &["setsid", "--wait", "python3", "-c", READ],
        _ => &["python3", "-c", READ],
    });
    words.push("{passwords}");
    words
}

/// What is said whatever the child does.
fn warning(delivery: &str) -> &'static str {
    match delivery {
        "file" => {
            "warning: --delivery file: the secrets have a name while the command runs, may be swapped out, and stay if we are killed\n"
        }
        _ => "",
    }
}
