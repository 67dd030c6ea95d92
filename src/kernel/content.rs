//! From a compiled message to what is sent: texts in the contact's language, templates rendered,
//! choices with the payloads that name their question (SEMANTICS N2, T3, I9). Where it goes is
//! `destination`'s.

use std::sync::Arc;

use crate::flow::content::{
    ApprovedTemplate, Buttons, Card, Choice, Degrees, Link, List, Local, Location, Media, Message,
    Parameters, TemplateLanguage,
};
use crate::flow::language::lookup;
use crate::flow::template::Template;
use crate::kernel::choice::payload;
use crate::kernel::turn::{Move, Run};
use crate::session::{self, Content, FailureCode, Opt};

/// Renders a message; or says how the turn ends because it cannot be rendered.
pub(super) fn render_content(run: &mut Run<'_>, message: &Message) -> Result<Content, Move> {
    Ok(match message {
        Message::Text { text, options } => {
            Content::Text { text: run.local(text)?, options: choices(run, options)? }
        }
        Message::Buttons { text, buttons } => {
            let text = run.local(text)?;
            let (options, links) = render_buttons(run, buttons)?;
            Content::Buttons(Box::new(session::Buttons { text, options, links }))
        }
        Message::List { text, list } => render_list(run, text, list)?,
        Message::QuickReplies { text, replies } => {
            let text = run.local(text)?;
            let options = choices(run, replies)?;
            Content::QuickReplies(Box::new(session::QuickReplies { text, options }))
        }
        Message::Media(media) => render_media(run, media)?,
        Message::Location(location) => render_location(run, location)?,
        Message::Template(template) => render_template(run, template)?,
        Message::Card(card) => render_card(run, card)?,
    })
}

impl Run<'_> {
    /// The text that the contact reads, of those in several languages.
    fn pick<'t, T>(&self, texts: &'t Local<T>) -> &'t T {
        texts.pick(self.contact_language(), self.flow.settings().language.as_deref())
    }

    fn contact_language(&self) -> Option<&str> {
        self.contact.profile.as_deref()?.language.as_deref()
    }

    fn text(&mut self, template: &Template) -> Result<String, Move> {
        self.render(template).map_err(|error| Move::fail(FailureCode::Expression, error))
    }

    fn local(&mut self, texts: &Local<Template>) -> Result<String, Move> {
        let template = self.pick(texts);
        self.text(template)
    }

    fn label(&self, labels: &Local<Arc<str>>) -> String {
        self.pick(labels).as_ref().to_owned()
    }

    /// A text that may be left out, and that is left out when nothing comes of it.
    fn optional(&mut self, texts: Option<&Local<Template>>) -> Result<Option<String>, Move> {
        let text = texts.map(|texts| self.local(texts)).transpose()?;
        Ok(text.filter(|text| !text.trim().is_empty()))
    }

    /// An address of the web, or another text that a message makes no sense without.
    fn needed(&mut self, what: &str, template: &Template) -> Result<String, Move> {
        match self.text(template)? {
            text if text.trim().is_empty() => Err(bad(format_args!("{what} is blank"))),
            text => Ok(text),
        }
    }
}

fn bad(why: impl ToString) -> Move {
    Move::fail(FailureCode::BadContent, why)
}

/// What is chosen names the wait that comes next, whichever node that is; or the one that the
/// session stands at.
fn choices(run: &mut Run<'_>, choices: &[Choice]) -> Result<Vec<Opt>, Move> {
    if choices.is_empty() {
        return Ok(Vec::new());
    }
    let wait = run.offered_wait();
    let each = choices.iter().map(|choice| {
        let payload = payload(run.session.id, wait, &choice.id);
        let mut option = Opt::new(payload, run.label(&choice.label));
        option.description = run.optional(choice.description.as_ref())?.map(Into::into);
        Ok(option)
    });
    each.collect()
}

fn links(run: &mut Run<'_>, links: &[Link]) -> Result<Vec<session::Link>, Move> {
    let each = links.iter().map(|link| {
        Ok(session::Link {
            label: run.label(&link.label),
            url: run.needed("the address of a button", &link.url)?,
        })
    });
    each.collect()
}

