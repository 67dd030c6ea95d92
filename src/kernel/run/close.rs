//! The end of a turn: what it did is counted, and the session lives on for so long (SEMANTICS S1),
//! or is over.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::flow::TtlMode;
use crate::kernel::Effect;
use crate::kernel::time::{later, span};
use crate::kernel::turn::Run;
use crate::session::Status;

impl Run<'_> {
    /// Books the turn: counters, the sliding TTL (SEMANTICS S1), the end.
    pub(super) fn close(&mut self) {
        self.session.turns = self.session.turns.saturating_add(1);
        match self.session.status().is_live() {
            true if self.beside => {}
            true => self.prolong(),
            false => self.book_end(),
        }
        let is_live = self.session.status().is_live();
        match self.left_open.take().filter(|_| is_live && self.flow.goes_round()) {
            Some(left) => self.session.extras().left_open = Some(left),
            None if is_live => {}
            None => _ = self.session.take_left_open(),
        }
        self.session.prune();
        let count = self.sends;
        for effect in self.effects.iter_mut() {
            if let Effect::Send(message) = effect
                && let Some(message) = Arc::get_mut(message)
            {
                message.count = count;
            }
        }
    }

    /// The last instant at which the session can live. What has no longest life has none by the
    /// host's limit either.
    pub(in crate::kernel) fn ends_by(&self) -> Option<DateTime<Utc>> {
        let longest = self.root.settings().max_lifetime;
        let lifetime = longest.min(span(self.env.limits.max_lifetime));
        (longest != TimeDelta::MAX).then(|| later(self.session.started_at, lifetime))
    }

    fn prolong(&mut self) {
        let now = self.env.now;
        if self.root.quiet_hours().is_some() {
            self.keep_quiet();
        }
        let (settings, ends_by) = (self.root.settings(), self.ends_by());
        let last = ends_by.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let session = &mut *self.session;
        let from = match settings.ttl_mode {
            TtlMode::Sliding => now,
            TtlMode::Fixed => {
                let still = session.extras.as_ref().map_or(0, |extras| extras.still_millis);
                let still = TimeDelta::try_milliseconds(still).unwrap_or(TimeDelta::MAX);
                later(session.started_at, still)
            }
        };
        session.last_interaction_at = now;
        session.expires_at = Some(settings.ttl.map_or(last, |ttl| later(from, ttl).min(last)));
        session.ends_by = ends_by;
        if session.deadline().is_some_and(|deadline| deadline > last) {
            session.move_deadline(|_| None);
            session.expires_at = Some(last);
        }
        match self.flow.reminder() {
            Some(reminder) => self.arm_reminder(reminder),
            None => self.disarm_reminder(),
        }
    }

    fn book_end(&mut self) {
        let now = self.env.now;
        let session = &mut *self.session;
        if session.status() != Status::Expired && session.status() != Status::Cancelled {
            session.last_interaction_at = now;
        }
        session.keep_results(&self.root.settings().results);
    }
}
