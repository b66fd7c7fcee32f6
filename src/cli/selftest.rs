use std::fmt::Write;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::selftest::{
    Figure, Report, Verdict, crash, hold, read_delivered, selftest as run_selftest, supervise, walk,
};

use super::args::{Probe, SelftestArguments};
use super::environment;
use super::exit::{Failure, findings};
use super::ui;

pub(super) fn selftest(arguments: &SelftestArguments) -> Result<ExitCode, Failure> {
    let report = run_selftest(&environment::runtime_directory())?;
    if arguments.json {
        ui::print(&format!("{:#}\n", as_json(&report)))?;
    } else {
        ui::print_text(&table(&report))?;
    }
    Ok(code(report.verdict()))
}

pub(super) fn probe(probe: &Probe) -> Result<ExitCode, Failure> {
    match probe {
        Probe::Child { file } => read_delivered(file),
        Probe::Crash => crash(),
        Probe::Hold => hold(),
        Probe::Run { directory } => supervise(directory),
        Probe::Walk { directory, recipient } => walk(directory, recipient.clone()),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn code(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Holds | Verdict::CannotBeTold => ExitCode::SUCCESS,
        Verdict::DoesNotHold => findings(),
    }
}

fn table(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String does not fail
    let _ = writeln!(text, "dcn-vault {}, Linux {}, uid {}\n", report.version, report.kernel, report.uid);
    for check in &report.checks {
        let _ = writeln!(text, "  {:<10}  {:<14}  {}", check.name, check.verdict, check.says);
    }
    text
}

fn as_json(report: &Report) -> Value {
    let checks = report.checks.iter().map(|check| {
        let figures = check.figures.iter().map(|(name, figure)| ((*name).to_owned(), value(figure)));
        json!({
            "check": check.name,
            "verdict": check.verdict.to_string(),
            "says": check.says,
            "figures": figures.collect::<serde_json::Map<_, _>>(),
        })
    });
    json!({
        "version": report.version,
        "time": report.time.to_string(),
        "kernel": report.kernel,
        "uid": report.uid,
        "verdict": report.verdict().to_string(),
        "checks": checks.collect::<Vec<_>>(),
    })
}

fn value(figure: &Figure) -> Value {
    match figure {
        Figure::Count(number) => json!(number),
        Figure::Flag(flag) => json!(flag),
        Figure::Words(words) => json!(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_check_that_does_not_hold_is_a_finding() {
        assert_eq!(code(Verdict::Holds), ExitCode::SUCCESS);
        assert_eq!(code(Verdict::CannotBeTold), ExitCode::SUCCESS);
        assert_eq!(code(Verdict::DoesNotHold), ExitCode::from(3));
    }
}
