//! What an error says to the person at the keyboard: the fact, then the remedy.

mod nearest;

pub use nearest::nearest;

/// The remedy beside the fact. Every error of this crate has one: an error without does not compile.
pub trait Hint: std::error::Error {
    /// What to do next, as a sentence or a command.
    fn hint(&self) -> String;
}
