//! Rendered content, held to what its channel can carry (SEMANTICS D8): a plain text that is too
//! long goes out in pieces, other texts are cut, and what the channel would refuse is not sent.

use std::sync::Arc;

use crate::flow::Step;
use crate::flow::content::{Capacity, is_whole, lies_at, opens};
use crate::grapheme::{TextUnit, pieces};
use crate::id::MessageId;
use crate::kernel::offer::{cut_in, is_blank, tell_apart, tell_rows_apart};
use crate::kernel::turn::{Move, Run};
use crate::observer::{ContentFault, EventKind};
use crate::session::{
    Card, Content, Header, Link, List, Media, NativeMessage, Parameters, ProductMessage, ReplyOption, Route,
    TemplateMessage,
};

/// A message that was sent: the id of its last piece, and the number of those before it.
type SentPieces = (MessageId, u32);

impl Run<'_> {
    /// Sends what was rendered, with the subject that a letter has, as its channel can carry it.
    /// None: the channel would refuse it, and it is not sent. A form that the channel does not have
    /// is the transport's where nothing else `may_refuse` it.
    pub(super) fn send_fitted(
        &mut self,
        step: &Step,
        route: Arc<Route>,
        (content, subject): (Content, Option<Box<str>>),
        may_refuse: bool,
    ) -> Result<Option<SentPieces>, Move> {
        let capacity = Capacity::of(Some(&route.account.channel));
        if fits(&content, capacity) {
            return self.send(step, route, content, subject).map(|id| Some((id, 0)));
        }
        self.send_unfit(step, route, (content, subject), (capacity, may_refuse))
    }

    #[cold]
    fn send_unfit(
        &mut self,
        step: &Step,
        route: Arc<Route>,
        (mut content, subject): (Content, Option<Box<str>>),
        (capacity, may_refuse): (&Capacity, bool),
    ) -> Result<Option<SentPieces>, Move> {
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
        if let Some(part) = lost(&content, capacity) {
            self.refuse_content(part, ContentFault::Invalid);
            return Ok(None);
        }
        let mut cut = Cut { capacity, parts: Vec::new() };
        cut.content(&mut content);
        cut.parts.into_iter().for_each(|part| self.note_cut(part));
        if let Content::Text { text, options } = &content
            && options.is_empty()
            && capacity.unit.count(text) > capacity.text
        {
            let mut sent: Option<SentPieces> = None;
            for piece in pieces(text, capacity.text, capacity.unit) {
                let content = Content::Text { text: piece.to_owned(), options: Vec::new() };
                let id = self.send(step, Arc::clone(&route), content, subject.clone())?;
                sent = Some((id, sent.map_or(0, |(_, before)| before.saturating_add(1))));
            }
            return Ok(sent);
        }
        self.send(step, route, content, subject).map(|id| Some((id, 0)))
    }

    /// Tells that a part of a message was cut.
    pub(super) fn note_cut(&mut self, part: &'static str) {
        let (session, node) = (self.session.id, self.session.at.clone());
        self.note(EventKind::ContentCut { session, node, part });
    }

    fn refuse_content(&mut self, part: &'static str, fault: ContentFault) {
        self.because(|_| format!("`{part}` {}", fault.says()));
        self.note_refused(part, fault);
    }

    /// Refuses a message with an invalid place, and says why.
    pub(super) fn refuse_place(&mut self, why: String) {
        self.because(|_| why);
        self.note_refused("location", ContentFault::Invalid);
    }

    fn note_refused(&mut self, part: &'static str, fault: ContentFault) {
        let (session, node) = (self.session.id, self.session.at.clone());
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
            let fits = |option: &ReplyOption| {
                option.label.len() <= capacity.label
                    && !is_blank(&option.label)
                    && option.description.is_none()
            };
            text.len() <= capacity.text_with_options
                && !is_blank(text)
                && options.len() <= capacity.options
                && options.iter().all(fits)
                && (!capacity.unique_buttons || have_own_labels(options))
        }
        Content::Typing { .. } => true,
        _ => false,
    }
}

