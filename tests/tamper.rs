//! SECURITY.md S5: a change of any byte, name, order or file of a bundle, and a stranger's signature, are refused before
//! anything is decrypted.

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

use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::process::Command;

use dcn_vault::admit::{Admission, AdmitError};
use dcn_vault::bundle::{BundleError, Envelope};
use dcn_vault::trust::Waivers;
use jiff::Timestamp;
use serde_json::Value;

use centre::{Centre, files_of};

const ANEW: &str = "hint: get the bundle anew from where it was made; do not deploy with it";
const UNFIT: &str = "hint: do not deploy with it: it was changed after it was signed; get it anew";
const ITSELF: &str = "hint: put the file itself there, and no link to it";
const COPY: &str = "hint: copy the whole directory, the manifest included";

/// Two generations, `old` and `bundle`, and nothing that was ever opened.
fn centre() -> Centre {
    let mut centre = Centre::new();
    centre.pull(&[]);
    centre.keep("old");
    centre.change("NovaPassword");
    centre.change("NeutronPassword");
    centre.pull(&[]);
    centre.keep("good");
    centre
}

fn admission(centre: &Centre, directory: &Path) -> Admission {
    Admission {
        directory: directory.to_owned(),
        signers: Some(centre.scratch.join(".config/dcn-vault/signers")),
        usual_signers: Vec::new(),
        state: None,
        waivers: Waivers::default(),
        now: Timestamp::now(),
    }
}

/// What must be said of a change in this file.
fn is_right(name: &str, refused: &Result<(), AdmitError>) -> bool {
    match refused {
        Err(AdmitError::Signature { name: of, .. }) => {
            of == "manifest.json.sig" && name.starts_with("manifest.json")
        }
        Err(AdmitError::Bundle(BundleError::Changed { path })) => path.ends_with(name),
        _ => false,
    }
}

#[test]
fn a_change_of_any_one_byte_of_any_file_is_refused() {
    let centre = centre();
    let bundle = centre.scratch.join("bundle");
    let admission = admission(&centre, &bundle);
    admission.look().unwrap();
    let files = files_of(&bundle);
    assert_eq!(files.len(), 9, "{files:?}");
    for name in &files {
        let path = bundle.join(name);
        let whole = std::fs::read(&path).unwrap();
        // In place: file systems flush what is cut and written anew
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        for (position, byte) in whole.iter().enumerate() {
            for mask in [1 << (position % 8), 255] {
                file.write_all_at(&[byte ^ mask], position as u64).unwrap();
                let looked = admission.look().map(|_| ());
                assert!(is_right(name, &looked), "{name}, byte {position} ^ {mask}: {looked:?}");
            }
            file.write_all_at(&[*byte], position as u64).unwrap();
        }
    }
    admission.look().unwrap();
    // What is asked first of what was read: each other byte of the signature, each bit of the manifest
    let whole = Envelope::read(&bundle).unwrap();
    let is_refused =
        |envelope: &Envelope| matches!(admission.signers_of(envelope), Err(AdmitError::Signature { .. }));
    for position in 0..whole.signatures[0].1.len() {
        for mask in 1..=255 {
            let mut changed = whole.clone();
            changed.signatures[0].1[position] ^= mask;
            assert!(is_refused(&changed), "signature, byte {position} ^ {mask}");
        }
    }
    for position in 0..whole.bytes.len() {
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed.bytes[position] ^= 1 << bit;
            assert!(is_refused(&changed), "manifest, byte {position}, bit {bit}");
        }
    }
    assert!(!is_refused(&whole));
}

