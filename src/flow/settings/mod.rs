//! The settings by which a flow's sessions live: TTL, language, sender, and who may run it how
//! often (SEMANTICS S1, T6, D4, I12).

pub(crate) mod last_words;
pub(crate) mod quiet;
pub(crate) mod reminder;

use std::sync::Arc;

use chrono::TimeDelta;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;
#[cfg(feature = "schema")]
use serde_json::json;

use crate::Channel;
use crate::address::Account;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
#[cfg(feature = "schema")]
use crate::flow::form::read::object;
use crate::flow::form::read::{Fields, Read, words, wrong_type};
#[cfg(feature = "schema")]
use crate::flow::form::schema::SchemaDefinitions;
use crate::flow::form::span::Span;
use crate::flow::keyword::KeywordDef;
use crate::flow::lang::context::Compile;
use crate::flow::lang::language::Language;
use crate::flow::lang::number::Decimal;
use crate::flow::lang::undefined::Undefined;
use crate::flow::lang::zone::Zone;
use crate::flow::settings::last_words::LastWordsDef;
use crate::flow::settings::quiet::QuietHoursDef;
use crate::flow::settings::reminder::ReminderDef;

/// The settings of a flow, as they are written. What is absent takes its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SettingsDef {
    /// Minutes that a session lives without an interaction: 30 if absent, 0 = as long as
    /// `max_lifetime`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_ttl_minutes: Option<u32>,
    /// The effect of an interaction on the time to live: it begins again if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_mode: Option<TtlMode>,
    /// The longest life of a session: `Limits::max_lifetime` if absent, and at most that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_lifetime: Option<Span>,
    /// `none`: a session has no longest life, whatever the host's limit; it does if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Lifetime>,
    /// The language of texts for a contact whose language is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The languages that every text is there in; a text that lacks one is a warning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub languages: Option<Vec<String>>,
    /// Where telephone numbers without a calling code are at home, by its ISO 3166 code, or a
    /// template that gives one: for every node that reads such numbers and names no region of its
    /// own, and for the `phone` of a trigger, which takes no template
    /// ([SEMANTICS A1](crate::semantics#a1)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_region: Option<String>,
    /// The time zone of a contact whose own is not known, by its name in the IANA database; UTC if
    /// absent ([SEMANTICS U16](crate::semantics#u16)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The mark before decimals where a number leaves it open, as `1.500` does; what is usual in
    /// the contact's language, else in the flow's, if absent
    /// ([SEMANTICS U10](crate::semantics#u10)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    /// The rendering of an undefined variable; nothing if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undefined: Option<Undefined>,
    /// Where messages come from if nothing else says so ([SEMANTICS D4](crate::semantics#d4)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<Sender>,
    /// `open`: the host starts the flow within WhatsApp's 24-hour window, say while a contact is in
    /// the chat; it may be closed if absent. A check reads it, nothing else does
    /// ([SEMANTICS C](crate::semantics#c)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowAtStart>,
    /// The live sessions that block a start; `per_flow` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// The rule for running the flow again with a contact; `always` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reentry: Option<ReentryDef>,
    /// Age above which a message answers and starts nothing; 24 hours if absent, at most what the
    /// host allows ([SEMANTICS I12](crate::semantics#i12)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_message_age: Option<Span>,
    /// Words that mean something at any point of the talk ([SEMANTICS I6](crate::semantics#i6)),
    /// also in a flow that this one called, whose own words go before; there only a `jump` has no
    /// meaning, since its node is not in that flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keywords: Option<Vec<KeywordDef>>,
    /// The reminder some time before a session expires at a question of this flow
    /// ([SEMANTICS S6](crate::semantics#s6)). A flow that this one called reminds of its own
    /// questions, or of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminder: Option<ReminderDef>,
    /// The last words before a session fails: a branch as a reminder's
    /// ([SEMANTICS S21](crate::semantics#s21)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_error: Option<LastWordsDef>,
    /// The last words before a session expires: a branch as a reminder's
    /// ([SEMANTICS S21](crate::semantics#s21)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_expire: Option<LastWordsDef>,
    /// When the flow does not speak unless it is spoken to, by the contact's clock: what time alone
    /// brings waits for the end of these hours ([SEMANTICS U18](crate::semantics#u18)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHoursDef>,
    /// The variables that come of a session: they stay with it once it has ended
    /// ([SEMANTICS Q8](crate::semantics#q8)). Each is a variable or an input of the start node; at
    /// most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<String>>,
}

