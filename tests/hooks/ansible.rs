//! The lookup and the client of ansible-vault, in the Ansible that TripleO's own client brings along.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Said, Scratch, occurring, said};
use crate::{example, path};

/// What Jinja would read, if it were let.
const NOVA: &str = "not-a-real-{{ 1 + 1 }}-password";
const SITE: &str = "made-up-for-the-site-0001";
const FERNET: &str = "made-up-fernet-0001";
const SNMPD: &str = "123456789";
/// Each value has the type that it has in the bundle; a path leads below a parameter, and a map is one.
const TYPES: &str = "
- hosts: localhost
  gather_facts: false
  vars: {fernet: /etc/keystone/fernet-keys/0}
  tasks:
    - ansible.builtin.assert:
        quiet: true
        that:
          - lookup('dcn_vault', 'NovaPassword') == nova
          - lookup('dcn_vault', 'SnmpdReadonlyUserPassword') is integer
          - lookup('dcn_vault', 'KeystoneFernetKeys') is mapping
          - lookup('dcn_vault', 'KeystoneFernetKeys')[fernet].content == lookup('dcn_vault', below)
          - query('dcn_vault', 'SitePassword', 'NovaPassword') | length == 2
      vars:
        below: KeystoneFernetKeys./etc/keystone/fernet-keys/0.content
        nova: !unsafe 'not-a-real-{{ 1 + 1 }}-password'
      no_log: true
";
const SHOWS: &str = "
- hosts: localhost
  gather_facts: false
  tasks: [{ansible.builtin.debug: {var: kept}}]
";

/// A site with a vault at home, whose Ansible has the examples.
struct Site(Scratch);

impl Site {
    fn new() -> Self {
        let site = Self(Scratch::new());
        let (identity, recipient) = site.0.keygen("identity.txt");
        site.0.write("dcn-vault.yaml", "version: 1\n", 0o644);
        let plan = format!(
            "passwords:\n  NovaPassword: '{NOVA}'\n  KeystoneFernetKeys: {{/etc/keystone/fernet-keys/0: {{content: {FERNET}}}}}\n"
        );
        site.0.write("plan.yaml", plan, 0o600);
        let own =
            format!("parameter_defaults: {{SitePassword: {SITE}, SnmpdReadonlyUserPassword: {SNMPD}}}\n");
        site.0.write("own.yaml", own, 0o600);
        let pull = ["pull", "--from-file", "plan.yaml", "--from-file", "own.yaml", "-r", &recipient];
        for kept in ["generation-1", "generation-2"] {
            assert_eq!(site.0.run(pull).code, 0);
            site.does("cp", &["-r", "bundle", kept]);
        }
        for name in ["plan.yaml", "own.yaml"] {
            std::fs::remove_file(site.0.join(name)).unwrap();
        }
        std::fs::rename(identity, site.0.join(".config/dcn-vault/identity.txt")).unwrap();
        site.does("cp", &["-r", example("ansible").to_str().unwrap(), "ansible"]);
        site.0.write("ansible/types.yml", TYPES, 0o644);
        site.0.write("ansible/shows.yml", SHOWS, 0o644);
        site
    }

    fn does(&self, program: &str, words: &[&str]) {
        let done = said(Command::new(program).args(words).current_dir(self.0.path()));
        assert_eq!(done.code, 0, "{}", done.err);
    }

    /// A program of Ansible's, at home.
    fn ansible(&self, program: &str, words: &[&str]) -> Said {
        let mut command = Command::new(environment().join("bin").join(program));
        command.args(words).current_dir(self.0.path()).env_clear();
        command.env("HOME", self.0.path()).env("PATH", path()).env("LC_ALL", "C.UTF-8");
        command.env("ANSIBLE_LOCALHOST_WARNING", "0").env("ANSIBLE_INVENTORY_UNPARSED_WARNING", "0");
        said(command.env("ANSIBLE_NOCOLOR", "1"))
    }

    /// As [`Self::ansible`], and fails when a value is in what is said, or in a file at home.
    #[track_caller]
    fn plays(&self, words: &[&str]) -> Said {
        let played = self.ansible("ansible-playbook", words);
        let secrets = [NOVA, SITE, FERNET, SNMPD, "not-a-real-2-password"].map(str::to_owned);
        let text = played.out.clone() + &played.err;
        assert_eq!(occurring(&secrets, text.as_bytes()), Vec::<&String>::new(), "{text}");
        for (file, content) in self.0.files() {
            let is_ours = file == self.0.join("ansible/types.yml");
            let found = occurring(&secrets, &content);
            assert!(is_ours || found.is_empty(), "{}: {found:?}", file.display());
        }
        played
    }

