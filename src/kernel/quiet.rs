//! Quiet hours, by the settings of the flow that was started (SEMANTICS U18): what time alone would
//! bring in them waits for their end. What the contact or the host brings does not.

use chrono::{DateTime, TimeDelta, Utc};

use crate::flow::{Flow, TtlMode};
use crate::kernel::Input;
use crate::kernel::scope::zone;
use crate::kernel::turn::Run;
use crate::session::{Standing, Status, Wait};

/// A delay of at most this length that begins in quiet hours is a pause within an answer: time
/// alone begins nothing in them.
const PAUSE: TimeDelta = TimeDelta::seconds(60);

impl Run<'_> {
    /// The end of the quiet hours that an instant lies in; none if it lies in none.
    pub(super) fn quiet_until(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let zone = zone(&self.contact, self.root).1;
        self.root.quiet_hours()?.end(at, zone).filter(|end| *end > at)
    }

    /// Puts off what time, or a campaign, brings in quiet hours. Returns whether it is put off:
    /// then no node is entered.
    pub(super) fn puts_off(&mut self, input: &Input) -> bool {
        let Some(end) = self.quiet_until(self.env.now) else { return false };
        match input {
            Input::Start if self.is_of_campaign() => {
                self.next_wait();
                self.park(Standing::Delayed(Wait::until(Some(end))));
                self.stand_still(end - self.env.now);
                true
            }
            Input::Deadline(wait) if *wait == self.session.wait && self.may_wait() => {
                self.beside = true;
                self.stand_still(end - self.env.now);
                self.session.move_deadline(|_| Some(end));
                true
            }
            Input::Reminder(wait) if *wait == self.session.wait => {
                self.beside = true;
                self.remind_aloud();
                true
            }
            Input::Expiry if self.speaks_at_expiry() && self.session.deadline().is_none() => {
                let goes_on = self.session.ends_by.is_none_or(|last| end < last);
                if goes_on {
                    self.beside = true;
                    self.session.expires_at = Some(end);
                }
                goes_on
            }
            _ => false,
        }
    }

    /// True if a flow has a way for the end of the TTL, or something to say then.
    fn speaks_at_expiry(&self) -> bool {
        let says = |flow: &Flow| flow.last_words().on_expire.is_some();
        !self.session.frames().is_empty() || says(self.flow) || says(self.root)
    }

    /// Moves the deadline of the session's node out of quiet hours.
    pub(super) fn keep_quiet(&mut self) {
        let Some(deadline) = self.session.deadline().filter(|_| self.may_wait()) else { return };
        if let Some(end) = self.quiet_until(deadline) {
            self.stand_still(end - deadline);
            self.session.move_deadline(|_| Some(end));
        }
    }

    /// Moves a reminder out of quiet hours, and with it the time at which the session expires;
    /// where its longest life is over before, nothing is said.
    pub(super) fn remind_aloud(&mut self) {
        let Some(at) = self.session.reminds_at() else { return };
        let Some(end) = self.quiet_until(at) else { return };
        let by = end - at;
        let session = &mut *self.session;
        match session.deadline() {
            Some(deadline) => session.move_deadline(|_| deadline.checked_add_signed(by)),
            None => session.expires_at = session.expires_at.and_then(|at| at.checked_add_signed(by)),
        }
        if session.reminds_at() != Some(end) {
            session.extras().remind_before = None;
        }
    }

    /// True if a campaign began the session, and not the contact by a word anew.
    fn is_of_campaign(&self) -> bool {
        let origin = self.session.origin.as_deref();
        origin.is_some_and(|origin| origin.campaign.is_some() && !origin.restarted)
    }

    /// True if the deadline of the session's node is time's alone: a call's is the host's, that
    /// of an answer in pieces the contact's.
    fn may_wait(&self) -> bool {
        let session = &*self.session;
        match session.status() {
            Status::Waiting => session.window().is_none(),
            Status::Delayed => !self.is_pause(),
            Status::Handoff => true,
            _ => false,
        }
    }

    fn is_pause(&self) -> bool {
        let (from, until) = (self.session.parked_at, self.session.deadline());
        until.is_some_and(|until| until - from <= PAUSE) && self.quiet_until(from).is_some()
    }

    /// Where the TTL is fixed, the time that is put off does not count.
    fn stand_still(&mut self, by: TimeDelta) {
        if self.root.settings().ttl_mode == TtlMode::Fixed {
            self.session.stood_still(by);
        }
    }
}
