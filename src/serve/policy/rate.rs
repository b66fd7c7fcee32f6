use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// More answers within one span are not counted, since each is remembered until the span is over.
const MOST: usize = 1_000;
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// So many answers within any span of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    count: usize,
    span: Duration,
}

/// When each user was answered by each rule that has a rate.
#[derive(Debug, Default)]
pub(super) struct Answers(BTreeMap<(usize, u32), VecDeque<Instant>>);

impl Rate {
    /// `10/1m`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (count, span) = text.split_once('/')?;
        let count = number(count).and_then(|count| usize::try_from(count).ok())?;
        let span = span_of(span)?;
        ((1..=MOST).contains(&count) && span <= LONGEST).then_some(Self { count, span })
    }
}

impl Answers {
    /// Counts one more of `rule` to `uid`, unless that would be too many. Else says how long it takes until it is not.
    pub(super) fn count(&mut self, rule: usize, uid: u32, rate: Rate, now: Instant) -> Result<(), Duration> {
        let times = self.0.entry((rule, uid)).or_default();
        while times.front().is_some_and(|first| now.saturating_duration_since(*first) >= rate.span) {
            times.pop_front();
        }
        match times.front() {
            Some(first) if times.len() >= rate.count => {
                Err(rate.span.saturating_sub(now.saturating_duration_since(*first)))
            }
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }
}

/// `10s`, `5m`, `1h`.
pub(super) fn span_of(text: &str) -> Option<Duration> {
    let units = [('s', 1), ('m', 60), ('h', 3600)];
    let (count, seconds) =
        units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))?;
    let span = Duration::from_secs(number(count)?.checked_mul(seconds)?);
    (!span.is_zero()).then_some(span)
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_the_rate_within_any_span_and_each_user_has_his_own() {
        let rate = Rate::parse("2/10s").unwrap();
        let (mut answers, start) = (Answers::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(answers.count(0, 1, rate, at(0)), Ok(()));
        assert_eq!(answers.count(0, 1, rate, at(4)), Ok(()));
        assert_eq!(answers.count(0, 1, rate, at(5)), Err(Duration::from_secs(5)));
        assert_eq!(answers.count(0, 2, rate, at(5)), Ok(()));
        assert_eq!(answers.count(1, 1, rate, at(5)), Ok(()));
        assert_eq!(answers.count(0, 1, rate, at(10)), Ok(()));
        assert_eq!(answers.count(0, 1, rate, at(13)), Err(Duration::from_secs(1)));
        assert_eq!(answers.count(0, 1, rate, at(14)), Ok(()));
    }

    #[test]
    fn what_is_no_rate_is_none() {
        for text in ["", "10", "10/m", "0/1m", "10/0s", "1001/1h", "10/25h", "-1/1m", "10/1d", "10 / 1m"] {
            assert_eq!(Rate::parse(text), None, "{text}");
        }
    }
}
