//! Which module may name which. The tables are the architecture; a change of it is a change of them.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may panic, and reads the source"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A module, and the modules of this crate that it may name besides itself.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("report", &[]),
    ("manual", &[]),
    ("secret", &[]),
    ("model", &["report", "secret"]),
    ("fs", &["report", "secret"]),
    ("json", &["model", "report", "secret"]),
    ("yaml", &["model", "report", "secret"]),
    ("role", &["model", "report"]),
    ("vault", &["fs", "model", "report"]),
    ("source", &["fs", "json", "model", "report", "secret", "yaml"]),
    // Downstream of an arrow a stage names the stage before it, and nothing further up
    ("classify", &["json", "model", "secret", "source", "yaml"]),
    // What it hands on is public
    ("certificate", &["model", "secret"]),
    ("guard", &["certificate", "classify", "json", "model", "report", "secret", "yaml"]),
    ("recipients", &["fs", "model", "report"]),
    // Names and settings: who gets what is decided without a value
    ("audience", &["model", "recipients", "report", "role", "vault"]),
    // From the values that the guard has cleared, or of a bundle that was read back, what stays with the puller
    ("fingerprint", &["classify", "fs", "guard", "model", "report", "secret"]),
    ("seal", &["audience", "fingerprint", "fs", "guard", "model", "report", "secret"]),
    // Never `secret`: a bundle cannot hold plaintext, since it cannot say it. Of signatures it knows the files' names
    ("bundle", &["fingerprint", "fs", "model", "report", "seal", "signature"]),
    // Never `secret`: it compares fingerprints
    ("drift", &["bundle", "fingerprint", "guard", "model"]),
    // Never `bundle`: what is signed is bytes
    ("signature", &["fs", "model", "report", "secret"]),
    ("trust", &["fs", "model", "report", "signature"]),
    // Never `secret`, `identity` or `open`: whether a bundle is believed is decided before anything can be decrypted
    ("admit", &["bundle", "report", "signature", "trust"]),
    // Never `secret` or `open`: a line of the log cannot hold a value, since it cannot say it
    ("audit", &["fs", "model", "report"]),
    ("keygen", &["fs", "secret"]),
    ("identity", &["fs", "report", "secret"]),
    // Of bundles it opens those that are admitted; to seal one anew, it reads it back to what the guard searches: `Classified`
    ("open", &["admit", "bundle", "classify", "identity", "json", "model", "report", "secret", "yaml"]),
    // What it hands on is names
    ("escape", &["fs", "guard", "model", "recipients", "report"]),
    (
        "run",
        &[
            "admit",
            "audit",
            "escape",
            "fs",
            "guard",
            "identity",
            "json",
            "model",
            "open",
            "recipients",
            "report",
            "secret",
            "yaml",
        ],
    ),
    // Its listener holds no plaintext: what opens is named by the worker's own life alone, and by the client, to whom it is given
    ("serve", &["admit", "audit", "fs", "identity", "model", "open", "report", "secret"]),
    // It lets made-up secrets take the whole way, and so names every stage of it
    (
        "selftest",
        &[
            "admit",
            "audience",
            "bundle",
            "classify",
            "fingerprint",
            "fs",
            "guard",
            "identity",
            "json",
            "keygen",
            "model",
            "open",
            "recipients",
            "report",
            "run",
            "seal",
            "secret",
            "source",
        ],
    ),
    (
        "cli",
        &[
            "admit",
            "audience",
            "audit",
            "bundle",
            "certificate",
            "classify",
            "drift",
            "escape",
            "fingerprint",
            "fs",
            "guard",
            "identity",
            "keygen",
            "model",
            "open",
            "recipients",
            "report",
            "run",
            "seal",
            "secret",
            "selftest",
            "serve",
            "signature",
            "source",
            "trust",
            "vault",
            "yaml",
        ],
    ),
];

/// What comes from outside, and the only places that may name it.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("age", &["escape::keep", "identity", "keygen", "open", "recipients", "seal"]),
    ("aho_corasick", &["guard"]),
    ("clap", &["cli"]),
    ("curve25519_dalek", &["certificate::key"]),
    ("granit_parser", &["yaml"]),
    ("hmac", &["fingerprint::tag"]),
    // admit: at which moment a signature counts, and a bundle has expired
    // source::openstack: on which day a certificate has expired, whether a file is older than a stack
    (
        "jiff",
        &[
            "admit",
            "audit",
            "bundle",
            "certificate",
            "cli",
            "keygen",
            "model",
            "selftest",
            "serve",
            "signature",
            "source::openstack",
            "trust",
            "vault",
        ],
    ),
    ("md5", &["source::openstack"]),
    ("memmap2", &["secret"]),
    // selftest: ptrace and process_vm_readv, to be refused
    // cli::prompt: a signal while the terminal has no echo
    // cli::serve: a group by its name
    ("nix", &["cli::prompt", "cli::serve", "run", "selftest::others", "serve"]),
    ("p256", &["certificate::key"]),
    ("reqwest", &["source::openstack"]),
    ("rustls", &["source::openstack::tls"]),
    // audit::who: as which user we run
    ("rustix", &["audit::who", "cli", "fs", "run", "secret", "selftest", "serve"]),
    ("secrecy", &["secret"]),
    (
        "serde",
        &[
            "audit",
            "bundle",
            "escape",
            "fingerprint",
            "model",
            "run::facts",
            "source::openstack",
            "trust",
            "vault",
        ],
    ),
    (
        "serde_json",
        &[
            "audit",
            "bundle",
            "cli",
            "escape",
            "fingerprint",
            "json",
            "run::facts",
            "serve",
            "source::openstack",
            "trust",
        ],
    ),
    ("serde_yaml", &["serve::policy", "vault"]),
    // fingerprint: under HMAC
    ("sha2", &["certificate::key", "fingerprint::tag", "model"]),
    ("ssh_key", &["signature"]),
    ("std::env", &["cli", "main"]),
    ("std::fs", &["fs"]),
    // The types of addresses; nothing is connected
    ("std::net", &["certificate::x509", "source::openstack::proxy"]),
    // cli::environment: a list of paths in a variable
    // selftest: whether a crash left a core dump
    // signature::agent: the socket of ssh-agent
    // cli::environment, identity: a variable or a word of the command line is bytes, and a command's output a descriptor
    (
        "std::os",
        &[
            "cli::environment",
            "escape::archive",
            "fs",
            "identity",
            "run",
            "selftest",
            "serve",
            "signature::agent",
        ],
    ),
    // identity: the command that `-i cmd:…` names; selftest: it starts this program itself
    ("std::process", &["cli", "identity::command", "main", "run", "selftest::probe", "serve::worker"]),
    // seal: the files of ten thousand sites are sealed on all cores
    // run: a namespace that is entered by one thread alone
    ("std::thread", &["run::enclosure", "seal"]),
    ("std::time", &["fs", "serve", "signature::agent", "source::openstack"]),
    ("thiserror", &["*"]),
    ("tokio", &["source::openstack"]),
    ("webpki", &["source::openstack::tls"]),
    ("x509_cert", &["certificate::x509"]),
    ("zeroize", &["certificate::key", "fs", "identity::passphrase", "open", "secret"]),
    ("zeroizing_alloc", &["main"]),
];

