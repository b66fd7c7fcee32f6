use jiff::{SignedDuration, Timestamp};

use crate::model::{Certificate, PemFault, Unreadable};

use super::chain;

/// Something about a certificate that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notice {
    /// Whose: a parameter, and which of its certificates.
    pub of: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub says: String,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// It works today.
    Warning,
    /// A client that checks certificates does not connect.
    Finding,
}

const DAY: i64 = 24 * 60 * 60;
/// Days to the end, and what is then said.
const SOON: [(i64, &str); 3] = [(7, ": renew it now"), (14, ": renew it soon"), (30, "")];

/// What is wrong with these at the moment `now`, in their order; chains come last.
#[must_use]
pub fn judge(certificates: &[Certificate], unreadable: &[Unreadable], now: Timestamp) -> Vec<Notice> {
    let mut notices: Vec<Notice> =
        unreadable.iter().map(|one| finding(one.parameter.to_string(), fault(one.fault))).collect();
    for certificate in certificates {
        notices.extend(validity(certificate, now));
        if let (Some(key), Some(false)) = (&certificate.key, certificate.key_matches) {
            notices.push(finding(certificate.label(), format!("its key, {key}, is another certificate's")));
        }
    }
    notices.extend(chain::breaks(certificates).into_iter().map(|broken| finding(broken.of, broken.says)));
    notices
}

fn validity(certificate: &Certificate, now: Timestamp) -> Option<Notice> {
    let Certificate { not_before, not_after, .. } = certificate;
    if now < *not_before {
        return Some(finding(certificate.label(), format!("not valid before {}", date(*not_before))));
    }
    let left = now.duration_until(*not_after);
    if left.is_negative() {
        let says = format!("expired {} ago ({})", rough(-left), date(*not_after));
        return Some(finding(certificate.label(), says));
    }
    let (_, urge) = SOON.into_iter().find(|(days, _)| left.as_secs() < days * DAY)?;
    let says = format!("expires in {} ({}){urge}", rough(left), date(*not_after));
    Some(Notice { of: certificate.label(), severity: Severity::Warning, says })
}

const fn finding(of: String, says: String) -> Notice {
    Notice { of, severity: Severity::Finding, says }
}

fn fault(fault: PemFault) -> String {
    String::from(match fault {
        PemFault::Damaged => "a PEM block in it says CERTIFICATE, and is none",
        PemFault::NoCertificate => "there is no PEM certificate in it",
        PemFault::NoKey => "there is no PEM private key in it",
        PemFault::PrivateKey => "a private key is in it, where only certificates belong",
    })
}

fn date(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d").to_string()
}

/// Whole days; hours on the last.
fn rough(time: SignedDuration) -> String {
    let counted = |count: i64, unit: &str| match count {
        1 => format!("1 {unit}"),
        _ => format!("{count} {unit}s"),
    };
    match time.as_secs() {
        seconds if seconds >= DAY => counted(seconds / DAY, "day"),
        seconds if seconds >= 3600 => counted(seconds / 3600, "hour"),
        _ => String::from("less than an hour"),
    }
}
