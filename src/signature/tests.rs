use jiff::Timestamp;

use super::*;
use crate::fs::TemporaryDirectory;
use crate::report::Hint;

const MESSAGE: &[u8] = b"{\"format\": \"dcn-vault/1\"}\n";

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn signers(lines: &str) -> Signers {
    Signers::parse(lines.as_bytes(), "signers").unwrap()
}

fn refusal(lines: &str) -> String {
    Signers::parse(lines.as_bytes(), "signers").unwrap_err().to_string()
}

#[test]
fn what_a_listed_key_signs_is_believed_and_says_who_it_was() {
    let key = SigningKey::make().unwrap();
    let text = key.sign(MESSAGE).unwrap().to_armored();
    let signature = Signature::parse(text.as_bytes()).unwrap();
    assert_eq!(signature.to_armored(), text);
    let signers = signers(&format!("# the centre\n\nalice@centre {} a comment\n", key.public_line()));
    let signer = signers.verify(MESSAGE, &signature, now()).unwrap();
    assert_eq!((signer.principal.as_str(), signer.fingerprint), ("alice@centre", key.fingerprint()));
}

#[test]
fn other_bytes_another_key_and_another_purpose_are_refused_each_by_its_own_words() {
    let (key, other) = (SigningKey::make().unwrap(), SigningKey::make().unwrap());
    let signature = key.sign(MESSAGE).unwrap();
    let known = signers(&format!("alice {}\n", key.public_line()));
    let changed = known.verify(b"{}\n", &signature, now()).unwrap_err();
    assert!(matches!(changed, SignatureError::DoesNotFit { .. }), "{changed}");
    let unknown = signers(&format!("bob {}\n", other.public_line()));
    let stranger = unknown.verify(MESSAGE, &signature, now()).unwrap_err();
    let expected = format!("signed by {}, which `signers` does not list", key.fingerprint());
    assert_eq!(stranger.to_string(), expected);
    assert!(stranger.hint().contains("dcn-vault trust add"));
    let for_git = in_namespace("git");
    let error = known.verify(MESSAGE, &for_git, now()).unwrap_err();
    assert_eq!(error.to_string(), "the signature was made for `git`, not for `dcn-vault`");
}

#[test]
fn a_key_signs_in_its_time_and_for_its_purpose_only() {
    let key = SigningKey::make().unwrap();
    let signature = key.sign(MESSAGE).unwrap();
    let line = key.public_line();
    for (options, expected) in [
        ("valid-after=\"20260601Z\"", None),
        ("valid-after=\"202606011200Z\"", None),
        ("valid-before=\"202606011200Z\"", None),
        ("valid-after=\"20260602Z\"", Some("can sign from 2026-06-02T00:00:00Z on")),
        ("valid-before=\"20260601Z\"", Some("could sign until 2026-06-01T00:00:00Z")),
        ("namespaces=\"git,dcn-*\"", None),
        ("namespaces=\"git,file\"", Some("may not sign for `dcn-vault`")),
        ("namespaces=\"*,!dcn-vault\"", Some("may not sign for `dcn-vault`")),
    ] {
        let found = signers(&format!("alice {options} {line}\n")).verify(MESSAGE, &signature, now());
        match (expected, found) {
            (None, found) => assert!(found.is_ok(), "{options}: {found:?}"),
            (Some(words), Err(error)) => assert!(error.to_string().contains(words), "{options}: {error}"),
            (Some(_), Ok(signer)) => panic!("{options}: {signer:?}"),
        }
    }
}

#[test]
fn of_several_lines_with_a_key_one_that_allows_it_is_enough() {
    let key = SigningKey::make().unwrap();
    let signature = key.sign(MESSAGE).unwrap();
    let line = key.public_line();
    let old = format!("old valid-before=\"20250101Z\" {line}\ngit namespaces=\"git\" {line}\n");
    let found = signers(&format!("{old}new {line}\n")).verify(MESSAGE, &signature, now()).unwrap();
    assert_eq!(found.principal, "new");
    // The time is the nearer reason: the other line was never meant for us
    for lines in [old, format!("git namespaces=\"git\" {line}\nold valid-before=\"20250101Z\" {line}\n")] {
        let error = signers(&lines).verify(MESSAGE, &signature, now()).unwrap_err();
        assert!(matches!(error, SignatureError::NoLongerValid { .. }), "{error}");
    }
}

