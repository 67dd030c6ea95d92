//! What starts a flow: a call, or a message that its rules match (SEMANTICS I4).
//! What must not live here: which of several matching flows is chosen.

use serde::Serialize;
use serde_json::Value;

use crate::Channel;
use crate::flow::form::issue::{Diagnostics, IssueCode};
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Fields, Read, words};
use crate::flow::lang::context::Compile;
use crate::flow::lang::fold::fold;
use crate::flow::lang::pattern::{Extent, Pattern};

/// What starts a flow, as it is written: `{"kind": "manual"}` or
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
    pub campaign: Option<Campaign>,
}

/// A rule for a message that starts a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleDef {
    /// How the message is compared.
    #[serde(rename = "match")]
    pub how: MatchKind,
    /// With what; for `exact`, `starts_with`, `contains`, `regex` and `payload`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

words! {
    /// How a rule compares a message. Texts are trimmed and compared without regard to case.
    MatchKind {
        /// The whole text.
        Exact = "exact",
        /// The beginning of the text.
        StartsWith = "starts_with",
        /// A part of the text.
        Contains = "contains",
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
    /// True if a campaign must have reached the contact.
    Campaign {
        /// In the last seven days.
        Required = "required",
    }
}

words! {
    /// How closely a message matches a flow, the closest first (SEMANTICS I4). Greater is closer.
    Rank {
        /// By a `fallback` rule.
        Fallback = "fallback",
        /// By an `any` rule.
        Any = "any",
        /// By a `first_contact` rule.
        FirstContact = "first_contact",
        /// By a `contains` rule.
        Contains = "contains",
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

/// What starts a flow, checked and compiled.
#[derive(Clone, Debug)]
pub struct Trigger(Option<Inbound>);

#[derive(Clone, Debug)]
struct Inbound {
    channel: Channel,
    /// The closest rule first, so that the first that matches is the answer.
    rules: Box<[Rule]>,
    priority: i32,
    campaign: bool,
}

#[derive(Clone, Debug)]
enum Rule {
    Payload(Box<str>),
    Exact(Box<str>),
    StartsWith(Box<str>),
    Regex(Pattern),
    Contains(Box<str>),
    FirstContact,
    Any,
    Fallback,
}

impl Trigger {
    /// True if a call starts the flow.
    #[must_use]
    pub fn is_manual(&self) -> bool {
        self.0.is_none()
    }

    /// The channel of the messages that start it; none if a call does.
    #[must_use]
    pub fn channel(&self) -> Option<&Channel> {
        self.0.as_ref().map(|inbound| &inbound.channel)
    }

    /// Of two matching flows that with the higher number goes first, whatever their ranks.
    #[must_use]
    pub fn priority(&self) -> i32 {
        self.0.as_ref().map_or(0, |inbound| inbound.priority)
    }

    /// True if only a contact matches that a campaign reached in the last seven days.
    #[must_use]
    pub fn needs_campaign(&self) -> bool {
        self.0.as_ref().is_some_and(|inbound| inbound.campaign)
    }

    /// How closely a message matches: the rank of the closest rule, none if no rule matches
    /// (SEMANTICS I4).
    ///
    /// `payload` is that of a button or quick reply which is not this crate's own. A message
    /// without text, such as a picture, can match by payload, `first_contact`, `any` and
    /// `fallback`.
    #[must_use]
    pub fn matches(&self, text: Option<&str>, payload: Option<&str>, first_contact: bool) -> Option<Rank> {
        let inbound = self.0.as_ref()?;
        let trimmed = text.map(str::trim);
        let folded = trimmed.map(fold);
        let folded = folded.as_deref();
        let mut ranks = inbound.rules.iter().filter_map(|rule| match rule {
            Rule::Payload(wanted) => (payload == Some(wanted)).then_some(Rank::Payload),
            Rule::Exact(wanted) => (folded == Some(wanted)).then_some(Rank::Exact),
            Rule::StartsWith(wanted) => folded?.starts_with(&**wanted).then_some(Rank::StartsWith),
            Rule::Regex(pattern) => pattern.is_match(trimmed?).then_some(Rank::Regex),
            Rule::Contains(wanted) => folded?.contains(&**wanted).then_some(Rank::Contains),
            Rule::FirstContact => first_contact.then_some(Rank::FirstContact),
            Rule::Any => Some(Rank::Any),
            Rule::Fallback => Some(Rank::Fallback),
        });
        ranks.next()
    }
}

impl Rule {
    fn rank(&self) -> Rank {
        match self {
            Self::Payload(_) => Rank::Payload,
            Self::Exact(_) => Rank::Exact,
            Self::StartsWith(_) => Rank::StartsWith,
            Self::Regex(_) => Rank::Regex,
            Self::Contains(_) => Rank::Contains,
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
        let rule = RuleDef { how: MatchKind::Exact, text: Some(keyword.into()) };
        Self::Inbound(InboundDef { channel, rules: Some(vec![rule]), priority: None, campaign: None })
    }

    pub(crate) fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Trigger {
        let Self::Inbound(inbound) = self else { return Trigger(None) };
        let any = [RuleDef { how: MatchKind::Any, text: None }];
        let written = inbound.rules.as_deref().filter(|rules| !rules.is_empty()).unwrap_or(&any);
        let list = at.key("rules");
        let rules = written.iter().enumerate();
        let mut rules: Vec<Rule> =
            rules.filter_map(|(index, rule)| rule.compile(&list.item(index), cx)).collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.rank()));
        Trigger(Some(Inbound {
            channel: inbound.channel.clone(),
            rules: rules.into(),
            priority: inbound.priority.unwrap_or(0),
            campaign: inbound.campaign == Some(Campaign::Required),
        }))
    }
}

impl RuleDef {
    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Rule> {
        match self.how {
            MatchKind::Payload => self.comparand(at, cx.found).map(|text| Rule::Payload(text.into())),
            MatchKind::Exact | MatchKind::StartsWith | MatchKind::Contains => {
                let folded = Box::from(fold(self.comparand(at, cx.found)?.trim()));
                Some(match self.how {
                    MatchKind::Exact => Rule::Exact(folded),
                    MatchKind::StartsWith => Rule::StartsWith(folded),
                    _ => Rule::Contains(folded),
                })
            }
            MatchKind::Regex => {
                let source = self.comparand(at, cx.found)?;
                cx.pattern(&at.key("text"), source, Extent::Part, true).map(Rule::Regex)
            }
            MatchKind::FirstContact | MatchKind::Any | MatchKind::Fallback if self.text.is_some() => {
                let message = format!("has no meaning for `{}`", self.how.as_str());
                cx.found.add(IssueCode::BadValue, &at.key("text"), message, "remove it");
                None
            }
            MatchKind::FirstContact => Some(Rule::FirstContact),
            MatchKind::Any => Some(Rule::Any),
            MatchKind::Fallback => Some(Rule::Fallback),
        }
    }

    /// The text to compare with: there, and not blank.
    fn comparand(&self, at: &Path<'_>, found: &mut Diagnostics) -> Option<&str> {
        match self.text.as_deref() {
            Some(text) if !text.trim().is_empty() => Some(text),
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
                found.add(IssueCode::MissingField, &at.key("text"), "is missing", fix);
                None
            }
        }
    }
}

impl Read for RuleDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(value, at, found)?;
        let (how, text) = (fields.required("match"), fields.optional("text"));
        fields.close();
        Some(Self { how: how?, text })
    }
}

impl Read for TriggerDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(value, at, found)?;
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
