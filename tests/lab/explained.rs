//! A pull that must fail: what it says, in what time, and that it leaves nothing.

#![allow(
    clippy::disallowed_macros,
    clippy::print_stdout,
    reason = "a test may panic, starts processes, and shows what it has seen"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::operator::{Operator, User, Way};
use crate::program::refusal::after_the_way;

/// So many pulls at a time: most of them wait for the cloud.
const AT_ONCE: usize = 4;
const AT_MOST: Duration = Duration::from_secs(15);

/// A cloud, a stack and a plan, one of which is at fault; the error and its hint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) cloud: &'static str,
    pub(crate) stack: &'static str,
    pub(crate) plan: &'static str,
    pub(crate) error: &'static str,
    pub(crate) hint: &'static str,
}

impl Case {
    /// The whole of standard error.
    pub(crate) fn words(&self) -> String {
        format!("error: {}\nhint: {}\n", self.error, self.hint)
    }
}

pub(crate) const fn cloud(name: &'static str, error: &'static str, hint: &'static str) -> Case {
    Case { cloud: name, stack: "standalone", plan: "overcloud", error, hint }
}

pub(crate) const fn stack(name: &'static str, error: &'static str, hint: &'static str) -> Case {
    Case { cloud: "admin", stack: name, plan: "overcloud", error, hint }
}

pub(crate) const fn plan(name: &'static str, error: &'static str, hint: &'static str) -> Case {
    Case { cloud: "admin-tls", stack: "standalone", plan: name, error, hint }
}

/// Fails unless each says its words; prints what each says and how long that took, for whoever looks with `--nocapture`.
pub(crate) fn each_is_explained(cases: &[Case]) {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut wrong = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            wrong.extend(complaints(case, &[case.words()]));
        }
        wrong
    };
    let wrong: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} of {} cases:\n\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// What is wrong with a pull that must fail, say one of `allowed` and leave everything as it was.
pub(crate) fn complaints(case: &Case, allowed: &[String]) -> Option<String> {
    let Case { cloud, stack, plan, .. } = *case;
    let operator = Operator::new(User::Own);
    let before = operator.names();
    let begun = Instant::now();
    let pulled = operator.pull(Way::Cloud(cloud), stack, plan);
    let took = begun.elapsed();
    let err = without_port(&after_the_way(&pulled.err).replace(operator.home().to_str().unwrap(), "{home}"));
    let first = err.lines().next().unwrap_or_default();
    println!("{:5.1} s  {cloud}  {stack}  {plan}\n         {first}", took.as_secs_f64());
    let mut wrong = Vec::new();
    if !allowed.contains(&err) {
        wrong.push(format!("it says\n{err}and must say\n{}", allowed.join("or\n")));
    }
    if (pulled.code, pulled.out.as_str()) != (1, "") {
        wrong.push(format!("exit code {}, standard output `{}`", pulled.code, pulled.out));
    }
    if took > AT_MOST {
        wrong.push(format!("it took {} s", took.as_secs()));
    }
    if operator.names() != before {
        wrong.push(format!("it left {:?}", operator.names()));
    }
    wrong.extend(operator.secrets_in_clear(&pulled.err));
    let is_right = wrong.is_empty();
    (!is_right).then(|| format!("--os-cloud {cloud} --stack {stack} --plan {plan}\n{}", wrong.join("\n")))
}

/// The lab's Keystone is wherever a port was free.
fn without_port(text: &str) -> String {
    match text.split_once("https://127.0.0.1:") {
        Some((before, after)) => {
            format!(
                "{before}https://127.0.0.1:{{port}}{}",
                after.trim_start_matches(|c: char| c.is_ascii_digit())
            )
        }
        None => text.to_owned(),
    }
}
