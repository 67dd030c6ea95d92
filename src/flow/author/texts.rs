//! The texts of a flow for translators: out as a file of gettext, and in again (SEMANTICS U9).

use std::fmt::Write as _;

use crate::flow::compiled::Flow;
use crate::flow::content::{TextDef, has_letters};
use crate::flow::def::FlowDef;
use crate::flow::form::language::is_tag;
use crate::flow::lang::language::Language;

/// All texts and labels of a flow that contacts read, for translating them.
///
/// ```
/// use chatflow::flow::Texts;
/// use chatflow::Flow;
///
/// let flow = Flow::from_json(r#"{
///     "spec": 1, "code": "hello", "trigger": {"kind": "manual"},
///     "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}, "language": "en"},
///     "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Hello!"}],
///     "edges": [{"from": "start", "to": "hi"}]
/// }"#)?;
/// let po = Texts::of(&flow).to_po("pt_BR")?;
/// let translated = po.replace("msgid \"Hello!\"\nmsgstr \"\"", "msgid \"Hello!\"\nmsgstr \"Olá!\"");
/// let mut texts = Texts::of(&flow);
/// assert_eq!(texts.apply_po(&translated)?, 1);
/// assert!(texts.into_def().to_json().contains("Olá!"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Texts(FlowDef);

/// The reason a file of gettext cannot be made or taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPo {
    /// The flow does not say which language its plain texts are in: `settings.language`.
    #[error("the flow names no language of its own: set `settings.language`")]
    NoLanguage,
    /// This is no language tag.
    #[error("{0:?} is not a language tag")]
    BadTag(String),
    /// The file does not say in its header which language it is in.
    #[error("the file has no header `Language:`")]
    NoHeader,
    /// A line is no part of such a file.
    #[error("line {0} does not belong in a PO file")]
    BadLine(usize),
    /// A translation is of a text that the flow has no more, by its place.
    #[error("the flow has no such text at {0:?}: translate a fresh file")]
    Stale(String),
}

impl Texts {
    /// The texts of a flow.
    #[must_use]
    pub fn of(flow: &Flow) -> Self {
        Self(flow.def().clone())
    }

    /// Returns the definition, with what was applied to it.
    #[must_use]
    pub fn into_def(self) -> FlowDef {
        self.0
    }

    /// Returns each text by its place, `NODE.text`, that has no translation into a language.
    ///
    /// # Errors
    /// [`InvalidPo`] if this is no language tag, or the flow names no language of its own.
    pub fn untranslated(&self, language: &str) -> Result<Vec<String>, InvalidPo> {
        let lacking = self.each(language, |place, _, written| written.is_none().then_some(place))?;
        Ok(lacking.into_iter().flatten().collect())
    }

    /// Returns a file of gettext with every text: its place as the context, the text in the flow's
    /// language, and the translation that there is, if any. Texts without a letter are left out.
    ///
    /// # Errors
    /// [`InvalidPo`] if this is no language tag, or the flow names no language of its own.
    pub fn to_po(&self, language: &str) -> Result<String, InvalidPo> {
        let mut po = String::from("msgid \"\"\nmsgstr \"\"\n");
        for line in [
            "MIME-Version: 1.0\n".to_owned(),
            "Content-Type: text/plain; charset=UTF-8\n".to_owned(),
            "Content-Transfer-Encoding: 8bit\n".to_owned(),
            format!("Language: {language}\n"),
            format!("Project-Id-Version: {}\n", self.0.code),
        ] {
            let _ = writeln!(po, "{}", quoted(&line));
        }
        let entries = self.each(language, |place, source, written| {
            let msgid = lines_of(source);
            let msgstr = lines_of(written.unwrap_or_default());
            format!("\nmsgctxt {}\nmsgid {msgid}\nmsgstr {msgstr}\n", quoted(&place))
        })?;
        po.extend(entries);
        Ok(po)
    }

    /// Takes the translations of a file, in the language of its header. What is not translated, or
    /// marked as fuzzy, is left as it is. Returns how many texts changed; on an error none did.
    ///
    /// # Errors
    /// [`InvalidPo`] for what is no such file, or of a text that the flow does not have.
    pub fn apply_po(&mut self, po: &str) -> Result<usize, InvalidPo> {
        let entries = read(po)?;
        let header = entries.iter().find(|entry| entry.id.is_empty()).ok_or(InvalidPo::NoHeader)?;
        let language = header.text.lines().find_map(|line| line.strip_prefix("Language:"));
        let language = language.map(str::trim).filter(|tag| !tag.is_empty()).ok_or(InvalidPo::NoHeader)?;
        let tag = parse(language)?;
        let own = self.own_language()?;
        let mut changed = 0;
        let mut def = self.0.clone();
        let translated =
            |entry: &&TextEntry| !entry.id.is_empty() && !entry.text.is_empty() && !entry.is_fuzzy;
        for entry in entries.iter().filter(translated) {
            let stale = || InvalidPo::Stale(entry.context.clone());
            let mut texts = all(&mut def).into_iter();
            let (_, text) = texts.find(|(place, _)| *place == entry.context).ok_or_else(stale)?;
            if source(text, &own).is_none_or(|source| source != entry.id) {
                return Err(stale());
            }
            changed += usize::from(set(text, language, &tag, &entry.text, own_tag(&self.0)));
        }
        self.0 = def;
        Ok(changed)
    }

    fn own_language(&self) -> Result<Language, InvalidPo> {
        parse(own_tag(&self.0).ok_or(InvalidPo::NoLanguage)?)
    }

