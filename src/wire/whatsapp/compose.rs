//! From a message of the engine to the body that sends it.

use serde_json::{Map, Number, Value};

use crate::address::AddressKind;
use crate::channel::Channel;
use crate::error::SendError;
use crate::flow::MediaType;
use crate::session::{
    Buttons, Card, ContactCard, Content, FormMessage, Header, Link, List, Location, Media, NativeMessage,
    Outbound, Parameters, ProductMessage, ReplyOption, TemplateButton, TemplateMessage,
};
use crate::wire::whatsapp::body::{
    ActionBody, ActionParameters, ButtonBody, CarouselCardBody, CloudBody, ComponentBody, ContactBody,
    ContactFirm, ContactLine, ContactName, FormActionBody, InteractiveBody, LanguageBody, LineBody,
    MediaBody, ParameterBody, PlaceBody, ProductBody, QuoteBody, ReactionBody, RowBody, ScreenBody,
    SectionBody, TemplateBody, TextBody, TypingBody,
};

/// The label of what opens a list that an author wrote as a text with choices, in no language.
const LIST_LABEL: &str = "☰";

/// Choices that are shown as buttons; more are a list.
const MOST_BUTTONS: usize = 3;

/// Choices that a list has; more are lines below the text.
const MOST_ROWS: usize = 10;

/// The version of messages with a form.
const FORM_VERSION: &str = "3";

/// Fields of the envelope, which a message in the channel's own words cannot name.
const ENVELOPE: [&str; 6] =
    ["messaging_product", "recipient_type", "to", "recipient", "status", "biz_opaque_callback_data"];

impl CloudBody {
    /// The body that sends a message. Its id goes along as `biz_opaque_callback_data`, so that a
    /// status names it.
    ///
    /// A form that the channel does not have is sent in one that it has: quick replies as buttons
    /// or a list, a card as buttons below its picture, links beside choices as lines of the text.
    ///
    /// # Errors
    /// [`SendError::Rejected`], for a transport to hand on: a sign of writing that answers no
    /// message, which the channel does not have, and a message in the words of another channel.
    pub fn of(message: &Outbound) -> Result<Self, SendError> {
        if let Content::Typing { .. } = message.content {
            return typing(message);
        }
        let mut body = Self {
            messaging_product: "whatsapp".to_owned(),
            recipient_type: Some("individual".to_owned()),
            biz_opaque_callback_data: Some(message.id.to_string()),
            ..Self::default()
        };
        let to = Some(message.to().to_string());
        match message.to().kind() {
            AddressKind::Phone => body.to = to,
            _ => body.recipient = to,
        }
        body.fill(&message.content)?;
        Ok(body)
    }

