//! Booking what was done outside under the lease: messages that were handed over, calls that were
//! made (SEMANTICS D1, D2).

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::address::{Address, Alias};
use crate::calls::{Answer, CallResult};
use crate::error::{CallError, Error};
use crate::id::{CallId, ContactId, MessageId};
use crate::kernel::Input;
use crate::kernel::decide::contact::Source;
use crate::kernel::decide::decision::Decision;
use crate::kernel::decide::delivery::{DeliveryResult, Outgoing, SendException};
use crate::kernel::decide::environment::{CarriedOptOut, Environment};
use crate::kernel::decide::frame::{Applied, FoundConversation, Halt, Operation, Replay};
use crate::kernel::decide::unite::Unite;
use crate::kernel::hash::jitter;
use crate::kernel::time::{later, span};
use crate::observer::EventKind;
use crate::session::{DeadReason, Session, Status};

/// The first pause before a message or a call is tried again; doubled each time (SEMANTICS D1).
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// The contact that an address leads to which the channel reported, and that is not the one which
/// was written to (SEMANTICS A4).
pub(crate) enum Meeting {
    /// It is not known whether there is one.
    Open,
    /// The two are one, and become so with what is booked.
    One(Box<Unite>),
    /// They are two, and the address stays where it is.
    Two,
}

/// Work that was done outside, to be booked by who holds the lease.
pub(crate) struct WorkBooking<'a> {
    sent: Option<(&'a Outgoing, &'a DeliveryResult)>,
    called: &'a [(CallId, Result<Answer, CallError>)],
    meeting: &'a mut Meeting,
    /// The address that the channel reported, and the contact that it leads to. Nothing is booked
    /// before it is known whether the two are one.
    pub(crate) met: Option<(Alias, ContactId)>,
    /// True if nothing was booked, and it is to be tried again.
    pub(crate) is_undone: bool,
    /// The opt-out that an address brings which the channel reported, as far as it is known.
    pub(crate) opt_out: CarriedOptOut,
    /// Addresses that the channel reported and that are new to the contact, where it is not known
    /// what opt-out they bring.
    pub(crate) new_addresses: Vec<Address>,
    /// The revision that it was found at.
    revision: u64,
    /// The revision at which nothing of the conversation is worth being kept (SEMANTICS S19).
    pub(crate) over_at: Option<u64>,
}

impl<'a> WorkBooking<'a> {
    pub(crate) fn new(
        sent: Option<(&'a Outgoing, &'a DeliveryResult)>,
        called: &'a [(CallId, Result<Answer, CallError>)],
        opt_out: CarriedOptOut,
        meeting: &'a mut Meeting,
    ) -> Self {
        Self {
            sent,
            called,
            meeting,
            met: None,
            is_undone: false,
            opt_out,
            new_addresses: Vec::new(),
            revision: 0,
            over_at: None,
        }
    }

    /// Returns whether it is booked in the conversation of another contact, to which this one
    /// comes.
    fn is_elsewhere(&self) -> bool {
        matches!(&*self.meeting, Meeting::One(unite) if unite.is_elsewhere())
    }

    fn book_sent(&self, decision: &mut Decision<'_>, taken: Option<&Alias>) {
        if let Some((outgoing, result)) = self.sent {
            book_sent(decision, outgoing, result, taken);
            if taken.is_none() {
                decision.take_opt_out(self.opt_out.since);
            }
        }
    }

    /// Makes one contact of two. Returns false if they are not one after all.
    fn unite(&mut self, decision: &mut Decision<'_>) -> Result<bool, Halt> {
        let Meeting::One(unite) = &mut *self.meeting else { return Ok(true) };
        if !unite.join(decision) {
            *self.meeting = Meeting::Two;
            return Ok(false);
        }
        if unite.is_elsewhere() {
            decision.ready().map_err(Halt::Unready)?;
        }
        unite.close();
        if self.is_elsewhere() {
            self.book_sent(decision, None);
        }
        Ok(true)
    }
}

