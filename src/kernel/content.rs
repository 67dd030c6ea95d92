//! From a compiled message to what is sent: texts in the contact's language, templates rendered,
//! choices with the payloads that name their question (SEMANTICS N2, T3, I9). Where it goes is
//! `destination`'s.

use crate::Channel;
use crate::flow::JsonTemplate;
use crate::flow::content::{
    ApprovedTemplate, ButtonFill, Capacity, CompiledButton, CompiledButtons, CompiledCard, CompiledChoice,
    CompiledContactCard, CompiledForm, CompiledHeader, CompiledLink, CompiledList, CompiledLocation,
    CompiledMedia, CompiledMessage, CompiledParameters, CompiledProducts, Degrees, Local, Offer, Offers,
    Section, Surround, TemplateLanguage, TemplatePart,
};
use crate::flow::language::lookup;
use crate::flow::template::Template;
use crate::grapheme::{TextUnit, within};
use crate::kernel::choice::{payload, payload_len, short_payload};
use crate::kernel::offer::{OfferRoom, ShownChoice, cut, in_one_line, is_blank};
use crate::kernel::turn::{Move, Run};
use crate::session::{self, Content, FailureCode, ReplyOption};

/// A plain text may be so many times as long as other texts that are rendered (SEMANTICS N7).
const MOST_PLAIN_TIMES: usize = 10;

/// For whom a message is rendered.
pub(super) struct Audience<'a> {
    /// The channel that it goes out on.
    pub(super) channel: &'a Channel,
    /// True if it is a question, which takes one of its choices for an answer.
    pub(super) asks: bool,
    /// True if there is a way for a list that has no item (SEMANTICS N10).
    pub(super) may_be_empty: bool,
}

/// Renders a message; or says how the turn ends because it cannot be rendered.
pub(super) fn render_content(
    run: &mut Run<'_>,
    message: &CompiledMessage,
    to: &Audience<'_>,
) -> Result<Content, Move> {
    Ok(match message {
        CompiledMessage::Text { text, options } => {
            // A plain text that is long goes out in pieces.
            let times = if options.is_empty() { MOST_PLAIN_TIMES } else { 1 };
            let text = run.said_within("text", text, times)?;
            Content::Text { text, options: choices(run, options, OfferRoom::of_options, to)? }
        }
        CompiledMessage::Buttons { text, buttons } => {
            let text = run.said("text", text)?;
            let (buttons, around) = &**buttons;
            let (options, links) = render_buttons(run, buttons, OfferRoom::of_buttons, to)?;
            let (header, footer) = surround(run, around)?;
            Content::Buttons(Box::new(session::Buttons { text, options, links, header, footer }))
        }
        CompiledMessage::List { text, list } => render_list(run, text, list, to)?,
        CompiledMessage::Form { text, form } => render_form(run, text, form)?,
        CompiledMessage::LocationRequest { text } => {
            Content::LocationRequest { text: run.said("text", text)? }
        }
        CompiledMessage::Products { text, products } => render_products(run, text.as_ref(), products, to)?,
        CompiledMessage::Contacts(cards) => {
            let cards = cards.iter().map(|card| render_contact(run, card)).collect::<Result<_, Move>>()?;
            Content::Contacts { cards }
        }
        CompiledMessage::Reaction(reaction) => {
            // A sign that comes out blank is not one that is taken away.
            let emoji = reaction.emoji.as_ref().map(|emoji| run.text(emoji)).transpose()?;
            let emoji = emoji.map(|emoji| if is_blank(&emoji) { " ".to_owned() } else { trimmed(&emoji) });
            let message = match &reaction.to {
                Some(to) => trimmed(&run.text(to)?),
                None => run.heard_last().unwrap_or_default().to_owned(),
            };
            Content::Reaction { message, emoji: emoji.unwrap_or_default() }
        }
        CompiledMessage::Native(native) => {
            let body = run.json(&native.body)?;
            Content::Native(Box::new(session::NativeMessage { channel: native.channel.clone(), body }))
        }
        CompiledMessage::QuickReplies { text, replies } => {
            let text = run.said("text", text)?;
            let options = choices(run, replies, OfferRoom::of_quick_replies, to)?;
            Content::QuickReplies(Box::new(session::QuickReplies { text, options }))
        }
        CompiledMessage::Media(media) => render_media(run, media)?,
        CompiledMessage::Location(location) => Content::Location(Box::new(render_place(run, location)?)),
        CompiledMessage::Template(template) => render_template(run, template, to)?,
        CompiledMessage::Card(card) => render_card(run, card, to)?,
    })
}

