//! The names of things. Newtypes only: a flow's code cannot be given where a contact's id is asked
//! for. Checked once, where a name comes in; cheap to clone afterwards.
//!
//! All have one surface: `new`, `parse`, `as_str`, `Display`, `FromStr`, serde as text; a version,
//! which is a number, is one in serde too, and has no `as_str`.
//!
//! ```
//! use chatflow::id::{CallId, ContactId, NodeId};
//!
//! fn read(contact: &str, call: &str) -> Result<(ContactId, CallId), chatflow::Error> {
//!     Ok((ContactId::parse(contact)?, call.parse()?))
//! }
//!
//! assert_eq!(NodeId::new("menu")?.as_str(), "menu");
//! assert_eq!(read("", "").unwrap_err().to_string(), "`contact_id` must not be empty");
//! # Ok::<(), chatflow::Error>(())
//! ```

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
#[doc(no_inline)]
pub use uuid::Uuid;

/// Bytes that a name may have at most (SEMANTICS S7).
pub(crate) const MAX_BYTES: usize = 256;

/// A text that was refused as a name or an id. Prints as the rule alone; `?` makes
/// [`Error::InvalidInput`](crate::Error::InvalidInput) of it, which names the field too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct InvalidName {
    field: &'static str,
    rule: NameRule,
}

impl InvalidName {
    /// Returns the name of the field that such a text is given in, such as `contact_id`.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// Returns the rule that it breaks.
    #[must_use]
    pub fn rule(&self) -> NameRule {
        self.rule
    }
}

/// The rules for names and ids ([SEMANTICS S7](crate::semantics#s7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameRule {
    /// It has at least one character.
    NotEmpty,
    /// It has at most 256 bytes.
    NotTooLong,
    /// It has no control character, such as a line feed or NUL.
    NoControlCharacter,
    /// The id of a session is a UUID.
    Uuid,
    /// The id of a message or a call is one that this crate has made.
    Minted,
    /// The number of a version is an integer from 0 to 4,294,967,295.
    Number,
}

impl NameRule {
    pub(crate) fn of(self, field: &'static str) -> InvalidName {
        InvalidName { field, rule: self }
    }
}

impl fmt::Display for NameRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotEmpty => "must not be empty",
            Self::NotTooLong => "must have at most 256 bytes",
            Self::NoControlCharacter => "must not contain control characters",
            Self::Uuid => "must be a UUID",
            Self::Minted => "must be an id made by this crate",
            Self::Number => "must be the number of a version",
        })
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), NameRule> {
    if name.is_empty() {
        return Err(NameRule::NotEmpty);
    }
    if name.len() > MAX_BYTES {
        return Err(NameRule::NotTooLong);
    }
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte);
    if !name.bytes().all(is_plain) && name.chars().any(char::is_control) {
        return Err(NameRule::NoControlCharacter);
    }
    Ok(())
}

/// The textual form of every id: as it was given or made, and checked again wherever it comes in.
macro_rules! as_text {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes a name.
            ///
            /// # Errors
            /// [`InvalidName`] for an empty name, one above 256 bytes, or one with a control
            /// character.
            pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidName> {
                let name = name.as_ref();
                check_name(name).map_err(|rule| rule.of($field))?;
                Ok(Self(name.into()))
            }

            /// Reads a name: the same as `new`.
            ///
            /// # Errors
            /// As for `new`.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }

            /// Returns the name as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        as_text!($name);
    };
}

name! {
    /// A tenant: nothing of one workspace is seen in another.
    WorkspaceId, "workspace"
}
name! {
    /// A flow's code, as its author and its callers write it.
    FlowId, "flow"
}
name! {
    /// A node's id, unique in its flow.
    NodeId, "node"
}

impl Default for WorkspaceId {
    fn default() -> Self {
        Self("default".into())
    }
}

/// The number of a published version of a flow, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FlowVersion(pub u32);

impl FlowVersion {
    /// Takes a number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Reads a number in decimal digits.
    ///
    /// # Errors
    /// [`InvalidName`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        text.parse().map(Self).map_err(|_| NameRule::Number.of("version"))
    }
}

impl std::str::FromStr for FlowVersion {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::parse(text)
    }
}

impl fmt::Display for FlowVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A name that is mostly a UUID, then kept as 16 bytes. It prints as it was given, since only the
/// lower-case hyphenated form is taken for one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Compact {
    Uuid(Uuid),
    Text(Arc<str>),
}

impl Compact {
    fn new(name: &str) -> Result<Self, NameRule> {
        if let Some(uuid) = canonical(name.as_bytes()) {
            return Ok(Self::Uuid(uuid));
        }
        check_name(name)?;
        Ok(Self::Text(name.into()))
    }
}

