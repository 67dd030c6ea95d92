//! The abandoned cart on graph-flow and on the crate, in turn within one run: conversations per
//! CPU-second, nothing else live. On graph-flow the nodes are code, and a session is loaded, run
//! and saved in memory at each call. It has no keys, no message ids, no outbox, no lease, no timers
//! and no archive; the crate keeps all of its promises.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints, and stops when it is wrong"
)]

#[path = "../conversations/cart.rs"]
#[allow(dead_code, reason = "the crate's own benchmark begins conversations, too")]
mod cart;
#[path = "../shared/median.rs"]
mod median;
#[path = "../shared/script.rs"]
mod script;

use std::sync::Arc;

use async_trait::async_trait;
use cpu_time::ThreadTime;
use graph_flow::{
    Context, ExecutionStatus, Graph, GraphBuilder, InMemorySessionStorage, NextAction, Session,
    SessionStorage, Task, TaskResult,
};
use serde_json::Value;

use crate::cart::OnCrate;
use crate::median::median;
use crate::script::{Counter, Script, said, scripts};

const CONTACTS: u64 = 10_000;
const PASSES: usize = 9;

/// A node: what it says, and where the session continues.
struct Node {
    id: &'static str,
    say: fn(&Context) -> Option<String>,
    then: fn() -> NextAction,
}

#[async_trait]
impl Task for Node {
    fn id(&self) -> &str {
        self.id
    }

    async fn run(&self, context: Context) -> graph_flow::Result<TaskResult> {
        Ok(TaskResult::new((self.say)(&context), (self.then)()))
    }
}

fn text(context: &Context, name: &str) -> String {
    context.get(name).unwrap_or_default()
}

fn graph() -> Graph {
    let node = |id, say, then| Arc::new(Node { id, say, then });
    let remind = |context: &Context| {
        let (name, cart, total) =
            (text(context, "first_name"), text(context, "cart_id"), text(context, "cart_total"));
        Some(format!("Hi {name}, your cart {cart} totals {total}. Reply 1 to check out or 2 for an agent."))
    };
    let checkout =
        |context: &Context| Some(format!("Checkout: https://shop.example/c/{}", text(context, "cart_id")));
    let answers = |answer: &'static str| move |context: &Context| text(context, "reply").trim() == answer;
    GraphBuilder::new("abandoned-cart")
        .add_task(node("remind", remind, || NextAction::Continue))
        .add_task(node("pick", |_| None, || NextAction::ContinueAndExecute))
        .add_task(node("agent_or_sorry", |_| None, || NextAction::ContinueAndExecute))
        .add_task(node("checkout", checkout, || NextAction::End))
        .add_task(node("agent", |_| Some("An agent will write to you.".to_owned()), || NextAction::End))
        .add_task(node(
            "sorry",
            |_| Some("Sorry, please answer 1 or 2.".to_owned()),
            || NextAction::GoTo("pick".to_owned()),
        ))
        .add_edge("remind", "pick")
        .add_conditional_edge("pick", answers("1"), "checkout", "agent_or_sorry")
        .add_conditional_edge("agent_or_sorry", answers("2"), "agent", "sorry")
        .build()
        .expect("the graph is right")
}

struct OnGraphFlow {
    graph: Graph,
    sessions: InMemorySessionStorage,
    counter: Counter,
}

impl OnGraphFlow {
    fn new() -> Self {
        Self { graph: graph(), sessions: InMemorySessionStorage::new(), counter: Counter::default() }
    }

    async fn trigger(&self, phone: String, context: Value) {
        let session = Session::new_from_task(phone, "remind");
        let Value::Object(fields) = context else { panic!("a context is an object") };
        for (name, value) in fields {
            session.context.set(name, value).expect("it is JSON");
        }
        self.turn(session).await;
    }

    async fn reply(&self, phone: String, text: String) {
        let session = self.sessions.get(&phone).await.expect("it is there").expect("it is live");
        session.context.set("reply", text).expect("it is JSON");
        self.turn(session).await;
    }

    async fn turn(&self, mut session: Session) {
        let done = self.graph.execute_session(&mut session).await.expect("it runs");
        assert!(!matches!(done.status, ExecutionStatus::WaitingForInput));
        self.counter.take(&done.response.unwrap_or_default());
        self.sessions.save(session).await.expect("it is saved");
    }

    async fn converse(&self, script: Script) {
        let Script { phone: [first, second, third], context, texts: [text, last_text], .. } = script;
        self.trigger(first, context).await;
        self.reply(second, text).await;
        self.reply(third, last_text).await;
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("it starts");
    let (mut theirs, mut ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PASSES {
        let (on_crate, beside) = (OnCrate::new(), OnGraphFlow::new());
        let (for_crate, for_beside) = (scripts(0..CONTACTS), scripts(0..CONTACTS));
        let before = ThreadTime::now();
        runtime.block_on(async {
            for script in for_beside {
                beside.converse(script).await;
            }
        });
        let their_time = before.elapsed().as_secs_f64();
        let before = ThreadTime::now();
        for_crate.into_iter().for_each(|script| on_crate.converse(script));
        let our_time = before.elapsed().as_secs_f64();
        let expected = said(0..CONTACTS);
        assert_eq!((on_crate.counter.total(), beside.counter.total()), (expected, expected));
        theirs.push(CONTACTS as f64 / their_time);
        ours.push(CONTACTS as f64 / our_time);
        ratios.push(their_time / our_time);
    }
    let show = |name: &str, values: Vec<f64>| {
        let (speed, spread) = median(values);
        println!("{name:<10} {speed:>9.0} conversations per CPU-second ({spread:.0} %)");
    };
    show("graph-flow", theirs);
    show("chatflow", ours);
    println!("chatflow is {:.2} times as fast", median(ratios).0);
}
