//! Signatures against OpenSSH itself: what we sign checks with `ssh-keygen -Y verify`, what it signs checks with us, and both
//! say yes and no to the same lines of signers.

#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and runs ssh-keygen"
)]

mod agent;
mod program;

use std::path::Path;
use std::process::{Command, Stdio};

use agent::Agent;
use dcn_vault::report::Hint;
use dcn_vault::secret::SecretValue;
use dcn_vault::signature::{Signature, SignatureError, Signers, SigningError, SigningKey};
use jiff::Timestamp;
use program::{Scratch, said};
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, HashAlg, PrivateKey};

const MESSAGE: &[u8] = b"{\"format\": \"dcn-vault/1\"}\n";
const NOON: &str = "20260601120000Z";
const PASSPHRASE: &str = "made-up passphrase";
/// Each kind that may sign, as `ssh-keygen -t` has it.
const KINDS: [&[&str]; 4] = [
    &["-t", "ed25519"],
    &["-t", "ecdsa", "-b", "256"],
    &["-t", "rsa", "-b", "2048"],
    &["-t", "rsa", "-b", "4096"],
];

fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn ssh(scratch: &Scratch, program: &str, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words).current_dir(scratch.path()).env("TZ", "UTC").stdin(Stdio::null());
    command
}

fn make_key(scratch: &Scratch, name: &str, kind: &[&str], passphrase: &str) -> String {
    let words = [&["-q", "-f", name, "-C", "made up for a test", "-N", passphrase], kind].concat();
    let made = said(&mut ssh(scratch, "ssh-keygen", &words));
    assert_eq!(made.code, 0, "{}", made.err);
    read(scratch, &format!("{name}.pub"))
}

fn read(scratch: &Scratch, name: &str) -> String {
    String::from_utf8(std::fs::read(scratch.join(name)).unwrap()).unwrap()
}

fn sign_with_ssh_keygen(scratch: &Scratch, key: &str, namespace: &str, more: &[&str]) -> Vec<u8> {
    scratch.write("message", MESSAGE, 0o644);
    let words = [&["-Y", "sign", "-q", "-f", key, "-n", namespace], more, &["message"]].concat();
    let signed = said(&mut ssh(scratch, "ssh-keygen", &words));
    assert_eq!(signed.code, 0, "{}", signed.err);
    let bytes = std::fs::read(scratch.join("message.sig")).unwrap();
    std::fs::remove_file(scratch.join("message.sig")).unwrap();
    bytes
}

/// Whether `ssh-keygen -Y verify` believes it.
fn ssh_keygen_verifies(scratch: &Scratch, signers: &str, who: &str, at: &str, signature: &[u8]) -> bool {
    scratch.write("allowed", signers, 0o644);
    scratch.write("signature", signature, 0o644);
    let message = scratch.write("message", MESSAGE, 0o644);
    let time = format!("verify-time={at}");
    let words =
        ["-Y", "verify", "-f", "allowed", "-I", who, "-n", "dcn-vault", "-s", "signature", "-O", &time];
    let mut verify = ssh(scratch, "ssh-keygen", &words);
    said(verify.stdin(std::fs::File::open(message).unwrap())).code == 0
}

fn unasked(path: &Path) -> Option<SecretValue> {
    panic!("{} has no passphrase", path.display())
}

#[test]
#[ignore = "needs ssh-keygen: run tests/all"]
fn what_we_sign_checks_with_ssh_keygen_and_what_it_signs_checks_with_us() {
    let scratch = Scratch::new();
    let ours = SigningKey::make().unwrap();
    ours.save(&scratch.join("ours"), "the centre").unwrap();
    let line = format!("a@centre {}\n", ours.public_line());
    let signature = ours.sign(MESSAGE).unwrap().to_armored();
    assert!(ssh_keygen_verifies(&scratch, &line, "a@centre", NOON, signature.as_bytes()));
    assert!(!ssh_keygen_verifies(
        &scratch,
        &line,
        "a@centre",
        NOON,
        &sign_with_ssh_keygen(&scratch, "ours", "git", &[])
    ));
    // An ed25519 signature has no chance in it: ours is theirs, byte for byte
    let theirs = sign_with_ssh_keygen(&scratch, "ours", "dcn-vault", &[]);
    assert_eq!(String::from_utf8(theirs).unwrap(), signature);
    let public = said(&mut ssh(&scratch, "ssh-keygen", &["-y", "-f", "ours"]));
    assert_eq!(public.out, format!("{} the centre\n", ours.public_line()));
    let shown = said(&mut ssh(&scratch, "ssh-keygen", &["-l", "-f", "ours"]));
    assert_eq!(shown.out.split(' ').nth(1), Some(ours.fingerprint().as_str()));
}