words! {
    /// The longest life of a session that has none ([SEMANTICS S1](crate::semantics#s1)).
    Lifetime {
        /// It lives as long as something is to come.
        None = "none",
    }
}

words! {
    /// The effect of an interaction on the time to live of a session
    /// ([SEMANTICS S1](crate::semantics#s1)).
    TtlMode {
        /// It does.
        Sliding = "sliding",
        /// It does not.
        Fixed = "fixed",
    }
}

words! {
    /// WhatsApp's window for free texts when a flow is started by a call.
    WindowAtStart {
        /// The contact has written within the last 24 hours.
        Open = "open",
    }
}

/// A channel and the host's account on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sender {
    /// The channel.
    pub channel: Channel,
    /// The account, such as a business phone number.
    pub account: String,
}

/// The live sessions of a contact that block a start ([SEMANTICS T6](crate::semantics#t6)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Concurrency {
    /// One of this flow.
    #[default]
    PerFlow,
    /// One of any flow: it continues, or is ended for the new one.
    PerContact(Clash),
    /// None.
    Unlimited,
}

words! {
    /// The effect of a start on the contact's live session under `per_contact`.
    Clash {
        /// The start is refused.
        Reject = "reject",
        /// The live session ends.
        Interrupt = "interrupt",
    }
}

/// The rule for running a flow again with a contact, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReentryDef {
    /// `"always"`
    Always,
    /// `"once_ever"`
    OnceEver,
    /// `{"cooldown": "24h"}`, from the last start.
    Cooldown(Span),
}

/// The rule for running a flow again with a contact ([SEMANTICS T6](crate::semantics#t6)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reentry {
    /// Whenever no session of it is live.
    Always,
    /// Never.
    OnceEver,
    /// When this time has passed since the last start.
    Cooldown(TimeDelta),
}

/// The settings of a flow, every default filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Life of a session without an interaction; none means as long as `max_lifetime`.
    pub ttl: Option<TimeDelta>,
    /// The effect of an interaction on the time to live.
    pub ttl_mode: TtlMode,
    /// The longest life of a session; [`TimeDelta::MAX`] if it has none.
    pub max_lifetime: TimeDelta,
    /// The language of texts for a contact whose language is not known.
    pub language: Option<Arc<str>>,
    /// Where telephone numbers without a calling code are at home, as it is written.
    pub default_region: Option<Arc<str>>,
    /// The time zone of a contact whose own is not known.
    pub timezone: Option<Arc<str>>,
    /// The mark before decimals where a number leaves it open.
    pub decimal: Option<Decimal>,
    /// The rendering of an undefined variable.
    pub undefined: Undefined,
    /// Where messages come from if nothing else says so.
    pub sender: Option<Account>,
    /// The live sessions that block a start.
    pub concurrency: Concurrency,
    /// The rule for running the flow again with a contact.
    pub reentry: Reentry,
    /// Age above which a message answers and starts nothing.
    pub max_message_age: TimeDelta,
    /// The variables that stay with a session once it has ended
    /// ([SEMANTICS Q8](crate::semantics#q8)).
    pub results: Box<[Arc<str>]>,
}

impl SettingsDef {
    const MOST_TTL_MINUTES: u32 = 30 * 24 * 60;
    /// The minutes of a session for which the flow gives none.
    pub(crate) const USUAL_TTL_MINUTES: u32 = 30;
    const MOST_RESULTS: usize = 100;