impl Run<'_> {
    /// A line; one that is written out is left as it is.
    fn line(&mut self, texts: &Local<Template>) -> Result<String, Move> {
        if let Some(text) = self.pick(texts).as_literal() {
            return Ok(text.to_owned());
        }
        self.local(texts).map(|text| in_one_line(&text))
    }

    /// A text in one line, with single blanks: what fills a gap of an approved message.
    fn gap(&mut self, template: &Template) -> Result<String, Move> {
        self.text(template).map(|text| in_one_line(&text))
    }

    /// A JSON value.
    fn json(&mut self, template: &JsonTemplate) -> Result<serde_json::Value, Move> {
        self.render_json(template).map_err(|error| Move::fail(FailureCode::Expression, error))
    }

    /// A text of a message. Where rendering stops at its limit, that is told (SEMANTICS N7).
    fn said(&mut self, part: &'static str, texts: &Local<Template>) -> Result<String, Move> {
        self.said_within(part, texts, 1)
    }

    /// The same, `times` as long.
    fn said_within(
        &mut self,
        part: &'static str,
        texts: &Local<Template>,
        times: usize,
    ) -> Result<String, Move> {
        let template = self.pick(texts);
        let text = self.text(template)?;
        let usual = self.env.limits.template_chars;
        if text.len() < usual || template.as_literal().is_some() {
            return Ok(text);
        }
        self.said_whole(part, template, usual.saturating_mul(times))
    }

    /// A text that may be longer than is usually rendered: its first `most` characters.
    #[cold]
    fn said_whole(&mut self, part: &'static str, template: &Template, most: usize) -> Result<String, Move> {
        let whole = self.render_up_to(template, most.saturating_add(1));
        let whole = whole.map_err(|error| Move::fail(FailureCode::Expression, error))?;
        let kept = within(&whole, most, TextUnit::Characters);
        if kept.len() < whole.len() {
            self.note_cut(part);
        }
        Ok(kept.to_owned())
    }

    /// A text that may be left out, and that is left out when nothing comes of it.
    fn optional(
        &mut self,
        part: &'static str,
        texts: Option<&Local<Template>>,
    ) -> Result<Option<String>, Move> {
        let text = texts.map(|texts| self.said(part, texts)).transpose()?;
        Ok(text.filter(|text| !text.trim().is_empty()))
    }

    /// The name that a medium is saved under; none where nothing comes of it.
    fn filename(&mut self, name: Option<&Template>) -> Result<Option<String>, Move> {
        let name = name.map(|name| self.text(name)).transpose()?;
        Ok(name.filter(|name| !is_blank(name)))
    }

    /// The subject of a letter, if there is one and it goes out on a channel that has letters.
    pub(super) fn subject(
        &mut self,
        subject: Option<&Local<Template>>,
        to: &Channel,
    ) -> Result<Option<Box<str>>, Move> {
        let Some(subject) = subject else { return Ok(None) };
        let most = Capacity::of(Some(to)).subject;
        if most == 0 {
            return Ok(None);
        }
        let line = in_one_line(&self.said("subject", subject)?);
        let kept = cut(&line, most);
        if kept != line {
            self.note_cut("subject");
        }
        Ok(Some(kept).filter(|line| !line.is_empty()).map(Into::into))
    }

    /// True if the channel has room for the payload of a choice.
    fn has_room(&self, id: &str, capacity: &Capacity) -> bool {
        payload_len(self.offered_wait(), id) <= capacity.payload
    }

    /// The payload of a choice, in as many bytes as the channel takes.
    fn payload_of(&self, id: &str, capacity: &Capacity) -> String {
        let (session, wait) = (self.session.id, self.offered_wait());
        match self.has_room(id, capacity) {
            true => payload(session, wait, id),
            false => short_payload(session, wait, id),
        }
    }
}

fn bad(why: impl ToString) -> Move {
    Move::fail(FailureCode::BadContent, why)
}

fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

