//! The capacity of a channel: one table of its limits, as its provider documents them (SEMANTICS
//! C).

use crate::Channel;
use crate::flow::content::MediaType;
use crate::grapheme::TextUnit;

/// Limits of a message on one channel: characters of texts, numbers of choices. What is 0 the
/// channel does not have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    /// The unit in which it counts texts, alone and above choices. All other figures are code
    /// points.
    pub(crate) unit: TextUnit,
    /// The length of a text.
    pub(crate) text: usize,
    /// The length of a text with choices below it.
    pub(crate) text_with_options: usize,
    /// Choices below a text.
    pub(crate) options: usize,
    /// Characters of the label of a choice.
    pub(crate) label: usize,
    /// True if choices that are more than buttons, or have lines below them, are rows of a list.
    pub(crate) lists_options: bool,
    /// Characters of a text above buttons.
    pub(crate) body: usize,
    /// Characters of a text above a list.
    pub(crate) list_body: usize,
    /// Buttons below a text.
    pub(crate) buttons: usize,
    /// Of them those that open an address.
    pub(crate) links: usize,
    /// True if one message may have those beside buttons that answer.
    pub(crate) mixes_links: bool,
    /// The addresses that one opens.
    pub(crate) opens: LinkSchemes,
    /// Characters of a button's label.
    pub(crate) button: usize,
    /// True if no two buttons of a message may have the same label.
    pub(crate) unique_buttons: bool,
    /// Rows of a list.
    pub(crate) rows: usize,
    /// Characters of a row's label, or of a section's title.
    pub(crate) row: usize,
    /// Characters of a row's description.
    pub(crate) description: usize,
    /// Characters of the label that opens a list.
    pub(crate) list_button: usize,
    /// Quick replies below a text.
    pub(crate) quick_replies: usize,
    /// Characters of the label of a quick reply.
    pub(crate) quick_reply: usize,
    /// Bytes of what is handed back when something is chosen.
    pub(crate) payload: usize,
    /// The media that can be sent.
    pub(crate) media: &'static [MediaType],
    /// Characters below an image.
    pub(crate) caption: usize,
    /// Characters below a film or a document.
    pub(crate) file_caption: usize,
    /// Characters below a sound.
    pub(crate) audio_caption: usize,
    /// Characters of the subject of a letter.
    pub(crate) subject: usize,
    /// Characters of a header or a footer.
    pub(crate) header: usize,
    /// True if the header above a list may be a medium.
    pub(crate) list_media: bool,
    /// True if there are forms to fill in.
    pub(crate) form: bool,
    /// True if a message can ask for a place.
    pub(crate) location_request: bool,
    /// True if a place can be sent.
    pub(crate) location: bool,
    /// Cards of people and firms.
    pub(crate) contacts: usize,
    /// Goods of a catalogue in one message.
    pub(crate) products: usize,
    /// Sections of them.
    pub(crate) product_sections: usize,
    /// True if a message of the contact can be given a sign.
    pub(crate) reaction: bool,
    /// True if messages are approved beforehand.
    pub(crate) template: bool,
    /// Buttons of such a message.
    pub(crate) template_buttons: usize,
    /// Cards of such a message.
    pub(crate) template_cards: usize,
    /// Buttons of such a card.
    pub(crate) template_card_buttons: usize,
    /// Characters of a card's title.
    pub(crate) card: usize,
    /// Characters of the line below it.
    pub(crate) subtitle: usize,
    /// Buttons below it.
    pub(crate) card_buttons: usize,
}

/// The addresses that a button of a channel opens beside those of the web.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkSchemes {
    /// None but those that begin so.
    Only(&'static [&'static str]),
    /// Any, and those of the page or the host that it belongs to; but no program.
    Any,
}

use MediaType::{Audio, Document, Image, Sticker, Video};

