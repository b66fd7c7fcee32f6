use std::process::ExitCode;

use rustix::stdio::stdout;
use rustix::termios::isatty;

use crate::fs;
use crate::keygen::NewIdentity;

use super::args::KeygenArguments;
use super::exit::Failure;
use super::ui::{self, BrokenPipe, Ui};

pub(super) fn keygen(arguments: &KeygenArguments, ui: Ui) -> Result<ExitCode, Failure> {
    let identity = NewIdentity::make();
    if let Some(path) = &arguments.output {
        identity.save(path)?;
        ui::print(&format!("{}\n", identity.recipient))?;
    } else {
        fs::write_fd(stdout(), identity.content()).map_err(|_| BrokenPipe)?;
        // As age-keygen: who sends the file elsewhere still sees the recipient
        if !isatty(stdout()) {
            ui.say(&format!("Public key: {}", identity.recipient));
        }
    }
    Ok(ExitCode::SUCCESS)
}