/// Where a medium lies. An address that leaves its scheme to the page it is on gets one.
fn medium_at(run: &mut Run<'_>, url: &Template) -> Result<String, Move> {
    let url = run.text(url)?;
    let trimmed = url.trim();
    Ok(match trimmed.strip_prefix("//") {
        Some(rest) => format!("https://{rest}"),
        None if trimmed.len() == url.len() => url,
        None => trimmed.to_owned(),
    })
}

/// Makes the choices. Each names the wait that comes next, whichever node that is; or the one that
/// the session is at.
fn choices(
    run: &mut Run<'_>,
    offers: &Offers,
    room: fn(&Capacity) -> OfferRoom,
    to: &Audience<'_>,
) -> Result<Vec<ReplyOption>, Move> {
    let capacity = Capacity::of(Some(to.channel));
    match offers {
        Offers::Fixed(choices) => fixed_choices(run, choices, capacity),
        Offers::Live(offers) => {
            let shown = run.make_choices(offers, room(capacity).or_options(capacity), to.asks)?;
            offer(run, &shown, has_data(offers), to)?;
            Ok(as_options(run, shown, capacity))
        }
    }
}

fn fixed_choices(
    run: &mut Run<'_>,
    choices: &[CompiledChoice],
    capacity: &Capacity,
) -> Result<Vec<ReplyOption>, Move> {
    if choices.is_empty() {
        return Ok(Vec::new());
    }
    let mut has_room = true;
    let each = choices.iter().map(|choice| {
        has_room &= run.has_room(&choice.id, capacity);
        let label = run.pick(&choice.label).as_literal().unwrap_or_default();
        let mut option = ReplyOption::new(run.payload_of(&choice.id, capacity), label.to_owned());
        option.description = run.optional("description", choice.description.as_ref())?.map(Into::into);
        Ok(option)
    });
    let options = each.collect::<Result<_, Move>>()?;
    if !has_room {
        run.keep_written(choices)?;
    }
    Ok(options)
}

/// Keeps what was made of data until it is answered. `has_data`: there is a list among it.
fn offer(run: &mut Run<'_>, shown: &[ShownChoice], has_data: bool, to: &Audience<'_>) -> Result<(), Move> {
    let is_empty = has_data && !shown.iter().any(ShownChoice::is_of_data);
    if shown.is_empty() || (is_empty && to.may_be_empty) {
        return Err(Move::fail(FailureCode::NoChoices, "there is nothing to choose from"));
    }
    run.keep_offer(shown, to.asks)
}

/// Makes and keeps choices that no message shows.
pub(super) fn offer_unseen(run: &mut Run<'_>, offers: &Offers, to: &Audience<'_>) -> Result<(), Move> {
    let offers = offers.to_live();
    let room = OfferRoom::of_unseen(Capacity::of(Some(to.channel)));
    let shown = run.make_choices(&offers, room, to.asks)?;
    offer(run, &shown, has_data(&offers), to)
}

fn has_data(offers: &[Offer]) -> bool {
    offers.iter().any(|offer| matches!(offer, Offer::Data(_)))
}

fn as_options(run: &Run<'_>, shown: Vec<ShownChoice>, capacity: &Capacity) -> Vec<ReplyOption> {
    let option = |choice: ShownChoice| {
        let mut option = ReplyOption::new(run.payload_of(&choice.id, capacity), choice.label);
        option.description = choice.description.map(Into::into);
        option
    };
    shown.into_iter().map(option).collect()
}

fn links(run: &mut Run<'_>, links: &[CompiledLink]) -> Result<Vec<session::Link>, Move> {
    let each = links
        .iter()
        .map(|link| Ok(session::Link { label: run.line(&link.label)?, url: run.text(&link.url)? }));
    each.collect()
}

fn render_buttons(
    run: &mut Run<'_>,
    buttons: &CompiledButtons,
    room: fn(&Capacity) -> OfferRoom,
    to: &Audience<'_>,
) -> Result<(Vec<ReplyOption>, Vec<session::Link>), Move> {
    Ok((choices(run, &buttons.replies, room, to)?, links(run, &buttons.links)?))
}

