//! What a contact has said to a question that is not answered by it (SEMANTICS I10, N4).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What was said since the session came to the question that it waits at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heard {
    /// Answers that were not valid.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) invalid: u32,
    /// Texts of one reply, while it may go on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Arc<str>>,
    /// When it is taken to be whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<DateTime<Utc>>,
}

impl Heard {
    /// Adds a part; what would make the whole longer than `most` bytes is cut. Answers whether
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

    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        self.parts.iter().map(|part| size_of::<Arc<str>>() + part.len()).sum()
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
        let mut heard = Heard::default();
        assert!(heard.push("abc".into(), 8));
        assert!(heard.push("de".into(), 8));
        assert!(!heard.push("ün".into(), 8));
        assert_eq!(heard.parts.join("\n"), "abc\nde");
        let mut heard = Heard::default();
        assert!(heard.push("abc".into(), 8));
        assert!(!heard.push("ünnn".into(), 8), "cut behind a whole character");
        assert_eq!(heard.parts.join("\n"), "abc\nünn");
    }
}
