//! Rendered content, held to what its channel can carry (SEMANTICS D8): a plain text that is too
//! long goes out in pieces, other texts are cut, and what the channel would refuse is not sent.

use std::sync::Arc;

use crate::flow::content::Capacity;
use crate::flow::{MediaType, Step};
use crate::grapheme::{pieces, within};
use crate::id::MessageId;
use crate::kernel::offer::cut;
use crate::kernel::turn::{Move, Run};
use crate::observer::{ContentFault, EventKind};
use crate::session::{
    Card, Content, Header, Link, List, Media, NativeMessage, Opt, Parameters, ProductMessage, Route,
    TemplateMessage,
};

impl Run<'_> {
    /// Sends what was rendered, as its channel can carry it; answers the id of the last message.
    /// None: the channel would refuse it, and it is not sent. A form that the channel does not have
    /// is the transport's where nothing else `may_refuse` it.
    pub(super) fn send_fitted(
        &mut self,
        step: &Step,
        route: Arc<Route>,
        content: Content,
        may_refuse: bool,
    ) -> Result<Option<MessageId>, Move> {
        let capacity = Capacity::of(Some(&route.account.channel));
        if fits(&content, capacity) {
            return self.send(step, route, content).map(Some);
        }
        self.send_unfit(step, route, content, (capacity, may_refuse))
    }

    #[cold]
    fn send_unfit(
        &mut self,
        step: &Step,
        route: Arc<Route>,
        mut content: Content,
        (capacity, may_refuse): (&Capacity, bool),
    ) -> Result<Option<MessageId>, Move> {
        let is_other = |native: &NativeMessage| native.channel != route.account.channel;
        let foreign = matches!(&content, Content::Native(native) if is_other(native)).then_some("native");
        if let Some(part) = foreign.or_else(|| lacking(&content, capacity)).filter(|_| may_refuse) {
            self.refuse_content(part, ContentFault::Lacking);
            return Ok(None);
        }
        if let Some(part) = empty(&content) {
            self.refuse_content(part, ContentFault::Empty);
            return Ok(None);
        }
        let mut cut = Cut { capacity, parts: Vec::new() };
        cut.content(&mut content);
        for part in cut.parts {
            let (session, node) = (self.session.id, self.session.at.clone());
            self.note(EventKind::ContentCut { session, node, part });
        }
        let Content::Text { text, options } = &content else {
            return self.send(step, route, content).map(Some);
        };
        if !options.is_empty() || within(text, capacity.text).len() == text.len() {
            return self.send(step, route, content).map(Some);
        }
        let mut last = None;
        for piece in pieces(text, capacity.text) {
            let content = Content::Text { text: piece.to_owned(), options: Vec::new() };
            last = Some(self.send(step, Arc::clone(&route), content)?);
        }
        Ok(last)
    }

    fn refuse_content(&mut self, part: &'static str, fault: ContentFault) {
        let (session, node) = (self.session.id, self.session.at.clone());
        self.because(|_| format!("`{part}` {}", fault.says()));
        self.note(EventKind::ContentRefused { session, node, part, fault });
    }
}

/// True if a text, the usual message, needs no closer look: bytes are no fewer than characters.
fn fits(content: &Content, capacity: &Capacity) -> bool {
    match content {
        Content::Text { text, options } if options.is_empty() => {
            text.len() <= capacity.text && !is_blank(text)
        }
        Content::Text { text, options } => {
            let fits = |option: &Opt| {
                option.label.len() <= capacity.label
                    && !is_blank(&option.label)
                    && option.description.is_none()
            };
            text.len() <= capacity.text_with_options
                && !is_blank(text)
                && options.len() <= capacity.options
                && options.iter().all(fits)
        }
        Content::Typing { .. } => true,
        _ => false,
    }
}

fn is_blank(text: &str) -> bool {
    text.trim_start().is_empty()
}

