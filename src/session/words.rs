//! A message in words, for transcripts, consoles and people who run a flow; no channel shows it so.

use std::fmt::{self, Display, Formatter};

use crate::session::content::{Card, Content, Location, Media, Parameters, TemplateMessage};

/// Writes what it says, in one or more lines: its text; of another form a line such as `(image
/// https://shop.example/7.jpg "The shirt")`. [`options`](Content::options) and
/// [`links`](Content::links) are not in it.
impl Display for Content {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Media(media) => write_media(media, f),
            Self::Location(place) => write_place(place, f),
            Self::Template(template) => write_template(template, f),
            Self::Card(card) => write_card(card, f),
            Self::Form(form) => write!(f, "{} (form {}: {})", form.text, form.form, form.button),
            Self::LocationRequest { text } => write!(f, "{text} (where are you?)"),
            Self::Native(native) => write!(f, "({} {})", native.channel, native.body),
            Self::Typing { seconds } => write!(f, "(typing, {seconds} s)"),
            other => f.write_str(other.text()),
        }
    }
}

fn write_media(media: &Media, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "({} {}", media.kind.as_str(), media.url)?;
    quoted(media.caption.as_deref(), f)?;
    f.write_str(")")
}

fn write_place(place: &Location, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "(place {} {}", place.latitude(), place.longitude())?;
    quoted(place.name.as_deref(), f)?;
    quoted(place.address.as_deref(), f)?;
    f.write_str(")")
}

fn write_template(template: &TemplateMessage, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "(template {} in {}", template.name, template.language)?;
    match &template.parameters {
        Parameters::Positional(values) => {
            values.iter().try_for_each(|value| quoted(Some(value.as_str()), f))?;
        }
        Parameters::Named(values) => {
            values.iter().try_for_each(|(name, value)| write!(f, " {name}: {value:?}"))?;
        }
    }
    f.write_str(")")
}

fn write_card(card: &Card, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "(card {:?}", card.title)?;
    quoted(card.subtitle.as_deref(), f)?;
    card.image.iter().try_for_each(|image| write!(f, " {image}"))?;
    f.write_str(")")
}

fn quoted(text: Option<&str>, f: &mut Formatter<'_>) -> fmt::Result {
    text.iter().try_for_each(|text| write!(f, " {text:?}"))
}
