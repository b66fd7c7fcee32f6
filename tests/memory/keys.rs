//! The keys of certificates that a pull looks into, where it has to compute the public half from what is secret.

use std::fmt::Write;
use std::process::{Command, Stdio};

use nix::libc;
use sha2::{Digest, Sha512};

use super::canaries::Canaries;
use super::scan::Scanner;
use super::stage::Table;
use super::trace::Trace;
use crate::program::{Scratch, said};

/// Where OpenSSL's DER has the 32 bytes: the seed ends the PKCS#8, the scalar is third in SEC 1 (RFC 8410, RFC 5915).
const SEED: std::ops::Range<usize> = 16..48;
const SCALAR: std::ops::Range<usize> = 7..39;

#[test]
#[ignore = "needs root, gdb and openssl: run tests/all"]
fn a_pull_that_derives_public_halves_holds_nothing_of_the_keys_when_it_commits_nor_at_its_end() {
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    make(&scratch, "ed", "ED25519", &["pkey"]);
    make(&scratch, "ec", "EC -pkeyopt ec_paramgen_curve:P-256", &["ec", "-no_public"]);
    let read = |name: &str| std::fs::read(scratch.join(name)).unwrap();
    let mut plan = String::from("passwords: {NovaPassword: not-a-real-secret}\nparameter_defaults:\n");
    let files =
        [("SSLKey", "ed"), ("SSLCertificate", "ed.crt"), ("OctaviaCaKey", "ec"), ("OctaviaCaCert", "ec.crt")];
    for (parameter, file) in files {
        let text = String::from_utf8(read(file)).unwrap();
        writeln!(plan, "  {parameter}: |\n    {}", text.trim().replace('\n', "\n    ")).unwrap();
    }
    let texts = ["ed", "ec"].map(|name| String::from_utf8(read(name)).unwrap());
    let (seed, scalar) = (read("ed.der")[SEED].to_vec(), read("ec.der")[SCALAR].to_vec());
    for name in ["ed", "ec", "ed.der", "ec.der", "ec.whole", "ed.whole"] {
        std::fs::remove_file(scratch.join(name)).unwrap();
    }
    scratch.write("plan.yaml", plan, 0o600);
    let mut canaries = Canaries::of("plan", texts);
    canaries.add("seed", &seed);
    canaries.add("scalar of the seed, its middle", &Sha512::digest(&seed)[1..31]);
    canaries.add("scalar", &scalar);
    canaries.add("scalar, as numbers in memory", &scalar.iter().rev().copied().collect::<Vec<_>>());

    let mut pull = scratch.program();
    pull.args(["pull", "--from-file", "plan.yaml", "-r", &recipient, "-o", "bundle"]);
    let mut trace = Trace::start(&pull, "", |held| {
        held.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    });
    let mut table = Table::of("pull, keys looked into");
    let scanner = Scanner::new(&canaries);
    // All is read and cleared when the directory of the next generation is made
    let at = trace.until(|at| at.enters(libc::SYS_mkdir)).expect("it seals");
    table.look("before the seal", &scanner, at.pid);
    let at = trace.until(|at| at.enters(libc::SYS_renameat2)).expect("the bundle is put in place");
    table.look("commit", &scanner, at.pid);
    let at = trace.until(|at| at.enters(libc::SYS_exit_group)).expect("it ends");
    assert_eq!(at.arguments[0], 0, "the pull failed");
    table.look_at_end("exit", &canaries, &at, &mut trace, &scratch);
    println!("{table}");
    table.assert_nothing_at(&["commit", "exit"]);
    assert!(table.found("before the seal").distinct() > 2, "the scan is blind\n{table}");
    let shown = scratch.run(["show", "-b", "bundle"]).out;
    assert!(shown.contains("SSLKey fits") && shown.contains("OctaviaCaKey fits"), "{shown}");
}

/// `name` and `name.der`: a key as this command of OpenSSL's writes it; `name.crt`: its certificate.
fn make(scratch: &Scratch, name: &str, algorithm: &str, command: &[&str]) {
    let openssl = |words: &str| {
        let mut openssl = Command::new("openssl");
        let ended = said(openssl.args(words.split(' ')).current_dir(scratch.path()).stdin(Stdio::null()));
        assert_eq!(ended.code, 0, "openssl {words}\n{}", ended.err);
    };
    let command = command.join(" ");
    openssl(&format!("genpkey -algorithm {algorithm} -out {name}.whole"));
    openssl(&format!("req -x509 -new -key {name}.whole -subj /CN={name} -days 90 -out {name}.crt"));
    openssl(&format!("{command} -in {name}.whole -out {name}"));
    openssl(&format!("{command} -in {name}.whole -outform DER -out {name}.der"));
}