impl Operation for WorkBooking<'_> {
    fn replay(&mut self, found: &mut FoundConversation<'_>, _env: &Environment<'_>) -> Result<Replay, Error> {
        (self.revision, self.over_at) = (found.revision, None);
        let is_theirs = found.fault.is_none() && !found.is_leased && !self.is_elsewhere();
        Ok(if is_theirs { Replay::Answered } else { Replay::New })
    }

    fn may_undo(&self, _env: &Environment<'_>) -> bool {
        true
    }

    fn doubts_address(&mut self, decision: &Decision<'_>, taken: Option<&(Alias, ContactId)>) -> bool {
        let next = match &*self.meeting {
            Meeting::Open => taken.map(|_| Meeting::Open),
            // The store cannot make one of two.
            Meeting::One(unite) if taken.is_some_and(|(_, holder)| unite.is_with(holder)) => {
                Some(Meeting::Two)
            }
            Meeting::One(unite) => unite.is_made().then_some(Meeting::Open),
            Meeting::Two => None,
        };
        if let Some(next) = next {
            (self.met, self.is_undone) = (taken.cloned(), true);
            *self.meeting = next;
            return true;
        }
        let Some((_, result)) = self.sent.filter(|_| !self.opt_out.is_known && taken.is_none()) else {
            return false;
        };
        let contact = &decision.conversation.contact;
        let reported = result.odd.iter().filter_map(|(_, odd)| match odd {
            SendException::KnownAs(address) => Some(address),
            _ => None,
        });
        let new = reported.filter(|address| contact.same_address(address).is_none());
        self.new_addresses = new.cloned().collect();
        !self.new_addresses.is_empty()
    }

    fn book(&mut self, decision: &mut Decision<'_>, taken: Option<&(Alias, ContactId)>) {
        if !self.is_elsewhere() {
            self.book_sent(decision, taken.map(|(alias, _)| alias));
        }
    }

    fn apply(&mut self, decision: &mut Decision<'_>) -> Result<Applied, Halt> {
        self.is_undone = !self.unite(decision)?;
        if self.is_undone {
            return Ok(Applied::Undo);
        }
        for (call, answer) in self.called {
            book_called(decision, *call, answer);
        }
        decision.apply_due();
        decision.forget();
        if self.sent.is_none() && decision.is_over() {
            self.over_at = Some(self.revision);
            return Ok(Applied::Undo);
        }
        Ok(Applied::Write)
    }
}

/// An address that the channel reports and that leads to another contact stays with that one, until
/// the two are found to be one (SEMANTICS T2, A5).
fn book_sent(
    decision: &mut Decision<'_>,
    outgoing: &Outgoing,
    result: &DeliveryResult,
    taken: Option<&Alias>,
) {
    let at = result.at;
    for (_, message) in outgoing.messages.iter() {
        let odd = result.odd.iter().find(|(seq, _)| *seq == message.id.seq).map(|(_, odd)| odd);
        match odd {
            None => decision.settle_message(message.id, at),
            Some(SendException::KnownAs(address)) => {
                decision.settle_message(message.id, at);
                if !taken.is_some_and(|taken| address.aliases().any(|alias| alias == *taken)) {
                    decision.link(address, Source::Channel);
                }
            }
            Some(SendException::Dead(reason)) => decision.give_up(message.id, reason.clone(), at),
            Some(SendException::Later { after, reason }) => {
                decision.put_off(message.id, *after, reason, at);
            }
            Some(SendException::Untried) => {}
        }
    }
}

impl Decision<'_> {
    /// Tries a message again later, or gives it up when its time is over (SEMANTICS D1).
    fn put_off(&mut self, id: MessageId, after: Option<Duration>, reason: &str, at: DateTime<Utc>) {
        // By the conversation's time: under a clock that went back the pause would be over before
        // it began.
        let from = at.max(self.now);
        let policy = self.env.policy;
        let Some(unsent) = self.edit().outbox.iter_mut().find(|unsent| unsent.message.id == id) else {
            return;
        };
        unsent.attempts = unsent.attempts.saturating_add(1);
        let pause = after.map_or_else(|| jitter(backoff(unsent.attempts), id, unsent.attempts), span);
        let (until, attempt) = (later(from, pause), unsent.attempts);
        let message = Arc::clone(&unsent.message);
        if attempt == 1 && policy.is_paced {
            unsent.tried_at = Some(from);
        }
        let since = unsent.tried_at.unwrap_or(unsent.message.created_at);
        let last = later(since, span(policy.give_up_after));
        unsent.not_before = until;
        if until > last {
            self.give_up(id, DeadReason::GaveUp(reason.to_owned()), at);
        } else {
            self.note_message(&message, Some(attempt), EventKind::SendDelayed { message: id, until });
        }
    }
}

/// Books what the host said to a call. An answer to a call that the session does not wait for any
/// more is void (SEMANTICS D2).
fn book_called(decision: &mut Decision<'_>, id: CallId, answer: &Result<Answer, CallError>) {
    let now = decision.now;
    let result = match answer {
        Ok(Answer::Now(result)) => Some(result.clone()),
        Err(CallError::Failed { reason }) => Some(CallResult::failed(reason)),
        Ok(Answer::Later) | Err(CallError::Retry { .. }) => None,
    };
    if let Some(result) = result {
        decision.answer_call(id, result, now);
        return;
    }
    // A call of a session that was handed over meanwhile is made again afterwards, under the same
    // id.
    let waits = |session: &Session| {
        session.status() == Status::Calling && session.call().is_some_and(|call| call.id == id)
    };
    let Some(place) = decision.conversation.sessions.iter().position(waits) else { return };
    let input = match answer {
        Err(CallError::Retry { .. }) => {
            let call = decision.conversation.sessions.get(place).and_then(|session| session.call());
            let attempts = call.map_or(0, |call| call.attempts);
            Input::CallLater { call: id, until: later(now, backoff(attempts + 1)) }
        }
        _ => Input::Handed(id),
    };
    decision.advance(place, input, now);
}

/// 1 s, doubled each time, at most 5 min.
fn backoff(attempts: u32) -> TimeDelta {
    let doublings = attempts.saturating_sub(1).min(16);
    span(FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE))
}
