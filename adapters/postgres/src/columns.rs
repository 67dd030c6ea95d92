//! The rows of several commits as columns: each a parameter of one statement.

use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::link::Param;
use crate::write::Write;

/// The conversations of a batch, the numbers of whose rows say which commit was written.
#[derive(Default)]
pub(super) struct Heads<'w> {
    shard: Vec<i16>,
    workspace: Vec<&'w str>,
    contact: Vec<&'w str>,
    expect: Vec<i64>,
    record: Vec<&'w [u8]>,
    due_at: Vec<Option<i64>>,
    dead_letters: Vec<i64>,
    lease: Vec<i16>,
    token: Vec<Uuid>,
    period: Vec<i64>,
    now: Vec<i64>,
    ord: Vec<i64>,
    key_flow: Vec<Option<&'w str>>,
    key_name: Vec<Option<&'w str>>,
    key_hash: Vec<Option<&'w str>>,
    rides: Vec<Option<Uuid>>,
    watermark: Vec<i64>,
    seen: Vec<Option<i64>>,
    catalogue: Vec<Option<i64>>,
}

impl<'w> Heads<'w> {
    pub(super) fn of(writes: &[&'w Write]) -> Self {
        let mut heads = Self::default();
        for (ord, write) in (0..).zip(writes) {
            heads.shard.push(write.shard);
            heads.workspace.push(&write.workspace);
            heads.contact.push(&write.contact);
            heads.expect.push(write.expect.unwrap_or(-1));
            heads.record.push(&write.record);
            heads.due_at.push(write.due_at);
            heads.dead_letters.push(write.dead_letters);
            heads.lease.push(write.lease.does);
            heads.token.push(write.lease.token);
            heads.period.push(write.lease.period);
            heads.now.push(write.now);
            heads.ord.push(ord);
            heads.key_flow.push(write.key.as_ref().map(|key| key.flow.as_str()));
            heads.key_name.push(write.key.as_ref().map(|key| key.name.as_str()));
            heads.key_hash.push(write.key.as_ref().map(|key| key.hash.as_str()));
            heads.rides.push(write.rides.map(|(token, _)| token));
            heads.watermark.push(write.rides.map_or(0, |(_, watermark)| watermark));
            heads.seen.push(write.seen.map(|(settled, _)| settled));
            heads.catalogue.push(write.seen.and_then(|(_, catalogue)| catalogue));
        }
        heads
    }

    pub(super) fn add_to<'p>(&'p self, params: &mut Vec<Param<'p>>) {
        let all: [Param<'p>; 19] = [
            (&self.shard, Type::INT2_ARRAY),
            (&self.workspace, Type::TEXT_ARRAY),
            (&self.contact, Type::TEXT_ARRAY),
            (&self.expect, Type::INT8_ARRAY),
            (&self.record, Type::BYTEA_ARRAY),
            (&self.due_at, Type::INT8_ARRAY),
            (&self.dead_letters, Type::INT8_ARRAY),
            (&self.lease, Type::INT2_ARRAY),
            (&self.token, Type::UUID_ARRAY),
            (&self.period, Type::INT8_ARRAY),
            (&self.now, Type::INT8_ARRAY),
            (&self.ord, Type::INT8_ARRAY),
            (&self.key_flow, Type::TEXT_ARRAY),
            (&self.key_name, Type::TEXT_ARRAY),
            (&self.key_hash, Type::TEXT_ARRAY),
            (&self.rides, Type::UUID_ARRAY),
            (&self.watermark, Type::INT8_ARRAY),
            (&self.seen, Type::INT8_ARRAY),
            (&self.catalogue, Type::INT8_ARRAY),
        ];
        params.extend(all);
    }
}

/// The sessions and the journal of a batch.
#[derive(Default)]
pub(super) struct Archive<'w> {
    sessions: Rows<'w>,
    version: Vec<i64>,
    state: Vec<i16>,
    started_at: Vec<i64>,
    called: Vec<Option<&'w str>>,
    ended_at: Vec<Option<i64>>,
    record: Vec<Option<&'w [u8]>>,
    journal: Rows<'w>,
    seq: Vec<i64>,
    turn_of: Vec<i64>,
    at: Vec<i64>,
    failed: Vec<bool>,
    entry: Vec<&'w [u8]>,
}

