//! Whole decisions without a store: what triggers (SEMANTICS T) and messages (I) come to, and that
//! a conversation is as it was found wherever nothing is written.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::json;

use crate::address::AccountRef;
use crate::channel::Channel;
use crate::clock::Ids;
use crate::error::{Error, MissingReason};
use crate::flow::{Flow, Keywords};
use crate::id::{FlowId, FlowVersion, SessionId};
use crate::kernel::decide::{
    Action, Arrival, CarriedOptOut, Environment, FlowLookup, FoundConversation, HostChange, InboundAnswer,
    Meeting, Operation, Output, Pinned, Policy, Published, Resolution, Target, TriggerAnswer, TriggerCall,
    Unusable, WorkBooking, decide,
};
use crate::kernel::{Callee, Library, Received, Refusal, Triggered};
use crate::limits::Limits;
use crate::observer::{Cause, EventKind};
use crate::request::{Inbound, TriggerRequest};
use crate::session::{Conversation, EndReason, Ending, Status};

const VERSION: FlowVersion = FlowVersion(3);
const ADA: &str = "+14155550123";
const SHOP: &str = "555";

/// One flow, online, as a decision sees it.
struct Shelf {
    flow: Arc<Flow>,
    name: Arc<str>,
    missing: Option<MissingReason>,
    is_online: bool,
}

impl Shelf {
    fn usable(&self) -> Result<&Arc<Flow>, Unusable<'_>> {
        match &self.missing {
            None => Ok(&self.flow),
            Some(reason) => Err(Unusable { reason, callee: None }),
        }
    }
}

impl Library for Shelf {
    fn find(&self, flow: &FlowId, _version: Option<FlowVersion>) -> Option<Callee<'_>> {
        let flow = self.usable().ok().filter(|known| known.id() == flow)?;
        Some(Callee { flow, version: VERSION, name: &self.name })
    }
}

impl FlowLookup for Shelf {
    fn pinned(&self, _flow: &FlowId, _version: FlowVersion) -> Option<Pinned<'_>> {
        Some(Pinned {
            flow: self.usable(),
            digest: Some(self.flow.digest()),
            name: &self.name,
            logging: false,
            texts: false,
            terminated: false,
        })
    }

    fn published(&self, flow: &FlowId) -> Option<Published<'_>> {
        let is_it = flow == self.flow.id();
        is_it.then(|| Published {
            name: &self.name,
            online: self.is_online.then(|| (VERSION, Some(self.flow.digest()))),
            flow: self.is_online.then(|| self.usable()),
        })
    }

    fn startable(&self, _account: AccountRef<'_>) -> Vec<(FlowVersion, &Arc<Flow>)> {
        let is_inbound = self.is_online && !self.flow.trigger().is_manual();
        self.usable().into_iter().filter(|_| is_inbound).map(|flow| (VERSION, flow)).collect()
    }

    fn missing_on(&self, _account: AccountRef<'_>) -> Option<(FlowId, FlowVersion, MissingReason)> {
        let reason = self.missing.clone().filter(|_| !self.flow.trigger().is_manual())?;
        Some((self.flow.id().clone(), VERSION, reason))
    }
}

/// Mints the same id each time.
struct Minted(uuid::Uuid);

impl Ids for Minted {
    fn mint(&self, _now: DateTime<Utc>) -> uuid::Uuid {
        self.0
    }
}

/// A conversation and what it is decided with, in place of a store and an engine.
struct Desk {
    shelf: Shelf,
    limits: Limits,
    policy: Policy,
    now: DateTime<Utc>,
    calls: u128,
    conversation: Option<Arc<Conversation>>,
    key: Option<crate::session::KeyRecord>,
    settled: u64,
    /// The output of the last decision, if it was written.
    written: Option<Output>,
}

impl Desk {
    fn new(trigger: serde_json::Value) -> Self {
        Self::with(trigger, json!({"id": "wait", "kind": "wait_reply"}))
    }

