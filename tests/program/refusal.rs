//! What must not work: it is said in full, and leaves everything as it was.

use super::{Said, Scratch, said};

/// Fails unless the program ended with this code, said exactly this, and put nothing on standard output.
pub fn assert_refused(said: &Said, code: i32, err: &str) {
    assert_eq!((said.code, said.err.as_str(), said.out.as_str()), (code, err, ""));
    assert!(!said.err.chars().any(|c| c.is_control() && c != '\n'), "{:?}", said.err);
}

/// What is said of each way to a service over http, before the services.
pub const IN_CLEAR: &str =
    "warning: asked over http, so that the login, the token and the answers cross the network in clear: ";

/// As [`assert_refused`], of a cloud over http: that Keystone is asked in clear comes first, then the rest of the way.
pub fn assert_refused_over_http(said: &Said, code: i32, err: &str) {
    assert!(said.err.starts_with(&format!("{IN_CLEAR}Keystone\n")), "{}", said.err);
    let rest = Said { code: said.code, out: said.out.clone(), err: after_the_way(&said.err).to_owned() };
    assert_refused(&rest, code, err);
}

/// `err` without the warnings at its beginning that are of the way to the cloud, each at most once.
pub fn after_the_way(err: &str) -> &str {
    let is_of_the_way = |line: &str| {
        let line = line.strip_prefix("warning: ").unwrap_or_default();
        ["asked over http, ", "certificates are not verified ", "through the proxy "]
            .iter()
            .any(|start| line.starts_with(start))
            || line.contains(" did not answer at once: it was asked again, ")
    };
    let mut seen = std::collections::BTreeSet::new();
    let mut rest = err;
    while let Some((line, after)) = rest.split_once('\n').filter(|(line, _)| is_of_the_way(line)) {
        assert!(seen.insert(line), "said twice: {line}");
        rest = after;
    }
    rest
}

impl Scratch {
    /// Fails unless these arguments, with these variables, end with 1 and these words, in which `{here}` is our path.
    pub fn refuses_with(&self, arguments: &[&str], variables: &[(&str, &str)], err: &str) {
        let before = self.holdings();
        let ended = said(self.program().envs(variables.iter().copied()).args(arguments));
        assert_refused(&ended, 1, &self.filled(err));
        assert!(self.holdings() == before, "something has changed");
    }

    pub fn refuses(&self, arguments: &[&str], err: &str) {
        self.refuses_with(arguments, &[], err);
    }

    /// Neither `decrypt` nor `run` gets past this, for the same reason.
    pub fn opens_nothing(&self, identities: &[&str], err: &str) {
        self.opens_nothing_as(identities, err, err);
    }

    /// As [`Self::opens_nothing`], where the two say different things. The command of `run` never starts.
    pub fn opens_nothing_as(&self, identities: &[&str], decrypts: &str, runs: &str) {
        let runtime = self.join("runtime");
        std::fs::create_dir_all(&runtime).unwrap();
        let with = |verb, more: &[&'static str]| [&[verb, "-b", "bundle"], identities, more].concat();
        for (words, err) in [
            (with("decrypt", &[]), decrypts),
            (with("decrypt", &["-o", "out"]), decrypts),
            (with("run", &["touch", "started"]), runs),
        ] {
            self.refuses_with(&words, &[("XDG_RUNTIME_DIR", runtime.to_str().unwrap())], err);
        }
        assert_eq!(std::fs::read_dir(runtime).unwrap().count(), 0);
    }
}
