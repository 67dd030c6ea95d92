//! The record of one contact: the session that waits, what is still to be sent, the ids of
//! messages that came.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::script::ACCOUNT;

pub(super) const DAY: i64 = 86_400_000;
pub(super) const NEVER: i64 = i64::MAX;
/// Ids of messages are remembered so many at a time, for a week.
const MOST_KNOWN: usize = 64;
const KNOWN_FOR: i64 = 7 * DAY;

/// The outcome of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    Consumed { session: u128 },
    OptedOut,
    OptedIn,
    TooOld,
    Unmatched,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    Waiting,
    Completed,
    Expired,
    Cancelled,
}

/// A session; times in milliseconds of the epoch.
pub(super) struct Session {
    pub(super) id: u128,
    pub(super) version: u32,
    pub(super) state: State,
    /// The number of its wait, and of the one that was answered last.
    pub(super) wait: u32,
    pub(super) answered: u32,
    pub(super) turns: u32,
    /// The outbox's last number when it began to wait: its deadline passes after that is delivered.
    pub(super) sent_before: u64,
    pub(super) started_at: i64,
    pub(super) last_interaction_at: i64,
    pub(super) waits_since: i64,
    pub(super) deadline: i64,
    pub(super) expires_at: i64,
    pub(super) ends_by: i64,
    pub(super) ended_at: i64,
    pub(super) context: Inputs,
    pub(super) key: Box<str>,
    pub(super) reply: Box<str>,
}

/// The declared inputs in one allocation.
pub(super) struct Inputs {
    texts: Box<str>,
    ends: [u32; 2],
}

impl Inputs {
    pub(super) fn new(first_name: &str, cart_id: &str, cart_total: &str) -> Self {
        let mut texts = String::with_capacity(first_name.len() + cart_id.len() + cart_total.len());
        let mut end = |text: &str| {
            texts.push_str(text);
            u32::try_from(texts.len()).unwrap_or(u32::MAX)
        };
        let ends = [end(first_name), end(cart_id)];
        end(cart_total);
        Self { texts: texts.into(), ends }
    }

    fn piece(&self, from: u32, to: usize) -> &str {
        self.texts.get(from as usize..to).unwrap_or_default()
    }

    pub(super) fn first_name(&self) -> &str {
        self.piece(0, self.ends[0] as usize)
    }

    pub(super) fn cart_id(&self) -> &str {
        self.piece(self.ends[0], self.ends[1] as usize)
    }

    pub(super) fn cart_total(&self) -> &str {
        self.piece(self.ends[1], self.texts.len())
    }
}

impl Session {
    /// When time alone does something to it.
    fn due(&self) -> i64 {
        self.deadline.min(self.expires_at).min(self.ends_by)
    }
}

/// A message as a transport gets it: session and number are its id, the same at each attempt.
pub(crate) struct Message {
    pub(super) session: u128,
    pub(super) number: u64,
    pub(super) contact: u128,
    pub(super) to: u64,
    pub(super) account: &'static str,
    pub(super) node: &'static str,
    pub(super) component: &'static str,
    pub(super) branch: Option<&'static str>,
    pub(super) turn: u32,
    pub(super) created_at: i64,
    pub(super) text: Cow<'static, str>,
}

/// Where a message comes from in the flow.
pub(super) struct Place {
    pub(super) node: &'static str,
    pub(super) component: &'static str,
    pub(super) branch: Option<&'static str>,
}

/// Messages that are committed and not known to be delivered, in their order; one is the rule.
#[derive(Default)]
struct Outbox {
    first: Option<Arc<Message>>,
    more: VecDeque<Arc<Message>>,
}

impl Outbox {
    fn push(&mut self, message: Arc<Message>) {
        if self.first.is_none() {
            self.first = Some(message);
        } else {
            self.more.push_back(message);
        }
    }

    /// Drops what lies at or below the watermark.
    fn settle(&mut self, watermark: u64) {
        while self.first.as_ref().is_some_and(|message| message.number <= watermark) {
            self.first = self.more.pop_front();
        }
    }
}

