//! The trigger of a flow: a call, or a message that its rules match (SEMANTICS I4). What must not
//! live here: which of several matching flows is chosen.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde::Serialize;
use serde_json::Value;

use crate::Channel;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Fields, Read, words};
use crate::flow::lang::context::Compile;
use crate::flow::lang::normal::word::has_word;
use crate::flow::lang::normal::{Folding, composed, key, normal, without_accents};
use crate::flow::lang::pattern::{Extent, Pattern};
use crate::gather::Arrange;

/// The trigger of a flow, as it is written: `{"kind": "manual"}` or
/// `{"kind": "inbound", "channel": "whatsapp", "rules": [{"match": "exact", "text": "menu"}]}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TriggerDef {
    /// A call of the host.
    Manual,
    /// A message of a contact.
    Inbound(InboundDef),
}

/// A start by message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InboundDef {
    /// The channel it comes on.
    pub channel: Channel,
    /// The rules, of which one must match; none means any message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<RuleDef>>,
    /// The flow with the higher number goes first; 0 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Limits it to contacts that a campaign reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignRule>,
}

/// A rule for a message that starts a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleDef {
    /// The way in which the message is compared.
    #[serde(rename = "match")]
    pub how: MatchKind,
    /// With what; for `exact`, `starts_with`, `contains`, `has_word`, `regex` and `payload`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// With which of these; for `has_word`, in place of `text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<String>>,
    /// Differences that do not count beside case; nothing if absent. Not for `regex` and `payload`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Folding>,
    /// True if it starts the flow although a session of another one waits for an answer; it does
    /// not if absent. Not for `first_contact`, `any` and `fallback`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupt: Option<bool>,
}

words! {
    /// The way in which a rule compares a message. Texts are compared in their normal form
    /// ([SEMANTICS U1](crate::semantics#u1)).
    MatchKind {
        /// The whole text, without punctuation and emoji around it
        /// ([SEMANTICS U2](crate::semantics#u2)).
        Exact = "exact",
        /// The beginning of the text.
        StartsWith = "starts_with",
        /// A part of the text.
        Contains = "contains",
        /// A whole word of the text, or one of several ([SEMANTICS U3](crate::semantics#u3)).
        HasWord = "has_word",
        /// A regular expression that matches some part of the text.
        Regex = "regex",
        /// The payload of a button, exactly.
        Payload = "payload",
        /// The contact's first message.
        FirstContact = "first_contact",
        /// Any message.
        Any = "any",
        /// Any message that no other flow takes.
        Fallback = "fallback",
    }
}

words! {
    /// The campaign that must have reached the contact.
    CampaignRule {
        /// In the last seven days.
        Required = "required",
    }
}

words! {
    /// The closeness of a match between a message and a flow, the closest first
    /// ([SEMANTICS I4](crate::semantics#i4)). Greater is closer.
    Rank {
        /// By a `fallback` rule.
        Fallback = "fallback",
        /// By an `any` rule.
        Any = "any",
        /// By a `first_contact` rule.
        FirstContact = "first_contact",
        /// By a `contains` rule.
        Contains = "contains",
        /// By a `has_word` rule.
        HasWord = "has_word",
        /// By a `regex` rule.
        Regex = "regex",
        /// By a `starts_with` rule.
        StartsWith = "starts_with",
        /// By an `exact` rule.
        Exact = "exact",
        /// By a `payload` rule.
        Payload = "payload",
    }
}

/// The trigger of a flow, checked and compiled.
#[derive(Clone, Debug)]
pub struct Trigger(Option<InboundTrigger>);

#[derive(Clone, Debug)]
struct InboundTrigger {
    channel: Channel,
    /// The closest rule first, so that the first that matches is the answer.
    rules: Box<[TriggerRule]>,
    /// Those of them that go before an answer to another flow's question.
    interrupting: Box<[TriggerRule]>,
    priority: i32,
    campaign: bool,
}

#[derive(Clone, Debug)]
enum TriggerRule {
    Payload(Box<str>),
    Text(TextRule),
    Regex(Pattern),
    FirstContact,
    Any,
    Fallback,
}