#[test]
#[ignore = "needs ssh-keygen: run tests/all"]
fn each_kind_of_key_is_verified_with_both_digests() {
    for kind in KINDS {
        let scratch = Scratch::new();
        let line = format!("a@centre {}", make_key(&scratch, "key", kind, ""));
        let signers = Signers::parse(line.as_bytes(), "signers").unwrap();
        for digest in ["sha256", "sha512"] {
            let hash = format!("hashalg={digest}");
            let signed = sign_with_ssh_keygen(&scratch, "key", "dcn-vault", &["-O", &hash]);
            let signature = Signature::parse(&signed).unwrap();
            assert_eq!(signature.to_armored().as_bytes(), signed, "{kind:?}");
            let verified = signers.verify(MESSAGE, &signature, noon()).unwrap();
            assert_eq!(verified.principal, "a@centre");
            let error = signers.verify(b"other", &signature, noon()).unwrap_err();
            assert!(matches!(error, SignatureError::DoesNotFit { .. }), "{error}");
        }
    }
}

#[test]
#[ignore = "needs ssh-keygen: run tests/all"]
fn keys_that_are_weak_or_of_a_kind_that_cannot_be_verified_are_refused() {
    let scratch = Scratch::new();
    for (name, kind, expected) in [
        ("rsa", &["-t", "rsa", "-b", "1024"][..], "an RSA key of only 1024 bits"),
        ("almost", &["-t", "rsa", "-b", "2040"], "an RSA key of only 2040 bits"),
        ("long", &["-t", "rsa", "-b", "4104"], "an RSA key of 4104 bits, which are too many"),
        ("dsa", &["-t", "dsa"], "a key of kind `ssh-dss`, which cannot sign here"),
        (
            "p521",
            &["-t", "ecdsa", "-b", "521"],
            "a key of kind `ecdsa-sha2-nistp521`, which cannot sign here",
        ),
        (
            "p384",
            &["-t", "ecdsa", "-b", "384"],
            "a key of kind `ecdsa-sha2-nistp384`, which cannot sign here",
        ),
    ] {
        let public = make_key(&scratch, name, kind, "");
        let line = format!("# one\na@centre {public}");
        let error = Signers::parse(line.as_bytes(), "signers").unwrap_err();
        assert_eq!(error.to_string(), format!("signers:2: {expected}"));
        let signed = sign_with_ssh_keygen(&scratch, name, "dcn-vault", &[]);
        let error = Signature::parse(&signed).unwrap_err();
        assert_eq!(error.to_string(), format!("the signature is by {expected}"));
        assert!(!error.hint().is_empty());
    }
}

/// What `ssh-keygen` and we say to a signature by `KEY`, when asked for `a@centre` at noon of 2026-06-01.
const LINES: [(&str, bool); 40] = [
    ("a@centre KEY", true),
    ("a@centre KEY with a comment", true),
    ("  a@centre \t KEY", true),
    ("a@edge KEY", false),
    ("a@edge,a@centre KEY", true),
    ("a@edge,b@centre KEY", false),
    ("*@centre KEY", true),
    ("?@centre KEY", true),
    ("??@centre KEY", false),
    ("* KEY", true),
    ("*@centre,!a@* KEY", false),
    ("!a@centre,* KEY", false),
    ("!b@centre KEY", false),
    ("A@CENTRE KEY", false),
    ("\"a@centre\" KEY", true),
    ("\"a@edge,a@centre\" KEY", true),
    ("a@centre OTHER", false),
    ("# a@centre KEY", false),
    ("a@centre namespaces=\"dcn-vault\" KEY", true),
    ("a@centre namespaces=\"git,dcn-vault\" KEY", true),
    ("a@centre namespaces=\"dcn-*\" KEY", true),
    ("a@centre namespaces=\"git\" KEY", false),
    ("a@centre namespaces=\"DCN-VAULT\" KEY", false),
    ("a@centre namespaces=\"*,!dcn-vault\" KEY", false),
    ("a@centre namespaces=\"\" KEY", false),
    ("a@centre NameSpaces=\"dcn-vault\" KEY", true),
    ("a@centre namespaces=dcn-vault KEY", false),
    ("a@centre cert-authority KEY", false),
    ("a@centre cert-authority,namespaces=\"dcn-vault\" KEY", false),
    ("a@centre no-such-option KEY", false),
    ("a@centre namespaces=\"dcn-vault\",no-such-option KEY", false),
    ("a@centre namespaces=\"dcn-vault\",namespaces=\"git\" KEY", false),
    ("a@centre valid-after=\"20260101\",valid-before=\"20270101\" KEY", true),
    ("a@centre valid-after=\"20260101Z\",namespaces=\"dcn-vault\" KEY", true),
    ("a@centre valid-after=\"20270101\",valid-before=\"20260101\" KEY", false),
    ("a@centre valid-after=\"yesterday\" KEY", false),
    ("a@centre valid-before=\"2027\" KEY", false),
    ("a@centre valid-before=\"20271301\" KEY", false),
    ("a@centre", false),
    ("KEY", false),
];