#[test]
fn a_module_names_only_modules_that_the_table_allows() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_NAME.iter().copied().collect();
    let mut faults = BTreeSet::new();
    for (path, text) in sources() {
        let module = path.split("::").next().unwrap().to_owned();
        if module == "main" || module == "lib" {
            continue;
        }
        let may = allowed.get(module.as_str()).unwrap_or_else(|| panic!("add `{module}` to MAY_NAME"));
        for named in names_after(&text, "crate") {
            if named != module && !may.contains(&named.as_str()) {
                faults.insert(format!("src/{path} names crate::{named}"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn what_comes_from_outside_is_named_only_where_it_belongs() {
    let mut faults = BTreeSet::new();
    for (path, text) in sources() {
        for (outside, places) in ONLY_IN {
            let is_named = match outside.split_once("::") {
                Some((root, part)) => names_after(&text, root).contains(part),
                None => names_root(&text, outside),
            };
            let may = places
                .iter()
                .any(|place| *place == "*" || path == *place || path.starts_with(&format!("{place}::")));
            if is_named && !may {
                faults.insert(format!("src/{path} names {outside}"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_dependency_is_in_the_table() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let known: BTreeSet<&str> = ONLY_IN.iter().map(|(name, _)| *name).collect();
    for line in dependencies.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')) {
        let name = line.split(" = ").next().unwrap().replace('-', "_").replace("md_5", "md5");
        assert!(known.contains(name.as_str()), "add `{name}` to ONLY_IN");
    }
}

#[test]
fn the_tables_name_only_what_is_there() {
    let mut faults = BTreeSet::new();
    let modules: BTreeSet<String> =
        sources().into_iter().map(|(path, _)| path.split("::").next().unwrap().to_owned()).collect();
    for (module, may) in MAY_NAME {
        assert!(modules.contains(*module), "{module} is gone: take it out of MAY_NAME");
        for named in *may {
            let is_named = sources().iter().any(|(path, text)| {
                path.split("::").next() == Some(module) && names_after(text, "crate").contains(*named)
            });
            if !is_named {
                faults.insert(format!("{module} no longer names {named}: take it out of MAY_NAME"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_library_forbids_unsafe_code() {
    let library = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    assert!(library.contains("#![forbid(unsafe_code)]"));
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file, as the path of its module and its code without comments and unit tests.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    walk(&root().join("src"), &mut files);
    assert!(files.len() > 40, "the source was not found");
    files.into_iter().map(|file| (module_path(&file), code_in(&file))).collect()
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.file_name().is_some_and(|name| name != "tests.rs") {
            files.push(path);
        }
    }
}

fn module_path(file: &Path) -> String {
    let below = file.strip_prefix(root().join("src")).unwrap().with_extension("");
    let parts: Vec<&str> =
        below.iter().map(|part| part.to_str().unwrap()).filter(|part| *part != "mod").collect();
    parts.join("::")
}

fn code_in(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The `x` of every `root::x` and `root::{x, y::z}`.
fn names_after(text: &str, root: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (position, _) in text.match_indices(&format!("{root}::")) {
        if text.get(..position).unwrap().ends_with(is_word) {
            continue;
        }
        let after = text.get(position + root.len() + 2..).unwrap();
        let list = after.strip_prefix('{').map_or(after, |list| list.split(';').next().unwrap());
        let braced = after.starts_with('{');
        let mut depth = 0_u32;
        for part in list.split_inclusive([',', '{', '}']) {
            if depth == 0 {
                names.extend(first_word(part.trim_start()));
            }
            depth = match part.chars().last() {
                Some('{') => depth + 1,
                Some('}') if depth > 0 => depth - 1,
                _ => depth,
            };
            if !braced {
                break;
            }
        }
    }
    names
}

fn names_root(text: &str, root: &str) -> bool {
    text.match_indices(&format!("{root}::")).any(|(position, _)| {
        let before = text.get(..position).unwrap();
        !before.ends_with(is_word) && !before.ends_with("::")
    })
}

fn first_word(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(|c| is_word(*c)).collect();
    (!word.is_empty()).then_some(word)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
