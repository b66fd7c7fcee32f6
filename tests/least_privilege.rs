//! SECURITY.md S7: a site can open exactly the secrets that the manifest says it can; and what has not changed for it stays as it
//! is.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and says how far it came"
)]

mod program;

#[path = "tamper/centre.rs"]
mod centre;
#[path = "tamper/policy.rs"]
mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use dcn_vault::bundle::Manifest;
use dcn_vault::model::Site;

use centre::{Centre, GLOBAL_CONFIG, files_of};
use policy::{Policy, Pool, decrypted, encrypted};
use program::{occurring, said};
use serde_json::{Value, json};

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const POLICIES: usize = 50;
const ALL: &str = "passwords.yaml.age";
const GLOBAL: &str = "global-config-extra-map-data.json.age";
const EDGE1: &str = "sites/edge1/passwords.yaml.age";
const EDGE2: &str = "sites/edge2/passwords.yaml.age";
const EDGE2_GLOBAL: &str = "sites/edge2/global-config-extra-map-data.json.age";

/// Made-up policies, each with its bundle.
fn policies(count: usize, seed: u64) -> impl Iterator<Item = (Policy, Centre)> {
    let pool = Pool::make(6);
    let mut state = seed;
    (0..count).map(move |number| {
        println!("policy {number} of seed {seed:#x}, from state {state:#x}");
        let policy = Policy::make(&mut state, &pool);
        println!("{}", policy.settings());
        let centre = policy.centre();
        centre.pull(&[]);
        (policy, centre)
    })
}

#[test]
fn each_identity_opens_exactly_the_files_and_the_secrets_that_its_sites_get() {
    let mut opened = 0;
    for (policy, centre) in policies(POLICIES, SEED) {
        let bundle = centre.scratch.join("bundle");
        let expected = policy.sealed_files();
        let sealed: BTreeSet<String> = files_of(&bundle)
            .into_iter()
            .filter(|name| Path::new(name).extension().is_some_and(|end| end == "age"))
            .collect();
        assert_eq!(sealed, expected.keys().cloned().collect(), "the sealed files");
        for (position, identity) in policy.pool.identities.iter().enumerate() {
            for (name, (keys, holds)) in &expected {
                let text = decrypted(&centre.read(name), identity);
                assert_eq!(text.is_some(), keys.contains(&position), "identity {position}, {name}");
                let Some(text) = text else { continue };
                opened += 1;
                if name.ends_with(GLOBAL) {
                    assert!(text.contains(&centre.passwords["RpcPassword"]));
                    continue;
                }
                let lines = text.strip_prefix("parameter_defaults:\n").unwrap().lines();
                let found: BTreeMap<&str, &str> =
                    lines.map(|line| line.trim_start().split_once(": ").unwrap()).collect();
                let should = holds.iter().map(|name| (name.as_str(), centre.passwords[name].as_str()));
                assert_eq!(found, should.collect(), "{name}");
            }
        }
    }
    assert!(opened > 100, "{opened} files were opened");
}

#[test]
fn the_manifest_says_who_gets_what_and_holds_no_value_nor_does_any_file_in_clear() {
    let rpc = String::from("RpcPassword");
    for (policy, centre) in policies(POLICIES, SEED ^ 1) {
        let manifest = Manifest::parse(&centre.read("manifest.json"), Path::new("manifest.json")).unwrap();
        let sites: BTreeSet<&str> = manifest.recipients.keys().map(Site::as_str).collect();
        assert_eq!(sites, policy.sites.keys().map(String::as_str).collect());
        for (name, site) in &policy.sites {
            let grant = manifest.grant_of(&Site::parse(name).unwrap());
            assert_eq!(grant.is_none(), site.globs.is_none(), "{name}");
            let gets = policy.gets(site);
            if let Some(grant) = grant {
                let says: BTreeSet<String> =
                    grant.parameters.iter().map(|name| name.as_str().to_owned()).collect();
                assert_eq!(says, gets, "{name}");
            }
            // What stands in a file that it opens, it knows
            let mut knows: BTreeSet<String> =
                gets.iter().filter(|name| *name != GLOBAL_CONFIG).cloned().collect();
            knows.extend(gets.contains(GLOBAL_CONFIG).then(|| rpc.clone()));
            let says: BTreeSet<String> =
                manifest.exposed_by(grant).into_iter().map(|name| name.as_str().to_owned()).collect();
            assert_eq!(says, knows, "{name}");
        }
        let secrets: Vec<String> = centre.passwords.values().cloned().collect();
        for name in files_of(&centre.scratch.join("bundle")) {
            assert_eq!(occurring(&secrets, &centre.read(&name)), Vec::<&String>::new(), "{name}");
        }
    }
}