/// The id of a message that came, and what it came to.
struct Known {
    id: u128,
    at: i64,
    verdict: Verdict,
}

/// One contact.
pub(super) struct Slot {
    pub(super) contact: u128,
    pub(super) phone: u64,
    pub(super) opted_out_at: i64,
    /// The latest time that was seen: a clock that goes back does not.
    pub(super) last_at: i64,
    pub(super) session: Option<Box<Session>>,
    outbox: Outbox,
    last_number: u64,
    watermark: u64,
    known: VecDeque<Known>,
    /// The holder of the lease, and until when nobody else delivers.
    lease: u64,
    leased_until: i64,
    /// The second of the calendar that it is filed under.
    pub(super) filed: i64,
}

impl Slot {
    pub(super) fn new(contact: u128, phone: u64, now: i64) -> Self {
        Self {
            contact,
            phone,
            opted_out_at: 0,
            last_at: now,
            session: None,
            outbox: Outbox::default(),
            last_number: 0,
            watermark: 0,
            known: VecDeque::new(),
            lease: 0,
            leased_until: 0,
            filed: NEVER,
        }
    }

    pub(super) fn verdict_of(&self, id: u128, now: i64) -> Option<Verdict> {
        let same = |known: &&Known| known.id == id && now - known.at <= KNOWN_FOR;
        self.known.iter().rev().find(same).map(|known| known.verdict)
    }

    pub(super) fn remember(&mut self, id: u128, at: i64, verdict: Verdict) {
        if self.known.len() == MOST_KNOWN {
            self.known.pop_front();
        }
        self.known.push_back(Known { id, at, verdict });
    }

    pub(super) fn next_number(&self) -> u64 {
        self.last_number + 1
    }

    pub(super) fn say(&mut self, session: &Session, from: Place, text: Cow<'static, str>) -> Arc<Message> {
        self.last_number += 1;
        let Place { node, component, branch } = from;
        let message = Arc::new(Message {
            session: session.id,
            number: self.last_number,
            contact: self.contact,
            to: self.phone,
            account: ACCOUNT,
            node,
            component,
            branch,
            turn: session.turns,
            created_at: session.last_interaction_at,
            text,
        });
        self.outbox.push(Arc::clone(&message));
        message
    }

    pub(super) fn drop_unsent(&mut self) {
        self.outbox = Outbox::default();
        self.watermark = self.last_number;
    }

    /// Takes the lease for a delivery.
    pub(super) fn lease(&mut self, token: u64, until: i64) {
        (self.lease, self.leased_until) = (token, until);
    }

    /// The messages still to be sent, if nobody is at it.
    pub(super) fn claim(&mut self, token: u64, now: i64, until: i64) -> Option<Arc<Message>> {
        if self.leased_until > now {
            return None;
        }
        let message = Arc::clone(self.outbox.first.as_ref()?);
        self.lease(token, until);
        Some(message)
    }

    /// Books a delivery: the watermark goes up, and the lease is given back. False if the lease is
    /// another's by now.
    pub(super) fn settle(&mut self, token: u64, number: u64) -> bool {
        if self.lease != token {
            return false;
        }
        self.watermark = self.watermark.max(number);
        self.outbox.settle(self.watermark);
        (self.lease, self.leased_until) = (0, 0);
        true
    }

    pub(super) fn is_settled(&self) -> bool {
        self.outbox.first.is_none() && self.leased_until == 0
    }

    /// True if everything that a session sent before it waits is delivered.
    pub(super) fn has_heard(&self, session: &Session) -> bool {
        self.watermark >= session.sent_before
    }

    /// When something is to be done here: the end of the lease while one is out.
    pub(super) fn due(&self) -> i64 {
        if self.leased_until > 0 || self.outbox.first.is_some() {
            return self.leased_until;
        }
        self.session.as_ref().map_or(NEVER, |session| session.due())
    }
}
