//! `pull` against the loopback cloud: the good way.

mod cloud;
mod program;

use cloud::{Cloud, Contents};
use program::{Scratch, occurring, said};

#[test]
fn a_pull_leaves_secrets_only_in_sealed_files_and_revokes_its_token() {
    let cloud = Cloud::start(Contents::made_up());
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    let pulled =
        said(scratch.program().envs(cloud.os_variables()).args(["pull", "-r", &recipient, "-o", "bundle"]));
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    assert_eq!(pulled.out, "");
    for (path, content) in scratch.files() {
        assert_eq!(occurring(&cloud.secrets(), &content), Vec::<&String>::new(), "{}", path.display());
    }
    assert_eq!(occurring(&cloud.secrets(), pulled.err.as_bytes()), Vec::<&String>::new());
    assert_eq!(cloud.tokens_alive(), 0);
    assert!(!cloud.token_was_sent_elsewhere());
}
