//! The person a conversation is with. Written by requests and by nodes; read by templates as
//! `contact`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::address::{Account, Address};
use crate::gather::Gather;
use crate::id::ContactId;
use crate::list::ShortList;
use crate::value::PackedMap;

/// A contact of one workspace ([SEMANTICS T2](crate::semantics#t2), [T3](crate::semantics#t3)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Contact {
    /// Its id, given by the host or minted.
    pub id: ContactId,
    /// The host's data on the person; none until something is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Box<Profile>>,
    /// Where the person is reached; each belongs to this contact alone.
    pub addresses: ShortList<Address>,
    /// Since when the contact may be written to; an inbound message alone does not set it
    /// ([SEMANTICS T10](crate::semantics#t10)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opted_in_at: Option<DateTime<Utc>>,
    /// Since when the contact must not be written to ([SEMANTICS T10](crate::semantics#t10)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opted_out_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former_ids: Option<Box<FormerIds>>,
    /// True if the engine made this contact from an address alone: such a one gives its address up
    /// to a named contact (SEMANTICS T2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) minted: bool,
    /// True if messages alone said what the profile says (SEMANTICS S19).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) heard: bool,
}

/// Ids of contacts that are no more. Few contacts have any: they take a pointer in the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct FormerIds(Vec<ContactId>);

/// A host's data on a person. Every field is optional; a field that is given replaces the one that
/// was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Profile {
    /// Full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Language tag, such as `en` or `pt-BR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Time zone by its name in the IANA database, such as `America/Mexico_City`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Groups that the person is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Anything else, readable as `contact.fields.NAME`: an object, made by
    /// [`PackedMap::from_json`] with [`PackLimits::of`](crate::value::PackLimits::of).
    #[serde(default, skip_serializing_if = "PackedMap::is_empty")]
    pub fields: PackedMap,
}

impl Profile {
    /// A profile that says nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// With an e-mail address.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// With a language tag.
    #[must_use]
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// With a time zone.
    #[must_use]
    pub fn timezone(mut self, timezone: impl Into<String>) -> Self {
        self.timezone = Some(timezone.into());
        self
    }

    /// With one more label.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// With one more group.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }

    /// With fields.
    #[must_use]
    pub fn fields(mut self, fields: PackedMap) -> Self {
        self.fields = fields;
        self
    }
}

impl Contact {
    /// A contact with an id and nothing else.
    #[must_use]
    pub fn new(id: ContactId) -> Self {
        Self {
            id,
            profile: None,
            addresses: ShortList::None,
            opted_in_at: None,
            opted_out_at: None,
            former_ids: None,
            minted: false,
            heard: false,
        }
    }

    /// Returns the ids of contacts that turned out to be this one and are no more: under them a
    /// host may have kept things of its own ([SEMANTICS A5](crate::semantics#a5)).
    #[must_use]
    pub fn former_ids(&self) -> &[ContactId] {
        self.former_ids.as_deref().map_or(&[], |former| &former.0)
    }

    /// The address that it is reached at from an account: a telephone number where one is known,
    /// else the one that was learnt last (SEMANTICS A7).
    pub(crate) fn address_on(&self, account: &Account) -> Option<&Address> {
        let there = || self.addresses.iter().rev().filter(|address| address.is_on(account));
        there().find(|address| address.phone().is_some()).or_else(|| there().next())
    }

    /// Its address that is the same for finding a contact, be it in another form (SEMANTICS A2).
    pub(crate) fn same_address(&self, address: &Address) -> Option<usize> {
        self.addresses.iter().position(|known| known.is_same(address))
    }

    /// True if the host wrote something of the profile.
    pub(crate) fn is_described(&self) -> bool {
        self.profile.is_some() && !self.heard
    }

    /// Takes over what a message says of the person; what it does not mention stays.
    pub(crate) fn hear(&mut self, news: &Profile) {
        self.heard = !self.is_described();
        self.take_profile(news);
    }

    /// Takes over what the host says of the person; what it does not mention stays.
    pub(crate) fn learn(&mut self, news: &Profile) {
        self.heard = false;
        self.take_profile(news);
    }

    fn take_profile(&mut self, news: &Profile) {
        let known = self.profile.get_or_insert_default();
        for (known, news) in [
            (&mut known.name, &news.name),
            (&mut known.email, &news.email),
            (&mut known.language, &news.language),
            (&mut known.timezone, &news.timezone),
        ] {
            if news.is_some() {
                known.clone_from(news);
            }
        }
        for (known, news) in [(&mut known.tags, &news.tags), (&mut known.groups, &news.groups)] {
            for label in news {
                if !known.contains(label) {
                    known.push(label.clone());
                }
            }
        }
        if !news.fields.is_empty() {
            let mut fields: BTreeMap<&str, serde_json::Value> =
                known.fields.iter().map(|(k, v)| (k, v.to_json())).gather();
            fields.extend(news.fields.iter().map(|(k, v)| (k, v.to_json())));
            let merged =
                serde_json::Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).gather());
            if let Ok(merged) = PackedMap::from_json(
                &merged,
                &crate::value::PackLimits::of(&crate::limits::Limits::default()),
            ) {
                known.fields = merged;
            }
        }
    }

    /// Takes over what is known of another contact that turned out to be this one; of two values
    /// the newer one's stays (SEMANTICS A5).
    pub(crate) fn take_in(&mut self, other: Self, is_newer: bool) {
        let is_described = self.is_described() || other.is_described();
        for address in other.addresses {
            if self.same_address(&address).is_none() {
                self.addresses.push(address);
            }
        }
        let former = &mut self.former_ids.get_or_insert_default().0;
        former.push(other.id);
        former.extend(other.former_ids.into_iter().flat_map(|former| former.0));
        self.opted_in_at = self.opted_in_at.into_iter().chain(other.opted_in_at).min();
        let Some(theirs) = other.profile else { return };
        match self.profile.take() {
            Some(own) if !is_newer => {
                self.profile = Some(theirs);
                self.take_profile(&own);
            }
            own => {
                self.profile = own;
                self.take_profile(&theirs);
            }
        }
        self.heard = !is_described;
    }
}
