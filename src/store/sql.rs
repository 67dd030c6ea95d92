//! Code that stores on databases with columns share: instants as numbers, the word for a key's
//! status, and the rows of sessions that a commit writes beside its conversation.
//!
//! A store that keeps whole rows needs none of it; [`Row`](super::Row) is enough. One that answers
//! [`StoreQueries`](super::StoreQueries) by the database's own statements keeps an index of
//! sessions, of [`SessionRow`]s, and counts those that need a version
//! ([`live`](super::ConversationStore::live)) by a [`needle`]. The adapters `chatflow-sqlite` and
//! `chatflow-postgres` are made of it.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::de::value::Error as ValueError;
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::error::StoreError;
use crate::id::{FlowId, FlowVersion, SessionId};
use crate::session::{Conversation, FailureCode, Session, Status};
use crate::store::{Commit, KeyRecord};

/// Returns an instant as it is stored: microseconds since the epoch, those before it negative.
#[must_use]
pub fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// Reads what [`micros`] wrote. A number beyond the calendar becomes its last instant.
#[must_use]
pub fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Returns the status of a key's session as one word: `waiting`, `failed`, `failed:no_destination`.
/// None where the key's record tells none.
#[must_use]
pub fn state_word(record: &KeyRecord) -> Option<String> {
    let status = record.status?;
    Some(match record.failure {
        Some(failure) => format!("{status}:{failure}"),
        None => status.as_str().to_owned(),
    })
}

/// Reads what [`state_word`] wrote, as [`KeyRecord::status`] and [`KeyRecord::failure`]. A word of
/// a newer release says nothing.
#[must_use]
pub fn state_of(word: Option<&str>) -> (Option<Status>, Option<FailureCode>) {
    let (status, failure) = match word {
        Some(word) => word.split_once(':').map_or((word, None), |(status, failure)| (status, Some(failure))),
        None => return (None, None),
    };
    (named(status), failure.and_then(named))
}

fn named<T: DeserializeOwned>(word: &str) -> Option<T> {
    T::deserialize(word.into_deserializer()).map_err(|_: ValueError| ()).ok()
}

/// A session as the index of sessions has it, live or ended. Of a live one the conversation's
/// record says the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id, unique in a workspace.
    pub id: SessionId,
    /// The flow that it was started in.
    pub flow: FlowId,
    /// The version of that flow.
    pub version: FlowVersion,
    /// When it started, as [`micros`].
    pub started_at: i64,
    /// The versions that it needs beside its own, as one text that contains the [`needle`] of each.
    /// None: it needs no other, or it has ended.
    pub called: Option<String>,
    /// When it ended, as [`micros`], and what is stored of it:
    /// [`SessionRecord::to_bytes`](super::SessionRecord::to_bytes). None while it is live.
    pub ended: Option<(i64, Vec<u8>)>,
}

/// Returns the rows of sessions that a commit writes, in the order of their ids, each session once.
/// A row replaces the one that is there.
///
/// Sessions that it started or that called a flow are looked up in its record. One that is not
/// there (a record that cannot be read) has begun when the commit was made.
///
/// # Errors
/// A permanent [`StoreError`] when an ended session cannot be encoded.
pub fn session_rows(commit: &Commit) -> Result<Vec<SessionRow>, StoreError> {
    let mut rows: Vec<SessionRow> = Vec::new();
    let conversation: Option<Arc<Conversation>> = if commit.started.is_empty() && commit.called.is_empty() {
        None
    } else {
        commit.record.conversation().ok()
    };
    let live = |id: SessionId| conversation.as_ref()?.sessions().iter().find(|session| session.id() == id);
    for (id, flow, version) in &commit.started {
        let session = live(*id);
        rows.push(SessionRow {
            id: *id,
            flow: flow.clone(),
            version: *version,
            started_at: micros(session.map_or(commit.now, Session::started_at)),
            called: session.and_then(|session| called(session.versions().skip(1))),
            ended: None,
        });
    }
    for (id, needs) in &commit.called {
        let text = called(needs.iter().map(|(flow, version)| (flow, *version)));
        if let Some(row) = rows.iter_mut().find(|row| row.id == *id) {
            row.called = text;
        } else if let Some(session) = live(*id) {
            let (flow, version) = (session.flow().clone(), session.version());
            let started_at = micros(session.started_at());
            rows.push(SessionRow { id: *id, flow, version, started_at, called: text, ended: None });
        }
    }
    for record in &commit.ended {
        let session = record.session();
        rows.retain(|row| row.id != session.id());
        let ended_at = session.ended_at().unwrap_or_else(|| session.last_interaction_at());
        rows.push(SessionRow {
            id: session.id(),
            flow: session.flow().clone(),
            version: session.version(),
            started_at: micros(session.started_at()),
            called: None,
            ended: Some((micros(ended_at), record.to_bytes()?)),
        });
    }
    rows.sort_unstable_by_key(|row| row.id.0);
    Ok(rows)
}

/// Versions as one text that can be searched for a [`needle`]. Names have no control characters.
fn called<'a>(needs: impl Iterator<Item = (&'a FlowId, FlowVersion)>) -> Option<String> {
    let mut text = String::new();
    for (flow, version) in needs {
        let _ = write!(text, "\u{1f}{flow}\u{1e}{}\u{1f}", version.0);
    }
    (!text.is_empty()).then_some(text)
}

/// Returns the text that [`SessionRow::called`] contains if a session needs this version of a flow;
/// without a version, any version of it. It is compared byte by byte.
#[must_use]
pub fn needle(flow: &FlowId, version: Option<FlowVersion>) -> String {
    match version {
        Some(version) => format!("\u{1f}{flow}\u{1e}{}\u{1f}", version.0),
        None => format!("\u{1f}{flow}\u{1e}"),
    }
}
