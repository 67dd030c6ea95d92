//! The ways that messages travel: the channels the crate knows by name, and a host's own. What must
//! not live here: what a channel can carry (`flow::content`).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The channels that the crate knows: one line each, and nowhere else their names.
macro_rules! channels {
    ($(#[$doc:meta])* $name:ident { $($known:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`")] $known,)+
            /// A host's own channel.
            Other(ChannelName),
        }

        impl $name {
            /// The names of the channels that the crate knows, in the order of the enum.
            pub const KNOWN: &'static [&'static str] = &[$($word),+];

            /// Reads a channel's name.
            ///
            /// # Errors
            /// [`InvalidChannel`] unless the name has 1-64 characters of `a-z 0-9 - _ .` and begins
            /// with a letter. Capitals are refused, so that `WhatsApp` does not become a channel of
            /// its own.
            pub fn parse(name: &str) -> Result<Self, InvalidChannel> {
                Ok(match name {
                    $($word => Self::$known,)+
                    own if is_channel_name(own) => Self::Other(ChannelName(own.into())),
                    _ => return Err(InvalidChannel),
                })
            }

            /// Returns the name, as a flow file writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$known => $word,)+
                    Self::Other(ChannelName(name)) => name,
                }
            }
        }
    };
}

channels! {
    /// A channel that messages travel on.
    ///
    /// ```
    /// use chatflow::Channel;
    /// assert_eq!(Channel::parse("whatsapp")?, Channel::WhatsApp);
    /// assert_eq!(Channel::parse("kiosk-7")?.as_str(), "kiosk-7");
    /// assert!(Channel::parse("WhatsApp").is_err(), "names are in lower case");
    /// # Ok::<(), chatflow::address::InvalidChannel>(())
    /// ```
    Channel {
        WhatsApp = "whatsapp",
        Instagram = "instagram",
        Viber = "viber",
        Messenger = "messenger",
        Sms = "sms",
        Web = "web",
        Telegram = "telegram",
        Line = "line",
        Rcs = "rcs",
        Email = "email",
    }
}

/// The name of a host's own channel: never that of a channel the crate knows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelName(Arc<str>);

/// A text that names no channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a channel: 1-64 lower-case letters, digits, `-`, `_` and `.`, a letter first")]
pub struct InvalidChannel;

impl Channel {
    /// The form of a host's own name, as a regular expression.
    #[cfg(feature = "schema")]
    pub(crate) const PATTERN: &'static str = "^[a-z][a-z0-9_.-]{0,63}$";

    /// Returns true if addresses are phone numbers: such channels share one address space
    /// ([SEMANTICS T2](crate::semantics#t2)).
    #[must_use]
    pub fn is_phone(&self) -> bool {
        matches!(self, Self::WhatsApp | Self::Sms | Self::Viber | Self::Rcs)
    }
}

fn is_channel_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({self})")
    }
}

impl std::str::FromStr for Channel {
    type Err = InvalidChannel;
    fn from_str(name: &str) -> Result<Self, InvalidChannel> {
        Self::parse(name)
    }
}

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Channel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&name).map_err(serde::de::Error::custom)
    }
}
