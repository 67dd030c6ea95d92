//! An author's description of an answer: its kind, what it is held to, what there is to choose
//! from.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Serialize;
use serde_json::Value;

use crate::flow::answer::{
    Bounds, Choice, Choices, Dates, Expect, KnownWords, LiveChoices, Several, check_format,
};
use crate::flow::content::{OffersDef, OptionDef, TextDef, read_offer};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Fields, Read, words};
use crate::flow::lang::condition::Operand;
use crate::flow::lang::context::Compile;
use crate::flow::lang::number::Decimal;
use crate::flow::lang::pattern::Extent;
use crate::flow::lang::region::HomeRegion;
use crate::flow::lang::template::Template;
use crate::flow::lang::zone::Zone;
use crate::flow::node::ask::media_types;

/// Branches that every question has; those of its choices follow.
pub(super) const FIXED: [&str; 3] = ["valid", "invalid", "timeout"];
/// The branch of a question whose choices are made of data, where there is none; the last.
pub(super) const EMPTY: &str = "empty";

/// The answers that count, and what is saved of them.
///
/// | `expect` | is | held to | saved as |
/// |---|---|---|---|
/// | `text` | a text that is not blank | `min_length`, `max_length` in characters, `pattern` | the text, trimmed |
/// | `number` | `12`, `-3`, `1,234.5`, in the digits of any script | `whole`, `decimal`, `unit`, `min`, `max` | a number |
/// | `phone` | a telephone number with its calling code, or as it is dialled in `default_region` | | `+14155550123` |
/// | `email` | an e-mail address | | its domain in lower case |
/// | `date` | `2026-05-07`, a time on that day, the month by its name, or what `formats` say | `century`, `relative`, `min`, `max` | `2026-05-07` |
/// | `url` | `http` or `https` with a host | | as written |
/// | `media` | a medium | `media_types` | what the host says of it |
/// | `location` | a place | | what the host says of it |
/// | `choice` | one of `choices`: its button, id, label, synonym, the number that one of these begins with, or its place in the list | `several`, `numbered` | its id, or a list of them |
///
/// `1,234` and `1.234` are both a thousand, unless `decimal`, the settings or the language say that
/// the mark begins the decimals.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AnswerDef {
    /// The kind of answer; `choice` where there are choices, else `text`, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<AnswerKind>,
    /// The choices that are offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices: Option<OffersDef<ChoiceDef>>,
    /// Number of choices that make an answer, if it may be several: `"1, 3 and 4"`; the answer is a
    /// list of their ids then, and leaves by `valid` ([SEMANTICS U7](crate::semantics#u7)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub several: Option<SeveralDef>,
    /// True if the contact sees a number before each choice, its place in the list; if absent, it
    /// is where the question's text shows them ([SEMANTICS U6](crate::semantics#u6)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbered: Option<bool>,
    /// The least number, or the first date: a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Operand>,
    /// The greatest number, or the last date: a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Operand>,
    /// True if a number must be whole; it need not if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whole: Option<bool>,
    /// The mark before the decimals of a number; the text, and where that leaves it open the
    /// language, decides if absent ([SEMANTICS U10](crate::semantics#u10)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    /// True if a currency, a unit or `%` may surround a number: `$12`, `12 kg`; it must not if
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<bool>,
    /// Characters that a text has at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// Characters that a text has at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// A regular expression that a text matches as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The ways in which a date may be written, in the codes of `strftime`; in figures
    /// that leave no doubt if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formats: Option<Vec<String>>,
    /// Where a telephone number without a calling code is at home: the region's ISO 3166 code, or a
    /// template that gives one; that of the flow's settings if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_region: Option<String>,
    /// The first of the hundred years in which a year of two digits lies: `1930` makes `29` 2029
    /// and `30` 1930; they begin 79 years ago if absent ([SEMANTICS U13](crate::semantics#u13)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub century: Option<u32>,
    /// True if `yesterday`, `today` and `tomorrow` are dates, in the conversation's languages, a
    /// weekday is the next one, and so is a day with its month; they are not if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative: Option<bool>,
    /// Types of media: `image`, `application/pdf`; any if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_types: Option<Vec<String>>,
}

