//! `pull` on the way to a service: one that restarts, a Keystone that is not where it was said to be, a proxy.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod cloud;
mod program;

use cloud::{Cloud, Contents, ErrorBody, Fault, Place};
use program::proxy::HttpProxy;
use program::refusal::{IN_CLEAR, assert_refused_over_http};
use program::{Said, Scratch, occurring, said};

#[test]
fn a_service_that_restarts_is_waited_for() {
    use Place::{Heat, Login, Output, Swift};
    let broken = |place: Place| Fault::Truncated(place).at_first(1);
    let rows = [
        (
            Fault::unavailable(Login).at_first(2),
            "Keystone did not answer at once: it was asked again, twice in all",
        ),
        (
            Fault::Status(Login, 429, ErrorBody::Json).at_first(1),
            "Keystone did not answer at once: it was asked again, once in all",
        ),
        (
            Fault::unavailable(Heat).at_first(3),
            "Heat did not answer at once: it was asked again, 3 times in all",
        ),
        (
            Fault::Status(Heat, 502, ErrorBody::ProxyPage).at_first(1),
            "Heat did not answer at once: it was asked again, once in all",
        ),
        (Fault::HangsUp(Swift).at_first(2), "Swift did not answer at once: it was asked again, twice in all"),
        (broken(Swift), "Swift did not answer at once: it was asked again, once in all"),
        (
            broken(Output(String::from("HostsEntry"))),
            "Heat did not answer at once: it was asked again, once in all",
        ),
    ];
    for (fault, warning) in rows {
        let cloud = Cloud::start(Contents::made_up());
        cloud.fault(fault.clone());
        let scratch = Scratch::new();
        let (_, recipient) = scratch.keygen("identity.txt");
        let pull = ["pull", "-r", &recipient, "-o", "bundle"];
        let pulled = said(scratch.program().envs(cloud.os_variables()).args(pull));
        assert_eq!((pulled.code, cloud.tokens_alive()), (0, 0), "{fault:?}: {}", pulled.err);
        assert!(pulled.err.contains(&format!("warning: {warning}\n")), "{fault:?}: {}", pulled.err);
    }
}

#[test]
fn a_login_whose_answer_is_lost_is_not_sent_again() {
    // It may have made a token, which nobody would revoke
    for fault in [Fault::HangsUp(Place::Login), Fault::Status(Place::Login, 502, ErrorBody::ProxyPage)] {
        let cloud = Cloud::start(Contents::made_up());
        cloud.fault(fault.at_first(1));
        let scratch = Scratch::new();
        let (_, recipient) = scratch.keygen("identity.txt");
        let pulled =
            said(scratch.program().envs(cloud.os_variables()).args(["pull", "-r", &recipient, "-o", "b"]));
        assert_eq!((pulled.code, cloud.requests().len()), (1, 1), "{}", pulled.err);
    }
}

#[test]
fn keystone_is_found_where_its_list_of_versions_says_and_only_on_the_host_that_was_named() {
    let cloud = Cloud::start(Contents::made_up());
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    let root = cloud.auth_url().replace("/identity", "");
    for url in [root.clone(), format!("{root}/"), format!("{root}/v3"), format!("{root}/v2.0/")] {
        let mut program = scratch.program();
        program.envs(cloud.os_variables()).env("OS_AUTH_URL", &url);
        let pulled = said(program.args(["pull", "-r", &recipient, "-o", "bundle"]));
        assert_eq!((pulled.code, cloud.tokens_alive()), (0, 0), "{url}: {}", pulled.err);
    }
    assert!(!cloud.password_was_sent_elsewhere());
    assert_eq!(cloud.requests_elsewhere(), Vec::<String>::new());
}

#[test]
fn an_address_without_keystone_is_named() {
    let cloud = Cloud::start(Contents::made_up());
    let url = cloud.auth_url().replace("/identity", "/dashboard");
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    let mut program = scratch.program();
    program.envs(cloud.os_variables()).env("OS_AUTH_URL", &url);
    let pulled = said(program.args(["pull", "-r", &recipient, "-o", "bundle"]));
    let error = format!("error: there is no Keystone at {url}/v3 (404)\n");
    let hint = "hint: set `auth_url` to Keystone's own: `openstack catalog show identity`; an undercloud's is https://HOST:13000\n";
    assert_refused_over_http(&pulled, 1, &(error + hint));
    assert_eq!(scratch.names(), ["identity.txt"]);
}

