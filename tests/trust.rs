//! `trust`: whom a site believes, and what it has seen.

#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod program;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use dcn_vault::signature::SigningKey;
use program::refusal::assert_refused;
use program::{Said, Scratch, said};
use serde_json::{Value, json};

const SIGNERS: &str = ".config/dcn-vault/signers";
const SEEN: &str = ".local/state/dcn-vault/seen";
const QUESTION: &str = "Is this the fingerprint that the centre has told you, over another way? (yes/no): ";

/// A site that has got a bundle, which the centre has signed.
struct Site {
    scratch: Scratch,
    key: SigningKey,
}

impl Site {
    fn new() -> Self {
        let scratch = Scratch::new();
        scratch.pull_from_file();
        // At a site nobody is trusted yet
        std::fs::remove_dir_all(scratch.join(".config")).unwrap();
        let site = Self { scratch, key: SigningKey::make().unwrap() };
        site.sign("manifest.json.sig", &site.key);
        site
    }

    fn sign(&self, name: &str, key: &SigningKey) {
        let bytes = std::fs::read(self.scratch.join("bundle/manifest.json")).unwrap();
        let signature = key.sign(&bytes).unwrap();
        self.scratch.write(&format!("bundle/{name}"), signature.to_armored(), 0o644);
    }

    /// Makes another bundle of the one that is there, and signs it.
    fn change(&self, change: impl FnOnce(&mut Value)) {
        let mut manifest = self.scratch.manifest();
        change(&mut manifest);
        self.scratch.write("bundle/manifest.json", manifest.to_string(), 0o644);
        self.sign("manifest.json.sig", &self.key);
    }

    fn add(&self) -> Said {
        self.scratch.run(["trust", "add", "-b", "bundle", "--fingerprint", &self.key.fingerprint()])
    }

    fn listed(&self) -> Value {
        let said = self.scratch.run(["trust", "list", "--json"]);
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        serde_json::from_str(&said.out).unwrap()
    }

    fn signers(&self) -> Option<String> {
        std::fs::read_to_string(self.scratch.join(SIGNERS)).ok()
    }

    fn vault(&self) -> String {
        self.scratch.manifest()["vault"].as_str().unwrap().to_owned()
    }

    /// Runs the program at a terminal, and types `keys` at `question`.
    fn at_terminal(&self, arguments: &[&str], question: &str, keys: &str) -> Value {
        let program = self.scratch.program();
        let words = [&[program.get_program().to_str().unwrap()], arguments].concat();
        let plan = json!({
            "program": words, "question": question, "ignored": [], "keys": keys, "signal": null,
        });
        let mut python = Command::new("python3");
        python.arg("-B").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/prompt/terminal.py"));
        python.current_dir(self.scratch.path()).env_clear().env("HOME", self.scratch.path());
        python.env("PATH", std::env::var_os("PATH").unwrap());
        let mut python = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        python.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
        let printed = python.wait_with_output().unwrap().stdout;
        serde_json::from_slice(&printed).unwrap()
    }
}

#[test]
fn who_is_named_by_fingerprint_is_trusted_and_the_generation_is_remembered() {
    let site = Site::new();
    let keys = format!("centre@lyon {}\n", site.key.public_line());
    site.scratch.write("keys/signers", keys, 0o644);
    let said = site.add();
    let path = site.scratch.join(SIGNERS);
    let expected = format!("{} may sign from now on: {}\n", site.key.fingerprint(), path.display());
    assert_eq!((said.code, said.err, said.out.as_str()), (0, expected, ""));
    let line = format!("centre@lyon namespaces=\"dcn-vault\" {}\n", site.key.public_line());
    assert_eq!(site.signers(), Some(line));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let listed = site.listed();
    assert_eq!(listed["signers"][0]["fingerprint"], site.key.fingerprint());
    let seen = &listed["vaults"][0];
    assert_eq!((&seen["generation"], &seen["vault"]), (&json!(1), &json!(site.vault())));
    let place = std::fs::canonicalize(site.scratch.join("bundle")).unwrap();
    assert_eq!(seen["places"], json!([place.to_str().unwrap()]));
}

#[test]
fn who_is_trusted_already_is_not_added_again() {
    let site = Site::new();
    assert_eq!(site.add().code, 0);
    let before = site.signers();
    let again = site.scratch.run(["trust", "add", "-b", "bundle", "--batch"]);
    assert_eq!((again.code, again.err.as_str()), (0, "whoever has signed it is trusted already\n"));
    assert_eq!(site.signers(), before);
}

