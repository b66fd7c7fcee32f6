use std::ffi::OsString;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;

#[test]
fn a_cloud_that_always_has_something_more_to_say_is_left_in_the_end() {
    let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = format!("http://{}/v1/admin", socket.local_addr().unwrap());
    let variables = [("OS_AUTH_TYPE", "none"), ("OS_ENDPOINT", endpoint.as_str())];
    let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let variables = Variables::of(variables, Path::new("")).unwrap();
    let settings = CloudSettings::find(None, variables).unwrap();
    let patience = Patience { all: Duration::from_millis(300), ..Patience::USUAL };
    let begun = Instant::now();
    // The connection is accepted by the kernel, and nobody ever answers: each request alone could take minutes
    let work = async |session: &Session<'_>, _: Say<'_>| {
        heat::stacks(session, &session.endpoint(Service::Heat, &settings)?).await
    };
    let found = with_session(&settings, patience, &mut |_| {}, work);
    assert!(matches!(found, Err(SourceError::TooSlow { .. })), "{found:?}");
    assert!(begun.elapsed() < Duration::from_secs(60));
}
