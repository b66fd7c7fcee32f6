//! A vault of many sites for `benches/sites.py`: `sites COUNT DIRECTORY` writes `keys/siteNNNNN/recipients.txt`, and the identity of
//! the last one to `identity.txt`.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::disallowed_macros,
    clippy::print_stdout,
    reason = "a bench's own tool: it gives up when something is wrong"
)]

use std::path::{Path, PathBuf};

use dcn_vault::keygen::NewIdentity;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().and_then(|count| count.parse().ok()).expect("sites COUNT DIRECTORY");
    let directory = PathBuf::from(arguments.next().expect("sites COUNT DIRECTORY"));
    let mut last = None;
    for number in 0..count {
        let identity = NewIdentity::make();
        let site = directory.join("keys").join(format!("site{number:05}"));
        std::fs::create_dir_all(&site).expect("a directory can be made");
        write(&site.join("recipients.txt"), &identity.recipient);
        last = Some(identity);
    }
    let last = last.expect("at least one site");
    last.save(&directory.join("identity.txt")).expect("an identity can be written");
}

fn write(path: &Path, line: &str) {
    std::fs::write(path, format!("{line}\n")).expect("a file can be written");
}