/// Reads a UUID in its lower-case hyphenated form. Every trigger reads one: `Uuid::try_parse` takes
/// any form, and to print what it read, to be compared, costs as much again.
fn canonical(text: &[u8]) -> Option<Uuid> {
    let text: &[u8; uuid::fmt::Hyphenated::LENGTH] = text.try_into().ok()?;
    let (mut bytes, mut seen) = ([0_u8; 16], 0_u8);
    for (byte, place) in bytes.iter_mut().zip(PAIRS) {
        let (high, low) = (DIGITS[usize::from(text[place])], DIGITS[usize::from(text[place + 1])]);
        seen |= high | low;
        *byte = (high << 4) | (low & 0xF);
    }
    let has_hyphens = [8, 13, 18, 23].map(|place| text[place]) == *b"----";
    (has_hyphens && seen < 16).then(|| Uuid::from_bytes(bytes))
}

/// Where the two digits of each byte lie in a hyphenated UUID.
const PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// The value of each lower-case hexadecimal digit; 255 for every other byte.
const DIGITS: [u8; 256] = {
    let (mut digits, mut value) = ([u8::MAX; 256], 0);
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

impl Compact {
    fn as_str(&self) -> Cow<'_, str> {
        match self {
            Self::Uuid(uuid) => Cow::Owned(uuid.as_hyphenated().to_string()),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }
}

impl fmt::Display for Compact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(uuid) => uuid.as_hyphenated().fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

macro_rules! compact_name {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Compact);

        impl $name {
            /// Checks and takes a name. A UUID in lower case takes 16 bytes, any other name an
            /// allocation.
            ///
            /// # Errors
            /// [`InvalidName`] for an empty name, one above 256 bytes, or one with a control
            /// character.
            pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidName> {
                Compact::new(name.as_ref()).map(Self).map_err(|rule| rule.of($field))
            }

            /// Reads a name: the same as `new`.
            ///
            /// # Errors
            /// As for `new`.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }

            /// Returns the name as it was given. One that is kept as a UUID is written out.
            #[must_use]
            pub fn as_str(&self) -> Cow<'_, str> {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(Compact::Uuid(uuid))
            }
        }

        as_text!($name);
    };
}

compact_name! {
    /// A contact, as the host names it or as the engine minted it.
    ContactId, "contact_id"
}
compact_name! {
    /// A caller's idempotency key, scoped to workspace and flow
    /// ([SEMANTICS T5](crate::semantics#t5)).
    TriggerKey, "uuid"
}

/// One run of a flow with a contact. Minted once, never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub Uuid);

impl SessionId {
    /// Takes a UUID that the engine minted.
    #[must_use]
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Reads an id in any form of a UUID.
    ///
    /// # Errors
    /// [`InvalidName`] for a text that is no UUID.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        Uuid::try_parse(text).map(Self).map_err(|_| NameRule::Uuid.of("session_id"))
    }

    /// Returns the id as it prints, written out.
    #[must_use]
    pub fn as_str(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_string())
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

as_text!(SessionId);

