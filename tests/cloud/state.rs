//! What the cloud knows, and which service answers a request.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use super::contents::Contents;
use super::fault::Fault;
use super::http::{Reply, Request, Response};
use super::{heat, keystone, made_up, swift};

pub struct State {
    pub contents: Contents,
    pub url: String,
    pub elsewhere_url: String,
    pub project_id: String,
    pub stack_id: String,
    pub canary: String,
    memory: Mutex<Memory>,
}

/// What changes while the cloud runs.
#[derive(Default)]
pub struct Memory {
    pub alive: BTreeSet<String>,
    pub issued: Vec<String>,
    pub faults: Vec<Fault>,
    pub plan_reads: u64,
    pub requests: Vec<String>,
    /// After so many requests to the services all tokens die, once.
    pub expiry: Option<u32>,
    /// No token is asked for, and none may come: as a Heat without Keystone.
    pub open: bool,
}

impl State {
    pub fn new(contents: Contents, url: String, elsewhere_url: String) -> Self {
        Self {
            contents,
            url,
            elsewhere_url,
            project_id: made_up::make_uuid().replace('-', ""),
            stack_id: made_up::make_uuid(),
            canary: format!("CANARY{}", made_up::make_word(20)),
            memory: Mutex::default(),
        }
    }

    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    pub fn auth_url(&self) -> String {
        format!("{}/identity", self.url)
    }

    pub fn heat_url(&self) -> String {
        format!("{}/orchestration/v1/{}", self.url, self.project_id)
    }

    pub fn swift_url(&self) -> String {
        format!("{}/object-store/v1/AUTH_{}", self.url, self.project_id)
    }

    pub fn answer(&self, request: &Request) -> Reply {
        let fault = {
            let mut memory = self.memory();
            memory.requests.push(format!("{} {}", request.method, request.target));
            let concerns = |fault: &&Fault| fault.place().is_some_and(|place| place.covers(request));
            let position = memory.faults.iter().rposition(|fault| concerns(&fault));
            position.map(|position| take(&mut memory.faults, position))
        };
        match fault {
            Some(fault) => fault.reply(self, request, || self.answer_honestly(request)),
            None => Reply::Whole(self.answer_honestly(request)),
        }
    }

    /// The latest fault for which `pick` has an answer.
    pub fn pick<T>(&self, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        self.memory().faults.iter().rev().find_map(pick)
    }

    pub fn has_live_token(&self, request: &Request) -> bool {
        let mut memory = self.memory();
        let token = request.header("x-auth-token");
        if memory.open {
            return token.is_none();
        }
        if request.method != "DELETE" {
            match memory.expiry {
                Some(0) => {
                    memory.alive.clear();
                    memory.expiry = None;
                }
                left => memory.expiry = left.map(|left| left - 1),
            }
        }
        token.is_some_and(|token| memory.alive.contains(token))
    }

    fn answer_honestly(&self, request: &Request) -> Response {
        let path: Vec<&str> = request.path().trim_matches('/').split('/').collect();
        match path.as_slice() {
            [""] => keystone::versions(self),
            ["identity", rest @ ..] => keystone::answer(self, request, rest),
            ["orchestration", "v1", project, rest @ ..] => heat::answer(self, request, project, rest),
            ["object-store", "v1", account, rest @ ..] => swift::answer(self, request, account, rest),
            _ => Response::html(404, "Not Found", "The resource could not be found."),
        }
    }
}

/// A fault that is done again next time, or of which that was one of so many times.
fn take(faults: &mut Vec<Fault>, position: usize) -> Fault {
    let Fault::AtFirst(left, fault) = &mut faults[position] else { return faults[position].clone() };
    let fault = Fault::clone(fault);
    *left -= 1;
    if *left == 0 {
        faults.remove(position);
    }
    fault
}
