//! The rules of the terminal.
//!
//! - Standard output is data, and nothing else; words for people go to standard error.
//! - Secrets reach a terminal only on explicit request.
//! - Text that came from a cloud or a file is escaped before it is shown; what its owner has left is escaped here.
//! - A reader that has gone away ends us quietly.
//! - No colour is needed to understand.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use rustix::stdio::stderr;
use rustix::termios::isatty;

use crate::report::Hint;

/// Says things to the person at the keyboard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ui;

/// Whoever read our output has gone.
#[derive(Debug, thiserror::Error)]
#[error("the reader of the output has gone")]
pub(super) struct BrokenPipe;

impl Hint for BrokenPipe {
    fn hint(&self) -> String {
        String::from("keep the reader of the output open")
    }
}

impl Ui {
    pub(super) fn error(self, what: &str, hint: &str) {
        self.line(&format!("error: {what}"));
        self.line(&format!("hint: {hint}"));
    }

    pub(super) fn warn(self, what: &str) {
        self.line(&format!("warning: {what}"));
    }

    pub(super) fn say(self, what: &str) {
        self.line(what);
    }

    /// A panic is a bug of ours. Its text may quote what it stumbled over, so only the place is told.
    pub(super) fn report_panics_without_their_text(self) {
        std::panic::set_hook(Box::new(move |panic| {
            let place =
                panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
            self.error(
                &format!("bug in dcn-vault{place}"),
                "please report it, with the command line and the version",
            );
        }));
    }

    /// Says how far something has come, on a terminal, in one line that goes away.
    #[allow(clippy::unused_self, reason = "who has no Ui does not speak")]
    pub(super) fn progress(self, what: &'static str) -> Option<Box<dyn Fn(usize, usize) + Send + Sync>> {
        if !isatty(stderr()) {
            return None;
        }
        let shown = Mutex::new(0);
        Some(Box::new(move |done, of| {
            // Threads come late: nothing is said behind what was, nor after the end
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            if done <= *shown {
                return;
            }
            let step = (of / 100).max(1);
            if done == of {
                *shown = done;
                let _ = write!(io::stderr(), "\r\x1b[K");
            } else if done % step == 0 {
                *shown = done;
                let _ = write!(io::stderr(), "\r{what} {done} of {of} files");
            }
        }))
    }

    #[allow(clippy::unused_self, reason = "who has no Ui does not speak")]
    fn line(self, text: &str) {
        // Where standard error is closed there is nobody to tell
        let _ = writeln!(io::stderr(), "{}", printable(text, &[]));
    }
}

/// `1 file`, `2 files`.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// `text` from elsewhere as part of a line: what is not printed as itself is escaped, quotes are left.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\'' | '"' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    shown
}

/// Writes a text for people to standard output.
pub(super) fn print_text(text: &str) -> Result<(), BrokenPipe> {
    print(&printable(text, &['\n']))
}

/// Writes public data to standard output.
pub(super) fn print(text: &str) -> Result<(), BrokenPipe> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|_| BrokenPipe)
}

// A terminal obeys control characters: C0, DEL, C1
pub(super) fn printable(text: &str, kept: &[char]) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && !kept.contains(&c) {
            shown.extend(c.escape_debug());
        } else {
            shown.push(c);
        }
    }
    shown
}
