use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::Method;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// How long a service may take, and how often it is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For a connection, TLS's handshake included.
    pub(super) connect: Duration,
    /// Between two pieces of an answer.
    pub(super) idle: Duration,
    /// For one whole answer, however it drips.
    pub(super) whole: Duration,
    /// For all that is asked between login and farewell.
    pub(super) all: Duration,
    /// For the end of a token: all else is done by then, and somebody waits.
    pub(super) farewell: Duration,
    /// How often something is asked at most.
    pub(super) tries: u32,
    /// Before the second try; twice that before the third, and so on.
    pub(super) first_pause: Duration,
    /// Nothing is asked again later than this, nor after a longer `Retry-After`.
    pub(super) retry_within: Duration,
}

impl Patience {
    /// A restart of Heat or Swift, some 4 s, fits between the first try and the last (7.5 s). Heat may take minutes for an
    /// output of a large stack.
    pub(super) const USUAL: Self = Self {
        connect: Duration::from_secs(10),
        idle: Duration::from_secs(120),
        whole: Duration::from_secs(300),
        all: Duration::from_secs(15 * 60),
        farewell: Duration::from_secs(30),
        tries: 5,
        first_pause: Duration::from_millis(500),
        retry_within: Duration::from_secs(30),
    };
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The connection was refused, or broke before the answer was whole.
    Broken,
    /// An answer, or an error that another try does not mend.
    Final,
    /// The service, or what stands before it, cannot serve now.
    Unavailable { status: u16, retry_after: Option<Duration> },
}

impl Outcome {
    pub(super) fn of(status: u16, headers: &HeaderMap) -> Self {
        if !matches!(status, 429 | 502 | 503 | 504) {
            return Self::Final;
        }
        // The other form, a date, is as good as none: the two clocks need not agree
        let after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Self::Unavailable { status, retry_after: after.map(Duration::from_secs) }
    }
}

/// The tries of one request.
#[derive(Debug)]
pub(super) struct Tries {
    pub(super) made: u32,
    begun: Instant,
    method: Method,
    patience: Patience,
}

impl Tries {
    pub(super) fn begin(method: &Method, patience: Patience) -> Self {
        Self { made: 1, begun: Instant::now(), method: method.clone(), patience }
    }

    /// How long to wait before the next try; `None` when there is none.
    pub(super) fn pause_after(&mut self, outcome: Outcome) -> Option<Duration> {
        if self.made >= self.patience.tries || !may_repeat(&self.method, outcome) {
            return None;
        }
        let own = jittered(self.patience.first_pause * 2_u32.pow(self.made - 1));
        let pause = match outcome {
            Outcome::Unavailable { retry_after: Some(asked), .. } => own.max(asked),
            Outcome::Broken | Outcome::Final | Outcome::Unavailable { .. } => own,
        };
        if self.begun.elapsed().saturating_add(pause) > self.patience.retry_within {
            return None;
        }
        self.made += 1;
        Some(pause)
    }
}

/// What changes nothing may be asked again. A login may have made a token whose answer was lost, and which then nobody
/// revokes: it is repeated only where the answer says that nothing was done. A revocation has its own second try.
fn may_repeat(method: &Method, outcome: Outcome) -> bool {
    match outcome {
        Outcome::Final => false,
        Outcome::Broken => is_safe(method),
        Outcome::Unavailable { status, .. } => {
            is_safe(method) || (*method == Method::POST && matches!(status, 429 | 503))
        }
    }
}

fn is_safe(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

/// Between three quarters and five quarters of it, so that many who were turned away together do not return together.
fn jittered(pause: Duration) -> Duration {
    // The clock's lowest digits are random enough to spread requests
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    pause * (768 + nanos % 512) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNAVAILABLE: Outcome = Outcome::Unavailable { status: 503, retry_after: None };

    fn pauses(method: &Method, outcome: Outcome) -> Vec<Duration> {
        let mut tries = Tries::begin(method, Patience::USUAL);
        std::iter::from_fn(|| tries.pause_after(outcome)).collect()
    }

    #[test]
    fn pauses_double_with_a_jitter_and_end() {
        for outcome in [UNAVAILABLE, Outcome::Broken] {
            let found = pauses(&Method::GET, outcome);
            assert_eq!(found.len(), 4);
            for (pause, middle) in found.into_iter().zip([500, 1000, 2000, 4000]) {
                let quarter = Duration::from_millis(middle / 4);
                assert!(pause >= 3 * quarter && pause <= 5 * quarter, "{pause:?}");
            }
        }
    }

    #[test]
    fn a_login_is_repeated_only_where_no_token_was_made() {
        let status = |status| Outcome::Unavailable { status, retry_after: None };
        for (outcome, repeats) in [
            (status(503), 4),
            (status(429), 4),
            (status(502), 0),
            (status(504), 0),
            (Outcome::Broken, 0),
            (Outcome::Final, 0),
        ] {
            assert_eq!(pauses(&Method::POST, outcome).len(), repeats, "{outcome:?}");
        }
    }

    #[test]
    fn a_service_that_says_when_is_believed_up_to_half_a_minute() {
        let after =
            |seconds| Outcome::Unavailable { status: 503, retry_after: Some(Duration::from_secs(seconds)) };
        assert_eq!(pauses(&Method::GET, after(7)), [Duration::from_secs(7); 4]);
        assert!(pauses(&Method::GET, after(31)).is_empty());
    }

    #[test]
    fn a_service_that_says_an_absurd_time_is_not_asked_again() {
        let begun = Instant::now().checked_sub(Duration::from_secs(2)).unwrap();
        let mut tries = Tries { begun, ..Tries::begin(&Method::GET, Patience::USUAL) };
        let absurd = Some(Duration::from_secs(u64::MAX));
        assert_eq!(tries.pause_after(Outcome::Unavailable { status: 503, retry_after: absurd }), None);
    }

    #[test]
    fn only_what_another_try_may_mend_is_repeated() {
        let headers = HeaderMap::new();
        for status in [200, 302, 400, 401, 403, 404, 500, 501] {
            assert_eq!(Outcome::of(status, &headers), Outcome::Final);
        }
        for status in [429, 502, 503, 504] {
            assert_eq!(Outcome::of(status, &headers), Outcome::Unavailable { status, retry_after: None });
        }
    }
}
