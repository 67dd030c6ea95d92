//! A contact's messages to a question that is not answered by them (SEMANTICS I10, N4).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::session::MessageDetails;
use crate::session::message::beyond;
use crate::value::Packed;

/// Media of one reply, at most.
const MOST_MEDIA: usize = 30;

/// The messages since the session came to the question that it waits at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartialReply {
    /// Answers that were not valid.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) invalid: u32,
    /// Texts of one reply, while more may come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Arc<str>>,
    /// Media of one reply, while more may come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) media: Vec<Packed>,
    /// The channel's id of the last message of one reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Arc<str>>,
    /// Its further details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) details: Option<Arc<MessageDetails>>,
    /// When the latest message of one reply was sent, where that is not the last that came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) latest: Option<DateTime<Utc>>,
    /// When it is taken to be whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<DateTime<Utc>>,
}

impl PartialReply {
    /// Adds a part; what would make the whole longer than `most` bytes is cut. Returns whether
    /// nothing was.
    pub(crate) fn push(&mut self, text: Arc<str>, most: usize) -> bool {
        let joined = self.parts.iter().map(|part| part.len() + 1).sum::<usize>();
        let room = most.saturating_sub(joined);
        if text.len() <= room && joined <= most {
            self.parts.push(text);
            return true;
        }
        let cut = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        if let Some(text) = text.get(..cut).filter(|text| !text.is_empty()) {
            self.parts.push(text.into());
        }
        false
    }

    /// Notes which message came last.
    pub(crate) fn note(&mut self, id: Option<Arc<str>>, details: Option<Arc<MessageDetails>>) {
        let at = |details: &Option<Arc<MessageDetails>>| details.as_ref().and_then(|details| details.at);
        self.latest = beyond(self.latest.max(at(&self.details)), at(&details));
        (self.id, self.details) = (id, details);
    }

    /// Adds a medium. Returns whether there is room for one more, of all together `most` bytes.
    pub(crate) fn push_medium(&mut self, medium: Packed, most: usize) -> bool {
        self.media.push(medium);
        let taken = self.media.iter().map(Packed::byte_len).sum::<usize>();
        self.media.len() < MOST_MEDIA && taken < most
    }

    /// Returns the number of messages of the reply.
    pub(crate) fn count(&self) -> usize {
        self.parts.len() + self.media.len()
    }

    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        let parts = self.parts.iter().map(|part| size_of::<Arc<str>>() + part.len());
        let media = self.media.iter().map(|medium| size_of::<Packed>() + medium.byte_len());
        parts.chain(media).sum()
    }
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_reply_are_together_no_longer_than_a_text_may_be() {
        let mut heard = PartialReply::default();
        assert!(heard.push("abc".into(), 8));
        assert!(heard.push("de".into(), 8));
        assert!(!heard.push("ün".into(), 8));
        assert_eq!(heard.parts.join("\n"), "abc\nde");
        let mut heard = PartialReply::default();
        assert!(heard.push("abc".into(), 8));
        assert!(!heard.push("ünnn".into(), 8), "cut behind a whole character");
        assert_eq!(heard.parts.join("\n"), "abc\nünn");
    }
}