#[test]
fn a_line_that_is_not_understood_is_an_error_with_its_place() {
    let key = SigningKey::make().unwrap().public_line();
    for (line, expected) in [
        (format!("alice cert-authority {key}"), "`cert-authority` is not supported"),
        (format!("alice CERT-AUTHORITY,namespaces=\"x\" {key}"), "`cert-authority` is not supported"),
        (format!("alice no-touch-required {key}"), "an option that is not known"),
        (format!("alice colour=\"red\" {key}"), "an option that is not known"),
        (format!("alice namespaces=\"a\",namespaces=\"b\" {key}"), "an option twice"),
        (format!("alice namespaces=a {key}"), "an option's value without quotes"),
        (format!("alice namespaces=\"a {key}"), "a quote that is not closed"),
        (format!("alice namespaces=\"a\", {key}"), "an option that is not known"),
        (
            format!("alice valid-after=\"tomorrow\" {key}"),
            "a time that is none, or not as YYYYMMDD[HHMM[SS]][Z]",
        ),
        (
            format!("alice valid-after=\"20260102\",valid-before=\"20260101\" {key}"),
            "a time that ends before it begins",
        ),
        (String::from("alice"), "no key"),
        (String::from("alice ssh-ed25519"), "not a public key"),
        (String::from("alice ssh-ed25519 AAAA"), "not a public key"),
        (format!("\"alice {key}"), "a quote that is not closed"),
        (key, "an option that is not known"),
        (String::from("\u{7}alice x"), "a control character"),
    ] {
        assert_eq!(refusal(&format!("# first\n{line}\n")), format!("signers:2: {expected}"), "{line}");
    }
    assert_eq!(refusal(&begin_of_private_key()), "signers:1 is a private key");
    let not_text = Signers::parse(b"\n\n\xff\n", "signers").unwrap_err();
    assert_eq!(not_text.to_string(), "signers:3: no text");
}

#[test]
fn principals_are_lists_of_patterns() {
    for (patterns, name, expected) in [
        ("alice", "alice", true),
        ("alice", "Alice", false),
        ("alice,bob", "bob", true),
        ("*@centre", "alice@centre", true),
        ("*@centre,!eve@centre", "eve@centre", false),
        ("!eve@centre", "alice@centre", false),
        ("al?ce", "alice", true),
    ] {
        assert_eq!(line::matches(patterns, name), expected, "{patterns} {name}");
    }
    let key = SigningKey::make().unwrap();
    let signature = key.sign(MESSAGE).unwrap();
    let signers = signers(&format!("\"*@centre\" {}\n", key.public_line()));
    assert!(signers.verify_as("a@centre", MESSAGE, &signature, now()).is_ok());
    let error = signers.verify_as("a@edge", MESSAGE, &signature, now()).unwrap_err();
    assert!(matches!(error, SignatureError::Stranger { .. }), "{error}");
}

#[test]
fn every_change_of_a_byte_of_a_signature_is_refused() {
    let key = SigningKey::make().unwrap();
    let signature = key.sign(MESSAGE).unwrap();
    let text = signature.to_armored();
    for position in 0..text.len() {
        for value in 0..=255_u8 {
            let mut changed = text.clone().into_bytes();
            changed[position] = value;
            let fits = Signature::parse(&changed).is_ok_and(|read| read.fits(MESSAGE).is_ok());
            assert_eq!(fits, changed == text.as_bytes(), "byte {position} as {value}");
        }
    }
}

