//! The content of a message, as an author writes it, in every form: the part that `send_message`
//! and its like share. What must not live here: where a message goes, and what becomes of it.

mod address;
mod asked;
mod capacity;
mod card;
mod choice;
mod contact_card;
mod fit;
mod form;
mod header;
mod list;
mod location;
mod media;
mod media_type;
mod native;
mod offers;
mod products;
mod reaction;
mod template;
mod text;
mod visit;

use std::borrow::Cow;

use serde::Serialize;

pub use card::CardDef;
pub use choice::{ButtonDef, OptionDef};
pub use contact_card::ContactCardDef;
pub use form::FormDef;
pub use header::HeaderDef;
pub use list::{ListDef, RowDef, SectionDef};
pub use location::{CoordinateDef, LocationDef};
pub use media::MediaDef;
pub use media_type::MediaType;
pub use native::NativeDef;
pub use offers::OffersDef;
pub use products::{ProductItemDef, ProductSectionDef, ProductsDef};
pub use reaction::ReactionDef;
pub use template::{ParametersDef, TemplateCardDef, TemplateCategory, TemplateDef};
pub use text::TextDef;
pub(crate) use visit::{PlacedText, has_letters, parts};

pub(crate) use address::{is_whole, lies_at, opens};
pub(crate) use asked::is_written_list;
pub(crate) use capacity::{Capacity, LinkSchemes};
pub(crate) use card::CompiledCard;
pub(crate) use choice::{
    ButtonFill, CompiledButton, CompiledButtons, CompiledLink, compile_options, read_offer,
};
pub(crate) use contact_card::CompiledContactCard;
pub(crate) use fit::ChannelCapacity;
pub(crate) use form::CompiledForm;
pub(crate) use header::{CompiledHeader, Surround};
pub(crate) use list::{CompiledList, Section};
pub(crate) use location::{CompiledLocation, Degrees};
pub(crate) use media::CompiledMedia;
pub(crate) use native::CompiledNative;
pub(crate) use offers::{CompiledChoice, DataOffer, Offer, OfferEntry, Offers};
pub(crate) use products::CompiledProducts;
pub(crate) use reaction::CompiledReaction;
pub(crate) use template::{ApprovedTemplate, CompiledParameters, TemplateLanguage, TemplatePart};
pub(crate) use text::Local;

use crate::Channel;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::Fields;
use crate::flow::lang::context::Compile;
use crate::flow::lang::normal::normal;
use crate::flow::lang::template::Template;

/// The content of a message: a text, alone or above choices, or one of `media`, `location`,
/// `contacts`, `reaction`, `template` and `card`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MessageDef {
    /// The text, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<TextDef>,
    /// Choices below the text, which the transport shows as its channel can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<OffersDef<OptionDef>>,
    /// Buttons below the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buttons: Option<OffersDef<ButtonDef>>,
    /// A list to open below the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Box<ListDef>>,
    /// Replies below the text that vanish once one is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quick_replies: Option<OffersDef<OptionDef>>,
    /// A form to fill in below the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Box<FormDef>>,
    /// True if the text asks where the contact is, with a button that tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_request: Option<bool>,
    /// Goods of a catalogue below the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub products: Option<Box<ProductsDef>>,
    /// The header above the text of buttons, a list, a form or goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Box<HeaderDef>>,
    /// A line below the text of buttons, a list, a form or goods, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<TextDef>,
    /// The subject of a letter, a template; what is no letter is sent without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<TextDef>,
    /// A message in a channel's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native: Option<Box<NativeDef>>,
    /// An image, a sound, a film, a document or a sticker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<Box<MediaDef>>,
    /// A place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Box<LocationDef>>,
    /// Cards of people and firms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<ContactCardDef>>,
    /// A sign on a message of the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaction: Option<Box<ReactionDef>>,
    /// A message that WhatsApp has approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<Box<TemplateDef>>,
    /// A title, with a picture and buttons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<Box<CardDef>>,
}

