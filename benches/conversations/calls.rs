//! The price of each call of the engine, by what it comes to. Each kind is made many times on an
//! engine of its own: allocations and bytes are counted here, instructions under callgrind.

use std::sync::{Arc, Mutex, PoisonError};

use chatflow::calls::{Answer, CallRef};
use chatflow::ops::{Cancelled, Completed, Reported};
use chatflow::session::DeliveryReport;
use chatflow::testkit::ManualClock;
use chatflow::{
    Account, Address, CallResult, Channel, Engine, Inbound, MemoryStore, MessageId, Outbound, Receipt,
    Received, SendError, SessionRef, Transport, TriggerRequest, Triggered, call_fn,
};
use chrono::TimeDelta;
use serde_json::json;

use crate::cart::now;
use crate::measure::memory_of;
use crate::operators;
use crate::script::{ACCOUNT, FLOW, Script, script};

/// Calls of each kind that are counted.
const COUNTED: u64 = 512;

const ORDER: &str = r#"{"spec": 1, "code": "order", "name": "Order", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
    "nodes": [
        {"id": "start", "kind": "start"},
        {"id": "look", "kind": "function", "function": "order", "save_to": "order"},
        {"id": "say", "kind": "send_message", "text": "It is {{ order.status }}."}],
    "edges": [{"from": "start", "to": "look"}, {"from": "look", "to": "say"}]}"#;

/// Keeps the last of what the host was given.
type Last<T> = Arc<Mutex<Option<T>>>;

fn keep<T>(last: &Last<T>, given: T) {
    *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
}

fn kept<T>(last: &Last<T>) -> T {
    last.lock().unwrap_or_else(PoisonError::into_inner).take().expect("something was given")
}

/// A transport that keeps the id of the message it was given last.
struct LastSent(Last<MessageId>);

impl Transport for LastSent {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        keep(&self.0, message.id);
        Ok(Receipt::new())
    }
}

/// An engine, and what its host was given last.
pub(crate) struct Host {
    pub(crate) engine: Engine<MemoryStore>,
    clock: ManualClock,
    sent: Last<MessageId>,
    asked: Last<CallRef>,
}

impl Host {
    fn new() -> Self {
        let (clock, sent, asked) = (ManualClock::default(), Last::default(), Last::default());
        let inbox = Arc::clone(&asked);
        let calls = call_fn(move |call| {
            keep(&inbox, call.reference.clone());
            async { Ok(Answer::Later) }
        });
        let builder = Engine::builder(MemoryStore::new()).transport(LastSent(Arc::clone(&sent)));
        let engine = builder.calls(calls).inline_calls().clock(clock.clone()).build();
        for flow in [FLOW, ORDER] {
            now(engine.flows().ensure(flow)).expect("the flow is right");
        }
        Self { engine, clock, sent, asked }
    }

