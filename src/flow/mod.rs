//! Flows: what a canvas saves ([`FlowDef`]) becomes what the kernel runs on ([`Flow`]), or the
//! complete list of what is wrong with it ([`Issues`]). Parsed once, checked once, never
//! changed. What must not live here: sessions, time, I/O.
//!
#![doc = include_str!("reference.md")]
#![doc = include_str!("lang/expr/filter/table.md")]
#![doc = include_str!("fields.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub(crate) mod answer;
mod author;
mod check;
mod compile;
mod compiled;
pub(crate) mod content;
mod def;
mod form;
mod keyword;
mod lang;
pub(crate) mod node;
mod place;
pub(crate) mod recognize;
mod settings;
#[cfg(test)]
mod tests;
mod trigger;

pub use answer::ReplyKind;
pub use author::diff::{FieldChange, FlowDiff};
#[cfg(feature = "schema")]
pub use author::schema::schema;
pub use author::texts::{InvalidPo, Texts};
pub use author::{draft, gallery};
pub use compiled::Flow;
pub use content::{
    ButtonDef, CardDef, ContactCardDef, CoordinateDef, FormDef, HeaderDef, ListDef, LocationDef, MediaDef,
    MediaType, MessageDef, NativeDef, OffersDef, OptionDef, ParametersDef, ProductItemDef, ProductSectionDef,
    ProductsDef, ReactionDef, RowDef, SectionDef, TemplateCardDef, TemplateCategory, TemplateDef, TextDef,
};
pub use def::{EdgeDef, FlowDef};
pub use form::issue::{Issue, IssueCode, Issues, Repair, Severity};
pub use form::lines::FlowLines;
pub use form::span::{InvalidSpan, Span};
pub use keyword::{KeywordAction, KeywordDef, Keywords};
pub use lang::condition::{CompareDef, ConditionDef, Operand};
pub use lang::normal::Folding;
pub use lang::number::Decimal;
pub use lang::operator::Operator;
pub use lang::times::UntilDef;
pub use lang::undefined::Undefined;
pub use node::*;
pub use recognize::EntityType;
pub use settings::last_words::LastWordsDef;
pub use settings::quiet::QuietHoursDef;
pub use settings::reminder::ReminderDef;
pub use settings::{
    Clash, Concurrency, Lifetime, Reentry, ReentryDef, Sender, Settings, SettingsDef, TtlMode, WindowAtStart,
};
pub use trigger::{CampaignRule, InboundDef, MatchKind, Rank, RuleDef, Trigger, TriggerDef};

pub(crate) use author::lifecycle::{DraftText, check_binding, takes_any};
pub(crate) use check::recursion::check_calls;
pub(crate) use compiled::Step;
pub(crate) use form::path::brief;
pub(crate) use keyword::{Keyword, keyword_form};
pub(crate) use lang::condition::Condition;
pub(crate) use lang::json_template::JsonTemplate;
pub(crate) use lang::names::fields_of;
pub(crate) use lang::number::Marks;
pub(crate) use lang::render::Render;
pub(crate) use lang::times::Times;
pub(crate) use lang::zone::Zone;
pub(crate) use lang::zone_template::ZoneTemplate;
pub(crate) use lang::{expr, language, region, template};
pub(crate) use place::NodeIx;
pub(crate) use settings::reminder::Reminder;