    /// Fails unless the example ends with an error that has these words.
    #[track_caller]
    fn fails(&self, words: &str) {
        let played = self.plays(&["ansible/password.yml", "-vvv"]);
        // Ansible breaks lines
        let err = played.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(played.code == 2 && err.contains(words), "{}: {err}", played.code);
        assert!(!played.out.contains("digest.stdout"), "{}", played.out);
    }

    fn bring(&self, kept: &str) {
        std::fs::remove_dir_all(self.0.join("bundle")).unwrap();
        self.does("cp", &["-r", kept, "bundle"]);
    }
}

/// Where Ansible is.
fn environment() -> PathBuf {
    let environments = std::env::var_os("LAB_VENVS");
    let environments = environments
        .unwrap_or_else(|| panic!("LAB_VENVS is not set: there is no Ansible to test with. Run tests/all"));
    Path::new(&environments).join("tripleo-20")
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_task_gets_the_value_and_its_type_and_nobody_sees_it() {
    let site = Site::new();
    let played = site.plays(&["ansible/password.yml", "-vvv"]);
    let digest = dcn_vault::model::Digest::of(NOVA.as_bytes()).to_string();
    assert!(played.code == 0 && played.out.contains(&digest), "{}{}", played.out, played.err);
    let played = site.plays(&["ansible/types.yml"]);
    assert_eq!(played.code, 0, "{}{}", played.out, played.err);
    // By their names, too
    let home = site.0.path().to_str().unwrap();
    let identity = site.0.join(".config/dcn-vault/identity.txt");
    std::fs::rename(&identity, site.0.join("elsewhere.txt")).unwrap();
    let named = format!("dcn_vault_directory={home} dcn_vault_identity={home}/elsewhere.txt");
    assert_eq!(site.plays(&["ansible/password.yml", "-e", &named]).code, 0);
    site.fails("no identity: looked for");
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_lookup_of_what_is_not_to_be_believed_fails_the_task() {
    let site = Site::new();
    assert_eq!(site.plays(&["ansible/password.yml"]).code, 0);
    site.bring("generation-1");
    site.fails("generation 1 is older than generation 2, which was seen here");
    site.bring("generation-2");
    let sealed = site.0.join("bundle/passwords.yaml.age");
    let changed = [&std::fs::read(&sealed).unwrap()[..], b"\n"].concat();
    std::fs::write(&sealed, changed).unwrap();
    site.fails("passwords.yaml.age` has changed since the bundle was made");
    site.bring("generation-2");
    let playbook = site.0.join("ansible/password.yml");
    let text = std::fs::read_to_string(&playbook).unwrap().replace("NovaPassword", "NovaPasword");
    std::fs::write(&playbook, text).unwrap();
    site.fails("NovaPasword");
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn ansible_vault_takes_its_password_from_the_bundle() {
    let site = Site::new();
    site.0.write("kept.yml", "kept: a-word-of-the-site\n", 0o600);
    let id = "SitePassword@ansible/dcn-vault-client";
    let encrypted = site.ansible("ansible-vault", &["encrypt", "--vault-id", id, "kept.yml"]);
    assert_eq!(encrypted.code, 0, "{}", encrypted.err);
    let text = std::fs::read_to_string(site.0.join("kept.yml")).unwrap();
    assert!(text.starts_with("$ANSIBLE_VAULT;1.2;AES256;SitePassword\n"), "{text}");
    let played = site.plays(&["--vault-id", id, "-e", "@kept.yml", "ansible/shows.yml"]);
    assert!(played.code == 0 && played.out.contains("a-word-of-the-site"), "{}", played.err);
    // The same password, typed
    site.0.write("typed", SITE, 0o600);
    let typed = site.ansible("ansible-vault", &["view", "--vault-id", "SitePassword@typed", "kept.yml"]);
    assert_eq!((typed.code, typed.out.as_str()), (0, "kept: a-word-of-the-site\n"), "{}", typed.err);
    std::fs::remove_file(site.0.join("typed")).unwrap();

    let refused =
        site.plays(&["--vault-id", "Other@ansible/dcn-vault-client", "-e", "@kept.yml", "ansible/shows.yml"]);
    assert!(refused.code != 0 && refused.err.contains("Other"), "{}", refused.err);
    site.bring("generation-1");
    let refused = site.plays(&["--vault-id", id, "-e", "@kept.yml", "ansible/shows.yml"]);
    assert!(refused.code != 0 && refused.err.contains("generation 1 is older"), "{}", refused.err);
    let usage = said(Command::new(example("ansible/dcn-vault-client")).env("PATH", path()));
    assert_eq!((usage.code, usage.err.as_str()), (2, "usage: dcn-vault-client --vault-id PARAMETER\n"));
}
