//! A version is its content (SEMANTICS S13), as scenarios for any store. `open` is what a process
//! does at its start.

use std::sync::Arc;
use std::time::Duration;

use chatflow::error::MissingReason;
use chatflow::limits::Limits;
use chatflow::ops::{Cancelled, EraseOptions, SessionFilter};
use chatflow::store::{ConversationStore, MemoryFlows, StoreQueries};
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{Builder, Channel, Engine, Error, Inbound, Received, SessionRef, Status, TriggerRequest};
use chrono::TimeDelta;

const ANN: &str = "+14155550123";
const BOB: &str = "+14155550124";

/// A flow that asks this, and acts on the answer like that.
fn flow(asks: &str, acts: &str) -> String {
    format!(
        r#"{{"spec": 1, "code": "account", "trigger": {{"kind": "manual"}},
        "settings": {{"sender": {{"channel": "sms", "account": "+15550100"}}}},
        "nodes": [{{"id": "start", "kind": "start"}}, {{"id": "hi", "kind": "send_message", "text": "{asks}"}},
                  {{"id": "wait", "kind": "wait_reply", "timeout": "10m"}},
                  {{"id": "act", "kind": "send_message", "text": "{acts}"}}],
        "edges": [{{"from": "start", "to": "hi"}}, {{"from": "hi", "to": "wait"}}, {{"from": "wait", "to": "act"}}]}}"#
    )
}

fn keeping() -> String {
    flow("KEEP your account?", "Kept.")
}

fn deleting() -> String {
    flow("DELETE your account?", "Deleted.")
}

/// The world that processes share beside the store.
#[derive(Default)]
struct World {
    clock: ManualClock,
    channel: Recorder,
}

impl World {
    /// Its clock is another than the server's where the store has one.
    fn process<S: ConversationStore>(&self, store: S) -> Builder<S> {
        Engine::builder(store)
            .clock(self.clock.clone())
            .max_skew(Duration::MAX)
            .transport(self.channel.clone())
    }
}

async fn start<S: ConversationStore>(bot: &Engine<S>, phone: &str) -> SessionRef {
    bot.trigger(TriggerRequest::new("account").phone(phone)).await.unwrap().session().unwrap().clone()
}

async fn say<S: ConversationStore>(bot: &Engine<S>, phone: &str) -> Result<Received, Error> {
    bot.receive(Inbound::text(Channel::Sms, "+15550100", phone, "yes")).await
}

/// After a restart with an edited flow, sessions continue with the text that they began, and new
/// ones have the new text.
pub(crate) async fn a_restart_with_an_edited_flow<S: ConversationStore>(open: impl AsyncFn() -> S) {
    let world = World::default();
    let before = world.process(open().await).build();
    before.flows().ensure(&keeping()).await.unwrap();
    start(&before, ANN).await;
    drop(before);
    let after = world.process(open().await).build();
    after.flows().ensure(&deleting()).await.unwrap();
    let _ = say(&after, ANN).await.unwrap();
    start(&after, BOB).await;
    let _ = say(&after, BOB).await.unwrap();
    let said = ["KEEP your account?", "Kept.", "DELETE your account?", "Deleted."];
    assert_eq!(world.channel.take_texts(), said);
}

/// Two builds keep their flows in the process, each another text under the same number: a session
/// continues where its own text is, and is left untouched elsewhere.
pub(crate) async fn two_builds_on_one_store<S: ConversationStore + StoreQueries>(open: impl AsyncFn() -> S) {
    let world = World::default();
    let old = world.process(open().await).flow_store(MemoryFlows::default()).build();
    let new = world.process(open().await).flow_store(MemoryFlows::default()).build();
    old.flows().ensure(&keeping()).await.unwrap();
    new.flows().ensure(&deleting()).await.unwrap();
    let session = start(&old, ANN).await;
    assert_eq!(session.flow_version.0, 1);
    refuses(&new, &session, MissingReason::NotStored).await;
    world.clock.advance(TimeDelta::minutes(9));
    assert_eq!(say(&old, ANN).await.unwrap(), Received::Consumed { session: session.session_id });
    assert_eq!(world.channel.take_texts(), ["KEEP your account?", "Kept."]);
    assert!(new.stranded(SessionFilter::all()).await.unwrap().is_empty());
}

/// A process that lacks the version of a session takes nothing for it: the call is to be
/// made again.
async fn refuses<S: ConversationStore + StoreQueries>(
    bot: &Engine<S>,
    session: &SessionRef,
    lacks: MissingReason,
) {
    let before = bot.session(session.session_id).await.unwrap().unwrap().session().clone();
    let error = say(bot, ANN).await.unwrap_err();
    assert_eq!((error.code(), error.http_status(), error.is_retryable()), ("version_missing", 503, true));
    let Error::VersionMissing { flow, version, reason } = error else { panic!("{error}") };
    assert_eq!((&flow, version), (&session.flow_id, session.flow_version));
    assert_eq!(reason.as_str(), lacks.as_str());
    let _ = bot.tick(10).await.unwrap();
    let after = bot.session(session.session_id).await.unwrap().unwrap();
    assert_eq!(*after.session(), before, "it is untouched");
    let stranded = bot.stranded(SessionFilter::all()).await.unwrap();
    assert_eq!(stranded.len(), 1);
    assert_eq!((stranded[0].record.session(), &stranded[0].flow), (&before, &flow));
    assert_eq!(stranded[0].reason, reason);
}

