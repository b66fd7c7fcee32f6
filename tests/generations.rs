//! SECURITY.md S5 in time: what is older, forked, expired, another vault's or signed by too few is refused, each by its own
//! words; what lets it pass is loud, and for once.

#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod program;

#[path = "tamper/centre.rs"]
mod centre;

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use centre::Centre;
use program::refusal::assert_refused;
use program::{Said, said};

const UNWAIVED: &[&str] = &[];

/// A centre whose generations 1 to 3 were kept under their numbers, and a site that has a memory of its own.
struct Line(Centre);

impl Line {
    fn new() -> Self {
        Self::with("")
    }

    fn with(settings: &str) -> Self {
        let mut centre = Centre::with(&[("all", "{}"), ("edge1", "{secrets: [Nova*]}")], settings);
        for number in ["1", "2", "3"] {
            centre.change("NovaPassword");
            centre.pull(&[]);
            centre.keep(number);
        }
        Self(centre)
    }

    /// What the site's `decrypt` says.
    fn opens(&self, more: &[&str]) -> Said {
        self.verb(&["decrypt", "-b", "bundle", "-i", "all.txt"], more)
    }

    fn verb(&self, words: &[&str], more: &[&str]) -> Said {
        let mut program = self.0.scratch.program();
        said(program.env("XDG_STATE_HOME", self.0.scratch.join("site")).args(words).args(more))
    }

    fn memory(&self) -> PathBuf {
        let vault = self.0.manifest()["vault"].as_str().unwrap().to_owned();
        self.0.scratch.join("site/dcn-vault/seen").join(vault)
    }

    /// What the site has seen of this vault; without the time, which goes on.
    fn remembered(&self) -> Option<Value> {
        let mut memory: Value = serde_json::from_slice(&std::fs::read(self.memory()).ok()?).unwrap();
        memory["seen"].as_object_mut().unwrap().remove("latest").unwrap();
        Some(memory)
    }

    /// The generation that the site has seen of this vault.
    fn seen(&self) -> Option<u64> {
        self.remembered()?["seen"]["generation"].as_u64()
    }

    /// Opens this generation, of which nothing is to be said.
    fn takes(&self, kept: &str) {
        self.0.bring(kept);
        let opened = self.opens(UNWAIVED);
        assert_eq!((opened.code, opened.err.as_str()), (0, ""));
        assert_eq!(self.seen(), kept.parse().ok());
    }

    /// The bundle that is there is refused by both verbs with these words, and let pass loudly, once, and not remembered.
    fn refuses(&self, waiver: &str, says: &str, hint: &str) {
        let before = self.remembered();
        let refused = format!("error: {says}\nhint: {hint}\n");
        for _ in 0..2 {
            assert_refused(&self.opens(UNWAIVED), 1, &refused);
            let run = ["run", "-b", "bundle", "-i", "all.txt", "touch", "started"];
            assert_refused(&self.verb(&run, UNWAIVED), 1, &refused);
            for other in ["--allow-unsigned", "--allow-rollback", "--allow-expired"] {
                if other != waiver {
                    assert_refused(&self.opens(&[other]), 1, &refused);
                }
            }
            assert_eq!(self.remembered(), before, "it is remembered");
            let passed = self.opens(&[waiver]);
            assert_eq!((passed.code, passed.err), (0, format!("warning: {waiver}: {says}\n")));
            assert!(passed.out.contains("NovaPassword"));
        }
        assert_eq!(self.remembered(), before, "it is remembered");
        assert!(!self.0.scratch.join("started").exists());
    }
}

fn newest(after: u64) -> String {
    format!(
        "get the newest bundle; if the centre was restored from a copy, run there `dcn-vault pull --after {after}`"
    )
}