words! {
    /// A kind of answer.
    AnswerKind {
        /// A text.
        Text = "text",
        /// A number.
        Number = "number",
        /// A telephone number.
        Phone = "phone",
        /// An e-mail address.
        Email = "email",
        /// A date.
        Date = "date",
        /// A web address.
        Url = "url",
        /// A medium.
        Media = "media",
        /// A place.
        Location = "location",
        /// One of several.
        Choice = "choice",
    }
}

/// The number of choices that make an answer: `{"min": 1, "max": 3}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SeveralDef {
    /// At least so many; 1 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// At most so many; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// A choice of a question: `{"id": "s", "label": "Small", "synonyms": ["little"]}`; or choices that
/// are made of data, see [`OffersDef`]. These leave by `valid`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ChoiceDef {
    /// The list that choices are made of, an expression: `context.slots`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The value that is saved, and the name of its branch: 1-64 bytes, unique in its question.
    /// With `from` a template, and no branch; if absent, the item's `id`, or the item itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The text that the contact sees, a template, as long as the channel carries: 20 characters
    /// where it is not certain. With `from`, if absent, the item's `label`, or what is its id.
    #[serde(skip_serializing_if = "TextDef::is_absent")]
    pub label: TextDef,
    /// A line below it, a template, where the channel shows choices as a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<TextDef>,
    /// Other words for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synonyms: Option<Vec<String>>,
}