#[test]
fn a_file_cut_at_any_length_or_with_a_byte_more_anywhere_is_refused() {
    let centre = centre();
    let bundle = centre.scratch.join("bundle");
    let admission = admission(&centre, &bundle);
    for name in files_of(&bundle) {
        let path = bundle.join(&name);
        let whole = std::fs::read(&path).unwrap();
        for position in 0..=whole.len() {
            let (start, end) = whole.split_at(position);
            let mut rows = Vec::new();
            if !end.is_empty() {
                rows.extend([start.to_vec(), [start, &end[1..]].concat()]);
            }
            for more in [b'\n', b'\r', b' ', b'A', 0] {
                rows.push([start, &[more], end].concat());
            }
            for changed in rows.into_iter().filter(|changed| *changed != whole) {
                // File systems flush what is cut and written anew
                std::fs::remove_file(&path).unwrap();
                std::fs::write(&path, &changed).unwrap();
                let looked = admission.look().map(|_| ());
                assert!(is_right(&name, &looked), "{name} at {position}: {looked:?}\n{changed:?}");
            }
        }
        std::fs::write(&path, &whole).unwrap();
    }
    admission.look().unwrap();
}

/// One kind of tampering: what it is, how it is done, and all that is said of it.
type Row = (&'static str, Box<dyn Fn(&Centre)>, String);

fn row(what: &'static str, how: impl Fn(&Centre) + 'static, error: &str, hint: &str) -> Row {
    (what, Box::new(how), format!("error: {error}\n{hint}\n"))
}

/// Neither `decrypt` nor `run` looks at an identity, puts out a byte or remembers a thing.
fn refuse_all(centre: &Centre, rows: Vec<Row>) {
    // There is no such identity: whoever came to decrypt would say that
    let nowhere = ["-i", "nowhere.txt"];
    let identity = "error: cannot read `nowhere.txt`: no such file or directory\nhint: check the path\n";
    for (what, how, err) in rows {
        centre.bring("good");
        how(centre);
        println!("{what}");
        centre.scratch.opens_nothing(&nowhere, &err);
        centre.scratch.opens_nothing(&["-i", "all.txt"], &err);
        assert!(
            !centre.scratch.join(".local/state/dcn-vault/seen").exists(),
            "{what}: something is remembered"
        );
    }
    centre.bring("good");
    let tried = centre.scratch.run(["decrypt", "-b", "bundle", "-i", "nowhere.txt"]);
    assert_eq!((tried.code, tried.err.as_str()), (1, identity));
    assert_eq!(centre.decrypt(&[]).code, 0);
}

fn write(name: &'static str, bytes: &'static [u8]) -> impl Fn(&Centre) {
    move |centre| {
        centre.scratch.write(&format!("bundle/{name}"), bytes, 0o644);
    }
}

fn edit(name: &'static str, change: impl Fn(&mut Vec<u8>)) -> impl Fn(&Centre) {
    move |centre| {
        let mut bytes = centre.read(name);
        change(&mut bytes);
        std::fs::write(centre.bundle(name), bytes).unwrap();
    }
}

fn remove(name: &'static str) -> impl Fn(&Centre) {
    move |centre| std::fs::remove_file(centre.bundle(name)).unwrap()
}

fn rename(from: &'static str, to: &'static str) -> impl Fn(&Centre) {
    move |centre| std::fs::rename(centre.bundle(from), centre.bundle(to)).unwrap()
}

/// Takes a file of the generation before.
fn old(name: &'static str) -> impl Fn(&Centre) {
    move |centre| {
        std::fs::copy(centre.scratch.join("old").join(name), centre.bundle(name)).unwrap();
    }
}

fn swap(one: &'static str, other: &'static str) -> impl Fn(&Centre) {
    move |centre| {
        let bytes = (centre.read(one), centre.read(other));
        std::fs::write(centre.bundle(one), bytes.1).unwrap();
        std::fs::write(centre.bundle(other), bytes.0).unwrap();
    }
}

fn changed(name: &str) -> String {
    format!("`bundle/{name}` has changed since the bundle was made")
}

fn unfit(centre: &Centre, name: &str) -> String {
    format!(
        "{name}: the signature of {} does not fit: what it signed is not what is here",
        fingerprint(&centre.operator().public)
    )
}

fn fingerprint(public: &str) -> String {
    dcn_vault::signature::PublicKey::parse(public).unwrap().fingerprint()
}

const ALL: &str = "passwords.yaml.age";
const HOSTS: &str = "extra-host-file-entries.json";
const EDGE1: &str = "sites/edge1/passwords.yaml.age";
const EDGE2: &str = "sites/edge2/passwords.yaml.age";
const MANIFEST: &str = "manifest.json";
const SIGNATURE: &str = "manifest.json.sig";

#[test]
fn bytes_that_are_not_those_that_were_signed_are_refused_by_name() {
    let centre = centre();
    let mut rows = Vec::new();
    for name in [ALL, HOSTS, EDGE1, EDGE2, "global-config-extra-map-data.json.age"] {
        rows.push(row("a byte", edit(name, |bytes| bytes[10] ^= 4), &changed(name), ANEW));
        rows.push(row("cut", edit(name, |bytes| bytes.truncate(40)), &changed(name), ANEW));
        rows.push(row("one more", edit(name, |bytes| bytes.push(b'\n')), &changed(name), ANEW));
        rows.push(row("empty", write(name, b""), &changed(name), ANEW));
    }
    rows.push(row("another site's", swap(EDGE1, EDGE2), &changed(EDGE1), ANEW));
    rows.push(row("everybody's", swap(ALL, EDGE2), &changed(ALL), ANEW));
    for name in [ALL, EDGE1, EDGE2] {
        rows.push(row("the generation before", old(name), &changed(name), ANEW));
    }
    refuse_all(&centre, rows);
}

#[test]
fn files_that_are_gone_or_new_or_elsewhere_are_refused_by_name() {
    let centre = centre();
    let missing = |name: &str| format!("`bundle/{name}` is missing from the bundle");
    let foreign = |name: &str| format!("`bundle/{name}` does not belong to the bundle");
    let move_it =
        |name: &str| format!("hint: move bundle/{name} elsewhere: a pull replaces the whole directory");
    let mut rows = Vec::new();
    for name in [ALL, HOSTS, EDGE1, EDGE2] {
        rows.push(row("gone", remove(name), &missing(name), COPY));
    }
    let no_manifest = "hint: is it a bundle? Copy the whole directory, or name another with -b DIR";
    rows.push(row("no manifest", remove(MANIFEST), "`bundle` has no manifest.json", no_manifest));
    for name in ["notes.txt", "passwords.yaml", "sites/edge1/x", "sites/edge9/passwords.yaml.age", ".hidden"]
    {
        let shown = if name.starts_with("sites/edge9") { "sites/edge9" } else { name };
        rows.push(row("new", write(name, b""), &foreign(shown), &move_it(shown)));
    }
    let directory = |centre: &Centre| std::fs::create_dir(centre.bundle("more")).unwrap();
    rows.push(row("a new directory", directory, &foreign("more"), &move_it("more")));
    let ten = "manifest.json.sig.10";
    rows.push(row("a tenth signature", write(ten, b""), &foreign(ten), &move_it(ten)));
    let clear = "passwords.yaml";
    rows.push(row("renamed", rename(ALL, clear), &foreign(clear), &move_it(clear)));
    let other = "sites/edge3";
    rows.push(row("another's", rename("sites/edge1", other), &foreign(other), &move_it(other)));
    refuse_all(&centre, rows);
}

#[test]
fn what_is_no_file_of_the_bundles_own_is_refused_whatever_it_leads_to() {
    let centre = centre();
    let plain = |name: &str| format!("`bundle/{name}` is not a plain file");
    let mut rows = Vec::new();
    for name in [ALL, HOSTS, EDGE1, MANIFEST, SIGNATURE] {
        // To the very bytes that belong there
        let link = move |centre: &Centre| {
            remove(name)(centre);
            symlink(centre.scratch.join("good").join(name), centre.bundle(name)).unwrap();
        };
        rows.push(row("a link", link, &plain(name), ITSELF));
        let dangling = move |centre: &Centre| {
            remove(name)(centre);
            symlink("nowhere", centre.bundle(name)).unwrap();
        };
        rows.push(row("a link to nothing", dangling, &plain(name), ITSELF));
        let directory = move |centre: &Centre| {
            remove(name)(centre);
            std::fs::create_dir(centre.bundle(name)).unwrap();
        };
        rows.push(row("a directory", directory, &plain(name), ITSELF));
        // Whoever opens it waits for ever
        let pipe = move |centre: &Centre| {
            remove(name)(centre);
            assert!(Command::new("mkfifo").arg(centre.bundle(name)).status().unwrap().success());
        };
        rows.push(row("a pipe", pipe, &plain(name), ITSELF));
        let device = move |centre: &Centre| {
            remove(name)(centre);
            symlink("/dev/zero", centre.bundle(name)).unwrap();
        };
        rows.push(row("a device without an end", device, &plain(name), ITSELF));
    }
    let no_directory = "`bundle/sites` is not a plain directory";
    let directory_itself = "hint: put the directory itself there, and no link to it";
    let linked_directory = |centre: &Centre| {
        std::fs::remove_dir_all(centre.bundle("sites")).unwrap();
        symlink(centre.scratch.join("good/sites"), centre.bundle("sites")).unwrap();
    };
    rows.push(row("a linked directory", linked_directory, no_directory, directory_itself));
    let file = |centre: &Centre| {
        std::fs::remove_dir_all(centre.bundle("sites")).unwrap();
        std::fs::write(centre.bundle("sites"), "").unwrap();
    };
    rows.push(row("a file for a directory", file, no_directory, directory_itself));
    refuse_all(&centre, rows);
}

#[test]
fn a_manifest_with_the_same_meaning_and_other_bytes_is_refused() {
    let centre = centre();
    let says = unfit(&centre, SIGNATURE);
    let with = |change: fn(&mut Value) -> String| {
        move |centre: &Centre| {
            let mut manifest = centre.manifest();
            let text = change(&mut manifest);
            std::fs::write(centre.bundle(MANIFEST), text).unwrap();
        }
    };
    let mut rows = vec![
        row("as one line", with(|manifest| manifest.to_string()), &says, UNFIT),
        row(
            "with another indent",
            with(|manifest| format!("{manifest:#}\n").replace("  ", " ")),
            &says,
            UNFIT,
        ),
        row("without its last byte", edit(MANIFEST, |bytes| bytes.truncate(bytes.len() - 1)), &says, UNFIT),
        row("with a byte more", edit(MANIFEST, |bytes| bytes.push(b'\n')), &says, UNFIT),
        row("empty", write(MANIFEST, b""), &says, UNFIT),
        row("the generation before", old(MANIFEST), &says, UNFIT),
    ];
    let files_swapped = with(|manifest| {
        manifest["files"].as_array_mut().unwrap().reverse();
        format!("{manifest:#}\n")
    });
    rows.push(row("its files in another order", files_swapped, &says, UNFIT));
    let secrets_swapped = with(|manifest| {
        manifest["secrets"].as_array_mut().unwrap().swap(0, 1);
        format!("{manifest:#}\n")
    });
    rows.push(row("its secrets in another order", secrets_swapped, &says, UNFIT));
    let granted = with(|manifest| {
        manifest["grants"].as_array_mut().unwrap().pop();
        format!("{manifest:#}\n")
    });
    rows.push(row("a site gets more", granted, &says, UNFIT));
    let newer = with(|manifest| {
        manifest["generation"] = 9.into();
        format!("{manifest:#}\n")
    });
    rows.push(row("another number", newer, &says, UNFIT));
    refuse_all(&centre, rows);
}

#[test]
fn signatures_of_strangers_and_of_other_manifests_are_refused_each_by_its_own_words() {
    let centre = centre();
    let stranger = centre.make_key("stranger");
    let print = fingerprint(&stranger.public);
    let says = |name: &str| {
        format!("{name}: signed by {print}, which `{{here}}/.config/dcn-vault/signers` does not list")
    };
    let hint = "hint: ask the centre for its fingerprint, over another way; if it is the same: `dcn-vault trust add`";
    let by_stranger = |name: &'static str| {
        move |centre: &Centre| {
            let key = centre::Key { path: centre.scratch.join("stranger"), public: String::new() };
            centre.sign(name, &key, "dcn-vault");
        }
    };
    let damaged = "manifest.json.sig: the signature is damaged";
    let anew = "hint: get the bundle anew, with its signatures";
    let unsigned = "hint: ask who made it for one that is signed; --allow-unsigned opens it, whoever may have written it";
    let second = "manifest.json.sig.2";
    let rows = vec![
        row("a stranger", by_stranger(SIGNATURE), &says(SIGNATURE), hint),
        row("a stranger beside", by_stranger(second), &says(second), hint),
        row("none", remove(SIGNATURE), "the bundle is not signed", unsigned),
        row("an empty one", write(SIGNATURE, b""), damaged, anew),
        row("cut by a byte", edit(SIGNATURE, |bytes| bytes.truncate(bytes.len() - 1)), damaged, anew),
        row("one more byte", edit(SIGNATURE, |bytes| bytes.push(b'\n')), damaged, anew),
        row("twice in a file", edit(SIGNATURE, |bytes| bytes.extend(bytes.clone())), damaged, anew),
        row("the generation before", old(SIGNATURE), &unfit(&centre, SIGNATURE), UNFIT),
        row(
            "both of the generation before",
            |centre| {
                old(MANIFEST)(centre);
                old(SIGNATURE)(centre);
            },
            &changed(ALL),
            ANEW,
        ),
        row(
            "the same once more",
            |centre| {
                std::fs::copy(centre.bundle(SIGNATURE), centre.bundle(second)).unwrap();
            },
            &format!("{second}: {} has signed already", fingerprint(&centre.operator().public)),
            "hint: each signs once: get the bundle anew, with its signatures",
        ),
        row(
            "renamed",
            rename(SIGNATURE, second),
            "`bundle/manifest.json.sig` is missing from the bundle",
            COPY,
        ),
    ];
    refuse_all(&centre, rows);
}

