//! The choices that a session offered, where they were made of data: which choice means which item
//! (SEMANTICS N10). They are kept until the question is answered, so that they hold after a restart
//! and when the data has changed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::value::Packed;

/// The choices of one message, or of one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offered {
    /// The wait that they belong to.
    pub(crate) wait: u32,
    /// True if they are what a question takes for an answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) asked: bool,
    /// True if the message shows their places.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) numbered: bool,
    pub(crate) choices: Vec<OfferedChoice>,
}

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OfferedChoice {
    pub(crate) id: Arc<str>,
    pub(crate) label: Arc<str>,
    /// Its label before it was cut or numbered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) whole: Option<Arc<str>>,
    /// Its labels in the other languages of the flow, by which it is meant too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) labels: Vec<Arc<str>>,
    /// The item that it was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<Packed>,
}

impl Offered {
    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        let each = self.choices.iter().map(|choice| {
            let item = choice.item.as_ref().map_or(0, Packed::byte_len);
            let labels = choice.labels.iter().map(|label| size_of::<Arc<str>>() + label.len());
            let texts =
                choice.id.len() + choice.label.len() + choice.whole.as_ref().map_or(0, |whole| whole.len());
            size_of::<OfferedChoice>() + texts + labels.sum::<usize>() + item
        });
        size_of::<Self>() + each.sum::<usize>()
    }

    /// The choice with an id.
    pub(crate) fn choice(&self, id: &str) -> Option<&OfferedChoice> {
        self.choices.iter().find(|choice| *choice.id == *id)
    }
}
