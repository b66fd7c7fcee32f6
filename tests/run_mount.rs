//! `run` by mounts: the files are in the bundle's own directory for the command's tree alone, its `/tmp` is memory, and nobody
//! gets more rights than he had.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic"
)]

mod program;

use std::process::Command;

use program::deployment::Deployment;
use program::refusal::assert_refused;
use program::{Said, Scratch, said};

const USERS: [&str; 2] = ["root", "ordinary"];
const CONTAIN: [&str; 4] = ["--contain", "out", "--delivery", "mount"];

fn small() -> Scratch {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    std::fs::create_dir_all(scratch.join("runtime")).unwrap();
    scratch
}

/// `run` of these words with these options, as one of the users; an ordinary one has the directory from then on.
fn run(scratch: &Scratch, user: &str, options: &[&str], words: &[&str]) -> Command {
    let mut program = if user == "root" { scratch.program() } else { scratch.program_of_ordinary_user() };
    program.env("XDG_RUNTIME_DIR", scratch.join("runtime"));
    program.args(["run", "-i"]).arg(scratch.join("identity.txt")).arg("-b").arg(scratch.join("bundle"));
    program.args(options).arg("--").args(words);
    program
}

fn script(scratch: &Scratch, user: &str, text: &str) -> Said {
    said(&mut run(scratch, user, &["--delivery", "mount"], &["sh", "-c", text, "sh", "{passwords}"]))
}

fn files_of(scratch: &Scratch, directory: &str) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    scratch.files().into_iter().filter(|(path, _)| path.starts_with(scratch.join(directory))).collect()
}

#[test]
fn the_bundle_is_as_it_was_for_everybody_else() {
    for user in USERS {
        let scratch = small();
        let text = "echo $$; cat bundle/passwords.yaml; ls -A bundle; echo end; read -r _";
        let mut command = run(&scratch, user, &["--delivery", "mount"], &["sh", "-c", text]);
        let before = files_of(&scratch, "bundle");
        let mut deployment = Deployment::start(&mut command);
        let lines: Vec<String> =
            std::iter::repeat_with(|| deployment.line()).take_while(|line| line != "end").collect();
        let text = lines.join("\n");
        assert!(
            text.contains("NovaPassword: not-a-real-secret") && text.ends_with("passwords.yaml"),
            "{text}"
        );
        assert!(files_of(&scratch, "bundle") == before, "{user}: while the command runs");
        deployment.end();
        assert!(files_of(&scratch, "bundle") == before, "{user}: afterwards");
    }
}

#[test]
#[ignore = "needs root: run tests/all"]
fn a_host_that_shares_its_mounts_sees_none_of_ours() {
    let scratch = small();
    // As systemd sets a host up: what is mounted below is mounted everywhere
    let script = "mkfifo go; cat /proc/self/mountinfo >before
        \"$@\" run -b bundle -i identity.txt --delivery mount --contain out -- sh -c 'echo >running; read -r _ <go' & run=$!
        until [ -e running ]; do kill -0 $run || exit 8; done
        cat /proc/self/mountinfo >during; echo >go; wait $run || exit 9; cat /proc/self/mountinfo >after
        cmp before during && cmp before after && grep -c shared: before >/dev/null && echo same";
    std::fs::create_dir(scratch.join("out")).unwrap();
    for user in USERS {
        let program = if user == "root" { scratch.program() } else { scratch.program_of_ordinary_user() };
        let mut host = Command::new("unshare");
        host.args(["-m", "--propagation", "shared", "sh", "-c", script, "sh"]);
        host.arg(program.get_program()).args(program.get_args()).current_dir(scratch.path());
        host.env("HOME", scratch.path()).env("XDG_RUNTIME_DIR", scratch.join("runtime"));
        let seen = said(&mut host);
        assert_eq!((seen.code, seen.out.as_str(), seen.err.as_str()), (0, "same\n", ""), "{user}");
        for left in ["go", "running", "before", "during", "after"] {
            std::fs::remove_file(scratch.join(left)).unwrap();
        }
    }
}

#[test]
#[ignore = "needs root: run tests/all"]
fn the_memory_over_tmp_is_not_swapped_out_where_the_kernel_knows_that() {
    let try_it = "mount -t tmpfs -o noswap none /mnt";
    let knows = Command::new("unshare").args(["-m", "sh", "-c", try_it]).output().unwrap();
    let scratch = small();
    let text = "grep -c ' /tmp .*noswap' /proc/self/mountinfo";
    let expected = if knows.status.success() { "1\n" } else { "0\n" };
    assert_eq!(script(&scratch, "root", text).out, expected);
}

