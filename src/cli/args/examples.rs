//! What stands below the help of each verb: command lines that a test reads.

pub(super) const ADD_EXAMPLES: &str = "\
Examples:
  dcn-vault site add edge1 age1…                                everything
  dcn-vault site add edge2 age1… --role DistributedCompute      what that role's services take
  dcn-vault site add edge3 -R edge3.pub --secrets 'Nova*' --secrets RpcPassword";

pub(super) const AUDIT_EXAMPLES: &str = "\
Exit code of verify: 0 whole, 3 something was found, 1 the log could not be read.

Examples:
  dcn-vault audit verify                                   prints the head, which is worth keeping elsewhere
  dcn-vault audit verify /var/log/dcn-vault/audit.jsonl    another log
  dcn-vault audit show --since 7d                          who opened what in the last week
  dcn-vault audit show --json | jq                         for a script";

pub(super) const CHECK_EXAMPLES: &str = "\
Exit code: 0 all well, 3 something was found, 1 the bundle could not be read.

Examples:
  dcn-vault check                                      bundle/ of this vault, against its keys/
  dcn-vault check -i /etc/dcn-vault/identity.txt       at a site, before a deployment
  dcn-vault check --as edge2                           what edge2 gets
  dcn-vault check -b /srv/central --json               for a script
  dcn-vault check || mail -s 'the bundle' operators    in cron: certificates expire";

pub(super) const DECRYPT_EXAMPLES: &str = "\
Examples:
  dcn-vault decrypt | grep -c Password
  dcn-vault decrypt global-config-extra-map-data.json -o /run/user/1000/global.json";

pub(super) const DIFF_EXAMPLES: &str = "\
Exit code: 0 no difference, 3 some.

Examples:
  dcn-vault diff                      has anything changed at the centre since the last pull?
  dcn-vault diff --generation 7       what has changed since generation 7, from git's history
  dcn-vault diff /srv/old-bundle      what has changed since that one";

pub(super) const GET_EXAMPLES: &str = "\
NAME is a parameter, and below it keys and indices with dots between them. A key may have dots and slashes of its own; where that can
be read in two ways, a JSON pointer says which. A single value is written as it is, with no newline behind it.

Examples:
  dcn-vault get NovaPassword | wc -c
  dcn-vault get KeystoneFernetKeys./etc/keystone/fernet-keys/0.content -o /run/user/1000/fernet-0
  dcn-vault get /parameter_defaults/KeystoneFernetKeys/~1etc~1keystone~1fernet-keys~10/content | wc -c
  dcn-vault get NovaPassword --socket /run/dcn-vault/dcn-vault.sock | wc -c    from `dcn-vault serve`
  dcn-vault get EndpointMapOverride --json | jq keys";

pub(super) const INIT_EXAMPLES: &str = "\
Examples:
  git init centre && dcn-vault -C centre init --git-config     a vault in a new repository
  dcn-vault init --git-config                                  in a clone of one: git does not clone its settings";

pub(super) const KEYGEN_EXAMPLES: &str = "\
Examples:
  dcn-vault keygen -o /etc/dcn-vault/identity.txt     prints the recipient, for `dcn-vault site add`
  dcn-vault keygen                                    to standard output";

pub(super) const LIST_EXAMPLES: &str = "\
Examples:
  dcn-vault site list            who is listed, and what of the bundle each gets
  dcn-vault site list --json     for a script";

pub(super) const PULL_EXAMPLES: &str = "\
Examples:
  dcn-vault pull --list                                       what there is
  dcn-vault pull --os-cloud undercloud                        for the sites in keys/, to bundle/
  dcn-vault pull --stack central -r age1… -o /srv/central     without a vault
  dcn-vault pull --working-dir ~/overcloud-deploy/overcloud   Wallaby and later: without a cloud
  dcn-vault pull --from-file plan-environment.yaml -r age1…   what was saved
  dcn-vault pull --ceph-stack dcn0 --ceph-stack dcn1          with the sites' Ceph clusters";

pub(super) const REKEY_EXAMPLES: &str = "\
Examples:
  dcn-vault rekey --dry-run              who would get what
  dcn-vault rekey -i operators.txt       with an identity that opens everything";

pub(super) const REMOVE_EXAMPLES: &str = "\
Examples:
  dcn-vault site remove edge1 --dry-run -i operators.txt     what would have to be rotated
  dcn-vault site remove edge1 -i operators.txt               with an identity that opens everything
  dcn-vault site remove edge1 --no-rekey && dcn-vault pull   without one";

pub(super) const RUN_EXAMPLES: &str = "\
Placeholders in ARG:
  {env}        on its own: -e FILE for every environment file, in the documented order
  {passwords}  the passwords file
  {dir}        the directory that has them all; DCN_VAULT_DIR is the same

