//! Operators at work while everything else is: versions, sessions and contacts change under calls
//! that are under way.

use std::sync::Arc;

use serde_json::json;

use super::dice::Dice;
use super::faults::SimFault;
use super::people::{Person, address_of};
use super::world::{Call, CallOutcome, World, flows};
use crate::engine::{Engine, EraseOptions, SessionFilter, Unpublish};
use crate::error::Error;
use crate::id::{ContactId, FlowId};
use crate::session::DeliveryReport;
use crate::store::{ConversationStore, SessionRecord, StoreQueries};
use crate::testkit::run::at_once;

/// A call of which no more is known than that it was made.
fn operated<T>(call: impl Future<Output = Result<T, Error>> + 'static) -> Call {
    Box::pin(async move { CallOutcome::Operated(call.await.map(drop)) })
}

/// One of all.
fn some<'a, T>(all: &'a [T], dice: &Dice) -> Option<&'a T> {
    all.get(dice.below(all.len()))
}

impl<S: ConversationStore + StoreQueries + 'static> World<S> {
    /// An operator's call, by the process of this number.
    pub(super) fn operate(&mut self, kind: SimFault, number: usize) -> Option<Call> {
        let (dice, engine) = (self.weather.dice.clone(), self.engine(number)?);
        match kind {
            SimFault::Publish | SimFault::RollBack | SimFault::Unpublish => self.change_flow(kind, number),
            SimFault::Migrate | SimFault::Cancel | SimFault::Handoff => self.change_session(kind, number),
            SimFault::Erase => self.erase(number),
            SimFault::Merge => self.merge(number),
            SimFault::Relink | SimFault::Unlink => {
                let person = self.person();
                self.loosen(&[person]);
                let [phone, id, next] = person.addresses();
                if kind == SimFault::Unlink {
                    let lost = address_of(if dice.one_in(2) { &phone } else { &id });
                    return Some(operated(async move { engine.unlink(&lost?).await }));
                }
                let (old, new) = if dice.one_in(2) { (phone, next) } else { (next, phone) };
                Some(operated(async move { engine.relink(&address_of(&old)?, &address_of(&new)?).await }))
            }
            SimFault::ReportLate => {
                let message = self.weather.oracle().some_message(&dice)?;
                let report = match dice.one_in(2) {
                    true => DeliveryReport::Failed { code: "131026".to_owned() },
                    false => DeliveryReport::Read,
                };
                Some(operated(async move { engine.report(message, report).await }))
            }
            _ => None,
        }
    }

    fn change_flow(&mut self, kind: SimFault, number: usize) -> Option<Call> {
        let (dice, engine) = (self.weather.dice.clone(), self.engine(number)?);
        let diary = FlowId::new("diary").ok()?;
        match kind {
            SimFault::Publish => {
                self.edition += 1;
                let [flow, ..] = flows(self.edition);
                Some(operated(async move { engine.flows().ensure(&flow).await }))
            }
            SimFault::RollBack => {
                let versions = at_once(self.plain().flows().versions(&diary)).ok()?;
                let version = some(&versions, &dice)?.version;
                Some(operated(async move { engine.flows().roll_back(&diary, version).await }))
            }
            _ => {
                let how = if dice.one_in(2) { Unpublish::Terminate } else { Unpublish::Drain };
                if how == Unpublish::Terminate {
                    let records = self.records();
                    let diaries = records.iter().filter(|record| record.session().flow() == &diary);
                    diaries.for_each(|record| self.ends_from_outside(record));
                }
                let [flow, ..] = flows(self.edition);
                Some(operated(async move {
                    let done = engine.flows().unpublish(&diary, how).await;
                    let back = engine.flows().ensure(&flow).await;
                    done.and(back)
                }))
            }
        }
    }

    fn change_session(&mut self, kind: SimFault, number: usize) -> Option<Call> {
        let (dice, engine) = (self.weather.dice.clone(), self.engine(number)?);
        let records = self.records();
        let record = some(&records, &dice)?;
        let (session, contact) = (record.session().id(), record.contact().clone());
        match kind {
            SimFault::Handoff if dice.one_in(2) => {
                self.weather.oracle().handed.insert(session);
                Some(operated(async move { engine.handoff(session).await }))
            }
            SimFault::Handoff => {
                Some(operated(async move { engine.resume_from_handoff(&contact, json!({})).await }))
            }
            SimFault::Migrate => {
                self.weather.oracle().moved.insert(session);
                let diary = FlowId::new("diary").ok()?;
                let version = at_once(self.plain().flows().get(&diary)).ok()??.online?;
                Some(operated(async move { engine.migrate(session, version, &[]).await }))
            }
            _ => {
                self.ends_from_outside(record);
                Some(operated(async move { engine.cancel(session).await }))
            }
        }
    }

    /// A session may end from outside, and with it go the messages that it has not sent.
    pub(super) fn ends_from_outside(&self, record: &SessionRecord) {
        let people = self.people_of(record.contact());
        let mut oracle = self.weather.oracle();
        oracle.moved.insert(record.session().id());
        oracle.dropping.extend(people);
    }

    fn erase(&mut self, number: usize) -> Option<Call> {
        let engine = self.engine(number)?;
        let records = self.records();
        let contact = some(&records, &self.weather.dice)?.contact().clone();
        self.weather.oracle().erased.insert(contact.clone());
        self.loosen(&self.people_of(&contact));
        let (is_alone, store) = (self.tasks.is_empty(), Arc::clone(&self.store.inner));
        Some(Box::pin(async move {
            match engine.erase(&contact, EraseOptions::default()).await {
                Ok(_) => {
                    let left = at_once(Engine::builder(store).build().sessions(SessionFilter::all()));
                    let own = |record: &&SessionRecord| *record.contact() == contact;
                    let left = left.map_or(0, |all| all.iter().filter(own).count());
                    CallOutcome::Erased { contact, is_alone, left }
                }
                Err(error) => CallOutcome::Operated(Err(error)),
            }
        }))
    }

    fn merge(&mut self, number: usize) -> Option<Call> {
        let (dice, engine) = (self.weather.dice.clone(), self.engine(number)?);
        let records = self.records();
        let (from, into) =
            (some(&records, &dice)?.contact().clone(), some(&records, &dice)?.contact().clone());
        let mut people = self.people_of(&from);
        people.extend(self.people_of(&into));
        let held = self.held.entry(from.clone()).or_default().clone();
        let into_held = self.held.entry(into.clone()).or_default();
        into_held.extend(held);
        into_held.extend(people);
        let all: Vec<Person> = into_held.iter().copied().collect();
        self.loosen(&all);
        Some(operated(async move { engine.merge(&from, &into).await }))
    }

    /// Those whose addresses a contact has, and those whose addresses it may get.
    pub(super) fn people_of(&self, contact: &ContactId) -> Vec<Person> {
        let known = at_once(self.plain().contact(contact)).ok().flatten();
        let own = known.iter().flat_map(|contact| &contact.addresses).filter_map(Person::at);
        let held = self.held.get(contact).into_iter().flatten().copied();
        own.chain(held).collect()
    }

    /// From now on addresses of these people may lead to another contact than before.
    fn loosen(&self, people: &[Person]) {
        let mut oracle = self.weather.oracle();
        oracle.loose.extend(people);
        oracle.dropping.extend(people);
    }
}
