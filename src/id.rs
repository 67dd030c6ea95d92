//! The names of things. Newtypes only: a flow's code cannot be given where a contact's id is asked
//! for. Checked once, where a name comes in; cheap to clone afterwards.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Bytes that a name may have at most (SEMANTICS S7).
pub(crate) const MAX_BYTES: usize = 256;

/// The reason for which a name was refused (SEMANTICS S7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadName {
    /// It has no character.
    #[error("must not be empty")]
    Empty,
    /// It has more than 256 bytes.
    #[error("must have at most 256 bytes")]
    TooLong,
    /// It has a control character, such as a line feed or NUL.
    #[error("must not contain control characters")]
    ControlCharacter,
}

pub(crate) fn check_name(name: &str) -> Result<(), BadName> {
    if name.is_empty() {
        return Err(BadName::Empty);
    }
    if name.len() > MAX_BYTES {
        return Err(BadName::TooLong);
    }
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte);
    if !name.bytes().all(is_plain) && name.chars().any(char::is_control) {
        return Err(BadName::ControlCharacter);
    }
    Ok(())
}

/// The textual form of every name: as it was given, and checked again wherever it comes in.
macro_rules! as_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadName;
            fn from_str(name: &str) -> Result<Self, BadName> {
                Self::new(name)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::new(name).map_err(serde::de::Error::custom)
            }
        }
    };
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes a name.
            ///
            /// # Errors
            /// [`BadName`] for an empty name, one above 256 bytes, or one with a control character.
            pub fn new(name: impl AsRef<str>) -> Result<Self, BadName> {
                let name = name.as_ref();
                check_name(name)?;
                Ok(Self(name.into()))
            }

            /// The name as it was given.
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

        as_text!($name);
    };
}

name! {
    /// A tenant: nothing of one workspace is seen in another.
    WorkspaceId
}
name! {
    /// A flow's code, as its author and its callers write it.
    FlowId
}
name! {
    /// A node's id, unique in its flow.
    NodeId
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
    fn new(name: &str) -> Result<Self, BadName> {
        check_name(name)?;
        if let Ok(uuid) = Uuid::try_parse(name) {
            let mut canonical = [0; uuid::fmt::Hyphenated::LENGTH];
            if uuid.as_hyphenated().encode_lower(&mut canonical) == name {
                return Ok(Self::Uuid(uuid));
            }
        }
        Ok(Self::Text(name.into()))
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
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Compact);

        impl $name {
            /// Checks and takes a name. A UUID in lower case takes 16 bytes, any other name an
            /// allocation.
            ///
            /// # Errors
            /// [`BadName`] for an empty name, one above 256 bytes, or one with a control character.
            pub fn new(name: impl AsRef<str>) -> Result<Self, BadName> {
                Compact::new(name.as_ref()).map(Self)
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
    ContactId
}
compact_name! {
    /// A caller's idempotency key, scoped to workspace and flow (SEMANTICS T5).
    TriggerKey
}

/// One run of a flow with a contact. Minted once, never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

impl std::str::FromStr for SessionId {
    type Err = uuid::Error;
    fn from_str(id: &str) -> Result<Self, uuid::Error> {
        Uuid::try_parse(id).map(Self)
    }
}

macro_rules! derived_id {
    ($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident: $number:ty, $separator:literal }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// The session it belongs to.
            pub session: SessionId,
            $(#[$field_doc])*
            pub $field: $number,
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{}", $separator, "{}"), self.session, self.$field)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadDerivedId;
            fn from_str(id: &str) -> Result<Self, BadDerivedId> {
                let (session, number) = id.rsplit_once($separator).ok_or(BadDerivedId)?;
                let session = session.parse().map_err(|_| BadDerivedId)?;
                Ok(Self { session, $field: number.parse().map_err(|_| BadDerivedId)? })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let id = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                id.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// A text that is not the id of a message or a call of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not an id that this crate has made")]
pub struct BadDerivedId;

derived_id! {
    /// A message to the contact: the same for every attempt to send it, so that a receiver
    /// recognises a repeat (SEMANTICS D1). Prints as `SESSION-SEQUENCE`.
    MessageId {
        /// Its place in the conversation's outbox, from 1.
        seq: u64, "-"
    }
}
derived_id! {
    /// A host call: the key under which the host makes it once, however often it is asked to
    /// (SEMANTICS D2). Prints as `SESSION.WAIT`.
    CallId {
        /// The session's wait number at the call.
        wait: u32, "."
    }
}