/// A compiled message.
#[derive(Clone, Debug)]
pub(crate) enum CompiledMessage {
    Text { text: Local<Template>, options: Offers },
    Buttons { text: Local<Template>, buttons: Box<(CompiledButtons, Surround)> },
    List { text: Local<Template>, list: Box<(CompiledList, Surround)> },
    Form { text: Local<Template>, form: Box<(CompiledForm, Surround)> },
    LocationRequest { text: Local<Template> },
    Products { text: Option<Local<Template>>, products: Box<(CompiledProducts, Surround)> },
    Contacts(Box<[CompiledContactCard]>),
    Reaction(Box<CompiledReaction>),
    Native(Box<CompiledNative>),
    QuickReplies { text: Local<Template>, replies: Offers },
    Media(Box<CompiledMedia>),
    Location(Box<CompiledLocation>),
    Template(Box<ApprovedTemplate>),
    Card(Box<CompiledCard>),
}

impl MessageDef {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<TextDef>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// Reads the fields of a message among those of its node.
    pub(crate) fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        const OTHERS: [&str; 8] =
            ["media", "location", "template", "card", "native", "contacts", "reaction", "products"];
        let has_other = OTHERS.iter().any(|field| fields.has(field));
        Self {
            text: if has_other { fields.optional("text") } else { fields.required("text") },
            options: fields.optional("options"),
            buttons: fields.optional("buttons"),
            list: fields.optional("list"),
            quick_replies: fields.optional("quick_replies"),
            form: fields.optional("form"),
            location_request: fields.optional("location_request"),
            products: fields.optional("products"),
            header: fields.optional("header"),
            footer: fields.optional("footer"),
            subject: fields.optional("subject"),
            native: fields.optional("native"),
            media: fields.optional("media"),
            location: fields.optional("location"),
            contacts: fields.optional("contacts"),
            reaction: fields.optional("reaction"),
            template: fields.optional("template"),
            card: fields.optional("card"),
        }
    }

    /// True if WhatsApp takes it at any time, and not only within a day of the contact's last
    /// message.
    pub(crate) fn is_template(&self) -> bool {
        self.template.is_some() || self.native.is_some()
    }

    /// The names of the forms that are given, the one that counts first.
    fn forms(&self) -> Vec<&'static str> {
        let whole = [
            ("media", self.media.is_some()),
            ("location", self.location.is_some()),
            ("template", self.template.is_some()),
            ("card", self.card.is_some()),
            ("native", self.native.is_some()),
            ("contacts", self.contacts.is_some()),
            ("reaction", self.reaction.is_some()),
            ("text", self.text.is_some() && !self.has_choices()),
            ("options", self.options.is_some()),
            ("buttons", self.buttons.is_some()),
            ("list", self.list.is_some()),
            ("quick_replies", self.quick_replies.is_some()),
            ("form", self.form.is_some()),
            ("location_request", self.asks_for_place()),
            ("products", self.products.is_some()),
        ];
        whole.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }

    /// True if it opens a form to fill in.
    pub(crate) fn opens_form(&self) -> bool {
        self.form.is_some() || self.template.as_ref().is_some_and(|template| template.opens_form())
    }

    /// True if it is a text and nothing else: options may be listed below it.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(&*self.forms(), [] | ["text"])
    }

    fn has_choices(&self) -> bool {
        self.options.is_some()
            || self.buttons.is_some()
            || self.list.is_some()
            || self.quick_replies.is_some()
            || self.form.is_some()
            || self.products.is_some()
            || self.asks_for_place()
    }

    fn asks_for_place(&self) -> bool {
        self.location_request == Some(true)
    }

    /// True if some of what there is to choose from is made of data.
    pub(crate) fn has_data(&self) -> bool {
        let of_card = self.card.as_ref().and_then(|card| card.buttons.as_deref());
        has_data(self.options.as_deref())
            || has_data(self.buttons.as_deref())
            || has_data(self.quick_replies.as_deref())
            || has_data(of_card)
            || self.list.as_ref().is_some_and(|list| list.has_data())
            || self.products.as_ref().is_some_and(|products| products.has_data())
    }

    /// Returns the offered answers, as far as they are written out: the field, and the ids in it.
    pub(crate) fn offers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let rows = self.list.iter().flat_map(|list| list.written_rows());
        let replies = self.quick_replies.iter().flatten().filter(|reply| reply.from.is_none());
        let template = self.template.iter().flat_map(|template| template.all_buttons());
        ids("buttons", self.buttons.as_deref())
            .chain(rows.map(|row| ("list", row.id.as_str())))
            .chain(replies.map(|reply| ("quick_replies", reply.id.as_str())))
            .chain(template.flat_map(|buttons| ids("template", Some(buttons))))
            .chain(ids("card", self.card.as_ref().and_then(|card| card.buttons.as_deref())))
    }

    /// Checks and compiles it, for the channel that it certainly goes out on, if any.
    pub(crate) fn compile(
        &self,
        at: &Path<'_>,
        channel: Option<&Channel>,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledMessage> {
        let options = self.options.as_deref().unwrap_or_default();
        let message = self.compile_offering(options, &at.key("options"), at, channel, cx)?;
        let (choices, fit) = (message.choices(), ChannelCapacity::of(channel));
        let place = at.key(self.forms().last().copied().unwrap_or("options"));
        let twice = message
            .must_differ(fit.capacity)
            .then(|| choice::same_label(&choices, |label| Cow::Borrowed(label)));
        if let Some(label) = twice.flatten() {
            fit.same_label(&place, label, cx);
        } else if let Some(label) = choice::same_label(&choices, normal) {
            let message = format!("label {:?} appears twice", brief(label));
            cx.found.add(IssueCode::SameLabel, &place, message, "give one of them another label");
        }
        Some(message)
    }

    /// The subject of it, where it is a letter.
    pub(crate) fn compile_subject(
        &self,
        at: &Path<'_>,
        channel: Option<&Channel>,
        cx: &mut Compile<'_>,
    ) -> Option<Box<Local<Template>>> {
        let (fit, place) = (ChannelCapacity::of(channel), at.key("subject"));
        let subject = self.subject.as_ref()?.template(&place, cx)?;
        match fit.capacity.subject {
            0 => fit.lacks(&place, cx),
            most => fit.text(&place, &subject, most, "shorten it", cx),
        }
        Some(Box::new(subject))
    }

    /// The same, with the options at `place` listed below a plain text.
    pub(crate) fn compile_offering(
        &self,
        options: &[OptionDef],
        place: &Path<'_>,
        at: &Path<'_>,
        channel: Option<&Channel>,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledMessage> {
        let fit = ChannelCapacity::of(channel);
        if let [first, others @ ..] = &*self.forms() {
            for other in others {
                let message = format!("is given together with `{first}`");
                let fix = "give one of the two, or send two messages";
                cx.found.add(IssueCode::BadValue, &at.key(other), message, fix);
            }
        }
        if let Some(media) = &self.media {
            return media.compile(&at.key("media"), &fit, cx).map(Box::new).map(CompiledMessage::Media);
        }
        if let Some(location) = &self.location {
            return location
                .compile(&at.key("location"), &fit, cx)
                .map(Box::new)
                .map(CompiledMessage::Location);
        }
        if let Some(template) = &self.template {
            return template
                .compile(&at.key("template"), &fit, cx)
                .map(Box::new)
                .map(CompiledMessage::Template);
        }
        if let Some(native) = &self.native {
            let native = native.compile(&at.key("native"), (&fit, channel), cx);
            return native.map(Box::new).map(CompiledMessage::Native);
        }
        if let Some(cards) = &self.contacts {
            let cards = contact_card::compile_cards(cards, &at.key("contacts"), &fit, cx);
            return cards.map(CompiledMessage::Contacts);
        }
        if let Some(reaction) = &self.reaction {
            let reaction = reaction.compile(&at.key("reaction"), &fit, cx);
            return reaction.map(Box::new).map(CompiledMessage::Reaction);
        }
        if let Some(card) = &self.card {
            return card.compile(&at.key("card"), &fit, cx).map(Box::new).map(CompiledMessage::Card);
        }
        self.compile_text(options, place, at, &fit, cx)
    }

    /// Header and footer, kept only where there is a frame for them.
    fn surround(&self, at: &Path<'_>, fit: &ChannelCapacity, cx: &mut Compile<'_>) -> Option<Surround> {
        let is_framed =
            self.buttons.is_some() || self.list.is_some() || self.form.is_some() || self.products.is_some();
        let given = [("header", self.header.is_some()), ("footer", self.footer.is_some())];
        for (field, _) in given.into_iter().filter(|(_, given)| *given && !is_framed) {
            let message = "has no meaning without `buttons`, `list`, `form` or `products`";
            cx.found.add(IssueCode::BadValue, &at.key(field), message, "remove it, or add one of them");
        }
        let header = match &self.header {
            Some(header) => {
                if self.list.is_some() && header.is_medium() && !fit.capacity.list_media {
                    fit.lacks_above_list(&at.key("header"), cx);
                }
                Some(header.compile(&at.key("header"), fit, cx)?)
            }
            None => None,
        };
        let place = at.key("footer");
        let footer = match &self.footer {
            Some(footer) => {
                if fit.capacity.header == 0 {
                    fit.lacks(&place, cx);
                }
                let footer = footer.template(&place, cx)?;
                fit.text(&place, &footer, fit.capacity.header, "shorten it", cx);
                Some(footer)
            }
            None => None,
        };
        Some(Surround { header, footer })
    }

    fn compile_text(
        &self,
        options: &[OptionDef],
        place: &Path<'_>,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledMessage> {
        let (text_place, limits) = (at.key("text"), fit.capacity);
        let surround = self.surround(at, fit, cx);
        let body = |most: usize, has_unit: bool, cx: &mut Compile<'_>| {
            if self.text.is_none() {
                // A definition that was read has been told so.
                cx.found.add(IssueCode::MissingField, &text_place, "is required", "add `text`");
            }
            let text = self.text.as_ref()?.template(&text_place, cx)?;
            let fix = "shorten it, or send two messages";
            match has_unit {
                true => fit.message_text(&text_place, &text, most, fix, cx),
                false => fit.text(&text_place, &text, most, fix, cx),
            }
            Some(text)
        };
        if let Some(buttons) = &self.buttons {
            let text = body(limits.body, false, cx);
            let buttons = choice::compile_buttons(buttons, &at.key("buttons"), limits.buttons, fit, cx);
            return Some(CompiledMessage::Buttons { text: text?, buttons: Box::new((buttons?, surround?)) });
        }
        if let Some(list) = &self.list {
            let text = body(limits.list_body, false, cx);
            let list = list.compile(&at.key("list"), fit, cx);
            return Some(CompiledMessage::List { text: text?, list: Box::new((list?, surround?)) });
        }
        if let Some(form) = &self.form {
            let text = body(limits.body, false, cx);
            let form = form.compile(&at.key("form"), fit, cx);
            return Some(CompiledMessage::Form { text: text?, form: Box::new((form?, surround?)) });
        }
        if let Some(products) = &self.products {
            return self.compile_products(products, (at, fit), surround, cx);
        }
        if self.asks_for_place() {
            if !limits.location_request {
                fit.lacks(&at.key("location_request"), cx);
            }
            return Some(CompiledMessage::LocationRequest { text: body(limits.body, false, cx)? });
        }
        if let Some(replies) = &self.quick_replies {
            let text = body(limits.text, true, cx);
            let most = (limits.quick_replies, limits.quick_reply);
            let replies = choice::compile_options(replies, &at.key("quick_replies"), most, fit, cx);
            return Some(CompiledMessage::QuickReplies { text: text?, replies: replies? });
        }
        let most = if options.is_empty() { limits.text } else { limits.text_with_options };
        let text = body(most, true, cx);
        let most = (limits.options, limits.label_of(options.len(), is_list(options)));
        let options = choice::compile_options(options, place, most, fit, cx);
        Some(CompiledMessage::Text { text: text?, options: options? })
    }
}

