//! What a channel can carry: one table of its limits, as its provider documents them (SEMANTICS C).

use crate::Channel;
use crate::flow::issue::{Found, IssueCode};
use crate::flow::path::Path;
use crate::flow::template::Template;

/// Limits of a text message on one channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    /// Characters of a text.
    pub(crate) text: usize,
    /// Characters of a text with choices below it.
    pub(crate) text_with_options: usize,
    /// Choices below a text.
    pub(crate) options: usize,
    /// Characters of a choice's label.
    pub(crate) label: usize,
}

impl Capacity {
    /// What is allowed where the channel is not known, or is a host's own.
    const ANY: Self = Self { text: 10_000, text_with_options: 10_000, options: 20, label: 20 };

    pub(crate) fn of(channel: Option<&Channel>) -> Self {
        match channel {
            // Up to 3 choices are buttons, up to 10 a list; both show a body of 1,024.
            Some(Channel::WhatsApp) => {
                Self { text: 4_096, text_with_options: 1_024, options: 10, ..Self::ANY }
            }
            Some(Channel::Messenger) => {
                Self { text: 2_000, text_with_options: 2_000, options: 13, ..Self::ANY }
            }
            Some(Channel::Instagram) => {
                Self { text: 1_000, text_with_options: 1_000, options: 13, ..Self::ANY }
            }
            // Ten parts of 153 characters.
            Some(Channel::Sms) => Self { text: 1_530, text_with_options: 1_530, options: 10, ..Self::ANY },
            _ => Self::ANY,
        }
    }
}

/// Whether a channel carries a text with so many choices below it.
pub(crate) fn check_text(
    at: &Path<'_>,
    channel: Option<&Channel>,
    text: &Template,
    options: usize,
    found: &mut Found,
) {
    let capacity = Capacity::of(channel);
    let most = if options > 0 { capacity.text_with_options } else { capacity.text };
    let length = text.literal_len();
    if length > most {
        let least = if text.as_literal().is_none() { "at least " } else { "" };
        let message = format!("has {least}{length} characters, at most {most} are allowed{}", on(channel));
        found.add(IssueCode::ChannelLimit, at, message, "shorten it, or send two messages");
    }
}

/// Whether a channel shows so many choices below a text.
pub(crate) fn check_options(at: &Path<'_>, channel: Option<&Channel>, options: usize, found: &mut Found) {
    let most = Capacity::of(channel).options;
    if options > most {
        let message = format!("are {options}, at most {most} are allowed{}", on(channel));
        found.add(IssueCode::ChannelLimit, at, message, "offer fewer choices");
    }
}

fn on(channel: Option<&Channel>) -> String {
    channel.map(|channel| format!(" on {channel}")).unwrap_or_default()
}
