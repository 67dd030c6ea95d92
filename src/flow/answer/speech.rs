//! Facts about the conversation that help to understand an answer.

use chrono::NaiveDate;

use crate::flow::lang::calendar::CalendarNames;
use crate::flow::lang::language::Language;
use crate::flow::lang::number::{Decimal, Marks};

/// Facts about the conversation in which something was said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speech<'a> {
    /// The contact's language, then the flow's.
    pub(crate) languages: [Option<&'a str>; 2],
    /// The mark before decimals where the flow says so.
    pub(crate) decimal: Option<Decimal>,
    /// The day on which it was said, where the contact is.
    pub(crate) today: NaiveDate,
}

impl<'a> Speech<'a> {
    /// The languages of the conversation, and English.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.languages.into_iter().flatten().chain(std::iter::once("en"))
    }

    /// The language that is spoken: the contact's, else the flow's.
    pub(crate) fn language(&self) -> Option<&'a str> {
        self.languages.into_iter().flatten().next()
    }

    /// True if years are those of Thailand: the contact's language is Thai.
    pub(crate) fn counts_as_thai(&self) -> bool {
        self.language().and_then(Language::parse).is_some_and(|tag| tag.primary() == "th")
    }

    /// The names of months in them.
    pub(crate) fn calendar(&self) -> CalendarNames {
        CalendarNames::of(self.tags())
    }

    /// Returns the way in which numbers are written.
    pub(crate) fn marks(&self) -> Marks {
        match self.decimal {
            Some(decimal) => Marks::Usual(decimal),
            None => Marks::usual_in(self.languages.into_iter().flatten()),
        }
    }
}