    /// Makes a value of each text: of its place, of it in the flow's language, and of its
    /// translation.
    fn each<T>(
        &self,
        language: &str,
        mut make: impl FnMut(String, &str, Option<&str>) -> T,
    ) -> Result<Vec<T>, InvalidPo> {
        let (wanted, own) = (parse(language)?, self.own_language()?);
        let mut def = self.0.clone();
        let mut made = Vec::new();
        for (place, text) in all(&mut def) {
            let Some(source) = source(text, &own).filter(|source| has_letters(source)) else { continue };
            let written = if wanted == own { Some(source) } else { in_language(text, &wanted) };
            made.push(make(place, source, written));
        }
        Ok(made)
    }
}

impl From<FlowDef> for Texts {
    fn from(def: FlowDef) -> Self {
        Self(def)
    }
}

fn parse(tag: &str) -> Result<Language, InvalidPo> {
    let language = Language::parse(tag).filter(|_| is_tag(tag));
    language.ok_or_else(|| InvalidPo::BadTag(tag.to_owned()))
}

/// The language of a flow's plain texts, if it says so.
fn own_tag(def: &FlowDef) -> Option<&str> {
    def.settings.as_ref()?.language.as_deref()
}

/// Every text of a flow by its place: `ask.choices[0].label`.
fn all(def: &mut FlowDef) -> Vec<(String, &mut TextDef)> {
    let nodes = def.nodes.iter_mut();
    let texts = nodes.flat_map(|node| {
        let id = node.id.clone();
        node.kind.texts_mut().into_iter().map(move |(place, text)| (format!("{id}.{place}"), text))
    });
    texts.collect()
}

/// The text that is translated: in the flow's language, else the first.
fn source<'t>(text: &'t TextDef, own: &Language) -> Option<&'t str> {
    match text {
        TextDef::Plain(text) => Some(text),
        TextDef::ByLanguage(texts) => {
            in_language(text, own).or_else(|| texts.first().map(|(_, text)| text.as_str()))
        }
    }
}

fn in_language<'t>(text: &'t TextDef, wanted: &Language) -> Option<&'t str> {
    let TextDef::ByLanguage(texts) = text else { return None };
    let found = texts.iter().find(|(tag, _)| Language::parse(tag).as_ref() == Some(wanted));
    found.map(|(_, text)| text.as_str())
}

/// Writes a translation. Returns true if that changed anything.
fn set(text: &mut TextDef, tag: &str, language: &Language, translation: &str, own: Option<&str>) -> bool {
    if let TextDef::Plain(plain) = text {
        let own = own.unwrap_or_default().to_owned();
        *text = TextDef::ByLanguage(vec![(own, std::mem::take(plain))]);
    }
    let TextDef::ByLanguage(texts) = text else { return false };
    match texts.iter_mut().find(|(tag, _)| Language::parse(tag).as_ref() == Some(language)) {
        Some((_, known)) if known == translation => false,
        Some((_, known)) => {
            translation.clone_into(known);
            true
        }
        None => {
            texts.push((tag.to_owned(), translation.to_owned()));
            true
        }
    }
}

/// An entry of a file.
#[derive(Default)]
struct TextEntry {
    context: String,
    id: String,
    text: String,
    is_fuzzy: bool,
}

/// The field of an entry to which a text in quotes belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    None,
    Context,
    Id,
    Text,
}

fn read(po: &str) -> Result<Vec<TextEntry>, InvalidPo> {
    let mut entries: Vec<TextEntry> = Vec::new();
    let mut entry = TextEntry::default();
    let mut field = Field::None;
    let mut is_fuzzy = false;
    for (number, line) in po.trim_start_matches('\u{feff}').lines().enumerate() {
        let (line, bad) = (line.trim(), || InvalidPo::BadLine(number + 1));
        if line.is_empty() || line.starts_with('#') {
            if field == Field::Text {
                entries.push(std::mem::take(&mut entry));
                field = Field::None;
            }
            is_fuzzy |= line.starts_with("#,") && line.contains("fuzzy");
            continue;
        }
        let (word, rest) = line.split_once('"').ok_or_else(bad)?;
        let next = match word.trim() {
            "" => field,
            "msgctxt" => Field::Context,
            "msgid" => Field::Id,
            "msgstr" => Field::Text,
            _ => return Err(bad()),
        };
        let begins = next != field && matches!(next, Field::Context | Field::Id) && field == Field::Text;
        if begins {
            entries.push(std::mem::take(&mut entry));
        }
        if next != Field::Text {
            entry.is_fuzzy |= std::mem::take(&mut is_fuzzy);
        }
        field = next;
        let part = unquoted(rest.strip_suffix('"').ok_or_else(bad)?).ok_or_else(bad)?;
        match field {
            Field::None => return Err(bad()),
            Field::Context => entry.context.push_str(&part),
            Field::Id => entry.id.push_str(&part),
            Field::Text => entry.text.push_str(&part),
        }
    }
    if field == Field::Text {
        entries.push(entry);
    }
    Ok(entries)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A text in quotes, of several lines line by line.
fn lines_of(text: &str) -> String {
    let lines: Vec<String> = text.split_inclusive('\n').map(quoted).collect();
    match &*lines {
        [] => quoted(""),
        [line] => line.clone(),
        lines => format!("\"\"\n{}", lines.join("\n")),
    }
}

/// A text without the strokes of [`quoted`]; none if one means nothing.
fn unquoted(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                c @ ('"' | '\\') => c,
                _ => return None,
            },
            '"' => return None,
            c => c,
        });
    }
    Some(plain)
}