    /// The same, shown as an answer to the contact's message that it answers, where there is one.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn quoting(message: &Outbound) -> Result<Self, SendError> {
        let mut body = Self::of(message)?;
        if body.kind.is_some() {
            let quoted = message.in_reply_to.as_ref();
            body.native.remove("context");
            body.context = quoted.map(|id| QuoteBody { message_id: id.to_string(), ..QuoteBody::default() });
        }
        Ok(body)
    }

    /// Returns the JSON to be posted, of the type
    /// [`HttpAnswer::CONTENT_TYPE`](crate::wire::HttpAnswer::CONTENT_TYPE).
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts, numbers and maps of them, all of which JSON has.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn fill(&mut self, content: &Content) -> Result<(), SendError> {
        match content {
            Content::Text { text, options } if options.is_empty() => self.fill_text(text),
            Content::Text { text, options } => self.fill_choices(text, options, HeaderAndFooter::default()),
            Content::QuickReplies(replies) => {
                self.fill_choices(&replies.text, &replies.options, HeaderAndFooter::default())
            }
            Content::Buttons(buttons) => self.fill_buttons(buttons),
            Content::Card(card) => self.fill_card(card),
            Content::List(list) => self.fill_list(list),
            Content::Media(media) => self.fill_media(media),
            Content::Location(location) => self.fill_place(location)?,
            Content::Template(template) => self.fill_template(template),
            Content::Form(form) => self.fill_form(form),
            Content::LocationRequest { text } => {
                let action = ActionBody { name: Some("send_location".to_owned()), ..ActionBody::default() };
                self.fill_interactive("location_request_message", text, HeaderAndFooter::default(), action);
            }
            Content::Products(products) => self.fill_products(products),
            Content::Contacts { cards } => {
                self.is("contacts");
                self.contacts = cards.iter().map(contact).collect();
            }
            Content::Reaction { message, emoji } => {
                self.is("reaction");
                let (message_id, emoji) = (message.clone(), emoji.clone());
                self.reaction = Some(ReactionBody { message_id, emoji, ..ReactionBody::default() });
            }
            Content::Native(native) => self.fill_native(native)?,
            Content::Typing { .. } => {}
        }
        Ok(())
    }

    fn is(&mut self, kind: &str) {
        self.kind = Some(kind.to_owned());
    }

    fn fill_text(&mut self, text: &str) {
        self.is("text");
        self.text = Some(TextBody { body: text.to_owned(), ..TextBody::default() });
    }

    fn fill_interactive(&mut self, kind: &str, text: &str, around: HeaderAndFooter<'_>, action: ActionBody) {
        self.is("interactive");
        self.interactive = Some(InteractiveBody {
            kind: kind.to_owned(),
            header: around.header,
            body: Some(line(text)),
            footer: around.footer.map(line),
            action,
            ..InteractiveBody::default()
        });
    }

    /// A text with choices: as buttons, as a list, or in words.
    fn fill_choices(&mut self, text: &str, options: &[ReplyOption], around: HeaderAndFooter<'_>) {
        let has_lines = options.iter().any(|option| option.description.is_some());
        match options.len() {
            0 => self.fill_text(&around.lines(text)),
            1..=MOST_BUTTONS if !has_lines => {
                let buttons = options.iter().map(|option| ButtonBody {
                    kind: "reply".to_owned(),
                    reply: RowBody {
                        id: option.payload.clone(),
                        title: option.label.clone(),
                        ..RowBody::default()
                    },
                    ..ButtonBody::default()
                });
                let action = ActionBody { buttons: buttons.collect(), ..ActionBody::default() };
                self.fill_interactive("button", text, around, action);
            }
            1..=MOST_ROWS => {
                let section = SectionBody { rows: rows(options), ..SectionBody::default() };
                self.fill_sections(text, LIST_LABEL, vec![section], around);
            }
            _ => {
                let labels = options.iter().map(|option| format!("\n- {}", option.label));
                let text: String = [around.lines(text)].into_iter().chain(labels).collect();
                self.fill_text(&text);
            }
        }
    }

    /// One link is a button, with choices or others beside it a line of the text.
    fn fill_buttons(&mut self, buttons: &Buttons) {
        let around = HeaderAndFooter::of(buttons.header.as_ref(), buttons.footer.as_deref());
        match (&*buttons.options, &*buttons.links) {
            ([], [link]) => {
                let parameters = ActionParameters {
                    display_text: Some(link.label.clone()),
                    url: Some(link.url.clone()),
                    ..ActionParameters::default()
                };
                let action = ActionBody {
                    name: Some("cta_url".to_owned()),
                    parameters: Some(parameters),
                    ..ActionBody::default()
                };
                self.fill_interactive("cta_url", &buttons.text, around, action);
            }
            (options, links) => self.fill_choices(&with_links(&buttons.text, links), options, around),
        }
    }

    fn fill_card(&mut self, card: &Card) {
        let text = match &card.subtitle {
            Some(subtitle) => format!("{}\n{subtitle}", card.title),
            None => card.title.clone(),
        };
        let text = with_links(&text, &card.links);
        let image = card.image.as_deref();
        if card.options.is_empty()
            && let Some(image) = image
        {
            self.is("image");
            self.image = Some(MediaBody { caption: Some(text), ..medium(image) });
            return;
        }
        let header = image.map(|image| ParameterBody {
            kind: "image".to_owned(),
            image: Some(medium(image)),
            ..ParameterBody::default()
        });
        self.fill_choices(&text, &card.options, HeaderAndFooter { header, footer: None });
    }

    fn fill_list(&mut self, list: &List) {
        let sections: Vec<_> = list.sections().collect();
        let is_alone = sections.len() == 1;
        let sections = sections.into_iter().map(|(title, options)| SectionBody {
            // Several sections need a title each.
            title: title.map(str::to_owned).or_else(|| (!is_alone).then(|| "-".to_owned())),
            rows: rows(options),
            ..SectionBody::default()
        });
        let around = HeaderAndFooter::of(list.header.as_ref(), list.footer.as_deref());
        self.fill_sections(&list.text, &list.button, sections.collect(), around);
    }

    fn fill_sections(
        &mut self,
        text: &str,
        button: &str,
        sections: Vec<SectionBody>,
        around: HeaderAndFooter<'_>,
    ) {
        let action = ActionBody { button: Some(button.to_owned()), sections, ..ActionBody::default() };
        // A list shows a line above it, and no medium.
        let header = around.header.filter(|header| header.kind == "text");
        self.fill_interactive("list", text, HeaderAndFooter { header, ..around }, action);
    }

    fn fill_media(&mut self, media: &Media) {
        let has_caption = !matches!(media.kind, MediaType::Audio | MediaType::Sticker);
        let is_document = media.kind == MediaType::Document;
        let body = MediaBody {
            caption: media.caption.clone().filter(|_| has_caption),
            filename: media.filename.clone().filter(|_| is_document),
            ..medium(&media.url)
        };
        self.is(media.kind.as_str());
        *match media.kind {
            MediaType::Image => &mut self.image,
            MediaType::Audio => &mut self.audio,
            MediaType::Video => &mut self.video,
            MediaType::Document => &mut self.document,
            MediaType::Sticker => &mut self.sticker,
        } = Some(body);
    }

    fn fill_place(&mut self, location: &Location) -> Result<(), SendError> {
        self.is("location");
        self.location = Some(place_body(location).ok_or_else(|| SendError::rejected("no such place"))?);
        Ok(())
    }

    fn fill_form(&mut self, form: &FormMessage) {
        let is_open = form.screen.is_some() || form.data.is_some();
        let screen =
            ScreenBody { screen: form.screen.clone(), data: form.data.clone(), ..ScreenBody::default() };
        let parameters = ActionParameters {
            flow_message_version: Some(FORM_VERSION.to_owned()),
            flow_token: Some(form.token.clone()),
            flow_id: Some(form.form.clone()),
            flow_cta: Some(form.button.clone()),
            flow_action: Some("navigate".to_owned()),
            flow_action_payload: is_open.then_some(screen),
            ..ActionParameters::default()
        };
        let action = ActionBody {
            name: Some("flow".to_owned()),
            parameters: Some(parameters),
            ..ActionBody::default()
        };
        let around = HeaderAndFooter::of(form.header.as_ref(), form.footer.as_deref());
        self.fill_interactive("flow", &form.text, around, action);
    }

    /// An article, a list of them, or the whole catalogue.
    fn fill_products(&mut self, products: &ProductMessage) {
        let around = HeaderAndFooter::of(products.header.as_ref(), products.footer.as_deref());
        let (kind, name) = match (&products.product, &*products.sections) {
            (Some(_), _) => ("product", None),
            (None, []) => ("catalog_message", Some("catalog_message".to_owned())),
            (None, _) => ("product_list", None),
        };
        let article = |id: &String| ProductBody { product_retailer_id: id.clone(), ..ProductBody::default() };
        let sections = products.sections.iter().map(|section| SectionBody {
            title: section.title.clone(),
            product_items: section.items.iter().map(article).collect(),
            ..SectionBody::default()
        });
        let action = ActionBody {
            name,
            catalog_id: products.catalog.clone(),
            product_retailer_id: products.product.clone(),
            sections: sections.collect(),
            ..ActionBody::default()
        };
        let text = products.text.as_deref();
        self.fill_interactive(kind, text.unwrap_or_default(), around, action);
        if let (None, Some(interactive)) = (text, &mut self.interactive) {
            interactive.body = None;
        }
    }

    fn fill_template(&mut self, template: &TemplateMessage) {
        let buttons = template.buttons().filter_map(|(place, button)| button_of(place, button));
        let header = template.header.as_ref().map(|header| ParameterBody {
            parameter_name: template.header_parameter.clone(),
            ..parameter(header)
        });
        let mut components = filled(header, &template.parameters, buttons);
        let cards = (0..).zip(&template.cards).enumerate().map(|(place, (card_index, card))| {
            let buttons = template.card_buttons(place).filter_map(|(place, button)| button_of(place, button));
            let components = filled(card.header.as_ref().map(parameter), &card.parameters, buttons);
            CarouselCardBody { card_index, components, ..CarouselCardBody::default() }
        });
        let cards: Vec<_> = cards.collect();
        if !cards.is_empty() {
            components.push(ComponentBody { kind: "carousel".to_owned(), cards, ..ComponentBody::default() });
        }
        self.is("template");
        // The channel writes `pt_BR` where others write `pt-BR`.
        let language = LanguageBody { code: template.language.replace('-', "_"), ..LanguageBody::default() };
        let name = template.name.clone();
        self.template = Some(TemplateBody { name, language, components, ..TemplateBody::default() });
    }

    fn fill_native(&mut self, native: &NativeMessage) -> Result<(), SendError> {
        if native.channel != Channel::WhatsApp {
            return Err(SendError::rejected(format_args!("the message is one of {}", native.channel)));
        }
        let Value::Object(body) = &native.body else {
            return Err(SendError::rejected("the body of a native message must be an object"));
        };
        let kind = body.get("type").and_then(Value::as_str);
        let kind =
            kind.ok_or_else(|| SendError::rejected("the `type` of a native message must be a text"))?;
        let own = body.iter().filter(|(name, _)| !ENVELOPE.contains(&&***name));
        let mut own: Map<String, Value> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        own.insert("messaging_product".to_owned(), self.messaging_product.clone().into());
        // What the product documents has the order of its documents; what is not wholly of these
        // stays as it is written.
        let read = serde_json::from_value::<Self>(own.clone().into()).ok();
        let is_whole =
            |read: &Self| serde_json::to_value(read).is_ok_and(|read| read == Value::Object(own.clone()));
        let read = read.filter(is_whole).unwrap_or_else(|| {
            own.retain(|name, _| !["type", "messaging_product"].contains(&&**name));
            Self { kind: Some(kind.to_owned()), native: own, ..Self::default() }
        });
        let envelope = std::mem::take(self);
        *self = Self {
            messaging_product: envelope.messaging_product,
            recipient_type: envelope.recipient_type,
            to: envelope.to,
            recipient: envelope.recipient,
            biz_opaque_callback_data: envelope.biz_opaque_callback_data,
            ..read
        };
        Ok(())
    }
}

