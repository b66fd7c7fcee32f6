use std::fmt;
use std::io::{self, Write};

use zeroize::Zeroize;

use super::SecretValue;

/// Bytes of a secret that are still arriving: a response body, a decrypted file, YAML being written.
///
/// It grows by hand: a new block is filled and the old one wiped, so that no half-filled copy stays behind. Wiped when
/// dropped.
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
pub struct SecretBuffer(Vec<u8>);

impl SecretBuffer {
    /// An empty buffer that has no block yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// An empty buffer that takes `capacity` bytes before it has to move.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Lends the bytes to `reader`.
    pub fn expose<R>(&self, reader: impl FnOnce(&[u8]) -> R) -> R {
        reader(&self.0)
    }

    /// How many bytes it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it holds nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends `bytes`.
    pub fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Vec::with_capacity(needed.max(self.0.capacity() * 2).max(256));
            larger.extend_from_slice(&self.0);
            self.0.zeroize();
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    /// Appends the characters of `text`.
    pub fn push_str(&mut self, text: &str) {
        self.push(text.as_bytes());
    }

    /// Appends a secret without letting it out of this module.
    pub fn push_secret(&mut self, value: &SecretValue) {
        value.expose(|plain| self.push_str(plain));
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

impl Drop for SecretBuffer {
    fn drop(&mut self) {
        self.0.zeroize();
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
