//! A session in the hands of a person, from its side: how it is handed over at its node, and
//! how it continues afterwards (SEMANTICS S10). What the node does is in `node/handoff`, what the
//! conversation does in `silence`.

use chrono::{DateTime, TimeDelta, Utc};

use crate::flow::Step;
use crate::flow::node::{Handoff as Node, Port};
use crate::kernel::Input;
use crate::kernel::time::later;
use crate::kernel::turn::{Move, Run};
use crate::observer::EventKind;
use crate::session::{Ending, FailureCode, Handoff, Handover, Standing, Stop, Suspended};
use crate::value::PackedMap;

impl Run<'_> {
    /// Hands the session over at its node: afterwards it is there again, with the time that it had
    /// left.
    pub(super) fn hand_over(&mut self) -> bool {
        let Some(suspended) = self.session.suspend() else { return false };
        let (now, timeout) = (self.env.now, Node::TIMEOUT_AFTER);
        let mut handoff = Box::new(Handoff::new(now, Some(timeout)));
        handoff.suspended = Some(suspended);
        self.note_handoff();
        self.park(Standing::Handoff(Handover { handoff, deadline: Some(later(now, timeout)) }));
        true
    }

    pub(super) fn note_handoff(&mut self) {
        let (session, node) = (self.session.id, self.session.at.clone());
        self.note(EventKind::HandedOff { session, node });
    }

    /// Returns the move of a session in handoff.
    pub(super) fn after_handoff(&mut self, step: &Step, input: &Input) -> Move {
        match input {
            Input::Resume { vars } => {
                let Some(handoff) = self.leave_handoff() else { return Move::Ignore };
                if let Err(leave) = self.learn(vars) {
                    return leave;
                }
                let since = handoff.since;
                self.session.delay_window(self.env.now - since);
                match handoff.suspended {
                    Some(suspended) => Move::Back(self.stop_again(since, suspended)),
                    None if step.exit(Node::RETURNED).is_some() => Move::Take(Node::RETURNED),
                    None => Move::Take(Port::NEXT),
                }
            }
            Input::Deadline(wait) if *wait == self.session.wait => match self.leave_handoff() {
                Some(handoff) if handoff.suspended.is_none() && step.exit(Node::TIMEOUT).is_some() => {
                    Move::Take(Node::TIMEOUT)
                }
                Some(handoff) => {
                    if handoff.suspended.is_some() {
                        self.session.answered = self.session.wait;
                    }
                    Move::End(Ending::Expired)
                }
                None => Move::End(Ending::Expired),
            },
            _ => Move::Ignore,
        }
    }

    /// Ends the handoff, and counts the time for which the session was suspended.
    fn leave_handoff(&mut self) -> Option<Box<Handoff>> {
        let handoff = self.session.leave_handoff()?;
        self.session.stood_still(self.env.now - handoff.since);
        Some(handoff)
    }

    /// Takes over what the person found out.
    fn learn(&mut self, vars: &PackedMap) -> Result<(), Move> {
        for (name, value) in vars.iter() {
            if let Err(error) = self.set_var(name, &value.to_json()) {
                return Err(Move::fail(FailureCode::Variables, format_args!("variable `{name}` {error}")));
            }
        }
        Ok(())
    }

    fn stop_again(&self, since: DateTime<Utc>, suspended: Suspended) -> Stop {
        let now = self.env.now;
        suspended.stop.delayed(|deadline| {
            let left = deadline - since;
            // It was over before, and held by a message that was not delivered yet (SEMANTICS N3).
            let is_held = left <= TimeDelta::zero();
            later(now, if is_held { deadline - suspended.parked_at } else { left })
        })
    }
}
