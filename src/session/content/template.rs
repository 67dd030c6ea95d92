//! A message that the channel's provider has approved: its gaps, its buttons, its cards.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::session::content::{Header, Link, ReplyOption};

/// A button of an approved message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateButton<'a> {
    /// It answers: its payload is to be sent with it.
    Reply(&'a ReplyOption),
    /// It opens an address: the part that is left open is to be sent with it.
    Url(&'a Link),
    /// It copies a code, which is to be sent with it.
    Code {
        /// Its label, which is in the template.
        label: &'a str,
        /// The code.
        code: &'a str,
    },
    /// It opens a form: a token, which is to come back with the answers
    /// ([`Inbound::form`](crate::Inbound::form)), and the data that the form is given are to be
    /// sent with it.
    Form {
        /// Its label, which is in the template.
        label: &'a str,
        /// The token that names the question.
        token: &'a str,
        /// The data that the form is given.
        data: Option<&'a Value>,
    },
    /// Nothing of it is left open, such as of one that calls a number: it takes its place, and
    /// nothing is to be sent with it.
    Fixed {
        /// Its label, which is in the template.
        label: &'a str,
    },
}

/// A button that neither answers nor opens an address which is left open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OtherButton {
    /// Its place among all buttons.
    pub(crate) place: u32,
    pub(crate) label: String,
    /// The code that it copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// The token of the form that it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// The data of that form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Value>,
}

/// An approved message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TemplateMessage {
    /// The name it was approved under.
    pub name: String,
    /// The language it was approved in, such as `en` or `pt_BR`.
    pub language: String,
    /// The values that fill its gaps.
    pub parameters: Parameters,
    /// Its buttons that answer, and then those of its cards: the payload is to be sent with it, the
    /// label is in the template.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ReplyOption>,
    /// Its buttons that open an address, and then those of its cards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The content of its header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// The name of the gap that a line of the header fills, where gaps have names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_parameter: Option<String>,
    /// The places of the links among all buttons, if they do not come after the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) link_places: Vec<u32>,
    /// Its other buttons, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) others: Vec<OtherButton>,
    /// The cards that the contact leafs through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<TemplateCard>,
}

/// A card of an approved message; [`TemplateMessage::card_buttons`] has its buttons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TemplateCard {
    /// The picture or film above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// The values that fill the gaps of its text.
    pub parameters: Parameters,
    /// Number of its buttons of either kind, among those of the message.
    pub(crate) replies: usize,
    pub(crate) link_count: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) link_places: Vec<u32>,
    /// Its other buttons, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) others: Vec<OtherButton>,
}

impl OtherButton {
    /// One of which nothing is left open.
    pub(crate) fn new(place: u32, label: String) -> Self {
        Self { place, label, code: None, token: None, data: None }
    }

    fn shown(&self) -> TemplateButton<'_> {
        let label = &*self.label;
        match (&self.code, &self.token) {
            (Some(code), _) => TemplateButton::Code { label, code },
            (None, Some(token)) => TemplateButton::Form { label, token, data: self.data.as_ref() },
            (None, None) => TemplateButton::Fixed { label },
        }
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let texts = [&self.code, &self.token].into_iter().flatten().map(String::len).sum::<usize>();
        size_of::<Self>() + self.label.len() + texts + self.data.as_ref().map_or(0, super::weight_of)
    }
}

impl TemplateMessage {
    /// Returns all its buttons, without those of its cards, in the order in which they were
    /// approved, each with its index there.
    pub fn buttons(&self) -> impl Iterator<Item = (u32, TemplateButton<'_>)> {
        let (replies, links) = self.before(0);
        let (replies, links) = (self.options.get(..replies), self.links.get(..links));
        let places = (&*self.link_places, &*self.others);
        in_order(replies.unwrap_or_default(), links.unwrap_or_default(), places)
    }

    /// Returns the buttons of a card, in the same way.
    pub fn card_buttons(&self, card: usize) -> impl Iterator<Item = (u32, TemplateButton<'_>)> {
        let ((replies, links), (next_replies, next_links)) = (self.before(card), self.before(card + 1));
        let (replies, links) = (self.options.get(replies..next_replies), self.links.get(links..next_links));
        let places = self.cards.get(card).map(|card| (&*card.link_places, &*card.others));
        let places = places.unwrap_or_default();
        in_order(replies.unwrap_or_default(), links.unwrap_or_default(), places)
    }

