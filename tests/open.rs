//! Opening: `decrypt`, and `run`'s first step. What is not right opens nothing, starts nothing and leaves nothing.

mod cloud;
mod program;
mod pulled;

use pulled::Pulled;
use serde_json::json;

const ANEW: &str = "hint: get the bundle anew from where it was made; do not deploy with it\n";
const COPY: &str = "hint: copy the whole directory, the manifest included\n";

#[test]
fn a_change_of_any_file_is_seen_before_anything_is_opened() {
    let pulled = Pulled::new();
    let (scratch, files) = (&pulled.scratch, pulled.files());
    assert_eq!(files.len(), 6);
    for path in files {
        let name = path.strip_prefix(scratch.path()).unwrap().display().to_string();
        let content = std::fs::read(&path).unwrap();
        for position in [0, content.len() / 2, content.len() - 1] {
            let mut changed = content.clone();
            changed[position] ^= 1;
            scratch.write(&name, &changed, 0o644);
            scratch.opens_nothing(
                &["-i", "identity.txt"],
                &format!("error: `{name}` has changed since the bundle was made\n{ANEW}"),
            );
        }
        scratch.write(&name, &content[..content.len() - 1], 0o644);
        scratch.opens_nothing(
            &["-i", "identity.txt"],
            &format!("error: `{name}` has changed since the bundle was made\n{ANEW}"),
        );
        std::fs::remove_file(&path).unwrap();
        scratch.opens_nothing(
            &["-i", "identity.txt"],
            &format!("error: `{name}` is missing from the bundle\n{COPY}"),
        );
        scratch.write(&name, &content, 0o644);
    }
    scratch.write("bundle/extra", "", 0o644);
    let extra = "error: `bundle/extra` does not belong to the bundle\nhint: move bundle/extra elsewhere: a pull replaces the whole directory\n";
    scratch.opens_nothing(&["-i", "identity.txt"], extra);
    std::fs::remove_file(scratch.join("bundle/extra")).unwrap();
    assert_eq!(pulled.decrypt(&[]).code, 0);
}

#[test]
fn a_sealed_file_that_is_no_age_file_is_damaged() {
    let pulled = Pulled::new();
    let name = "passwords.yaml.age";
    let content = std::fs::read(pulled.scratch.join("bundle").join(name)).unwrap();
    let mut flipped = content.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for bytes in [&b"plain: text\n"[..], b"", &content[..content.len() - 1], &content[..60], &flipped] {
        pulled.scratch.replace_in_bundle(name, bytes);
        pulled.scratch.opens_nothing(&["-i", "identity.txt"], &format!("error: `{name}` is damaged\n{ANEW}"));
    }
}

#[test]
fn a_manifest_that_is_not_ours_opens_nothing() {
    let pulled = Pulled::new();
    let scratch = &pulled.scratch;
    let whole = std::fs::read(scratch.join("bundle/manifest.json")).unwrap();
    for (text, place) in
        [("", "1:0"), ("[]", "1:2"), ("{\"format\": 7}", "1:12"), ("{\"format\": \"dcn-vault/1\"}", "1:25")]
    {
        scratch.write_manifest(text);
        scratch.opens_nothing(
            &["-i", "identity.txt"],
            &format!("error: `bundle/manifest.json`:{place}: not a bundle's manifest\n{ANEW}"),
        );
    }
    scratch.write_manifest(r#"{"format": "dcn-vault/2\u001b[2J"}"#);
    let newer = "error: the bundle's format is `dcn-vault/2\\u{1b}[2J`, and this is dcn-vault 0.1.0\nhint: use the dcn-vault that made it, or a newer one\n";
    scratch.opens_nothing(&["-i", "identity.txt"], newer);
    for (path, shown) in [
        ("../identity.txt", "../identity.txt"),
        ("/etc/passwd", "/etc/passwd"),
        ("", ""),
        ("manifest.json", "manifest.json"),
        ("\u{1b}[2J", "\\u{1b}[2J"),
        ("passwords.yaml", "passwords.yaml"),
    ] {
        scratch.write_manifest(&whole);
        pulled.change_manifest(|manifest| {
            let files = manifest["files"].as_array_mut().unwrap();
            files.iter_mut().find(|file| file["sealed"] == true).unwrap()["path"] = json!(path);
        });
        scratch.opens_nothing(
            &["-i", "identity.txt"],
            &format!("error: the manifest lists `{shown}`, which no bundle has\n{ANEW}"),
        );
    }
    std::fs::remove_file(scratch.join("bundle/manifest.json")).unwrap();
    let not_a_bundle = "error: `bundle` has no manifest.json\nhint: is it a bundle? Copy the whole directory, or name another with -b DIR\n";
    scratch.opens_nothing(&["-i", "identity.txt"], not_a_bundle);
    std::fs::remove_dir_all(scratch.join("bundle")).unwrap();
    let none = "error: there is no bundle at `bundle`\nhint: name it with -b DIR, or make one with `dcn-vault pull`\n";
    scratch.opens_nothing(&["-i", "identity.txt"], none);
}

#[test]
fn a_manifest_is_not_read_before_its_signature_fits() {
    let pulled = Pulled::new();
    let scratch = &pulled.scratch;
    let key = scratch.operator();
    let err = format!(
        "error: manifest.json.sig: the signature of {key} does not fit: what it signed is not what is here\nhint: do not deploy with it: it was changed after it was signed; get it anew\n"
    );
    let mut whole = std::fs::read(scratch.join("bundle/manifest.json")).unwrap();
    whole.push(b'\n');
    for text in [&whole[..], b"", b"{", br#"{"format": "dcn-vault/2"}"#] {
        scratch.write_unsigned_manifest(text);
        scratch.opens_nothing(&["-i", "identity.txt"], &err);
    }
}

#[test]
fn escapes_in_a_name_do_not_reach_the_terminal() {
    let pulled = Pulled::new();
    pulled.scratch.write("bundle/\u{1b}[2J\u{9b}1A\n", "", 0o644);
    let extra = "error: `bundle/\\u{1b}[2J\\u{9b}1A\\n` does not belong to the bundle\nhint: move bundle/\\u{1b}[2J\\u{9b}1A\\n elsewhere: a pull replaces the whole directory\n";
    pulled.scratch.opens_nothing(&["-i", "identity.txt"], extra);
}

#[test]
fn a_file_that_is_listed_twice_opens_nothing() {
    let pulled = Pulled::new();
    pulled.change_manifest(|manifest| {
        let files = manifest["files"].as_array_mut().unwrap();
        files.push(files[0].clone());
    });
    let err = format!("error: the manifest lists `endpoint-map.json` twice\n{ANEW}");
    pulled.scratch.opens_nothing(&["-i", "identity.txt"], &err);
}
