//! What the tests of stores share: a store asked without `await`, and short ways to say what a test is about.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::sync::Arc;
use std::time::Duration;

use chatflow::session::{encode_conversation, encode_session};
use chatflow::store::{
    Commit, Committed, ConversationStore, Due, Erase, KeyName, KeyRecord, Lease, Leased, Live, Loaded,
    Lookup, Purge, Purged, Record, Removed, Revision, SessionRecord, Settle, Settled, StoreQueries,
    StoredConversation, Subject, Token,
};
use chatflow::{
    Address, Alias, ContactId, Conversation, DynStore, FlowId, FlowVersion, MemoryStore, Phone, Session,
    SessionId, StoreError, TriggerKey, WorkspaceId,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use serde_json::json;
use uuid::Uuid;

/// A store under test that also lists what it holds.
pub trait Store: ConversationStore + StoreQueries {}
impl<S: ConversationStore + StoreQueries> Store for S {}

/// The stores that every check runs on.
pub fn memory() -> MemoryStore {
    MemoryStore::new()
}
pub fn shared() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new())
}
pub fn erased() -> DynStore {
    DynStore::new(MemoryStore::new())
}

pub const LEASE: Duration = Duration::from_secs(30);

pub fn at(seconds: i64) -> DateTime<Utc> {
    at_ms(seconds * 1000)
}

pub fn at_ms(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000, 0).unwrap() + TimeDelta::milliseconds(millis)
}

pub fn shop() -> WorkspaceId {
    WorkspaceId::new("shop").unwrap()
}

pub fn contact(name: &str) -> ContactId {
    ContactId::new(name).unwrap()
}

pub fn flow(code: &str) -> FlowId {
    FlowId::new(code).unwrap()
}

pub fn token(number: u128) -> Token {
    Token(Uuid::from_u128(number))
}

pub fn session_id(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(number))
}

pub fn session_alias(number: u128) -> Alias {
    Alias::Session(session_id(number))
}

pub fn phone(number: u64) -> Alias {
    Alias::Address(Address::Phone(Phone::parse(&format!("+1415555{number:04}")).unwrap()))
}

/// A record that nobody can read but that can be told from others.
pub fn opaque(text: &str) -> Record {
    Record::from_bytes(text.as_bytes().to_vec())
}

pub fn text_of(record: &Record) -> String {
    String::from_utf8(record.to_bytes().unwrap().to_vec()).unwrap()
}

pub fn key_name(flow_code: &str, key: &str) -> KeyName {
    KeyName { flow: flow(flow_code), key: TriggerKey::new(key).unwrap() }
}

pub fn key_record(name: &str, session: u128, expires_at: DateTime<Utc>) -> KeyRecord {
    KeyRecord {
        fingerprint: 7,
        started: true,
        session: session_id(session),
        version: FlowVersion(1),
        contact: contact(name),
        expires_at,
        erased: false,
    }
}

pub fn by_contact(name: &str) -> Lookup {
    Lookup::new(shop(), Subject::Contact(contact(name)), token(0), at(0))
}

pub fn by_alias(alias: Alias) -> Lookup {
    Lookup { subject: Subject::Alias(alias), ..by_contact("nobody") }
}

pub fn commit(name: &str, expect: Option<Revision>) -> Commit {
    Commit::new(shop(), contact(name), expect, opaque(name), at(0))
}

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

pub fn due(by: u128, now: DateTime<Utc>) -> Due {
    Due { now, token: token(by), lease: LEASE, limit: 100 }
}

pub fn take(by: u128) -> Lease {
    Lease::Take(token(by), LEASE)
}

/// A session as its stored form has it.
pub fn session(number: u128, flow_code: &str, version: u32, started_at: DateTime<Utc>) -> Session {
    serde_json::from_value(session_json(number, flow_code, version, started_at)).unwrap()
}