#[test]
fn nothing_stands_before_a_signature_or_behind_it() {
    let text = SigningKey::make().unwrap().sign(MESSAGE).unwrap().to_armored();
    let body = text.trim_end();
    for same in
        [text.replace('\n', "\r\n"), rewrapped(&text, 64), rewrapped(&text, 7), rewrapped(&text, 9999)]
    {
        assert_eq!(Signature::parse(same.as_bytes()).unwrap().to_armored(), text);
    }
    for other in [
        format!("{text}\n"),
        format!("{text}x"),
        format!("{text}{text}"),
        format!("\n{text}"),
        format!(" {text}"),
        format!("{body} "),
        body.trim_end_matches('-').to_owned(),
        text.replace("SSH SIGNATURE", "PGP SIGNATURE"),
        body.to_owned(),
        text.replacen('\n', "", 1),
        text.replacen('\n', "\n\n", 1),
        text.replacen('\n', "\r\n", 1),
        text.replacen('\n', "\r", 2),
        text.replace("\n-----END", "-----END"),
        rewrapped(&text, 70).replacen("AAAA", "AA\nAA", 1),
        String::new(),
    ] {
        assert!(matches!(Signature::parse(other.as_bytes()), Err(SignatureError::Damaged)), "{other}");
    }
}

#[test]
fn any_bytes_are_read_or_refused_and_never_a_panic() {
    // xorshift64, with a fixed seed
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let signature = SigningKey::make().unwrap().sign(MESSAGE).unwrap().to_armored();
    let line =
        format!("alice namespaces=\"a\",valid-after=\"20260101\" {}", signature.lines().nth(1).unwrap());
    for _ in 0..10_000 {
        let length = usize::try_from(next() % 300).unwrap();
        let noise: Vec<u8> = (0..length).map(|_| next().to_le_bytes()[0]).collect();
        let _ = Signature::parse(&noise);
        let _ = Signers::parse(&noise, "noise");
        for text in [&signature, &line] {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..=next() % 4 {
                let position = usize::try_from(next()).unwrap() % bytes.len();
                bytes[position] = next().to_le_bytes()[0];
            }
            let cut = usize::try_from(next()).unwrap() % (2 * bytes.len());
            bytes.truncate(cut);
            let _ = Signature::parse(&bytes);
            let _ = Signers::parse(&bytes, "noise");
        }
    }
}

#[test]
fn a_saved_key_is_private_and_reads_again() {
    use std::os::unix::fs::MetadataExt;
    let here = TemporaryDirectory::scratch();
    let path = here.path().join("key");
    let key = SigningKey::make().unwrap();
    key.save(&path, "made up").unwrap();
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    let read = SigningKey::read(&path, None, &mut |_| panic!("it has no passphrase")).unwrap();
    assert_eq!(read.public_line(), key.public_line());
    let error = key.save(&path, "again").unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` exists", path.display()));
}

#[test]
fn what_is_no_key_and_what_needs_an_agent_are_refused_for_what_they_are() {
    let here = TemporaryDirectory::scratch();
    let refused =
        |path: &std::path::Path, agent| SigningKey::read(path, agent, &mut |_| None).unwrap_err().to_string();
    let public = here.write("key.pub", &SigningKey::make().unwrap().public_line());
    let shown = public.display();
    assert_eq!(refused(&public, None), format!("`{shown}` is a public key, and no ssh agent is there"));
    let nowhere = here.path().join("socket");
    let expected = format!("the ssh agent at `{}`: no such file or directory", nowhere.display());
    assert_eq!(refused(&public, Some(&nowhere)), expected);
    let open = here.write("open", &begin_of_private_key());
    assert!(refused(&open, None).contains("can be read by others"));
}

/// The first line of one. Put together here, so that whoever searches these files for keys finds none.
fn begin_of_private_key() -> String {
    format!("-----BEGIN OPENSSH {}-----\n", "PRIVATE KEY")
}

/// A signature that `ssh-keygen` would make with `-n namespace`.
fn in_namespace(namespace: &str) -> Signature {
    let key =
        ssh_key::PrivateKey::random(&mut ssh_key::rand_core::OsRng, ssh_key::Algorithm::Ed25519).unwrap();
    Signature::of(key.sign(namespace, ssh_key::HashAlg::Sha512, MESSAGE).unwrap()).unwrap()
}

fn rewrapped(text: &str, width: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let body: String = lines[1..lines.len() - 1].concat();
    let body: Vec<&str> =
        body.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("{}\n{}\n{}\n", lines[0], body.join("\n"), lines[lines.len() - 1])
}
