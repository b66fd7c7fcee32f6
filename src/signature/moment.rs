//! The times of a line of signers: `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, and `Z` behind it.
//!
//! Without `Z`, `ssh-keygen` takes the local time of whoever asks. A bundle goes around the world, and must not be valid here
//! and expired there: without `Z` it is UTC here.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let bare = text.strip_suffix(['Z', 'z']);
    let bare = bare.or_else(|| text.strip_suffix("UTC")).unwrap_or(text);
    if !bare.bytes().all(|byte| byte.is_ascii_digit()) || ![8, 12, 14].contains(&bare.len()) {
        return None;
    }
    let part = |from: usize, to: usize| match bare.get(from..to) {
        Some(digits) => digits.parse::<i8>().ok(),
        None => Some(0),
    };
    let year = bare.get(..4)?.parse::<i16>().ok()?;
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let time = DateTime::new(year, part(4, 6)?, part(6, 8)?, hour, minute, second, 0).ok()?;
    // 1970 and before is what a damaged clock says
    TimeZone::UTC.to_timestamp(time).ok().filter(|time| *time > Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_of_three_lengths_and_is_utc() {
        for (text, expected) in [
            ("20260102", "2026-01-02T00:00:00Z"),
            ("20260102Z", "2026-01-02T00:00:00Z"),
            ("20260102UTC", "2026-01-02T00:00:00Z"),
            ("202601021530", "2026-01-02T15:30:00Z"),
            ("20260102153045Z", "2026-01-02T15:30:45Z"),
        ] {
            assert_eq!(parse(text), Some(expected.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "Z",
            "2026",
            "2026010",
            "20261301",
            "20260231",
            "202601022460",
            "2026-01-02",
            "+2026010",
            "19700101",
            "20260102ZZ",
            "٢٠٢٦٠١٠٢",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
