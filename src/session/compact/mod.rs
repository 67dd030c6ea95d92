//! The compact form of a record: the same values that JSON has, in a quarter of the bytes. Names of
//! fields are numbers; times, ids, telephone numbers and texts that were there before are numbers,
//! too. A text comes back as it was to the last byte, whatever it looks like, so that nothing
//! depends on the types behind it.
//!
//! Each value begins with one byte:
//!
//! | byte | value |
//! |---|---|
//! | `00`-`5f` | the text of this number in the list of words |
//! | `60`-`7f` | the number 0-31 |
//! | `80`-`9f` | a text of 0-31 bytes, which follow |
//! | `a0`-`af` | a list of 0-15 values |
//! | `b0`-`cf` | a map of 0-31 entries: a text and a value each |
//! | `d0` and more | the constants of this module; their counts and numbers are LEB128 |

mod read;
mod text;
mod words;
mod write;

#[cfg(test)]
mod tests;

pub(super) use read::from_slice;
pub(super) use write::to_writer;

const SMALL: u8 = 0x60;
const TEXT: u8 = 0x80;
const LIST: u8 = 0xa0;
const MAP: u8 = 0xb0;
const NULL: u8 = 0xd0;
const FALSE: u8 = 0xd1;
const TRUE: u8 = 0xd2;
/// A number of 32 and more.
const NUMBER: u8 = 0xd3;
/// A number below zero: that of -1 is 0.
const NEGATIVE: u8 = 0xd4;
/// Eight bytes.
const FLOAT: u8 = 0xd5;
/// A count of bytes, and the bytes.
const LONG_TEXT: u8 = 0xd6;
/// A count, and the values.
const LONG_LIST: u8 = 0xd7;
/// A count, and the entries.
const LONG_MAP: u8 = 0xd8;
/// A list whose length nobody knew beforehand, up to `END`.
const OPEN_LIST: u8 = 0xd9;
/// The same of a map.
const OPEN_MAP: u8 = 0xda;
const END: u8 = 0xdb;
/// A number of the list of words above 0x5f, less 0x60, in a byte.
const WORD: u8 = 0xdc;
/// A text that was there before, by its number.
const KNOWN: u8 = 0xdd;
/// A time as milliseconds after the time before, or after 1970 for the first; even numbers lie
/// ahead.
const TIME: u8 = 0xde;
/// An id of 36 characters, as 16 bytes.
const UUID: u8 = 0xdf;
/// The same, and a text behind it.
const UUID_AND: u8 = 0xe0;
/// 32 hexadecimal digits, as 16 bytes.
const HEX: u8 = 0xe1;
/// `+` and digits.
const PHONE: u8 = 0xe2;

/// Values nest so deep, at most.
const DEPTH: u32 = 128;
/// Bytes of a text that is known by its number from then on.
const KNOWN_BYTES: std::ops::RangeInclusive<usize> = 4..=128;
/// Texts that are known by their numbers, at most.
const MOST_KNOWN: usize = 256;

/// The reason a value has no compact form, or bytes are none.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct CompactError(String);

impl CompactError {
    fn new(what: &str) -> Self {
        Self(what.to_owned())
    }
}

impl serde::ser::Error for CompactError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl serde::de::Error for CompactError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// The texts of a record that are known by their numbers, in the order in which they came.
#[derive(Default)]
struct KnownTexts {
    all: String,
    ends: Vec<usize>,
}

impl KnownTexts {
    fn get(&self, number: usize) -> Option<&str> {
        let begin = match number.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.all.get(begin..*self.ends.get(number)?)
    }

    fn find(&self, text: &str) -> Option<usize> {
        (0..self.ends.len()).find(|number| self.get(*number) == Some(text))
    }

    /// Keeps a text if it is worth a number. Readers and writers keep the same ones.
    fn keep(&mut self, text: &str) {
        if KNOWN_BYTES.contains(&text.len()) && self.ends.len() < MOST_KNOWN {
            self.all.push_str(text);
            self.ends.push(self.all.len());
        }
    }
}
