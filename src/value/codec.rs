//! The bytes: a tag, then what the tag asks for. Everything but the strings is ASCII (numbers in
//! groups of six bits), so the whole is valid UTF-8: a string is read as a slice, checked at its
//! ends only, without `unsafe`. Reading is total: bytes that packing never wrote read as `None`.

use super::node::{Node, NodeRepr};

/// The first byte of a value. Strings, arrays and objects then give their length in bytes.
pub(super) mod tag {
    pub(in crate::value) const NULL: u8 = 0;
    pub(in crate::value) const FALSE: u8 = 1;
    pub(in crate::value) const TRUE: u8 = 2;
    /// An `i64`, zigzag.
    pub(in crate::value) const INT: u8 = 3;
    /// A `u64` beyond `i64`.
    pub(in crate::value) const UINT: u8 = 4;
    /// The bits of an `f64`.
    pub(in crate::value) const FLOAT: u8 = 5;
    pub(in crate::value) const STR: u8 = 6;
    pub(in crate::value) const ARRAY: u8 = 7;
    pub(in crate::value) const OBJECT: u8 = 8;
}

const MORE: u8 = 0x40;
const SIX_BITS: u8 = 0x3f;

/// The longest number: 64 bits in groups of six.
const MAX_GROUPS: usize = 11;

/// A number as it is written.
pub(super) struct Groups {
    bytes: [u8; MAX_GROUPS],
    used: usize,
}

impl Groups {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }
}

/// A length that takes one byte.
#[inline]
pub(super) fn short(len: usize) -> Option<u8> {
    u8::try_from(len).ok().filter(|len| *len < MORE)
}

/// A number in at most eleven ASCII bytes, the low six bits first.
#[inline]
pub(super) fn number(mut value: u64) -> Groups {
    let mut groups = Groups { bytes: [0; MAX_GROUPS], used: 0 };
    for group in &mut groups.bytes {
        groups.used = groups.used.saturating_add(1);
        *group = (value & u64::from(SIX_BITS)) as u8;
        value >>= 6;
        if value == 0 {
            break;
        }
        *group |= MORE;
    }
    groups
}

/// Small numbers of either sign to small numbers.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ (value & 1).wrapping_neg() as i64
}

/// A length, and what comes after it.
#[inline]
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes.split_first()? {
        (first, rest) if *first < MORE => Some((usize::from(*first), rest)),
        _ => long_length(bytes),
    }
}

#[cold]
fn long_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut len: u64 = 0;
    for (group, shift) in bytes.iter().zip((0_u32..).step_by(6).take(MAX_GROUPS)) {
        len |= u64::from(group & SIX_BITS).checked_shl(shift)?;
        if *group < MORE {
            let used = usize::try_from(shift / 6).ok()?.checked_add(1)?;
            return Some((usize::try_from(len).ok()?, bytes.get(used..)?));
        }
    }
    None
}

/// The bytes after the value that these bytes begin with, which is not read.
#[inline]
fn past(bytes: &[u8]) -> Option<&[u8]> {
    let (tag, rest) = bytes.split_first()?;
    match *tag {
        tag::NULL | tag::FALSE | tag::TRUE => Some(rest),
        tag::INT | tag::UINT | tag::FLOAT => {
            rest.get(rest.iter().position(|group| *group < MORE)?.checked_add(1)?..)
        }
        _ => {
            let (len, body) = length(rest)?;
            body.get(len..)
        }
    }
}

/// A place in packed text, moving forward.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let byte = self.text.as_bytes().get(self.at).copied()?;
        self.at = self.at.saturating_add(1);
        Some(byte)
    }

    #[inline]
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        if first < MORE {
            return Some(u64::from(first));
        }
        self.long_number(first)
    }

    #[cold]
    fn long_number(&mut self, first: u8) -> Option<u64> {
        let mut value = u64::from(first & SIX_BITS);
        for shift in (6_u32..).step_by(6).take(MAX_GROUPS.saturating_sub(1)) {
            let group = self.byte()?;
            value |= u64::from(group & SIX_BITS).checked_shl(shift)?;
            if group < MORE {
                return Some(value);
            }
        }
        None
    }

    /// A length, and so many bytes.
    #[inline]
    pub(super) fn text(&mut self) -> Option<&'a str> {
        let len = usize::try_from(self.number()?).ok()?;
        let end = self.at.checked_add(len)?;
        let text = self.text.get(self.at..end)?;
        self.at = end;
        Some(text)
    }

    /// The value here.
    #[inline]
    pub(super) fn node(&mut self) -> Option<Node<'a>> {
        Some(Node(match self.byte()? {
            tag::NULL => NodeRepr::Null,
            tag::FALSE => NodeRepr::Bool(false),
            tag::TRUE => NodeRepr::Bool(true),
            tag::INT => NodeRepr::Int(unzigzag(self.number()?)),
            tag::UINT => NodeRepr::UInt(self.number()?),
            tag::FLOAT => NodeRepr::Float(f64::from_bits(self.number()?)),
            tag::STR => NodeRepr::Str(self.text()?),
            tag::ARRAY => NodeRepr::Array(self.text()?),
            tag::OBJECT => NodeRepr::Object(self.text()?),
            _ => return None,
        }))
    }

    /// The value here, found by scanning the keys of its siblings.
    #[inline]
    pub(super) fn find(self, key: &str) -> Option<Node<'a>> {
        self.find_value(key)?.node()
    }

    /// The text here, found likewise, if it is one.
    #[inline]
    pub(super) fn find_text(self, key: &str) -> Option<&'a str> {
        let mut value = self.find_value(key)?;
        if value.byte()? == tag::STR { value.text() } else { None }
    }

    fn find_value(self, key: &str) -> Option<Self> {
        let mut rest = self.text.as_bytes().get(self.at..)?;
        loop {
            let (len, after) = length(rest)?;
            let (found, value) = after.split_at_checked(len)?;
            // Keys of the same length mostly differ at their end, which is cheaper to compare than
            // the whole.
            if found.len() == key.len() && found.last() == key.as_bytes().last() && found == key.as_bytes() {
                let at = self.text.len().checked_sub(value.len())?;
                return Some(Self { text: self.text, at });
            }
            rest = past(value)?;
        }
    }
}