impl Capacity {
    /// The limits where the channel is not known.
    const ANY: Self = Self {
        unit: TextUnit::Characters,
        text: 10_000,
        text_with_options: 10_000,
        options: 20,
        label: 20,
        lists_options: false,
        body: 10_000,
        list_body: 10_000,
        buttons: 20,
        links: 20,
        mixes_links: true,
        opens: LinkSchemes::Any,
        button: 80,
        unique_buttons: false,
        rows: 100,
        row: 80,
        description: 200,
        list_button: 80,
        quick_replies: 20,
        quick_reply: 20,
        payload: 200,
        media: &[Image, Audio, Video, Document, Sticker],
        caption: 10_000,
        file_caption: 10_000,
        audio_caption: 10_000,
        subject: 998,
        header: 60,
        list_media: true,
        form: true,
        location_request: true,
        location: true,
        contacts: 257,
        products: 30,
        product_sections: 10,
        reaction: true,
        template: true,
        template_buttons: 10,
        template_cards: 10,
        template_card_buttons: 2,
        card: 200,
        subtitle: 200,
        card_buttons: 20,
    };

    /// Choices that no message shows, and characters of their labels.
    pub(crate) const UNSEEN: (usize, usize) = (Self::ANY.rows, usize::MAX);

    /// An approved message of WhatsApp, with buttons of both kinds in any order.
    const TEMPLATE: Self = Self {
        buttons: 10,
        links: 2,
        mixes_links: true,
        button: 25,
        unique_buttons: false,
        ..Self::WHATSAPP
    };

    /// A web page, and a host's own channel: labels as long as those of buttons.
    const OWN: Self = Self { label: 80, quick_reply: 80, ..Self::ANY };

    /// Nothing but texts: ten parts of 153 characters.
    const SMS: Self = Self {
        header: 0,
        form: false,
        location_request: false,
        text: 1_530,
        text_with_options: 1_530,
        options: 10,
        label: 80,
        buttons: 0,
        rows: 0,
        quick_replies: 0,
        media: &[],
        caption: 0,
        file_caption: 0,
        audio_caption: 0,
        subject: 0,
        location: false,
        template: false,
        card: 0,
        subtitle: 0,
        contacts: 0,
        products: 0,
        reaction: false,
        ..Self::ANY
    };

    /// Up to 3 choices are buttons, above which a text has 1,024 characters, up to 10 a list. An
    /// address has a message of its own.
    const WHATSAPP: Self = Self {
        text: 4_096,
        text_with_options: 1_024,
        options: 10,
        lists_options: true,
        body: 1_024,
        list_body: 4_096,
        buttons: 3,
        links: 1,
        mixes_links: false,
        opens: LinkSchemes::Only(&[]),
        button: 20,
        unique_buttons: true,
        rows: 10,
        row: 24,
        description: 72,
        list_button: 20,
        quick_replies: 0,
        caption: 1_024,
        file_caption: 1_024,
        audio_caption: 0,
        subject: 0,
        list_media: false,
        card: 0,
        subtitle: 0,
        ..Self::ANY
    };

    /// A text with buttons has at most 640 characters (the button template); media have no caption.
    const MESSENGER: Self = Self {
        header: 0,
        form: false,
        location_request: false,
        text: 2_000,
        text_with_options: 2_000,
        options: 13,
        body: 640,
        buttons: 3,
        links: 3,
        opens: LinkSchemes::Only(&[]),
        button: 20,
        rows: 0,
        quick_replies: 13,
        media: &[Image, Audio, Video, Document],
        caption: 0,
        file_caption: 0,
        audio_caption: 0,
        subject: 0,
        location: false,
        template: false,
        card: 80,
        subtitle: 80,
        card_buttons: 3,
        contacts: 0,
        products: 0,
        ..Self::ANY
    };

    /// Texts are counted in bytes.
    const INSTAGRAM: Self =
        Self { unit: TextUnit::Bytes, text: 1_000, text_with_options: 1_000, ..Self::MESSENGER };

    /// Choices are keys of a keyboard, at most 24 rows of them. Pictures alone have a text below
    /// them.
    const VIBER: Self = Self {
        header: 0,
        form: false,
        text: 7_000,
        text_with_options: 7_000,
        label: 80,
        body: 7_000,
        rows: 0,
        quick_reply: 80,
        caption: 768,
        file_caption: 0,
        audio_caption: 0,
        subject: 0,
        template: false,
        card: 0,
        subtitle: 0,
        contacts: 1,
        products: 0,
        reaction: false,
        ..Self::ANY
    };