fn have_own_labels(options: &[ReplyOption]) -> bool {
    (1..)
        .zip(options)
        .all(|(next, option)| options.iter().skip(next).all(|other| other.label != option.label))
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
    let first =
        |parts: &[(bool, &'static str)]| parts.iter().find(|(is_empty, _)| *is_empty).map(|part| part.1);
    let blank_label = |options: &[ReplyOption]| options.iter().any(|option| is_blank(&option.label));
    let blank = |text: &Option<String>| text.as_deref().is_some_and(is_blank);
    let parts: &[(bool, &'static str)] = match content {
        Content::Template(template) => return empty_in_template(template),
        Content::Products(products) => &[
            (blank(&products.text), "text"),
            (blank(&products.catalog), "catalog"),
            (blank(&products.product), "id"),
        ],
        Content::Contacts { cards } => &[(cards.iter().any(|card| is_blank(&card.name)), "name")],
        Content::Reaction { message, emoji } => {
            &[(is_blank(message), "to"), (!emoji.is_empty() && is_blank(emoji), "emoji")]
        }
        Content::Media(media) => &[(is_blank(&media.url), "url")],
        Content::Native(native) => &[(!native.body.is_object(), "body")],
        Content::Location(_) | Content::Typing { .. } => &[],
        Content::Form(form) => &[
            (is_blank(&form.text), "text"),
            (is_blank(&form.form), "id"),
            (is_blank(&form.button), "button"),
        ],
        Content::List(list) => &[
            (is_blank(&list.text), "text"),
            (is_blank(&list.button), "button"),
            (blank_label(&list.options), "label"),
        ],
        other => {
            let text = if matches!(other, Content::Card(_)) { "title" } else { "text" };
            &[
                (is_blank(other.text()), text),
                (blank_label(other.options()), "label"),
                (other.links().iter().any(|link| is_blank(&link.label)), "label"),
                (other.links().iter().any(|link| is_blank(&link.url)), "url"),
            ]
        }
    };
    first(parts)
}

/// The same of an approved message: each of its gaps.
fn empty_in_template(template: &TemplateMessage) -> Option<&'static str> {
    let is_empty = |parameters: &Parameters| match parameters {
        Parameters::Positional(values) => values.iter().any(|value| is_blank(value)),
        Parameters::Named(values) => values.values().any(|value| is_blank(value)),
    };
    let mut all = template.cards.iter().map(|card| &card.parameters).chain([&template.parameters]);
    let mut headers = template.cards.iter().map(|card| &card.header).chain([&template.header]);
    let mut others = template.cards.iter().flat_map(|card| &card.others).chain(&template.others);
    let parts = [
        (is_blank(&template.language), "language"),
        (all.any(is_empty), "parameters"),
        (headers.any(|header| header.as_ref().is_some_and(Header::is_blank)), "header"),
        (template.links.iter().any(|link| is_blank(&link.url)), "url"),
        (others.any(|other| other.code.as_deref().is_some_and(is_blank)), "code"),
    ];
    parts.into_iter().find(|(is_empty, _)| *is_empty).map(|(_, part)| part)
}

/// The part of a message that names an address at which nothing is.
fn lost(content: &Content, capacity: &Capacity) -> Option<&'static str> {
    let (lost_file, part) = match content {
        Content::Media(media) => (!lies_at(capacity, &media.url), "url"),
        Content::Template(template) => {
            let mut headers = template.cards.iter().map(|card| &card.header).chain([&template.header]);
            (headers.any(|header| is_lost_file(header.as_ref(), capacity)), "header")
        }
        _ => (false, ""),
    };
    let is_lost = |link: &Link| match content {
        // An approved message holds the rest of its addresses.
        Content::Template(_) => is_whole(capacity, &link.url),
        _ => !opens(capacity, &link.url),
    };
    if lost_file { Some(part) } else { content.links().iter().any(is_lost).then_some("url") }
}

fn is_lost_file(header: Option<&Header>, capacity: &Capacity) -> bool {
    matches!(header, Some(Header::Media(media)) if !lies_at(capacity, &media.url))
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
        self.text_in(part, text, most, TextUnit::Characters);
    }

    /// The same of a text that the channel counts in a unit of its own.
    fn text_in(&mut self, part: &'static str, text: &mut String, most: usize, unit: TextUnit) {
        if text.len() <= most {
            return;
        }
        let kept = cut_in(text, most, unit);
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

    fn labels(&mut self, options: &mut [ReplyOption], most: usize) {
        for option in options {
            self.text("label", &mut option.label, most);
            if let Some(description) = &mut option.description {
                let mut text = String::from(std::mem::take(description));
                self.text("description", &mut text, self.capacity.description);
                *description = text.into();
            }
        }
    }

    /// Rows of a list: the whole label of one that is cut is the line below it, where it has none.
    fn rows(&mut self, options: &mut [ReplyOption]) {
        let (most, room) = (self.capacity.row, self.capacity.description);
        for option in options.iter_mut().filter(|option| option.description.is_none() && room > 0) {
            if TextUnit::Characters.count(&option.label) > most {
                option.description = Some(cut_in(&option.label, room, TextUnit::Characters).into());
            }
        }
        self.labels(options, most);
    }

    /// Rows of one section that look the same are numbered.
    fn own_rows(&self, options: &mut [ReplyOption]) {
        let rows = options.iter_mut();
        let rows = rows.map(|option| (&mut option.label, option.description.as_deref()));
        tell_rows_apart(rows, self.capacity.row);
    }

    /// Choices below a text, which are buttons or, where the channel has lists for them, rows.
    fn choices(&mut self, options: &mut [ReplyOption]) {
        let has_lines = options.iter().any(|option| option.description.is_some());
        if self.capacity.are_rows(options.len(), has_lines) {
            self.rows(options);
            return self.own_rows(options);
        }
        self.labels(options, self.capacity.label);
        self.own_labels(options, self.capacity.label);
    }

    /// Buttons, up to `most` of them.
    fn buttons(&mut self, options: &mut Vec<ReplyOption>, links: &mut Vec<Link>, most: usize) {
        let label = self.capacity.button;
        if most > 0 {
            self.count("buttons", options, most);
            self.count("buttons", links, self.capacity.links.min(most.saturating_sub(options.len())));
        }
        self.labels(options, label);
        links.iter_mut().for_each(|link| self.text("label", &mut link.label, label));
        self.own_labels(options, label);
    }

    /// Labels of buttons that are the same are numbered where the channel refuses such.
    fn own_labels(&mut self, options: &mut [ReplyOption], most: usize) {
        let are_buttons = options.len() <= self.capacity.buttons
            && options.iter().all(|option| option.description.is_none());
        if self.capacity.unique_buttons && are_buttons {
            tell_apart(options.iter_mut().map(|option| &mut option.label).collect(), most);
        }
    }

    fn content(&mut self, content: &mut Content) {
        let capacity = self.capacity;
        match content {
            Content::Text { text, options } if !options.is_empty() => {
                self.text_in("text", text, capacity.text_with_options, capacity.unit);
                self.count("options", options, capacity.options);
                self.choices(options);
            }
            Content::Media(media) => self.media(media),
            Content::Buttons(buttons) => {
                self.text("text", &mut buttons.text, capacity.body);
                self.buttons(&mut buttons.options, &mut buttons.links, capacity.buttons);
                self.surround(&mut buttons.header, &mut buttons.footer);
            }
            Content::List(list) => self.list(list),
            Content::QuickReplies(replies) => {
                self.text_in("text", &mut replies.text, capacity.text, capacity.unit);
                if capacity.quick_replies == 0 && capacity.lists_options {
                    self.count("quick_replies", &mut replies.options, capacity.options);
                    self.choices(&mut replies.options);
                    return;
                }
                if capacity.quick_replies > 0 {
                    self.count("quick_replies", &mut replies.options, capacity.quick_replies);
                }
                self.labels(&mut replies.options, capacity.quick_reply);
            }
            Content::Card(card) => self.card(card),
            Content::Template(template) => self.template(template),
            Content::Form(form) => {
                self.text("text", &mut form.text, capacity.body);
                self.text("button", &mut form.button, capacity.list_button);
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
        self.optional("caption", &mut media.caption, self.capacity.caption_of(media.kind));
    }

    fn list(&mut self, list: &mut List) {
        let capacity = self.capacity;
        self.text("text", &mut list.text, capacity.list_body);
        self.text("button", &mut list.button, capacity.list_button);
        if capacity.rows > 0 && list.keep(capacity.rows) {
            self.note("list");
        }
        if !capacity.list_media && matches!(list.header, Some(Header::Media(_))) {
            list.header = None;
            self.note("header");
        }
        self.surround(&mut list.header, &mut list.footer);
        list.titles_mut().for_each(|title| self.text("title", title, capacity.row));
        self.rows(&mut list.options);
        list.sections_mut().for_each(|rows| self.own_rows(rows));
    }

    fn products(&mut self, products: &mut ProductMessage) {
        if let Some(text) = &mut products.text {
            self.text("text", text, self.capacity.body);
        }
        if self.capacity.products > 0 {
            self.count("sections", &mut products.sections, self.capacity.product_sections);
        }
        let titles = products.sections.iter_mut().filter_map(|section| section.title.as_mut());
        titles.for_each(|title| self.text("title", title, self.capacity.row.max(1)));
        self.surround(&mut products.header, &mut products.footer);
    }

    fn card(&mut self, card: &mut Card) {
        if card.image.as_ref().is_some_and(|image| !lies_at(self.capacity, image)) {
            card.image = None;
            self.note("image");
        }
        if self.capacity.card > 0 {
            self.text("title", &mut card.title, self.capacity.card);
            self.optional("subtitle", &mut card.subtitle, self.capacity.subtitle);
        }
        self.buttons(&mut card.options, &mut card.links, self.capacity.card_buttons);
    }

    /// Where the channel has no header and no footer the transport may have a way for them.
    fn surround(&mut self, header: &mut Option<Header>, footer: &mut Option<String>) {
        if is_lost_file(header.as_ref(), self.capacity) {
            *header = None;
            self.note("header");
        }
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
        if let (Some(Header::Text(text)), 1..) = (&mut template.header, self.capacity.header) {
            self.text("header", text, self.capacity.header);
        }
    }
}
