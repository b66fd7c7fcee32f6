use super::*;
use crate::fs::TemporaryDirectory;
use crate::report::Hint;

fn found(text: &str) -> Result<Vault, VaultError> {
    let here = TemporaryDirectory::scratch();
    here.write(FILE_NAME, text);
    let below = here.write("a/b/file", "");
    Vault::find(below.parent().unwrap())
}

/// Place, fact and remedy of what is wrong with `text`.
fn wrong(text: &str) -> (usize, usize, String, String) {
    match found(text).map(|vault| vault.directory) {
        Err(VaultError::Setting { line, column, fault, .. }) => {
            (line, column, fault.to_string(), fault.hint())
        }
        other => panic!("{text:?}: {other:?}"),
    }
}

fn refused(text: &str, line: usize, column: usize, fact: &str, hint: &str) {
    assert_eq!(wrong(text), (line, column, fact.to_owned(), hint.to_owned()), "{text:?}");
}

fn site(name: &str) -> Site {
    Site::parse(name).unwrap()
}

#[test]
fn it_is_found_from_a_directory_below() {
    let vault = found("version: 1\nsource: {stack: centre, exclude: [Ceph*]}\n").unwrap();
    assert_eq!(vault.source.stack.as_deref(), Some("centre"));
    assert_eq!(vault.source.exclude, ["Ceph*"]);
    assert!(vault.bundle().ends_with("bundle"));
    assert!(vault.file().unwrap().ends_with(FILE_NAME));
}

#[test]
fn without_a_file_there_is_nothing_to_edit_and_every_site_gets_everything() {
    let here = TemporaryDirectory::scratch();
    let vault = Vault::find(here.path()).unwrap();
    assert_eq!((vault.sites.as_ref(), vault.bundle), (None, BundleSettings::default()));
    let error = vault.file().unwrap_err();
    assert!(error.hint().contains("dcn-vault init"), "{}", error.hint());
}

#[test]
fn every_setting_is_read() {
    let text = "\
version: 1
source:
  cloud: undercloud
  oslo_messaging: {roles: [Compute, DistributedCompute], when: never}
sites:
  edge1: {}
  edge2:
  edge3: {role: DistributedCompute, release: train, secrets: [Nova*]}
  4: {secrets: []}
bundle: {not_after: 90d, signatures: 2}
";
    let vault = found(text).unwrap();
    assert_eq!(vault.source.oslo_messaging.roles, ["Compute", "DistributedCompute"]);
    assert_eq!(vault.source.oslo_messaging.when, OsloWhen::Never);
    let sites = vault.sites.unwrap();
    assert!(sites[&site("edge1")].is_everything() && sites[&site("edge2")].is_everything());
    let third = &sites[&site("edge3")];
    assert_eq!(
        (third.role.as_deref(), third.release.as_deref()),
        (Some("DistributedCompute"), Some("train"))
    );
    assert_eq!(third.secrets.as_deref(), Some(&["Nova*".to_owned()][..]));
    assert_eq!(
        (sites[&site("4")].secrets.as_deref(), sites[&site("4")].is_everything()),
        (Some(&[][..]), false)
    );
    assert_eq!(vault.bundle.not_after.unwrap().as_hours(), 90 * 24);
    assert_eq!(vault.bundle.signatures, 2);
}

#[test]
fn a_key_without_anything_below_it_is_an_empty_map_and_no_sites_are_not_all_sites() {
    let vault = found("version: 1\nsource:\nsites:\nbundle: ~\n").unwrap();
    assert_eq!((&vault.source, vault.bundle), (&SourceSettings::default(), BundleSettings::default()));
    assert_eq!(vault.sites, Some(BTreeMap::new()));
    assert_eq!(
        found("version: 1\nsource: {ceph: , barbican: ~}\n").unwrap().source,
        SourceSettings::default()
    );
}

#[test]
fn a_key_that_is_not_known_is_refused_with_the_nearest_that_is() {
    for (text, line, column, fact, hint) in [
        ("version: 1\nsource:\n  exclud: []\n", 3, 3, "no setting of `source`", "did you mean `exclude`?"),
        (
            "version: 1\nsource: {Working-Dir: x}\n",
            2,
            10,
            "no setting of `source`",
            "did you mean `working_dir`?",
        ),
        ("version: 1\nsuorce: {}\n", 2, 1, "no setting of this version", "did you mean `source`?"),
        (
            "version: 1\npasswords: hunter2\n",
            2,
            1,
            "no setting of this version",
            "it takes version, source, sites, bundle",
        ),
        (
            "version: 1\nsites:\n  edge1:\n    secret: [hunter2]\n",
            4,
            5,
            "no setting of `sites.edge1`",
            "did you mean `secrets`?",
        ),
        ("version: 1\nbundle: {x: 1}\n", 2, 10, "no setting of `bundle`", "it takes not_after, signatures"),
    ] {
        refused(text, line, column, fact, hint);
    }
}