impl AnswerDef {
    pub(super) fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            expect: fields.optional("expect"),
            choices: fields.optional("choices"),
            several: fields.optional("several"),
            numbered: fields.optional("numbered"),
            min: fields.optional("min"),
            max: fields.optional("max"),
            whole: fields.optional("whole"),
            decimal: fields.optional("decimal"),
            unit: fields.optional("unit"),
            min_length: fields.optional("min_length"),
            max_length: fields.optional("max_length"),
            pattern: fields.optional("pattern"),
            formats: fields.optional("formats"),
            century: fields.optional("century"),
            relative: fields.optional("relative"),
            default_region: fields.optional("default_region"),
            media_types: fields.optional("media_types"),
        }
    }

    fn kind(&self) -> AnswerKind {
        let usual = if self.choices.is_some() { AnswerKind::Choice } else { AnswerKind::Text };
        self.expect.unwrap_or(usual)
    }

    /// The check. `are_shown`: the choices are listed below the question, and are checked with it;
    /// `are_numbered`: its text shows their places.
    pub(super) fn compile(
        &self,
        (are_shown, are_numbered): (bool, bool),
        at: &Path<'_>,
        cx: &mut Compile<'_>,
    ) -> Option<Expect> {
        self.check_fields(at, cx.found);
        let expect = match self.kind() {
            AnswerKind::Text => self.text(at, cx),
            AnswerKind::Number => Some(Expect::Number {
                whole: self.whole == Some(true),
                decimal: self.decimal,
                has_unit: self.unit == Some(true),
                bounds: Bounds::default(),
            }),
            AnswerKind::Phone => Some(Expect::Phone(self.region(at, cx))),
            AnswerKind::Email => Some(Expect::Email),
            AnswerKind::Date => {
                let dates = Dates {
                    formats: self.formats(at, cx.found),
                    century: self.century(at, cx.found),
                    relative: self.relative == Some(true),
                };
                Some(Expect::Date { dates: Box::new(dates), bounds: Bounds::default() })
            }
            AnswerKind::Url => Some(Expect::Url),
            AnswerKind::Media => Some(Expect::Media { types: self.media_types(at, cx.found) }),
            AnswerKind::Location => Some(Expect::Location),
            AnswerKind::Choice => {
                let list = self.choices(are_shown, at, cx);
                let live = self.live();
                let most = if live.is_some() { usize::MAX } else { list.len() };
                let several = self.several.as_ref().map(|several| several.compile(most, at, cx.found));
                let are_numbered = self.numbered.unwrap_or(are_numbered);
                Some(Expect::Choice(Choices { list, are_numbered, several, live }))
            }
        };
        expect.map(|expect| self.bounded(expect, at, cx))
    }

    /// Checks that each field is one that the kind of answer is held to.
    fn check_fields(&self, at: &Path<'_>, found: &mut Diagnostics) {
        use AnswerKind::{Choice, Date, Media, Number, Phone, Text};
        let kind = self.kind();
        let fields: [(&str, bool, &[AnswerKind]); 16] = [
            ("choices", self.choices.is_some(), &[Choice]),
            ("several", self.several.is_some(), &[Choice]),
            ("numbered", self.numbered.is_some(), &[Choice]),
            ("min", self.min.is_some(), &[Number, Date]),
            ("max", self.max.is_some(), &[Number, Date]),
            ("whole", self.whole.is_some(), &[Number]),
            ("decimal", self.decimal.is_some(), &[Number]),
            ("unit", self.unit.is_some(), &[Number]),
            ("min_length", self.min_length.is_some(), &[Text]),
            ("max_length", self.max_length.is_some(), &[Text]),
            ("pattern", self.pattern.is_some(), &[Text]),
            ("formats", self.formats.is_some(), &[Date]),
            ("century", self.century.is_some(), &[Date]),
            ("relative", self.relative.is_some(), &[Date]),
            ("default_region", self.default_region.is_some(), &[Phone]),
            ("media_types", self.media_types.is_some(), &[Media]),
        ];
        for (field, given, kinds) in fields {
            if given && !kinds.contains(&kind) {
                let message = format!("has no meaning where a {} is expected", kind.as_str());
                found.add(IssueCode::BadValue, &at.key(field), message, "remove it, or change `expect`");
            }
        }
        if kind == Choice && self.choices.is_none() {
            found.add(
                IssueCode::MissingField,
                &at.key("choices"),
                "is required",
                "add what there is to choose",
            );
        }
        for (field, is_empty) in [
            ("choices", self.choices.as_ref().is_some_and(|choices| choices.is_empty())),
            ("formats", self.formats.as_ref().is_some_and(Vec::is_empty)),
            ("media_types", self.media_types.as_ref().is_some_and(Vec::is_empty)),
        ] {
            if is_empty {
                found.add(IssueCode::BadValue, &at.key(field), "is empty", "name one, or leave it out");
            }
        }
    }

    fn text(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Expect> {
        let (least, most) = (self.min_length.unwrap_or(0), self.max_length.unwrap_or(u32::MAX));
        if least > most {
            let message = format!("is {least}, more than `max_length`");
            cx.found.add(IssueCode::BadValue, &at.key("min_length"), message, "swap the two");
        }
        let compile = |source: &String| cx.pattern(&at.key("pattern"), source, Extent::Whole, false);
        let pattern = self.pattern.as_ref().map(compile);
        let size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        match pattern {
            Some(None) => None,
            pattern => {
                Some(Expect::Text { least: size(least), most: size(most), pattern: pattern.flatten() })
            }
        }
    }

    fn formats(&self, at: &Path<'_>, found: &mut Diagnostics) -> Box<[Box<str>]> {
        const MOST: usize = 16;
        let list = at.key("formats");
        let formats = self.formats.as_deref().unwrap_or_default();
        if formats.len() > MOST {
            let message = format!("{} formats, at most {MOST} are allowed", formats.len());
            found.add(IssueCode::BadValue, &list, message, "name fewer");
        }
        for (place, format) in formats.iter().enumerate().take(MOST) {
            if format.len() > 64 || !check_format(format) {
                let message = format!("{:?} does not write a whole date", brief(format));
                let fix = "name year, month and day in the codes of strftime: %d/%m/%Y";
                found.add(IssueCode::BadValue, &list.item(place), message, fix);
            }
        }
        formats.iter().take(MOST).map(|format| format.as_str().into()).collect()
    }

    /// The region that the question names, else that of the flow.
    fn region(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<HomeRegion> {
        match &self.default_region {
            Some(region) => cx.region(&at.key("default_region"), region),
            None => cx.default_region.clone(),
        }
    }

    fn century(&self, at: &Path<'_>, found: &mut Diagnostics) -> Option<i32> {
        let century = i32::try_from(self.century?).ok().filter(|year| (1_000..=9_900).contains(year));
        if century.is_none() {
            let fix = "name the first of a hundred years, such as 1930";
            found.add(IssueCode::BadValue, &at.key("century"), "is not a year from 1000 to 9900", fix);
        }
        century
    }

    fn media_types(&self, at: &Path<'_>, found: &mut Diagnostics) -> Box<[Box<str>]> {
        let types = self.media_types.as_deref().unwrap_or_default();
        media_types::compile(types, &at.key("media_types"), found)
    }

    /// The choices that are written out: those that have a branch.
    pub(super) fn written(&self) -> impl Iterator<Item = &ChoiceDef> {
        self.choices.iter().flatten().filter(|choice| choice.from.is_none())
    }

    pub(super) fn has_data(&self) -> bool {
        self.choices.iter().flatten().any(|choice| choice.from.is_some())
    }

    /// Returns what is known before they are offered, if that is not all.
    fn live(&self) -> Option<Box<LiveChoices>> {
        let is_rendered = |choice: &ChoiceDef| choice.label.texts().any(|label| label.contains("{{"));
        if !self.has_data() && !self.written().any(is_rendered) {
            return None;
        }
        let words = self.written().map(|choice| KnownWords {
            labels: choice.literals().map(Into::into).collect(),
            synonyms: choice.synonyms().map(Into::into).collect(),
        });
        Some(Box::new(LiveChoices { numbered: self.numbered, words: words.collect() }))
    }

    fn choices(&self, are_shown: bool, at: &Path<'_>, cx: &mut Compile<'_>) -> Box<[Choice]> {
        let list = at.key("choices");
        if !are_shown {
            cx.distinct(&list, "choice", self.written().map(|choice| choice.id.as_str()));
        }
        let mut owners: BTreeMap<String, &str> = BTreeMap::new();
        let mut choices = Vec::new();
        for (place, choice) in self.choices.iter().flatten().enumerate() {
            let (at, id) = (list.item(place), choice.id.as_str());
            if choice.from.is_some() {
                choice.check_data(&at, cx.found);
                continue;
            }
            if !are_shown {
                cx.short_name(&at.key("id"), id);
            }
            if FIXED.contains(&id) || (id == EMPTY && self.has_data()) {
                let message = format!("{id:?} is the name of another branch");
                let fix = "give the choice another id";
                cx.found.add(IssueCode::DuplicateBranch, &at.key("id"), message, fix);
            }
            let compiled = Choice::new(id, choice.literals(), choice.synonyms());
            for word in compiled.keys() {
                match owners.entry(word) {
                    Entry::Vacant(entry) => {
                        entry.insert(id);
                    }
                    Entry::Occupied(owner) if *owner.get() != id => {
                        let message = format!("{:?} means {:?} too", brief(owner.key()), brief(owner.get()));
                        let fix = "keep the word with one of the two";
                        cx.found.add(IssueCode::DuplicateBranch, &at, message, fix);
                    }
                    Entry::Occupied(_) => {}
                }
            }
            choices.push(compiled);
        }
        choices.into()
    }

    /// The same, between the ends of what is allowed.
    fn bounded(&self, mut expect: Expect, at: &Path<'_>, cx: &mut Compile<'_>) -> Expect {
        let mut end = |key: &'static str, operand: &Option<Operand>| -> Option<Template> {
            let template = operand.as_ref()?.compile(&at.key(key), cx)?;
            let is_wrong = template.as_literal().is_some_and(|text| !expect.is_bound(text));
            if is_wrong && expect.bounds().is_some() {
                let what = if matches!(expect, Expect::Date { .. }) { "date" } else { "number" };
                let fix = format!("give a {what}, or a template that gives one");
                cx.found.add(IssueCode::BadValue, &at.key(key), format!("is not a {what}"), fix);
            }
            Some(template)
        };
        let given = Bounds { min: end("min", &self.min), max: end("max", &self.max) };
        let literal = |end: &Option<Template>| end.as_ref()?.as_literal().map(str::to_owned);
        if let (Some(min), Some(max)) = (literal(&given.min), literal(&given.max))
            && expect.bounds().is_some()
            && !expect.within(&Value::String(min), None, Some(&max), Zone::UTC)
        {
            cx.found.add(IssueCode::BadValue, &at.key("min"), "is above `max`", "swap the two");
        }
        if let Expect::Number { bounds, .. } | Expect::Date { bounds, .. } = &mut expect {
            *bounds = given;
        }
        expect
    }
}

