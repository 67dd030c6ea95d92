//! Threads that work on one store at once, without a fault: what they leave equals what some order
//! of them would have left.

use std::collections::{BTreeMap, HashSet};
use std::sync::Barrier;
use std::thread;

use chatflow::ops::Unpublish;
use chatflow::store::ConversationStore;
use chatflow::{ContactId, Engine, Error, FlowId, Received, SessionRef, Status, TriggerRequest, Triggered};
use chrono::TimeDelta;
use pollster::block_on;

use crate::kit::{Setup, World};
use crate::scenarios::{ADA, flow, flows, says, trigger};

const THREADS: usize = 8;
const ROUNDS: usize = 24;

/// A store that decides under its own lock, and one where each decision is a load and a commit.
const SETUPS: [Setup; 2] = [
    Setup { whole: true, deferred: false, inline_calls: false },
    Setup { whole: false, deferred: false, inline_calls: false },
];

/// Does the same on many threads that begin together.
fn together<T: Send>(threads: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let run = |number| {
            let (barrier, act) = (&barrier, &act);
            scope.spawn(move || {
                barrier.wait();
                act(number)
            })
        };
        let running: Vec<_> = (0..threads).map(run).collect();
        running.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    })
}

/// Repeats what lost too many races, as a host does.
fn insist<T>(call: impl AsyncFn() -> Result<T, Error>) -> T {
    loop {
        match block_on(call()) {
            Ok(answer) => return answer,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
}

fn triggered<S: ConversationStore>(engine: &Engine<S>, flow: &str, key: &str) -> Triggered {
    insist(async || engine.trigger(trigger(flow, Some(key))).await)
}

fn session(triggered: &Triggered) -> SessionRef {
    triggered.session().cloned().expect("it names a session")
}

/// INV-O4, INV-O5: each message once, those of a destination in their order.
fn check_sent_once_in_order(world: &World) {
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for message in world.wire.taken() {
        let before = last.insert(crate::kit::route(&message), message.id.seq).unwrap_or(0);
        assert_eq!(message.id.seq, before + 1, "`{}` after number {before}", message.text());
    }
}

/// INV-S1, INV-S2, T6: of many triggers with keys of their own one starts, the others find it
/// running.
#[test]
fn of_many_triggers_with_different_keys_one_starts() {
    for setup in SETUPS {
        for _ in 0..ROUNDS {
            let world = World::with_flows(setup, &flows(&["ask"]));
            let engine = world.engine();
            let answers = together(THREADS, |number| triggered(&engine, "ask", &format!("k{number}")));
            let started = answers.iter().filter(|answer| matches!(answer, Triggered::Started(_))).count();
            assert_eq!(started, 1, "{answers:?}");
            let ids: HashSet<_> = answers.iter().map(|answer| session(answer).session_id).collect();
            assert_eq!((ids.len(), world.sessions().len()), (1, 1));
            check_sent_once_in_order(&world);
        }
    }
}

/// INV-K3, T5: of many triggers with one key one is carried out, and all get its answer.
#[test]
fn of_many_triggers_with_one_key_one_is_carried_out() {
    for setup in SETUPS {
        for _ in 0..ROUNDS {
            let world = World::with_flows(setup, &flows(&["once"]));
            let engine = world.engine();
            let answers = together(THREADS, |_| triggered(&engine, "once", "k1"));
            let first: Vec<_> = answers.iter().filter(|answer| !session(answer).replayed).collect();
            assert_eq!(first.len(), 1, "{answers:?}");
            for answer in &answers {
                assert!(matches!(answer, Triggered::Started(_)));
                assert_eq!(session(answer).session_id, session(first[0]).session_id);
            }
            assert_eq!(world.sessions().len(), 1);
            check_sent_once_in_order(&world);
        }
    }
}

/// A flow that writes down all that it hears, and says so.
pub(crate) fn diary() -> String {
    flow(
        "diary",
        r#"{"id": "hear", "kind": "wait_reply", "timeout": "10m"},
           {"id": "note", "kind": "set_variables", "variables": [{"name": "said", "value": "{{vars.said}}[{{reply.text}}]"}]},
           {"id": "nod", "kind": "send_message", "text": "{{vars.said}}"}"#,
        r#"{"from": "start", "to": "hear"}, {"from": "hear", "to": "note"}, {"from": "note", "to": "nod"},
           {"from": "nod", "to": "hear"}"#,
    )
}

fn said(world: &World) -> Vec<String> {
    let sessions = world.sessions();
    let vars = sessions[0].session().vars().to_json();
    let text = vars["said"].as_str().unwrap_or_default().to_owned();
    text.split_terminator(']').map(|part| part.trim_start_matches('[').to_owned()).collect()
}

/// I8, INV-M2, INV-M3: messages that come at once are each taken once; what is left is what one
/// order of them leaves.
#[test]
fn many_replies_at_once_are_taken_one_after_the_other() {
    for setup in SETUPS {
        for _ in 0..ROUNDS / 2 {
            let world = World::with_flows(setup, &[diary()]);
            let engine = world.engine();
            let _ = triggered(&engine, "diary", "k1");
            let answers = together(THREADS, |number| {
                let text = |n: usize| format!("{number}-{n}");
                let say = |n| insist(async || engine.receive(says(&text(n), &text(n))).await);
                (0..4).map(say).collect::<Vec<_>>()
            });
            for answer in answers.iter().flatten() {
                assert!(matches!(answer, Received::Consumed { .. }), "{answer:?}");
            }
            let heard = said(&world);
            assert_eq!(heard.iter().collect::<HashSet<_>>().len(), THREADS * 4, "{heard:?}");
            for number in 0..THREADS {
                let own: Vec<_> =
                    heard.iter().filter(|text| text.starts_with(&format!("{number}-"))).collect();
                assert!(own.is_sorted(), "one thread's messages in their order: {own:?}");
            }
            // What was said after each message is what had been heard by then.
            let told: Vec<String> = world.wire.taken().iter().map(|sent| sent.text().to_owned()).collect();
            assert!(told.windows(2).all(|pair| pair[1].starts_with(&pair[0])), "{told:?}");
            check_sent_once_in_order(&world);
        }
    }
}

/// INV-M1, I2: a message that is delivered on many threads at once takes effect once.
#[test]
fn a_message_that_comes_on_many_threads_takes_effect_once() {
    for setup in SETUPS {
        for _ in 0..ROUNDS {
            let world = World::with_flows(setup, &[diary()]);
            let engine = world.engine();
            let _ = triggered(&engine, "diary", "k1");
            let answers = together(THREADS, |_| insist(async || engine.receive(says("m1", "hello")).await));
            let first = answers.iter().filter(|answer| matches!(answer, Received::Consumed { .. })).count();
            assert_eq!(first, 1, "{answers:?}");
            assert_eq!(said(&world), ["hello"]);
            check_sent_once_in_order(&world);
        }
    }
}

/// INV-O4, INV-O5, INV-O6: engines that tick at once hand each message over once, in order.
#[test]
fn engines_that_tick_at_once_share_the_work() {
    for setup in SETUPS {
        let world = World::with_flows(Setup { deferred: true, ..setup }, &flows(&["once", "quick"]));
        let engine = world.engine();
        for contact in 0..24 {
            for code in ["once", "quick"] {
                let request = TriggerRequest::new(code).phone(format!("+141555501{contact:02}"));
                let _ = insist(async || engine.trigger(request.clone()).await);
            }
        }
        together(4, |_| {
            let engine = world.engine();
            while insist(async || engine.tick(3).await).worked > 0 {}
        });
        world.tick_out();
        assert_eq!(world.wire.taken().len(), 24 * 5);
        assert_eq!(world.desk.asked().len(), 24, "each call is made once");
        check_sent_once_in_order(&world);
    }
}

/// INV-R4: triggers, replies and ticks at once, on engines of their own, are as one after the
/// other.
#[test]
fn engines_of_their_own_are_as_one() {
    for setup in SETUPS {
        for _ in 0..ROUNDS / 2 {
            let world = World::with_flows(setup, &[vec![diary()], flows(&["once", "ask"])].concat());
            let _ = triggered(&world.engine(), "diary", "k1");
            together(THREADS, |number| {
                let engine = world.engine();
                for n in 0..3 {
                    match number % 3 {
                        0 => drop(triggered(&engine, "once", &format!("{number}-{n}"))),
                        1 => {
                            let text = format!("{number}-{n}");
                            let _ = insist(async || engine.receive(says(&text, &text)).await);
                        }
                        _ => drop(insist(async || engine.tick(10).await)),
                    }
                }
            });
            world.tick_out();
            assert_eq!(said_of(&world, "diary"), 9);
            assert_eq!(world.sessions().len(), 10);
            check_sent_once_in_order(&world);
        }
    }
}

fn said_of(world: &World, flow: &str) -> usize {
    let sessions = world.sessions();
    let found = sessions.iter().find(|record| record.session().flow().as_str() == flow);
    found.map_or(0, |record| record.session().vars().to_json()["said"].to_string().matches('[').count())
}

/// L2, S5: each session that starts while versions are published runs on one of them, to its end.
#[test]
fn triggers_run_while_versions_are_published() {
    for setup in SETUPS {
        let world = World::with_flows(setup, &flows(&["once"]));
        let engine = world.engine();
        let text = flows(&["once"]).remove(0);
        let answers = together(4, |number| {
            let mut answers = Vec::new();
            for n in 0..8 {
                if number == 0 {
                    let text = text.replace("One", &format!("One {n}"));
                    insist(async || engine.flows().ensure(&text).await);
                } else {
                    let request = TriggerRequest::new("once").phone(format!("+1415555{number}{n:03}"));
                    answers.push(insist(async || engine.trigger(request.clone()).await));
                }
            }
            answers
        });
        let answers: Vec<SessionRef> = answers.iter().flatten().map(session).collect();
        for record in world.sessions() {
            let session = record.session();
            assert_eq!(session.status(), Status::Completed);
            let answer = answers.iter().find(|answer| answer.session_id == session.id()).expect("answered");
            assert_eq!(answer.flow_version, session.version());
            let sent = world.wire.taken();
            let first = sent.iter().find(|sent| sent.session() == session.id()).expect("sent");
            let expected = match session.version().0 {
                1 => "One".to_owned(),
                version => format!("One {}", version - 2),
            };
            assert_eq!(first.text(), expected);
        }
        check_sent_once_in_order(&world);
    }
}

/// L4, INV-S3: after an unpublish that terminates, no session of the flow continues, whatever came
/// at the same time.
#[test]
fn a_terminated_flow_takes_no_more_replies() {
    for setup in SETUPS {
        for _ in 0..ROUNDS / 2 {
            let world = World::with_flows(setup, &[diary()]);
            let engine = world.engine();
            let _ = triggered(&engine, "diary", "k1");
            let diary: FlowId = "diary".parse().unwrap();
            together(4, |number| {
                if number == 0 {
                    insist(async || engine.flows().unpublish(&diary, Unpublish::Terminate).await);
                    let after = insist(async || engine.receive(says("last", "last")).await);
                    assert!(!matches!(after, Received::Consumed { .. }), "{after:?}");
                } else {
                    for n in 0..4 {
                        let text = format!("{number}-{n}");
                        let _ = insist(async || engine.receive(says(&text, &text)).await);
                    }
                }
            });
            world.pass(TimeDelta::seconds(2));
            world.tick_out();
            assert!(world.sessions().iter().all(|record| record.session().status() == Status::Cancelled));
            assert_eq!(insist(async || engine.live_sessions(&diary).await), 0);
        }
    }
}

/// T10: a contact that has opted out is in no session, and in none that was triggered at the same
/// time.
#[test]
fn an_opt_out_leaves_no_session_whatever_was_triggered_at_the_same_time() {
    for setup in SETUPS {
        for _ in 0..ROUNDS {
            let world = World::with_flows(setup, &flows(&["ask", "other", "once"]));
            let engine = world.engine();
            let ada: ContactId = session(&triggered(&engine, "once", "k0")).contact_id;
            together(4, |number| match number {
                0 => insist(async || engine.opt_out(&ada).await),
                1 => drop(triggered(&engine, "ask", "k1")),
                2 => drop(triggered(&engine, "other", "k2")),
                _ => drop(insist(async || engine.receive(says("m1", ADA)).await)),
            });
            let contact = insist(async || engine.contact(&ada).await).expect("known");
            assert!(contact.opted_out_at.is_some());
            for record in world.sessions() {
                assert!(!record.session().status().is_live(), "{:?}", record.session());
            }
            world.wire.check_ids();
        }
    }
}
