//! Checks that a message fits the channel that it goes out on (SEMANTICS C): how what is too long
//! or too many is told.

use crate::Channel;
use crate::flow::content::Local;
use crate::flow::content::capacity::Capacity;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;
use crate::grapheme::TextUnit;

/// A channel's capacity, and its name for those who exceed it.
pub(crate) struct ChannelCapacity {
    pub(crate) capacity: &'static Capacity,
    /// The channel, as a message ends that names it.
    pub(super) on: String,
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
        self.texts(at, text, (most, TextUnit::Characters), fix, cx);
    }

    /// The same of a text that the channel counts in a unit of its own.
    pub(crate) fn message_text(
        &self,
        at: &Path<'_>,
        text: &Local<Template>,
        most: usize,
        fix: &str,
        cx: &mut Compile<'_>,
    ) {
        self.texts(at, text, (most, self.capacity.unit), fix, cx);
    }

    fn texts(
        &self,
        at: &Path<'_>,
        text: &Local<Template>,
        (most, unit): (usize, TextUnit),
        fix: &str,
        cx: &mut Compile<'_>,
    ) {
        for (language, template) in text.all() {
            let place = if language.is_empty() { *at } else { at.key(language) };
            let length = template.literal_len(unit);
            if length > most {
                let least = if template.as_literal().is_none() { "at least " } else { "" };
                let (unit, on) = (unit.as_str(), &self.on);
                let message = format!("has {least}{length} {unit}, at most {most} are allowed{on}");
                cx.found.add(IssueCode::ChannelLimit, &place, message, fix);
            }
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

    /// A medium above a list.
    pub(crate) fn lacks_above_list(&self, at: &Path<'_>, cx: &mut Compile<'_>) {
        let message = format!("must be a line above a list{}", self.on);
        cx.found.add(IssueCode::ChannelLimit, at, message, "give it a `text`, or send the medium before");
    }

    /// A label that two buttons have.
    pub(crate) fn same_label(&self, at: &Path<'_>, label: &str, cx: &mut Compile<'_>) {
        let message = format!("label {:?} appears twice, which is refused{}", brief(label), self.on);
        cx.found.add(IssueCode::ChannelLimit, at, message, "give one of them another label");
    }

    /// A form that the channel does not have.
    pub(crate) fn lacks(&self, at: &Path<'_>, cx: &mut Compile<'_>) {
        let message = format!("cannot be sent{}", self.on);
        cx.found.add(IssueCode::ChannelLimit, at, message, "say it in another form, such as a text");
    }
}
