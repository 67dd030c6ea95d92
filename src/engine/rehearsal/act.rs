//! The acts of talks, done in a rehearsal.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::play::answer;
use super::{Rehearsal, at_once};
use crate::address::Account;
use crate::calls::{Answer, CallResult};
use crate::clock::Clock;
use crate::engine::{Completed, Reported, Unpublish};
use crate::error::{CallError, Error, SendError};
use crate::id::{ContactId, FlowId};
use crate::request::Inbound;
use crate::session::{DeliveryReport, Profile, Status};
use crate::talk::{Act, Line};

impl Rehearsal {
    /// Does what a line of a talk says, and answers with the lines that came of it.
    ///
    /// # Errors
    /// Those of the call that it makes; `InvalidInput` when it refers to what is not there,
    /// such as an option that was not offered.
    pub fn act(&mut self, act: &Act) -> Result<&[Line], Error> {
        let since = self.transcript.0.len();
        match act {
            Act::Say(text) => return self.say(text),
            Act::Choose(label) => return self.choose(label),
            Act::Send(value) => {
                let inbound = self.inbound(value)?;
                return self.receive(inbound);
            }
            Act::Pass(time) if *time >= TimeDelta::zero() => return self.pass(*time),
            Act::Pass(time) | Act::Asleep(time) => {
                self.transcript.0.push(Line::Acted(act.clone()));
                self.stage.set(later(self.stage.now(), *time));
                if matches!(act, Act::Pass(_)) {
                    return self.look(since);
                }
            }
            Act::At(instant) => return self.pass_until(*instant),
            Act::Context(context) => return self.start(context.clone()),
            Act::Now(_) | Act::Branch { .. } | Act::Failed(_) => {
                if let Some(answer) = answer(act) {
                    self.answer_next(answer)?;
                }
            }
            Act::Back(vars) if self.contact_in_handoff()?.is_some() => return self.hand_back(vars.clone()),
            Act::Back(_) | Act::Touch if self.contact_in_handoff()?.is_none() => {
                self.transcript.0.push(Line::Acted(act.clone()));
                self.untaken("not in handoff");
            }
            Act::Later => self.stage.expect_next(Ok(Answer::Later)),
            Act::Let { .. } | Act::Version(_) => {}
            _ => {
                self.transcript.0.push(Line::Acted(act.clone()));
                self.act_of_host(act)?;
                if !act.is_preparation() {
                    return self.look(since);
                }
            }
        }
        Ok(self.transcript.0.get(since..).unwrap_or_default())
    }

    fn act_of_host(&mut self, act: &Act) -> Result<(), Error> {
        match act {
            Act::Profile(profile) => {
                let read = serde_json::from_value(profile.clone());
                self.profile = Some(read.map_err(|rule| Error::invalid("profile", rule))?);
            }
            Act::Language(tag) => {
                let profile = self.profile.take().unwrap_or_default();
                self.profile = Some(Profile { language: Some(tag.clone()), ..profile });
            }
            Act::Refuse(reason) => self.stage.refuse(SendError::rejected(reason)),
            Act::Window => self.stage.refuse(SendError::WindowClosed),
            Act::Id(id) => self.beyond.id = Some(id.clone()),
            Act::Age(age) => self.beyond.age = Some(*age),
            Act::Result(value) => {
                let none = || Error::invalid("result", "needs a call, and none was made");
                let call = self.beyond.call.clone().ok_or_else(none)?;
                self.asked.retain(|asked| asked.reference != call);
                if at_once(self.bot.complete(call, CallResult::value(value.clone())))? == Completed::Stale {
                    self.untaken("stale");
                }
            }
            Act::Touch => {
                if let Some(contact) = self.contact_in_handoff()? {
                    at_once(self.bot.touch(&contact))?;
                }
            }
            Act::Report(code) => self.report(code)?,
            Act::Publish { old, new } => self.publish(old, new)?,
            Act::Unpublish { drains, flow } => {
                let how = if *drains { Unpublish::Drain } else { Unpublish::Terminate };
                let flow = FlowId::new(flow).map_err(|rule| Error::invalid("flow", rule))?;
                at_once(self.bot.flows().unpublish(&flow, how)).map(drop)?;
            }
            _ => return Err(Error::invalid("act", "is not known to a rehearsal")),
        }
        Ok(())
    }