impl MessageDef {
    /// Goods have a text above them, but for a single one, which needs none and takes no header.
    fn compile_products(
        &self,
        products: &ProductsDef,
        (at, fit): (&Path<'_>, &ChannelCapacity),
        surround: Option<Surround>,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledMessage> {
        let is_one = products.id.is_some();
        let needs = |field: &str, is_given: bool, cx: &mut Compile<'_>| {
            if !is_given {
                let fix = format!("add `{field}`");
                cx.found.add(IssueCode::MissingField, &at.key(field), "is required", fix);
            }
        };
        needs("text", is_one || self.text.is_some(), cx);
        needs("header", !products.is_list() || self.header.is_some(), cx);
        if self.header.is_some() && !products.is_list() {
            let message = "has no meaning unless `products` is a list";
            cx.found.add(IssueCode::BadValue, &at.key("header"), message, "remove it");
        } else if self.header.as_ref().is_some_and(|header| header.text.is_none()) {
            let message = "must be a line above a list of goods";
            cx.found.add(IssueCode::BadValue, &at.key("header"), message, "give it a `text`");
        }
        let text = match &self.text {
            Some(text) => {
                let text = text.template(&at.key("text"), cx)?;
                fit.text(&at.key("text"), &text, fit.capacity.body, "shorten it, or send two messages", cx);
                Some(text)
            }
            None => None,
        };
        let products = products.compile(&at.key("products"), fit, cx);
        Some(CompiledMessage::Products { text, products: Box::new((products?, surround?)) })
    }
}

impl CompiledMessage {
    /// True if its choices are buttons whose labels must differ on a channel of this capacity.
    fn must_differ(&self, capacity: &Capacity) -> bool {
        capacity.unique_buttons
            && match self {
                Self::Text { options, .. } => {
                    options.written().count() <= capacity.buttons
                        && options.written().all(|option| option.description.is_none())
                }
                Self::Buttons { .. } => true,
                _ => false,
            }
    }

