//! What `PyYAML` reads we read, and what we write it reads: checked against its recorded verdicts, and against itself.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use dcn_vault::model::{Data, Kind, Scalar};
use dcn_vault::secret::{SecretBuffer, SecretValue};
use dcn_vault::yaml;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

const PLAIN: &str = include_str!("vectors/yaml/plain.json");
const STRINGS: &str = include_str!("vectors/yaml/strings.json");
const DOCUMENTS: &str = include_str!("vectors/yaml/dump.json");
/// Line breaks of YAML 1.1 and the byte order mark: an error wherever they stand unescaped, so never another value.
const REFUSED: [char; 4] = ['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'];
/// Whoever holds one of these is not a plain scalar alone, perhaps.
const NOT_PLAIN: &[char] = &['\n', '!', '&', '*', '|', '>', '\'', '"', '[', ']', '{', '}', '#'];

#[test]
fn a_plain_scalar_means_what_it_means_to_pyyaml() {
    let wrong: Vec<String> = rows(PLAIN).iter().filter_map(|row| complaint(row, "- ", "\n")).collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_document_means_what_it_means_to_pyyaml() {
    let mut wrong = Vec::new();
    for row in rows(DOCUMENTS) {
        let read = yaml::read(row["yaml"].as_str().unwrap().as_bytes(), "a.yaml");
        if !agrees(read.as_ref().ok(), &row["value"]) {
            wrong.push(format!(
                "{}: {:?}, PyYAML: {}",
                row["name"],
                read.map(|data| shown(&data)),
                row["value"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_document_means_the_same_after_it_was_written_again() {
    for row in rows(DOCUMENTS) {
        let Ok(data) = yaml::read(row["yaml"].as_str().unwrap().as_bytes(), "a.yaml") else { continue };
        let again = yaml::read(written(&data).as_bytes(), "b.yaml");
        assert!(agrees(again.as_ref().ok(), &row["value"]), "{}\n{}", row["name"], written(&data));
    }
}

#[test]
fn an_awkward_string_comes_back_from_our_writing_and_from_pyyamls() {
    let rows = rows(STRINGS);
    assert!(rows.len() >= 150);
    for row in rows {
        let text = row["text"].as_str().unwrap();
        let data = string(text).wrapped("k");
        for yaml in [written(&data), row["dump"].as_str().unwrap().to_owned()] {
            let read =
                yaml::read(yaml.as_bytes(), "a.yaml").unwrap_or_else(|error| panic!("{error}: {yaml:?}"));
            assert!(is_string(read.under("k").unwrap(), text), "{text:?} through {yaml:?}");
        }
    }
}

#[test]
#[ignore = "needs PyYAML of the OpenStack lab: run tests/all"]
fn pyyaml_itself_reads_what_we_write_and_writes_what_we_read() {
    let strings = many_strings();
    assert!(strings.len() >= 5_000);
    let cases: Vec<Value> = strings.iter().map(|text| case(text)).collect();
    let input = json!({ "cases": cases, "documents": rewritten_documents() });
    let answers: Value = serde_json::from_slice(&ask_pyyaml(&input)).unwrap();

    let misread = answers["misread"].as_array().unwrap();
    assert!(misread.is_empty(), "PyYAML misreads {}: {misread:?}", misread.len());
    let mut wrong = Vec::new();
    for (text, answer) in strings.iter().zip(answers["cases"].as_array().unwrap()) {
        for dump in answer["dumps"].as_array().unwrap() {
            let read = yaml::read(dump.as_str().unwrap().as_bytes(), "a.yaml");
            let same = read.is_ok_and(|data| data.under(text).is_some_and(|value| is_string(value, text)));
            if !same && !dump.as_str().unwrap().contains(REFUSED) {
                wrong.push(format!("{text:?} from {dump}"));
            }
        }
        for value in answer["plain"].as_array().unwrap() {
            wrong.extend(complaint(&json!({ "text": text, "value": value }), "- ", "\n"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// One string as `PyYAML` gets it: what it is, what we make of it, and whether it can be tried as a plain scalar.
fn case(text: &str) -> Value {
    let entry = Data::Map(vec![
        (Scalar::string(text), string(text)),
        (Scalar::string("list"), Data::List(vec![string(text), string(text).wrapped("in a map")])),
    ]);
    let plain = (!text.contains(REFUSED) && !text.contains(NOT_PLAIN)).then(|| format!("- {text}\n"));
    json!({ "text": text, "written": written(&entry), "plain": plain })
}

/// What `PyYAML` made of each document, and what we write after we read it.
fn rewritten_documents() -> Vec<Value> {
    let read = |row: &Value| yaml::read(row["yaml"].as_str().unwrap().as_bytes(), "a.yaml").ok();
    let rewritten =
        |row: &Value| read(row).map(|data| json!({ "written": written(&data), "value": row["value"] }));
    rows(DOCUMENTS).iter().filter_map(rewritten).collect()
}

fn ask_pyyaml(input: &Value) -> Vec<u8> {
    let lab = std::env::var("DCN_VAULT_LAB_CLIENT")
        .expect("DCN_VAULT_LAB_CLIENT must name a virtual environment of Python that has PyYAML");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/yaml/differential.py");
    let mut python = Command::new(format!("{lab}/bin/python"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("$DCN_VAULT_LAB_CLIENT/bin/python must start");
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "differential.py failed");
    output.stdout
}

/// The same strings each time: the corpus, random Unicode, and what looks like numbers, dates and YAML.
fn many_strings() -> Vec<String> {
    let alphabets = [
        r"\PC{0,12}",
        r"(?s).{0,20}",
        "[0-9eE.+_:-]{1,8}",
        "[0-9]{1,4}e[0-9]{1,4}",
        "[0-9_:.]{1,10}",
        "0[xbo][0-9a-f_]{0,4}",
    ]
    .into_iter()
    .chain(["[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[Tt ]{0,2}[0-9:.Z+-]{0,12}", "[ \t\n'\"#:?!&*|>%@`{}a-]{1,10}"])
    .chain([
        "[a-zA-Z0-9+/_-]{43}=",
        "([a-z]{1,9}[ \n]{1,2}){10,40}",
        "[\u{80}-\u{a0}\u{2028}\u{2029}\u{feff}a \n]{1,9}",
    ]);
    let mut strings: Vec<String> =
        rows(STRINGS).iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect();
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    for alphabet in alphabets {
        let strategy = proptest::string::string_regex(alphabet).unwrap();
        strings.extend((0..1_000).map(|_| strategy.new_tree(&mut runner).unwrap().current()));
    }
    // The key beside it in `case`
    strings.retain(|text| text != "list");
    strings
}

/// How our reading of `text` differs from `PyYAML`'s, if it does.
fn complaint(row: &Value, before: &str, after: &str) -> Option<String> {
    let text = row["text"].as_str().unwrap();
    let read = yaml::read(format!("{before}{text}{after}").as_bytes(), "a.yaml");
    (!agrees(read.as_ref().ok(), &row["value"]))
        .then(|| format!("{text:?}: {:?}, PyYAML: {}", read.map(|data| shown(&data)), row["value"]))
}

fn agrees(read: Option<&Data>, expected: &Value) -> bool {
    let (kind, value) = expected.as_object().unwrap().iter().next().unwrap();
    match (read, kind.as_str()) {
        (None, "error") => true,
        (Some(Data::List(items)), "list") => {
            let expected = value.as_array().unwrap();
            items.len() == expected.len()
                && items.iter().zip(expected).all(|(item, value)| agrees(Some(item), value))
        }
        (Some(Data::Map(entries)), "map") => {
            let expected = value.as_array().unwrap();
            entries.len() == expected.len()
                && entries
                    .iter()
                    .zip(expected)
                    .all(|((key, item), pair)| scalar_agrees(key, &pair[0]) && agrees(Some(item), &pair[1]))
        }
        (Some(Data::Scalar(scalar)), _) => scalar_agrees(scalar, expected),
        _ => false,
    }
}

fn scalar_agrees(scalar: &Scalar, expected: &Value) -> bool {
    let (kind, value) = expected.as_object().unwrap().iter().next().unwrap();
    let value = value.as_str().unwrap_or_default();
    // EXPOSE: a test
    scalar.text.expose(|text| match (scalar.kind, kind.as_str()) {
        (Kind::Null, "null") => true,
        (Kind::Bool, "bool") => {
            matches!(text.to_lowercase().as_str(), "yes" | "true" | "on") == (value == "true")
        }
        (Kind::Int, "int") => int(text) == value.parse().unwrap(),
        (Kind::Float, "float") => float(text).total_cmp(&float(value)).is_eq(),
        (Kind::String, "string") | (Kind::Binary, "binary") => text == value,
        // Ours is the text as it stands, Python's is rewritten
        (Kind::Timestamp, "timestamp") => value.split('-').next() == text.split('-').next(),
        _ => false,
    })
}

/// `PyYAML`'s `construct_yaml_int`.
fn int(text: &str) -> i128 {
    let digits = text.replace('_', "");
    let (sign, digits) = signed(&digits);
    let radix = |digits: &str, radix| i128::from_str_radix(digits, radix).unwrap();
    let sixties = |digits: &str| digits.split(':').fold(0, |sum, part| sum * 60 + radix(part, 10));
    let value = match digits.split_at_checked(2) {
        Some(("0b", rest)) => radix(rest, 2),
        Some(("0x", rest)) => radix(rest, 16),
        Some(("0o" | "0O", rest)) => radix(rest, 8),
        Some(_) if digits.starts_with('0') => radix(digits, 8),
        _ => sixties(digits),
    };
    if sign < 0.0 { -value } else { value }
}

/// `PyYAML`'s `construct_yaml_float`.
fn float(text: &str) -> f64 {
    let digits = text.replace('_', "").to_lowercase();
    let (sign, digits) = signed(&digits);
    match digits {
        ".inf" => sign * f64::INFINITY,
        ".nan" | "nan" => f64::NAN,
        _ => {
            let parts: Vec<f64> = digits.split(':').rev().map(|part| part.parse().unwrap()).collect();
            let sum = parts.iter().zip(0..).fold(0.0, |sum, (part, place)| sum + part * 60_f64.powi(place));
            sign * sum
        }
    }
}

fn signed(digits: &str) -> (f64, &str) {
    let sign = if digits.starts_with('-') { -1.0 } else { 1.0 };
    (sign, digits.strip_prefix(['-', '+']).unwrap_or(digits))
}

fn is_string(data: &Data, expected: &str) -> bool {
    matches!(data, Data::Scalar(scalar) if scalar.kind == Kind::String && scalar.is(expected))
}

fn string(text: &str) -> Data {
    Data::Scalar(Scalar::new(Kind::String, SecretValue::copy_of(text)))
}

fn shown(data: &Data) -> String {
    match data {
        // EXPOSE: a test
        Data::Scalar(scalar) => scalar.text.expose(|text| format!("{:?} {text:?}", scalar.kind)),
        Data::List(_) | Data::Map(_) => written(data),
        _ => unreachable!("a kind of data that this test does not know"),
    }
}

fn written(data: &Data) -> String {
    let mut out = SecretBuffer::new();
    yaml::write(data, &mut out);
    // EXPOSE: a test
    out.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

fn rows(json: &str) -> Vec<Value> {
    serde_json::from_str(json).unwrap()
}