#[test]
fn a_value_of_another_kind_is_refused_by_what_it_should_be() {
    let text = "write one; in quotes where it looks like a number, or like true or false";
    let list = "write it in brackets, such as [Nova*, Ceph*]";
    let span = "write days, weeks or hours, such as 90d, 12w or 36h";
    let count = "write it without quotes, such as 2";
    for (wrong, column, fact, hint) in [
        ("source: {stack: 16}", 17, "`source.stack` should be a text", text),
        ("source: {stack: [hunter2]}", 17, "`source.stack` should be a text", text),
        ("source: {stack: {hunter2: x}}", 17, "`source.stack` should be a text", text),
        ("source: {stack: !tag hunter2}", 17, "`source.stack` should be a text", text),
        ("source: {stack: ~}", 17, "`source.stack` should be a text", text),
        ("source: {exclude: hunter2}", 19, "`source.exclude` should be a list of texts", list),
        ("source: {exclude: [a, 7]}", 23, "an entry of `source.exclude` should be a text", text),
        ("source: {barbican: {SSLKey: 7}}", 29, "`source.barbican` should be a text", text),
        (
            "source: {oslo_messaging: {when: hunter2}}",
            33,
            "`source.oslo_messaging.when` should be a word that it knows",
            "write one of auto, always, never",
        ),
        (
            "source: hunter2",
            9,
            "`source` should be a map",
            "it takes cloud, stack, plan, exclude, barbican, release, working_dir, config_download_dir, ceph, oslo_messaging, each on a line of its own",
        ),
        (
            "sites: [edge1]",
            8,
            "`sites` should be a map of sites",
            "write each site on a line of its own, such as `edge1: {}`",
        ),
        ("sites: {edge1: {secrets: }}", 26, "`sites.edge1.secrets` should be a list of texts", list),
        ("bundle: {not_after: 90}", 21, "`bundle.not_after` should be a span of time", span),
        ("bundle: {not_after: 3 moons}", 21, "`bundle.not_after` should be a span of time", span),
        ("bundle: {signatures: 0}", 22, "`bundle.signatures` should be a whole number from 1 to 9", count),
        ("bundle: {signatures: 10}", 22, "`bundle.signatures` should be a whole number from 1 to 9", count),
        ("bundle: {signatures: '2'}", 22, "`bundle.signatures` should be a whole number from 1 to 9", count),
    ] {
        refused(&format!("version: 1\n{wrong}\n"), 2, column, fact, hint);
    }
    refused("version: hunter2\n", 1, 10, "`version` should be a number", "write `version: 1`");
}

#[test]
fn what_else_can_be_wrong_has_its_own_words() {
    for (text, line, column, fact, hint) in [
        ("source: {}\n", 1, 1, "`version` is missing", "begin it with `version: 1`"),
        ("", 1, 1, "there is nothing in it", "begin it with `version: 1`"),
        ("# only a comment\n\n---\n", 1, 1, "there is nothing in it", "begin it with `version: 1`"),
        ("version: 1\nsource: {}\nsource: {}\n", 3, 1, "`source` is there twice", "leave one of them"),
        (
            "version: 1\nsource: {barbican: {hunter2: a, hunter2: b}}\n",
            2,
            33,
            "a key of `source.barbican` is there twice",
            "leave one of them",
        ),
        (
            "version: 1\nsites:\n  edge1: {}\n  edge1: {}\n",
            4,
            3,
            "`sites.edge1` is there twice",
            "leave one of them",
        ),
        (
            "version: 1\nsites:\n  ../hunter2: {}\n",
            3,
            3,
            "not a site's name",
            "use letters, digits, `.`, `_` and `-`; begin with a letter or a digit",
        ),
        (
            "version: 1\nsites:\n  edge1: {release: train, secrets: [a]}\n",
            3,
            10,
            "`sites.edge1` has a release, and no role",
            "name the role, or leave the release out: globs are the same in every release",
        ),
    ] {
        refused(text, line, column, fact, hint);
    }
    for text in [
        "version: 1\nsource: {\n",
        "version: 1\n\tsource: x\n",
        "version: 1\n---\nversion: 1\n",
        "a: *nowhere\n",
    ] {
        let (.., fact, hint) = wrong(text);
        assert_eq!(
            (fact.as_str(), hint.as_str()),
            ("not YAML", "look at the line: its indent, its colons, its brackets and its quotes"),
            "{text:?}"
        );
    }
}

#[test]
fn no_error_repeats_what_stands_in_the_file() {
    for text in [
        "hunter2",
        "hunter2: x",
        "version: 1\nsource: {cloud: {hunter2: 1}}",
        "version: 1\nsites: {edge1: {role: [hunter2]}}",
        "version: 1\nbundle: {not_after: hunter2}",
        "version: 1\nsource: {exclude: {hunter2: x}}",
        "version: [hunter2",
        "version: hunter2: x",
        "version: 1\nhunter2: {? [a]: hunter2}",
        "version: 1\nsource: {? [hunter2] : x}",
    ] {
        let (.., fact, hint) = wrong(text);
        assert!(!format!("{fact}{hint}").contains("hunter2"), "{text:?}: {fact} {hint}");
    }
}

#[test]
fn another_version_may_have_other_keys() {
    assert!(matches!(found("version: 2\nnew: {}\n"), Err(VaultError::Version { version: 2, .. })));
}
