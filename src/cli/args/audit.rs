use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::SignedDuration;

/// What every verb takes that writes an audit line.
#[derive(Debug, Args)]
pub(in crate::cli) struct AuditArguments {
    /// The audit log [default: that of the service, of the host, or ~/.local/state/dcn-vault/audit.jsonl]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) audit_log: Option<PathBuf>,
    /// Open nothing of which the audit log takes no line
    #[arg(long)]
    pub(in crate::cli) require_audit: bool,
}

/// What `run` tells its worker, so that both write of one opening; `selftest` tells its own nothing.
#[derive(Debug, Args)]
pub(in crate::cli) struct OpeningArguments {
    #[arg(long)]
    pub(in crate::cli) audit_log: Option<PathBuf>,
    #[arg(long)]
    pub(in crate::cli) require_audit: bool,
    #[arg(long, default_value = "")]
    pub(in crate::cli) opening: String,
    #[arg(long, default_value = "")]
    pub(in crate::cli) child: String,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditVerb {
    /// Say whether each line is what was written, where it was written
    Verify(AuditVerifyArguments),
    /// Show who opened what
    Show(AuditShowArguments),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AuditVerifyArguments {
    /// The log [default: the one that is written]
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// A head that was kept elsewhere: the log must have had it
    #[arg(long, value_name = "HEX", value_parser = parse_head)]
    pub(in crate::cli) head: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AuditShowArguments {
    /// The log [default: the one that is written]
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// Only what is not older: 7d, 12h, 2026-01-31, 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    pub(in crate::cli) since: Option<Since>,
    /// Print the lines as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// From when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Since {
    /// So long ago.
    Ago(SignedDuration),
    /// At this time.
    At(jiff::Timestamp),
}

fn parse_head(text: &str) -> Result<String, String> {
    let fits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if fits { Ok(text.to_ascii_lowercase()) } else { Err(String::from("a head has 64 hexadecimal digits")) }
}

fn parse_since(text: &str) -> Result<Since, String> {
    let bad = || String::from("write 90m, 12h, 7d, 2w, a date, or a date and a time with its zone");
    if let Some(span) = span(text) {
        return Ok(Since::Ago(span));
    }
    if let Ok(time) = text.parse() {
        return Ok(Since::At(time));
    }
    let date: jiff::civil::Date = text.parse().map_err(|_| bad())?;
    date.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| Since::At(zoned.timestamp())).map_err(|_| bad())
}

/// `90m`, `12h`, `7d`, `2w`.
fn span(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().next_back()?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        'w' => 7 * 24 * 60,
        _ => return None,
    };
    let digits = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let count: u32 = digits.parse().ok()?;
    // No clock that is right is wrong by more than a hundred years
    let whole = i64::from(count).checked_mul(minutes).filter(|minutes| *minutes <= 100 * 366 * 24 * 60)?;
    Some(SignedDuration::from_mins(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_span_a_date_or_a_moment() {
        let at = |text: &str| Ok(Since::At(text.parse().unwrap()));
        let ago = |hours| Ok(Since::Ago(SignedDuration::from_hours(hours)));
        for (text, since) in [
            ("7d", ago(168)),
            ("2w", ago(336)),
            ("120m", ago(2)),
            ("0h", ago(0)),
            ("2026-01-31", at("2026-01-31T00:00:00Z")),
            ("2026-01-31T12:00:00Z", at("2026-01-31T12:00:00Z")),
            ("2026-01-31T12:00:00+02:00", at("2026-01-31T10:00:00Z")),
        ] {
            assert_eq!(parse_since(text), since, "{text}");
        }
        for text in
            ["", "d", "7", "7y", "-1d", "+1d", "9999999999w", "4294967295w", "2026-02-30", "yesterday", "é"]
        {
            assert!(parse_since(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_head_is_a_digest() {
        assert_eq!(parse_head(&"A0".repeat(32)), Ok("a0".repeat(32)));
        for text in ["", "a0", &"g0".repeat(32), &"é".repeat(32)] {
            assert!(parse_head(text).is_err(), "{text}");
        }
    }
}
