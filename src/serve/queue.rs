use std::collections::{BTreeMap, VecDeque};

/// Who waits for a worker: in the order in which they came, and one user after the other.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: BTreeMap<u32, VecDeque<u64>>,
    /// The user who was last given a worker.
    last: u32,
}

impl Queue {
    pub(super) fn push(&mut self, uid: u32, client: u64) {
        self.waiting.entry(uid).or_default().push_back(client);
    }

    pub(super) fn remove(&mut self, uid: u32, client: u64) {
        if let Some(clients) = self.waiting.get_mut(&uid) {
            clients.retain(|one| *one != client);
            if clients.is_empty() {
                self.waiting.remove(&uid);
            }
        }
    }

    /// Who is next, of the users that `may` have another worker.
    pub(super) fn next(&mut self, may: impl Fn(u32) -> bool) -> Option<u64> {
        let after = self.last.checked_add(1).map(|next| self.waiting.range(next..)).into_iter().flatten();
        let mut users = after.chain(self.waiting.range(..=self.last)).map(|(uid, _)| *uid);
        let uid = users.find(|uid| may(*uid))?;
        let client = self.waiting.get_mut(&uid)?.pop_front();
        if self.waiting.get(&uid).is_some_and(VecDeque::is_empty) {
            self.waiting.remove(&uid);
        }
        self.last = uid;
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_take_turns_however_many_requests_one_has() {
        let mut queue = Queue::default();
        for client in 0..5 {
            queue.push(1000, client);
        }
        queue.push(0, 10);
        queue.push(2000, 20);
        queue.push(2000, 21);
        queue.remove(2000, 21);
        let order: Vec<u64> = std::iter::from_fn(|| queue.next(|_| true)).collect();
        assert_eq!(order, [0, 20, 10, 1, 2, 3, 4]);
    }

    #[test]
    fn who_may_have_no_more_is_passed_over_and_keeps_his_place() {
        let mut queue = Queue::default();
        queue.push(1, 1);
        queue.push(2, 2);
        assert_eq!(queue.next(|uid| uid != 1), Some(2));
        assert_eq!(queue.next(|uid| uid != 1), None);
        assert_eq!(queue.next(|_| true), Some(1));
        assert_eq!(queue.next(|_| true), None);
    }

    #[test]
    fn the_last_number_of_a_user_has_a_turn_like_any() {
        let mut queue = Queue::default();
        for uid in [u32::MAX, u32::MAX, 0] {
            queue.push(uid, u64::from(uid));
        }
        let order: Vec<u64> = std::iter::from_fn(|| queue.next(|_| true)).collect();
        assert_eq!(order, [u64::from(u32::MAX), 0, u64::from(u32::MAX)]);
    }
}