    pub(crate) fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Settings {
        let (ttl, max_lifetime) = self.compile_lives(at, cx);
        let sender = self.sender.as_ref().map(|sender| {
            cx.name(&at.key("sender").key("account"), &sender.account);
            Account::new(sender.channel.clone(), &sender.account).ok()
        });
        if let Some(language) = &self.language {
            cx.name(&at.key("language"), language);
        }
        self.check_languages(&at.key("languages"), cx);
        if let Some(region) = &self.default_region {
            cx.default_region = cx.region(&at.key("default_region"), region);
        }
        Settings {
            ttl,
            ttl_mode: self.ttl_mode.unwrap_or(TtlMode::Sliding),
            max_lifetime,
            language: self.language.as_deref().map(Arc::from),
            default_region: self.default_region.as_deref().map(Arc::from),
            timezone: self.timezone.as_deref().map(|name| {
                Zone::named(name, &at.key("timezone"), cx.found);
                name.into()
            }),
            decimal: self.decimal,
            undefined: self.undefined.unwrap_or(Undefined::Empty),
            sender: sender.flatten(),
            concurrency: self.concurrency.unwrap_or_default(),
            reentry: match &self.reentry {
                None | Some(ReentryDef::Always) => Reentry::Always,
                Some(ReentryDef::OnceEver) => Reentry::OnceEver,
                Some(ReentryDef::Cooldown(span)) => Reentry::Cooldown(span.as_delta()),
            },
            max_message_age: self.max_message_age.as_ref().map_or(TimeDelta::hours(24), Span::as_delta),
            results: self.compile_results(&at.key("results"), cx),
        }
    }

    /// The life of a session without an interaction, and the longest life of one.
    fn compile_lives(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> (Option<TimeDelta>, TimeDelta) {
        let longest = TimeDelta::from_std(cx.limits.max_lifetime).unwrap_or(TimeDelta::MAX);
        let minutes = self.session_ttl_minutes.unwrap_or(Self::USUAL_TTL_MINUTES);
        if minutes > Self::MOST_TTL_MINUTES {
            let message =
                format!("is {minutes} minutes, at most {} (30 days) are allowed", Self::MOST_TTL_MINUTES);
            let fix = "give fewer minutes, or 0 for as long as `max_lifetime`; \
                       a wait of its own may be longer where `lifetime` is none";
            cx.found.add(IssueCode::BadValue, &at.key("session_ttl_minutes"), message, fix);
        }
        let is_endless = self.lifetime == Some(Lifetime::None);
        let max_lifetime = match &self.max_lifetime {
            _ if is_endless => TimeDelta::MAX,
            Some(span) => span.as_delta(),
            None => longest,
        };
        if is_endless && (self.max_lifetime.is_some() || minutes == 0) {
            let (beside, fix) = match self.max_lifetime {
                Some(_) => ("is given together with `max_lifetime`", "give one of the two"),
                None => (
                    "needs a TTL, or a question that nobody answers waits without end",
                    "give `session_ttl_minutes`, or a `max_lifetime`",
                ),
            };
            cx.found.add(IssueCode::BadValue, &at.key("lifetime"), beside, fix);
        } else if !is_endless && max_lifetime > longest {
            let message = format!("is longer than the {} days allowed", longest.num_days());
            let fix = "give a shorter time, or say `\"lifetime\": \"none\"` instead";
            cx.found.add(IssueCode::BadValue, &at.key("max_lifetime"), message, fix);
        }
        ((minutes > 0).then(|| TimeDelta::minutes(i64::from(minutes))), max_lifetime)
    }

    fn check_languages(&self, at: &Path<'_>, cx: &mut Compile<'_>) {
        for (place, tag) in self.languages.iter().flatten().enumerate() {
            if Language::parse(tag).is_none() {
                let message = format!("{:?} is not a language tag", brief(tag));
                cx.found.add(IssueCode::BadName, &at.item(place), message, "write a tag such as en or pt-BR");
            }
        }
    }

    fn compile_results(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Box<[Arc<str>]> {
        let names = self.results.as_deref().unwrap_or_default();
        if names.len() > Self::MOST_RESULTS {
            let message = format!("{} names, at most {} are allowed", names.len(), Self::MOST_RESULTS);
            cx.found.add(IssueCode::BadValue, at, message, "name fewer, or keep several in one object");
            return Box::default();
        }
        cx.distinct(at, "result", names.iter().map(String::as_str));
        let places = names.iter().enumerate();
        places.filter_map(|(place, name)| cx.variable(&at.item(place), name)).collect()
    }
}

impl Read for SettingsDef {
    const EXAMPLE: &'static str = r#"{"session_ttl_minutes": 30}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let settings = Self {
            session_ttl_minutes: fields.optional("session_ttl_minutes"),
            ttl_mode: fields.optional("ttl_mode"),
            max_lifetime: fields.optional("max_lifetime"),
            lifetime: fields.optional("lifetime"),
            language: fields.optional("language"),
            languages: fields.optional("languages"),
            default_region: fields.optional("default_region"),
            timezone: fields.optional("timezone"),
            decimal: fields.optional("decimal"),
            undefined: fields.optional("undefined"),
            sender: fields.optional("sender"),
            window: fields.optional("window"),
            concurrency: fields.optional("concurrency"),
            reentry: fields.optional("reentry"),
            max_message_age: fields.optional("max_message_age"),
            keywords: fields.optional("keywords"),
            reminder: fields.optional("reminder"),
            on_error: fields.optional("on_error"),
            on_expire: fields.optional("on_expire"),
            quiet_hours: fields.optional("quiet_hours"),
            results: fields.optional("results"),
        };
        fields.close();
        Some(settings)
    }
}

