//! The player's screen: messages and statuses on standard output, everything else on standard
//! error.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, Write};

use chatflow::calls::Call;
use chatflow::session::{Content, Header, Link, ReplyOption};
use chatflow::{Outbound, Session, SessionId, Status};

use super::args::{COMMANDS, USAGE};

/// The two output streams.
pub(crate) struct Screen<O, E> {
    out: O,
    err: E,
    at_a_terminal: bool,
    /// The status that was last printed of each session.
    printed: HashMap<SessionId, Status>,
}

impl<O: Write, E: Write> Screen<O, E> {
    /// True if a person is there to be asked.
    pub(crate) fn has_a_person(&self) -> bool {
        self.at_a_terminal
    }

    pub(crate) fn new(out: O, err: E, at_a_terminal: bool) -> Self {
        Self { out, err, at_a_terminal, printed: HashMap::new() }
    }

    /// `< text`, and `[1] label` for each option.
    pub(crate) fn message(&mut self, message: &Outbound) -> io::Result<()> {
        let said = said(message);
        for (index, line) in lines(&said).into_iter().enumerate() {
            let mark = if index == 0 { "<" } else { " " };
            writeln!(self.out, "{mark} {line}")?;
        }
        for (index, ReplyOption { label, .. }) in message.options().iter().enumerate() {
            writeln!(self.out, "[{}] {}", index + 1, lines(label).join(" "))?;
        }
        for Link { label, url, .. } in message.content.links() {
            writeln!(self.out, "[{}] {}", lines(label).join(" "), lines(url).join(" "))?;
        }
        Ok(())
    }

    /// `! name {…}`: what the flow asks the host.
    pub(crate) fn call(&mut self, call: &Call) -> io::Result<()> {
        writeln!(self.out, "! {}", lines(&call.to_string()).join(" "))
    }

    /// `= status`, if it is another than was printed before.
    pub(crate) fn status(&mut self, session: SessionId, status: Status) -> io::Result<()> {
        if self.printed.insert(session, status) == Some(status) {
            return Ok(());
        }
        self.outcome(status)
    }

    /// `= outcome`.
    pub(crate) fn outcome(&mut self, outcome: impl Display) -> io::Result<()> {
        writeln!(self.out, "= {outcome}")
    }

    /// The session as JSON: in one line, or laid out for a person.
    pub(crate) fn session(&mut self, session: Option<&Session>) -> io::Result<()> {
        if self.at_a_terminal {
            serde_json::to_writer_pretty(&mut self.out, &session)?;
        } else {
            serde_json::to_writer(&mut self.out, &session)?;
        }
        writeln!(self.out)
    }

    /// Something beside the talk. That nobody reads it is no reason to stop.
    pub(crate) fn note(&mut self, note: &dyn Display) {
        let _ = writeln!(self.err, "{note}").and_then(|()| self.err.flush());
    }

    pub(crate) fn help(&mut self) -> io::Result<()> {
        writeln!(self.out, "{USAGE}")?;
        self.out.flush()
    }

    /// Greets a person.
    pub(crate) fn greet(&mut self, name: &str) -> io::Result<()> {
        if self.at_a_terminal {
            writeln!(self.out, "{name}. Write replies, or {COMMANDS}.")?;
        }
        Ok(())
    }

    /// Shows what was written so far, and a person that it is their turn.
    pub(crate) fn prompt(&mut self) -> io::Result<()> {
        if self.at_a_terminal {
            write!(self.out, "> ")?;
        }
        self.out.flush()
    }

    /// Leaves a person's prompt.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        if self.at_a_terminal {
            writeln!(self.out)?;
        }
        self.out.flush()
    }
}

/// The lines of a text, by anything that a terminal or a reader may take for the end of one. No
/// other control character stays.
/// A message with what is around its text, marked as in talks: `(subject …)`, `*header*`,
/// `_footer_`, and the label that opens a list.
fn said(message: &Outbound) -> String {
    let (header, footer, opens) = match &message.content {
        Content::Buttons(buttons) => (&buttons.header, &buttons.footer, None),
        Content::List(list) => (&list.header, &list.footer, Some(&list.button)),
        Content::Form(form) => (&form.header, &form.footer, None),
        _ => (&None, &None, None),
    };
    let subject = message.subject.iter().map(|subject| format!("(subject {subject}) "));
    let header = header.iter().map(|header| match header {
        Header::Text(text) => format!("*{text}* "),
        Header::Media(media) => format!("({} {}) ", media.kind.as_str(), media.url),
        _ => "(place) ".to_owned(),
    });
    let footer = footer.iter().map(|footer| format!(" _{footer}_"));
    let opens = opens.into_iter().map(|label| format!(" ({label})"));
    let text = std::iter::once(message.content.to_string());
    subject.chain(header).chain(text).chain(footer).chain(opens).collect()
}

fn lines(text: &str) -> Vec<String> {
    const ENDS: [char; 7] = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let shown = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
    text.replace("\r\n", "\n").split(ENDS).map(|line| line.chars().map(shown).collect()).collect()
}