/// The same, in a flow that was called: the versions that wait for it, the outermost first, and the one it stands in.
pub fn session_in(session: &Session, waiting: &[(&str, u32)], stands_in: (&str, u32)) -> Session {
    let frame = |(flow, version): &(&str, u32)| json!({"flow": flow, "version": version, "node": "call"});
    let mut json = serde_json::to_value(session).unwrap();
    json["rare"] = json!({"frames": waiting.iter().map(frame).collect::<Vec<_>>(), "active": stands_in});
    serde_json::from_value(json).unwrap()
}

fn session_json(number: u128, flow_code: &str, version: u32, started_at: DateTime<Utc>) -> serde_json::Value {
    json!({
        "id": session_id(number), "flow": flow_code, "version": version, "status": "waiting", "node": "ask",
        "wait": 1, "turns": 1, "sent": 1, "started_at": started_at, "last_interaction_at": started_at,
        "parked_at": started_at,
    })
}

/// An ended session for the archive.
pub fn ended(name: &str, number: u128, started_at: DateTime<Utc>, ended_at: DateTime<Utc>) -> SessionRecord {
    let mut json = session_json(number, "cart", 1, started_at);
    json["status"] = "completed".into();
    json["ended_at"] = serde_json::to_value(ended_at).unwrap();
    let session: Session = serde_json::from_value(json).unwrap();
    SessionRecord::from_bytes(contact(name), &encode_session(&session).unwrap()).unwrap()
}

/// A record that can be read, with these live sessions.
pub fn record_with(name: &str, sessions: &[Session]) -> Record {
    let conversation: Conversation = serde_json::from_value(json!({
        "contact": {"id": name, "addresses": []}, "last_at": at(0), "sessions": sessions,
    }))
    .unwrap();
    Record::from_bytes(encode_conversation(&conversation).unwrap())
}

/// A store asked and answered at once.
pub struct Asked<S>(pub S);

impl<S: ConversationStore> Asked<S> {
    pub fn load(&self, lookup: &Lookup) -> Loaded {
        block_on(self.0.load(lookup)).unwrap()
    }

    /// The conversation of a contact of the shop, as the token sees it.
    pub fn find(&self, name: &str) -> Option<StoredConversation> {
        self.load(&by_contact(name)).conversation
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.find(name).map(|stored| text_of(&stored.record))
    }

    pub fn follow(&self, alias: Alias) -> Option<ContactId> {
        self.load(&by_alias(alias)).conversation.map(|stored| stored.contact)
    }

    pub fn commit(&self, commit: Commit) -> Committed {
        block_on(self.0.commit(commit)).unwrap()
    }

    /// Commits what must apply, and answers the new revision.
    pub fn apply(&self, commit: Commit) -> Revision {
        match self.commit(commit) {
            Committed::Applied { revision, .. } => revision,
            refused => panic!("{refused:?}"),
        }
    }

    pub fn settle(&self, settle: &Settle) -> Settled {
        block_on(self.0.settle(settle)).unwrap()
    }

    pub fn claim(&self, due: &Due) -> Leased {
        block_on(self.0.lease_due(due)).unwrap()
    }

    /// Who is claimed, in order.
    pub fn claimed(&self, due: &Due) -> Vec<String> {
        self.claim(due).conversations.iter().map(|leased| leased.stored.contact.to_string()).collect()
    }

    pub fn live(&self, live: &Live) -> u64 {
        block_on(self.0.live(live)).unwrap()
    }

    pub fn purge(&self, purge: &Purge) -> Purged {
        block_on(self.0.purge(purge)).unwrap()
    }

    /// Erases a contact of the shop at this revision.
    pub fn erase(&self, name: &str, expect: Revision) -> Option<Removed> {
        let erase = Erase { workspace: shop(), contact: contact(name), expect, now: at(0) };
        block_on(self.0.erase(&erase)).unwrap()
    }

    pub fn update(
        &self,
        lookup: &Lookup,
        mut decide: impl FnMut(&mut Loaded) -> Option<Commit> + Send,
    ) -> Result<Option<Committed>, StoreError> {
        block_on(self.0.update(lookup, &mut decide))
    }
}
