//! The speed at which messages may leave: rates with bursts, as channels publish them. Numbers
//! only; the engine counts the tokens.

use std::time::Duration;

use crate::error::Error;

/// The most messages a period, and the greatest burst.
const MOST: u32 = 1_000_000;
/// The longest period.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A rate with a burst: a bucket that holds `burst` tokens, gets tokens at the rate, evenly spaced,
/// and begins full. Each message takes one.
///
/// ```
/// use chatflow::pace::Rate;
/// use std::time::Duration;
///
/// let number = Rate::per_second(80).burst(160);
/// let pair = Rate::every(Duration::from_secs(6)).burst(45);
/// # let _ = (number, pair);
/// ```
///
/// It is checked where it is used ([`Builder::pace`](crate::Builder::pace)): 1 to 1,000,000
/// messages in a period of 1 millisecond to 24 hours, at least 1 microsecond apart, a burst of 1 to
/// 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    messages: u32,
    period: Duration,
    burst: u32,
}

impl Rate {
    /// So many messages in each period; the burst is as many, unless another one is
    /// [given](Self::burst).
    #[must_use]
    pub const fn new(messages: u32, period: Duration) -> Self {
        Self { messages, period, burst: messages }
    }

    /// This many messages a second, with a burst of the same size.
    #[must_use]
    pub const fn per_second(messages: u32) -> Self {
        Self::new(messages, Duration::from_secs(1))
    }

    /// This many messages a minute, with a burst of as many.
    #[must_use]
    pub const fn per_minute(messages: u32) -> Self {
        Self::new(messages, Duration::from_secs(60))
    }

    /// One message in each period, without a burst.
    #[must_use]
    pub const fn every(period: Duration) -> Self {
        Self::new(1, period)
    }

    /// The same rate with this burst: how many messages may leave at once after a pause.
    #[must_use]
    pub const fn burst(self, messages: u32) -> Self {
        Self { burst: messages, ..self }
    }

    /// The time from one token to the next, in nanoseconds. Rounded up, so that no rate is
    /// exceeded.
    pub(crate) fn interval(&self) -> i128 {
        let period = i128::try_from(self.period.as_nanos()).unwrap_or(i128::MAX);
        let messages = i128::from(self.messages.max(1));
        (period + messages - 1) / messages
    }

    /// The most tokens.
    pub(crate) fn capacity(&self) -> i64 {
        i64::from(self.burst)
    }

    fn check(&self, field: &'static str) -> Result<(), Error> {
        let rule = if !(1..=MOST).contains(&self.messages) {
            "must be 1 to 1,000,000 messages a period"
        } else if self.period < Duration::from_millis(1) || self.period > LONGEST {
            "must have a period of 1 millisecond to 24 hours"
        } else if self.period.as_nanos() < u128::from(self.messages) * 1_000 {
            "must leave at least 1 microsecond from one message to the next"
        } else if !(1..=MOST).contains(&self.burst) {
            "must have a burst of 1 to 1,000,000 messages"
        } else {
            return Ok(());
        };
        Err(Error::invalid(field, rule))
    }
}

/// The speed at which messages leave, per account of the host and per contact; `None` is without a
/// limit ([SEMANTICS D7](crate::semantics#d7)). Which messages it holds for is said where it is
/// given: [`Builder::pace`](crate::Builder::pace).
///
/// ```
/// use chatflow::pace::{Pace, Rate};
/// use std::time::Duration;
///
/// let whatsapp = Pace {
///     per_account: Some(Rate::per_second(80).burst(160)),
///     per_contact: Some(Rate::every(Duration::from_secs(6)).burst(45)),
/// };
/// let sms = Pace { per_account: Some(Rate::per_second(10)), ..Pace::default() };
/// # let _ = (whatsapp, sms);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// All messages that leave from one account in one workspace, together.
    pub per_account: Option<Rate>,
    /// The messages from one account to one address.
    pub per_contact: Option<Rate>,
}

impl Pace {
    /// Returns itself if its rates are within bounds.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        for (field, rate) in [("pace.per_account", self.per_account), ("pace.per_contact", self.per_contact)]
        {
            rate.map_or(Ok(()), |rate| rate.check(field))?;
        }
        Ok(self)
    }
}