/// The part of a message that its channel does not have.
fn lacking(content: &Content, capacity: &Capacity) -> Option<&'static str> {
    let (lacks, part) = match content {
        Content::Buttons(buttons) if !buttons.links.is_empty() && capacity.links == 0 => (true, "links"),
        Content::Buttons(buttons) if !capacity.mixes_links => {
            (!buttons.links.is_empty() && !buttons.options.is_empty(), "links")
        }
        Content::Buttons(_) => (capacity.buttons == 0, "buttons"),
        Content::List(_) => (capacity.rows == 0, "list"),
        Content::QuickReplies(_) => (capacity.quick_replies == 0, "quick_replies"),
        Content::Media(media) => (!capacity.media.contains(&media.kind), "media"),
        Content::Location(_) => (!capacity.location, "location"),
        Content::Template(_) => (!capacity.template, "template"),
        Content::Card(_) => (capacity.card == 0, "card"),
        Content::Form(_) => (!capacity.form, "form"),
        Content::LocationRequest { .. } => (!capacity.location_request, "location_request"),
        Content::Products(_) => (capacity.products == 0, "products"),
        Content::Contacts { .. } => (capacity.contacts == 0, "contacts"),
        Content::Reaction { .. } => (!capacity.reaction, "reaction"),
        _ => (false, ""),
    };
    lacks.then_some(part)
}

/// The part of a message that says nothing, though the message makes no sense without it.
fn empty(content: &Content) -> Option<&'static str> {
    let blank_label = |options: &[Opt]| options.iter().any(|option| is_blank(&option.label));
    match content {
        Content::Template(template) => {
            let is_empty = |parameters: &Parameters| match parameters {
                Parameters::Positional(values) => values.iter().any(|value| is_blank(value)),
                Parameters::Named(values) => values.values().any(|value| is_blank(value)),
            };
            let mut all = template.cards.iter().map(|card| &card.parameters).chain([&template.parameters]);
            all.any(is_empty).then_some("parameters")
        }
        Content::Products(products) => products.text.as_deref().is_some_and(is_blank).then_some("text"),
        Content::Contacts { cards } => cards.iter().any(|card| is_blank(&card.name)).then_some("name"),
        Content::Reaction { message, .. } => is_blank(message).then_some("to"),
        Content::Media(_) | Content::Location(_) | Content::Native(_) | Content::Typing { .. } => None,
        Content::Card(card) if is_blank(&card.title) => Some("title"),
        other if is_blank(other.text()) => Some("text"),
        other => blank_label(other.options()).then_some("label"),
    }
}

/// Cuts what is too long or too many, and remembers which parts were.
struct Cut<'a> {
    capacity: &'a Capacity,
    parts: Vec<&'static str>,
}