/// Columns that rows of sessions and of the journal have in common.
#[derive(Default)]
struct Rows<'w> {
    ord: Vec<i64>,
    shard: Vec<i16>,
    workspace: Vec<&'w str>,
    contact: Vec<&'w str>,
    session: Vec<Uuid>,
    flow: Vec<&'w str>,
}

impl<'w> Rows<'w> {
    fn push(&mut self, ord: i64, write: &'w Write, session: Uuid, flow: &'w str) {
        self.ord.push(ord);
        self.shard.push(write.shard);
        self.workspace.push(&write.workspace);
        self.contact.push(&write.contact);
        self.session.push(session);
        self.flow.push(flow);
    }
}

/// The state of a session, as its row says it at once.
pub(super) const ENDED: i16 = 0;
const LIVE: i16 = 1;
const LIVE_AND_CALLING: i16 = 2;

impl<'w> Archive<'w> {
    pub(super) fn of(writes: &[&'w Write]) -> Self {
        let mut archive = Self::default();
        for (ord, write) in (0..).zip(writes) {
            for row in &write.sessions {
                archive.sessions.push(ord, write, row.id.0, row.flow.as_str());
                archive.version.push(i64::from(row.version.0));
                archive.state.push(match (&row.ended, &row.called) {
                    (Some(_), _) => ENDED,
                    (None, None) => LIVE,
                    (None, Some(_)) => LIVE_AND_CALLING,
                });
                archive.started_at.push(row.started_at);
                archive.called.push(row.called.as_deref());
                archive.ended_at.push(row.ended.as_ref().map(|(at, _)| *at));
                archive.record.push(row.ended.as_ref().map(|(_, record)| record.as_slice()));
            }
            for row in &write.journal {
                archive.journal.push(ord, write, row.session, &row.flow);
                archive.seq.push(row.seq);
                archive.turn_of.push(row.version);
                archive.at.push(row.at);
                archive.failed.push(row.failed);
                archive.entry.push(&row.entry);
            }
        }
        archive
    }

    pub(super) fn add_to<'p>(&'p self, params: &mut Vec<Param<'p>>) {
        let all: [Param<'p>; 23] = [
            (&self.sessions.ord, Type::INT8_ARRAY),
            (&self.sessions.shard, Type::INT2_ARRAY),
            (&self.sessions.workspace, Type::TEXT_ARRAY),
            (&self.sessions.contact, Type::TEXT_ARRAY),
            (&self.sessions.session, Type::UUID_ARRAY),
            (&self.sessions.flow, Type::TEXT_ARRAY),
            (&self.version, Type::INT8_ARRAY),
            (&self.state, Type::INT2_ARRAY),
            (&self.started_at, Type::INT8_ARRAY),
            (&self.called, Type::TEXT_ARRAY),
            (&self.ended_at, Type::INT8_ARRAY),
            (&self.record, Type::BYTEA_ARRAY),
            (&self.journal.ord, Type::INT8_ARRAY),
            (&self.journal.shard, Type::INT2_ARRAY),
            (&self.journal.workspace, Type::TEXT_ARRAY),
            (&self.journal.contact, Type::TEXT_ARRAY),
            (&self.journal.session, Type::UUID_ARRAY),
            (&self.seq, Type::INT8_ARRAY),
            (&self.journal.flow, Type::TEXT_ARRAY),
            (&self.turn_of, Type::INT8_ARRAY),
            (&self.at, Type::INT8_ARRAY),
            (&self.failed, Type::BOOL_ARRAY),
            (&self.entry, Type::BYTEA_ARRAY),
        ];
        params.extend(all);
    }
}

/// The keys and aliases of a batch.
#[derive(Default)]
pub(super) struct Names<'w> {
    key_ord: Vec<i64>,
    key_workspace: Vec<&'w str>,
    flow: Vec<&'w str>,
    key: Vec<&'w str>,
    fingerprint: Vec<Uuid>,
    started: Vec<bool>,
    session: Vec<Uuid>,
    version: Vec<i64>,
    key_contact: Vec<String>,
    expires_at: Vec<i64>,
    erased: Vec<bool>,
    state: Vec<Option<String>>,
    digest: Vec<Option<Uuid>>,
    ord: Vec<i64>,
    workspace: Vec<&'w str>,
    alias: Vec<&'w str>,
    shard: Vec<i16>,
    contact: Vec<&'w str>,
}

