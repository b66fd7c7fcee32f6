use std::time::Instant;

use jiff::Timestamp;
use rustix::event::epoll::{self, EventFlags};

use crate::report::Hint;
use crate::serve::asked::Asked;
use crate::serve::policy::{Refusal, Wish};
use crate::serve::protocol::{RequestError, parse_request};
use crate::serve::worker::{Word, Worker};

use super::client::{Client, Heard, Stage, Trouble};
use super::record::{Entry, Outcome, Place};
use super::{Notice, Server, number_of};

impl Server<'_> {
    /// A client says something, or goes.
    pub(super) fn hear_client(&mut self, id: u64) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        match &client.stage {
            Stage::Asking(_) => match client.hear() {
                Heard::Part => {}
                Heard::Line(line) => self.judge_request(id, &line),
                Heard::TooLong => self.refuse(id, &RequestError::Long),
                Heard::Cut => self.refuse(id, &Trouble::Cut),
                Heard::Nothing => self.drop_client(id),
            },
            // Nothing else is watched for
            Stage::Waiting(_) => self.refuse(id, &Trouble::Gone),
            Stage::Refused(_) | Stage::Opening(..) | Stage::Answering(_) => {}
        }
    }

    fn judge_request(&mut self, id: u64, line: &[u8]) {
        match parse_request(line) {
            Ok(asked) => self.judge(id, Some(asked)),
            Err(error) => self.refuse(id, &error),
        }
    }

    /// Asks the policy, and has the client wait for a worker. Without a request it is the credential that counts.
    pub(super) fn judge(&mut self, id: u64, request: Option<Asked>) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let wish = match &request {
            Some(asked) => Wish::Request(asked),
            None => Wish::Credential(client.peer.credential.as_deref().unwrap_or_default()),
        };
        match self.policy.judge(&client.peer, wish, Timestamp::now(), Instant::now()) {
            Ok(granted) => {
                client.stage = Stage::Waiting(granted);
                client.deadline = Instant::now() + self.policy.limits.waiting;
                self.queue.push(client.peer.uid, id);
                // Only that it goes: what it says besides is of no interest, and systemd has closed its half already
                let gone = epoll::modify(
                    &self.epoll,
                    &client.socket,
                    epoll::EventData::new_u64(number_of(id)),
                    EventFlags::HUP,
                );
                if gone.is_err() {
                    self.refuse(id, &Trouble::Busy);
                }
            }
            Err(refusal) => {
                if let Some(asked) = request {
                    client.stage = Stage::Refused(asked);
                }
                self.refuse(id, &refusal);
            }
        }
    }

    /// Gives workers to those who wait, as many as there may be. One user leaves one of them to the others.
    pub(super) fn deal_out(&mut self) {
        let most = self.policy.limits.workers;
        loop {
            let working = self.clients.values().filter(|client| client.has_worker());
            let uids: Vec<u32> = working.map(|client| client.peer.uid).collect();
            if uids.len() + self.ending.len() >= most {
                return;
            }
            let share = if most > 1 { most - 1 } else { 1 };
            let may = |uid: u32| uids.iter().filter(|one| **one == uid).count() < share;
            let Some(id) = self.queue.next(may) else { return };
            self.start(id);
        }
    }

    fn start(&mut self, id: u64) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let Stage::Waiting(granted) = &client.stage else { return };
        let granted = granted.clone();
        let is_bare = client.peer.credential.is_some();
        let Ok(worker) = self.service.workshop.start(&granted.asked, is_bare, &client.socket) else {
            return self.refuse(id, &Trouble::Start);
        };
        client.deadline = Instant::now() + self.policy.limits.patience;
        // The socket is the worker's to write to: whether its client is there, that one finds out
        let _ = epoll::delete(&self.epoll, &client.socket);
        let control = epoll::EventData::new_u64(number_of(id) + 1);
        let is_watched = epoll::add(&self.epoll, &worker.control, control, EventFlags::IN).is_ok();
        client.stage = Stage::Opening(granted, worker, None);
        if !is_watched {
            self.refuse(id, &Trouble::Start);
        }
    }

    /// A worker says something, or has ended, which its status tells.
    pub(super) fn hear_worker(&mut self, id: u64) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        match &mut client.stage {
            Stage::Opening(granted, worker, found) => match worker.word() {
                Some(Word::Found(place)) if found.is_none() => {
                    let is_covered = granted.covers(place.file, &place.parameters);
                    if is_covered {
                        worker.let_go();
                    }
                    *found = Some(place);
                    if !is_covered {
                        self.refuse(id, &Refusal::NoRule);
                    }
                }
                Some(Word::Ready) if found.is_some() => self.let_answer(id),
                Some(Word::Failed { error, hint }) => self.refuse(id, &Trouble::Worker { error, hint }),
                Some(Word::Found(_) | Word::Ready) | None => {
                    let _ = epoll::delete(&self.epoll, &worker.control);
                }
            },
            Stage::Answering(worker) => {
                let _ = epoll::delete(&self.epoll, &worker.control);
            }
            Stage::Asking(_) | Stage::Refused(_) | Stage::Waiting(_) => {}
        }
    }

    /// The answer is there: it is written down, and only then given.
    fn let_answer(&mut self, id: u64) {
        let Some(client) = self.clients.get(&id) else { return };
        if !self.record(client, Outcome::Answered) {
            return self.end(id, &Trouble::Unrecorded);
        }
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.stage = match std::mem::replace(&mut client.stage, Stage::Asking(Vec::new())) {
            Stage::Opening(_, worker, _) => {
                worker.let_go();
                Stage::Answering(worker)
            }
            stage @ (Stage::Asking(_) | Stage::Refused(_) | Stage::Waiting(_) | Stage::Answering(_)) => stage,
        };
    }

    /// Some worker has ended.
    pub(super) fn see_who_ended(&mut self) {
        self.ending.retain_mut(|worker| worker.ended().is_none());
        let mut ended = Vec::new();
        for (id, client) in &mut self.clients {
            if let Stage::Opening(_, worker, _) | Stage::Answering(worker) = &mut client.stage
                && worker.ended().is_some()
            {
                ended.push(*id);
            }
        }
        for id in ended {
            let Some(client) = self.clients.get(&id) else { continue };
            match &client.stage {
                // Its last word may not be heard yet. One that was ready and was killed then has written nothing
                Stage::Opening(_, worker, _) => match worker.word() {
                    Some(Word::Failed { error, hint }) => self.refuse(id, &Trouble::Worker { error, hint }),
                    Some(Word::Found(_) | Word::Ready) | None => self.refuse(id, &Trouble::Killed),
                },
                Stage::Asking(_) | Stage::Refused(_) | Stage::Waiting(_) | Stage::Answering(_) => {
                    self.drop_client(id);
                }
            }
        }
    }

    /// Its time is over.
    pub(super) fn give_up(&mut self, id: u64) {
        let Some(client) = self.clients.get(&id) else { return };
        match &client.stage {
            Stage::Asking(_) => self.refuse(id, &Trouble::Mute),
            Stage::Refused(_) | Stage::Waiting(_) => self.refuse(id, &Trouble::Busy),
            Stage::Opening(..) => self.refuse(id, &Trouble::Late),
            // It is cut off in the middle of an answer, and sees that: the length was said, or the end is a reset
            Stage::Answering(_) => self.drop_client(id),
        }
    }

    /// Writes down that a request is refused, and says so.
    pub(super) fn refuse(&mut self, id: u64, why: &dyn Hint) {
        let Some(client) = self.clients.get(&id) else { return };
        let words = why.to_string();
        self.record(client, Outcome::Refused(&words));
        self.end(id, why);
    }

    fn end(&mut self, id: u64, why: &dyn Hint) {
        if let Some(client) = self.clients.get(&id) {
            client.say_no(why);
        }
        self.drop_client(id);
    }

    fn drop_client(&mut self, id: u64) {
        let Some(client) = self.clients.remove(&id) else { return };
        self.queue.remove(client.peer.uid, id);
        let _ = epoll::delete(&self.epoll, &client.socket);
        if let Stage::Opening(_, mut worker, _) | Stage::Answering(mut worker) = client.stage {
            self.dismiss(&mut worker);
            if worker.ended().is_none() {
                self.ending.push(worker);
            }
        }
    }

    /// Whatever it is at, it is over.
    fn dismiss(&self, worker: &mut Worker) {
        let _ = epoll::delete(&self.epoll, &worker.control);
        worker.kill();
    }

    fn record(&self, client: &Client, outcome: Outcome<'_>) -> bool {
        let peer = &client.peer;
        let entry = Entry {
            uid: peer.uid,
            gid: peer.gid,
            pid: peer.pid,
            unit: peer.unit.as_deref(),
            credential: peer.credential.as_deref(),
            asked: client.asked(),
            place: client.place(),
            outcome,
        };
        match (self.service.record)(&entry) {
            Ok(()) => true,
            Err(why) => {
                (self.service.tell)(&Notice::Unrecorded(&why.0));
                false
            }
        }
    }
}

impl Client {
    fn place(&self) -> Option<Place<'_>> {
        let Stage::Opening(_, _, Some(found)) = &self.stage else { return None };
        Some(Place {
            vault: &found.vault,
            generation: found.generation,
            file: found.file,
            parameters: &found.parameters,
            waived: &found.waived,
        })
    }

    const fn has_worker(&self) -> bool {
        matches!(self.stage, Stage::Opening(..) | Stage::Answering(_))
    }
}
