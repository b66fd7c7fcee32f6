use std::fmt;
use std::io::{self, Write};

use zeroize::Zeroize;

use super::SecretValue;
use super::pages::Pages;

const SMALLEST: usize = 4096;

/// Bytes of a secret that are still arriving: a response body, a decrypted file, YAML being written.
///
/// It lies on pages of its own, and grows by hand: new pages are filled and the old ones wiped, so that no half-filled copy
/// stays behind. Wiped when dropped.
///
/// ```compile_fail,E0599
/// let _ = dcn_vault::secret::SecretBuffer::new().clone();
/// ```
/// ```
/// use std::io::Write;
///
/// let mut buffer = dcn_vault::secret::SecretBuffer::new();
/// buffer.write_all(b"hunter2").unwrap();
/// assert_eq!(format!("{buffer:?}"), "SecretBuffer([REDACTED])");
/// assert!(buffer.expose(|bytes| bytes == b"hunter2"));
/// ```
#[derive(Default)]
pub struct SecretBuffer {
    pages: Option<Pages>,
    length: usize,
}

impl SecretBuffer {
    /// An empty buffer that has no memory yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { pages: None, length: 0 }
    }

    /// An empty buffer that takes `capacity` bytes before it has to move.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { pages: (capacity > 0).then(|| Pages::of(capacity)), length: 0 }
    }

    /// Lends the bytes to `reader`.
    pub fn expose<R>(&self, reader: impl FnOnce(&[u8]) -> R) -> R {
        let bytes = self.pages.as_ref().and_then(|pages| pages.bytes().get(..self.length));
        reader(bytes.unwrap_or_default())
    }

    /// How many bytes it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether it holds nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Appends `bytes`.
    pub fn push(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if end > self.capacity() {
            self.move_to(end.max(2 * self.capacity()).max(SMALLEST));
        }
        let place = self.pages.as_mut().and_then(|pages| pages.bytes_mut().get_mut(self.length..end));
        if let Some(place) = place {
            place.copy_from_slice(bytes);
            self.length = end;
        }
    }

    /// Forgets what it holds, and keeps its memory for what comes.
    pub fn clear(&mut self) {
        if let Some(held) = self.pages.as_mut().and_then(|pages| pages.bytes_mut().get_mut(..self.length)) {
            held.zeroize();
        }
        self.length = 0;
    }

    /// Appends the characters of `text`.
    pub fn push_str(&mut self, text: &str) {
        self.push(text.as_bytes());
    }

    /// Appends a secret without letting it out of this module.
    pub fn push_secret(&mut self, value: &SecretValue) {
        value.expose(|plain| self.push_str(plain));
    }

    fn capacity(&self) -> usize {
        self.pages.as_ref().map_or(0, |pages| pages.bytes().len())
    }

    fn move_to(&mut self, capacity: usize) {
        let mut larger = Pages::of(capacity);
        self.expose(|held| {
            if let Some(place) = larger.bytes_mut().get_mut(..held.len()) {
                place.copy_from_slice(held);
            }
        });
        self.pages = Some(larger);
    }
}

impl Write for SecretBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for SecretBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBuffer([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_pieces_stands_in_order_after_many_moves() {
        let mut buffer = SecretBuffer::new();
        let expected: Vec<u8> = (0..10_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
        for piece in expected.chunks(37) {
            buffer.push(piece);
        }
        assert!(buffer.expose(|bytes| bytes == expected));
    }
}
