//! Accounts on channels, and the addresses that people have there.
//! Words only: which contact an address leads to is the store's.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::channel::Channel;
use crate::id::{BadName, SessionId, check_name};

/// A telephone number in E.164: `+` and 8-15 digits, kept as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(u64);

/// A text that is no telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a telephone number: `+` and 8-15 digits, no 0 first")]
pub struct BadPhone;

impl Phone {
    /// Reads a number that must begin with `+`; spaces, dots, hyphens, slashes and parentheses are
    /// stripped (SEMANTICS T2).
    ///
    /// # Errors
    /// [`BadPhone`] when there is no `+`, another character, or not 8-15 digits.
    pub fn parse(text: &str) -> Result<Self, BadPhone> {
        let digits = text.trim().strip_prefix('+').ok_or(BadPhone)?;
        Self::from_digits(digits)
    }

    /// Reads a number as channels hand it in, with or without `+`.
    ///
    /// # Errors
    /// [`BadPhone`] when there is another character, or not 8-15 digits.
    pub fn parse_inbound(text: &str) -> Result<Self, BadPhone> {
        let text = text.trim();
        Self::from_digits(text.strip_prefix('+').unwrap_or(text))
    }

    /// The digits as one number.
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    fn from_digits(text: &str) -> Result<Self, BadPhone> {
        let (mut number, mut count) = (0_u64, 0_u32);
        for c in text.chars() {
            match c {
                '0'..='9' => {
                    count += 1;
                    if count > 15 || (count == 1 && c == '0') {
                        return Err(BadPhone);
                    }
                    number = number * 10 + u64::from(c as u32 - '0' as u32);
                }
                ' ' | '\u{a0}' | '\u{202f}' | '.' | '-' | '\u{2010}' | '\u{2011}' | '/' | '(' | ')' => {}
                _ => return Err(BadPhone),
            }
        }
        if count < 8 { Err(BadPhone) } else { Ok(Self(number)) }
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

/// A host's account on a channel: a sender's number, a page, a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Account {
    /// The channel.
    pub channel: Channel,
    /// The account there, 1-256 bytes. Telephone numbers are compared as they are written.
    pub account: Arc<str>,
}

impl Account {
    /// Checks and takes an account.
    ///
    /// # Errors
    /// [`BadName`] for an empty account, one above 256 bytes, or one with a control character.
    pub fn new(channel: Channel, account: impl AsRef<str>) -> Result<Self, BadName> {
        check_name(account.as_ref())?;
        Ok(Self { channel, account: account.as_ref().into() })
    }
}

/// An account that has been checked and is only looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountRef<'a> {
    pub(crate) channel: &'a Channel,
    pub(crate) account: &'a str,
}

impl PartialEq<Account> for AccountRef<'_> {
    fn eq(&self, other: &Account) -> bool {
        *self.channel == other.channel && *self.account == *other.account
    }
}

impl AccountRef<'_> {
    /// Compares as [`Account`]s are compared.
    pub(crate) fn compare(&self, other: &AccountRef<'_>) -> Ordering {
        self.channel.cmp(other.channel).then_with(|| self.account.cmp(other.account))
    }

    pub(crate) fn to_account(self) -> Account {
        Account { channel: self.channel.clone(), account: self.account.into() }
    }
}

impl Account {
    pub(crate) fn as_ref(&self) -> AccountRef<'_> {
        AccountRef { channel: &self.channel, account: &self.account }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.channel, self.account)
    }
}

/// Where one person is reached: belongs to one contact of a workspace (SEMANTICS T2).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// On WhatsApp, SMS and Viber: one number, whatever the channel.
    Phone(Phone),
    /// On any other channel: an id that means something to one account only.
    Named(Arc<NamedAddress>),
}

/// An address on a channel without telephone numbers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NamedAddress {
    /// The channel and account that know it.
    pub account: Account,
    /// The person's id there.
    pub id: Arc<str>,
}

/// Why an address was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadAddress {
    /// The channel is one with telephone numbers.
    #[error(transparent)]
    Phone(#[from] BadPhone),
    /// The id is no name.
    #[error(transparent)]
    Name(#[from] BadName),
}

impl Address {
    /// The address of a person on a channel's account, as a channel hands it in.
    ///
    /// # Errors
    /// [`BadAddress`] when the channel has telephone numbers and this is none, or the id is empty
    /// or above 256 bytes.
    pub fn new(account: &Account, id: &str) -> Result<Self, BadAddress> {
        Self::on(account.as_ref(), id)
    }

    pub(crate) fn on(account: AccountRef<'_>, id: &str) -> Result<Self, BadAddress> {
        if account.channel.is_phone() {
            return Ok(Self::Phone(Phone::parse_inbound(id)?));
        }
        check_name(id)?;
        Ok(Self::Named(Arc::new(NamedAddress { account: account.to_account(), id: id.into() })))
    }

    /// The telephone number, where it is one.
    #[must_use]
    pub fn phone(&self) -> Option<Phone> {
        match self {
            Self::Phone(phone) => Some(*phone),
            Self::Named(_) => None,
        }
    }

    /// True if messages on this channel and account can go to it.
    #[must_use]
    pub fn is_on(&self, account: &Account) -> bool {
        match self {
            Self::Phone(_) => account.channel.is_phone(),
            Self::Named(named) => named.account == *account,
        }
    }
}

impl fmt::Display for Address {
    /// What a transport puts into its `to` field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(phone) => phone.fmt(f),
            Self::Named(named) => f.write_str(&named.id),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredAddress {
    Phone(String),
    Named(NamedAddress),
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Phone(phone) => serializer.collect_str(phone),
            Self::Named(named) => named.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match StoredAddress::deserialize(deserializer)? {
            StoredAddress::Phone(text) => {
                Phone::parse(&text).map(Self::Phone).map_err(serde::de::Error::custom)
            }
            StoredAddress::Named(named) => Ok(Self::Named(Arc::new(named))),
        }
    }
}

/// A name that leads to a conversation: unique in a workspace, opaque to a store.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alias {
    /// One of the contact's addresses.
    Address(Address),
    /// One of the contact's sessions, live or ended.
    Session(SessionId),
}

impl fmt::Display for Alias {
    /// One text per alias, of at most 600 bytes: what a store without enums writes into its index.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(Address::Phone(phone)) => write!(f, "p:{phone}"),
            Self::Address(Address::Named(named)) => {
                write!(f, "a:{}\u{1f}{}\u{1f}{}", named.account.channel, named.account.account, named.id)
            }
            Self::Session(session) => write!(f, "s:{session}"),
        }
    }
}

impl fmt::Debug for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Session(session) => write!(f, "{session:?}"),
        }
    }
}