impl Read for Sender {
    const EXAMPLE: &'static str = r#"{"channel": "whatsapp", "account": "+15550100"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (channel, account) = (fields.required("channel"), fields.required("account"));
        fields.close();
        Some(Self { channel: channel?, account: account? })
    }
}

impl Read for Concurrency {
    const EXAMPLE: &'static str = r#"{"per_contact": "reject"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::String(text) if text == "per_flow" => Some(Self::PerFlow),
            Value::String(text) if text == "unlimited" => Some(Self::Unlimited),
            Value::String(text) => {
                let message = format!("unknown value {:?}", brief(text));
                let fix = "write per_flow, unlimited or {\"per_contact\": \"reject\"}";
                found.add(IssueCode::BadValue, at, message, fix);
                None
            }
            Value::Object(_) => {
                let mut fields = Fields::of::<Self>(value, at, found)?;
                let clash = fields.required("per_contact");
                fields.close();
                clash.map(Self::PerContact)
            }
            other => wrong_type("\"per_flow\", \"unlimited\" or {\"per_contact\": …}", other, at, found),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        book.refer::<Self>(
            |book| json!({"anyOf": [{"enum": ["per_flow", "unlimited"]}, object::<Self>(book)]}),
        )
    }
}

impl Serialize for Concurrency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::PerFlow => serializer.serialize_str("per_flow"),
            Self::Unlimited => serializer.serialize_str("unlimited"),
            Self::PerContact(clash) => {
                let mut object = serializer.serialize_map(Some(1))?;
                object.serialize_entry("per_contact", clash)?;
                object.end()
            }
        }
    }
}

impl Read for ReentryDef {
    const EXAMPLE: &'static str = r#"{"cooldown": "24h"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::String(text) if text == "always" => Some(Self::Always),
            Value::String(text) if text == "once_ever" => Some(Self::OnceEver),
            Value::String(text) => {
                let message = format!("unknown value {:?}", brief(text));
                let fix = "write always, once_ever or {\"cooldown\": \"24h\"}";
                found.add(IssueCode::BadValue, at, message, fix);
                None
            }
            Value::Object(_) => {
                let mut fields = Fields::of::<Self>(value, at, found)?;
                let span = fields.required("cooldown");
                fields.close();
                span.map(Self::Cooldown)
            }
            other => wrong_type("\"always\", \"once_ever\" or {\"cooldown\": …}", other, at, found),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        book.refer::<Self>(|book| json!({"anyOf": [{"enum": ["always", "once_ever"]}, object::<Self>(book)]}))
    }
}