    /// A flow whose sessions stop at this node, `wait`.
    fn with(trigger: serde_json::Value, wait: serde_json::Value) -> Self {
        let may_fail = wait["kind"] == "send_message";
        let mut flow = json!({
            "spec": 1, "code": "menu", "name": "Menu", "trigger": trigger,
            "settings": {"sender": {"channel": "sms", "account": SHOP}, "session_ttl_minutes": 30},
            "nodes": [
                {"id": "start", "kind": "start"},
                {"id": "ask", "kind": "send_message", "text": "Yes or no?"},
                wait,
                {"id": "bye", "kind": "send_message", "text": "You said {{reply.text}}."},
            ],
            "edges": [{"from": "start", "to": "ask"}, {"from": "ask", "to": "wait"}, {"from": "wait", "to": "bye"}],
        });
        if may_fail && let Some(edges) = flow["edges"].as_array_mut() {
            edges.push(json!({"from": "wait", "branch": "failed", "to": "bye"}));
        }
        let flow = Arc::new(Flow::from_json(&flow.to_string()).expect("the flow is right"));
        Self {
            shelf: Shelf { flow, name: "Menu".into(), missing: None, is_online: true },
            limits: Limits::default(),
            policy: Policy {
                keywords: Keywords::default(),
                key_retention: std::time::Duration::from_secs(86_400),
                session_retention: std::time::Duration::from_secs(86_400),
                give_up_after: std::time::Duration::from_secs(86_400),
                refuse_unknown_contacts: false,
                is_paced: false,
            },
            now: "2026-05-07T08:14:23Z".parse().expect("an instant"),
            calls: 0,
            conversation: None,
            key: None,
            settled: 0,
            written: None,
        }
    }

    fn manual() -> Self {
        Self::new(json!({"kind": "manual"}))
    }

    /// A flow that any message starts.
    fn inbound() -> Self {
        let rules = json!([{"match": "any"}]);
        Self::new(json!({"kind": "inbound", "channel": "sms", "rules": rules}))
    }

    fn later(&mut self, by: TimeDelta) {
        self.now += by;
    }

    fn decide(&mut self, operation: &mut dyn Operation, is_leased: bool) -> Result<&'static str, Error> {
        let before = self.conversation.clone();
        let env = Environment {
            workspace: &Default::default(),
            limits: &self.limits,
            policy: &self.policy,
            flows: &self.shelf,
            now: self.now,
            call: self.calls,
            observed: true,
            counted: false,
            at_work_since: None,
            skew: None,
            cause: Cause::Trigger,
        };
        let mut out = Output::default();
        let mut found = FoundConversation {
            conversation: &mut self.conversation,
            revision: 7,
            settled: self.settled,
            is_leased,
            fault: None,
            key: self.key.as_ref(),
            maybe_done: false,
            taken: None,
        };
        let came_to = match decide(&env, &mut found, &mut out, operation) {
            Ok(Resolution::Write(mut decision)) => {
                decision.finish();
                let once_settled = decision.due_once(decision.conversation.last_seq);
                assert_eq!(decision.due_now(once_settled), decision.due_once(decision.settled));
                Ok("written")
            }
            Ok(Resolution::Deliver(_)) => Ok("delivered"),
            Ok(Resolution::Answered) => Ok("answered"),
            Ok(Resolution::Fetch(_)) => Ok("fetch"),
            Ok(Resolution::Missing(_)) => Ok("missing"),
            Err(error) => Err(error),
        };
        let is_written = matches!(came_to, Ok("written"));
        if !is_written {
            match &before {
                Some(before) => {
                    assert_eq!(self.conversation.as_deref(), Some(&**before), "nothing is written");
                }
                // It began with the decision, and is dropped with it.
                None => self.conversation = None,
            }
        }
        self.written = is_written.then_some(out);
        came_to
    }

    fn trigger(&mut self, request: TriggerRequest) -> Result<Triggered, Error> {
        self.calls += 1;
        let session = SessionId(uuid::Uuid::from_u128(self.calls));
        let mut request = request.check(&self.limits)?;
        let target =
            Target::of(&mut request, &self.shelf, || uuid::Uuid::from_u128(1_000 + self.calls).into());
        let opt_out = CarriedOptOut { since: None, is_known: true };
        let mut trigger = TriggerCall::new(request, target, session, opt_out);
        let came_to = self.decide(&mut trigger, false)?;
        if let Some(key) = self.written.as_ref().and_then(|written| written.key.clone()) {
            self.key = Some(key);
        }
        match trigger.answer {
            None if came_to == "missing" => {
                let (flow, reason) = (self.shelf.flow.id().clone(), MissingReason::NotStored);
                Err(Error::VersionMissing { flow, version: VERSION, reason })
            }
            Some(Ok(TriggerAnswer::Final(triggered))) => Ok(triggered),
            Some(Err(error)) => Err(error),
            other => panic!("{came_to}: {other:?}"),
        }
    }

    /// None: a version is missing.
    fn receive(&mut self, id: &str, text: &str) -> Option<Received> {
        self.calls += 1;
        let inbound = Inbound::text(Channel::Sms, SHOP, ADA, text).id(id);
        let inbound = inbound.check(&self.limits).expect("the message is right");
        let (mint, now) = (Minted(uuid::Uuid::from_u128(1_000 + self.calls)), self.now);
        let opt_out = CarriedOptOut { since: None, is_known: true };
        let mut arrival = Arrival::new(inbound, (&mint, now), self.calls, opt_out);
        match self.decide(&mut arrival, false).expect("no error") {
            "missing" => None,
            _ => match arrival.answer {
                Some(InboundAnswer::Final(received)) => Some(received),
                other => panic!("{other:?}"),
            },
        }
    }

    fn act(&mut self, mut action: Action<'_>) -> bool {
        self.calls += 1;
        let mut act = HostChange::new(&mut action);
        self.decide(&mut act, false).expect("no error");
        act.took_effect
    }

    /// Applies what time alone brings.
    fn tick(&mut self) -> Option<u64> {
        self.calls += 1;
        let (opt_out, mut meeting) = (CarriedOptOut { since: None, is_known: true }, Meeting::Open);
        let mut book = WorkBooking::new(None, &[], opt_out, &mut meeting);
        self.decide(&mut book, true).expect("no error");
        book.over_at
    }

    fn sessions(&self) -> usize {
        self.conversation.as_ref().map_or(0, |conversation| conversation.sessions().len())
    }
}

