//! Records that every later release must read: the files in `tests/compat/v1`, written by the
//! release that had each thing first. They are never rewritten; `UPDATE=1` writes those that are
//! missing, such as the nodes of a new kind. Only before the first release may one be deleted, to
//! be written anew.

use std::path::{Path, PathBuf};
use std::{env, fs};

use chatflow::calls::{Answer, Call, CallRef};
use chatflow::flow::{FlowDef, NodeDef, NodeKind, gallery};
use chatflow::ops::SessionFilter;
use chatflow::session::{encode_conversation, encode_session};
use chatflow::store::{ConversationStore, JournalEntry, Lookup, Record, SessionRecord, Subject, Token};
use chatflow::testkit::{CountingIds, ManualClock, Recorder};
use chatflow::{
    Channel, Clock, ContactId, Engine, Flow, FlowId, Inbound, MemoryStore, SendError, Status, TriggerRequest,
    call_fn,
};
use chrono::TimeDelta;
use pollster::block_on;
use serde_json::{Value, json};
use uuid::Uuid;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/v1")
}

/// The bytes of a file; what it is when it is written for the first time.
fn kept(name: &str, first: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    let path = folder().join(name);
    if !path.exists() && env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, first()).unwrap();
    }
    fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; UPDATE=1 writes what is missing", path.display()))
}

/// The examples of a kind in its documentation.
fn examples(kind: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/flow/node");
    let file = fs::read_to_string(folder.join(format!("{kind}.rs")));
    let text = file
        .or_else(|_| fs::read_to_string(folder.join(kind).join("mod.rs")))
        .unwrap()
        .replace("\n///", "\n");
    let texts = text.split("r#\"").skip(1).filter_map(|rest| rest.split_once("\"#"));
    texts.filter_map(|(json, _)| serde_json::from_str::<Value>(json).ok()).collect()
}

/// Spec 1: each kind of node is read as it was written, and nothing of it is lost.
#[test]
fn nodes_of_every_kind_are_read() {
    for kind in NodeKind::WORDS {
        let first = || format!("{:#}\n", json!(examples(kind))).into_bytes();
        let nodes: Vec<Value> = serde_json::from_slice(&kept(&format!("nodes/{kind}.json"), first)).unwrap();
        assert!(!nodes.is_empty(), "{kind}");
        for node in nodes {
            let read = NodeDef::from_json(&node.to_string()).unwrap_or_else(|issues| panic!("{issues}"));
            assert_eq!(read.kind.as_str(), *kind);
            assert_eq!(serde_json::to_value(&read).unwrap(), node);
        }
    }
}

/// Spec 1: whole flows.
#[test]
fn flows_are_read_and_compiled() {
    for template in gallery::templates() {
        let first = || template.json.as_bytes().to_vec();
        let json = String::from_utf8(kept(&format!("flows/{}.json", template.code), first)).unwrap();
        let flow = Flow::from_json(&json).unwrap_or_else(|issues| panic!("{}: {issues}", template.code));
        let written: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_value(flow.def()).unwrap(), written);
        assert_eq!(flow.name(), written["name"]);
        assert_eq!(FlowDef::from_json(&flow.def().to_json()).unwrap(), *flow.def());
    }
}

const TALK: &str = r#"{"spec": 1, "code": "talk", "trigger": {"kind": "manual"},
    "settings": {"session_ttl_minutes": 60, "sender": {"channel": "whatsapp", "account": "+15550100"}, "concurrency": "unlimited"},
    "nodes": [{"id": "start", "kind": "start"},
              {"id": "note", "kind": "set_variables", "variables": [{"name": "tries", "expr": "1 + 1"}, {"name": "hi", "value": "Hi {{ context.name }}"}]},
              {"id": "ask", "kind": "send_message", "text": "{{ hi }}, shall we?", "options": [{"id": "yes", "label": "Yes"}]},
              {"id": "wait", "kind": "wait_reply", "timeout": "30m", "save_to": "answer"},
              {"id": "look", "kind": "function", "function": "order_status", "args": {"order": "{{ answer }}"}, "save_to": "order", "timeout": "20s"},
              {"id": "done", "kind": "end", "outcome": "told"}],
    "edges": [{"from": "start", "to": "note"}, {"from": "note", "to": "ask"}, {"from": "ask", "to": "wait"},
              {"from": "wait", "to": "look"}, {"from": "wait", "branch": "timeout", "to": "done"}, {"from": "look", "to": "done"}]}"#;