fn render_list(
    run: &mut Run<'_>,
    text: &Local<Template>,
    (list, around): &(CompiledList, Surround),
    to: &Audience<'_>,
) -> Result<Content, Move> {
    let text = run.said("text", text)?;
    let capacity = Capacity::of(Some(to.channel));
    let is_fixed = |section: &Section| section.from.is_none() && matches!(section.rows, Offers::Fixed(_));
    let sections = if list.sections.iter().all(is_fixed) {
        fixed_sections(run, &list.sections, capacity)?
    } else {
        live_sections(run, &list.sections, capacity, to)?
    };
    let button = run.line(&list.button)?;
    let (header, footer) = surround(run, around)?;
    let mut list = session::List::new(text, button, sections);
    (list.header, list.footer) = (header, footer);
    Ok(Content::List(Box::new(list)))
}

/// Goods of a list are what the list has when the message is made.
fn render_products(
    run: &mut Run<'_>,
    text: Option<&Local<Template>>,
    (products, around): &(CompiledProducts, Surround),
    to: &Audience<'_>,
) -> Result<Content, Move> {
    let text = text.map(|text| run.said("text", text)).transpose()?;
    let catalog = products.catalog.as_ref().map(|id| run.text(id)).transpose()?;
    let product = products.id.as_ref().map(|id| run.text(id)).transpose()?;
    let capacity = Capacity::of(Some(to.channel));
    let parts: Vec<_> = products.sections.iter().map(|section| section.rows.to_live()).collect();
    let each = products.sections.iter().map(|section| section.from.as_ref());
    let each = each.zip(parts.iter().map(|offers| &offers[..]));
    let (titles, shown) = run.make_parts(each, (OfferRoom::of_products(capacity), false), |run, place| {
        let title = products.sections.get(place).and_then(|section| section.title.as_ref());
        let title = title.map(|title| run.line(title)).transpose()?;
        Ok(title.filter(|title| !is_blank(title)))
    })?;
    let is_empty = to.may_be_empty && !shown.iter().any(ShownChoice::is_of_data);
    if !products.sections.is_empty() && (shown.is_empty() || is_empty) {
        return Err(Move::fail(FailureCode::NoChoices, "there is no article to show"));
    }
    let mut items = shown.into_iter().map(|choice| choice.id.as_ref().to_owned());
    let sections = titles.into_iter().filter(|(_, count)| *count > 0);
    let sections = sections
        .map(|(title, count)| session::ProductSection { title, items: items.by_ref().take(count).collect() });
    let sections = sections.collect();
    let (header, footer) = surround(run, around)?;
    let products = session::ProductMessage { text, catalog, product, sections, header, footer };
    Ok(Content::Products(Box::new(products)))
}

fn render_contact(run: &mut Run<'_>, card: &CompiledContactCard) -> Result<session::ContactCard, Move> {
    let name = run.local(&card.name)?;
    let company = run.optional("company", card.company.as_ref())?;
    let title = run.optional("title", card.title.as_ref())?;
    let mut list = |templates: &[Template]| {
        let texts = templates.iter().map(|template| run.gap(template)).collect::<Result<Vec<_>, Move>>()?;
        Ok(texts.into_iter().filter(|text| !text.is_empty()).collect())
    };
    let (phones, emails, urls) = (list(&card.phones)?, list(&card.emails)?, list(&card.urls)?);
    Ok(session::ContactCard { name: in_one_line(&name), company, title, phones, emails, urls })
}

type Rows = Vec<(Option<String>, Vec<ReplyOption>)>;

fn fixed_sections(run: &mut Run<'_>, sections: &[Section], capacity: &Capacity) -> Result<Rows, Move> {
    let mut made = Vec::with_capacity(sections.len());
    for section in sections {
        let title = section.title.as_ref().map(|title| run.line(title)).transpose()?;
        let Offers::Fixed(rows) = &section.rows else { continue };
        made.push((title, fixed_choices(run, rows, capacity)?));
    }
    Ok(made)
}

