//! A list that the contact opens: its sections and their rows.

use serde::{Deserialize, Serialize};

use crate::session::content::{Header, ReplyOption};

/// A text with a list to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct List {
    /// The text above it.
    pub text: String,
    /// The label of what opens it.
    pub button: String,
    /// All its rows, section after section.
    pub options: Vec<ReplyOption>,
    /// Title and number of rows of each section.
    sections: Vec<(Option<String>, usize)>,
    /// The header above the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// A line below the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
}

impl List {
    pub(crate) fn new(
        text: String,
        button: String,
        sections: impl IntoIterator<Item = (Option<String>, Vec<ReplyOption>)>,
    ) -> Self {
        let (header, footer) = (None, None);
        let mut list = Self { text, button, options: Vec::new(), sections: Vec::new(), header, footer };
        for (title, rows) in sections {
            list.sections.push((title, rows.len()));
            list.options.extend(rows);
        }
        list
    }

    /// Leaves out what comes after so many rows, and the sections that then have none. Answers
    /// whether there was anything.
    pub(crate) fn keep(&mut self, most: usize) -> bool {
        let had = self.options.len();
        self.options.truncate(most);
        let mut left = most;
        for (_, rows) in &mut self.sections {
            *rows = (*rows).min(left);
            left -= *rows;
        }
        self.sections.retain(|(_, rows)| *rows > 0);
        had > most
    }

    /// The titles of its sections.
    pub(crate) fn titles_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.sections.iter_mut().filter_map(|(title, _)| title.as_mut())
    }

    /// The rows of each section.
    pub(crate) fn sections_mut(&mut self) -> impl Iterator<Item = &mut [ReplyOption]> {
        let mut rest = &mut self.options[..];
        self.sections.iter().map(move |(_, rows)| {
            let all = std::mem::take(&mut rest);
            let (section, after) = all.split_at_mut((*rows).min(all.len()));
            rest = after;
            section
        })
    }

    /// Returns each section's title and rows.
    pub fn sections(&self) -> impl Iterator<Item = (Option<&str>, &[ReplyOption])> {
        let mut rest = &self.options[..];
        self.sections.iter().map(move |(title, rows)| {
            let (section, after) = rest.split_at_checked(*rows).unwrap_or((rest, &[]));
            rest = after;
            (title.as_deref(), section)
        })
    }
}
