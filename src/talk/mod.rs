//! Talks: a conversation as a text that people read, write and run again. The guide
//! `docs/talks.md` has the grammar.
//!
//! ```text
//! ! context {"name": "Ada"}
//! < Hi Ada, shall we? [Yes] [No]
//! = waiting at wait
//! @ +10m
//! > [Yes]
//! < You said …
//! = completed at bye
//! ```
//!
//! Lines with `>`, `@` and `!` are [acts](Act): the contact's, the clock's, the host's. All others
//! say what comes of them. A [`Transcript`] prints such lines, a [`Talk`] is read from them, and
//! [`Played`] compares the two.

mod act;
mod expected;
mod line;
mod order;
mod read;
mod shown;
mod text;
mod transcript;

pub use act::Act;
pub use expected::{Difference, Played};
pub use line::Line;
pub use read::{InvalidTalk, Talk, TalkLine, TalkPart};
pub use transcript::Transcript;

pub(crate) use expected::Comparison;
pub(crate) use transcript::sent;

/// The version of the dialect that this crate reads and writes.
pub const TALK_VERSION: u32 = 1;