#[test]
#[ignore = "needs ssh-keygen: run tests/all"]
fn ssh_keygen_and_we_say_the_same_to_every_line_of_signers() {
    let scratch = Scratch::new();
    let (key, other) = (SigningKey::make().unwrap(), SigningKey::make().unwrap());
    let signature = key.sign(MESSAGE).unwrap();
    for (line, expected) in LINES {
        let line = line.replace("KEY", &key.public_line()).replace("OTHER", &other.public_line()) + "\n";
        let theirs =
            ssh_keygen_verifies(&scratch, &line, "a@centre", NOON, signature.to_armored().as_bytes());
        let ours = Signers::parse(line.as_bytes(), "signers")
            .is_ok_and(|signers| signers.verify_as("a@centre", MESSAGE, &signature, noon()).is_ok());
        assert_eq!((theirs, ours), (expected, expected), "theirs, ours: {line}");
    }
}

#[test]
#[ignore = "needs ssh-keygen: run tests/all"]
fn ssh_keygen_and_we_say_the_same_at_every_moment() {
    let scratch = Scratch::new();
    let key = SigningKey::make().unwrap();
    let signature = key.sign(MESSAGE).unwrap();
    let options = [
        "",
        "valid-after=\"20260601\"",
        "valid-after=\"202606011200\"",
        "valid-after=\"20260601120001Z\"",
        "valid-before=\"20260601\"",
        "valid-before=\"202606011200Z\"",
        "valid-before=\"20260601115959\"",
        "valid-after=\"20260601\",valid-before=\"20260602\"",
    ];
    let times = [
        "20250101000000Z",
        "20260531235959Z",
        "20260601000000Z",
        "20260601115959Z",
        "20260601120000Z",
        "20260601120001Z",
        "20260602000000Z",
        "20260602000001Z",
        "20991231235959Z",
    ];
    let mut counts = (0, 0);
    for option in options {
        let line = format!("a@centre {option} {}\n", key.public_line());
        let signers = Signers::parse(line.as_bytes(), "signers").unwrap();
        for time in times {
            let at = jiff::fmt::strtime::parse("%Y%m%d%H%M%S%z", time.replace('Z', "+0000")).unwrap();
            let ours = signers.verify(MESSAGE, &signature, at.to_timestamp().unwrap()).is_ok();
            let theirs =
                ssh_keygen_verifies(&scratch, &line, "a@centre", time, signature.to_armored().as_bytes());
            assert_eq!(theirs, ours, "{option} at {time}");
            if ours { counts.0 += 1 } else { counts.1 += 1 }
        }
    }
    assert!(counts.0 > 20 && counts.1 > 20, "{counts:?}");
}

#[test]
#[ignore = "needs ssh-keygen: run tests/all"]
fn every_changed_byte_of_a_signature_by_ssh_keygen_is_refused() {
    for kind in [KINDS[0], KINDS[1]] {
        let scratch = Scratch::new();
        let line = format!("a@centre {}", make_key(&scratch, "key", kind, ""));
        let signers = Signers::parse(line.as_bytes(), "signers").unwrap();
        let signed = sign_with_ssh_keygen(&scratch, "key", "dcn-vault", &[]);
        let same = Signature::parse(&signed).unwrap();
        for position in 0..signed.len() {
            for bit in 0..8 {
                let mut changed = signed.clone();
                changed[position] ^= 1 << bit;
                if let Ok(read) = Signature::parse(&changed) {
                    let verified = signers.verify(MESSAGE, &read, noon());
                    assert!(verified.is_err() || read == same, "{kind:?}: byte {position}, bit {bit}");
                }
            }
            let cut = &signed[..position];
            assert!(cut.len() + 1 == signed.len() || Signature::parse(cut).is_err(), "cut at {position}");
        }
    }
}

#[test]
#[ignore = "needs ssh-keygen: run tests/all"]
fn a_key_with_a_passphrase_signs_for_who_knows_it() {
    let scratch = Scratch::new();
    for (name, cipher) in [
        ("usual", "aes256-ctr"),
        ("gcm", "aes256-gcm@openssh.com"),
        ("chacha", "chacha20-poly1305@openssh.com"),
    ] {
        let line = format!(
            "a@centre {}",
            make_key(&scratch, name, &["-t", "ed25519", "-Z", cipher, "-a", "4"], PASSPHRASE)
        );
        let path = scratch.join(name);
        let mut asked = Vec::new();
        let key = SigningKey::read(&path, None, &mut |path| {
            asked.push(path.to_owned());
            Some(SecretValue::copy_of(PASSPHRASE))
        });
        let signature = key.unwrap().sign(MESSAGE).unwrap().to_armored();
        assert_eq!(asked, std::slice::from_ref(&path));
        assert!(ssh_keygen_verifies(&scratch, &line, "a@centre", NOON, signature.as_bytes()), "{cipher}");
        let wrong =
            SigningKey::read(&path, None, &mut |_| Some(SecretValue::copy_of("another"))).unwrap_err();
        assert_eq!(wrong.to_string(), format!("the passphrase does not open `{}`", path.display()));
        let none = SigningKey::read(&path, None, &mut |_| None).unwrap_err();
        let expected = format!("`{}` is protected by a passphrase, and none is given", path.display());
        assert_eq!(none.to_string(), expected);
    }
}

