use rustix::process::getpgrp;
use rustix::stdio::stdin;
use rustix::termios::{isatty, tcgetpgrp, tcsetpgrp};

/// Whose the terminal was when we began. A shell as a command takes it for itself, and may not give it back.
pub(super) struct Terminal {
    is_ours: bool,
}

impl Terminal {
    pub(super) fn remember() -> Self {
        Self { is_ours: isatty(stdin()) && tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp()) }
    }

    pub(super) fn take_back(&self) {
        if self.is_ours {
            // SIGTTOU, which this would raise, is held back
            let _ = tcsetpgrp(stdin(), getpgrp());
        }
    }
}
