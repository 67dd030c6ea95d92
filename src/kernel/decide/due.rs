//! A decision's work beside what it was asked for: it applies what is due, forgets what is old,
//! makes the record ready (SEMANTICS S2, S12, I2).

use chrono::{DateTime, TimeDelta, Utc};

use crate::flow::Reentry;
use crate::kernel::Input;
use crate::kernel::decide::decision::Decision;
use crate::kernel::decide::route::CAMPAIGN_REACH;
use crate::kernel::time::{later, span};
use crate::session::{DeadLetter, EndReason, Session, SessionTimer, Verdict};

/// Time for which dead letters are kept (SEMANTICS S12).
const DEAD_LETTER_RETENTION: TimeDelta = TimeDelta::days(30);
/// The shortest time after which it is looked again whether a mark of re-entry matters yet.
const LOOKED_AT_AGAIN: TimeDelta = TimeDelta::days(1);
/// Calls of which a conversation remembers that they took effect: a call asks for it at once, or
/// never.
const REMEMBERED_CALLS: usize = 16;

impl Decision<'_> {
    /// Applies what is due, the earliest first, each at its own time and not at `now` (SEMANTICS
    /// S2).
    pub(crate) fn apply_due(&mut self) {
        while self.has_terminated
            && let Some(place) = self.terminated()
        {
            self.end(place, EndReason::FlowTerminated, self.now);
        }
        if self.is_stranded {
            return;
        }
        self.break_silence(self.now);
        while let Some((at, timer, place)) = self.next_timer().filter(|(at, ..)| *at <= self.now) {
            if self.end_pause(at) {
                continue;
            }
            let Some(session) = self.conversation.sessions.get(place) else { return };
            let input = match timer {
                SessionTimer::Deadline => Input::Deadline(session.wait),
                SessionTimer::Reminder => Input::Reminder(session.wait),
                SessionTimer::Expiry => Input::Expiry,
            };
            self.is_timed = true;
            let is_taken = self.advance(place, input, at) || self.advance(place, Input::Expiry, at);
            self.is_timed = false;
            if !is_taken {
                return;
            }
            self.break_silence(at);
        }
        if self.end_pause(self.now) {
            self.apply_due();
        }
    }

    /// True if something came due after this instant that is due now.
    pub(super) fn has_due_after(&self, instant: DateTime<Utc>) -> bool {
        let conversation = &self.conversation;
        let timers =
            conversation.sessions.iter().filter_map(|session| conversation.timer(session, self.settled));
        let pause = conversation.pause().and_then(|pause| pause.until);
        timers.map(|(at, _)| at).chain(pause).any(|at| instant < at && at <= self.now)
    }

    /// Ends a pause that is over at this instant, at its own time. Returns whether there was one.
    fn end_pause(&mut self, at: DateTime<Utc>) -> bool {
        let end = self.conversation.pause().and_then(|pause| pause.until).filter(|until| *until <= at);
        end.is_some_and(|until| self.unpause(until))
    }

    /// The place of a session that needs a version that was terminated (SEMANTICS L4).
    fn terminated(&self) -> Option<usize> {
        let is_terminated = |session: &Session| {
            let mut pins = session.pins();
            pins.any(|(flow, version, digest)| {
                let pinned = self.pinned(flow, version);
                pinned.is_some_and(|pinned| pinned.terminated && pinned.is(digest))
            })
        };
        self.conversation.sessions.iter().position(is_terminated)
    }

    fn next_timer(&self) -> Option<(DateTime<Utc>, SessionTimer, usize)> {
        let conversation = &self.conversation;
        let timer = |(place, session): (usize, &Session)| {
            let (at, timer) = conversation.timer(session, self.settled)?;
            Some((at, timer, place))
        };
        conversation.sessions.iter().enumerate().filter_map(timer).min()
    }

    /// Keeps what a message came to and by which call, so that a repeat is recognised (SEMANTICS
    /// I2).
    pub(crate) fn remember(&mut self, id: u128, verdict: Verdict, call: u32) {
        let (now, limits) = (self.now, self.env.limits);
        self.edit().remembered.remember(id, (now, verdict, call), limits.remembered_ids);
    }

    /// Keeps that a call took effect, so that it finds its work after an unknown outcome (SEMANTICS
    /// D6).
    pub(crate) fn remember_call(&mut self, id: u128) {
        let now = self.now;
        self.edit().calls.remember(id, (now, Verdict::Applied, 0), REMEMBERED_CALLS);
    }

    /// Forgets what is past its retention: ids of messages (SEMANTICS I2), dead letters (S12).
    pub(crate) fn forget(&mut self) {
        let limits = self.env.limits;
        // What one of two clocks says is old may be young.
        let now = self.env.skew.map_or(self.now, |skew| self.now.min(skew.engine));
        let oldest =
            now.checked_sub_signed(span(limits.remember_ids_for)).unwrap_or(DateTime::<Utc>::MIN_UTC);
        if self.conversation.remembered.span().is_some_and(|(first, _)| first < oldest) {
            self.edit().remembered.forget_before(oldest);
        }
        if self.conversation.calls.span().is_some_and(|(first, _)| first < oldest) {
            self.edit().calls.forget_before(oldest);
        }
        let old_letter = |letter: &DeadLetter| now - letter.at > DEAD_LETTER_RETENTION;
        if self.conversation.dead_letters().first().is_some_and(old_letter) {
            self.edit().history().dead_letters.retain(|letter| !old_letter(letter));
        }
    }

    /// Makes the record ready to be written: what is settled is forgotten, time moves on.
    pub(crate) fn finish(&mut self) {
        if !self.is_stranded || self.conversation.sessions.is_empty() {
            self.break_silence(self.now);
        }
        let (settled, now) = (self.settled, self.now);
        let conversation = &mut *self.conversation;
        conversation.prune(settled);
        conversation.last_at = now;
    }

    /// When something is due next, given that messages up to `settled` are settled.
    pub(crate) fn due_once(&self, settled: u64) -> Option<DateTime<Utc>> {
        self.conversation.due_at(settled).or_else(|| self.idle_until(settled))
    }

    /// When something is due next, given when that is once all messages are settled.
    pub(crate) fn due_now(&self, once_settled: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let due = match self.conversation.sends_at(self.settled) {
            None => once_settled,
            // A message holds deadlines back (SEMANTICS N3); it brings none forward.
            Some(first) if once_settled.is_none_or(|at| first <= at) => Some(first),
            Some(_) => return self.due_once(self.settled),
        };
        debug_assert_eq!(
            due,
            self.due_once(self.settled),
            "what is due next does not depend on the way to it"
        );
        due
    }

    /// The time at which an idle conversation has something to forget (SEMANTICS S12) or is removed
    /// (S19), given that messages up to `settled` are settled.
    pub(crate) fn idle_until(&self, settled: u64) -> Option<DateTime<Utc>> {
        let spans = [self.conversation.remembered.span(), self.conversation.calls.span()];
        let newest = spans.into_iter().flatten().map(|(_, newest)| newest).min();
        let ids = newest.map(|at| later(at, span(self.env.limits.remember_ids_for)));
        let letters =
            self.conversation.dead_letters().last().map(|letter| later(letter.at, DEAD_LETTER_RETENTION));
        let forgets = ids.into_iter().chain(letters).min().map(|at| later(at, TimeDelta::milliseconds(1)));
        forgets.or_else(|| self.goes_at(settled))
    }

    /// True if nothing of this conversation is worth keeping any longer and nothing is to be
    /// written (SEMANTICS S19). Ask before `finish`, which moves the conversation's time.
    pub(crate) fn is_over(&self) -> bool {
        self.out.ended.is_empty() && self.goes_at(self.settled).is_some_and(|at| at <= self.now)
    }

    /// The time at which a stranger's conversation is removed (SEMANTICS S19). None: something in
    /// it is worth keeping.
    fn goes_at(&self, settled: u64) -> Option<DateTime<Utc>> {
        let conversation = &*self.conversation;
        let contact = &conversation.contact;
        let is_stranger =
            contact.opted_in_at.is_none() && contact.opted_out_at.is_none() && !contact.is_described();
        let is_idle = conversation.sessions.is_empty()
            && conversation.outbox.iter().all(|unsent| unsent.seq <= settled)
            && conversation.dead_letters().is_empty()
            && conversation.silence().is_none()
            && conversation.remembered.is_empty();
        if !is_stranger || !is_idle {
            return None;
        }
        let retention = span(self.env.policy.session_retention);
        let mut at = later(conversation.last_at, retention);
        if let Some(reached) = conversation.campaign_at() {
            at = at.max(later(reached, CAMPAIGN_REACH));
        }
        for mark in conversation.marks() {
            // A flow that is not online refuses nobody.
            let Some(online) = self.env.flows.find(&mark.flow, None) else { continue };
            match online.flow.settings().reentry {
                Reentry::Always => {}
                Reentry::Cooldown(pause) => at = at.max(later(mark.at, pause)),
                // As long as it is online: it is looked at again.
                Reentry::OnceEver => at = at.max(later(self.now, retention.max(LOOKED_AT_AGAIN))),
            }
        }
        Some(at)
    }
}