fn render_buttons(run: &mut Run<'_>, buttons: &Buttons) -> Result<(Vec<Opt>, Vec<session::Link>), Move> {
    Ok((choices(run, &buttons.replies)?, links(run, &buttons.links)?))
}

fn render_list(run: &mut Run<'_>, text: &Local<Template>, list: &List) -> Result<Content, Move> {
    let text = run.local(text)?;
    let mut sections = Vec::with_capacity(list.sections.len());
    for section in &list.sections {
        let title = section.title.as_ref().map(|title| run.label(title));
        sections.push((title, choices(run, &section.rows)?));
    }
    let button = run.label(&list.button);
    Ok(Content::List(Box::new(session::List::new(text, button, sections))))
}

fn render_media(run: &mut Run<'_>, media: &Media) -> Result<Content, Move> {
    let url = run.needed("the address of the medium", &media.url)?;
    let caption = run.optional(media.caption.as_ref())?;
    let filename = media.filename.as_ref().map(|name| run.text(name)).transpose()?;
    let filename = filename.filter(|name| !name.trim().is_empty());
    let mime = media.mime.as_deref().map(ToOwned::to_owned);
    let media = session::Media { caption, filename, mime, ..session::Media::new(media.kind, url) };
    Ok(Content::Media(Box::new(media)))
}

fn render_location(run: &mut Run<'_>, location: &Location) -> Result<Content, Move> {
    let mut degrees = |degrees: &Degrees| match degrees {
        Degrees::Fixed(degrees) => Ok(*degrees),
        Degrees::Template(template) => {
            run.text(template)?.trim().parse().map_err(|_| bad("a degree of the place is no number"))
        }
    };
    let (latitude, longitude) = (degrees(&location.latitude)?, degrees(&location.longitude)?);
    let Some(mut place) = session::Location::new(latitude, longitude) else {
        return Err(bad("there is no place of these degrees"));
    };
    place.name = run.optional(location.name.as_ref())?;
    place.address = run.optional(location.address.as_ref())?;
    Ok(Content::Location(Box::new(place)))
}

fn render_template(run: &mut Run<'_>, template: &ApprovedTemplate) -> Result<Content, Move> {
    let language = match &template.language {
        TemplateLanguage::Said(tag) => run.needed("the language of the template", tag)?.trim().to_owned(),
        TemplateLanguage::Nearest { wanted, approved } => nearest(run, wanted.as_ref(), approved)?,
    };
    let parameters = match &template.parameters {
        Parameters::Positional(values) => {
            let values = values.iter().map(|value| run.text(value)).collect::<Result<_, Move>>()?;
            session::Parameters::Positional(values)
        }
        Parameters::Named(values) => {
            let values = values.iter().map(|(name, value)| Ok((name.to_string(), run.text(value)?)));
            session::Parameters::Named(values.collect::<Result<_, Move>>()?)
        }
    };
    let (options, links) = render_buttons(run, &template.buttons)?;
    let name = template.name.as_ref().to_owned();
    Ok(Content::Template(Box::new(session::TemplateMessage { name, language, parameters, options, links })))
}

/// The approved language that serves the contact best (SEMANTICS U9).
fn nearest(run: &mut Run<'_>, wanted: Option<&Template>, approved: &[Box<str>]) -> Result<String, Move> {
    let wanted = wanted.map(|wanted| run.text(wanted)).transpose()?;
    let wanted = wanted.as_deref().or_else(|| run.contact_language());
    let tags = [wanted, run.flow.settings().language.as_deref()].into_iter().flatten();
    let place = tags.filter_map(|tag| lookup(tag, approved.iter().map(|tag| &**tag))).next();
    let approved = approved.get(place.unwrap_or_default());
    approved.map(ToString::to_string).ok_or_else(|| bad("the template is approved in no language"))
}

fn render_card(run: &mut Run<'_>, card: &Card) -> Result<Content, Move> {
    let title = run.local(&card.title)?;
    let subtitle = run.optional(card.subtitle.as_ref())?;
    let image = card.image.as_ref().map(|image| run.text(image)).transpose()?;
    let image = image.filter(|image| !image.trim().is_empty());
    let (options, links) = render_buttons(run, &card.buttons)?;
    Ok(Content::Card(Box::new(session::Card { title, subtitle, image, options, links })))
}
