//! A message in words, for transcripts, consoles and people who run a flow; no channel shows it so.

use std::fmt::{self, Display, Formatter};

use crate::session::content::{
    Card, ContactCard, Content, Header, Location, Media, Parameters, ProductMessage, TemplateMessage,
};

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
            Self::Products(products) => write_products(products, f),
            Self::Contacts { cards } => cards.iter().enumerate().try_for_each(|(place, card)| {
                f.write_str(if place == 0 { "" } else { "\n" })?;
                write_contact(card, f)
            }),
            Self::Reaction { message, emoji } if emoji.is_empty() => write!(f, "(no sign on {message})"),
            Self::Reaction { message, emoji } => write!(f, "({emoji} on {message})"),
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
    write_gaps(&template.parameters, f)?;
    for card in &template.cards {
        f.write_str(" (card")?;
        if let Some(Header::Media(media)) = &card.header {
            write!(f, " {} {}", media.kind.as_str(), media.url)?;
        }
        write_gaps(&card.parameters, f)?;
        f.write_str(")")?;
    }
    f.write_str(")")
}

fn write_gaps(parameters: &Parameters, f: &mut Formatter<'_>) -> fmt::Result {
    match parameters {
        Parameters::Positional(values) => values.iter().try_for_each(|value| quoted(Some(value.as_str()), f)),
        Parameters::Named(values) => {
            values.iter().try_for_each(|(name, value)| write!(f, " {name}: {value:?}"))
        }
    }
}

fn write_products(products: &ProductMessage, f: &mut Formatter<'_>) -> fmt::Result {
    products.text.iter().try_for_each(|text| write!(f, "{text} "))?;
    f.write_str(if products.product.is_none() && products.sections.is_empty() {
        "(catalogue"
    } else {
        "(products"
    })?;
    products.catalog.iter().try_for_each(|catalog| write!(f, " of {catalog}"))?;
    products.product.iter().try_for_each(|product| write!(f, ": {product}"))?;
    for (place, section) in products.sections.iter().enumerate() {
        f.write_str(if place == 0 { ": " } else { "; " })?;
        section.title.iter().try_for_each(|title| write!(f, "{title:?} "))?;
        f.write_str(&section.items.join(", "))?;
    }
    f.write_str(")")
}

fn write_contact(card: &ContactCard, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "(contact {:?}", card.name)?;
    quoted(card.title.as_deref(), f)?;
    quoted(card.company.as_deref(), f)?;
    let lists = card.phones.iter().chain(&card.emails).chain(&card.urls);
    lists.into_iter().try_for_each(|one| write!(f, " {one}"))?;
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