/// Sections of which some have rows that are made of data, or are made of data themselves.
fn live_sections(
    run: &mut Run<'_>,
    sections: &[Section],
    capacity: &Capacity,
    to: &Audience<'_>,
) -> Result<Rows, Move> {
    let room = OfferRoom::of_rows(capacity).or_options(capacity);
    let parts: Vec<_> = sections.iter().map(|section| section.rows.to_live()).collect();
    let has_data =
        sections.iter().any(|section| section.from.is_some()) || parts.iter().any(|offers| has_data(offers));
    let each =
        sections.iter().map(|section| section.from.as_ref()).zip(parts.iter().map(|offers| &offers[..]));
    let (titles, shown) = run.make_parts(each, (room, to.asks), |run, place| {
        let title = sections.get(place).and_then(|section| section.title.as_ref());
        let title = title.map(|title| run.line(title)).transpose()?;
        Ok(title.filter(|title| !is_blank(title)))
    })?;
    offer(run, &shown, has_data, to)?;
    let mut rows = as_options(run, shown, capacity).into_iter();
    let sections = titles.into_iter().filter(|(_, count)| *count > 0);
    Ok(sections.map(|(title, count)| (title, rows.by_ref().take(count).collect())).collect())
}

/// A header, also one that comes out blank.
fn render_header(run: &mut Run<'_>, header: &CompiledHeader) -> Result<session::Header, Move> {
    Ok(match header {
        CompiledHeader::Text(text) => session::Header::Text(run.said("header", text)?),
        CompiledHeader::Media(kind, url, filename) => {
            let url = medium_at(run, url)?;
            let filename = run.filename(filename.as_ref())?;
            session::Header::Media(Box::new(session::Media { filename, ..session::Media::new(*kind, url) }))
        }
        CompiledHeader::Location(place) => session::Header::Location(Box::new(render_place(run, place)?)),
    })
}

/// Header and footer, each left out when nothing comes of it.
fn surround(run: &mut Run<'_>, around: &Surround) -> Result<(Option<session::Header>, Option<String>), Move> {
    let header = around.header.as_ref().map(|header| render_header(run, header)).transpose()?;
    Ok((header.filter(|header| !header.is_blank()), run.optional("footer", around.footer.as_ref())?))
}

/// A form has the token of the wait that comes next, as choices have (SEMANTICS I9).
fn render_form(
    run: &mut Run<'_>,
    text: &Local<Template>,
    (form, around): &(CompiledForm, Surround),
) -> Result<Content, Move> {
    let text = run.said("text", text)?;
    let (id, button) = (run.text(&form.id)?, run.line(&form.button)?);
    let screen = form.screen.as_ref().map(|screen| run.text(screen)).transpose()?;
    let data = form.data.as_ref().map(|data| run.json(data)).transpose()?;
    let token = form_token(run);
    let (header, footer) = surround(run, around)?;
    let form = session::FormMessage { text, button, form: id, screen, data, token, header, footer };
    Ok(Content::Form(Box::new(form)))
}

fn form_token(run: &Run<'_>) -> String {
    payload(run.session.id, run.offered_wait(), "form")
}

fn render_media(run: &mut Run<'_>, media: &CompiledMedia) -> Result<Content, Move> {
    let url = medium_at(run, &media.url)?;
    let caption = run.optional("caption", media.caption.as_ref())?;
    let filename = run.filename(media.filename.as_ref())?;
    let mime = media.mime.as_deref().map(ToOwned::to_owned);
    let media = session::Media { caption, filename, mime, ..session::Media::new(media.kind, url) };
    Ok(Content::Media(Box::new(media)))
}

/// A place; one that is none is refused, and told.
fn render_place(run: &mut Run<'_>, location: &CompiledLocation) -> Result<session::Location, Move> {
    place(run, location).inspect_err(|leave| {
        if let Move::Fail(FailureCode::BadContent, why) = leave {
            run.refuse_place(why.clone());
        }
    })
}

fn place(run: &mut Run<'_>, location: &CompiledLocation) -> Result<session::Location, Move> {
    let mut degrees = |degrees: &Degrees| match degrees {
        Degrees::Fixed(degrees) => Ok(*degrees),
        Degrees::Template(template) => {
            Degrees::read(&run.text(template)?).ok_or_else(|| bad("latitude or longitude is not a number"))
        }
    };
    let (latitude, longitude) = (degrees(&location.latitude)?, degrees(&location.longitude)?);
    let Some(mut place) = session::Location::new(latitude, longitude) else {
        return Err(bad("latitude or longitude is out of range"));
    };
    place.name = run.optional("name", location.name.as_ref())?;
    place.address = run.optional("address", location.address.as_ref())?;
    Ok(place)
}

