use rustix::fd::BorrowedFd;
use rustix::io::{Errno, read};
use zeroize::Zeroizing;

use crate::secret::SecretBuffer;

const BLOCK: usize = 64 * 1024;

/// Reads `length` bytes, which may be secret, from a pipe or a socket; nothing where it ends before.
///
/// # Errors
///
/// The kernel's own.
pub fn receive(from: BorrowedFd<'_>, length: usize) -> rustix::io::Result<Option<SecretBuffer>> {
    let mut content = SecretBuffer::with_capacity(length);
    let mut block = Zeroizing::new(vec![0; length.min(BLOCK)]);
    while content.len() < length {
        let wanted = (length - content.len()).min(block.len());
        let place = block.get_mut(..wanted).unwrap_or_default();
        match read(from, &mut *place) {
            Ok(0) => return Ok(None),
            Ok(count) => content.push(place.get(..count).unwrap_or_default()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(content))
}