#[test]
fn a_listed_key_that_may_not_sign_now_or_not_for_us_is_refused_each_by_its_own_words() {
    let centre = centre();
    let key = centre.operator().public;
    let print = fingerprint(&key);
    let place = centre.scratch.filled("{here}/.config/dcn-vault/signers:1");
    for (options, what, hint) in [
        (
            "valid-before=\"20200101Z\"",
            "could sign until 2020-01-01T00:00:00Z, and not at",
            "have it signed with a key that is valid",
        ),
        (
            "valid-after=\"29990101Z\"",
            "can sign from 2999-01-01T00:00:00Z on, and not at",
            "is the clock right?",
        ),
        ("namespaces=\"git\"", "may not sign for `dcn-vault`", "if it should, add dcn-vault to"),
    ] {
        centre.trust(&format!("operator {options} {key}\n"));
        for words in [&["decrypt"][..], &["run", "touch", "started"]] {
            let (verb, rest) = words.split_at(1);
            let said = centre.scratch.run([verb, &["-b", "bundle", "-i", "nowhere.txt"], rest].concat());
            assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.err);
            let start = format!("error: manifest.json.sig: {place}: {print} {what}");
            assert!(
                said.err.starts_with(&start) && said.err.contains(&format!("\nhint: {hint}")),
                "{}",
                said.err
            );
        }
    }
    assert!(!centre.scratch.join("started").exists());
    assert!(!centre.scratch.join(".local/state/dcn-vault/seen").exists());
}

#[test]
#[ignore = "needs ssh-keygen: run tests/all"]
fn a_signature_that_was_made_for_another_purpose_is_refused() {
    let centre = centre();
    let for_git = |centre: &Centre| centre.sign(SIGNATURE, &centre.operator(), "git");
    let says = "manifest.json.sig: the signature was made for `git`, not for `dcn-vault`";
    refuse_all(
        &centre,
        vec![row("git's", for_git, says, "hint: sign it for us: `ssh-keygen -Y sign -n dcn-vault …`")],
    );
}