/// A rule about what a text says.
#[derive(Clone, Debug)]
struct TextRule {
    rank: Rank,
    /// True if accents make no difference.
    is_plain: bool,
    /// The comparands, as messages are compared with them; of `has_word` several.
    words: Box<[Box<str>]>,
}

/// The forms of a message that rules compare, each made when it is first asked for.
struct Forms<'t> {
    text: &'t str,
    /// Its normal form, then that without accents.
    normal: [OnceCell<Cow<'t, str>>; 2],
    /// Its whole as a word, then that without accents.
    key: [OnceCell<Cow<'t, str>>; 2],
}

impl<'t> Forms<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, normal: Default::default(), key: Default::default() }
    }

    fn normal(&self, is_plain: bool) -> &str {
        let [accented, plain] = &self.normal;
        let accented = accented.get_or_init(|| normal(self.text));
        if is_plain { plain.get_or_init(|| Cow::Owned(without_accents(accented).into())) } else { accented }
    }

    fn key(&self, is_plain: bool) -> &str {
        let [accented, plain] = &self.key;
        let accented = accented.get_or_init(|| key(self.text));
        if is_plain { plain.get_or_init(|| Cow::Owned(without_accents(accented).into())) } else { accented }
    }
}

impl TextRule {
    fn matches(&self, forms: &Forms<'_>) -> bool {
        let (normal, key) = (|| forms.normal(self.is_plain), || forms.key(self.is_plain));
        let mut words = self.words.iter().map(|word| &**word);
        match self.rank {
            Rank::Exact => words.any(|word| key() == word),
            Rank::StartsWith => words.any(|word| key().starts_with(word) || normal().starts_with(word)),
            Rank::HasWord => has_word(normal(), words),
            _ => words.any(|word| normal().contains(word)),
        }
    }
}

impl Trigger {
    /// Returns true if a call starts the flow.
    #[must_use]
    pub fn is_manual(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the channel of the messages that start it; none if a call does.
    #[must_use]
    pub fn channel(&self) -> Option<&Channel> {
        self.0.as_ref().map(|inbound| &inbound.channel)
    }

    /// Returns the priority: of two matching flows the one with the higher number goes first,
    /// whatever their ranks.
    #[must_use]
    pub fn priority(&self) -> i32 {
        self.0.as_ref().map_or(0, |inbound| inbound.priority)
    }

    /// Returns true if only a contact matches that a campaign reached in the last seven days.
    #[must_use]
    pub fn needs_campaign(&self) -> bool {
        self.0.as_ref().is_some_and(|inbound| inbound.campaign)
    }

    /// Returns how closely a message matches: the rank of the closest rule, none if no rule matches
    /// ([SEMANTICS I4](crate::semantics#i4)).
    ///
    /// `payload` is that of a button or quick reply which is not this crate's own. A message
    /// without text, such as a picture, can match by payload, `first_contact`, `any` and
    /// `fallback`.
    #[must_use]
    pub fn matches(&self, text: Option<&str>, payload: Option<&str>, first_contact: bool) -> Option<Rank> {
        rank_of(&self.0.as_ref()?.rules, text, payload, first_contact)
    }

    /// True if a message may start the flow before it answers another one (SEMANTICS I4).
    pub(crate) fn interrupts(&self) -> bool {
        self.0.as_ref().is_some_and(|inbound| !inbound.interrupting.is_empty())
    }

    /// The same as [`matches`](Self::matches), of the rules that go before an answer.
    pub(crate) fn interrupts_by(&self, text: Option<&str>, payload: Option<&str>) -> Option<Rank> {
        rank_of(&self.0.as_ref()?.interrupting, text, payload, false)
    }
}

/// The rank of the first rule that matches.
fn rank_of(
    rules: &[TriggerRule],
    text: Option<&str>,
    payload: Option<&str>,
    first_contact: bool,
) -> Option<Rank> {
    let forms = text.map(Forms::of);
    let mut ranks = rules.iter().filter_map(|rule| match rule {
        TriggerRule::Payload(wanted) => (payload == Some(wanted)).then_some(Rank::Payload),
        TriggerRule::Text(rule) => rule.matches(forms.as_ref()?).then_some(rule.rank),
        TriggerRule::Regex(pattern) => {
            let text = text?.trim();
            let is_match = pattern.is_match(text) || pattern.is_match(&composed(text));
            is_match.then_some(Rank::Regex)
        }
        TriggerRule::FirstContact => first_contact.then_some(Rank::FirstContact),
        TriggerRule::Any => Some(Rank::Any),
        TriggerRule::Fallback => Some(Rank::Fallback),
    });
    ranks.next()
}

impl TriggerRule {
    fn rank(&self) -> Rank {
        match self {
            Self::Payload(_) => Rank::Payload,
            Self::Text(rule) => rule.rank,
            Self::Regex(_) => Rank::Regex,
            Self::FirstContact => Rank::FirstContact,
            Self::Any => Rank::Any,
            Self::Fallback => Rank::Fallback,
        }
    }
}

impl TriggerDef {
    /// Any message on a channel.
    #[must_use]
    pub fn any_message(channel: Channel) -> Self {
        Self::Inbound(InboundDef { channel, rules: None, priority: None, campaign: None })
    }