#[test]
fn the_commands_tmp_is_memory_that_nobody_else_sees() {
    for user in USERS {
        let scratch = small();
        let name = scratch.path().file_name().unwrap().to_str().unwrap().to_owned();
        let mark = format!("/tmp/{name}.mark");
        let text = format!(
            "echo $$; ls -A /tmp; stat -fc %T /tmp; stat -c %a /tmp; echo $TMPDIR; mktemp; echo x >{mark}; read -r _; cat {mark}"
        );
        let mut deployment =
            Deployment::start(&mut run(&scratch, user, &["--delivery", "mount"], &["sh", "-c", &text]));
        assert_eq!([(); 4].map(|()| deployment.line()), [name.as_str(), "tmpfs", "1777", "/tmp"], "{user}");
        let made = deployment.line();
        assert!(made.starts_with("/tmp/tmp."), "{made}");
        assert!([&made, &mark].iter().all(|path| !std::path::Path::new(path).exists()), "{user}");
        // It waits for this
        let (code, out, err) = deployment.end();
        assert_eq!((code, out.as_str(), err.as_str()), (0, "x\n", ""), "{user}");
        assert!([&made, &mark].iter().all(|path| !std::path::Path::new(path).exists()), "{user}");
    }
}

#[test]
fn a_vault_below_tmp_is_found_by_any_of_its_paths() {
    for user in USERS {
        let scratch = small();
        let text = "pwd; echo $DCN_VAULT_DIR; echo \"$1\"; grep -c secret bundle/passwords.yaml \"$1\" \"$DCN_VAULT_DIR/passwords.yaml\"; cat identity.txt >/dev/null";
        let seen = script(&scratch, user, text);
        let expected = scratch.filled("{here}\n{here}/bundle\n{here}/bundle/passwords.yaml\nbundle/passwords.yaml:1\n{here}/bundle/passwords.yaml:1\n{here}/bundle/passwords.yaml:1\n");
        assert_eq!((seen.code, seen.out, seen.err.as_str()), (0, expected, ""), "{user}");
        // Elsewhere only the bundle is seen through /tmp
        for place in ["/", "/usr"] {
            let words =
                ["sh", "-c", "pwd; ls -A \"$1\"; grep -c secret \"$2\"", "sh", "{dir}/..", "{passwords}"];
            let seen = said(run(&scratch, user, &["--delivery", "mount"], &words).current_dir(place));
            assert_eq!(
                (seen.out, seen.err.as_str()),
                (format!("{place}\nbundle\n1\n"), ""),
                "{user}, {place}"
            );
        }
    }
}

#[test]
fn what_the_command_would_not_find_is_named_before_it_starts() {
    let scratch = small();
    let elsewhere = Scratch::bare();
    let other = elsewhere.write("other.yaml", "", 0o644);
    let hidden =
        format!("`{}` is below /tmp, which is empty for the command with --delivery mount", other.display());
    let word = format!("--in={}", other.display());
    let words = ["sh", "-c", "touch started; echo $DCN_VAULT_DIR", "sh", &word];
    let refused = said(&mut run(&scratch, "root", &["--delivery", "mount"], &words));
    let hint = "hint: move it elsewhere, or into the working directory; or use --delivery fd\n";
    assert_refused(&refused, 1, &format!("error: {hidden}\n{hint}"));
    assert!(!scratch.join("started").exists());
    let by_default = said(&mut run(&scratch, "root", &[], &words));
    assert_eq!((by_default.code, by_default.err), (0, format!("--delivery fd is taken: {hidden}\n")));
    assert!(by_default.out.starts_with(scratch.join("runtime").to_str().unwrap()), "{}", by_default.out);
    // What is not there may be made by the command, and a vault's own files are seen
    let own = scratch.join("plan.yaml");
    for word in ["/tmp/dcn-vault-not-there", own.to_str().unwrap()] {
        let ended = said(&mut run(&scratch, "root", &[], &["sh", "-c", "echo $DCN_VAULT_DIR", "sh", word]));
        assert_eq!((ended.out, ended.err.as_str()), (scratch.filled("{here}/bundle\n"), ""), "{word}");
    }
}

#[test]
fn a_path_that_leads_to_tmp_by_its_words_or_by_a_link_or_is_to_be_watched_there_is_hidden_as_well() {
    let scratch = small();
    let elsewhere = Scratch::bare();
    let other = elsewhere.write("other.yaml", "", 0o644);
    let name = elsewhere.path().file_name().unwrap().to_str().unwrap();
    std::os::unix::fs::symlink(&other, scratch.join("link")).unwrap();
    let say = ["sh", "-c", "echo $DCN_VAULT_DIR", "sh"];
    for word in [format!("../{name}/other.yaml"), String::from("./link")] {
        let ended = said(&mut run(&scratch, "root", &[], &[&say[..], &[word.as_str()]].concat()));
        let hidden = format!("`{}` is below /tmp", other.display());
        assert!(ended.code == 0 && ended.err.contains(&hidden), "{word}: {}", ended.err);
    }
    let watched = elsewhere.path().to_str().unwrap();
    let ended = said(&mut run(&scratch, "root", &["--watch", watched], &say));
    assert!(ended.err.starts_with("--delivery fd is taken: "), "{}", ended.err);
}