#[test]
fn check_agrees_for_each_site_and_finds_a_recipient_that_was_added_behind_its_back() {
    let mut found = 0;
    for (policy, centre) in policies(POLICIES / 2, SEED ^ 2) {
        for (name, site) in &policy.sites {
            let identity = format!("{}.txt", site.key);
            let checked = centre.scratch.run(["check", "-b", "bundle", "-i", &identity, "--site", name]);
            assert_eq!((checked.code, checked.err.as_str()), (0, ""), "{name}: {}", checked.out);
            let count = policy.gets(site).iter().filter(|name| *name != GLOBAL_CONFIG).count();
            let secrets = if count == 1 { "secret" } else { "secrets" };
            let line = format!(
                "ok       opened        {name} reads {count} {secrets}, exactly those that the manifest says\n"
            );
            assert!(checked.out.contains(&line), "{line}{}", checked.out);
        }
        let files = policy.sealed_files();
        for (name, site) in &policy.sites {
            let Some((file, (keys, _))) = files.iter().find(|(_, (keys, _))| !keys.contains(&site.key))
            else {
                continue;
            };
            let before = centre.read(file);
            let whose = *keys.first().unwrap();
            let text = decrypted(&before, &policy.pool.identities[whose]).unwrap();
            let keys = [&policy.pool.identities[whose], &policy.pool.identities[site.key]];
            centre.replace_as_operator(file, &encrypted(&text, &keys));
            let identity = format!("{}.txt", site.key);
            let checked = centre.scratch.run(["check", "-b", "bundle", "-i", &identity, "--site", name]);
            assert_eq!((checked.code, checked.err.as_str()), (3, ""), "{name}: {}", checked.out);
            let line =
                format!("finding  opened        {name} opens {file}, and the manifest does not say so\n");
            assert!(checked.out.contains(&line), "{line}{}", checked.out);
            centre.replace_as_operator(file, &before);
            found += 1;
        }
    }
    assert!(found > 30, "{found} were found");
}

#[test]
#[ignore = "needs Debian's age: run tests/all"]
fn plain_age_opens_the_same() {
    for (policy, centre) in policies(10, SEED ^ 3) {
        for position in 0..policy.pool.identities.len() {
            for (name, (keys, _)) in policy.sealed_files() {
                let mut age = Command::new("age");
                age.args(["-d", "-i"])
                    .arg(centre.scratch.join(&format!("{position}.txt")))
                    .arg(centre.bundle(&name));
                let ended = said(&mut age);
                let ours =
                    decrypted(&centre.read(&name), &policy.pool.identities[position]).unwrap_or_default();
                assert_eq!(
                    (ended.code == 0, ended.out),
                    (keys.contains(&position), ours),
                    "{position} {name}"
                );
            }
        }
    }
}

/// What the sealed files are, and which of them `change` rewrote.
fn rewritten(centre: &mut Centre, change: impl FnOnce(&mut Centre)) -> (Vec<String>, String) {
    let stamps = |centre: &Centre| -> BTreeMap<String, (u64, Vec<u8>)> {
        let bundle = centre.scratch.join("bundle");
        let sealed = files_of(&bundle)
            .into_iter()
            .filter(|name| name.ends_with(".json.age") || name.ends_with(".yaml.age"));
        sealed
            .map(|name| (name.clone(), (bundle.join(&name).metadata().unwrap().ino(), centre.read(&name))))
            .collect()
    };
    let before = stamps(centre);
    change(centre);
    let said = centre.pull(&[]).err;
    let mut changed = Vec::new();
    for (name, now) in stamps(centre) {
        match before.get(&name) {
            Some(before) if before.1 == now.1 => assert_eq!(before.0, now.0, "{name} was copied"),
            _ => changed.push(name),
        }
    }
    (changed, said)
}

fn since(centre: &Centre) -> BTreeMap<String, u64> {
    let manifest = centre.manifest();
    let secrets = manifest["secrets"].as_array().unwrap().iter();
    secrets
        .map(|secret| (secret["name"].as_str().unwrap().to_owned(), secret["since"].as_u64().unwrap()))
        .collect()
}

fn add_recipient(centre: &Centre, site: &str) {
    let (_, recipient) = centre.scratch.keygen(&format!("{site}-second.txt"));
    let path = centre.scratch.join(&format!("keys/{site}/recipients.txt"));
    let known = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{known}{recipient}\n")).unwrap();
}

