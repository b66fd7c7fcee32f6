//! `init`, and what it tells git: a bundle is shown by names, and is never merged.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may panic, and runs git")]

mod program;

use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use dcn_vault::signature::SigningKey;

use program::refusal::assert_refused;
use program::{PLAN, Said, Scratch, said};

const NEXT: &str = "  dcn-vault keygen -o identity.txt      at each site; it prints the recipient
  dcn-vault site add SITE RECIPIENT     here; someone else reads the change
  dcn-vault pull                        after a look at dcn-vault.yaml
";
const GIT: &str = "  git config diff.dcn-vault.textconv \"dcn-vault textconv\"
  git config diff.dcn-vault-age.textconv \"dcn-vault textconv\"
  git config merge.dcn-vault.name \"dcn-vault: a bundle is never merged\"
  git config merge.dcn-vault.driver \"dcn-vault merge-driver %O %A %B %P\"
";
const WROTE: &str = "wrote {here}/keys/README.md
wrote {here}/.gitignore
wrote {here}/.gitattributes
wrote {here}/dcn-vault.yaml
";

/// What is said of a new signing key.
fn signer(scratch: &Scratch, vault: &str) -> String {
    let key = scratch.join(".config/dcn-vault/signing_key");
    let key = SigningKey::read(&key, None, &mut |_| None).unwrap();
    format!(
        "wrote {{here}}/.config/dcn-vault/signing_key: your signing key, {}\nwrote {vault}/keys/signers: operator may sign\n",
        key.fingerprint()
    )
}