#[test]
fn who_stands_in_tmp_itself_is_told_or_served_otherwise() {
    let scratch = small();
    let at_tmp = |options: &[&str]| {
        let mut program = scratch.program();
        program.env("XDG_RUNTIME_DIR", scratch.join("runtime")).current_dir("/tmp");
        program.arg("run").arg("-b").arg(scratch.join("bundle")).arg("-i").arg(scratch.join("identity.txt"));
        said(program.args(options).args(["sh", "-c", "ls >/dev/null; echo $DCN_VAULT_DIR"]))
    };
    let why = "the working directory is /tmp, which is empty for the command with --delivery mount";
    let hint = "change to another directory, or use --delivery fd";
    assert_refused(&at_tmp(&["--delivery", "mount"]), 1, &format!("error: {why}\nhint: {hint}\n"));
    let by_default = at_tmp(&[]);
    assert_eq!((by_default.code, by_default.err), (0, format!("--delivery fd is taken: {why}\n")));
}

#[test]
fn a_contained_directory_stays_its_owners() {
    let scratch = small();
    let out = scratch.join("out");
    std::fs::create_dir(&out).unwrap();
    std::os::unix::fs::chown(&out, Some(65534), Some(65534)).unwrap();
    let seen = said(&mut run(&scratch, "root", &CONTAIN, &["stat", "-c", "%u %g", "out"]));
    assert_eq!((seen.out.as_str(), seen.err.as_str()), ("65534 65534\n", ""));
}

#[test]
fn the_command_is_who_its_user_is_and_may_nothing_more() {
    let scratch = small();
    let text = "grep ^Cap /proc/self/status; id -u; touch made; stat -c %u made; mount -t tmpfs none /mnt 2>/dev/null && echo mounted";
    let seen = script(&scratch, "ordinary", text);
    let mut lines: Vec<&str> = seen.out.lines().collect();
    let ids = lines.split_off(5);
    let me = if rustix::process::geteuid().is_root() { 65534 } else { rustix::process::geteuid().as_raw() };
    assert_eq!(ids, [me.to_string(), me.to_string()], "{}", seen.err);
    for line in lines.iter().filter(|line| !line.starts_with("CapBnd")) {
        assert!(line.ends_with("0000000000000000"), "{line}");
    }
}

#[test]
fn the_commands_proc_is_that_of_its_own_processes() {
    for user in USERS {
        let scratch = small();
        let text = "cat /proc/$$/comm; [ \"$(readlink /proc/self/exe)\" ] && echo /proc/[0-9]*; ls /proc/1/fd 2>&1 >/dev/null | wc -l";
        let seen = script(&scratch, user, text);
        let lines: Vec<&str> = seen.out.lines().collect();
        assert_eq!(lines[..2], ["sh", "/proc/1 /proc/2"], "{user}: {}", seen.err);
        // Nobody looks into the one that starts it, but root
        assert!(user == "root" || lines[2] == "1", "{user}: {}", seen.out);
    }
}

#[test]
fn the_files_are_for_reading_by_their_owner_alone() {
    for user in USERS {
        let scratch = small();
        let text = "stat -c '%a %U' bundle bundle/passwords.yaml | sed \"s/$(id -un)/me/\"; stat -fc %T bundle; umask";
        assert_eq!(script(&scratch, user, text).out, "700 me\n400 me\nramfs\n0077\n", "{user}");
        for write in [
            "echo x >\"$1\"",
            "truncate -s 0 \"$1\"",
            "chmod 600 \"$1\"",
            "rm \"$1\"",
            "touch bundle/new",
            "mount -o remount,rw,bind bundle && false",
        ] {
            let ended =
                script(&scratch, user, &format!("({write}) 2>/dev/null && exit 9; grep -c secret \"$1\""));
            assert_eq!((ended.code, ended.out.as_str()), (0, "1\n"), "{user}: {write}");
        }
    }
}