#[test]
fn a_proxy_of_the_environment_is_used_and_said_without_its_password() {
    let cloud = Cloud::start(Contents::made_up());
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy"] {
        let proxy = HttpProxy::start();
        let pulled = pull_with(&cloud, &[(name, &format!("http://user:hunter2@{}", proxy.address))]);
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        let through = format!("warning: through the proxy {}, as the environment says: ", proxy.address);
        let way = ["Keystone", "Heat, Swift"].map(|who| format!("{through}{who}\n{IN_CLEAR}{who}\n"));
        assert!(pulled.err.starts_with(&way.concat()), "{}", pulled.err);
        assert!(!pulled.err.contains("hunter2") && !pulled.err.contains("user:"), "{}", pulled.err);
        assert_eq!(occurring(&cloud.secrets(), pulled.err.as_bytes()), Vec::<&String>::new());
        // user:hunter2
        let login = "proxy-authorization: Basic dXNlcjpodW50ZXIy";
        assert!(!proxy.heads().is_empty());
        assert!(proxy.heads().iter().all(|head| head.contains(login)), "{:?}", proxy.heads());
    }
}

#[test]
fn a_host_that_no_proxy_names_is_asked_directly() {
    let cloud = Cloud::start(Contents::made_up());
    let proxy = HttpProxy::start();
    let address = format!("http://{}", proxy.address);
    for (name, exempt) in [("no_proxy", "*"), ("NO_PROXY", "127.0.0.1"), ("no_proxy", "10.0.0.1,127.0.0.0/8")]
    {
        let pulled = pull_with(&cloud, &[("http_proxy", &address), (name, exempt)]);
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        assert!(!pulled.err.contains("proxy"), "{exempt}: {}", pulled.err);
    }
    let other = pull_with(&cloud, &[("https_proxy", &address)]);
    assert_eq!((other.code, proxy.heads()), (0, Vec::new()), "a proxy for https is none for http");
}

#[test]
fn a_proxy_that_is_none_is_refused_before_anything_is_sent() {
    let cloud = Cloud::start(Contents::made_up());
    for proxy in ["socks5://user:hunter2@127.0.0.1:1080", "http://", "http://user:hunter2@"] {
        let pulled = pull_with(&cloud, &[("http_proxy", proxy)]);
        let error = "error: the setting `http_proxy` cannot be used: it must be the URL of an HTTP proxy, such as `http://HOST:3128`\n";
        assert_refused_over_http(
            &pulled,
            1,
            &format!("{error}hint: correct it in clouds.yaml or in the environment\n"),
        );
    }
    assert_eq!(cloud.requests(), Vec::<String>::new());
    let socks = ("all_proxy", "socks5://127.0.0.1:1080");
    for exempt in ["*", "127.0.0.1"] {
        let pulled = pull_with(&cloud, &[socks, ("no_proxy", exempt)]);
        assert_eq!(pulled.code, 0, "no request goes through it: {}", pulled.err);
    }
}

#[test]
fn a_proxys_password_without_a_user_is_sent() {
    let cloud = Cloud::start(Contents::made_up());
    let proxy = HttpProxy::start();
    let pulled = pull_with(&cloud, &[("http_proxy", &format!("http://:hunter2@{}", proxy.address))]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    // :hunter2
    let login = "proxy-authorization: Basic Omh1bnRlcjI=";
    assert!(proxy.heads().iter().all(|head| head.contains(login)), "{:?}", proxy.heads());
}

fn pull_with(cloud: &Cloud, variables: &[(&str, &str)]) -> Said {
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    let mut program = scratch.program();
    program.envs(cloud.os_variables()).envs(variables.iter().copied());
    said(program.args(["pull", "-r", &recipient, "-o", "bundle"]))
}
