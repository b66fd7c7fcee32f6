use proptest::prelude::*;

use super::*;
use crate::model::Scalar;
use crate::secret::SecretValue;

const TEXT: &str = "\
parameter_defaults:
  NovaPassword: not-a-real-secret
  Number: 0x1F
  Yes: Yes
  Nothing: ~
  Lines: \"a\\n  b\\t\"
  Keys:
    /etc/keys/0: {content: zero, mode: 0600}
    /etc/keys/0.content: other
    a.b: {c: 1}
    a: {b.c: 2, d: 3}
  List: [{x: first}, second, [third]]
resource_registry: {OS::A: b}
";

fn opened(file: EnvironmentFile, text: &str) -> OpenedFile {
    let mut content = SecretBuffer::new();
    content.push_str(text);
    OpenedFile { file, content }
}

fn got(text: &str, path: &str, writing: Writing) -> Result<String, SelectError> {
    let value = select(&opened(EnvironmentFile::Passwords, text), &ValuePath::parse(path)?, writing)?;
    // EXPOSE: made up
    Ok(value.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
}

#[test]
fn a_single_value_is_its_exact_text_and_more_are_yaml_or_json() {
    for (path, text, json) in [
        ("NovaPassword", "not-a-real-secret", "\"not-a-real-secret\"\n"),
        ("Number", "0x1F", "0x1F\n"),
        ("Yes", "Yes", "Yes\n"),
        ("Lines", "a\n  b\t", "\"a\\n  b\\t\"\n"),
        ("Keys.a.d", "3", "3\n"),
        ("List.1", "second", "\"second\"\n"),
        ("List.0.x", "first", "\"first\"\n"),
        ("List.2", "- third\n", "[\n  \"third\"\n]\n"),
        ("Keys./etc/keys/0.mode", "0600", "0600\n"),
        (
            "Keys./etc/keys/0",
            "content: zero\nmode: 0600\n",
            "{\n  \"content\": \"zero\",\n  \"mode\": 0600\n}\n",
        ),
        ("/parameter_defaults/Keys/~1etc~1keys~10/content", "zero", "\"zero\"\n"),
        ("/parameter_defaults/List/2/0", "third", "\"third\"\n"),
        ("/resource_registry", "OS::A: b\n", "{\n  \"OS::A\": \"b\"\n}\n"),
    ] {
        assert_eq!(got(TEXT, path, Writing::Text).unwrap(), text, "{path}");
        assert_eq!(got(TEXT, path, Writing::Json).unwrap(), json, "{path}");
    }
}

#[test]
fn a_file_without_parameter_defaults_is_looked_into_as_it_is() {
    let kolla = "nova_password: x\nkeys: {a: b}\n";
    assert_eq!(got(kolla, "keys.a", Writing::Text).unwrap(), "b");
    assert_eq!(got(kolla, "/keys/a", Writing::Text).unwrap(), "b");
    let json = opened(EnvironmentFile::EndpointMap, "{\"parameter_defaults\": {\"E\": {\"a.b\": 16.0}}}");
    let value = select(&json, &ValuePath::parse("E.a.b").unwrap(), Writing::Text).unwrap();
    // EXPOSE: made up
    assert!(value.expose(|bytes| bytes == b"16.0"));
}

#[test]
fn what_can_be_two_values_is_an_error_that_says_how_to_ask_for_each() {
    for (path, pointers) in [
        (
            "Keys./etc/keys/0.content",
            [
                "/parameter_defaults/Keys/~1etc~1keys~10/content",
                "/parameter_defaults/Keys/~1etc~1keys~10.content",
            ],
        ),
        ("Keys.a.b.c", ["/parameter_defaults/Keys/a.b/c", "/parameter_defaults/Keys/a/b.c"]),
    ] {
        let error = got(TEXT, path, Writing::Text).unwrap_err();
        let pointers = pointers.map(str::to_owned).to_vec();
        for pointer in &pointers {
            got(TEXT, pointer, Writing::Text).unwrap();
        }
        assert_eq!(error, SelectError::Ambiguous { path: path.to_owned(), pointers });
    }
}

#[test]
fn what_is_not_there_is_said_with_what_was_typed_alone() {
    for (path, says) in [
        ("NovaPassword.x", "there is no `x` below `NovaPassword`, which is a single value"),
        ("Keys.a.b.d", "there is no `d` below `Keys.a.b`"),
        ("Keys.nothing.d", "there is no `nothing.d` below `Keys`"),
        ("List.3", "there is no `3` below `List`"),
        ("List.01", "there is no `01` below `List`"),
        ("Nova", "there is no `Nova` in the file"),
        ("/Nova", "there is no `Nova` in the file"),
        ("/parameter_defaults/List/x", "there is no `x` below `/parameter_defaults/List`"),
        (
            "/parameter_defaults/Yes/x/y",
            "there is no `x` below `/parameter_defaults/Yes`, which is a single value",
        ),
        ("Nothing", "`Nothing` is null"),
    ] {
        assert_eq!(got(TEXT, path, Writing::Text).unwrap_err().to_string(), says, "{path}");
    }
    assert_eq!(got(TEXT, "Nothing", Writing::Json).unwrap(), "null\n");
    assert_eq!(
        got("a: [", "a", Writing::Text).unwrap_err().to_string(),
        "`passwords.yaml` is not what its name says"
    );
}

/// A tree of maps and lists whose single values are all different, with the way to each.
fn tree() -> impl Strategy<Value = Data> {
    let leaf = Just(()).prop_map(|()| Data::Scalar(Scalar::string("")));
    leaf.prop_recursive(4, 40, 4, |inner| {
        let key = "[ab./~0 é]{0,3}";
        prop_oneof![
            prop::collection::btree_map(key, inner.clone(), 1..4).prop_map(|entries| Data::Map(
                entries.into_iter().map(|(key, value)| (Scalar::string(&key), value)).collect()
            )),
            prop::collection::vec(inner, 1..4).prop_map(Data::List),
        ]
    })
}

/// Gives each single value its own text, and notes the keys that lead to it.
fn number(data: &mut Data, trail: &mut Vec<String>, leaves: &mut Vec<Vec<String>>) {
    match data {
        Data::Scalar(scalar) => {
            scalar.text = SecretValue::copy_of(&format!("value {}", leaves.len()));
            leaves.push(trail.clone());
        }
        Data::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                trail.push(index.to_string());
                number(item, trail, leaves);
                trail.pop();
            }
        }
        Data::Map(entries) => {
            for (key, value) in entries {
                // EXPOSE: made up
                trail.push(key.text.expose(str::to_owned));
                number(value, trail, leaves);
                trail.pop();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_value_is_reached_by_its_pointer_and_by_dots_or_told_which_it_can_be(mut data in tree()) {
        let mut leaves = Vec::new();
        number(&mut data, &mut vec![PARAMETERS.to_owned()], &mut leaves);
        let mut text = SecretBuffer::new();
        yaml::write(&data.wrapped(PARAMETERS), &mut text);
        let file = OpenedFile { file: EnvironmentFile::Passwords, content: text };
        let got = |path: &str| {
            let path = ValuePath::parse(path)?;
            // EXPOSE: made up
            select(&file, &path, Writing::Text).map(|value| value.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
        };
        for (at, keys) in leaves.iter().enumerate() {
            let expected = format!("value {at}");
            let pointer = pointer_of(keys);
            let by_pointer = got(&pointer);
            prop_assert_eq!(by_pointer.as_deref(), Ok(expected.as_str()), "{}", pointer);
            let dots = keys[1..].join(".");
            // What begins with a slash, or is nothing, is no path with dots
            if keys.len() > 1 && !dots.starts_with('/') && !dots.is_empty() {
                match got(&dots) {
                    Ok(value) => prop_assert_eq!(value, expected, "{}", dots),
                    Err(SelectError::Ambiguous { pointers, .. }) => prop_assert!(pointers.contains(&pointer), "{}", dots),
                    Err(error) => prop_assert!(false, "{}: {}", dots, error),
                }
            }
        }
    }
}