const ADA: &str = "+14155550123";

/// Everything that a release writes down.
struct Written {
    conversation: Vec<u8>,
    session: Vec<u8>,
    journal: Vec<u8>,
    call: Vec<u8>,
}

/// Ada has three sessions: one that ended, one that waits for the host, one that waits for her; and
/// a message was refused.
fn written() -> Written {
    let (clock, channel) = (ManualClock::default(), Recorder::new());
    let asked = std::sync::Arc::new(std::sync::Mutex::new(None));
    let seen = asked.clone();
    let calls = call_fn(move |call: Call| {
        *seen.lock().unwrap() = Some(call.reference);
        async { Ok(Answer::Later) }
    });
    let bot = Engine::builder(MemoryStore::new())
        .transport(channel.clone())
        .calls(calls)
        .clock(clock.clone())
        .ids(CountingIds::new())
        .build();
    let flow = FlowId::new("talk").unwrap();
    let start = |key: &str| {
        let request = TriggerRequest::new("talk").contact_id("ada").phone(ADA).uuid(key);
        let _ =
            block_on(bot.trigger(request.context(json!({"name": "Ada", "cart": [1, 2.5, null]})))).unwrap();
    };
    block_on(bot.flows().ensure(TALK)).unwrap();
    block_on(bot.flows().set_logging(&flow, true)).unwrap();
    start("ends");
    clock.advance(TimeDelta::minutes(30));
    while block_on(bot.tick(10)).unwrap().worked > 0 {}
    start("calls");
    let _ = block_on(bot.receive(Inbound::text(Channel::WhatsApp, "+15550100", ADA, "A-1").id("wamid.1")))
        .unwrap();
    while block_on(bot.tick(10)).unwrap().worked > 0 {}
    channel.answer([Err(SendError::rejected("no such number"))]);
    start("waits");

    let (workspace, ada) = (bot.workspace().unwrap().clone(), ContactId::new("ada").unwrap());
    let lookup = Lookup::new(workspace, Subject::Contact(ada), Token(Uuid::from_u128(999)), clock.now());
    let loaded = block_on(bot.store().load(&lookup)).unwrap();
    let record = loaded.conversation.unwrap().record;
    let ended = block_on(bot.sessions(SessionFilter::all().ended())).unwrap().remove(0);
    let journal = block_on(bot.journal(ended.session().id())).unwrap();
    let lines: Vec<String> = journal.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
    let call = asked.lock().unwrap().clone();
    Written {
        conversation: record.to_bytes().unwrap().to_vec(),
        session: ended.to_bytes().unwrap(),
        journal: (lines.join("\n") + "\n").into_bytes(),
        call: serde_json::to_vec(&call.unwrap()).unwrap(),
    }
}

/// Format 2 of the same conversation and session: every field is the same.
#[test]
fn compact_records_are_read() {
    let first = Record::from_bytes(kept("conversation.record", || written().conversation));
    let again = || encode_conversation(&first.conversation().unwrap()).unwrap();
    let bytes = kept("conversation.compact.record", again);
    assert!(bytes.starts_with(b"cflw\x02\x00"));
    let conversation = Record::from_bytes(bytes).conversation().unwrap();
    assert_eq!(json!(*conversation), json!(*first.conversation().unwrap()));

    let ada = ContactId::new("ada").unwrap();
    let first =
        SessionRecord::from_bytes(ada.clone(), &kept("session.record", || written().session)).unwrap();
    let bytes = kept("session.compact.record", || encode_session(first.session()).unwrap());
    assert!(bytes.starts_with(b"cflw\x02\x00"));
    let session = SessionRecord::from_bytes(ada, &bytes).unwrap();
    assert_eq!(json!(session.session()), json!(first.session()));
}