#[test]
#[ignore = "needs ssh-keygen: run tests/all"]
fn a_private_key_that_does_not_sign_here_is_refused_for_what_it_is() {
    let scratch = Scratch::new();
    for (name, kind, expected) in [
        ("rsa", &["-t", "rsa", "-b", "2048"][..], "` is a private key of kind `ssh-rsa`"),
        ("ecdsa", &["-t", "ecdsa"], "` is a private key of kind `ecdsa-sha2-nistp256`"),
        ("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"], "` is not a private key as OpenSSH writes it"),
    ] {
        make_key(&scratch, name, kind, "");
        let error = SigningKey::read(&scratch.join(name), None, &mut unasked).unwrap_err();
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}

#[test]
#[ignore = "needs ssh-agent: run tests/all"]
fn an_agent_signs_with_the_key_whose_public_half_is_named() {
    let scratch = Scratch::new();
    let agent = Agent::start(&scratch);
    let mut lines = Vec::new();
    for (position, kind) in KINDS.into_iter().enumerate() {
        let name = format!("key{position}");
        lines.push(format!("{name}@centre {}", make_key(&scratch, &name, kind, "")));
        agent.add(&scratch, &name);
    }
    let lines = lines.concat();
    for position in 0..KINDS.len() {
        let public = scratch.join(&format!("key{position}.pub"));
        let key = SigningKey::read(&public, Some(agent.socket()), &mut unasked).unwrap();
        let signature = key.sign(MESSAGE).unwrap().to_armored();
        let who = format!("key{position}@centre");
        assert!(ssh_keygen_verifies(&scratch, &lines, &who, NOON, signature.as_bytes()), "{who}");
        let error = key.save(&scratch.join("stolen"), "").unwrap_err();
        assert!(matches!(error, SigningError::NotAKey { .. }) && !scratch.join("stolen").exists());
    }
    make_key(&scratch, "absent", KINDS[0], "");
    let absent = scratch.join("absent.pub");
    let error = SigningKey::read(&absent, Some(agent.socket()), &mut unasked).unwrap_err();
    assert!(error.to_string().starts_with("the ssh agent does not have the key of `"), "{error}");
    assert_eq!(error.hint(), "add it with `ssh-add`");
}

#[test]
fn an_agent_that_answers_amiss_is_never_believed() {
    let scratch = Scratch::new();
    let make = || PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
    let (key, other) = (make(), make());
    let public = scratch.write("key.pub", key.public_key().to_openssh().unwrap(), 0o644);
    for (name, script, expected) in agent::faults(&key, &other) {
        let fake = agent::Fake::start(&scratch, script);
        let signed =
            SigningKey::read(&public, Some(fake.socket()), &mut unasked).and_then(|key| key.sign(MESSAGE));
        let error = signed.unwrap_err().to_string();
        let expected = expected
            .replace("{socket}", &fake.socket().display().to_string())
            .replace("{fingerprint}", &key.fingerprint(HashAlg::Sha256).to_string());
        assert_eq!(error, expected, "{name}");
    }
}

#[test]
#[ignore = "needs ssh-keygen: run tests/all"]
fn a_security_key_signs_through_an_agent_and_must_be_touched() {
    let scratch = Scratch::new();
    let security_key = agent::SecurityKey::make();
    let public = scratch.write("key.pub", security_key.line(), 0o644);
    let line = format!("a@centre {}\n", security_key.line());
    let fake = agent::Fake::start(&scratch, security_key.script(true));
    let key = SigningKey::read(&public, Some(fake.socket()), &mut unasked).unwrap();
    let signature = key.sign(MESSAGE).unwrap();
    let signers = Signers::parse(line.as_bytes(), "signers").unwrap();
    signers.verify(MESSAGE, &signature, noon()).unwrap();
    assert!(ssh_keygen_verifies(&scratch, &line, "a@centre", NOON, signature.to_armored().as_bytes()));
    let untouched = security_key.signature(false, MESSAGE);
    let error = signers.verify(MESSAGE, &untouched, noon()).unwrap_err();
    let expected = format!("the security key {} has signed without being touched", key.fingerprint());
    assert_eq!(error.to_string(), expected);
}