    /// Time passes until an instant; before anything has happened, it is the time of the beginning.
    fn pass_until(&mut self, instant: DateTime<Utc>) -> Result<&[Line], Error> {
        let since = self.transcript.0.len();
        self.transcript.0.push(Line::Acted(Act::At(instant)));
        if since == 0 {
            self.beyond.is_timed = true;
            self.stage.set(instant);
            return Ok(&self.transcript.0);
        }
        if instant > self.stage.now() {
            self.work(instant)?;
        }
        self.stage.set(instant);
        self.look(since)
    }

    /// The host answers the call that waits, else the next one.
    fn answer_next(&mut self, answer: Result<Answer, CallError>) -> Result<(), Error> {
        match answer {
            answer if self.asked.is_empty() => self.stage.expect_next(answer),
            Ok(Answer::Now(result)) => self.complete(0, result)?,
            Ok(_) => {}
            Err(CallError::Failed { reason } | CallError::Retry { reason }) => {
                self.complete(0, CallResult::failed(reason))?;
            }
        }
        Ok(())
    }

    /// The host answers one of the calls that wait.
    pub(super) fn complete(&mut self, waiting: usize, result: CallResult) -> Result<(), Error> {
        let call = self.asked.remove(waiting);
        self.transcript.0.push(Line::Answered(result.clone()));
        if at_once(self.bot.complete(call.reference, result))? == Completed::Stale {
            self.untaken("stale");
        }
        self.look(0).map(drop)
    }

    /// The contact, if it is with a person.
    pub(super) fn contact_in_handoff(&self) -> Result<Option<ContactId>, Error> {
        let record = self.session.map(|id| at_once(self.bot.session(id))).transpose()?.flatten();
        Ok(record
            .filter(|record| record.session().status() == Status::Handoff)
            .map(|record| record.contact().clone()))
    }

    /// The channel reports on the last message.
    fn report(&mut self, code: &str) -> Result<(), Error> {
        let report = match code {
            "read" => DeliveryReport::Read,
            "delivered" => DeliveryReport::Delivered,
            "window_closed" => DeliveryReport::WindowClosed,
            code => DeliveryReport::Failed { code: code.to_owned() },
        };
        let last = self
            .beyond
            .message
            .ok_or_else(|| Error::invalid("report", "needs a message, and none was sent"))?;
        if at_once(self.bot.report(last, report))? == Reported::Unknown {
            self.untaken("unknown");
        }
        Ok(())
    }

    /// Publishes the flow with another text in it.
    fn publish(&mut self, old: &str, new: &str) -> Result<(), Error> {
        if !self.beyond.json.contains(old) {
            return Err(Error::invalid(
                "publish",
                format_args!("needs a text of the flow, and `{old}` is none"),
            ));
        }
        let next = self.beyond.json.replace(old, new);
        let imported = at_once(self.bot.flows().import(&next))?;
        let _ = at_once(self.bot.flows().publish(&imported.status.flow))?;
        self.beyond.json = next;
        Ok(())
    }

    /// A message of the contact that is an object in a talk.
    fn inbound(&self, value: &Value) -> Result<Inbound, Error> {
        let Account { channel, account } = self.account.clone();
        let (account, from) = (&*account, self.from);
        let part = |name: &str| value.get(name).cloned();
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let inbound = if let Some(media) = part("media") {
            let media = Inbound::media(channel, account, from, media);
            text("caption").into_iter().fold(media, Inbound::caption)
        } else if let Some(payload) = text("choice") {
            Inbound::choice(channel, account, from, payload, payload)
        } else if let Some(place) = part("location") {
            Inbound::location(channel, account, from, place)
        } else if let Some(answers) = part("form") {
            let token = text("token").map(|token| token.replace("offered", &self.beyond.token));
            Inbound::form(channel, account, from, token.unwrap_or_default(), answers)
        } else if let Some(order) = part("order") {
            Inbound::order(channel, account, from, order)
        } else if let Some(contacts) = part("contacts") {
            Inbound::contacts(channel, account, from, contacts)
        } else if let Some(reaction) = part("reaction") {
            Inbound::reaction(channel, account, from, reaction)
        } else if let Some(other) = part("other") {
            Inbound::other(channel, account, from, other)
        } else if let Some(text) = text("text") {
            Inbound::text(channel, account, from, text)
        } else {
            return Err(Error::invalid("message", "is of a kind that contacts cannot send"));
        };
        Ok(part("meta").into_iter().fold(inbound, Inbound::meta))
    }
}

fn later(now: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    now.checked_add_signed(by).unwrap_or(now)
}
