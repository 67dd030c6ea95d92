//! Changes that a flow makes to a contact, one at a time, within the limits of a profile. Applied
//! twice: to what the rest of the turn reads, and to the record when the turn is booked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::flow::{Zone, brief};
use crate::limits::Limits;
use crate::session::Contact;
use crate::value::PackLimits;

/// A change of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContactChange {
    /// The name; none removes it.
    Name(Option<String>),
    /// The e-mail address; none removes it.
    Email(Option<String>),
    /// The language; none removes it.
    Language(Option<String>),
    /// The time zone by its name in the IANA database; none removes it.
    Timezone(Option<String>),
    /// One of the other fields; `null` removes it.
    Field(String, Value),
    /// One more label.
    AddTag(String),
    /// A label less.
    RemoveTag(String),
    /// One more group.
    AddGroup(String),
    /// A group less.
    RemoveGroup(String),
    /// The contact may be written to ([SEMANTICS T10](crate::semantics#t10)).
    OptIn,
    /// The contact must not be written to ([SEMANTICS T10](crate::semantics#t10)).
    OptOut,
}

impl ContactChange {
    /// The part of the contact that it changes, such as `tags` or `fields.city`.
    pub(crate) fn field(&self) -> String {
        let name = match self {
            Self::Name(_) => "name",
            Self::Email(_) => "email",
            Self::Language(_) => "language",
            Self::Timezone(_) => "timezone",
            Self::Field(name, _) => return format!("fields.{name}"),
            Self::AddTag(_) | Self::RemoveTag(_) => "tags",
            Self::AddGroup(_) | Self::RemoveGroup(_) => "groups",
            Self::OptIn | Self::OptOut => "opted_out_at",
        };
        name.to_owned()
    }
}

/// Labels of a contact, and groups, each.
const MOST_LABELS: usize = 100;

impl Contact {
    /// Makes a change, or says why it cannot be made.
    pub(crate) fn change(
        &mut self,
        change: &ContactChange,
        now: DateTime<Utc>,
        limits: &Limits,
    ) -> Result<(), String> {
        let fits = |text: &Option<String>| match text {
            Some(text) if text.len() > limits.id_bytes => {
                Err(format!("must have at most {} bytes", limits.id_bytes))
            }
            _ => Ok(()),
        };
        match change {
            ContactChange::OptIn => {
                self.opted_out_at = None;
                self.opted_in_at = Some(now);
                return Ok(());
            }
            ContactChange::OptOut => {
                self.opted_out_at.get_or_insert(now);
                return Ok(());
            }
            _ => {}
        }
        self.heard = false;
        let profile = self.profile.get_or_insert_default();
        match change {
            ContactChange::Name(name) => {
                fits(name).map_err(|rule| format!("the name {rule}"))?;
                profile.name.clone_from(name);
            }
            ContactChange::Email(email) => {
                fits(email).map_err(|rule| format!("the e-mail address {rule}"))?;
                profile.email.clone_from(email);
            }
            ContactChange::Language(language) => {
                fits(language).map_err(|rule| format!("the language {rule}"))?;
                profile.language.clone_from(language);
            }
            ContactChange::Timezone(zone) => {
                if let Some(name) = zone.as_deref().filter(|name| Zone::known(name).is_none()) {
                    return Err(format!("`{}` is not a time zone", brief(name)));
                }
                profile.timezone.clone_from(zone);
            }
            ContactChange::Field(name, Value::Null) => profile.fields = profile.fields.without(name),
            ContactChange::Field(name, value) => {
                let fields = profile.fields.with(name, value, &PackLimits::of(limits));
                profile.fields = fields.map_err(|error| format!("field `{name}` {error}"))?;
            }
            ContactChange::AddTag(tag) => add(&mut profile.tags, tag, limits)?,
            ContactChange::RemoveTag(tag) => profile.tags.retain(|known| known != tag),
            ContactChange::AddGroup(group) => add(&mut profile.groups, group, limits)?,
            ContactChange::RemoveGroup(group) => profile.groups.retain(|known| known != group),
            ContactChange::OptIn | ContactChange::OptOut => {}
        }
        Ok(())
    }
}

fn add(labels: &mut Vec<String>, label: &str, limits: &Limits) -> Result<(), String> {
    if labels.iter().any(|known| known == label) {
        return Ok(());
    }
    if label.len() > limits.id_bytes {
        return Err(format!("a tag or group must have at most {} bytes", limits.id_bytes));
    }
    if labels.len() >= MOST_LABELS {
        return Err(format!("at most {MOST_LABELS} tags and as many groups are allowed"));
    }
    labels.push(label.to_owned());
    Ok(())
}
