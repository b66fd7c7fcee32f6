//! Certificates that are valid as long as a test wants them to be, and a bundle that is pulled with them.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::must_use_candidate,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a test may panic, and each test takes only a part of this"
)]

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

use crate::program::{Said, Scratch};

pub const DAY: i64 = 24 * 60 * 60;

/// A self-signed certificate for `name` that ends `left` seconds from now, and its key.
pub fn pair(name: &str, left: i64) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (certificate(name, left, &key), key.serialize_pem())
}

pub fn certificate(name: &str, left: i64, key: &KeyPair) -> String {
    let mut made = CertificateParams::new([name.to_owned()]).unwrap();
    made.distinguished_name.push(DnType::CommonName, name);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let end = i64::try_from(now.as_secs()).unwrap() + left;
    made.not_before = date_time_ymd(2020, 1, 1);
    made.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(end).unwrap());
    made.self_signed(key).unwrap().pem()
}

/// The day, in UTC, that comes after so many seconds.
pub fn date_in(left: i64) -> String {
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(left);
    then.strftime("%Y-%m-%d").to_string()
}

/// Pulls a plan with these parameters to `bundle`.
pub fn pull(scratch: &Scratch, parameters: &[(&str, &str)]) -> Said {
    let mut plan = String::from("passwords:\n  NovaPassword: not-a-real-secret\nparameter_defaults:\n");
    for (name, text) in parameters {
        writeln!(plan, "  {name}: |").unwrap();
        for line in text.lines() {
            writeln!(plan, "    {line}").unwrap();
        }
    }
    scratch.write("plan.yaml", plan, 0o600);
    let (_, recipient) = if scratch.join("identity.txt").exists() {
        recipient(scratch)
    } else {
        scratch.keygen("identity.txt")
    };
    scratch.run(["pull", "--from-file", "plan.yaml", "-r", &recipient, "-o", "bundle"])
}

fn recipient(scratch: &Scratch) -> (std::path::PathBuf, String) {
    let path = scratch.join("identity.txt");
    let text =
        String::from_utf8(scratch.files().into_iter().find(|(file, _)| *file == path).unwrap().1).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    (path, line.to_owned())
}