fn menu() -> TriggerRequest {
    TriggerRequest::new("menu").phone(ADA)
}

/// T1, T5, T6, T9
#[test]
fn a_trigger_starts_once_and_is_answered_again() {
    let mut desk = Desk::manual();
    let Ok(Triggered::Started(first)) = desk.trigger(menu().uuid("a")) else { panic!("it starts") };
    let written = desk.written.as_ref().expect("it is written");
    assert_eq!((written.started.len(), written.add_aliases.len()), (1, 2), "the session and the address");
    assert_eq!(first.flow_version, VERSION);
    let Ok(Triggered::Started(again)) = desk.trigger(menu().uuid("a")) else { panic!("it is a repeat") };
    assert!(again.replayed && again.session_id == first.session_id && desk.written.is_none());
    let other = desk.trigger(menu().uuid("a").out_id("another"));
    assert!(matches!(other, Err(Error::IdempotencyConflict(_))), "{other:?}");
    desk.key = None;
    let Ok(Triggered::AlreadyRunning(running)) = desk.trigger(menu()) else { panic!("it runs") };
    assert!(running.session_id == first.session_id && desk.written.is_none());
    let Ok(Triggered::AlreadyRunning(_)) = desk.trigger(menu().uuid("b")) else { panic!("it runs") };
    assert!(desk.written.as_ref().is_some_and(|written| written.key.is_some()), "the key is kept");
}

/// T2, T7, T9, T10, L4
#[test]
fn what_does_not_start_leaves_nothing() {
    let mut desk = Desk::manual();
    let discarded = desk.trigger(menu().discard_time(desk.now));
    assert!(matches!(discarded, Ok(Triggered::Discarded)));
    desk.policy.refuse_unknown_contacts = true;
    let unknown = desk.trigger(TriggerRequest::new("menu").contact_id("ada"));
    assert!(matches!(unknown, Err(Error::ContactNotFound(_))));
    desk.policy.refuse_unknown_contacts = false;
    let unreachable = desk.trigger(TriggerRequest::new("menu").contact_id("ada"));
    assert!(matches!(unreachable, Err(Error::InvalidInput { .. })), "{unreachable:?}");
    desk.shelf.is_online = false;
    assert!(matches!(desk.trigger(menu()), Err(Error::FlowNotPublished(_))));
    assert!(desk.conversation.is_none());
    desk.shelf.is_online = true;
    assert!(matches!(desk.trigger(menu()), Ok(Triggered::Started(_))));
    assert!(desk.act(Action::OptOut));
    assert_eq!(desk.sessions(), 0);
    assert!(matches!(desk.trigger(menu()), Ok(Triggered::Refused(Refusal::OptedOut))));
    assert!(desk.written.is_none());
}

