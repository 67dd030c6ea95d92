//! The answers that a message asks for by its form, and what there is to choose from.

use crate::flow::answer::ReplyKind;
use crate::flow::content::{MessageDef, TemplateDef, TextDef};
use crate::flow::lang::normal::normal;

impl MessageDef {
    /// True if there is nothing to choose from where its lists have no item. A list that is written
    /// out has one.
    pub(crate) fn needs_items(&self) -> bool {
        let options = self.options.as_deref().unwrap_or_default();
        let has_written =
            self.offers().next().is_some() || options.iter().any(|option| option.from.is_none());
        match &self.products {
            Some(products) => products.needs_items(),
            None => self.has_data() && !has_written && !self.sources().any(is_written_list),
        }
    }

    /// The expressions that its choices are made of.
    fn sources(&self) -> impl Iterator<Item = &str> {
        let replies = self.options.iter().chain(&self.quick_replies).flat_map(|options| options.iter());
        let of_card = self.card.as_ref().and_then(|card| card.buttons.as_deref());
        let buttons = self.buttons.as_deref().into_iter().chain(of_card).flatten();
        let sections = self.list.iter().flat_map(|list| list.sections.iter());
        let rows = sections.flat_map(|section| &section.rows);
        let of_rows = rows.filter_map(|row| row.from.as_deref());
        replies
            .filter_map(|option| option.from.as_deref())
            .chain(buttons.filter_map(|button| button.from.as_deref()))
            .chain(of_rows)
    }

    /// The choices that it offers, as far as they are written out: ids and labels.
    pub(crate) fn written_choices(&self) -> impl Iterator<Item = (&str, &TextDef)> {
        let of_card = self.card.as_ref().and_then(|card| card.buttons.as_deref());
        let of_template = self.template.iter().flat_map(|template| template.all_buttons());
        let buttons = self.buttons.as_deref().into_iter().chain(of_card).chain(of_template).flatten();
        let buttons = buttons.filter(|button| button.from.is_none());
        let buttons = buttons.filter_map(|button| Some((button.id.as_deref()?, &button.label)));
        let rows = self.list.iter().flat_map(|list| list.written_rows());
        let replies = self.options.iter().chain(&self.quick_replies).flat_map(|options| options.iter());
        let replies = replies.filter(|reply| reply.from.is_none());
        let rows = rows.map(|row| (row.id.as_str(), &row.label));
        buttons.chain(rows).chain(replies.map(|reply| (reply.id.as_str(), &reply.label)))
    }

    /// True if the contact may choose something of it that is not written out.
    pub(crate) fn offers_more(&self) -> bool {
        let has_own = |template: &TemplateDef| template.all_buttons().flatten().next().is_some();
        self.has_data()
            || self.sources().next().is_some()
            || self.native.is_some()
            || self.template.as_ref().is_some_and(|template| !has_own(template))
    }

    /// True if it asks for an answer of this kind by its form.
    pub(crate) fn asks_for(&self, kind: ReplyKind) -> bool {
        let options = self.options.as_deref().unwrap_or_default();
        match kind {
            ReplyKind::Form => self.opens_form(),
            ReplyKind::Choice => {
                self.offers().next().is_some()
                    || !options.is_empty()
                    || (self.has_data() && self.products.is_none())
            }
            ReplyKind::Location => self.asks_for_place(),
            ReplyKind::Order => self.products.is_some(),
            _ => false,
        }
    }

    /// True if it is of a form that shows no choices, with no words for them below it.
    pub(crate) fn hides<'l>(&self, mut labels: impl Iterator<Item = &'l str>) -> bool {
        let caption = self.media.as_ref().and_then(|media| media.caption.as_ref());
        let names = |caption: &str| labels.all(|label| normal(caption).contains(&*normal(label)));
        let is_silent = self.media.is_some()
            || self.location.is_some()
            || self.contacts.is_some()
            || self.reaction.is_some();
        is_silent && !caption.and_then(|caption| caption.texts().next()).is_some_and(names)
    }
}

/// True of the expression of a list that has an item: `['S', 'M']`.
pub(crate) fn is_written_list(from: &str) -> bool {
    let inside = from.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inside.is_some_and(|inside| !inside.trim().is_empty())
}