#[test]
fn another_fingerprint_a_bundle_without_signature_and_one_that_was_changed_are_refused() {
    let site = Site::new();
    let (ours, other) = (site.key.fingerprint(), SigningKey::make().unwrap().fingerprint());
    let add = ["trust", "add", "-b", "bundle", "--fingerprint", &other];
    site.scratch.refuses(&add, &format!("error: `bundle/manifest.json` is not signed by {other}, but by {ours}\nhint: do not deploy with it, unless the centre tells you this fingerprint over another way\n"));
    let text = std::fs::read_to_string(site.scratch.join("bundle/manifest.json")).unwrap();
    site.scratch.write("bundle/manifest.json", text.replace("\"generation\": 1", "\"generation\": 2"), 0o644);
    let add = ["trust", "add", "-b", "bundle", "--fingerprint", &ours];
    site.scratch.refuses(&add, &format!("error: `bundle/manifest.json.sig`: the signature of {ours} does not fit: what it signed is not what is here\nhint: do not deploy with it: it was changed after it was signed; get it anew\n"));
    std::fs::remove_file(site.scratch.join("bundle/manifest.json.sig")).unwrap();
    site.scratch.refuses(&add, "error: `bundle/manifest.json` is not signed\nhint: have it signed at the centre: a pull with a signing key signs; copy manifest.json.sig too\n");
    site.scratch.write("bundle/manifest.json.sig", "nothing", 0o644);
    site.scratch.refuses(&add, "error: `bundle/manifest.json.sig`: the signature is damaged\nhint: get the bundle anew, with its signatures\n");
}

#[test]
fn nobody_is_trusted_where_nobody_can_be_asked() {
    let site = Site::new();
    let hint = "or run it at a terminal without --batch";
    let said = site.scratch.run(["--batch", "trust", "add", "-b", "bundle"]);
    let words = "error: this has to be confirmed, and nobody can be asked\n";
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(
        said.err.ends_with(&format!("{words}hint: give --fingerprint SHA256:…, {hint}\n")),
        "{}",
        said.err
    );
    assert_eq!(site.signers(), None);
    assert_eq!(site.add().code, 0);
    let said = site.scratch.run(["--batch", "trust", "reset", "-b", "bundle"]);
    assert!(said.err.ends_with(&format!("{words}hint: give --yes, {hint}\n")), "{}", said.err);
    assert_eq!(site.listed()["vaults"].as_array().unwrap().len(), 1);
}

#[test]
fn a_bundle_that_is_older_than_what_was_seen_makes_nobody_trusted() {
    let site = Site::new();
    site.change(|manifest| manifest["generation"] = json!(7));
    assert_eq!(site.add().code, 0);
    let stranger = SigningKey::make().unwrap();
    site.change(|manifest| manifest["generation"] = json!(6));
    site.sign("manifest.json.sig.2", &stranger);
    let before = site.signers();
    let add = ["trust", "add", "-b", "bundle", "--fingerprint", &stranger.fingerprint()];
    assert_refused(
        &site.scratch.run(add),
        1,
        "error: generation 6 is older than generation 7, which was seen here\nhint: get the newest bundle; if the centre was restored from a copy, run there `dcn-vault pull --after 8`\n",
    );
    assert_eq!(site.signers(), before);
    assert_eq!(site.listed()["vaults"][0]["generation"], 7);
}

#[test]
fn a_second_signature_makes_a_second_signer() {
    let site = Site::new();
    let second = SigningKey::make().unwrap();
    site.sign("manifest.json.sig.2", &second);
    let added = site.add();
    assert_eq!(added.code, 0, "{}", added.err);
    let add = ["trust", "add", "-b", "bundle", "--fingerprint", &second.fingerprint()];
    assert_eq!(site.scratch.run(add).code, 0);
    let names: Vec<Value> = site.listed()["signers"].as_array().unwrap().clone();
    let names: Vec<&str> = names.iter().map(|one| one["principal"].as_str().unwrap()).collect();
    assert_eq!(names, [site.key.fingerprint(), second.fingerprint()]);
}

#[test]
fn a_reset_forgets_the_generation_and_says_which_it_was() {
    let site = Site::new();
    site.change(|manifest| manifest["generation"] = json!(7));
    assert_eq!(site.add().code, 0);
    site.change(|manifest| manifest["generation"] = json!(6));
    assert_eq!(site.add().code, 1);
    let reset = ["trust", "reset", "-b", "bundle", "--yes"];
    let said = site.scratch.run(reset);
    let start = format!("forgotten: vault {}, generation 7, seen until ", site.vault());
    assert!(said.code == 0 && said.err.starts_with(&start), "{}", said.err);
    assert_eq!(site.scratch.run(reset).err, "nothing was seen of bundle\n");
    assert_eq!(site.add().code, 0);
    assert_eq!(site.listed()["vaults"][0]["generation"], 6);
}

#[test]
fn another_vaults_bundle_at_the_place_is_refused_until_a_reset() {
    let site = Site::new();
    assert_eq!(site.add().code, 0);
    site.change(|manifest| manifest["vault"] = json!("f".repeat(32)));
    let said = site.add();
    assert_eq!(said.code, 1);
    assert!(said.err.contains(&format!("has a bundle of vault {}", "f".repeat(32))), "{}", said.err);
    assert!(said.err.contains("`dcn-vault trust reset`"), "{}", said.err);
    assert_eq!(site.scratch.run(["trust", "reset", "-b", "bundle", "--yes"]).code, 0);
    assert_eq!(site.add().code, 0);
}

