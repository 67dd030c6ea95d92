//! Writing one decision, by one script.

use std::fmt;

use chatflow::error::StoreError;
use chatflow::store::sql::{SessionRow, micros, session_rows};
use chatflow::store::{Commit, Committed, JournalEntry, Lease};
use serde::Serialize;

use crate::scripts::COMMIT;
use crate::server::Server;
use crate::values::{contact_of, damaged, key_name};

/// The commit as the script reads it. Numbers are texts: the script's own have 53 bits.
#[derive(Serialize)]
struct Spec<'a> {
    workspace: &'a str,
    contact: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<SeenSpec>,
    now: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    dead_letters: String,
    lease: LeaseSpec,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<KeySpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    absorbs: Option<AbsorbSpec>,
    add_aliases: Vec<String>,
    drop_aliases: Vec<String>,
    sessions: Vec<SessionSpec>,
    journal: Vec<EntrySpec<'a>>,
    counts: Vec<CountSpec<'a>>,
}

#[derive(Serialize)]
struct SeenSpec {
    settled: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    catalogue: Option<String>,
}

#[derive(Serialize)]
struct LeaseSpec {
    intent: &'static str,
    token: String,
    period: String,
}

#[derive(Serialize)]
struct KeySpec {
    name: String,
    expires: String,
    contact: String,
    body: usize,
}

#[derive(Serialize)]
struct AbsorbSpec {
    contact: String,
    expect: String,
    settled: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

#[derive(Serialize)]
struct SessionSpec {
    id: String,
    flow: String,
    version: String,
    started: String,
    needs: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    body: usize,
}

#[derive(Serialize)]
struct EntrySpec<'a> {
    session: String,
    seq: String,
    flow: &'a str,
    at: String,
    place: String,
    body: usize,
}

#[derive(Serialize)]
struct CountSpec<'a> {
    flow: &'a str,
    minute: String,
    what: String,
    times: String,
}

/// Bytes that are handed over beside the JSON, by their number as the script counts.
struct Bodies(Vec<Vec<u8>>);

impl Bodies {
    fn add(&mut self, body: Vec<u8>) -> usize {
        self.0.push(body);
        self.0.len()
    }
}

pub(super) async fn commit(server: &Server, commit: Commit) -> Result<Committed, StoreError> {
    let mut bodies = Bodies(vec![Vec::new(), commit.record.to_bytes()?.to_vec()]);
    let spec = spec(&commit, &mut bodies)?;
    let spec = serde_json::to_vec(&spec).map_err(StoreError::permanent)?;
    let Bodies(mut args) = bodies;
    if let Some(first) = args.first_mut() {
        *first = spec;
    }
    let answer: Vec<String> = server.run(&COMMIT, args).await?;
    read(&commit, &answer).unwrap_or_else(|| Err(damaged("an answer", answer.join(" "))))
}

fn read(commit: &Commit, answer: &[String]) -> Option<Result<Committed, StoreError>> {
    let said = |place: usize| answer.get(place).map(String::as_str);
    Some(Ok(match said(0)? {
        "applied" => Committed::Applied {
            revision: said(1)?.parse().ok()?,
            leased: said(2)? == "1",
            settled: said(3)?.parse().ok()?,
        },
        "conflict" => Committed::Conflict,
        "key" => Committed::KeyTaken,
        "lease" => Committed::LeaseLost,
        "alias" => {
            let alias = commit.add_aliases.get(said(1)?.parse::<usize>().ok()?)?.clone();
            match contact_of(said(2)?) {
                Ok(holder) => Committed::AliasTaken { alias, holder },
                Err(error) => return Some(Err(error)),
            }
        }
        _ => return None,
    }))
}

