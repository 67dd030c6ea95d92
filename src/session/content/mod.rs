//! The content of a message, in each of its forms. What a channel can carry is `flow::capacity`'s;
//! how a form is made from a flow is the kernel's.

mod list;
mod template;

use serde::{Deserialize, Serialize};

use crate::flow::MediaType;

pub use list::List;
pub(crate) use template::OtherButton;
pub use template::{Parameters, TemplateButton, TemplateCard, TemplateMessage};

/// The content of a message: texts are rendered, and never to be taken for templates or markup.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Content {
    /// Plain text, with choices or without; the transport shows them as its channel can.
    Text {
        /// The text.
        text: String,
        /// The choices, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        options: Vec<ReplyOption>,
    },
    /// An image, a sound, a film, a document or a sticker.
    Media(Box<Media>),
    /// A place.
    Location(Box<Location>),
    /// A text with buttons below it.
    Buttons(Box<Buttons>),
    /// A text with a list to open.
    List(Box<List>),
    /// A text with replies that vanish once one is chosen.
    QuickReplies(Box<QuickReplies>),
    /// A message that the channel's provider has approved, by its name.
    Template(Box<TemplateMessage>),
    /// A title, with a picture and buttons.
    Card(Box<Card>),
    /// A form to fill in, such as a WhatsApp Flow.
    Form(Box<FormMessage>),
    /// A text that asks where the contact is, with a button that tells.
    LocationRequest {
        /// The text.
        text: String,
    },
    /// Goods of a catalogue.
    Products(Box<ProductMessage>),
    /// Cards of people and firms.
    Contacts {
        /// The cards.
        cards: Vec<ContactCard>,
    },
    /// A sign on a message of the contact.
    Reaction {
        /// The channel's id of the message that it is on.
        message: String,
        /// The sign; empty: it is taken away.
        emoji: String,
    },
    /// A message in the words of one channel, for the transport as it is.
    Native(Box<NativeMessage>),
    /// A sign that somebody is writing.
    Typing {
        /// For how long.
        seconds: u32,
    },
}

/// A choice that a message offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReplyOption {
    /// The text that the channel hands back when it is chosen; opaque, at most 200 bytes
    /// ([SEMANTICS I9](crate::semantics#i9)).
    pub payload: String,
    /// The text that the contact reads.
    pub label: String,
    /// A line below the label, in a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Box<str>>,
}

/// A button that opens an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Link {
    /// The text that the contact reads.
    pub label: String,
    /// The address that it opens; in a template the part that the approved address leaves open.
    pub url: String,
}

/// A medium, by its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Media {
    /// The type of the medium.
    #[serde(rename = "media")]
    pub kind: MediaType,
    /// Where it lies.
    pub url: String,
    /// A text below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// The name it is saved under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Its media type, such as `application/pdf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
}

/// A place: latitude within ±90 degrees, longitude within ±180.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Location {
    latitude: f64,
    longitude: f64,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its postal address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// Its degrees are finite, so each place equals itself.
impl Eq for Location {}

/// A text with buttons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Buttons {
    /// The text above them.
    pub text: String,
    /// Buttons that answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ReplyOption>,
    /// Buttons that open an address; they come after the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The header above the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// A line below the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
}

/// The header above the text of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Header {
    /// A line.
    Text(String),
    /// An image, a film or a document.
    Media(Box<Media>),
    /// A place, of an approved message alone.
    Location(Box<Location>),
}

/// A form to fill in below a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FormMessage {
    /// The text above it.
    pub text: String,
    /// The label of what opens it.
    pub button: String,
    /// The channel's id of it.
    pub form: String,
    /// The screen that it opens with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<String>,
    /// The data that the screen is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<serde_json::Value>,
    /// The token that names the question: to be given to the form, and to come back with its
    /// answers ([`Inbound::form`](crate::Inbound::form)).
    pub token: String,
    /// The header above the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// A line below the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
}

/// Goods of a catalogue: one of them, some, or the whole catalogue of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProductMessage {
    /// The text above them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The channel's id of the catalogue; none: the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog: Option<String>,
    /// The shop's id of the one that is shown alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Those that are shown in a list. Without these and a product it is the whole catalogue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<ProductSection>,
    /// The header above the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// A line below the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
}

/// A part of the goods in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProductSection {
    /// The line above them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The shop's ids.
    pub items: Vec<String>,
}