Examples:
  dcn-vault run -- openstack overcloud deploy --stack edge1 {env}
  dcn-vault run --watch /srv/out --on-escape fail -- ./deploy.sh {dir}
  dcn-vault run --contain /srv/wd --keep-sealed wd.tar.age -- openstack overcloud deploy --working-dir /srv/wd {env}
  dcn-vault run -i /root/edge1.txt -- ./deploy.sh {dir}";

pub(super) const SELFTEST_EXAMPLES: &str = "\
Examples:
  dcn-vault selftest            once on each machine that pulls or deploys
  dcn-vault selftest --json     for a script";

pub(super) const SERVE_EXAMPLES: &str = "\
Signals: TERM ends it when all is answered, HUP reads the policy anew.

Examples:
  dcn-vault serve -b /srv/central/bundle                        with /etc/dcn-vault/serve.yaml
  dcn-vault serve --policy serve.yaml --socket /run/user/1000/v.sock
  dcn-vault serve --drop-in edge-deploy.service --credential passwords.yaml    for that unit";

pub(super) const SHOW_EXAMPLES: &str = "\
Examples:
  dcn-vault show                                   who opens what, since when, and what is on the bill
  dcn-vault show -b /srv/central --json            the manifest";

pub(super) const SIGN_EXAMPLES: &str = "\
Examples:
  dcn-vault sign                                    with ~/.config/dcn-vault/signing_key
  dcn-vault sign --sign-key ~/.ssh/id_ed25519.pub   by the ssh agent";

pub(super) const TRUST_EXAMPLES: &str = "\
Examples:
  dcn-vault trust add -b /srv/central                             shows who signed it, and asks
  dcn-vault trust add -b /srv/central --fingerprint SHA256:…      for a script that knows who it should be
  dcn-vault trust list                                            signers, and the generations seen
  dcn-vault trust reset -b /srv/central                           the next bundle there is taken as the first";

pub(super) const DELIVERY_HELP: &str = "\
How the command gets the files [default: mount for root, else fd]

mount: in the bundle's own directory, on a ramfs that its process tree alone sees. /tmp is memory, too. The tree \
ends with the command, and with us, even when we are killed. For others than root it takes a user namespace, in \
which there is no sudo.

fd: as nameless files in memory, which it inherits as descriptors; links give them their names. The command is in \
no namespace. A program that closes descriptors before it starts another (Python's subprocess, sudo) hides the \
files from that one: it needs mount.

file: as files of mode 0600 in memory, below XDG_RUNTIME_DIR or /dev/shm. They may be swapped out, and stay until \
the next run when we are killed.";

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::super::Arguments;

    /// Every verb that is shown, and below a verb those of its own.
    fn leaves(command: &Command, into: &mut Vec<Command>) {
        let verbs: Vec<&Command> = command.get_subcommands().filter(|verb| !verb.is_hide_set()).collect();
        if verbs.is_empty() {
            into.push(command.clone());
        }
        for verb in verbs {
            leaves(verb, into);
        }
    }

    /// The program's command lines in a line of examples, without what is said of them.
    fn lines(example: &str) -> Vec<Vec<String>> {
        let typed = example.trim_start().split("  ").next().unwrap();
        let commands = typed.split(['|', '&']).map(str::trim).filter(|part| part.starts_with("dcn-vault "));
        let words = |command: &str| command.split(' ').map(|word| word.replace('\'', "")).collect();
        commands.map(words).collect()
    }

    #[test]
    fn every_verb_has_examples_and_each_of_them_is_a_command_line_that_is_taken() {
        let mut verbs = Vec::new();
        leaves(&Arguments::command(), &mut verbs);
        assert!(verbs.len() > 12);
        for verb in verbs {
            let name = verb.get_name().to_owned();
            let after = verb.get_after_help().map(ToString::to_string);
            // What `audit` and `trust` can do is shown there
            let after = after.or_else(|| match name.as_str() {
                "add" | "list" | "reset" => Some(super::TRUST_EXAMPLES.into()),
                "show" | "verify" => Some(super::AUDIT_EXAMPLES.into()),
                _ => None,
            });
            let after = after.unwrap_or_else(|| panic!("{name} has no examples"));
            let examples =
                after.split_once("Examples:\n").unwrap_or_else(|| panic!("{name} has no examples")).1;
            for example in examples.lines() {
                let commands = lines(example);
                assert!(!commands.is_empty(), "{name}: {example}");
                for words in commands {
                    let taken = Arguments::command().try_get_matches_from(&words);
                    assert!(taken.is_ok(), "{words:?}: {}", taken.unwrap_err());
                }
            }
        }
    }
}