fn settings(centre: &Centre, from: &str, to: &str) {
    let path = centre.scratch.join("dcn-vault.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    std::fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_pull_rewrites_only_the_files_of_those_for_whom_something_has_changed() {
    let mut centre = Centre::new();
    centre.pull(&[]);
    let (changed, said) = rewritten(&mut centre, |_| {});
    assert_eq!(changed, Vec::<String>::new());
    assert!(
        said.contains("generation 2, 3 secrets, sealed for all, edge1, edge2; no sealed file has changed\n"),
        "{said}"
    );
    assert!(since(&centre).values().all(|since| *since == 1));

    let (changed, said) = rewritten(&mut centre, |centre| centre.change("NovaPassword"));
    assert_eq!(changed, [ALL, EDGE1]);
    assert!(said.contains("; 2 of 5 sealed files have changed\n"), "{said}");
    let expected = [("NeutronPassword", 1), ("NovaPassword", 3), ("RpcPassword", 1)];
    assert_eq!(since(&centre), expected.map(|(name, since)| (name.to_owned(), since)).into());

    // It stands in GlobalConfig, too
    let (changed, _) = rewritten(&mut centre, |centre| centre.change("RpcPassword"));
    assert_eq!(changed, [GLOBAL, ALL, EDGE2_GLOBAL, EDGE2]);
    assert_eq!(since(&centre)["RpcPassword"], 4);

    let (changed, _) = rewritten(&mut centre, |centre| add_recipient(centre, "edge1"));
    assert_eq!(changed, [EDGE1]);
    let (changed, _) = rewritten(&mut centre, |centre| add_recipient(centre, "all"));
    assert_eq!(changed, [GLOBAL, ALL]);

    // Other words with the same meaning change nothing; a secret more is one for that site alone
    let (changed, _) = rewritten(&mut centre, |centre| settings(centre, "[Nova*]", "[Nova?assword]"));
    assert_eq!(changed, Vec::<String>::new());
    let (changed, _) =
        rewritten(&mut centre, |centre| settings(centre, "[Nova?assword]", "[Nova*, RpcPassword]"));
    assert_eq!(changed, [EDGE1]);
    assert_eq!(since(&centre).values().copied().max(), Some(4));

    // What is there and is not what was sealed is sealed anew, and not passed on
    let (changed, _) = rewritten(&mut centre, |centre| {
        centre.scratch.write(&format!("bundle/{EDGE2}"), "age-encryption.org/v1\n", 0o644);
    });
    assert_eq!(changed, [EDGE2]);
    let checked = centre.scratch.run(["check", "-b", "bundle"]);
    assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
}

#[test]
fn a_key_that_two_sites_share_and_then_do_not_is_sealed_for_as_often_as_it_is_listed() {
    let mut centre = Centre::with(&[("all", "{}"), ("other", "{}")], "");
    let shared = std::fs::read(centre.scratch.join("keys/all/recipients.txt")).unwrap();
    centre.scratch.write("keys/other/recipients.txt", shared, 0o644);
    centre.pull(&[]);
    let checked = |centre: &Centre| centre.scratch.run(["check", "-b", "bundle", "-i", "all.txt"]);
    assert_eq!(checked(&centre).code, 0);
    let (changed, _) = rewritten(&mut centre, |centre| {
        std::fs::remove_dir_all(centre.scratch.join("keys/other")).unwrap();
        settings(centre, "  other: {}\n", "");
    });
    let now = checked(&centre);
    assert_eq!((now.code, changed), (0, vec![GLOBAL.to_owned(), ALL.to_owned()]), "{}", now.out);
}

#[test]
fn another_machine_knows_nothing_of_the_values_and_says_so() {
    let mut centre = Centre::new();
    centre.pull(&[]);
    let (changed, said) = rewritten(&mut centre, |_| {});
    assert_eq!((changed.len(), said.contains("was not made from here")), (0, false));
    let state = centre.scratch.join(".local/state/dcn-vault/pulled");
    let (changed, said) = rewritten(&mut centre, |_| std::fs::remove_dir_all(state).unwrap());
    assert_eq!(changed, [GLOBAL, ALL, EDGE1, EDGE2_GLOBAL, EDGE2]);
    let warning = "warning: generation 2 was not made from here: which values have changed since cannot be told (an identity that opens it would tell, -i FILE), and all files are sealed anew\n";
    assert!(said.contains(warning), "{said}");
    assert!(since(&centre).values().all(|since| *since == 1), "what is not known to have changed has not");
    // Who can open what another has made, can tell
    std::fs::remove_dir_all(centre.scratch.join(".local/state/dcn-vault/pulled")).unwrap();
    centre.change("NovaPassword");
    let said = centre.pull(&["-i", "all.txt"]).err;
    assert!(!said.contains("was not made from here"), "{said}");
    let expected = [("NeutronPassword", 1), ("NovaPassword", 4), ("RpcPassword", 1)];
    assert_eq!(since(&centre), expected.map(|(name, since)| (name.to_owned(), since)).into());
}

#[test]
fn who_does_without_a_file_that_was_sealed_is_named_by_the_pull() {
    let centre = Centre::new();
    let said = centre.pull(&[]).err;
    let line = format!(
        "without {}: edge1; `{GLOBAL_CONFIG}` in a site's secrets gives it\n",
        GLOBAL.trim_end_matches(".age")
    );
    assert!(said.contains(&line), "{said}");
}

#[test]
fn who_gets_a_file_with_a_secret_in_it_is_said_to_know_the_secret_and_it_is_on_the_bill() {
    let wish = format!("{{secrets: [{GLOBAL_CONFIG}]}}");
    let centre = Centre::with(&[("all", "{}"), ("edge1", &wish)], "");
    centre.pull(&[]);
    let checked = centre.scratch.run(["check", "-b", "bundle", "--as", "edge1"]);
    assert!(
        checked.out.contains("ok       site          edge1 opens 1 of 3: RpcPassword\n"),
        "{}",
        checked.out
    );
    std::fs::remove_dir_all(centre.scratch.join("keys/edge1")).unwrap();
    settings(&centre, &format!("  edge1: {wish}\n"), "");
    centre.pull(&[]);
    let bill = &centre.manifest()["bill"];
    assert_eq!((&bill[0]["site"], &bill[0]["secrets"]), (&"edge1".into(), &json!(["RpcPassword"])));
}

#[test]
fn a_site_whose_identity_is_not_there_is_found_and_no_failure() {
    let centre = Centre::new();
    centre.pull(&[]);
    let checked = centre.scratch.run(["check", "-b", "bundle", "-i", "edge1.txt", "--site", "all"]);
    let line = "finding  opened        all does not open passwords.yaml.age, and the manifest says so\n";
    assert!(
        checked.code == 3 && checked.out.contains(line),
        "{} {}{}",
        checked.code,
        checked.out,
        checked.err
    );
}

#[test]
fn a_removal_after_which_it_is_not_known_who_gets_what_removes_nothing() {
    let centre = Centre::new();
    centre.pull(&[]);
    settings(&centre, "edge2: {secrets:", "edge2: {role: NoSuchRole, release: train, secrets:");
    let before = centre.scratch.files();
    let refused = centre.scratch.run(["site", "remove", "edge1", "-i", "all.txt"]);
    let line = "error: site `edge2`: TripleO train has no role `NoSuchRole`\n";
    assert!(refused.code == 1 && refused.err.contains(line), "{} {}", refused.code, refused.err);
    assert!(centre.scratch.files() == before, "something has changed");
}

/// A centre whose Placement took over Nova's password, as on one that was upgraded; edge1 got it under Nova's name, and then is
/// taken out. `meanwhile` comes before the pull that takes it out.
fn without_edge1(meanwhile: impl FnOnce(&mut Centre)) -> Centre {
    let edge1 = "{secrets: [NovaPassword]}";
    let mut centre = Centre::with(&[("all", "{}"), ("edge1", edge1)], "");
    let shared = centre.passwords["NovaPassword"].clone();
    centre.passwords.insert(String::from("PlacementPassword"), shared);
    centre.pull(&[]);
    std::fs::remove_dir_all(centre.scratch.join("keys/edge1")).unwrap();
    settings(&centre, &format!("  edge1: {edge1}\n"), "");
    meanwhile(&mut centre);
    centre.pull(&[]);
    centre
}

fn billed(centre: &Centre) -> Value {
    centre.manifest()["bill"][0]["secrets"].clone()
}

#[test]
fn a_value_that_stands_under_two_names_is_on_the_bill_with_both() {
    let mut centre = without_edge1(|_| {});
    assert_eq!(billed(&centre), json!(["NovaPassword", "PlacementPassword"]));
    centre.change("NovaPassword");
    centre.pull(&[]);
    assert_eq!(billed(&centre), json!(["PlacementPassword"]));
}

#[test]
fn a_name_that_is_rotated_with_the_removal_leaves_the_other_name_of_its_value_on_the_bill() {
    let centre = without_edge1(|centre| centre.change("NovaPassword"));
    assert_eq!(billed(&centre), json!(["PlacementPassword"]));
}