/// A card of a person or a firm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ContactCard {
    /// The name.
    pub name: String,
    /// The firm that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The work that is done there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Telephone numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    /// Addresses of mail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// Addresses of the web.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
}

/// A message in the words of one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NativeMessage {
    /// The channel.
    pub channel: crate::Channel,
    /// The message.
    pub body: serde_json::Value,
}

/// A text with replies to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuickReplies {
    /// The text above them.
    pub text: String,
    /// The replies.
    pub options: Vec<ReplyOption>,
}

/// A title, with a picture and buttons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Card {
    /// The title.
    pub title: String,
    /// A line below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    /// The address of its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Buttons that answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ReplyOption>,
    /// Buttons that open an address; they come after the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
}

impl Content {
    /// Returns the text of whatever form: of a medium its caption, of a place its name, of a card
    /// its title, of a template its name, of cards of people the first name, of a sign its emoji;
    /// nothing of a channel's own words and of a sign of writing.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text { text, .. } => text,
            Self::Media(media) => media.caption.as_deref().unwrap_or_default(),
            Self::Location(location) => location.name.as_deref().unwrap_or_default(),
            Self::Buttons(buttons) => &buttons.text,
            Self::List(list) => &list.text,
            Self::QuickReplies(replies) => &replies.text,
            Self::Template(template) => &template.name,
            Self::Card(card) => &card.title,
            Self::Form(form) => &form.text,
            Self::LocationRequest { text } => text,
            Self::Products(products) => products.text.as_deref().unwrap_or_default(),
            Self::Contacts { cards } => cards.first().map_or("", |card| &card.name),
            Self::Reaction { emoji, .. } => emoji,
            Self::Native(_) | Self::Typing { .. } => "",
        }
    }

    /// Returns everything that can be chosen, whatever its form; empty when the contact is free to
    /// say anything.
    #[must_use]
    pub fn options(&self) -> &[ReplyOption] {
        match self {
            Self::Text { options, .. } => options,
            Self::Buttons(buttons) => &buttons.options,
            Self::List(list) => &list.options,
            Self::QuickReplies(replies) => &replies.options,
            Self::Template(template) => &template.options,
            Self::Card(card) => &card.options,
            Self::Media(_)
            | Self::Location(_)
            | Self::Form(_)
            | Self::LocationRequest { .. }
            | Self::Products(_)
            | Self::Contacts { .. }
            | Self::Reaction { .. }
            | Self::Native(_)
            | Self::Typing { .. } => &[],
        }
    }

    /// Buttons that open an address.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        match self {
            Self::Buttons(buttons) => &buttons.links,
            Self::Template(template) => &template.links,
            Self::Card(card) => &card.links,
            _ => &[],
        }
    }

    /// Returns the word for its form, as in the stored form.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Media(_) => "media",
            Self::Location(_) => "location",
            Self::Buttons(_) => "buttons",
            Self::List(_) => "list",
            Self::QuickReplies(_) => "quick_replies",
            Self::Template(_) => "template",
            Self::Card(_) => "card",
            Self::Form(_) => "form",
            Self::LocationRequest { .. } => "location_request",
            Self::Products(_) => "products",
            Self::Contacts { .. } => "contacts",
            Self::Reaction { .. } => "reaction",
            Self::Native(_) => "native",
            Self::Typing { .. } => "typing",
        }
    }

    /// True if it is only a sign of writing: nothing is lost with it.
    pub(crate) fn is_typing(&self) -> bool {
        matches!(self, Self::Typing { .. })
    }

    /// About how many bytes its texts take.
    pub(crate) fn weight(&self) -> usize {
        let options = self.options().iter().map(ReplyOption::weight).sum::<usize>();
        if let Self::Text { text, .. } = self {
            return text.len() + options;
        }
        let links = self.links().iter().map(|link| size_of::<Link>() + link.label.len() + link.url.len());
        self.text().len() + options + links.sum::<usize>() + self.own_weight()
    }

    /// Returns the weight of what its form has beside text, choices and links.
    fn own_weight(&self) -> usize {
        let len = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        match self {
            Self::Media(media) => {
                size_of::<Media>() + media.url.len() + len(&media.filename) + len(&media.mime)
            }
            Self::Location(location) => size_of::<Location>() + len(&location.address),
            Self::List(list) => {
                let titles = list.sections().map(|(title, _)| size_of::<Self>() + title.map_or(0, str::len));
                list.button.len() + titles.sum::<usize>() + surround(&list.header, &list.footer)
            }
            Self::Template(template) => {
                let others = |others: &[OtherButton]| others.iter().map(OtherButton::weight).sum::<usize>();
                let own = template.language.len() + template.parameters.weight() + others(&template.others);
                let cards = template.cards.iter().map(|card| {
                    let filled = card.parameters.weight() + surround(&card.header, &None);
                    size_of::<TemplateCard>() + filled + others(&card.others)
                });
                own + surround(&template.header, &None) + cards.sum::<usize>()
            }
            Self::Buttons(buttons) => surround(&buttons.header, &buttons.footer),
            Self::Form(form) => {
                let own = size_of::<FormMessage>() + form.button.len() + form.form.len() + form.token.len();
                own + form.data.as_ref().map_or(0, weight_of) + surround(&form.header, &form.footer)
            }
            Self::Native(native) => size_of::<NativeMessage>() + weight_of(&native.body),
            Self::Products(products) => {
                let sections = products
                    .sections
                    .iter()
                    .map(|section| size_of::<ProductSection>() + len(&section.title) + texts(&section.items));
                let own = size_of::<ProductMessage>() + len(&products.catalog) + len(&products.product);
                own + sections.sum::<usize>() + surround(&products.header, &products.footer)
            }
            Self::Contacts { cards } => cards.iter().map(ContactCard::weight).sum(),
            Self::Reaction { message, .. } => message.len(),
            Self::Card(card) => len(&card.subtitle) + len(&card.image),
            _ => 0,
        }
    }
}

