//! Accounts on channels, and the addresses that people have there.
//! Which contact an address leads to is in the store.

#[cfg(feature = "phone-numbers")]
mod home;
#[cfg(not(feature = "phone-numbers"))]
mod homeless;
mod lookalike;
mod phone;
mod plan;
mod written;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{InvalidName, SessionId, check_name};

pub use crate::channel::{Channel, ChannelName, InvalidChannel};
#[cfg(feature = "phone-numbers")]
pub(crate) use home::{Home, WORLD};
#[cfg(not(feature = "phone-numbers"))]
pub(crate) use homeless::Home;
#[cfg(feature = "phone-numbers")]
pub(crate) use lookalike::is_date_or_tax_number;
pub use phone::{InvalidPhone, Phone};

/// Reads a whole text as a telephone number: with its calling code, or as it is dialled in the
/// region where it is at home (SEMANTICS A1).
pub(crate) fn read_phone(text: &str, home: Option<Home>) -> Option<Phone> {
    let text = written::bare(text);
    let read = |text: &str| Phone::possible(text).or_else(|| national(text, home));
    let phone = read(text).or_else(|| read(&written::without_extras(text)?))?;
    #[cfg(feature = "phone-numbers")]
    let phone = Some(phone).filter(|phone| home::is_assigned(*phone))?;
    Some(phone.canonical())
}

/// A number without its calling code; none of a date or a number of something else, which has as
/// many digits.
fn national(text: &str, home: Option<Home>) -> Option<Phone> {
    if lookalike::is_date_or_tax_number(text) {
        return None;
    }
    let at_home = home.and_then(|home| home.read(text));
    #[cfg(feature = "phone-numbers")]
    let at_home = at_home.or_else(|| home::with_trunk(text));
    at_home
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
    /// [`InvalidName`] for an empty account, one above 256 bytes, or one with a control character.
    pub fn new(channel: Channel, account: impl AsRef<str>) -> Result<Self, InvalidName> {
        check_name(account.as_ref()).map_err(|rule| rule.of("account"))?;
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

/// Where one person is reached: belongs to one contact of a workspace
/// ([SEMANTICS T2](crate::semantics#t2), [A3](crate::semantics#a3)).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// On WhatsApp, SMS and Viber: one number, whatever the channel.
    Phone(Phone),
    /// An id: of a person on a channel without telephone numbers, of a WhatsApp user who shows no
    /// number, of an SMS sender that is none. [`Address::kind`] tells which.
    Named(Arc<NamedAddress>),
}

/// An address that is not a telephone number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NamedAddress {
    /// The channel and account that know it. The account is empty for an id that every account of
    /// the channel knows: a business-scoped id of WhatsApp.
    pub account: Account,
    /// The person's id there.
    pub id: Arc<str>,
}

/// The kinds of addresses ([SEMANTICS A3](crate::semantics#a3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressKind {
    /// A telephone number.
    Phone,
    /// A WhatsApp user without a number, by the id that belongs to the business: `US.13491208655`.
    BusinessScoped,
    /// A short code or a name that sends SMS: `72727`, `ACME`.
    SmsSender,
    /// An id that one account of a channel knows: a page-scoped id, a visitor, a host's own.
    AccountScoped,
}

