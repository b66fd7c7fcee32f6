use jiff::Timestamp;

const MINUTES_A_DAY: u32 = 24 * 60;
const SECONDS_A_MINUTE: i64 = 60;

/// A part of each day, in UTC: from its first minute up to, and not with, its last. It may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hours {
    from: u32,
    to: u32,
}

impl Hours {
    /// `22:00-06:00`. The whole day is no part of it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let hours = Self { from: minute(from)?, to: minute(to)? };
        (hours.from != hours.to).then_some(hours)
    }

    pub(super) fn has(self, now: Timestamp) -> bool {
        // A day of UTC always has 86,400 seconds in a timestamp
        let minutes = now.as_second().div_euclid(SECONDS_A_MINUTE).rem_euclid(i64::from(MINUTES_A_DAY));
        let minute = u32::try_from(minutes).unwrap_or_default();
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, most: u32| -> Option<u32> {
        let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| text.parse().ok())?.filter(|number| *number <= most)
    };
    Some(number(hour, 23)? * 60 + number(minute, 59)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_of_utc_and_may_go_over_midnight() {
        let day = Hours::parse("08:30-17:00").unwrap();
        let night = Hours::parse("22:00-06:00").unwrap();
        for (time, by_day, by_night) in [
            ("08:29:59", false, false),
            ("08:30:00", true, false),
            ("16:59:59", true, false),
            ("17:00:00", false, false),
            ("22:00:00", false, true),
            ("23:59:59", false, true),
            ("00:00:00", false, true),
            ("05:59:59", false, true),
            ("06:00:00", false, false),
        ] {
            let now: Timestamp = format!("2026-11-26T{time}Z").parse().unwrap();
            assert_eq!((day.has(now), night.has(now)), (by_day, by_night), "{time}");
        }
    }

    #[test]
    fn what_is_no_part_of_a_day_is_none() {
        for text in [
            "",
            "8:00-9:00",
            "08:00",
            "08:00-24:00",
            "08:60-09:00",
            "08:00-08:00",
            "08:00 - 09:00",
            "+8:00-09:00",
        ] {
            assert_eq!(Hours::parse(text), None, "{text}");
        }
    }
}
