//! A made-up undercloud on 127.0.0.1: Keystone, Heat and Swift in the test's own process.
//!
//! It exists apart from the real OpenStack because a real one cannot truncate, redirect or never answer on request.
//! All its secrets are made anew for each start, so no test can pass by a value that is written somewhere.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::must_use_candidate,
    clippy::missing_errors_doc,
    missing_docs,
    missing_debug_implementations,
    reason = "a test may panic"
)]
#![allow(clippy::doc_markdown, reason = "OpenStack, TripleO and PyYAML are names, not code")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "each service looks for its own faults and passes over the rest"
)]
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test takes only a part of the cloud")]

mod contents;
mod elsewhere;
mod fault;
mod heat;
mod http;
mod keystone;
mod made_up;
mod outputs;
mod pyyaml;
mod resolver;
mod server;
mod state;
mod swift;

use std::net::TcpListener;
use std::sync::Arc;

pub use contents::Contents;
pub use fault::{ErrorBody, Fault, Place};
pub use keystone::{APPLICATION_CREDENTIAL, PASSCODE, TRUST};

use elsewhere::Elsewhere;
use server::Server;
use state::State;

/// A running cloud; it ends, with all its threads, when this is dropped.
pub struct Cloud {
    state: Arc<State>,
    elsewhere: Elsewhere,
    _server: Server,
}

impl Cloud {
    pub fn start(contents: Contents) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let elsewhere = Elsewhere::start(&contents.password);
        let state = Arc::new(State::new(contents, server::url_of(&socket), elsewhere.url().to_owned()));
        let answering = Arc::clone(&state);
        let server = Server::start(socket, move |request| answering.answer(request));
        Self { state, elsewhere, _server: server }
    }

    /// Keystone's address as stackrc has it: without `/v3`.
    pub fn auth_url(&self) -> String {
        self.state.auth_url()
    }

    /// Does this wrong from now on. Of two faults for one request, the later one counts.
    pub fn fault(&self, fault: Fault) {
        self.state.memory().faults.push(fault);
    }

    /// Forgets all faults.
    pub fn heal(&self) {
        let mut memory = self.state.memory();
        memory.faults.clear();
        memory.plan_reads = 0;
    }

    /// Each request so far as `METHOD target`, in the order of arrival.
    pub fn requests(&self) -> Vec<String> {
        self.state.memory().requests.clone()
    }

    /// How many tokens are issued and not revoked.
    pub fn tokens_alive(&self) -> usize {
        self.state.memory().alive.len()
    }

    /// Each token that was ever issued.
    pub fn tokens_issued(&self) -> Vec<String> {
        self.state.memory().issued.clone()
    }

    /// Lets all tokens die, as after their hour.
    pub fn expire_tokens(&self) {
        self.state.memory().alive.clear();
    }

    /// Lets all tokens die after so many more requests to the services, once.
    pub fn expire_tokens_after(&self, requests: u32) {
        self.state.memory().expiry = Some(requests);
    }

    /// A token that is somebody's own.
    pub fn issue_token(&self) -> String {
        keystone::issue(&self.state)
    }

    /// Takes requests without a token, and no others.
    pub fn open(&self) {
        self.state.memory().open = true;
    }

    /// Heat's endpoint, as the catalog has it.
    pub fn heat_url(&self) -> String {
        self.state.heat_url()
    }

    /// How often somebody has tried to log in.
    pub fn logins(&self) -> usize {
        self.requests().iter().filter(|request| request.starts_with("POST ")).count()
    }

    /// Whether the second listener, to which redirects lead, was handed a token.
    pub fn token_was_sent_elsewhere(&self) -> bool {
        self.elsewhere.saw_token()
    }

    /// Whether the second listener was handed the user's password.
    pub fn password_was_sent_elsewhere(&self) -> bool {
        self.elsewhere.saw_password()
    }

    /// Each request to the second listener; a client that follows no redirect makes none.
    pub fn requests_elsewhere(&self) -> Vec<String> {
        self.elsewhere.requests()
    }

    pub fn contents(&self) -> &Contents {
        &self.state.contents
    }

    pub fn project_id(&self) -> &str {
        &self.state.project_id
    }

    pub fn stack_id(&self) -> &str {
        &self.state.stack_id
    }

    /// A word that stands in every error body which the cloud composes itself, beside the request's own token and body.
    pub fn canary(&self) -> &str {
        &self.state.canary
    }

    /// What must occur in no output of a client: the contents' secrets, the tokens so far and the canary.
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = self.contents().secrets();
        secrets.extend(self.tokens_issued());
        secrets.push(self.canary().to_owned());
        secrets
    }

    /// A `clouds.yaml` with this cloud as `undercloud`.
    pub fn clouds_yaml(&self) -> String {
        let contents = self.contents();
        let auth = serde_json::json!({
            "auth_url": self.auth_url(),
            "username": contents.user,
            "password": contents.password,
            "project_name": contents.project,
            "user_domain_name": contents.domain,
            "project_domain_name": contents.domain,
        });
        let undercloud = serde_json::json!({
            "auth": auth, "cacert": "", "identity_api_version": "3", "region_name": contents.region,
        });
        pyyaml::dump(&serde_json::json!({ "clouds": { "undercloud": undercloud } }))
    }

    /// The variables that `source stackrc` sets.
    pub fn os_variables(&self) -> Vec<(String, String)> {
        let contents = self.contents();
        [
            ("OS_AUTH_TYPE", "password"),
            ("OS_AUTH_URL", &self.auth_url()),
            ("OS_CLOUDNAME", "undercloud"),
            ("OS_IDENTITY_API_VERSION", "3"),
            ("OS_NO_CACHE", "True"),
            ("OS_PASSWORD", &contents.password),
            ("OS_PROJECT_DOMAIN_NAME", &contents.domain),
            ("OS_PROJECT_NAME", &contents.project),
            ("OS_REGION_NAME", &contents.region),
            ("OS_USERNAME", &contents.user),
            ("OS_USER_DOMAIN_NAME", &contents.domain),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}
