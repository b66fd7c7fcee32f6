use std::path::PathBuf;

use super::*;
use crate::audit::{Entry, Event, Log, Verb, Who};
use crate::fs::TemporaryDirectory;
use crate::model::ParameterName;

/// A log of five lines, without newlines.
fn log() -> Vec<Vec<u8>> {
    let here = TemporaryDirectory::scratch();
    let path = written(&here, 5);
    let bytes = crate::fs::read_public(&path).unwrap();
    bytes.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn written(here: &TemporaryDirectory, lines: usize) -> PathBuf {
    let path = here.path().join("audit.jsonl");
    let log = Log::open(&path).unwrap();
    for number in 0..lines {
        log.append(&entry(&format!("id{number}"))).unwrap();
    }
    path
}

fn entry(id: &str) -> Entry {
    let time = "2026-01-02T03:04:05Z".parse().unwrap();
    let mut entry = Entry::new(Event::Opened, Verb::Get, id, &Who::default(), time);
    entry.parameters = vec![ParameterName::parse("NovaPassword").unwrap()];
    entry
}

fn findings(lines: &[Vec<u8>]) -> Vec<(u64, Fault)> {
    let mut bytes = lines.join(&b'\n');
    bytes.push(b'\n');
    found_in(&bytes)
}

fn found_in(bytes: &[u8]) -> Vec<(u64, Fault)> {
    let report = verify(bytes, None).unwrap();
    report.findings.into_iter().map(|finding| (finding.line, finding.fault)).collect()
}

#[test]
fn a_log_that_nobody_has_touched_is_whole() {
    let lines = log();
    assert_eq!(findings(&lines), []);
    let mut bytes = lines.join(&b'\n');
    bytes.push(b'\n');
    let second = Digest::of(&lines[1]).to_string().to_uppercase();
    let report = verify(bytes.as_slice(), Some(&second)).unwrap();
    assert_eq!((report.lines, report.kept_at), (5, Some(2)));
    assert_eq!(report.head, Some(Digest::of(&lines[4])));
    assert_eq!(verify(bytes.as_slice(), Some("00")).unwrap().kept_at, None);
    let empty = verify(&b""[..], None).unwrap();
    assert_eq!((empty.lines, empty.head, empty.findings.len()), (0, None, 0));
}

#[test]
fn any_bit_of_any_line_but_the_last_that_is_changed_is_noticed_at_that_line() {
    let lines = log();
    for changed in 0..4 {
        for at in 0..lines[changed].len() {
            let mut lines = lines.clone();
            lines[changed][at] ^= 1;
            let (expected, found) = (u64::try_from(changed).unwrap() + 1, findings(&lines));
            let is_named = found.iter().any(|(line, _)| *line == expected || *line == expected + 1);
            assert!(is_named, "{found:?} of {expected} at {at}");
        }
    }
}

#[test]
fn what_is_wrong_is_called_by_its_name() {
    let of = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut lines = log();
        change(&mut lines);
        findings(&lines)
    };
    let replace = |line: &mut Vec<u8>, from: &str, to: &str| {
        *line = String::from_utf8(line.clone()).unwrap().replace(from, to).into_bytes();
    };
    assert_eq!(of(&|lines| replace(&mut lines[1], "Nova", "Rpc")), [(2, Fault::Changed)]);
    assert_eq!(of(&|lines| replace(&mut lines[1], "}", "")), [(2, Fault::Changed)]);
    assert_eq!(of(&|lines| drop(lines.remove(1))), [(2, Fault::Missing(1))]);
    assert_eq!(of(&|lines| drop(lines.drain(..3))), [(1, Fault::Missing(3))]);
    assert_eq!(of(&|lines| lines.insert(2, b"root:x".to_vec())), [(3, Fault::NotOurs), (4, Fault::Moved)]);
    assert_eq!(of(&|lines| lines.push(lines[4].clone())), [(6, Fault::Moved)]);
    assert_eq!(
        of(&|lines| lines.swap(2, 3)),
        [(3, Fault::Missing(1)), (4, Fault::Moved), (5, Fault::Missing(1))]
    );
    assert_eq!(of(&|lines| lines.push(vec![b'x'; 3 * LONGEST_LINE])), [(6, Fault::NotOurs)]);
    // The two that nothing in the file tells
    assert_eq!(of(&|lines| drop(lines.pop())), []);
    assert_eq!(of(&|lines| replace(&mut lines[4], "Nova", "Rpc")), []);
}

#[test]
fn a_torn_line_is_closed_off_and_is_called_so() {
    let here = TemporaryDirectory::scratch();
    let path = written(&here, 3);
    let whole = crate::fs::read_public(&path).unwrap();
    let second = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    // Wherever a crash may have cut it, in its first bytes too, and where it has left zeros
    let mut cuts: Vec<Vec<u8>> = (second + 1..whole.len() - 1).map(|end| whole[..end].to_vec()).collect();
    cuts.push([&whole[..second], &[0; 100]].concat());
    cuts.push(b"{\"nu".to_vec());
    for (at, cut) in cuts.into_iter().enumerate() {
        let is_between = cut.ends_with(b"\n") || cut.ends_with(b"}");
        let path = here.write(&format!("log{at}"), std::str::from_utf8(&cut).unwrap());
        let torn = u64::try_from(cut.split(|byte| *byte == b'\n').count()).unwrap();
        if !is_between {
            assert_eq!(found_in(&cut), [(torn, Fault::Torn)], "{at}");
        }
        let log = Log::open(&path).unwrap();
        for id in ["after", "and again"] {
            log.append(&entry(id)).unwrap();
        }
        let bytes = crate::fs::read_public(&path).unwrap();
        assert!(bytes.starts_with(&cut));
        let found = found_in(&bytes);
        if !is_between {
            assert_eq!(found, [(torn, Fault::Torn)], "{at}");
        }
        assert!(
            Line::parse(bytes[..bytes.len() - 1].rsplit(|byte| *byte == b'\n').next().unwrap()).is_some()
        );
    }
}

#[test]
fn nothing_is_appended_to_a_file_that_is_no_log() {
    let here = TemporaryDirectory::scratch();
    for (name, text) in
        [("passwd", "root:x:0:0\n"), ("cut", "root"), ("json", "{\"a\":1}\n"), ("long", &"{".repeat(1 << 20))]
    {
        let path = here.write(name, text);
        assert!(Log::open(&path).is_err(), "{name}");
        assert_eq!(crate::fs::read_public(&path).unwrap(), text.as_bytes());
    }
}