/// Format 1 of a conversation: contact, sessions in their states, variables, what could not be
/// sent.
#[test]
fn a_stored_conversation_is_read() {
    let record = Record::from_bytes(kept("conversation.record", || written().conversation));
    let conversation = record.conversation().unwrap();
    assert_eq!(conversation.contact().id.to_string(), "ada");
    let [calling, waiting] = conversation.sessions() else { panic!("two live sessions") };
    assert_eq!((calling.status(), calling.node().as_str()), (Status::Calling, "look"));
    assert_eq!(json!(calling.call().unwrap().args), json!({"order": "A-1"}));
    assert_eq!(json!(calling.vars()), json!({"answer": "A-1", "hi": "Hi Ada", "tries": 2}));
    assert_eq!((waiting.status(), waiting.node().as_str()), (Status::Waiting, "wait"));
    assert_eq!(json!(waiting.context()), json!({"name": "Ada", "cart": [1, 2.5, null]}));
    assert_eq!(
        waiting.started_at(),
        "2026-05-07T08:44:23Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap()
    );
    assert_eq!(waiting.deadline(), Some(waiting.started_at() + TimeDelta::minutes(30)));
    assert_eq!(waiting.expires_at(), Some(waiting.started_at() + TimeDelta::hours(1)));
    let [letter] = conversation.dead_letters() else { panic!("one dead letter") };
    assert_eq!((letter.message.text(), &*letter.message.options()[0].label), ("Hi Ada, shall we?", "Yes"));
    assert_eq!(letter.message.session(), waiting.id());
}

/// Format 1 of an ended session.
#[test]
fn a_stored_session_is_read() {
    let bytes = kept("session.record", || written().session);
    let record = SessionRecord::from_bytes(ContactId::new("ada").unwrap(), &bytes).unwrap();
    let session = record.session();
    assert_eq!(
        (session.status(), session.node().as_str(), session.outcome()),
        (Status::Completed, "done", Some("told"))
    );
    assert_eq!((session.flow().as_str(), session.version().0), ("talk", 1));
    assert!(session.reply().unwrap().timed_out);
    assert_eq!(session.ended_at(), Some(session.started_at() + TimeDelta::minutes(30)));
}

/// The journal of that session.
#[test]
fn journal_entries_are_read() {
    let text = String::from_utf8(kept("journal.jsonl", || written().journal)).unwrap();
    let entries: Vec<JournalEntry> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let turns: Vec<u32> = entries.iter().map(|entry| entry.turn).collect();
    assert_eq!(
        (turns, entries[0].flow.as_str(), &*entries[0].contact.to_string()),
        (vec![1, 2], "talk", "ada")
    );
    assert_eq!(entries[1].at - entries[0].at, TimeDelta::minutes(30));
}

/// A call that the host carried away before it was upgraded.
#[test]
fn a_reference_to_a_call_is_read() {
    let call: CallRef = serde_json::from_slice(&kept("call_ref.json", || written().call)).unwrap();
    assert_eq!((call.workspace.as_str(), &*call.contact.to_string()), ("default", "ada"));
    let record = Record::from_bytes(kept("conversation.record", || written().conversation));
    let conversation = record.conversation().unwrap();
    assert_eq!(conversation.sessions()[0].call().unwrap().id, call.call);
}

/// This release reads what it writes; were the files above missing, they would be of use.
#[test]
fn what_is_written_today_is_read_today() {
    let now = written();
    let conversation = Record::from_bytes(now.conversation).conversation().unwrap();
    assert_eq!(conversation.sessions().len(), 2);
    assert!(SessionRecord::from_bytes(ContactId::new("ada").unwrap(), &now.session).is_ok());
}