impl Cut<'_> {
    fn note(&mut self, part: &'static str) {
        if !self.parts.contains(&part) {
            self.parts.push(part);
        }
    }

    fn text(&mut self, part: &'static str, text: &mut String, most: usize) {
        if text.len() <= most {
            return;
        }
        let kept = cut(text, most);
        if kept != *text {
            *text = kept;
            self.note(part);
        }
    }

    fn optional(&mut self, part: &'static str, text: &mut Option<String>, most: usize) {
        if let Some(text) = text {
            self.text(part, text, most);
        }
        if text.as_ref().is_some_and(String::is_empty) {
            *text = None;
        }
    }

    fn count<T>(&mut self, part: &'static str, items: &mut Vec<T>, most: usize) {
        if items.len() > most {
            items.truncate(most);
            self.note(part);
        }
    }

    fn labels(&mut self, options: &mut [Opt], most: usize) {
        for option in options {
            self.text("label", &mut option.label, most);
            if let Some(description) = &mut option.description {
                let mut text = String::from(std::mem::take(description));
                self.text("description", &mut text, self.capacity.description);
                *description = text.into();
            }
        }
    }

    fn buttons(&mut self, options: &mut Vec<Opt>, links: &mut Vec<Link>) {
        let (most, label) = (self.capacity.buttons, self.capacity.button);
        if most > 0 {
            self.count("buttons", options, most);
            self.count("buttons", links, self.capacity.links.min(most.saturating_sub(options.len())));
        }
        self.labels(options, label);
        links.iter_mut().for_each(|link| self.text("label", &mut link.label, label));
    }

    fn content(&mut self, content: &mut Content) {
        let capacity = self.capacity;
        match content {
            Content::Text { text, options } if !options.is_empty() => {
                self.text("text", text, capacity.text_with_options);
                self.count("options", options, capacity.options);
                self.labels(options, capacity.label);
            }
            Content::Media(media) => self.media(media),
            Content::Buttons(buttons) => {
                self.text("text", &mut buttons.text, capacity.body);
                self.buttons(&mut buttons.options, &mut buttons.links);
                self.surround(&mut buttons.header, &mut buttons.footer);
            }
            Content::List(list) => self.list(list),
            Content::QuickReplies(replies) => {
                self.text("text", &mut replies.text, capacity.text);
                if capacity.quick_replies > 0 {
                    self.count("quick_replies", &mut replies.options, capacity.quick_replies);
                }
                self.labels(&mut replies.options, capacity.quick_reply);
            }
            Content::Card(card) => self.card(card),
            Content::Template(template) => self.template(template),
            Content::Form(form) => {
                self.text("text", &mut form.text, capacity.body);
                self.surround(&mut form.header, &mut form.footer);
            }
            Content::LocationRequest { text } => self.text("text", text, capacity.body),
            Content::Products(products) => self.products(products),
            Content::Contacts { cards } => {
                if capacity.contacts > 0 {
                    self.count("contacts", cards, capacity.contacts);
                }
            }
            Content::Text { .. }
            | Content::Location(_)
            | Content::Reaction { .. }
            | Content::Native(_)
            | Content::Typing { .. } => {}
        }
    }

    fn media(&mut self, media: &mut Media) {
        let has_caption = !matches!(media.kind, MediaType::Audio | MediaType::Sticker);
        let most = if has_caption { self.capacity.caption } else { 0 };
        self.optional("caption", &mut media.caption, most);
    }

    fn list(&mut self, list: &mut List) {
        let capacity = self.capacity;
        self.text("text", &mut list.text, capacity.body);
        self.text("button", &mut list.button, capacity.list_button);
        if capacity.rows > 0 && list.keep(capacity.rows) {
            self.note("list");
        }
        self.surround(&mut list.header, &mut list.footer);
        list.titles_mut().for_each(|title| self.text("title", title, capacity.row));
        self.labels(&mut list.options, capacity.row);
    }

    fn products(&mut self, products: &mut ProductMessage) {
        if let Some(text) = &mut products.text {
            self.text("text", text, self.capacity.body);
        }
        if self.capacity.products > 0 {
            self.count("sections", &mut products.sections, self.capacity.product_sections);
        }
        self.surround(&mut products.header, &mut products.footer);
    }

    fn card(&mut self, card: &mut Card) {
        if self.capacity.card > 0 {
            self.text("title", &mut card.title, self.capacity.card);
            self.optional("subtitle", &mut card.subtitle, self.capacity.subtitle);
        }
        self.buttons(&mut card.options, &mut card.links);
    }

    /// Where the channel has no header and no footer the transport may have a way for them.
    fn surround(&mut self, header: &mut Option<Header>, footer: &mut Option<String>) {
        let most = self.capacity.header;
        if most == 0 {
            return;
        }
        if let Some(Header::Text(text)) = header {
            self.text("header", text, most);
        }
        self.optional("footer", footer, most);
    }

    fn template(&mut self, template: &mut TemplateMessage) {
        // Those of cards were counted when the flow was checked.
        if self.capacity.template_buttons > 0 && template.cards.is_empty() {
            self.count("buttons", &mut template.options, self.capacity.template_buttons);
        }
    }
}