/// I1, I2, I3, I13
#[test]
fn a_message_is_taken_once_and_a_strangers_leaves_nothing() {
    let mut desk = Desk::manual();
    assert_eq!(desk.receive("m0", "hello"), Some(Received::Unmatched));
    assert!(desk.conversation.is_none(), "nobody is known who started nothing");
    let Ok(Triggered::Started(session)) = desk.trigger(menu()) else { panic!("it starts") };
    let consumed = Received::Consumed { session: session.session_id };
    assert_eq!(desk.receive("m1", "yes"), Some(consumed.clone()));
    let written = desk.written.take().expect("it is written");
    assert_eq!(written.ended.first().map(|ended| ended.status()), Some(Status::Completed));
    assert_eq!(desk.receive("m1", "yes"), Some(Received::Duplicate { first: consumed.into() }));
    assert_eq!(desk.receive("m2", "more"), Some(Received::Unmatched));
    assert!(desk.written.is_some(), "a known contact's message is remembered");
}

/// I4, I6
#[test]
fn a_message_starts_a_flow_and_a_word_ends_it() {
    let mut desk = Desk::inbound();
    assert!(matches!(desk.receive("m1", "hello"), Some(Received::Started { .. })));
    assert_eq!(desk.sessions(), 1);
    assert!(matches!(desk.receive("m2", "STOP"), Some(Received::Keyword { .. })));
    let ended = desk.written.take().expect("it is written").ended;
    assert_eq!(ended.first().and_then(|ended| ended.ended_by()), Some(EndReason::OptedOut));
}

/// S2, S3: a call that comes late finds the session expired at its own time.
#[test]
fn what_was_due_is_applied_before_the_operation() {
    let mut desk = Desk::manual();
    assert!(matches!(desk.trigger(menu()), Ok(Triggered::Started(_))));
    let due = desk.now + TimeDelta::minutes(30);
    desk.later(TimeDelta::hours(2));
    assert!(matches!(desk.trigger(menu()), Ok(Triggered::Started(_))), "the first has expired");
    let ended = desk.written.take().expect("it is written").ended;
    let expired = ended.first().expect("it ended");
    assert_eq!((expired.status(), expired.ended_at()), (Status::Expired, Some(due)));
}

/// S14
#[test]
fn a_version_that_is_missing_here_leaves_the_conversation_untouched() {
    let mut desk = Desk::manual();
    assert!(matches!(desk.trigger(menu()), Ok(Triggered::Started(_))));
    desk.shelf.missing = Some(MissingReason::NotStored);
    desk.later(TimeDelta::hours(2));
    assert_eq!(desk.receive("m1", "yes"), None);
    assert_eq!(desk.tick(), None);
    assert!(desk.written.is_none() && desk.sessions() == 1);
    let id = desk.conversation.as_ref().expect("it is there").sessions()[0].id();
    assert!(desk.act(Action::Cancel { session: id }), "which works all the same");
    assert_eq!(desk.sessions(), 0);
    assert!(desk.receive("m2", "stop").is_some(), "so does a word of opting out");
}

/// The events of what was written last.
fn missed(desk: &Desk) -> usize {
    let events = desk.written.iter().flat_map(|written| &written.events);
    events.filter(|noted| matches!(noted.kind, EventKind::Missed { .. })).count()
}