#[test]
fn the_first_that_comes_is_taken_and_then_newer_ones_and_the_same_again() {
    let line = Line::new();
    for kept in ["1", "1", "2", "3", "3"] {
        line.takes(kept);
    }
    let line = Line::new();
    line.takes("1");
    // Those between need not be seen
    line.takes("3");
    let run = [
        "run",
        "-b",
        "bundle",
        "-i",
        "all.txt",
        "--",
        "grep",
        "-c",
        "not-a-real-novapassword",
        "{passwords}",
    ];
    let ran = line.verb(&run, UNWAIVED);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "1\n", ""));
}

#[test]
fn an_older_generation_is_refused_wherever_it_lies() {
    let line = Line::new();
    line.takes("3");
    for (kept, says) in [("1", "generation 1"), ("2", "generation 2")] {
        line.0.bring(kept);
        let says = format!("{says} is older than generation 3, which was seen here");
        line.refuses("--allow-rollback", &says, &newest(4));
    }
    // Elsewhere, too
    let moved = line.verb(&["decrypt", "-b", "1", "-i", "all.txt"], UNWAIVED);
    assert_eq!(moved.code, 1, "{}", moved.out);
    line.takes("3");
}

#[test]
fn a_generation_with_two_manifests_or_another_parent_is_a_fork() {
    let line = Line::new();
    line.takes("2");
    let digest = |line: &Line| dcn_vault::model::Digest::of(&line.0.read("manifest.json"));
    let seen = digest(&line);
    line.0.change_as_operator(|manifest| manifest["tool"] = json!("dcn-vault 0.1.0 of another centre"));
    let says = format!(
        "generation 2 was seen with the manifest {seen}, and this one's is {}: forked",
        digest(&line)
    );
    line.refuses("--allow-rollback", &says, &newest(3));
    // Its child is one, too
    line.0.pull(&["--after", "2"]);
    let says = "generation 3 does not follow generation 2 that was seen here, but another: forked";
    line.refuses("--allow-rollback", says, &newest(3));
    line.takes("3");
}

#[test]
fn another_vaults_bundle_at_the_same_place_is_refused_and_elsewhere_it_is_the_first() {
    let line = Line::new();
    line.takes("3");
    let ours = line.0.manifest()["vault"].as_str().unwrap().to_owned();
    std::fs::remove_dir_all(line.0.scratch.join("bundle")).unwrap();
    std::fs::remove_dir_all(line.0.scratch.join(".local/state/dcn-vault/pulled")).unwrap();
    line.0.pull(&[]);
    let theirs = line.0.manifest()["vault"].as_str().unwrap().to_owned();
    assert_ne!(ours, theirs);
    let says = line
        .0
        .scratch
        .filled(&format!("`{{here}}/bundle` has a bundle of vault {theirs}, and had those of vault {ours}"));
    line.refuses(
        "--allow-rollback",
        &says,
        "is it the right directory? If this site moves to that vault: `dcn-vault trust reset`",
    );
    line.0.keep("elsewhere");
    let elsewhere = line.verb(&["decrypt", "-b", "elsewhere", "-i", "all.txt"], UNWAIVED);
    assert_eq!((elsewhere.code, elsewhere.err.as_str()), (0, ""));
}

/// As [`Line::refuses`] of what lets one pass by `--allow-expired`; its words have the time in them.
fn refuses_at_this_time(line: &Line, says: [&str; 2], hint: &str) {
    for _ in 0..2 {
        let refused = line.opens(UNWAIVED);
        assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{}", refused.err);
        let (error, rest) = refused.err.split_once('\n').unwrap();
        let is_right = error.starts_with(&format!("error: {}", says[0])) && error.contains(says[1]);
        assert!(is_right && rest == format!("hint: {hint}\n"), "{}", refused.err);
        for other in ["--allow-unsigned", "--allow-rollback"] {
            assert_eq!(line.opens(&[other]).code, 1);
        }
        let passed = line.opens(&["--allow-expired"]);
        assert_eq!(passed.code, 0, "{}", passed.err);
        let is_loud = passed.err.starts_with(&format!("warning: --allow-expired: {}", says[0]));
        assert!(is_loud && passed.err.contains(says[1]), "{}", passed.err);
    }
}

