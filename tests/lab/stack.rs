//! A stack of a test's own.

use crate::operator::Operator;
use crate::program::Scratch;
use crate::running::Lab;

/// A stack that is this test's alone, until it is dropped.
#[derive(Debug)]
pub(crate) struct OwnStack {
    pub(crate) name: String,
    lab: Lab,
}

impl OwnStack {
    /// Creates it; `more` goes to the script.
    pub(crate) fn create(operator: &Operator, more: &[&str]) -> Self {
        // A name that nobody else takes: that of a directory that is there only once
        let unique = Scratch::new();
        let name = unique.path().file_name().unwrap().to_str().unwrap().to_owned();
        let stack = Self { name, lab: Lab::running() };
        let arguments = ["create", &stack.name].into_iter().chain(more.iter().copied());
        operator.lab.python("exact_stack.py", arguments).succeeded();
        stack
    }
}

impl Drop for OwnStack {
    fn drop(&mut self) {
        let _ = self.lab.python("exact_stack.py", ["delete", &self.name]);
    }
}