/// About how many bytes texts take.
fn texts(texts: &[String]) -> usize {
    texts.iter().map(|text| size_of::<String>() + text.len()).sum()
}

impl ContactCard {
    fn weight(&self) -> usize {
        let lines = [&self.company, &self.title].into_iter().flatten().map(String::len).sum::<usize>();
        let lists = texts(&self.phones) + texts(&self.emails) + texts(&self.urls);
        size_of::<Self>() + self.name.len() + lines + lists
    }
}

/// About how many bytes a header and a footer take.
fn surround(header: &Option<Header>, footer: &Option<String>) -> usize {
    let header = header.as_ref().map_or(0, |header| match header {
        Header::Text(text) => text.len(),
        Header::Media(media) => size_of::<Media>() + media.url.len(),
        Header::Location(place) => {
            let texts = [&place.name, &place.address].into_iter().flatten().map(String::len);
            size_of::<Location>() + texts.sum::<usize>()
        }
    });
    header + footer.as_ref().map_or(0, String::len)
}

/// About how many bytes a value takes.
fn weight_of(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    let inside = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight_of).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + weight_of(value)).sum(),
        _ => 0,
    };
    size_of::<Value>() + inside
}

impl std::fmt::Debug for Content {
    /// Says how much is there, not what: texts are the contact's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text { text, options } => {
                write!(f, "Text({} bytes, {} options)", text.len(), options.len())
            }
            Self::Typing { seconds } => write!(f, "Typing({seconds} s)"),
            other => {
                write!(f, "{}({} bytes, {} options)", other.kind(), other.weight(), other.options().len())
            }
        }
    }
}

impl ReplyOption {
    pub(crate) fn new(payload: String, label: String) -> Self {
        Self { payload, label, description: None }
    }

    fn weight(&self) -> usize {
        self.payload.len() + self.label.len() + self.description.as_ref().map_or(0, |text| text.len())
    }
}

impl Header {
    /// True if there is nothing to show.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.trim().is_empty(),
            Self::Media(media) => media.url.trim().is_empty(),
            Self::Location(_) => false,
        }
    }
}

impl Media {
    pub(crate) fn new(kind: MediaType, url: String) -> Self {
        Self { kind, url, caption: None, filename: None, mime: None }
    }
}

impl Location {
    /// None unless the degrees are those of a place.
    pub(crate) fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let is_place = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        is_place.then_some(Self { latitude, longitude, name: None, address: None })
    }

    /// Degrees north.
    #[must_use]
    pub fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    #[must_use]
    pub fn longitude(&self) -> f64 {
        self.longitude
    }
}