macro_rules! minted_id {
    (
        $(#[$doc:meta])*
        $name:ident, $written:literal { $(#[$field_doc:meta])* $field:ident: $number:ty, $separator:literal }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// The session it belongs to.
            pub session: SessionId,
            $(#[$field_doc])*
            pub $field: $number,
        }

        impl $name {
            /// Makes the id of a session's number.
            #[must_use]
            pub const fn new(session: SessionId, $field: $number) -> Self {
                Self { session, $field }
            }

            /// Reads an id as it prints.
            ///
            /// # Errors
            /// [`InvalidName`] for any other text.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                let bad = NameRule::Minted.of($written);
                let (session, number) = text.rsplit_once($separator).ok_or(bad)?;
                let session = SessionId::parse(session).map_err(|_| bad)?;
                Ok(Self { session, $field: number.parse().map_err(|_| bad)? })
            }

            /// Returns the id as it prints, written out.
            #[must_use]
            pub fn as_str(&self) -> Cow<'_, str> {
                Cow::Owned(self.to_string())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{}", $separator, "{}"), self.session, self.$field)
            }
        }

        as_text!($name);
    };
}

minted_id! {
    /// A message to the contact: the same for every attempt to send it, so that a receiver
    /// recognises a repeat ([SEMANTICS D1](crate::semantics#d1)). Prints as `SESSION-SEQUENCE`.
    MessageId, "message_id" {
        /// Its place in the conversation's outbox, from 1.
        seq: u64, "-"
    }
}
minted_id! {
    /// A host call: the key under which the host makes it once, however often it is asked to
    /// ([SEMANTICS D2](crate::semantics#d2)). Prints as `SESSION.WAIT`.
    CallId, "call_id" {
        /// The session's wait number at the call.
        wait: u32, "."
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Account, Address, Channel, Phone};
    use crate::error::Error;
    use crate::flow::Span;

    const SESSION: &str = "0191d7a5-6b1e-7c3a-9f00-000000000001";

    /// A name is kept as a UUID exactly if it prints as it was given.
    #[test]
    fn only_the_form_that_prints_the_same_is_kept_as_a_uuid() {
        let uuid = Uuid::parse_str(SESSION).unwrap();
        assert_eq!(canonical(SESSION.as_bytes()), Some(uuid));
        let others = "0123456789abcdefABCDEFgG-_ {}:é\0".chars();
        for (place, character) in (0..SESSION.len()).flat_map(|place| others.clone().map(move |c| (place, c)))
        {
            let text = [&SESSION[..place], &character.to_string(), &SESSION[place + 1..]].concat();
            let printed = Uuid::try_parse(&text).ok().filter(|uuid| uuid.to_string() == text);
            assert_eq!(canonical(text.as_bytes()), printed, "{text:?}");
        }
        for form in [uuid.simple().to_string(), uuid.braced().to_string(), uuid.urn().to_string()] {
            assert_eq!(canonical(form.as_bytes()), None, "{form}");
        }
        assert_eq!(canonical(SESSION.to_uppercase().as_bytes()), None);
    }

    /// An error that `?` makes of a refused text names the field.
    #[test]
    fn each_text_that_is_refused_is_an_error_of_its_field() {
        fn field<T, E: Into<Error>>(read: Result<T, E>) -> String {
            match read.map_err(Into::into) {
                Err(Error::InvalidInput { field, .. }) => field.into_owned(),
                Err(error) => panic!("another error: {error}"),
                Ok(_) => panic!("it was taken"),
            }
        }
        let long = "x".repeat(257);
        assert_eq!(field(WorkspaceId::new("")), "workspace");
        assert_eq!(field("a\nb".parse::<FlowId>()), "flow");
        assert_eq!(field(NodeId::parse(&long)), "node");
        assert_eq!(field(ContactId::new("")), "contact_id");
        assert_eq!(field(TriggerKey::new(&long)), "uuid");
        assert_eq!(field(FlowVersion::parse("-1")), "version");
        assert_eq!(field(SessionId::parse("1")), "session_id");
        assert_eq!(field(MessageId::parse(SESSION)), "message_id");
        assert_eq!(field(CallId::parse("1.2")), "call_id");
        assert_eq!(field(Phone::parse("twelve")), "phone");
        assert_eq!(field(Channel::parse("WhatsApp")), "channel");
        assert_eq!(field(Span::parse("1 hour")), "span");
        let page = |account| Account::new(Channel::Messenger, account);
        assert_eq!(field(page("")), "account");
        let page = page("page").unwrap_or_else(|bad| panic!("{bad}"));
        assert_eq!(field(Address::new(&page, "")), "address");
        let number = Account { channel: Channel::Sms, account: "+15550100".into() };
        assert_eq!(field(Address::new(&number, "?")), "address");
    }

    #[test]
    fn each_id_is_read_as_it_prints() {
        fn same<T>(text: &str)
        where
            T: fmt::Display + std::str::FromStr<Err = InvalidName> + Serialize + for<'de> Deserialize<'de>,
        {
            let id: T = text.parse().unwrap_or_else(|bad| panic!("{text}: {bad}"));
            assert_eq!(id.to_string(), text);
            let json = serde_json::to_string(&id).unwrap_or_else(|bad| panic!("{text}: {bad}"));
            let again: T = serde_json::from_str(&json).unwrap_or_else(|bad| panic!("{json}: {bad}"));
            assert_eq!(again.to_string(), text);
        }
        same::<WorkspaceId>("shop");
        same::<FlowId>("abandoned_cart");
        same::<NodeId>("menü");
        same::<ContactId>(SESSION);
        same::<ContactId>("01J3F");
        same::<TriggerKey>("order 17");
        same::<FlowVersion>("7");
        same::<SessionId>(SESSION);
        same::<MessageId>(&format!("{SESSION}-3"));
        same::<CallId>(&format!("{SESSION}.2"));
        assert_eq!(ContactId::parse(SESSION).map(|id| id.as_str().into_owned()), Ok(SESSION.to_owned()));
    }
}
