//! Checks that a message fits the channel that it goes out on (SEMANTICS C): how what is too long
//! or too many is told.

use crate::Channel;
use crate::flow::content::Local;
use crate::flow::content::capacity::Capacity;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;

/// A channel's capacity, and its name for those who exceed it.
pub(crate) struct ChannelCapacity {
    pub(crate) capacity: &'static Capacity,
    on: String,
}

impl ChannelCapacity {
    pub(crate) fn of(channel: Option<&Channel>) -> Self {
        let on = channel.map(|channel| format!(" on {channel}")).unwrap_or_default();
        Self { capacity: Capacity::of(channel), on }
    }

    /// The same for the buttons of an approved message.
    pub(crate) fn in_template(&self) -> Self {
        Self { capacity: self.capacity.in_template(), on: self.on.clone() }
    }

    /// A rendered text may be longer than what is written: only what is certain is an issue.
    pub(crate) fn text(
        &self,
        at: &Path<'_>,
        text: &Local<Template>,
        most: usize,
        fix: &str,
        cx: &mut Compile<'_>,
    ) {
        for (language, template) in text.all() {
            let place = if language.is_empty() { *at } else { at.key(language) };
            self.template(&place, template, most, fix, cx);
        }
    }

    pub(crate) fn template(
        &self,
        at: &Path<'_>,
        template: &Template,
        most: usize,
        fix: &str,
        cx: &mut Compile<'_>,
    ) {
        let length = template.literal_len();
        if length > most {
            let least = if template.as_literal().is_none() { "at least " } else { "" };
            let message = format!("has {least}{length} characters, at most {most} are allowed{}", self.on);
            cx.found.add(IssueCode::ChannelLimit, at, message, fix);
        }
    }

    /// The id of a choice: the payload has the session and a wait number beside it (SEMANTICS I9).
    pub(crate) fn payload(&self, at: &Path<'_>, id: &str, cx: &mut Compile<'_>) {
        const BESIDE: usize = "cf:::".len() + 32 + "99999".len();
        let most = self.capacity.payload.saturating_sub(BESIDE);
        if id.len() > most {
            let message = format!("has {} bytes, at most {most} are allowed{}", id.len(), self.on);
            cx.found.add(IssueCode::ChannelLimit, &at.key("id"), message, "shorten it");
        }
    }

    /// Choices, rows and the like; where `most` is 0 the channel has none.
    pub(crate) fn count(&self, at: &Path<'_>, count: usize, most: usize, cx: &mut Compile<'_>) {
        if most == 0 && count > 0 {
            self.lacks(at, cx);
        } else if count > most {
            let message = format!("{count} entries, at most {most} are allowed{}", self.on);
            cx.found.add(IssueCode::ChannelLimit, at, message, "offer fewer choices");
        }
    }

    /// Buttons that open an address, beside those that answer.
    pub(crate) fn links(&self, at: &Path<'_>, replies: usize, links: usize, cx: &mut Compile<'_>) {
        let most = self.capacity.links;
        if links > most {
            let message = format!("has {links} buttons with `url`, at most {most} are allowed{}", self.on);
            cx.found.add(IssueCode::ChannelLimit, at, message, "send the other addresses in a text");
        } else if links > 0 && replies > 0 && !self.capacity.mixes_links {
            let message = format!("mixes buttons with `url` and others, which is not possible{}", self.on);
            cx.found.add(IssueCode::ChannelLimit, at, message, "send two messages");
        }
    }

    /// A form that the channel does not have.
    pub(crate) fn lacks(&self, at: &Path<'_>, cx: &mut Compile<'_>) {
        let message = format!("cannot be sent{}", self.on);
        cx.found.add(IssueCode::ChannelLimit, at, message, "say it in another form, such as a text");
    }
}
