//! The people of a simulation, and their addresses.

use std::fmt;

use crate::address::{Account, Address};
use crate::channel::Channel;
use crate::error::Error;

/// The account that all write to.
pub(super) const SHOP: &str = "+15550100";

/// One of the people, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Person(pub(super) usize);

impl Person {
    /// Their number, their id on the channel, and the number that they change to.
    pub(super) fn addresses(self) -> [String; 3] {
        let Self(place) = self;
        [format!("+1415555{place:04}"), format!("US.1349{place:04}"), format!("+1628555{place:04}")]
    }

    /// The person whose address it is.
    pub(super) fn at(address: &Address) -> Option<Self> {
        Self::in_text(&address.to_string())
    }

    /// The person who is named at the end of a text.
    pub(super) fn in_text(text: &str) -> Option<Self> {
        let digits = text.get(text.len().checked_sub(4)?..)?;
        digits.parse().ok().map(Self)
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [number, ..] = self.addresses();
        f.write_str(&number)
    }
}

pub(super) fn address_of(text: &str) -> Result<Address, Error> {
    Ok(Address::new(&Account::new(Channel::WhatsApp, SHOP)?, text)?)
}