/// A process with smaller limits leaves what it cannot compile alone, past its deadline too; and
/// puts it off, so that others come to it.
pub(crate) async fn a_process_with_smaller_limits<S: ConversationStore + StoreQueries>(
    open: impl AsyncFn() -> S,
) {
    let world = World::default();
    let flows = Arc::new(MemoryFlows::default());
    let large = world.process(open().await).flow_store(Arc::clone(&flows)).build();
    let limits = Limits { nodes: 2, ..Limits::default() };
    let small = world.process(open().await).flow_store(flows).limits(limits).build();
    large.flows().ensure(&keeping()).await.unwrap();
    let session = start(&large, ANN).await;
    let why = MissingReason::NotReadable("".into());
    refuses(&small, &session, why.clone()).await;
    world.clock.advance(TimeDelta::minutes(10));
    refuses(&small, &session, why).await;
    let ticked = large.tick(10).await.unwrap();
    assert_eq!(ticked.worked, 0, "it is put off");
    world.clock.advance(TimeDelta::minutes(5));
    let _ = large.tick(10).await.unwrap();
    let ended = large.session(session.session_id).await.unwrap().unwrap();
    assert!(!ended.session().status().is_live(), "another process works it later");
    let refused = small.trigger(TriggerRequest::new("account").phone(BOB)).await.unwrap_err();
    assert_eq!(refused.code(), "version_missing", "{refused}");
}

/// A process that cannot read a flow leaves those alone that call it, by others too: their calls do
/// not fail.
pub(crate) async fn a_call_of_what_cannot_be_read<S: ConversationStore + StoreQueries>(
    open: impl AsyncFn() -> S,
) {
    let world = World::default();
    let flows = Arc::new(MemoryFlows::default());
    let large = world.process(open().await).flow_store(Arc::clone(&flows)).build();
    let limits = Limits { nodes: 4, ..Limits::default() };
    let small = world.process(open().await).flow_store(flows).limits(limits).build();
    let named =
        |flow: String, code: &str| flow.replace(r#""code": "account""#, &format!(r#""code": "{code}""#));
    let acts = r#"{"id": "act", "kind": "send_message", "text": "Kept."}"#;
    let more = format!(r#"{{"id": "more", "kind": "send_message", "text": "More."}}, {acts}"#);
    let long = named(keeping().replace(acts, &more), "address");
    let long = long.replace(
        r#"{"from": "wait", "to": "act"}"#,
        r#"{"from": "wait", "to": "more"}, {"from": "more", "to": "act"}"#,
    );
    let calling = |callee: &str| {
        let call = format!(r#"{{"id": "act", "kind": "call_flow", "flow": "{callee}", "terminal": true}}"#);
        keeping().replace(acts, &call)
    };
    let middle = named(calling("address"), "middle");
    for flow in [long, middle, calling("middle"), named(deleting(), "plain")] {
        large.flows().ensure(&flow).await.unwrap();
    }
    let session = start(&large, ANN).await;
    let before = large.session(session.session_id).await.unwrap().unwrap();
    let refused = small.trigger(TriggerRequest::new("account").phone(BOB)).await.unwrap_err();
    for refused in [say(&small, ANN).await.unwrap_err(), refused] {
        assert!(refused.to_string().starts_with("version 1 of flow `address` cannot be read"), "{refused}");
        assert_eq!((refused.code(), refused.is_retryable()), ("version_missing", true));
    }
    let after = small.session(session.session_id).await.unwrap().unwrap();
    assert_eq!(after.session(), before.session(), "it is untouched");
    let stranded = small.stranded(SessionFilter::all()).await.unwrap();
    assert_eq!((stranded.len(), stranded[0].flow.as_str()), (1, "address"));
    let plain = small.trigger(TriggerRequest::new("plain").phone(BOB)).await.unwrap();
    assert!(plain.session().is_some(), "what calls nothing of the kind works");
    let _ = world.channel.take_texts();
    let _ = say(&large, ANN).await.unwrap();
    assert_eq!(world.channel.take_texts(), ["KEEP your account?"], "elsewhere it goes on into the call");
}

/// The ways out for an operator: migrate the session to a version that is there, cancel it, erase
/// the contact.
pub(crate) async fn ways_out<S: ConversationStore + StoreQueries>(open: impl AsyncFn() -> S) {
    let world = World::default();
    let old = world.process(open().await).flow_store(MemoryFlows::default()).build();
    let new = world.process(open().await).flow_store(MemoryFlows::default()).build();
    old.flows().ensure(&keeping()).await.unwrap();
    new.flows().ensure(&deleting()).await.unwrap();
    let (ann, bob) = (start(&old, ANN).await, start(&old, BOB).await);
    let carl = start(&old, "+14155550125").await;
    let version = ann.flow_version;
    let nowhere = [("wait".parse().unwrap(), "act".parse().unwrap())];
    let refused = new.migrate(ann.session_id, version, &nowhere).await.unwrap_err();
    assert_eq!(refused.code(), "cannot_migrate", "{refused}");
    let migrated = new.migrate(ann.session_id, version, &[]).await.unwrap();
    assert_eq!(migrated.node.as_str(), "wait");
    assert_eq!(world.channel.take_texts().len(), 3);
    let _ = say(&new, ANN).await.unwrap();
    assert_eq!(world.channel.take_texts(), ["Deleted."]);
    assert_eq!(new.cancel(bob.session_id).await.unwrap(), Cancelled::Cancelled);
    let bob = new.session(bob.session_id).await.unwrap().unwrap();
    assert_eq!(bob.session().status(), Status::Cancelled);
    let erased = new.erase(&carl.contact_id, EraseOptions::new()).await.unwrap();
    assert!(erased.sessions > 0);
    assert!(new.stranded(SessionFilter::all()).await.unwrap().is_empty());
}
