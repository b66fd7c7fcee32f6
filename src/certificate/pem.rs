use crate::secret::SecretBuffer;

/// A PEM block (RFC 7468): what it says that it is, and its base64 with whatever else stands between the two lines.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    pub(super) body: &'a str,
}

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

impl Block<'_> {
    pub(super) fn is_certificate(&self) -> bool {
        matches!(self.label, "CERTIFICATE" | "X509 CERTIFICATE")
    }

    pub(super) fn is_private_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }

    /// The bytes, in memory that is wiped: it may be a key. `None` where it is not base64.
    pub(super) fn decode(&self) -> Option<SecretBuffer> {
        let mut bytes = SecretBuffer::with_capacity(self.body.len() / 4 * 3 + 3);
        let (mut bits, mut held, mut is_over) = (0_u32, 0_u32, false);
        for character in self.body.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
            if character == b'=' {
                is_over = true;
                continue;
            }
            if is_over {
                return None;
            }
            bits = (bits << 6 | u32::from(digit(character)?)) & 0xffff;
            held += 6;
            if let Some(left) = held.checked_sub(8) {
                held = left;
                bytes.push(&[u8::try_from(bits >> held & 0xff).unwrap_or_default()]);
            }
        }
        (!bytes.is_empty()).then_some(bytes)
    }
}

/// The blocks of `text` that are closed, in their order.
pub(super) fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    text.split(BEGIN).skip(1).filter_map(|after| {
        let (label, rest) = after.split_once(DASHES)?;
        let (body, end) = rest.split_once("-----END ")?;
        end.strip_prefix(label)?.starts_with(DASHES).then_some(Block { label, body })
    })
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(body: &str) -> Option<Vec<u8>> {
        // EXPOSE: made up
        Block { label: "X", body }.decode().map(|bytes| bytes.expose(<[u8]>::to_vec))
    }

    #[test]
    fn blocks_are_found_among_other_text_however_their_lines_end() {
        let text = "bag\r\n-----BEGIN A-----\r\nYQ==\r\n-----END A-----\r\n  -----BEGIN B C-----\n  YWI=\n  -----END B C-----";
        let found: Vec<_> = blocks(text).map(|block| (block.label, decoded(block.body).unwrap())).collect();
        assert_eq!(found, [("A", b"a".to_vec()), ("B C", b"ab".to_vec())]);
    }

    #[test]
    fn a_block_that_is_not_closed_or_closed_by_another_is_none() {
        for text in
            ["-----BEGIN A-----\nYQ==\n", "-----BEGIN A-----\nYQ==\n-----END B-----\n", "-----BEGIN A"]
        {
            assert_eq!(blocks(text).count(), 0, "{text}");
        }
    }

    #[test]
    fn base64_is_that_of_rfc_4648_and_nothing_else() {
        for (body, bytes) in [("Zm9vYmFy", "foobar"), ("Zm9v\nYmE=", "fooba"), ("Zm9vYg==", "foob")] {
            assert_eq!(decoded(body).unwrap(), bytes.as_bytes());
        }
        for body in ["", "Zm9v-", "Zm8=v", "Proc-Type: 4,ENCRYPTED\n\nZm9v"] {
            assert_eq!(decoded(body), None, "{body}");
        }
    }
}
