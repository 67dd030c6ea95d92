//! Output that takes so many characters and is cut there, between two characters.

use std::borrow::Cow;
use std::fmt;

/// The output. Characters are counted only near the end.
pub(super) struct TextSink {
    pub(super) out: String,
    /// Characters it takes.
    max: usize,
    /// Characters up to the byte `counted`.
    chars: usize,
    counted: usize,
    /// Bytes that surely fit, since a text has at most as many characters as bytes.
    room: usize,
}

impl TextSink {
    pub(super) fn new(out: String, max: usize) -> Self {
        Self { out, max, chars: 0, counted: 0, room: max }
    }

    #[inline]
    pub(super) fn push(&mut self, text: &str) -> fmt::Result {
        if text.len() > self.room {
            return self.push_near_the_end(text);
        }
        self.out.push_str(text);
        self.room = self.room.saturating_sub(text.len());
        Ok(())
    }

    #[cold]
    fn push_near_the_end(&mut self, text: &str) -> fmt::Result {
        let uncounted = self.out.get(self.counted..).unwrap_or_default();
        self.chars = self.chars.saturating_add(uncounted.chars().count());
        self.counted = self.out.len();
        let left = self.max.saturating_sub(self.chars);
        let fitting = first(text, left);
        self.out.push_str(fitting);
        self.room = left.saturating_sub(fitting.len());
        if fitting.len() < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

impl fmt::Write for TextSink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text)
    }
}

/// At most so many characters of a text.
#[inline]
pub(super) fn cut(text: Cow<'_, str>, max: usize) -> Cow<'_, str> {
    if text.len() <= max {
        return text;
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(first(text, max)),
        Cow::Owned(mut text) => {
            text.truncate(first(&text, max).len());
            Cow::Owned(text)
        }
    }
}

fn first(text: &str, chars: usize) -> &str {
    let end = text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}
