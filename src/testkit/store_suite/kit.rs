//! Short ways to say what a check is about. Public, so that a host's further checks of its store
//! read like these.
//!
//! Everything happens in the workspace [`shop`], at [`at`] so many seconds; sessions, tokens and
//! telephone numbers are numbers.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::address::{Account, Address, Alias, Phone};
use crate::channel::Channel;
use crate::id::{ContactId, FlowId, FlowVersion, SessionId, TriggerKey, WorkspaceId};
use crate::session::{Conversation, FailureCode, Session, Status, encode_conversation, encode_session};
use crate::store::{
    Commit, Due, Erase, JournalEntry, KeyName, KeyRecord, Lease, Live, Lookup, Purge, Record, Revision,
    SessionRecord, Settle, Subject, Token, retry_pause,
};

/// A lease that holds as long as a check runs.
pub const LEASE: Duration = Duration::from_secs(30);

/// A lease that is to run out within a check.
pub const SHORT: Duration = Duration::from_millis(40);

/// So many seconds after the instant at which everything begins.
#[must_use]
pub fn at(seconds: i64) -> DateTime<Utc> {
    at_ms(seconds * 1000)
}

/// So many milliseconds after it.
#[must_use]
pub fn at_ms(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000, 0).unwrap() + TimeDelta::milliseconds(millis)
}

/// Returns the workspace of all that says nothing else.
#[must_use]
pub fn shop() -> WorkspaceId {
    WorkspaceId::new("shop").unwrap()
}

/// Another workspace.
#[must_use]
pub fn other() -> WorkspaceId {
    WorkspaceId::new("other").unwrap()
}

/// Returns a contact.
#[must_use]
pub fn contact(name: &str) -> ContactId {
    ContactId::new(name).unwrap()
}

/// Returns a flow.
#[must_use]
pub fn flow(code: &str) -> FlowId {
    FlowId::new(code).unwrap()
}

/// Returns the token of a lease's holder.
#[must_use]
pub fn token(number: u128) -> Token {
    Token(Uuid::from_u128(number))
}

/// Returns a session's id.
#[must_use]
pub fn session_id(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(number))
}

/// Returns a session's alias.
#[must_use]
pub fn session_alias(number: u128) -> Alias {
    Alias::Session(session_id(number))
}

/// Returns a telephone number as an alias.
#[must_use]
pub fn phone(number: u64) -> Alias {
    Alias::Address(Address::Phone(Phone::parse(&format!("+1415555{number:04}")).unwrap()))
}

/// Returns an address on a web site, whose text may be any name.
#[must_use]
pub fn visitor(name: &str) -> Alias {
    let site = Account::new(Channel::Web, "site").unwrap();
    Alias::Address(Address::new(&site, name).unwrap())
}

/// Returns a record that no engine can read but that can be told from others.
#[must_use]
pub fn opaque(text: &str) -> Record {
    Record::from_bytes(text.as_bytes().to_vec())
}

/// Returns the text of an [`opaque`] record.
#[must_use]
pub fn text_of(record: &Record) -> String {
    String::from_utf8(record.to_bytes().unwrap().to_vec()).unwrap()
}

/// Returns a key of a flow.
#[must_use]
pub fn key_name(flow_code: &str, key: &str) -> KeyName {
    KeyName { flow: flow(flow_code), key: TriggerKey::new(key).unwrap() }
}

/// Returns the record of a key.
#[must_use]
pub fn key_record(name: &str, session: u128, expires_at: DateTime<Utc>) -> KeyRecord {
    KeyRecord {
        fingerprint: 7,
        started: true,
        session: session_id(session),
        version: FlowVersion(1),
        digest: Some(u128::MAX - 1),
        contact: contact(name),
        expires_at,
        status: Some(Status::Failed),
        failure: Some(FailureCode::NoDestination),
        erased: false,
    }
}

/// Returns a lookup of a contact, by a token that holds nothing.
#[must_use]
pub fn by_contact(name: &str) -> Lookup {
    Lookup::new(shop(), Subject::Contact(contact(name)), token(0), at(0))
}

/// Returns a lookup by alias.
#[must_use]
pub fn by_alias(alias: Alias) -> Lookup {
    Lookup { subject: Subject::Alias(alias), ..by_contact("nobody") }
}

/// Returns a commit of an opaque record that says the contact's name.
#[must_use]
pub fn commit(name: &str, expect: Option<Revision>) -> Commit {
    Commit::new(shop(), contact(name), expect, opaque(name), at(0))
}

/// Returns a settle after which nothing is due.
#[must_use]
pub fn settle(name: &str, by: u128, revision: Revision, settled: u64) -> Settle {
    Settle {
        workspace: shop(),
        contact: contact(name),
        token: token(by),
        revision,
        settled,
        due_at: None,
        quarantine: false,
        now: at(0),
    }
}

/// Returns a claim of up to a hundred.
#[must_use]
pub fn due(by: u128, now: DateTime<Utc>) -> Due {
    Due { now, token: token(by), lease: LEASE, limit: 100, suspects: false }
}

/// Returns a claim of up to a hundred whose last lease ended unsettled.
#[must_use]
pub fn suspects(by: u128, now: DateTime<Utc>) -> Due {
    Due { suspects: true, ..due(by, now) }
}