fn render_template(
    run: &mut Run<'_>,
    template: &ApprovedTemplate,
    to: &Audience<'_>,
) -> Result<Content, Move> {
    let language = match &template.language {
        TemplateLanguage::Said(tag) => trimmed(&run.text(tag)?),
        TemplateLanguage::Nearest { wanted, approved } => nearest(run, wanted.as_ref(), approved)?,
    };
    let (own, mut options, mut links) = render_part(run, &template.own, to)?;
    let mut cards = Vec::with_capacity(template.cards.len());
    for card in &template.cards {
        let (card, card_options, card_links) = render_part(run, card, to)?;
        options.extend(card_options);
        links.extend(card_links);
        cards.push(card);
    }
    let session::TemplateCard { parameters, header, link_places, others, .. } = own;
    let message = session::TemplateMessage {
        name: template.name.as_ref().to_owned(),
        language,
        parameters,
        options,
        links,
        header,
        header_parameter: template.own.header_parameter.as_deref().map(Into::into),
        link_places,
        others,
        cards,
    };
    Ok(Content::Template(Box::new(message)))
}

/// An approved message, or one of its cards, with its buttons of either kind.
type RenderedPart = (session::TemplateCard, Vec<ReplyOption>, Vec<session::Link>);

fn render_part(run: &mut Run<'_>, part: &TemplatePart, to: &Audience<'_>) -> Result<RenderedPart, Move> {
    let parameters = match &part.parameters {
        CompiledParameters::Positional(values) => {
            let values = values.iter().map(|value| run.gap(value)).collect::<Result<_, Move>>()?;
            session::Parameters::Positional(values)
        }
        CompiledParameters::Named(values) => {
            let values = values.iter().map(|(name, value)| Ok((name.to_string(), run.gap(value)?)));
            session::Parameters::Named(values.collect::<Result<_, Move>>()?)
        }
    };
    let (options, links) = render_buttons(run, &part.buttons, OfferRoom::of_buttons, to)?;
    let others = other_buttons(run, &part.buttons.others)?;
    let header = part.header.as_ref().map(|header| render_header(run, header)).transpose()?;
    let header = header.map(|header| match header {
        session::Header::Text(text) => session::Header::Text(in_one_line(&text)),
        other => other,
    });
    let (replies, link_count, link_places) = (options.len(), links.len(), part.link_places.to_vec());
    let card = session::TemplateCard { header, parameters, replies, link_count, link_places, others };
    Ok((card, options, links))
}

/// The buttons of an approved message that neither answer nor open an address which is left open.
fn other_buttons(
    run: &mut Run<'_>,
    others: &[(u32, CompiledButton)],
) -> Result<Vec<session::OtherButton>, Move> {
    let each = others.iter().map(|(place, button)| {
        let mut other = session::OtherButton::new(*place, run.line(&button.label)?);
        match &button.fill {
            ButtonFill::Nothing => {}
            ButtonFill::Code(code) => other.code = Some(run.gap(code)?),
            ButtonFill::Form(data) => {
                other.token = Some(form_token(run));
                other.data = data.as_ref().map(|data| run.json(data)).transpose()?;
            }
        }
        Ok(other)
    });
    each.collect()
}

/// The approved language that serves the contact best (SEMANTICS U9).
fn nearest(run: &mut Run<'_>, wanted: Option<&Template>, approved: &[Box<str>]) -> Result<String, Move> {
    let wanted = wanted.map(|wanted| run.text(wanted)).transpose()?;
    let wanted = wanted.as_deref().or_else(|| run.contact_language());
    let tags = [wanted, run.flow.settings().language.as_deref()].into_iter().flatten();
    let place = tags.filter_map(|tag| lookup(tag, approved.iter().map(|tag| &**tag))).next();
    let approved = approved.get(place.unwrap_or_default());
    Ok(approved.map(ToString::to_string).unwrap_or_default())
}

fn render_card(run: &mut Run<'_>, card: &CompiledCard, to: &Audience<'_>) -> Result<Content, Move> {
    let title = run.said("title", &card.title)?;
    let subtitle = run.optional("subtitle", card.subtitle.as_ref())?;
    let image = card.image.as_ref().map(|image| medium_at(run, image)).transpose()?;
    let image = image.filter(|image| !is_blank(image));
    let (options, links) = render_buttons(run, &card.buttons, OfferRoom::of_card, to)?;
    Ok(Content::Card(Box::new(session::Card { title, subtitle, image, options, links })))
}