    /// Choices are keys below the text, which hand back at most 64 bytes.
    const TELEGRAM: Self = Self {
        header: 0,
        form: false,
        text: 4_096,
        text_with_options: 4_096,
        options: 100,
        label: 80,
        body: 4_096,
        buttons: 100,
        links: 100,
        opens: LinkSchemes::Only(&["tg"]),
        rows: 0,
        quick_replies: 100,
        quick_reply: 80,
        payload: 64,
        caption: 1_024,
        file_caption: 1_024,
        audio_caption: 1_024,
        subject: 0,
        template: false,
        card: 256,
        subtitle: 512,
        card_buttons: 100,
        contacts: 1,
        products: 0,
        ..Self::ANY
    };

    /// A text with buttons has at most 160 characters, a card 60; choices are those of a flex
    /// message. Texts are counted in units of UTF-16.
    const LINE: Self = Self {
        unit: TextUnit::Utf16,
        header: 0,
        form: false,
        text: 5_000,
        text_with_options: 2_000,
        options: 13,
        label: 40,
        body: 160,
        buttons: 4,
        links: 4,
        opens: LinkSchemes::Only(&["line", "tel"]),
        button: 20,
        rows: 0,
        quick_replies: 13,
        media: &[Image, Audio, Video],
        caption: 0,
        file_caption: 0,
        audio_caption: 0,
        subject: 0,
        template: false,
        card: 40,
        subtitle: 60,
        card_buttons: 4,
        contacts: 0,
        products: 0,
        reaction: false,
        ..Self::ANY
    };

    /// Choices are suggestions, at most 11 below a text and 4 below a card.
    const RCS: Self = Self {
        header: 0,
        form: false,
        text: 3_072,
        text_with_options: 3_072,
        options: 11,
        label: 25,
        body: 3_072,
        buttons: 11,
        links: 11,
        opens: LinkSchemes::Only(&[]),
        button: 25,
        rows: 0,
        quick_replies: 11,
        quick_reply: 25,
        media: &[Image, Audio, Video, Document],
        caption: 0,
        file_caption: 0,
        audio_caption: 0,
        subject: 0,
        template: false,
        card: 200,
        subtitle: 2_000,
        card_buttons: 4,
        contacts: 0,
        products: 0,
        reaction: false,
        ..Self::ANY
    };

    /// A letter: choices are links that the host makes.
    const EMAIL: Self = Self {
        header: 0,
        form: false,
        location_request: false,
        label: 80,
        rows: 0,
        quick_replies: 0,
        media: &[Image, Audio, Video, Document],
        location: false,
        template: false,
        products: 0,
        reaction: false,
        ..Self::ANY
    };

    const WEB: Self = Self { template: false, subject: 0, ..Self::OWN };

    /// Characters below a medium of a kind.
    pub(crate) fn caption_of(&self, kind: MediaType) -> usize {
        match kind {
            Audio => self.audio_caption,
            Sticker => 0,
            Image => self.caption,
            Video | Document => self.file_caption,
        }
    }

    /// True if so many choices below a text, of which some may have a line below them, are rows of
    /// a list.
    pub(crate) fn are_rows(&self, count: usize, has_lines: bool) -> bool {
        self.lists_options && (count > self.buttons || has_lines)
    }

    /// Characters of their labels.
    pub(crate) fn label_of(&self, count: usize, has_lines: bool) -> usize {
        if self.are_rows(count, has_lines) { self.row } else { self.label }
    }

    /// Returns the limits of buttons of an approved message.
    pub(crate) fn in_template(&'static self) -> &'static Self {
        if self.mixes_links { self } else { &Self::TEMPLATE }
    }

    pub(crate) fn of(channel: Option<&Channel>) -> &'static Self {
        match channel {
            Some(Channel::WhatsApp) => &Self::WHATSAPP,
            Some(Channel::Messenger) => &Self::MESSENGER,
            Some(Channel::Instagram) => &Self::INSTAGRAM,
            Some(Channel::Viber) => &Self::VIBER,
            Some(Channel::Sms) => &Self::SMS,
            Some(Channel::Web) => &Self::WEB,
            Some(Channel::Telegram) => &Self::TELEGRAM,
            Some(Channel::Line) => &Self::LINE,
            Some(Channel::Rcs) => &Self::RCS,
            Some(Channel::Email) => &Self::EMAIL,
            Some(Channel::Other(_)) => &Self::OWN,
            None => &Self::ANY,
        }
    }
}