/// S9, S14: at each node of a session, its end clears the same with its version and without.
#[test]
fn a_session_ends_alike_with_its_version_and_without() {
    let nodes = [
        json!({"id": "wait", "kind": "wait_reply", "timeout": "10m", "debounce": "5s"}),
        json!({"id": "wait", "kind": "delay", "for": "10m"}),
        json!({"id": "wait", "kind": "function", "function": "find"}),
        json!({"id": "wait", "kind": "send_message", "text": "Hi"}),
        json!({"id": "wait", "kind": "handoff", "timeout": "10m"}),
    ];
    for (node, is_handed_over) in nodes.iter().flat_map(|node| [(node, false), (node, true)]) {
        let ended = [None, Some(MissingReason::NotStored)].map(|missing| {
            let mut desk = Desk::with(json!({"kind": "manual"}), node.clone());
            let Ok(Triggered::Started(started)) = desk.trigger(menu()) else { panic!("it starts") };
            desk.receive("m1", "a part, or too early");
            if is_handed_over {
                desk.act(Action::HandOver { session: started.session_id });
            }
            desk.shelf.missing = missing;
            assert!(desk.act(Action::Cancel { session: started.session_id }));
            let ended = desk.written.as_ref().and_then(|written| written.ended.first()).expect("it ended");
            let mut stored = json!(ended);
            assert_eq!(
                (ended.status(), ended.ended_by(), ended.ended_at()),
                (Status::Cancelled, Some(EndReason::Cancelled), Some(desk.now))
            );
            assert_eq!(
                (ended.deadline(), ended.expires_at(), ended.awaits()),
                (None, None, None),
                "{stored}"
            );
            assert!(ended.call().is_none() && ended.handoff().is_none(), "{stored}");
            stored.as_object_mut().expect("an object").remove("turns");
            (stored, missed(&desk))
        });
        assert_eq!(ended[0], ended[1], "{node}, handed over: {is_handed_over}");
    }
}

/// S14, S18: one that ended, in a record that was made by hand, is not ended once more.
#[test]
fn a_session_that_ended_stays_as_it_ended_where_its_version_is_missing() {
    let mut desk = Desk::manual();
    assert!(matches!(desk.trigger(menu()), Ok(Triggered::Started(_))));
    let conversation = Arc::make_mut(desk.conversation.as_mut().expect("it is there"));
    let session = conversation.sessions.first_mut().expect("it runs");
    let (id, ended_at) = (session.id(), desk.now);
    assert_eq!(session.end(Ending::Completed(None), ended_at), 0);
    desk.shelf.missing = Some(MissingReason::NotStored);
    desk.later(TimeDelta::hours(1));
    desk.act(Action::Cancel { session: id });
    let kept = desk.conversation.as_ref().and_then(|conversation| conversation.sessions().first());
    let kept = kept.map(|session| (session.status(), session.ended_at()));
    assert_eq!(kept, Some((Status::Completed, Some(ended_at))));
}

/// One thing that happens to a conversation.
#[derive(Clone, Debug)]
enum Event {
    Trigger(bool),
    Message(u8, &'static str),
    Opt(bool),
    Pause(bool),
    Tick,
    Time(i64),
    Version(bool),
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<bool>().prop_map(Event::Trigger),
        (0..4_u8, prop::sample::select(vec!["yes", "stop", "start", ""]))
            .prop_map(|(id, t)| Event::Message(id, t)),
        any::<bool>().prop_map(Event::Opt),
        any::<bool>().prop_map(Event::Pause),
        Just(Event::Tick),
        (0..4_000_i64).prop_map(Event::Time),
        any::<bool>().prop_map(Event::Version),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// For every input, `Desk::decide` finds each conversation as it was wherever nothing was
    /// written; and the same decision comes of the same conversation.
    #[test]
    fn nothing_is_changed_that_is_not_written(
        is_inbound: bool,
        events in prop::collection::vec(events(), 1..40),
    ) {
        let mut desks = [(); 2].map(|()| if is_inbound { Desk::inbound() } else { Desk::manual() });
        for event in events {
            let told = desks.each_mut().map(|desk| {
                match event.clone() {
                    Event::Trigger(keyed) => {
                        let request = if keyed { menu().uuid("k") } else { menu() };
                        format!("{:?}", desk.trigger(request))
                    }
                    Event::Message(id, text) => format!("{:?}", desk.receive(&id.to_string(), text)),
                    Event::Opt(out) => desk.act(if out { Action::OptOut } else { Action::OptIn }).to_string(),
                    Event::Pause(begins) => {
                        let until = desk.now + TimeDelta::minutes(20);
                        let pause = Action::Pause { until: Some(until) };
                        desk.act(if begins { pause } else { Action::Unpause }).to_string()
                    }
                    Event::Tick => format!("{:?}", desk.tick()),
                    Event::Time(seconds) => {
                        desk.later(TimeDelta::seconds(seconds));
                        String::new()
                    }
                    Event::Version(is_missing) => {
                        desk.shelf.missing = is_missing.then_some(MissingReason::NotStored);
                        String::new()
                    }
                }
            });
            prop_assert_eq!(&told[0], &told[1]);
        }
        let [one, other] = &desks;
        prop_assert_eq!(&one.conversation, &other.conversation);
    }
}