#[test]
fn a_bundle_has_an_end_and_is_refused_after_it() {
    let line = Line::with("bundle: {not_after: 90d}\n");
    let manifest = line.0.manifest();
    let time = |field: &str| manifest[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(time("not_after").duration_since(time("created")).as_hours(), 90 * 24);
    line.takes("3");
    line.0.change_as_operator(|manifest| {
        manifest["generation"] = json!(5);
        manifest["created"] = json!("2026-01-01T00:00:00Z");
        manifest["not_after"] = json!("2026-02-01T00:00:00Z");
    });
    let hint = "get a newer bundle from the centre; to deploy this one all the same: --allow-expired";
    refuses_at_this_time(&line, ["the bundle is good until 2026-02-01T00:00:00Z, and it is 20", "Z"], hint);
}

#[test]
fn a_clock_that_was_set_back_or_is_behind_is_noticed() {
    let line = Line::new();
    line.takes("3");
    let text = std::fs::read_to_string(line.memory()).unwrap();
    let mut seen: Value = serde_json::from_str(&text).unwrap();
    seen["seen"]["latest"] = json!("2999-01-01T00:00:00Z");
    std::fs::write(line.memory(), seen.to_string()).unwrap();
    let hint =
        "set the clock, for it decides what has expired; if it was wrong before: `dcn-vault trust reset`";
    let says = "and was 2999-01-01T00:00:00Z before: the clock was set back";
    refuses_at_this_time(&line, ["it is 20", says], hint);
    std::fs::write(line.memory(), text).unwrap();
    line.0.change_as_operator(|manifest| {
        manifest["generation"] = json!(5);
        manifest["created"] = json!("2998-01-01T00:00:00Z");
    });
    let hint = "set this machine's clock, for it decides what has expired; if the centre's is wrong: --allow-expired";
    refuses_at_this_time(
        &line,
        ["the bundle was made at 2998-01-01T00:00:00Z, and here it is 20", "the clock is behind"],
        hint,
    );
    // It was let pass, and does not hold this machine to a time that no clock has reached
    line.0.change_as_operator(|manifest| {
        manifest["generation"] = json!(7);
        manifest["created"] = json!("2026-01-01T00:00:00Z");
    });
    assert_eq!(line.opens(UNWAIVED).code, 0);
}

#[test]
fn an_unsigned_bundle_is_let_pass_loudly_and_never_remembered() {
    let line = Line::new();
    std::fs::remove_file(line.0.bundle("manifest.json.sig")).unwrap();
    let hint =
        "ask who made it for one that is signed; --allow-unsigned opens it, whoever may have written it";
    line.refuses("--allow-unsigned", "the bundle is not signed", hint);
    assert_eq!(line.seen(), None);
    // Nor does a forged number lock out the true ones
    line.takes("1");
    line.0.bring("3");
    line.0.change_as_operator(|manifest| manifest["generation"] = json!(9_000_000));
    std::fs::remove_file(line.0.bundle("manifest.json.sig")).unwrap();
    assert_eq!(line.opens(&["--allow-unsigned"]).code, 0);
    line.takes("2");
}

#[test]
fn two_have_to_sign_where_the_settings_say_so_and_it_takes_two_to_say_otherwise() {
    let mut line = Line::new();
    line.takes("3");
    let centre = &mut line.0;
    let (operator, second) = (centre.operator(), centre.make_key("second"));
    let listed = |name: &str| format!("operator {}\n{name} {}\n", operator.public, second.public);
    centre.trust(&listed("auditor"));
    let settings = std::fs::read_to_string(centre.scratch.join("dcn-vault.yaml")).unwrap();
    let twofold = settings.replace("sites:", "bundle: {signatures: 2}\nsites:");
    centre.scratch.write("dcn-vault.yaml", twofold, 0o644);
    let pulled = centre.pull(&[]);
    assert!(
        pulled.err.contains("warning: 1 of 2 signatures: the other signers run `dcn-vault sign`\n"),
        "{}",
        pulled.err
    );
    let too_few = "1 trusted signer has signed the bundle, and 2 have to";
    let hint = "have more signers sign it; each needs a name and a key of its own in the file of signers";
    line.refuses("--allow-unsigned", too_few, hint);
    let with_two = |line: &Line| {
        line.0.sign("manifest.json.sig.2", &second, "dcn-vault");
        line.opens(UNWAIVED)
    };
    // Two keys of one signer are one signer
    line.0.trust(&listed("operator"));
    assert_refused(&with_two(&line), 1, &format!("error: {too_few}\nhint: {hint}\n"));
    line.0.trust(&listed("auditor"));
    assert_eq!((line.opens(UNWAIVED).code, line.seen()), (0, Some(4)));
    // The number that is needed goes down with as many as were needed
    line.0.scratch.write("dcn-vault.yaml", &settings, 0o644);
    line.0.pull(&[]);
    assert_eq!(line.0.manifest()["signatures"], 1);
    line.refuses("--allow-unsigned", too_few, hint);
    line.0.keep("5");
    let elsewhere = line.0.decrypt(&[]);
    assert_eq!(elsewhere.code, 0, "who has not seen the other: {}", elsewhere.err);
    assert_eq!((with_two(&line).code, line.seen()), (0, Some(5)));
    line.takes("5");
    line.0.pull(&[]);
    assert_eq!((line.opens(UNWAIVED).code, line.seen()), (0, Some(6)));
}

#[test]
fn a_centre_that_was_restored_is_told_and_goes_on_behind_what_sites_have_seen() {
    let line = Line::new();
    line.takes("3");
    line.0.bring("1");
    let behind = "error: `{here}/bundle` is of generation 1, and generation 3 was made from here\nhint: get the newer one first (`git pull`); where it is lost, `--after 4` goes on behind it\n";
    assert_refused(&line.0.try_pull(&[]), 1, &line.0.scratch.filled(behind));
    assert_eq!(line.0.manifest()["generation"], 1);
    // Its notes are lost, too: nobody there knows of the others, and the sites do
    std::fs::remove_dir_all(line.0.scratch.join(".local/state/dcn-vault/pulled")).unwrap();
    line.0.pull(&[]);
    line.refuses(
        "--allow-rollback",
        "generation 2 is older than generation 3, which was seen here",
        &newest(4),
    );
    let after_three = line.0.pull(&["--after", "3"]);
    assert_eq!(line.0.manifest()["generation"], 4, "{}", after_three.err);
    let says = "generation 4 does not follow generation 3 that was seen here, but another: forked";
    line.refuses("--allow-rollback", says, &newest(4));
    line.0.bring("1");
    line.0.pull(&["--after", "4"]);
    assert_eq!((line.opens(UNWAIVED).code, line.seen()), (0, Some(5)));
    // `--after` never goes back
    line.0.pull(&["--after", "2"]);
    assert_eq!(line.0.manifest()["generation"], 6);
}

#[test]
fn what_a_pull_builds_on_must_be_by_somebody_who_may_sign() {
    let line = Line::new();
    let stranger = line.0.make_key("stranger");
    line.0.sign("manifest.json.sig", &stranger, "dcn-vault");
    let refused = line.0.try_pull(&[]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert!(refused.err.contains("which `") && refused.err.contains("does not list"), "{}", refused.err);
    line.0.bring("3");
    std::fs::remove_file(line.0.bundle("manifest.json.sig")).unwrap();
    let warned = line.0.pull(&[]);
    let warning = "warning: generation 3 is not signed: what it says of itself is taken as it stands\n";
    assert!(warned.err.contains(warning), "{}", warned.err);
    // What was not made from here could have any bill
    let path = line.0.bundle("manifest.json");
    let forged = std::fs::read_to_string(&path).unwrap().replace("\"tool\": \"", "\"tool\": \"un");
    std::fs::write(&path, forged).unwrap();
    std::fs::remove_file(line.0.bundle("manifest.json.sig")).unwrap();
    let before = line.0.scratch.files();
    let words = "error: generation 4 is not signed, and was not made from here\nhint: get it back with its signature; if you know who made it, and answer for it: `dcn-vault sign`\n";
    assert_refused(&line.0.try_pull(&[]), 1, words);
    assert!(line.0.scratch.files() == before, "something has changed");
    assert_eq!(line.0.scratch.run(["sign"]).code, 0);
    line.0.pull(&[]);
    assert_eq!(line.0.manifest()["generation"], 5);
}

#[test]
fn who_trusts_nobody_builds_on_what_is_there_and_is_told() {
    let line = Line::new();
    std::fs::remove_file(line.0.scratch.join(".config/dcn-vault/signers")).unwrap();
    // What was made from here needs no signer
    let pulled = line.0.pull(&[]);
    assert!(!pulled.err.contains("as it stands"), "{}", pulled.err);
    std::fs::remove_dir_all(line.0.scratch.join(".local/state/dcn-vault/pulled")).unwrap();
    let pulled = line.0.pull(&[]);
    let warning = "warning: generation 4 is signed by nobody who is trusted here: what it says of itself is taken as it stands\n";
    assert!(pulled.err.contains(warning), "{}", pulled.err);
}

#[test]
fn who_has_no_place_to_remember_is_told_that_an_older_bundle_is_not_noticed() {
    let line = Line::new();
    let signers = line.0.scratch.join(".config/dcn-vault/signers");
    let warning = "warning: there is no place for an audit log: neither HOME nor XDG_STATE_HOME is set; this is not written down\nwarning: neither HOME nor XDG_STATE_HOME is set: nothing is remembered, and an older bundle is not noticed\n";
    for kept in ["3", "1"] {
        line.0.bring(kept);
        for words in [&["decrypt"][..], &["run", "true"]] {
            let (verb, rest) = words.split_at(1);
            let mut program = line.0.scratch.program();
            program
                .env_remove("HOME")
                .args(verb)
                .args(["-b", "bundle", "-i", "all.txt", "--signers"])
                .arg(&signers);
            let opened = said(program.args(rest));
            assert_eq!((opened.code, opened.err.as_str()), (0, warning), "{words:?}");
        }
    }
}

#[test]
fn of_two_pulls_at_once_one_is_told_whom_it_has_to_wait_for() {
    let line = Line::new();
    let server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/v3", server.local_addr().unwrap());
    let cloud = [
        ("OS_AUTH_URL", url.as_str()),
        ("OS_USERNAME", "u"),
        ("OS_PASSWORD", "not-a-real-one"),
        ("OS_PROJECT_NAME", "p"),
        ("OS_USER_DOMAIN_NAME", "d"),
        ("OS_PROJECT_DOMAIN_NAME", "d"),
    ];
    let mut first = line.0.scratch.program().envs(cloud).arg("pull").stderr(Stdio::null()).spawn().unwrap();
    // It asks the cloud once it has its place, and gets no answer
    let asked = server.accept().unwrap();
    let before = line.0.scratch.files();
    let words = format!(
        "error: another dcn-vault (process {}) is at work on `{{here}}/bundle`\nhint: wait until it has ended; nothing was written\n",
        first.id()
    );
    let second = line.0.scratch.run(Centre::pull_words(&[]));
    assert_refused(&second, 1, &line.0.scratch.filled(&words));
    assert!(line.0.scratch.files() == before, "something has changed");
    // Who only looks need not wait
    assert_eq!(line.opens(UNWAIVED).code, 0);
    assert_eq!(line.0.scratch.run(Centre::pull_words(&["--dry-run"])).code, 0);
    // A lock goes with its holder, however that ends
    first.kill().unwrap();
    first.wait().unwrap();
    drop(asked);
    line.0.pull(&[]);
    assert_eq!(line.0.manifest()["generation"], 4);
}