    /// Number of buttons of either kind before those of a card.
    fn before(&self, card: usize) -> (usize, usize) {
        let rest = self.cards.iter().skip(card);
        let (replies, links) = rest.fold((0_usize, 0_usize), |(replies, links), card| {
            // A record may say any numbers.
            (replies.saturating_add(card.replies), links.saturating_add(card.link_count))
        });
        (self.options.len().saturating_sub(replies), self.links.len().saturating_sub(links))
    }
}

fn in_order<'a>(
    replies: &'a [ReplyOption],
    links: &'a [Link],
    (link_places, others): (&'a [u32], &'a [OtherButton]),
) -> impl Iterator<Item = (u32, TemplateButton<'a>)> {
    let (mut replies, mut links) = (replies.iter(), links.iter());
    let mut others = others.iter().peekable();
    (0..).map_while(move |place| {
        if let Some(other) = others.next_if(|other| other.place == place) {
            return Some((place, other.shown()));
        }
        let is_link = link_places.contains(&place) || replies.len() == 0;
        let button = match is_link {
            true => links.next().map(TemplateButton::Url),
            false => replies.next().map(TemplateButton::Reply),
        };
        let button = button.or_else(|| replies.next().map(TemplateButton::Reply));
        // A record may name any place.
        let button = button.or_else(|| others.next().map(OtherButton::shown));
        Some((place, button?))
    })
}

/// Values that fill the gaps of an approved message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Parameters {
    /// In their order: `{{1}}`, `{{2}}`.
    Positional(Vec<String>),
    /// By name, in the order of the names.
    Named(BTreeMap<String, String>),
}

impl Parameters {
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Positional(values) => values.iter().map(|value| size_of::<String>() + value.len()).sum(),
            Self::Named(values) => {
                values.iter().map(|(name, value)| 2 * size_of::<String>() + name.len() + value.len()).sum()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(message: &TemplateMessage, card: usize) -> Vec<String> {
        let shown = |(place, button)| match button {
            TemplateButton::Reply(option) => format!("{place} {}", option.label),
            TemplateButton::Url(link) => format!("{place} -> {}", link.label),
            TemplateButton::Code { label, code } => format!("{place} {label}={code}"),
            TemplateButton::Form { label, token, .. } => format!("{place} {label}({token})"),
            TemplateButton::Fixed { label } => format!("{place} {label}"),
        };
        message.card_buttons(card).map(shown).collect()
    }

    /// Each card has its own buttons, whatever numbers a record says.
    #[test]
    fn the_buttons_of_cards_are_those_that_are_there() {
        let option = |label: &str| json!({"payload": label, "label": label});
        let mut message = json!({
            "name": "teas", "language": "en", "parameters": [],
            "options": [option("own"), option("first"), option("second")],
            "links": [{"label": "see", "url": "/1"}],
            "cards": [
                {"parameters": [], "replies": 1, "link_count": 1, "link_places": [0]},
                {"parameters": [], "replies": 1, "link_count": 0},
            ],
        });
        let read = |message: &serde_json::Value| serde_json::from_value(message.clone()).unwrap();
        let teas: TemplateMessage = read(&message);
        assert_eq!(teas.buttons().count(), 1);
        assert_eq!(
            (places(&teas, 0), places(&teas, 1)),
            (vec!["0 -> see".into(), "1 first".into()], vec!["0 second".into()])
        );
        assert_eq!(places(&teas, 2), Vec::<String>::new());
        let others = json!([{"place": 1, "label": "Call"}, {"place": 2, "label": "Copy", "code": "TEA"},
            {"place": 9, "label": "Rate", "token": "t"}]);
        message["cards"][0]["others"] = others;
        let more: TemplateMessage = read(&message);
        assert_eq!(
            places(&more, 0),
            ["0 -> see", "1 Call", "2 Copy=TEA", "3 first", "4 Rate(t)"].map(String::from)
        );
        for card in 0..2 {
            message["cards"][card]["replies"] = json!(usize::MAX);
            message["cards"][card]["link_count"] = json!(usize::MAX);
        }
        let absurd: TemplateMessage = read(&message);
        assert_eq!(absurd.buttons().count(), 0);
        assert!((0..3).all(|card| absurd.card_buttons(card).count() <= 4));
    }
}
