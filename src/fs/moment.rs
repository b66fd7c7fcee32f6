use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The clock that stamps files lags behind the one that we read by a tick, which has at most 10 ms.
const TICK: Duration = Duration::from_millis(10);

/// A moment as file systems stamp it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    seconds: i64,
    nanoseconds: i64,
}

impl Moment {
    pub(super) const fn at(seconds: i64, nanoseconds: i64) -> Self {
        Self { seconds, nanoseconds }
    }

    /// Now, or a tick earlier: no file that is changed from here on has an older stamp.
    #[must_use]
    pub fn now() -> Self {
        let now = SystemTime::now().checked_sub(TICK).unwrap_or(UNIX_EPOCH);
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: i64::from(since.subsec_nanos()),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.seconds, self.nanoseconds)
    }
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (seconds, nanoseconds) = text.split_once('.').ok_or("not a moment")?;
        let number = |text: &str| text.parse().map_err(|_| "not a moment");
        Ok(Self { seconds: number(seconds)?, nanoseconds: number(nanoseconds)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::{Step, TemporaryDirectory, walk};

    fn changed_since(moment: Moment, here: &TemporaryDirectory) -> Vec<String> {
        let mut changed = Vec::new();
        walk(here.path(), &mut |step| {
            if let Step::Found(found) = step
                && found.is_changed_since(moment)
            {
                changed.push(found.path().file_name().unwrap().to_str().unwrap().to_owned());
            }
            true
        });
        changed
    }

    #[test]
    fn a_file_that_is_changed_afterwards_is_newer_than_the_moment_and_one_of_before_is_not() {
        let here = TemporaryDirectory::scratch();
        here.write("old", "x");
        // The clock moves on by itself
        let moment = loop {
            let moment = Moment::now();
            if changed_since(moment, &here).is_empty() {
                break moment;
            }
        };
        assert_eq!(moment.to_string().parse(), Ok(moment));
        here.write("new", "x");
        assert_eq!(changed_since(moment, &here), ["new"]);
    }
}