    /// A message that says `keyword`, in any case.
    #[must_use]
    pub fn keyword(channel: Channel, keyword: impl Into<String>) -> Self {
        let rule = RuleDef::new(MatchKind::Exact, Some(keyword.into()));
        Self::Inbound(InboundDef { channel, rules: Some(vec![rule]), priority: None, campaign: None })
    }

    pub(crate) fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Trigger {
        let Self::Inbound(inbound) = self else { return Trigger(None) };
        let any = [RuleDef::new(MatchKind::Any, None)];
        let written = inbound.rules.as_deref().filter(|rules| !rules.is_empty()).unwrap_or(&any);
        let list = at.key("rules");
        let rules = written.iter().enumerate();
        let mut rules: Vec<(TriggerRule, bool)> = rules
            .filter_map(|(index, rule)| {
                Some((rule.compile(&list.item(index), cx)?, rule.interrupt == Some(true)))
            })
            .collect();
        rules.arrange_by_key(|(rule, _)| std::cmp::Reverse(rule.rank()));
        let interrupting = rules.iter().filter(|(_, interrupts)| *interrupts).map(|(rule, _)| rule.clone());
        Trigger(Some(InboundTrigger {
            channel: inbound.channel.clone(),
            interrupting: interrupting.collect(),
            rules: rules.into_iter().map(|(rule, _)| rule).collect(),
            priority: inbound.priority.unwrap_or(0),
            campaign: inbound.campaign == Some(CampaignRule::Required),
        }))
    }
}

impl RuleDef {
    /// A rule that compares with a text, or with none.
    #[must_use]
    pub fn new(how: MatchKind, text: Option<String>) -> Self {
        Self { how, text, list: None, fold: None, interrupt: None }
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<TriggerRule> {
        self.check_fields(at, cx.found);
        match self.how {
            MatchKind::Payload => self.comparand(at, cx.found).map(|text| TriggerRule::Payload(text.into())),
            MatchKind::Exact => self.text_rule(Rank::Exact, at, cx),
            MatchKind::StartsWith => self.text_rule(Rank::StartsWith, at, cx),
            MatchKind::Contains => self.text_rule(Rank::Contains, at, cx),
            MatchKind::HasWord => self.text_rule(Rank::HasWord, at, cx),
            MatchKind::Regex => {
                let source = self.comparand(at, cx.found)?;
                cx.pattern(&at.key("text"), source, Extent::Part, true).map(TriggerRule::Regex)
            }
            MatchKind::FirstContact | MatchKind::Any | MatchKind::Fallback if self.text.is_some() => {
                let message = format!("has no meaning for `{}`", self.how.as_str());
                cx.found.add(IssueCode::BadValue, &at.key("text"), message, "remove it");
                None
            }
            MatchKind::FirstContact => Some(TriggerRule::FirstContact),
            MatchKind::Any => Some(TriggerRule::Any),
            MatchKind::Fallback => Some(TriggerRule::Fallback),
        }
    }

    fn text_rule(&self, rank: Rank, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<TriggerRule> {
        let place = at.key("list");
        let texts: Vec<&str> = match &self.list {
            Some(list) if rank == Rank::HasWord && self.text.is_none() => {
                let blank = list.iter().position(|word| key(word).is_empty());
                if list.is_empty() {
                    cx.found.add(IssueCode::BadValue, &place, "is empty", "add a word");
                } else if let Some(blank) = blank {
                    let fix = "write a word, or remove it";
                    cx.found.add(IssueCode::BadValue, &place.item(blank), "must not be blank", fix);
                }
                list.iter().map(String::as_str).collect()
            }
            _ => vec![self.comparand(at, cx.found)?],
        };
        let is_plain = self.fold == Some(Folding::Accents);
        let form = |text: &str| -> Box<str> {
            let word = if rank == Rank::Contains { normal(text) } else { key(text) };
            if is_plain { without_accents(&word).into() } else { word.into() }
        };
        Some(TriggerRule::Text(TextRule { rank, is_plain, words: texts.into_iter().map(form).collect() }))
    }

    /// Tells of fields that have no meaning for the rule.
    fn check_fields(&self, at: &Path<'_>, found: &mut Diagnostics) {
        let compares_texts = matches!(
            self.how,
            MatchKind::Exact | MatchKind::StartsWith | MatchKind::Contains | MatchKind::HasWord
        );
        let message = || format!("has no meaning for `{}`", self.how.as_str());
        if self.list.is_some() && self.how != MatchKind::HasWord {
            found.add(IssueCode::BadValue, &at.key("list"), message(), "remove it, or write `has_word`");
        }
        if self.list.is_some() && self.text.is_some() && self.how == MatchKind::HasWord {
            found.add(
                IssueCode::BadValue,
                &at.key("text"),
                "is given together with `list`",
                "keep one of the two",
            );
        }
        if self.fold.is_some() && !compares_texts {
            found.add(IssueCode::BadValue, &at.key("fold"), message(), "remove it");
        }
        let is_wide = matches!(self.how, MatchKind::FirstContact | MatchKind::Any | MatchKind::Fallback);
        if self.interrupt.is_some() && is_wide {
            found.add(IssueCode::BadValue, &at.key("interrupt"), message(), "remove it");
        }
    }

    /// The text to compare with: there, and not blank.
    fn comparand(&self, at: &Path<'_>, found: &mut Diagnostics) -> Option<&str> {
        match self.text.as_deref() {
            Some(text) if !normal(text).is_empty() => Some(text),
            Some(_) => {
                found.add(
                    IssueCode::BadValue,
                    &at.key("text"),
                    "must not be blank",
                    "give a text to compare with",
                );
                None
            }
            None => {
                let fix = format!("add the `text` that `{}` compares with", self.how.as_str());
                found.add(IssueCode::MissingField, &at.key("text"), "is required", fix);
                None
            }
        }
    }
}

impl Read for RuleDef {
    const EXAMPLE: &'static str = r#"{"match": "exact", "text": "menu"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (how, text) = (fields.required("match"), fields.optional("text"));
        let (list, fold) = (fields.optional("list"), fields.optional("fold"));
        let interrupt = fields.optional("interrupt");
        fields.close();
        Some(Self { how: how?, text, list, fold, interrupt })
    }
}

impl Read for TriggerDef {
    const EXAMPLE: &'static str = r#"{"kind": "manual"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let kind = fields.tag("kind", &[("manual", "A call of the host."), ("inbound", "A message.")])?;
        match kind.as_str() {
            "manual" => {
                fields.close();
                Some(Self::Manual)
            }
            "inbound" => {
                let channel = fields.required("channel");
                let (rules, priority) = (fields.optional("rules"), fields.optional("priority"));
                let campaign = fields.optional("campaign");
                fields.close();
                Some(Self::Inbound(InboundDef { channel: channel?, rules, priority, campaign }))
            }
            other => {
                let message = format!("there is no trigger {:?}", brief(other));
                found.add(
                    IssueCode::UnknownKind,
                    &at.key("kind"),
                    message,
                    "write `manual`, or `inbound` with its `channel`",
                );
                None
            }
        }
    }
}
