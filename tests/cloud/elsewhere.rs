//! A second listener, in no catalog: what reaches it came by a redirect that was followed.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};

use super::http::{Reply, Request, Response};
use super::server::{self, Server};

pub struct Elsewhere {
    url: String,
    seen: Arc<Mutex<Seen>>,
    _server: Server,
}

#[derive(Default)]
struct Seen {
    requests: Vec<String>,
    token: bool,
    password: bool,
}

impl Elsewhere {
    pub fn start(password: &str) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = server::url_of(&socket);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (noted, password) = (Arc::clone(&seen), password.to_owned());
        let server = Server::start(socket, move |request| {
            note(&mut noted.lock().unwrap(), request, &password);
            Reply::Whole(Response::html(404, "Not Found", "Nothing is here."))
        });
        Self { url, seen, _server: server }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn requests(&self) -> Vec<String> {
        self.seen().requests.clone()
    }

    pub fn saw_token(&self) -> bool {
        self.seen().token
    }

    pub fn saw_password(&self) -> bool {
        self.seen().password
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

fn note(seen: &mut Seen, request: &Request, password: &str) {
    seen.requests.push(format!("{} {}", request.method, request.target));
    seen.token |= ["x-auth-token", "x-subject-token"].iter().any(|name| request.header(name).is_some());
    seen.password |= String::from_utf8_lossy(&request.body).contains(password);
}