fn spec<'a>(commit: &'a Commit, bodies: &mut Bodies) -> Result<Spec<'a>, StoreError> {
    let key = match &commit.key {
        None => None,
        Some((name, record)) => Some(KeySpec {
            name: key_name(name),
            expires: micros(record.expires_at).to_string(),
            contact: record.contact.to_string(),
            body: bodies.add(serde_json::to_vec(record).map_err(StoreError::permanent)?),
        }),
    };
    let mut sessions = Vec::new();
    for row in session_rows(commit)? {
        sessions.push(session_spec(row, bodies));
    }
    let mut journal = Vec::with_capacity(commit.journal.len());
    for entry in &commit.journal {
        journal.push(entry_spec(entry, bodies)?);
    }
    let count_spec = |count: &'a chatflow::store::CountDelta| CountSpec {
        flow: count.flow.as_str(),
        minute: count.minute.to_string(),
        what: format!("{}:{}", count.version.0, count.what),
        times: i64::try_from(count.times).unwrap_or(i64::MAX).to_string(),
    };
    let absorb_spec = |absorbed: &chatflow::store::MergedContact| AbsorbSpec {
        contact: absorbed.contact.to_string(),
        expect: absorbed.expect.to_string(),
        settled: absorbed.settled.to_string(),
        token: absorbed.token.map(|token| token.0.to_string()),
    };
    let seen_spec = |seen: chatflow::store::DecisionBasis| SeenSpec {
        settled: seen.settled.to_string(),
        catalogue: seen.catalogue.map(|catalogue| catalogue.to_string()),
    };
    Ok(Spec {
        workspace: commit.workspace.as_str(),
        contact: commit.contact.to_string(),
        expect: commit.expect.map(|revision| revision.to_string()),
        seen: commit.seen.map(seen_spec),
        now: micros(commit.now).to_string(),
        due: commit.due_at.map(|at| micros(at).to_string()),
        dead_letters: commit.dead_letters.to_string(),
        lease: lease_spec(commit.lease),
        key,
        absorbs: commit.absorbs.as_deref().map(absorb_spec),
        add_aliases: texts(&commit.add_aliases),
        drop_aliases: texts(&commit.drop_aliases),
        sessions,
        journal,
        counts: commit.counts.iter().map(count_spec).collect(),
    })
}

fn texts(all: &[impl fmt::Display]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

fn lease_spec(lease: Lease) -> LeaseSpec {
    let (intent, token, period) = match lease {
        Lease::Leave => return LeaseSpec { intent: "leave", token: String::new(), period: String::new() },
        Lease::Take(token, period) => ("take", token, period),
        Lease::Hold(token) => ("hold", token, std::time::Duration::ZERO),
        Lease::Free(token) => ("free", token, std::time::Duration::ZERO),
    };
    LeaseSpec { intent, token: token.0.to_string(), period: period.as_micros().to_string() }
}

/// The versions that a session needs are written as flow and version of each, its own first.
fn session_spec(row: SessionRow, bodies: &mut Bodies) -> SessionSpec {
    let SessionRow { id, flow, version, started_at, called, ended } = row;
    let mut needs = format!("{flow}\u{1f}{}", version.0);
    for one in called.as_deref().unwrap_or_default().split('\u{1f}').filter(|one| !one.is_empty()) {
        needs.push('\u{1e}');
        needs.push_str(&one.replace('\u{1e}', "\u{1f}"));
    }
    let (ended, body) = match ended {
        Some((at, record)) => (Some(at.to_string()), bodies.add(record)),
        None => (None, 0),
    };
    let (flow, version) = (flow.to_string(), version.0.to_string());
    SessionSpec { id: id.to_string(), flow, version, started: started_at.to_string(), needs, ended, body }
}

fn entry_spec<'a>(entry: &'a JournalEntry, bodies: &mut Bodies) -> Result<EntrySpec<'a>, StoreError> {
    let body = bodies.add(serde_json::to_vec(entry).map_err(StoreError::permanent)?);
    let at = micros(entry.at);
    let place = place(at, &entry.session.to_string(), entry.seq);
    let (session, seq) = (entry.session.to_string(), entry.seq.to_string());
    Ok(EntrySpec { session, seq, flow: entry.flow.as_str(), at: at.to_string(), place, body })
}

/// The place of an entry in a flow's journal: texts in the order of (`at`, session, `seq`).
pub(super) fn place(at: i64, session: &str, seq: u32) -> String {
    format!("{}{session}:{seq:010}", places_at(at))
}

/// The beginning of all places of an instant.
pub(super) fn places_at(at: i64) -> String {
    format!("{:020}:", i128::from(at) - i128::from(i64::MIN))
}