fn typing(message: &Outbound) -> Result<CloudBody, SendError> {
    let Some(id) = &message.in_reply_to else {
        return Err(SendError::rejected("a sign of writing needs the message that it answers"));
    };
    Ok(CloudBody {
        messaging_product: "whatsapp".to_owned(),
        status: Some("read".to_owned()),
        message_id: Some(id.to_string()),
        typing_indicator: Some(TypingBody { kind: "text".to_owned(), ..TypingBody::default() }),
        ..CloudBody::default()
    })
}

/// A header and a footer.
#[derive(Default)]
struct HeaderAndFooter<'a> {
    header: Option<ParameterBody>,
    footer: Option<&'a str>,
}

impl<'a> HeaderAndFooter<'a> {
    fn of(header: Option<&Header>, footer: Option<&'a str>) -> Self {
        Self { header: header.map(parameter), footer }
    }

    /// The same in a text without either: its lines above and below.
    fn lines(&self, text: &str) -> String {
        let above = self.header.as_ref().and_then(|header| header.text.as_deref());
        let lines = [above, Some(text), self.footer];
        lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

fn line(text: &str) -> LineBody {
    LineBody { text: text.to_owned(), ..LineBody::default() }
}

fn rows(options: &[ReplyOption]) -> Vec<RowBody> {
    let row = |option: &ReplyOption| RowBody {
        id: option.payload.clone(),
        title: option.label.clone(),
        description: option.description.as_deref().map(str::to_owned),
        ..RowBody::default()
    };
    options.iter().map(row).collect()
}

/// A text, and below it a line for each link.
fn with_links(text: &str, links: &[Link]) -> String {
    let lines = links.iter().map(|link| format!("\n{}: {}", link.label, link.url));
    [text.to_owned()].into_iter().chain(lines).collect()
}

/// A medium by its address; what is no address of the web is the id of an upload.
fn medium(url: &str) -> MediaBody {
    let is_address = url.contains("://");
    MediaBody {
        id: (!is_address).then(|| url.to_owned()),
        link: is_address.then(|| url.to_owned()),
        ..MediaBody::default()
    }
}

fn text_parameter(name: Option<&str>, text: &str) -> ParameterBody {
    ParameterBody {
        kind: "text".to_owned(),
        parameter_name: name.map(str::to_owned),
        text: Some(text.to_owned()),
        ..ParameterBody::default()
    }
}

fn parameter(header: &Header) -> ParameterBody {
    let media = match header {
        Header::Text(text) => return text_parameter(None, text),
        Header::Media(media) => media,
        Header::Location(place) => {
            let location = place_body(place);
            return ParameterBody { kind: "location".to_owned(), location, ..ParameterBody::default() };
        }
    };
    let mut parameter = ParameterBody { kind: media.kind.as_str().to_owned(), ..ParameterBody::default() };
    let body = MediaBody { filename: media.filename.clone(), ..medium(&media.url) };
    match media.kind {
        MediaType::Video => parameter.video = Some(body),
        MediaType::Document => parameter.document = Some(body),
        // No header has a sound or a sticker.
        _ => parameter.image = Some(body),
    }
    parameter
}

fn gaps(parameters: &Parameters) -> Vec<ParameterBody> {
    match parameters {
        Parameters::Positional(values) => values.iter().map(|value| text_parameter(None, value)).collect(),
        Parameters::Named(values) => {
            values.iter().map(|(name, value)| text_parameter(Some(name), value)).collect()
        }
    }
}

/// The parts of an approved message, or of one of its cards, that fill a gap.
fn filled(
    header: Option<ParameterBody>,
    parameters: &Parameters,
    buttons: impl Iterator<Item = ComponentBody>,
) -> Vec<ComponentBody> {
    let part = |kind: &str, parameters: Vec<ParameterBody>| {
        let kind = kind.to_owned();
        (!parameters.is_empty()).then(|| ComponentBody { kind, parameters, ..ComponentBody::default() })
    };
    let header = part("header", header.into_iter().collect());
    let body = part("body", gaps(parameters));
    header.into_iter().chain(body).chain(buttons).collect()
}

fn contact(card: &ContactCard) -> ContactBody {
    let lines = |texts: &[String], line: fn(String) -> ContactLine| texts.iter().cloned().map(line).collect();
    let org = (card.company.is_some() || card.title.is_some()).then(|| ContactFirm {
        company: card.company.clone(),
        title: card.title.clone(),
        ..ContactFirm::default()
    });
    // The channel wants a part of the name beside the whole; which word is which, nobody knows.
    let (formatted_name, first_name) = (card.name.clone(), Some(card.name.clone()));
    ContactBody {
        emails: lines(&card.emails, |email| ContactLine { email: Some(email), ..ContactLine::default() }),
        name: ContactName { formatted_name, first_name, ..ContactName::default() },
        org,
        phones: lines(&card.phones, |phone| ContactLine { phone: Some(phone), ..ContactLine::default() }),
        urls: lines(&card.urls, |url| ContactLine { url: Some(url), ..ContactLine::default() }),
        ..ContactBody::default()
    }
}

/// A place; its degrees are numbers of JSON.
fn place_body(place: &Location) -> Option<PlaceBody> {
    Some(PlaceBody {
        latitude: Number::from_f64(place.latitude())?,
        longitude: Number::from_f64(place.longitude())?,
        name: place.name.clone(),
        address: place.address.clone(),
        rest: Map::new(),
    })
}

/// A button of an approved message. None: nothing of it is left open.
fn button_of(place: u32, button: TemplateButton<'_>) -> Option<ComponentBody> {
    let (sub_type, parameter) = match button {
        TemplateButton::Reply(option) => (
            "quick_reply",
            ParameterBody {
                kind: "payload".to_owned(),
                payload: Some(option.payload.clone()),
                ..ParameterBody::default()
            },
        ),
        TemplateButton::Url(link) if link.url.is_empty() => return None,
        TemplateButton::Url(link) => ("url", text_parameter(None, &link.url)),
        TemplateButton::Code { code, .. } => (
            "copy_code",
            ParameterBody {
                kind: "coupon_code".to_owned(),
                coupon_code: Some(code.to_owned()),
                ..ParameterBody::default()
            },
        ),
        TemplateButton::Form { token, data, .. } => {
            let action = FormActionBody {
                flow_token: Some(token.to_owned()),
                flow_action_data: data.cloned(),
                ..FormActionBody::default()
            };
            let kind = "action".to_owned();
            ("flow", ParameterBody { kind, action: Some(action), ..ParameterBody::default() })
        }
        TemplateButton::Fixed { .. } => return None,
    };
    Some(ComponentBody {
        kind: "button".to_owned(),
        sub_type: Some(sub_type.to_owned()),
        index: Some(place.to_string()),
        parameters: vec![parameter],
        ..ComponentBody::default()
    })
}