    /// Returns the choices, as far as they are written out.
    fn choices(&self) -> Vec<&CompiledChoice> {
        match self {
            Self::Text { options: choices, .. } | Self::QuickReplies { replies: choices, .. } => {
                choices.written().collect()
            }
            Self::Buttons { buttons, .. } => buttons.0.replies.written().collect(),
            Self::List { list, .. } => {
                let sections = list.0.sections.iter().filter(|section| section.from.is_none());
                sections.flat_map(|section| section.rows.written()).collect()
            }
            // Cards show the same labels, each below its own picture.
            Self::Template(template) => template.own.buttons.replies.written().collect(),
            Self::Card(card) => card.buttons.replies.written().collect(),
            Self::Media(_)
            | Self::Location(_)
            | Self::Form { .. }
            | Self::LocationRequest { .. }
            | Self::Products { .. }
            | Self::Contacts(_)
            | Self::Reaction(_)
            | Self::Native(_) => Vec::new(),
        }
    }
}

fn has_data<T: OfferEntry>(entries: Option<&[T]>) -> bool {
    entries.unwrap_or_default().iter().any(|entry| entry.from().is_some())
}

/// True if options are certainly or possibly a list where the channel shows some as one: how many
/// choices are made of data is not known.
fn is_list(options: &[OptionDef]) -> bool {
    options.iter().any(|option| option.from.is_some() || option.description.is_some())
}

/// Those of the buttons that answer, and are written out.
fn ids<'b>(
    field: &'static str,
    buttons: Option<&'b [ButtonDef]>,
) -> impl Iterator<Item = (&'static str, &'b str)> {
    let written = buttons.unwrap_or_default().iter().filter(|button| button.from.is_none());
    written.filter_map(move |button| Some((field, button.id.as_deref()?)))
}
