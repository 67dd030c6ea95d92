//! The engine's silence while a contact is with a person or the bot is paused: other sessions are
//! suspended, results of calls are kept, and at the end all of it continues (SEMANTICS S10, Q3).

use chrono::{DateTime, Utc};

use crate::calls::CallResult;
use crate::id::{CallId, MessageId};
use crate::kernel::Input;
use crate::kernel::decide::decision::Decision;
use crate::observer::EventKind;
use crate::session::{Conversation, KeptResult, Pause, SendOutcome, Silence, Status};
use crate::value::PackedMap;

impl Conversation {
    /// Begins the silence with the first session that is handed over.
    pub(super) fn fall_silent(&mut self, at: DateTime<Utc>) -> &mut Silence {
        let silence = || Silence { since: at, results: Vec::new(), sent: Vec::new(), pause: None };
        self.history().silence.get_or_insert_with(silence)
    }
}

impl Decision<'_> {
    /// Continues everything that was suspended, once nobody is in handoff any more and the bot is
    /// not paused.
    #[inline]
    pub(crate) fn break_silence(&mut self, at: DateTime<Utc>) {
        if self.conversation.spent_silence().is_some() {
            self.go_on_after_silence(at);
        }
    }

    fn go_on_after_silence(&mut self, at: DateTime<Utc>) {
        let Some(silence) = self.edit().history().silence.take() else { return };
        for place in 0..self.conversation.sessions.len() {
            let session = self.conversation.sessions.get(place);
            if session.is_some_and(|session| !session.goes_on_in_handoff()) {
                self.advance(place, Input::ShiftTimers { since: silence.since }, at);
            }
        }
        for KeptResult { call, value, branch, failed } in silence.results {
            let result = match failed {
                Some(reason) => CallResult::Failed { reason },
                None => CallResult::Value { value, branch },
            };
            self.answer_call(call, result, at);
        }
        for (message, outcome) in silence.sent {
            if let Some(place) = self.place_of(message.session)
                && !self.keep_sent(place, message, &outcome)
            {
                self.advance(place, Input::Sent { message, outcome }, at);
            }
        }
    }

    /// Keeps what became of a message whose session does not continue before the contact comes back
    /// from a person. Returns whether that is so.
    pub(super) fn keep_sent(&mut self, place: usize, message: MessageId, outcome: &SendOutcome) -> bool {
        let Some(session) = self.conversation.sessions.get(place) else { return false };
        if session.status() != Status::Handoff && !self.conversation.stands_still(session) {
            return false;
        }
        if let Some(silence) = &mut self.edit().history().silence {
            silence.sent.push((message, outcome.clone()));
        }
        true
    }

    /// True if that is kept already.
    pub(super) fn has_kept_sent(&self, message: MessageId, outcome: &SendOutcome) -> bool {
        let kept = self.conversation.silence().map_or(&[][..], |silence| &silence.sent);
        kept.iter().any(|(of, kept)| *of == message && kept == outcome)
    }

    /// Takes the result of a host call to the session that waits for it, or keeps it until the
    /// contact comes back from a person. Returns whether anybody waits for it (SEMANTICS D2).
    pub(crate) fn answer_call(&mut self, call: CallId, result: CallResult, at: DateTime<Utc>) -> bool {
        let sessions = &self.conversation.sessions;
        let Some(place) = sessions.iter().position(|session| session.awaited() == Some(call)) else {
            return false;
        };
        let Some(session) = sessions.get(place) else { return false };
        if self.conversation.stands_still(session) || session.status() == Status::Handoff {
            return self.keep_result(call, result);
        }
        self.advance(place, Input::Result { call, result }, at)
    }

    fn keep_result(&mut self, call: CallId, result: CallResult) -> bool {
        let kept = self.conversation.silence().map_or(&[][..], |silence| &silence.results);
        if kept.iter().any(|kept| kept.call == call) {
            return false;
        }
        let kept = match result {
            CallResult::Value { value, branch } => KeptResult { call, value, branch, failed: None },
            CallResult::Failed { reason } => {
                KeptResult { call, value: serde_json::Value::Null, branch: None, failed: Some(reason) }
            }
        };
        if let Some(silence) = &mut self.edit().history().silence {
            silence.results.push(kept);
        }
        true
    }

    /// Hands a session over to a person. Time for which it was suspended before, because another
    /// one was with one, is not its own. Returns whether that could be done.
    pub(crate) fn hand_over(&mut self, place: usize) -> bool {
        let now = self.now;
        let session = self.conversation.sessions.get(place);
        let stood_still = session.is_some_and(|session| self.conversation.stands_still(session));
        if let Some(since) = self.conversation.silence().filter(|_| stood_still).map(|silence| silence.since)
        {
            self.advance(place, Input::ShiftTimers { since }, now);
        }
        self.advance(place, Input::Handoff, now)
    }

    /// Hands the newest session over to a person, or pauses the bot where there is none. Answers
    /// whether that changes anything.
    pub(crate) fn hand_over_contact(&mut self) -> bool {
        let sessions = &self.conversation.sessions;
        if sessions.iter().any(|session| session.status() == Status::Handoff) {
            return false;
        }
        let newest = sessions.iter().enumerate().max_by_key(|(_, session)| session.started_at);
        match newest.map(|(place, _)| place) {
            Some(place) => self.hand_over(place),
            None => self.pause(None),
        }
    }

    /// Pauses the bot, or gives its pause another end. Returns whether that changes anything.
    pub(crate) fn pause(&mut self, until: Option<DateTime<Utc>>) -> bool {
        let known = self.conversation.pause();
        if known.is_some_and(|pause| pause.until == until) || until.is_some_and(|until| until <= self.now) {
            return false;
        }
        let now = self.now;
        let since = known.map_or(now, |pause| pause.since);
        self.edit().fall_silent(now).pause = Some(Pause::new(since, until));
        self.note(EventKind::Paused { until });
        true
    }

    /// Ends a pause, and continues what was suspended. Returns whether there was one.
    pub(crate) fn unpause(&mut self, at: DateTime<Utc>) -> bool {
        if self.conversation.pause().is_none() {
            return false;
        }
        if let Some(silence) = &mut self.edit().history().silence {
            silence.pause = None;
        }
        self.note(EventKind::Unpaused);
        self.break_silence(at);
        true
    }

    /// Takes every session in handoff back from the person, and ends a pause. Returns whether there
    /// was either.
    pub(crate) fn hand_back(&mut self, vars: &PackedMap) -> bool {
        let now = self.now;
        let was_paused = self.unpause(now);
        let in_handoff =
            self.conversation.sessions.iter().filter(|session| session.status() == Status::Handoff);
        let ids: Vec<_> = in_handoff.map(|session| session.id).collect();
        for id in &ids {
            if let Some(place) = self.place_of(*id) {
                self.advance(place, Input::Resume { vars: vars.clone() }, now);
            }
        }
        self.break_silence(now);
        was_paused || !ids.is_empty()
    }

    /// The handoff's time begins anew. Returns whether the contact is in one.
    pub(crate) fn touch(&mut self) -> bool {
        let now = self.now;
        let mut touched = false;
        for place in 0..self.conversation.sessions.len() {
            touched |= self.advance(place, Input::ProlongHandoff, now);
        }
        touched
    }
}