impl ChoiceDef {
    /// A choice.
    pub fn new(id: impl Into<String>, label: impl Into<TextDef>) -> Self {
        Self { id: id.into(), label: label.into(), ..Self::default() }
    }

    /// The same below a text.
    pub(super) fn as_option(&self) -> OptionDef {
        OptionDef {
            from: self.from.clone(),
            description: self.description.clone(),
            ..OptionDef::new(self.id.as_str(), self.label.clone())
        }
    }

    /// Its labels that are known without being rendered.
    fn literals(&self) -> impl Iterator<Item = &str> {
        self.label.texts().filter(|label| !label.contains("{{"))
    }

    fn check_data(&self, at: &Path<'_>, found: &mut Diagnostics) {
        if self.synonyms.is_some() {
            let fix = "remove it; the label and the id of each item are known words";
            let message = "has no meaning beside `from`";
            found.add(IssueCode::BadValue, &at.key("synonyms"), message, fix);
        }
    }

    fn synonyms(&self) -> impl Iterator<Item = &str> {
        self.synonyms.iter().flatten().map(String::as_str)
    }
}

impl crate::flow::content::OfferEntry for ChoiceDef {
    fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }
}

impl SeveralDef {
    fn compile(&self, choices: usize, at: &Path<'_>, found: &mut Diagnostics) -> Several {
        let at = at.key("several");
        let size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let (least, most) = (self.min.map_or(1, size), self.max.map_or(choices, size));
        for (key, count) in [("min", least), ("max", most)] {
            if count == 0 && choices == usize::MAX {
                found.add(IssueCode::BadValue, &at.key(key), "is 0", "give a number of choices");
            } else if !(1..=choices.max(1)).contains(&count) {
                let message = format!("is {count}, there are {choices} choices");
                found.add(IssueCode::BadValue, &at.key(key), message, "give a number of choices");
            }
        }
        if least > most {
            let message = format!("is {least}, more than `max`");
            found.add(IssueCode::BadValue, &at.key("min"), message, "swap the two");
        }
        Several { least, most }
    }
}

impl Read for SeveralDef {
    const EXAMPLE: &'static str = r#"{"min": 1, "max": 3}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (min, max) = (fields.optional("min"), fields.optional("max"));
        fields.close();
        Some(Self { min, max })
    }
}

impl Read for ChoiceDef {
    const EXAMPLE: &'static str = r#"{"id": "m", "label": "Medium"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (from, id, label) = read_offer(&mut fields);
        let (description, synonyms) = (fields.optional("description"), fields.optional("synonyms"));
        fields.close();
        let (id, label) = (id.unwrap_or_default(), label.unwrap_or_default());
        Some(Self { from, id, label, description, synonyms })
    }
}
