//! The header of an age file, which anybody can read (C2SP age.md): for how many it was encrypted.

const INTRO: &[u8] = b"age-encryption.org/v1\n";
const MAC_LENGTH: usize = 43;
/// The columns of a stanza's body; the last line has fewer.
const FULL_LINE: usize = 64;
/// A nonce, and one chunk without plaintext.
const SHORTEST_PAYLOAD: usize = 16 + 16;

/// How many recipients the age file `bytes` has; `None` where it is no age file. One pass, which ends at the first line
/// that no header has.
///
/// Kinds that we never write count as well: somebody has their identities. Grease is what age adds for nobody.
pub(super) fn count_recipients(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes.strip_prefix(INTRO)?;
    let mut count = 0;
    loop {
        let (line, after) = first_line(rest)?;
        if let Some(mac) = line.strip_prefix(b"--- ") {
            let is_whole = mac.len() == MAC_LENGTH && is_base64(mac) && after.len() >= SHORTEST_PAYLOAD;
            return is_whole.then_some(count);
        }
        let mut words = line.strip_prefix(b"-> ")?.split(|byte| *byte == b' ');
        let kind = words.next().filter(|kind| is_word(kind))?;
        if !words.all(is_word) {
            return None;
        }
        count += usize::from(!kind.ends_with(b"-grease"));
        rest = after_body(after)?;
    }
}

fn after_body(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let (line, after) = first_line(rest)?;
        if line.len() > FULL_LINE || !is_base64(line) {
            return None;
        }
        if line.len() < FULL_LINE {
            return Some(after);
        }
        rest = after;
    }
}

fn first_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, after) = bytes.split_at_checked(end)?;
    Some((line, after.strip_prefix(b"\n")?))
}

fn is_word(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic)
}

fn is_base64(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