#[test]
fn a_vault_is_made_and_says_what_comes_next() {
    let scratch = Scratch::bare();
    let made = scratch.run(["init"]);
    let words = scratch.filled(&format!("{WROTE}{}next:\n{NEXT}", signer(&scratch, "{here}")));
    assert_eq!((made.code, made.err, made.out.as_str()), (0, words, ""));
    // Who signs trusts himself; the vault says so for people
    let line = std::fs::read_to_string(scratch.join("keys/signers")).unwrap();
    assert_eq!(std::fs::read_to_string(scratch.join(".config/dcn-vault/signers")).unwrap(), line);
    assert!(line.starts_with("operator namespaces=\"dcn-vault\" ssh-ed25519 "), "{line}");
    assert_eq!(scratch.join(".config/dcn-vault/signing_key").metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(scratch.names(), [".gitattributes", ".gitignore", "dcn-vault.yaml", "keys"]);
    let (_, recipient) = scratch.keygen("identity.txt");
    assert_eq!(scratch.run(["site", "add", "edge1", &recipient]).code, 0);
    scratch.write("plan.yaml", PLAN, 0o600);
    let pulled = scratch.run(["pull", "--from-file", "plan.yaml"]);
    assert!(pulled.code == 0 && pulled.err.contains("sealed for edge1"), "{}", pulled.err);
    assert_eq!(scratch.run(["check"]).code, 0);
}

#[test]
fn a_directory_that_is_not_there_is_made_and_git_is_named_on_request() {
    let scratch = Scratch::bare();
    let made = scratch.run(["-C", "new/centre", "init", "--git"]);
    let (wrote, signer) =
        (WROTE.replace("{here}", "{here}/new/centre"), signer(&scratch, "{here}/new/centre"));
    let words = format!("{wrote}{signer}next:\n{GIT}{NEXT}");
    assert_eq!((made.code, made.err), (0, scratch.filled(&words)));
}

#[test]
fn a_key_that_is_there_signs_for_the_next_vault_too() {
    let scratch = Scratch::bare();
    assert_eq!(scratch.run(["-C", "one", "init"]).code, 0);
    let key = std::fs::read(scratch.join(".config/dcn-vault/signing_key")).unwrap();
    let made = scratch.run(["-C", "two", "init"]);
    assert!(made.code == 0 && !made.err.contains("signing_key"), "{}", made.err);
    assert_eq!(std::fs::read(scratch.join(".config/dcn-vault/signing_key")).unwrap(), key);
    let signers = |vault: &str| std::fs::read_to_string(scratch.join(vault).join("keys/signers")).unwrap();
    assert_eq!(signers("one"), signers("two"));

    // Without its public half it is not known whom to list
    std::fs::remove_file(scratch.join(".config/dcn-vault/signing_key.pub")).unwrap();
    let made = scratch.run(["-C", "three", "init"]);
    let warning = "warning: there is no {here}/.config/dcn-vault/signing_key.pub: list your key in keys/signers by hand\n";
    assert!(made.code == 0 && made.err.contains(&scratch.filled(warning)), "{}", made.err);
    assert!(!scratch.join("three/keys/signers").exists());
}

#[test]
fn a_vault_is_never_made_anew() {
    let scratch = Scratch::new();
    scratch.write("dcn-vault.yaml", "version: 1\n", 0o644);
    scratch.write(".gitignore", "*.pyc\n", 0o644);
    let err = "error: `{here}/dcn-vault.yaml` exists: this is a vault
hint: edit it; `dcn-vault init --git-config` sets git up in a clone, `dcn-vault site add` adds a site
";
    scratch.refuses(&["init"], err);
    std::fs::remove_file(scratch.join("dcn-vault.yaml")).unwrap();
    std::os::unix::fs::symlink("nowhere", scratch.join("dcn-vault.yaml")).unwrap();
    scratch.refuses(&["init"], err);
}

#[test]
fn git_is_not_set_up_where_there_is_no_repository() {
    let scratch = Scratch::new();
    scratch.write("dcn-vault.yaml", "version: 1\n", 0o644);
    let err = "error: `{here}` is not in a git repository
hint: make one with `git init`, then: dcn-vault init --git-config
";
    scratch.refuses(&["init", "--git-config"], err);
}

#[test]
fn a_manifest_is_shown_by_its_facts_and_an_age_file_by_its_size() {
    let scratch = Scratch::new();
    let recipient = scratch.pull_from_file();
    let shown = scratch.run(["textconv", "bundle/manifest.json"]);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    for line in [
        "format: dcn-vault/1\n",
        "\ngeneration: 1\n",
        "\nprevious: none\n",
        "\nfiles[passwords.yaml.age].sealed: true\n",
        "\nsecrets[NovaPassword].origin: ",
        &format!("\nrecipients.default: {recipient}\n"),
    ] {
        assert!(shown.out.contains(line), "{line:?} in {}", shown.out);
    }
    let size = std::fs::read(scratch.join("bundle/passwords.yaml.age")).unwrap().len();
    let shown = scratch.run(["textconv", "bundle/passwords.yaml.age"]);
    assert_eq!(shown.out, format!("age file for 1 recipient, {size} bytes\n"));
}

#[test]
fn what_is_neither_is_not_shown_since_it_could_be_a_secret_in_clear() {
    let scratch = Scratch::new();
    for (name, text) in [("passwords.yaml.age", PLAN), ("manifest.json", "{\"hunter2\": 1}"), ("empty", "")] {
        scratch.write(name, text, 0o644);
        let shown = scratch.run(["textconv", name]);
        let expected = format!("neither a manifest nor an age file, {} bytes\n", text.len());
        assert_eq!((shown.code, shown.out, shown.err.as_str()), (0, expected, ""));
    }
    let text =
        "{\"format\": \"x\", \"vault\": \"\\u001b[2J\\nx: y\", \"generation\": 12345678901234567890123}";
    scratch.write("manifest.json", text, 0o644);
    let shown = scratch.run(["textconv", "manifest.json"]);
    assert_eq!(shown.out, "format: x\nvault: \\u{1b}[2J\\nx: y\ngeneration: 12345678901234567890123\n");
}

#[test]
fn a_merge_says_what_differs_and_leaves_ours_in_place() {
    let scratch = Scratch::new();
    let manifest = |generation: u32, secrets: &[&str]| {
        let secrets: Vec<_> = secrets.iter().map(|name| serde_json::json!({ "name": name })).collect();
        let manifest = serde_json::json!({
            "format": "dcn-vault/1", "generation": generation, "created": "2026-01-01T00:00:00Z", "secrets": secrets,
        });
        manifest.to_string()
    };
    scratch.write("base", manifest(1, &["A"]), 0o644);
    scratch.write("ours", manifest(2, &["A", "B"]), 0o644);
    scratch.write("theirs", manifest(3, &["A", "C"]), 0o644);
    let err = "ours: generation 2 of 2026-01-01T00:00:00Z
theirs: generation 3 of 2026-01-01T00:00:00Z
only in ours: secret B
only in theirs: secret C
error: `centre/bundle/manifest.json` is not merged: a bundle is taken whole, ours or theirs; ours is in place
hint: `git restore -SW --source=HEAD -- centre/bundle` takes ours, --source=MERGE_HEAD theirs (in a rebase: REBASE_HEAD); then `dcn-vault pull --after N`, with one more than either generation: sites may have seen both
";
    scratch.refuses(&["merge-driver", "base", "ours", "theirs", "centre/bundle/manifest.json"], err);
    let err = err.split_inclusive('\n').skip(4).collect::<String>();
    let path = "centre/bundle/sites/edge1/passwords.yaml.age";
    let err = err.replace("centre/bundle/manifest.json", path);
    scratch.refuses(&["merge-driver", "base", "ours", "theirs", path], &err);
}

/// A scratch directory with a vault in a repository, in which git finds the program.
struct Repository(Scratch);

impl Repository {
    fn new() -> Self {
        let scratch = Scratch::new();
        std::fs::create_dir(scratch.join("bin")).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_dcn-vault"), scratch.join("bin/dcn-vault")).unwrap();
        scratch.write(
            ".gitconfig",
            "[user]\nname = x\nemail = x@example.com\n[init]\ndefaultBranch = main\n",
            0o644,
        );
        let repository = Self(scratch);
        repository.git(&["init", "-q", "centre"]);
        repository
    }

    fn said(&self, program: &str, arguments: &[&str]) -> Said {
        let path = format!("{}:{}", self.0.join("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(program);
        let at = if self.0.join("centre").is_dir() { "centre" } else { "." };
        command.args(arguments).current_dir(self.0.join(at)).env_clear().env("HOME", self.0.path());
        said(command.env("PATH", path).stdin(Stdio::null()))
    }

    fn git(&self, arguments: &[&str]) -> String {
        let said = self.said("git", arguments);
        assert_eq!(said.code, 0, "git {arguments:?}: {}{}", said.out, said.err);
        said.out
    }

    fn vault(&self, arguments: &[&str]) -> Said {
        let path = self.0.join("bin/dcn-vault");
        let said = self.said(path.to_str().unwrap(), arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.err);
        said
    }

    fn pull(&self, plan: &str) {
        self.pull_with(plan, &[]);
    }

    fn pull_with(&self, plan: &str, more: &[&str]) {
        self.0.write("plan.yaml", plan, 0o600);
        self.vault(&[&["pull", "--from-file", "../plan.yaml"], more].concat());
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "pull"]);
    }
}

#[test]
#[ignore = "needs git: run tests/all"]
fn git_is_set_up_on_request_and_told_of_otherwise() {
    let repository = Repository::new();
    let made = repository.vault(&["init"]);
    assert!(made.err.ends_with(&format!("next:\n{GIT}{NEXT}")), "{}", made.err);
    assert!(repository.said("git", &["config", "merge.dcn-vault.driver"]).out.is_empty());
    let set = repository.vault(&["init", "--git-config"]);
    assert_eq!(set.err, "git shows bundles by name here, and does not merge them\n");
    let driver = repository.git(&["config", "merge.dcn-vault.driver"]);
    assert_eq!(driver, "dcn-vault merge-driver %O %A %B %P\n");
    // The clear files too: two sides' lines put together are neither side's digest
    for name in
        ["bundle/endpoint-map.json", "bundle/manifest.json.sig", "bundle/sites/edge1/passwords.yaml.age"]
    {
        let attributes = repository.git(&["check-attr", "merge", "text", "--", name]);
        assert_eq!(attributes, format!("{name}: merge: dcn-vault\n{name}: text: unset\n"));
    }
    // What never belongs into git is not offered to it
    for name in ["identity.txt", "identity-edge1.txt", "id_ed25519", ".bundle.lock"] {
        repository.0.write(&format!("centre/{name}"), "", 0o600);
    }
    let status = repository.git(&["status", "--porcelain", "-uall"]);
    assert_eq!(status, "?? .gitattributes\n?? .gitignore\n?? dcn-vault.yaml\n?? keys/README.md\n");
}

#[test]
#[ignore = "needs git: run tests/all"]
fn git_shows_a_pull_by_names_and_never_merges_two() {
    let repository = Repository::new();
    repository.vault(&["init", "--git-config"]);
    let (_, recipient) = repository.0.keygen("identity.txt");
    repository.vault(&["site", "add", "edge1", &recipient]);
    repository.pull(PLAN);
    repository.git(&["checkout", "-q", "-b", "other"]);
    repository.pull(&format!("{PLAN}  HeatPassword: made-up-too\n"));
    let diff = repository.git(&["diff", "HEAD~1"]);
    for line in ["-generation: 1", "-previous: none", "+generation: 2"] {
        assert!(diff.lines().any(|shown| shown == line), "{diff}");
    }
    assert!(diff.contains("\n+secrets[HeatPassword].name: HeatPassword\n"), "{diff}");
    assert!(diff.contains("\n+age file for 1 recipient, "), "{diff}");
    assert!(!diff.contains("made-up"), "{diff}");
    let unshown: Vec<&str> = diff.lines().filter(|line| line.starts_with("Binary files ")).collect();
    assert_eq!(unshown, ["Binary files a/bundle/manifest.json.sig and b/bundle/manifest.json.sig differ"]);

    // Somebody else pulls from the same generation, and has a file that theirs has not
    std::fs::remove_dir_all(repository.0.join(".local/state/dcn-vault/pulled")).unwrap();
    repository.git(&["checkout", "-q", "main"]);
    let map = "parameter_defaults: {EndpointMapOverride: {KeystonePublic: {port: '13000'}}}\n";
    repository.0.write("map.yaml", map, 0o600);
    repository
        .pull_with(&format!("{PLAN}  GlancePassword: made-up-three\n"), &["--from-file", "../map.yaml"]);
    let ours = std::fs::read(repository.0.join("centre/bundle/manifest.json")).unwrap();
    let merged = repository.said("git", &["merge", "other"]);
    assert_eq!(merged.code, 1, "{}{}", merged.out, merged.err);
    for words in [
        "only in ours: secret GlancePassword\n",
        "only in theirs: secret HeatPassword\n",
        "hint: `git restore -SW --source=HEAD -- bundle` takes ours, --source=MERGE_HEAD theirs (in a rebase: REBASE_HEAD); then `dcn-vault pull --after N`",
    ] {
        assert!(merged.err.contains(words), "{words} in {}", merged.err);
    }
    assert_eq!(std::fs::read(repository.0.join("centre/bundle/manifest.json")).unwrap(), ours);
    // What the hint says works
    for (source, file_is_there) in [("HEAD", true), ("MERGE_HEAD", false)] {
        repository.git(&["restore", "-SW", &format!("--source={source}"), "--", "bundle"]);
        let checked = repository.said("dcn-vault", &["check"]);
        let forked = "finding  history       git has generation 2 before generation 2\n";
        assert_eq!(checked.code == 3, checked.out.contains(forked), "{}", checked.out);
        assert_eq!(checked.code == 0, file_is_there, "{}", checked.out);
        assert_eq!(repository.0.join("centre/bundle/endpoint-map.json").exists(), file_is_there);
    }
    let both = format!("{PLAN}  HeatPassword: made-up-too\n  GlancePassword: made-up-three\n");
    // The very next number would not follow for a site that has seen the other side
    repository.pull(&both);
    let checked = repository.said("dcn-vault", &["check"]);
    let forked = "finding  history       generation 3 does not follow the generation 2 that git has\n";
    assert!(checked.code == 3 && checked.out.contains(forked), "{}", checked.out);
    repository.pull_with(&both, &["--after", "4"]);
    assert!(repository.git(&["status", "--porcelain"]).is_empty());
    repository.vault(&["check"]);
}

#[test]
#[ignore = "needs git: run tests/all"]
fn the_settings_of_a_repository_make_no_verb_run_a_program() {
    let repository = Repository::new();
    repository.vault(&["init", "--git-config"]);
    let (_, recipient) = repository.0.keygen("identity.txt");
    repository.vault(&["site", "add", "edge1", &recipient]);
    repository.pull(PLAN);
    repository.0.write("bin/trap", "#!/bin/sh\ntouch \"$HOME/trapped\"\n", 0o755);
    // A commit that looks signed, for which git would call the program of its settings
    let commit = repository.git(&["cat-file", "commit", "HEAD"]);
    let signed = commit.replacen(
        "\n\n",
        "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n",
        1,
    );
    repository.0.write("signed", &signed, 0o600);
    let id = repository.git(&["hash-object", "-t", "commit", "-w", "../signed"]);
    repository.git(&["reset", "-q", "--hard", id.trim()]);
    let settings = [
        ("log.showSignature", "true"),
        ("gpg.program", "trap"),
        ("core.fsmonitor", "trap"),
        ("core.pager", "trap"),
    ];
    for (key, value) in settings {
        repository.git(&["config", key, value]);
    }
    repository.vault(&["check"]);
    repository.said(repository.0.join("bin/dcn-vault").to_str().unwrap(), &["diff", "--generation", "1"]);
    assert!(!repository.0.join("trapped").exists());
    repository.git(&["log", "-1"]);
    assert!(repository.0.join("trapped").exists(), "the trap is none");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let scratch = Scratch::new();
    let err = "error: cannot read `absent`: no such file or directory\nhint: check the path\n";
    assert_refused(&scratch.run(["textconv", "absent"]), 1, err);
}