impl<'w> Names<'w> {
    pub(super) fn of(writes: &[&'w Write]) -> Self {
        let mut names = Self::default();
        for (ord, write) in (0..).zip(writes) {
            if let Some(key) = &write.key {
                names.key_ord.push(ord);
                names.key_workspace.push(&write.workspace);
                names.flow.push(&key.flow);
                names.key.push(&key.name);
                names.fingerprint.push(Uuid::from_u128(key.record.fingerprint));
                names.started.push(key.record.started);
                names.session.push(key.record.session.0);
                names.version.push(i64::from(key.record.version.0));
                names.key_contact.push(key.record.contact.to_string());
                names.expires_at.push(chatflow::store::sql::micros(key.record.expires_at));
                names.erased.push(key.record.erased);
                names.state.push(chatflow::store::sql::state_word(&key.record));
                names.digest.push(key.record.digest.map(Uuid::from_u128));
            }
            for (alias, _) in &write.added {
                names.ord.push(ord);
                names.workspace.push(&write.workspace);
                names.alias.push(alias);
                names.shard.push(write.shard);
                names.contact.push(&write.contact);
            }
        }
        names
    }

    pub(super) fn add_to<'p>(&'p self, params: &mut Vec<Param<'p>>) {
        let all: [Param<'p>; 18] = [
            (&self.key_ord, Type::INT8_ARRAY),
            (&self.key_workspace, Type::TEXT_ARRAY),
            (&self.flow, Type::TEXT_ARRAY),
            (&self.key, Type::TEXT_ARRAY),
            (&self.fingerprint, Type::UUID_ARRAY),
            (&self.started, Type::BOOL_ARRAY),
            (&self.session, Type::UUID_ARRAY),
            (&self.version, Type::INT8_ARRAY),
            (&self.key_contact, Type::TEXT_ARRAY),
            (&self.expires_at, Type::INT8_ARRAY),
            (&self.erased, Type::BOOL_ARRAY),
            (&self.state, Type::TEXT_ARRAY),
            (&self.ord, Type::INT8_ARRAY),
            (&self.workspace, Type::TEXT_ARRAY),
            (&self.alias, Type::TEXT_ARRAY),
            (&self.shard, Type::INT2_ARRAY),
            (&self.contact, Type::TEXT_ARRAY),
            (&self.digest, Type::UUID_ARRAY),
        ];
        params.extend(all);
    }
}

/// Increments of counters by a batch.
#[derive(Default)]
pub(super) struct Counts<'w> {
    ord: Vec<i64>,
    workspace: Vec<&'w str>,
    flow: Vec<&'w str>,
    minute: Vec<i64>,
    version: Vec<i64>,
    what: Vec<&'w str>,
    times: Vec<i64>,
}

impl<'w> Counts<'w> {
    pub(super) fn of(writes: &[&'w Write]) -> Self {
        let mut counts = Self::default();
        for (ord, write) in (0..).zip(writes) {
            for row in &write.counts {
                counts.ord.push(ord);
                counts.workspace.push(&write.workspace);
                counts.flow.push(row.flow.as_str());
                counts.minute.push(row.minute);
                counts.version.push(row.version);
                counts.what.push(&row.what);
                counts.times.push(row.times);
            }
        }
        counts
    }

    pub(super) fn add_to<'p>(&'p self, params: &mut Vec<Param<'p>>) {
        let all: [Param<'p>; 7] = [
            (&self.ord, Type::INT8_ARRAY),
            (&self.workspace, Type::TEXT_ARRAY),
            (&self.flow, Type::TEXT_ARRAY),
            (&self.minute, Type::INT8_ARRAY),
            (&self.version, Type::INT8_ARRAY),
            (&self.what, Type::TEXT_ARRAY),
            (&self.times, Type::INT8_ARRAY),
        ];
        params.extend(all);
    }
}