#[test]
fn what_is_written_to_a_contained_directory_is_nowhere_outside() {
    for user in USERS {
        let scratch = small();
        std::fs::create_dir(scratch.join("out")).unwrap();
        let text = "echo $$; cp \"$1\" out/copy; mkdir out/deep; cp \"$1\" out/deep/; stat -fc %T out; ls out; read -r _";
        let words = ["sh", "-c", text, "sh", "{passwords}"];
        let mut deployment = Deployment::start(&mut run(&scratch, user, &CONTAIN, &words));
        assert_eq!([(); 3].map(|()| deployment.line()), ["tmpfs", "copy", "deep"], "{user}");
        assert_eq!(std::fs::read_dir(scratch.join("out")).unwrap().count(), 0, "{user}");
        let (_, _, err) = deployment.end();
        assert_eq!(err, "", "{user}");
        assert_eq!(std::fs::read_dir(scratch.join("out")).unwrap().count(), 0, "{user}");
    }
}

#[test]
fn a_directory_that_cannot_be_contained_is_refused_before_the_command_starts() {
    let scratch = small();
    scratch.write("full/file", "", 0o644);
    std::fs::create_dir(scratch.join("out")).unwrap();
    let not_empty = |path: &str| {
        scratch.filled(&format!("error: `{path}` is not empty, and the command would not see what is in it\nhint: name an empty directory: move away what is in this one, or seal it\n"))
    };
    let missing = String::from(
        "error: there is no directory `absent` to put memory over\nhint: make it: mkdir -m 700 absent\n",
    );
    for (directory, err) in [
        ("full", not_empty("{here}/full")),
        (".", not_empty("{here}")),
        ("/", not_empty("/")),
        ("absent", missing),
    ] {
        let refused = said(&mut run(&scratch, "root", &["--contain", directory], &["touch", "started"]));
        assert_refused(&refused, 1, &err);
    }
    let inside = said(
        run(&scratch, "root", &["--contain", "."], &["touch", "started"]).current_dir(scratch.join("out")),
    );
    assert_refused(&inside, 1, &not_empty("{here}/out"));
    for delivery in ["fd", "file"] {
        let refused = said(&mut run(
            &scratch,
            "root",
            &["--contain", "out", "--delivery", delivery],
            &["touch", "started"],
        ));
        assert_eq!(refused.code, 2, "{}", refused.err);
        assert!(refused.err.starts_with("error: --contain "), "{}", refused.err);
    }
    assert!(!scratch.join("started").exists() && !scratch.join("out/started").exists());
}

#[test]
fn a_program_that_would_be_another_user_is_refused_before_it_starts() {
    let scratch = small();
    for words in [["su", "--version"], ["/usr/bin/su", "--version"]] {
        let mut command = run(&scratch, "ordinary", &["--delivery", "mount"], &words);
        let refused = said(command.env("PATH", "/usr/bin:/bin"));
        assert_refused(
            &refused,
            1,
            "error: `/usr/bin/su` changes the user, and with --delivery mount there is no other user for it\nhint: run it as root: sudo dcn-vault run -- …; or use --delivery file\n",
        );
    }
    let scratch = small();
    let root = said(&mut run(&scratch, "root", &["--delivery", "mount"], &["su", "--version"]));
    assert_eq!(root.code, i32::from(!rustix::process::geteuid().is_root()), "{}", root.err);
}

#[test]
fn a_host_that_lets_nobody_mount_is_named_and_by_default_it_is_fd() {
    let scratch = small();
    // A user namespace of its own, whose limit is none: what a host's sysctl does
    let limited = |options: &[&str]| {
        let run = run(
            &scratch,
            "root",
            options,
            &["sh", "-c", "touch started; grep -c secret \"$1\"", "sh", "{passwords}"],
        );
        let mut shell = Command::new("unshare");
        shell.args(["--user", "--map-root-user", "sh", "-c"]);
        shell.args(["echo 0 >/proc/sys/user/max_mnt_namespaces && exec \"$@\"", "sh"]).arg(run.get_program());
        shell.args(run.get_args()).current_dir(scratch.path()).env_clear();
        shell.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
        said(&mut shell)
    };
    let forbidden = "this host does not let us unshare: no namespace is left under /proc/sys/user";
    let hint = "hint: use --delivery fd; the host may forbid user namespaces (sysctl, AppArmor) or mounts in containers\n";
    for options in [&["--delivery", "mount"][..], &["--contain", "runtime"]] {
        assert_refused(&limited(options), 1, &format!("error: {forbidden}\n{hint}"));
        assert!(!scratch.join("started").exists());
    }
    let swaps = "warning: this host forbids a ramfs of one's own: the plaintext is in memory that may be swapped out\n";
    let by_default = limited(&[]);
    assert_eq!(by_default.err, format!("--delivery fd is taken: {forbidden}\n{swaps}"));
    assert_eq!((by_default.code, by_default.out.as_str()), (0, "1\n"));
}