/// Returns the time until a claim for [`SHORT`] is over and, after so many claims, the pause that
/// follows.
#[must_use]
pub fn rest(claims: u32) -> Duration {
    SHORT + SHORT + retry_pause(claims).to_std().unwrap()
}

/// Takes a lease that holds.
#[must_use]
pub fn take(by: u128) -> Lease {
    Lease::Take(token(by), LEASE)
}

/// Counts the live sessions of a flow.
#[must_use]
pub fn live(code: &str, version: Option<u32>) -> Live {
    Live { workspace: shop(), flow: flow(code), version: version.map(FlowVersion), wake_at: None }
}

/// Removes all that is older than this many seconds.
#[must_use]
pub fn purge(seconds: i64, limit: usize) -> Purge {
    let before = at(seconds);
    Purge { now: before, ended_before: before, journal_before: before, counts_before: before, limit }
}

/// Forgets a contact.
#[must_use]
pub fn erase(name: &str, expect: Revision) -> Erase {
    Erase { workspace: shop(), contact: contact(name), expect, keeps_history: false, now: at(0) }
}

/// Returns a live session.
#[must_use]
pub fn session(number: u128, flow_code: &str, version: u32, started_at: DateTime<Utc>) -> Session {
    serde_json::from_value(session_json(number, flow_code, version, started_at)).unwrap()
}

/// Returns the same, in a flow that was called: the versions that wait for it, the outermost first,
/// and the one that it is in.
#[must_use]
pub fn session_in(session: &Session, waiting: &[(&str, u32)], stands_in: (&str, u32)) -> Session {
    let frame = |(flow, version): &(&str, u32)| json!({"flow": flow, "version": version, "node": "call"});
    let mut json = serde_json::to_value(session).unwrap();
    json["rare"] = json!({"frames": waiting.iter().map(frame).collect::<Vec<_>>(), "active": stands_in});
    serde_json::from_value(json).unwrap()
}

fn session_json(number: u128, flow_code: &str, version: u32, started_at: DateTime<Utc>) -> Value {
    json!({
        "id": session_id(number), "flow": flow_code, "version": version, "status": "waiting", "node": "ask",
        "wait": 1, "turns": 1, "sent": 1, "started_at": started_at, "last_interaction_at": started_at,
        "parked_at": started_at,
    })
}

/// Returns a session of the flow `cart` that has ended.
#[must_use]
pub fn ended(name: &str, number: u128, started_at: DateTime<Utc>, ended_at: DateTime<Utc>) -> SessionRecord {
    ended_of(name, number, "cart", started_at, ended_at)
}

/// Returns a session that has ended.
#[must_use]
pub fn ended_of(
    name: &str,
    number: u128,
    flow_code: &str,
    started_at: DateTime<Utc>,
    ended_at: DateTime<Utc>,
) -> SessionRecord {
    let mut json = session_json(number, flow_code, 1, started_at);
    json["status"] = "completed".into();
    json["ended_at"] = serde_json::to_value(ended_at).unwrap();
    let session: Session = serde_json::from_value(json).unwrap();
    SessionRecord::from_bytes(contact(name), &encode_session(&session).unwrap()).unwrap()
}

/// Returns a record that can be read, with these live sessions.
#[must_use]
pub fn record_with(name: &str, sessions: &[Session]) -> Record {
    let conversation: Conversation = serde_json::from_value(json!({
        "contact": {"id": name, "addresses": []}, "last_at": at(0), "sessions": sessions,
    }))
    .unwrap();
    Record::from_bytes(encode_conversation(&conversation).unwrap())
}

/// Returns a commit of such a record: each session is one that it starts, with its alias and the
/// versions that it needs.
#[must_use]
pub fn commit_with(name: &str, expect: Option<Revision>, sessions: &[Session]) -> Commit {
    let needs = |session: &Session| -> Vec<(FlowId, FlowVersion)> {
        session.versions().skip(1).map(|(flow, version)| (flow.clone(), version)).collect()
    };
    let started =
        sessions.iter().map(|session| (session.id(), session.flow().clone(), session.version())).collect();
    let calling = sessions.iter().filter(|session| !needs(session).is_empty());
    Commit {
        record: record_with(name, sessions),
        started,
        called: calling.map(|session| (session.id(), needs(session))).collect(),
        add_aliases: sessions.iter().map(|session| Alias::Session(session.id())).collect(),
        ..commit(name, expect)
    }
}

/// Returns an entry of a session of `cart`: its number there is also its turn's.
#[must_use]
pub fn entry(name: &str, session: u128, turn: u32, at: DateTime<Utc>) -> JournalEntry {
    entry_with(name, session, turn, at, &json!({}))
}

/// Returns the same, with some fields of its stored form put in or changed.
///
/// # Panics
/// When that is no stored form of an entry.
#[must_use]
pub fn entry_with(name: &str, session: u128, turn: u32, at: DateTime<Utc>, change: &Value) -> JournalEntry {
    let mut json = json!({
        "session": session_id(session), "seq": turn, "contact": name, "flow": "cart", "version": 1, "turn": turn,
        "at": at, "input": "start", "node": "ask", "status": "waiting",
    });
    let fields = change.as_object().into_iter().flatten();
    fields.for_each(|(name, value)| json[name.as_str()] = value.clone());
    serde_json::from_value(json).unwrap()
}
