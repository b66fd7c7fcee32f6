/// Reads DER (X.690) from the front, and copies nothing: what it reads may be a private key.
#[derive(Clone, Copy)]
pub(super) struct Der<'a>(&'a [u8]);

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// `[number]`, holding others.
pub(super) const fn explicit(number: u8) -> u8 {
    0xa0 | number
}

/// `[number]`, in place of a type that holds no others.
pub(super) const fn implicit(number: u8) -> u8 {
    0x80 | number
}

impl<'a> Der<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The content of the next element, when it has this tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content, rest) = split(self.0)?;
        if found != tag {
            return None;
        }
        self.0 = rest;
        Some(content)
    }

    /// Like [`Der::take`], for what holds others.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Self)
    }

    /// The content of the first element with this tag; those before it are passed over.
    pub(super) fn find(mut self, tag: u8) -> Option<&'a [u8]> {
        loop {
            let (found, content, rest) = split(self.0)?;
            if found == tag {
                return Some(content);
            }
            self.0 = rest;
        }
    }

    /// A number's bytes, without the zeros in front.
    pub(super) fn unsigned(&mut self) -> Option<&'a [u8]> {
        let bytes = self.take(INTEGER)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.get(zeros..)
    }
}

/// The bytes of a BIT STRING that has whole ones.
pub(super) fn whole_bits(content: &[u8]) -> Option<&[u8]> {
    content.strip_prefix(&[0])
}

/// The tag, the content and what follows. Tags of one byte, lengths below 2³².
fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_in_order_with_long_lengths_too() {
        let long = [&[OCTET_STRING, 0x82, 1, 0][..], &[7; 256]].concat();
        let bytes = [&[SEQUENCE, 0x82, 1, 8, INTEGER, 2, 0, 0x81][..], &long].concat();
        let mut inner = Der::of(&bytes).enter(SEQUENCE).unwrap();
        assert_eq!(inner.find(OCTET_STRING).unwrap(), [7; 256]);
        assert_eq!(inner.unsigned().unwrap(), [0x81]);
        assert_eq!(inner.take(INTEGER), None);
        assert_eq!(inner.take(OCTET_STRING).unwrap(), [7; 256]);
        assert_eq!(inner.take(OCTET_STRING), None);
    }

    #[test]
    fn a_length_that_is_too_large_or_indefinite_is_refused() {
        for bytes in
            [&[SEQUENCE, 3, 1, 1][..], &[SEQUENCE, 0x80, 0, 0], &[SEQUENCE, 0x84, 0xff, 0xff], &[SEQUENCE]]
        {
            assert!(Der::of(bytes).take(SEQUENCE).is_none(), "{bytes:?}");
        }
    }
}
