//! The CI jobs, their commands taken from the files and run as a runner runs them: in a clone, and where no key is.

use std::process::Command;

use serde_json::Value;

use crate::centre::Centre;
use crate::program::{Said, Scratch, occurring, said};
use crate::{example, path};

/// A way to run a job's commands.
type Job = fn(&Runner) -> Said;

/// A machine on which a clone of the vault is, and whose operators know who may sign.
struct Runner {
    home: Scratch,
    signers: String,
}

impl Runner {
    /// Clones what is committed at the centre.
    fn of(centre: &Centre, signers: &str) -> Self {
        let home = Scratch::bare();
        git(&home, &["clone", "-q", centre.scratch.path().to_str().unwrap(), "clone"]);
        std::fs::create_dir(home.join("temp")).unwrap();
        Self { home, signers: signers.to_owned() }
    }

    /// `script`, by a `bash` that gives up where a command fails, as both run it.
    fn bash(&self, script: &str, signers: &str) -> Said {
        let mut bash = Command::new("bash");
        bash.args(["-e", "-c", script]).current_dir(self.home.join("clone")).env_clear();
        bash.env("HOME", self.home.path()).env("PATH", path()).env("RUNNER_TEMP", self.home.join("temp"));
        said(bash.env("DCN_VAULT_SIGNERS", signers))
    }

    /// As GitLab's runner does: one shell for all, then another, come what may.
    fn gitlab(&self) -> Said {
        let job = &read("gitlab-ci.yml")["check-bundle"];
        let lines = |key: &str| {
            let lines = job[key].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
            lines.collect::<Vec<_>>().join("\n")
        };
        // A variable of type File is the name of a file
        let signers = self.home.write("temp/variable", &self.signers, 0o600);
        let ended = self.bash(&lines("script"), signers.to_str().unwrap());
        let after = self.bash(&lines("after_script"), "");
        Said { code: ended.code, out: ended.out + &after.out, err: ended.err + &after.err }
    }

    /// As GitHub's runner does: a shell for each step, up to the first that fails.
    fn github(&self) -> Said {
        let job = &read("github-workflow.yml")["jobs"]["check-bundle"];
        assert_eq!(job["env"]["DCN_VAULT_SIGNERS"], "${{ vars.DCN_VAULT_SIGNERS }}");
        let mut all = Said { code: 0, out: String::new(), err: String::new() };
        for script in job["steps"].as_array().unwrap().iter().filter_map(|step| step["run"].as_str()) {
            let step = self.bash(script, &self.signers);
            all = Said { code: step.code, out: all.out + &step.out, err: all.err + &step.err };
            if all.code != 0 {
                break;
            }
        }
        all
    }
}

fn read(name: &str) -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(example(name)).unwrap()).unwrap()
}

fn git(scratch: &Scratch, words: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]).args(words);
    git.current_dir(scratch.path()).env_clear().env("HOME", scratch.path()).env("PATH", path());
    let done = said(&mut git);
    assert_eq!(done.code, 0, "git {words:?}: {}", done.err);
}

/// Commits what belongs to the vault.
fn commit(centre: &Centre, message: &str) {
    git(&centre.scratch, &["add", "-A", "bundle", "keys", "dcn-vault.yaml"]);
    git(&centre.scratch, &["commit", "-q", "-m", message]);
}

/// A centre with two generations, in git.
fn centre() -> Centre {
    let mut centre = Centre::new();
    git(&centre.scratch, &["init", "-q", "-b", "main"]);
    for message in ["Generation 1", "Generation 2"] {
        centre.pull(&[]);
        centre.keep(message);
        commit(&centre, message);
        centre.change("NovaPassword");
    }
    centre
}

/// Fails unless each job ends with this code, says this of the checks, and never a value.
#[track_caller]
fn ends(centre: &Centre, signers: &str, code: i32, says: &str) {
    let secrets: Vec<String> = centre.passwords.values().cloned().collect();
    let jobs: [(&str, Job); 2] = [("gitlab", Runner::gitlab), ("github", Runner::github)];
    for (name, job) in jobs {
        let runner = Runner::of(centre, signers);
        let ended = job(&runner);
        let text = ended.out.clone() + &ended.err;
        assert!(ended.code == code && text.contains(says), "{name}: {}: {text}", ended.code);
        assert_eq!(occurring(&secrets, text.as_bytes()), Vec::<&String>::new(), "{name}");
        for (file, content) in runner.home.files() {
            assert_eq!(occurring(&secrets, &content), Vec::<&String>::new(), "{name}: {}", file.display());
        }
        if code != 1 {
            let checked: Value = serde_json::from_str(&ended.out).unwrap();
            assert_eq!(checked["verdict"], if code == 0 { "ok" } else { "finding" }, "{name}: {text}");
        }
    }
}

fn trusted(centre: &Centre) -> String {
    std::fs::read_to_string(centre.scratch.join(".config/dcn-vault/signers")).unwrap()
}

#[test]
#[ignore = "needs git: run tests/all"]
fn a_job_passes_what_is_right_and_stops_what_is_not_and_never_shows_a_value() {
    let centre = centre();
    let signers = trusted(&centre);
    ends(&centre, &signers, 0, "1 generation before it, each follows the one before");

    // What anybody who can push can do
    let stranger = format!("stranger namespaces=\"dcn-vault\" {}\n", centre.make_key("stranger").public);
    ends(&centre, &stranger, 3, "does not list");
    let key = centre.scratch.run(["keygen", "-o", "more.txt"]).out;
    let recipients = std::fs::read_to_string(centre.scratch.join("keys/all/recipients.txt")).unwrap();
    centre.scratch.write("keys/all/recipients.txt", recipients.clone() + &key, 0o644);
    commit(&centre, "One more who may read");
    ends(&centre, &signers, 3, "and cannot open the bundle");
    centre.scratch.write("keys/all/recipients.txt", recipients, 0o644);
    commit(&centre, "Nobody more");
    ends(&centre, &signers, 0, "\"verdict\": \"ok\"");

    centre.bring("Generation 1");
    commit(&centre, "Generation 1 again");
    ends(&centre, &signers, 3, "git has generation 2 before generation 1");
    centre.bring("Generation 2");
    let sealed = [&centre.read("passwords.yaml.age")[..], b"\n"].concat();
    centre.scratch.write("bundle/passwords.yaml.age", sealed, 0o644);
    commit(&centre, "Tampered");
    ends(&centre, &signers, 1, "passwords.yaml.age` has changed since the bundle was made");
}