    /// Calls of one kind, each of a contact of its own for whom this was done before.
    pub(crate) fn calls<'a, C: FnOnce() + 'a>(&'a self, mut ready: impl FnMut(Script) -> C) -> Vec<Call<'a>> {
        (0..COUNTED).map(|contact| Box::new(ready(script(contact))) as Call<'a>).collect()
    }

    /// Starts the cart, and answers these.
    pub(crate) fn begin(&self, contact: &Script, answers: usize) -> SessionRef {
        let Triggered::Started(session) = self.trigger(cart(contact, "")) else {
            panic!("it was not started")
        };
        for place in 0..answers {
            let received = self.receive(answer(contact, place));
            assert!(matches!(received, Received::Consumed { .. }), "{received:?}");
        }
        session
    }

    fn trigger(&self, request: TriggerRequest) -> Triggered {
        now(self.engine.trigger(request)).expect("the trigger is right")
    }

    fn receive(&self, inbound: Inbound) -> Received {
        now(self.engine.receive(inbound)).expect("the message is right")
    }
}

/// The trigger of the cart, under a key that begins so.
fn cart(contact: &Script, key: &str) -> TriggerRequest {
    let Script { phone: [phone, ..], context, key: own, .. } = contact;
    TriggerRequest::new("abandoned-cart").phone(phone).context(context.clone()).uuid(key.to_owned() + own)
}

/// The answer at this place of the script.
fn answer(contact: &Script, place: usize) -> Inbound {
    message(contact, &contact.texts[place], &contact.ids[place])
}

fn message(contact: &Script, text: &str, id: &str) -> Inbound {
    Inbound::text(Channel::WhatsApp, ACCOUNT, contact.phone[0].clone(), text).id(id)
}

/// A call that is ready to be made.
pub(crate) type Call<'a> = Box<dyn FnOnce() + 'a>;

/// A kind of call: its name, and calls of it, all made ready.
pub(crate) type Kind = (&'static str, for<'a> fn(&'a Host) -> Vec<Call<'a>>);

const KINDS: [Kind; 17] = [
    ("trigger", |host| {
        host.calls(|who| {
            let request = cart(&who, "");
            move || assert!(matches!(host.trigger(request), Triggered::Started(_)))
        })
    }),
    ("trigger_again", |host| {
        host.calls(|who| {
            host.begin(&who, 2);
            let request = cart(&who, "again");
            move || assert!(matches!(host.trigger(request), Triggered::Started(_)))
        })
    }),
    ("trigger_replayed", |host| {
        host.calls(|who| {
            host.begin(&who, 0);
            let request = cart(&who, "");
            move || assert!(matches!(host.trigger(request), Triggered::Started(_)))
        })
    }),
    ("trigger_already_running", |host| {
        host.calls(|who| {
            host.begin(&who, 0);
            let request = cart(&who, "other");
            move || assert!(matches!(host.trigger(request), Triggered::AlreadyRunning(_)))
        })
    }),
    ("receive", |host| {
        host.calls(|who| {
            host.begin(&who, 0);
            let inbound = answer(&who, 0);
            move || assert!(matches!(host.receive(inbound), Received::Consumed { .. }))
        })
    }),
    ("receive_last", |host| {
        host.calls(|who| {
            host.begin(&who, 1);
            let inbound = answer(&who, 1);
            move || assert!(matches!(host.receive(inbound), Received::Consumed { .. }))
        })
    }),
    ("receive_duplicate", |host| {
        host.calls(|who| {
            host.begin(&who, 1);
            let inbound = answer(&who, 0);
            move || assert!(matches!(host.receive(inbound), Received::Duplicate { .. }))
        })
    }),
    ("receive_unmatched", |host| {
        host.calls(|who| {
            let inbound = answer(&who, 0);
            move || assert!(matches!(host.receive(inbound), Received::Unmatched))
        })
    }),
    ("receive_opt_out", |host| {
        host.calls(|who| {
            host.begin(&who, 0);
            let inbound = message(&who, "Stop.", &who.ids[0]);
            move || assert!(matches!(host.receive(inbound), Received::Keyword { .. }))
        })
    }),
    ("report", |host| {
        host.calls(|who| {
            host.begin(&who, 0);
            let message = kept(&host.sent);
            move || {
                let reported = now(host.engine.report(message, DeliveryReport::Delivered));
                assert_eq!(reported.expect("memory answers"), Reported::Noted);
            }
        })
    }),
    ("complete", |host| {
        host.calls(|Script { phone: [phone, ..], .. }| {
            let _ = now(host.engine.trigger(TriggerRequest::new("order").phone(phone))).expect("it is right");
            let (call, result) = (kept(&host.asked), CallResult::value(json!({"status": "packed"})));
            move || {
                let completed = now(host.engine.complete(call, result)).expect("memory answers");
                assert_eq!(completed, Completed::Resumed);
            }
        })
    }),
    ("cancel", |host| {
        host.calls(|who| {
            host.begin(&who, 0);
            let session = kept(&host.sent).session;
            move || {
                let cancelled = now(host.engine.cancel(session)).expect("memory answers");
                assert_eq!(cancelled, Cancelled::Cancelled);
            }
        })
    }),
    ("session", |host| {
        host.calls(|who| {
            host.begin(&who, 0);
            let session = kept(&host.sent).session;
            move || assert!(now(host.engine.session(session)).expect("memory answers").is_some())
        })
    }),
    ("contact_at", |host| {
        host.calls(|who| {
            host.begin(&who, 0);
            let account = Account::new(Channel::WhatsApp, ACCOUNT).expect("it is right");
            let address = Address::new(&account, &who.phone[0]).expect("it is right");
            move || assert!(now(host.engine.contact_at(&address)).expect("memory answers").is_some())
        })
    }),
    ("tick_idle", |host| {
        host.calls(|who| {
            host.begin(&who, 0);
            move || assert_eq!(now(host.engine.tick(100)).expect("memory answers").worked, 0)
        })
    }),
    ("tick_expiry", |host| {
        let expired = host.calls(|who| {
            host.begin(&who, 0);
            move || assert_eq!(now(host.engine.tick(1)).expect("memory answers").worked, 1)
        });
        host.clock.advance(TimeDelta::minutes(31));
        expired
    }),
    ("tick_full", |host| {
        let mut expired = host.calls(|who| {
            host.begin(&who, 0);
            move || assert_eq!(now(host.engine.tick(32)).expect("memory answers").worked, 32)
        });
        host.clock.advance(TimeDelta::minutes(31));
        expired.truncate(expired.len() / 32);
        expired
    }),
];

/// Prints allocations of each kind of call, and their bytes: on average, since tables grow, and of
/// several engines the median, since each hashes in its own way.
pub(crate) fn print_memory() {
    const ENGINES: usize = 7;
    println!("# Allocations of each call on average, and their bytes; `tick_full` is a tick of 32 expiries.");
    for (name, calls) in KINDS.into_iter().chain(operators::KINDS) {
        let mut counts: Vec<(u64, f64)> = (0..ENGINES)
            .map(|_| {
                let host = Host::new();
                let calls = calls(&host);
                let of = calls.len() as u64;
                let (allocations, bytes) = memory_of(|| counted_calls(calls));
                ((bytes + of / 2) / of, allocations as f64 / of as f64)
            })
            .collect();
        counts.sort_by_key(|one| one.0);
        let (bytes, allocations) = counts[ENGINES / 2];
        println!("call.{name}.allocations = {allocations:.1}");
        println!("call.{name}.bytes = {bytes}");
    }
}

/// Makes the kind of call that the command names, for callgrind:
/// `--toggle-collect='*counted_calls*'`. Prints how many there are.
pub(crate) fn for_callgrind() {
    let is_named = |name: &str| std::env::args().any(|arg| arg == name);
    let kinds = KINDS.into_iter().chain(operators::KINDS);
    for (_, calls) in kinds.filter(|(name, _)| is_named(name)) {
        let host = Host::new();
        let calls = calls(&host);
        println!("{}", calls.len());
        counted_calls(calls);
    }
}

#[inline(never)]
fn counted_calls(calls: Vec<Call<'_>>) {
    for call in calls {
        call();
    }
}