#[test]
fn a_damaged_memory_is_an_error_and_a_reset_mends_it() {
    let site = Site::new();
    assert_eq!(site.add().code, 0);
    let memory = format!("{SEEN}/{}", site.vault());
    site.scratch.write(&memory, "{}", 0o600);
    let path = site.scratch.join(&memory);
    let said = site.add();
    let words =
        format!("error: `{}`, where it is remembered what was seen of a vault, is damaged\n", path.display());
    assert!(said.code == 1 && said.err.starts_with(&words), "{}", said.err);
    assert_eq!(site.scratch.run(["trust", "list"]).code, 1);
    assert_eq!(site.scratch.run(["trust", "reset", "-b", "bundle", "--yes"]).code, 0);
    assert!(!path.exists());
}

#[test]
fn signers_that_others_can_write_are_refused() {
    let site = Site::new();
    assert_eq!(site.add().code, 0);
    let path = site.scratch.join(SIGNERS);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o622)).unwrap();
    let shown = path.display();
    for verb in [&["trust", "list"][..], &["trust", "add", "-b", "bundle"]] {
        site.scratch.refuses(
            verb,
            &format!(
                "error: `{shown}` can be written by others: its mode is 0622\nhint: chmod go-w {shown}\n"
            ),
        );
    }
}

#[test]
fn the_list_says_who_until_when_and_for_what() {
    let site = Site::new();
    let empty = site.scratch.run(["trust", "list"]);
    assert_eq!(empty.code, 0, "{}", empty.err);
    let own = site.scratch.join(SIGNERS);
    assert!(
        empty.out.starts_with(&format!("Signers: none, there is no {} nor ", own.display())),
        "{}",
        empty.out
    );
    assert!(empty.out.ends_with("\nVaults seen: none\n"), "{}", empty.out);
    assert_eq!(site.add().code, 0);
    let line = format!("old valid-before=\"20200101Z\",namespaces=\"git\" {}\n", site.key.public_line());
    site.scratch.write(SIGNERS, line, 0o600);
    let listed = site.scratch.run(["trust", "list"]).out;
    let expected = format!(
        "Signers, from {}\n  {}  ssh-ed25519  old, until 2020-01-01T00:00:00Z, for git\n\nVaults seen\n  {}  generation 1, until ",
        own.display(),
        site.key.fingerprint(),
        site.vault()
    );
    assert!(listed.starts_with(&expected), "{listed}");
    // Who is listed and may not sign is not let in by the back door
    let said = site.add();
    assert!(said.code == 1 && said.err.contains("may not sign for `dcn-vault`"), "{}", said.err);
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_person_is_shown_the_fingerprint_and_says_yes() {
    let site = Site::new();
    let keys = format!("centre@lyon {}\n", site.key.public_line());
    site.scratch.write("keys/signers", keys, 0o644);
    let add = ["trust", "add", "-b", "bundle"];
    for no in ["y\n", "\n", "\u{4}", "yes please\n"] {
        let ended = site.at_terminal(&add, QUESTION, no);
        assert_eq!(ended["status"], 1, "{ended}");
        assert!(
            ended["shown"].as_str().unwrap().contains("error: not confirmed: nothing has changed"),
            "{ended}"
        );
        assert_eq!(site.signers(), None);
        assert!(!site.scratch.join(SEEN).exists());
    }
    let ended = site.at_terminal(&add, QUESTION, "yes\n");
    assert_eq!(ended["status"], 0, "{ended}");
    let shown = ended["shown"].as_str().unwrap().replace("\r\n", "\n");
    let start = format!("bundle: generation 1 of vault {}, made ", site.vault());
    assert!(shown.starts_with(&start), "{shown}");
    let who = format!(
        "signed by  {}  ssh-ed25519\n           centre@lyon, says the vault itself: nobody has verified that\n{QUESTION}yes\n",
        site.key.fingerprint()
    );
    assert!(shown.contains(&who), "{shown}");
    assert!(site.signers().unwrap().starts_with("centre@lyon namespaces=\"dcn-vault\" ssh-ed25519 "));
    let question = "Forget it, so that any bundle is taken as the first? (yes/no): ";
    let reset = ["trust", "reset", "-b", "bundle"];
    assert_eq!(site.at_terminal(&reset, question, "no\n")["status"], 1);
    assert_eq!(site.listed()["vaults"].as_array().unwrap().len(), 1);
    assert_eq!(site.at_terminal(&reset, question, "yes\n")["status"], 0);
    assert!(site.listed()["vaults"].as_array().unwrap().is_empty());
}

#[test]
fn the_two_files_are_kept_where_the_variables_say() {
    let site = Site::new();
    let fingerprint = site.key.fingerprint();
    let mut command = site.scratch.program();
    command.env("XDG_CONFIG_HOME", site.scratch.join("c")).env("XDG_STATE_HOME", site.scratch.join("s"));
    let added = said(command.args(["trust", "add", "-b", "bundle", "--fingerprint", &fingerprint]));
    assert_eq!(added.code, 0, "{}", added.err);
    assert!(site.scratch.join("c/dcn-vault/signers").is_file());
    assert!(site.scratch.join("s/dcn-vault/seen").join(site.vault()).is_file());
    assert!(site.signers().is_none() && !site.scratch.join(SEEN).exists());
}