/// The reason an address was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAddress {
    /// The channel is one with telephone numbers.
    #[error(transparent)]
    Phone(#[from] InvalidPhone),
    /// The id is no name.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

impl Address {
    /// The address of a person on a channel's account, as a channel hands it in: a telephone number
    /// on WhatsApp, SMS and Viber; on WhatsApp also a business-scoped id
    /// (`US.13491208655302741918`, `US.ENT.…`: a country, and up to 128 letters and digits), on SMS
    /// a short code of 3-8 digits or a sender's name of up to 11 letters, digits and blanks; an id
    /// of 1-256 bytes elsewhere ([SEMANTICS A3](crate::semantics#a3)).
    ///
    /// # Errors
    /// [`InvalidAddress`] for anything else.
    pub fn new(account: &Account, id: &str) -> Result<Self, InvalidAddress> {
        Self::on(account.as_ref(), id)
    }

    pub(crate) fn on(account: AccountRef<'_>, id: &str) -> Result<Self, InvalidAddress> {
        if account.channel.is_phone() {
            if *account.channel == Channel::Sms && is_short_code(id.trim()) {
                return Ok(Self::Named(Arc::new(NamedAddress {
                    account: account.to_account(),
                    id: id.trim().into(),
                })));
            }
            return match Phone::parse_inbound(id) {
                Ok(phone) => Ok(Self::Phone(phone)),
                Err(bad) => Self::without_number(account, id.trim()).ok_or(bad.into()),
            };
        }
        check_name(id).map_err(|rule| rule.of("address"))?;
        Ok(Self::Named(Arc::new(NamedAddress { account: account.to_account(), id: id.into() })))
    }

    /// The address of a sender that is not a telephone number, on a channel with such numbers.
    #[cold]
    fn without_number(account: AccountRef<'_>, id: &str) -> Option<Self> {
        let named = |account| Some(Self::Named(Arc::new(NamedAddress { account, id: id.into() })));
        match account.channel {
            Channel::WhatsApp if is_business_scoped(id) => {
                named(Account { channel: Channel::WhatsApp, account: "".into() })
            }
            Channel::Sms if is_sms_sender(id) => named(account.to_account()),
            _ => None,
        }
    }

    /// Tells a telephone number from an id, and the ids apart.
    #[must_use]
    pub fn kind(&self) -> AddressKind {
        match self {
            Self::Phone(_) => AddressKind::Phone,
            Self::Named(named) => match named.account.channel {
                Channel::WhatsApp => AddressKind::BusinessScoped,
                Channel::Sms => AddressKind::SmsSender,
                _ => AddressKind::AccountScoped,
            },
        }
    }

    /// Returns true if both are one address for finding a contact: the same, or the two forms of
    /// one telephone number ([SEMANTICS A2](crate::semantics#a2)).
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Phone(one), Self::Phone(other)) => one == other || one.twin() == Some(*other),
            _ => self == other,
        }
    }

    /// Returns the names under which a store finds the contact: the address, and the other form of
    /// a telephone number that has two.
    pub fn aliases(&self) -> impl Iterator<Item = Alias> + use<> {
        self.forms().map(Alias::Address)
    }

    /// The address, and the other form of a telephone number that has two.
    pub(crate) fn forms(&self) -> impl Iterator<Item = Self> + use<> {
        let twin = self.phone().and_then(Phone::twin).map(Self::Phone);
        [self.clone()].into_iter().chain(twin)
    }

    /// Returns the telephone number, where it is one.
    #[must_use]
    pub fn phone(&self) -> Option<Phone> {
        match self {
            Self::Phone(phone) => Some(*phone),
            Self::Named(_) => None,
        }
    }

    /// Returns true if messages on this channel and account can go to it.
    #[must_use]
    pub fn is_on(&self, account: &Account) -> bool {
        match self {
            Self::Phone(_) => account.channel.is_phone(),
            Self::Named(named) if named.account.account.is_empty() => {
                named.account.channel == account.channel
            }
            Self::Named(named) => named.account == *account,
        }
    }
}

/// True for `CC.ID` or `CC.ENT.ID`: a country by its ISO 3166 code, and 1-128 letters and digits.
fn is_business_scoped(id: &str) -> bool {
    let Some((country, rest)) = id.split_once('.') else { return false };
    let rest = rest.strip_prefix("ENT.").unwrap_or(rest);
    country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && (1..=128).contains(&rest.len())
        && rest.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// True for a short code of SMS: so few digits without a `+` are no telephone number.
fn is_short_code(id: &str) -> bool {
    (3..=8).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
}

/// True for a name as carriers take it: a letter is in it.
fn is_sms_sender(id: &str) -> bool {
    (1..=11).contains(&id.len())
        && id.bytes().any(|b| b.is_ascii_alphabetic())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b" &-._+'".contains(&b))
}

impl fmt::Display for Address {
    /// Writes the text that a transport puts into its `to` field.
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
                Phone::stored(&text).map(Self::Phone).map_err(serde::de::Error::custom)
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
