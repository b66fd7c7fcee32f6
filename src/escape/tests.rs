use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::fs::{Moment, TemporaryDirectory};
use crate::guard::KnownValues;
use crate::model::{Data, EnvironmentFile};
use crate::yaml;

const PASSWORDS: &[u8] = b"parameter_defaults:\n  NovaPassword: not-a-real-secret\n  RpcPassword: neither-is-this-one\n  Same: not-a-real-secret\n  Short: abc\n";

fn known() -> KnownValues {
    let global = br#"{"parameter_defaults": {"GlobalConfigExtraMapData": {"oslo_messaging_rpc_password": "of-the-bus-alone", "scheme": "rabbit-and-more"}}}"#;
    let files: [(EnvironmentFile, Data); 2] = [
        (EnvironmentFile::Passwords, yaml::read(PASSWORDS, "test").unwrap()),
        (EnvironmentFile::GlobalConfig, crate::json::read(global, "test").unwrap()),
    ];
    KnownValues::in_files(&files)
}

fn everything() -> Moment {
    "0.0".parse().unwrap()
}

fn examined(here: &TemporaryDirectory) -> Examination {
    let places = Places { watched: vec![here.path().to_owned()], ..Places::default() };
    search(&known(), &places, Habits::Unknown, everything())
}

/// What is found where a file holds `text`.
fn parameters(text: &[u8]) -> Vec<String> {
    let here = TemporaryDirectory::scratch();
    let path = here.write("file", "");
    crate::fs::Held::hold(here.path()).unwrap().replace("file", text).unwrap();
    assert!(path.exists());
    let found = examined(&here);
    found.escapes.iter().flat_map(|escape| &escape.parameters).map(ToString::to_string).collect()
}

#[test]
fn a_copy_is_named_with_its_file_its_mode_and_all_whose_value_it_is() {
    let here = TemporaryDirectory::scratch();
    let path = here.write("deep/.down/in/file", "x: not-a-real-secret\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    here.write("harmless", "not-a-real-secre, neither-is-this-on, rabbit-and-more, abc");
    let found = examined(&here);
    let names = ["NovaPassword", "Same"].map(|name| ParameterName::parse(name).unwrap());
    let escape = Escape { path: path.display().to_string(), mode: 0o640, parameters: names.to_vec() };
    assert_eq!(found.escapes, [escape]);
    assert_eq!(found.watched, [(here.path().display().to_string(), 2)]);
    assert_eq!(found.too_short, [ParameterName::parse("Short").unwrap()]);
    assert_eq!(Examination::parse(found.to_json().as_bytes()), Some(found));
}

#[test]
fn a_copy_is_found_in_each_of_its_forms() {
    for text in [
        &b"neither-is-this-one"[..],
        b"{\"RpcPassword\": \"neither-is-this-one\"}",
        // `printf 'RpcPassword: neither-is-this-one' | base64`, then in hexadecimal
        b"UnBjUGFzc3dvcmQ6IG5laXRoZXItaXMtdGhpcy1vbmU=",
        b"UnBjUGFzc3dvcmQ6IG5laXRoZXIt\naXMtdGhpcy1vbmU=",
        b"6e6569746865722d69732d746869732d6f6e65",
    ] {
        assert_eq!(parameters(text), ["RpcPassword"], "{}", String::from_utf8_lossy(text));
    }
    assert_eq!(parameters(b"password = of-the-bus-alone"), ["GlobalConfigExtraMapData"]);
    assert_eq!(parameters(b"oslo_messaging_rpc_password, rabbit-and-more, guest"), [""; 0]);
}

#[test]
fn a_copy_across_two_blocks_of_a_large_file_is_found() {
    let mut text = vec![b'x'; 256 * 1024 - 5];
    text.extend_from_slice(b"neither-is-this-one");
    text.resize(3 * 256 * 1024, b'y');
    assert_eq!(parameters(&text), ["RpcPassword"]);
}

#[test]
fn what_was_there_before_is_nobodys_fault_and_what_is_not_to_be_entered_is_not() {
    let here = TemporaryDirectory::scratch();
    let not = here.write("own/passwords.yaml", "not-a-real-secret");
    here.write("old", "not-a-real-secret");
    let mut places = Places { watched: vec![here.path().to_owned()], ..Places::default() };
    let count = |places: &Places, since| search(&known(), places, Habits::Unknown, since).escapes.len();
    assert_eq!(count(&places, everything()), 2);
    places.not.push(not.parent().unwrap().to_owned());
    assert_eq!(count(&places, everything()), 1);
    let later = format!("{}.0", i64::MAX).parse().unwrap();
    assert_eq!(count(&places, later), 0);
}

#[test]
fn what_is_compressed_is_named_with_what_it_is_known_to_hold() {
    let here = TemporaryDirectory::scratch();
    for name in ["edge1-install-2026.tar.bzip2", "heat-launcher/heat-db.sql-1.tar.bzip2", "log.bz2"] {
        here.write(name, "BZh91AY");
    }
    here.write("repository/.git/objects/ab/cdef", "x\u{1}");
    here.write("repository/.git/objects/pack/one.pack", "PACK");
    here.write("repository/.git/logs/HEAD", "not-a-real-secret");
    let found = examined(&here);
    let path = |name: &str| here.path().join(name).display().to_string();
    let archive = |name: &str, holds| Opaque::Archive { path: path(name), holds };
    assert_eq!(
        found.opaque,
        [
            archive("edge1-install-2026.tar.bzip2", Some(Contents::WorkingDirectory)),
            archive("heat-launcher/heat-db.sql-1.tar.bzip2", Some(Contents::HeatDatabase)),
            archive("log.bz2", None),
            Opaque::Git { path: path("repository/.git"), objects: 2 },
        ]
    );
    assert_eq!(found.escapes.len(), 1);
}

#[test]
fn each_place_is_looked_at_as_far_as_it_should_be() {
    let here = TemporaryDirectory::scratch();
    for name in [
        "here/copy",
        "here/below/not-seen",
        "tmp/tripleoclient-a/x/copy",
        "tmp/other/not-seen",
        "tmp/not-seen",
        "home/edge1rc",
        "home/not-seen",
        "home/.tripleo/copy",
        "home/overcloud-deploy/edge1/copy",
        "home/overcloud-deploy/edge2/not-seen",
        "m/edge1/copy",
        "given/copy",
    ] {
        here.write(name, "not-a-real-secret");
    }
    let at = |name: &str| here.path().join(name);
    let places = Places {
        home: Some(at("home")),
        mistral: at("m"),
        stack: "edge1".into(),
        temporary: vec![at("tmp")],
        working: vec![at("given")],
        here: Some(at("here")),
        ..Places::default()
    };
    let found = |habits| {
        let found = search(&known(), &places, habits, everything()).escapes;
        let below = |escape: &Escape| {
            std::path::Path::new(&escape.path).strip_prefix(here.path()).unwrap().display().to_string()
        };
        found.iter().map(below).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        found(Habits::Unknown),
        "given/copy here/copy home/.tripleo/copy home/edge1rc home/overcloud-deploy/edge1/copy m/edge1/copy tmp/tripleoclient-a/x/copy"
    );
    assert_eq!(
        found(Habits::Plan),
        "given/copy here/copy home/.tripleo/copy home/edge1rc m/edge1/copy tmp/tripleoclient-a/x/copy"
    );
    assert_eq!(
        found(Habits::WorkingDirectory),
        "given/copy here/copy home/.tripleo/copy home/edge1rc home/overcloud-deploy/edge1/copy"
    );
}
