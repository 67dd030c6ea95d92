//! Defects that are planted for the oracle to find, beside the flaws of stores: a check that cannot
//! fire proves nothing.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use serde_json::Value;

use super::ports::Weather;
use crate::address::Alias;
use crate::session::ShortList;
use crate::session::{Conversation, Outbound, encode_conversation};
use crate::store::{Commit, Committed, Due, Leased, Loaded, Record, Settle};

/// A defect of what lies between the engine and the world, which the oracle has to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Defect {
    /// Messages are taken by nobody, and said to be.
    SwallowsMessages,
    /// A message says something else.
    ChangesTexts,
    /// A message says something else whenever it comes again.
    ChangesRepeats,
    /// A message comes under the id of another.
    RenumbersMessages,
    /// A message goes out for a session that there is not.
    SendsUncommitted,
    /// A message comes once more under another id.
    DoublesMessages,
    /// A commit is said to be written, and is not.
    SaysCommitted,
    /// A commit on another revision is said to be written.
    HidesConflicts,
    /// A commit writes over what others wrote.
    OverwritesOthers,
    /// Messages that were to be sent are left out of what is written.
    DropsOutbox,
    /// Sessions that are ended are left out of what is written.
    DropsEnded,
    /// The results of messages are left out of what is written.
    ForgetsVerdicts,
    /// Keys are not written.
    ForgetsKeys,
    /// Nothing is ever due.
    ForgetsDue,
    /// Everything that is due is due a day later.
    DelaysDue,
    /// A lease is granted to all.
    GrantsLeases,
    /// The watermark is not told.
    HidesWatermark,
    /// More is said to be settled than is.
    RaisesWatermark,
    /// A settle is said to be written, and is not.
    SaysSettled,
    /// A settle settles more than was sent.
    SettlesAhead,
    /// A settle forgets what is due next.
    SettlesForGood,
    /// A load finds what is stored without its sessions, now and then.
    LosesSessions,
    /// A key is not found.
    HidesKeys,
    /// Nothing is claimed.
    ClaimsNothing,
    /// The addresses of a commit are left out.
    DropsAddresses,
    /// Addresses that are to lead nowhere lead to their contact as before.
    KeepsAddresses,
    /// An erasure erases nothing.
    ErasesNothing,
    /// A call gets the answer of another.
    ConfusesAnswers,
    /// A second trigger is said to have started a session.
    SaysStarted,
    /// A message that is taken is said to be taken by another session the second time.
    ForgetsFirstVerdict,
    /// A process keeps a flow itself, cut short under the same number, and what tells its text is
    /// left out of what is written.
    CutsFlows,
    /// The mark that tells the text of a version from another is left out of all that is written.
    ForgetsDigests,
}

impl Defect {
    /// Each of them.
    pub const ALL: [Self; 32] = [
        Self::SwallowsMessages,
        Self::ChangesTexts,
        Self::ChangesRepeats,
        Self::RenumbersMessages,
        Self::SendsUncommitted,
        Self::DoublesMessages,
        Self::SaysCommitted,
        Self::HidesConflicts,
        Self::OverwritesOthers,
        Self::DropsOutbox,
        Self::DropsEnded,
        Self::ForgetsVerdicts,
        Self::ForgetsKeys,
        Self::ForgetsDue,
        Self::DelaysDue,
        Self::GrantsLeases,
        Self::HidesWatermark,
        Self::RaisesWatermark,
        Self::SaysSettled,
        Self::SettlesAhead,
        Self::SettlesForGood,
        Self::LosesSessions,
        Self::HidesKeys,
        Self::ClaimsNothing,
        Self::DropsAddresses,
        Self::KeepsAddresses,
        Self::ErasesNothing,
        Self::ConfusesAnswers,
        Self::SaysStarted,
        Self::ForgetsFirstVerdict,
        Self::CutsFlows,
        Self::ForgetsDigests,
    ];
}

impl Weather {
    pub(super) fn spoil_load(&self, loaded: &mut Loaded) {
        match self.defect {
            Some(Defect::HidesKeys) => loaded.key = None,
            Some(Defect::LosesSessions) if self.dice.one_in(10) => {
                if let Some(stored) = &mut loaded.conversation {
                    stored.record = without(&stored.record, "sessions");
                }
            }
            Some(Defect::HidesWatermark) => {
                loaded.conversation.iter_mut().for_each(|stored| stored.settled = 0)
            }
            Some(Defect::RaisesWatermark) => {
                loaded.conversation.iter_mut().for_each(|stored| stored.settled += 1);
            }
            Some(Defect::GrantsLeases) => {
                loaded.conversation.iter_mut().for_each(|stored| stored.leased = true)
            }
            _ => {}
        }
    }

    /// True if the commit is to be said to be written, and is not.
    pub(super) fn spoil_commit(&self, commit: &mut Commit) -> bool {
        match self.defect {
            Some(Defect::SaysCommitted) => return self.dice.one_in(20),
            Some(Defect::OverwritesOthers) => commit.expect = self.newest(commit),
            Some(Defect::DropsOutbox) if self.dice.one_in(5) => {
                commit.record = without(&commit.record, "outbox")
            }
            Some(Defect::CutsFlows | Defect::ForgetsDigests) => {
                commit.record = changed(&commit.record, |json| {
                    remove_digests(json);
                    Some(())
                });
            }
            Some(Defect::ForgetsVerdicts) => commit.record = without(&commit.record, "remembered"),
            Some(Defect::DropsEnded) => commit.ended = ShortList::None,
            Some(Defect::ForgetsKeys) => commit.key = None,
            Some(Defect::DropsAddresses) => {
                commit.add_aliases.retain(|alias| !matches!(alias, Alias::Address(_)));
            }
            Some(Defect::KeepsAddresses) => commit.drop_aliases.clear(),
            Some(Defect::ForgetsDue) => commit.due_at = None,
            Some(Defect::DelaysDue) => commit.due_at = commit.due_at.map(|due| due + TimeDelta::days(30)),
            _ => {}
        }
        false
    }

    /// The revision that was written last, as far as this weather has seen.
    fn newest(&self, commit: &Commit) -> Option<u64> {
        self.oracle().revisions.get(&commit.contact).copied().or(commit.expect)
    }

    pub(super) fn spoil_committed(&self, committed: Committed) -> Committed {
        match (self.defect, committed) {
            (Some(Defect::HidesConflicts), Committed::Conflict) => {
                Committed::Applied { revision: 1, settled: 0, leased: true }
            }
            (Some(Defect::GrantsLeases), Committed::Applied { revision, settled, .. }) => {
                Committed::Applied { revision, settled, leased: true }
            }
            (Some(Defect::HidesWatermark), Committed::Applied { revision, leased, .. }) => {
                Committed::Applied { revision, settled: 0, leased }
            }
            (_, committed) => committed,
        }
    }

    /// True if the settle is to be said to be written, and is not.
    pub(super) fn spoil_settle(&self, settle: &mut Settle) -> bool {
        match self.defect {
            Some(Defect::SaysSettled) => return true,
            Some(Defect::SettlesAhead) => settle.settled += 2,
            Some(Defect::SettlesForGood | Defect::ForgetsDue) => settle.due_at = None,
            Some(Defect::DelaysDue) => settle.due_at = settle.due_at.map(|due| due + TimeDelta::days(30)),
            _ => {}
        }
        false
    }

    pub(super) fn spoil_due(&self, due: &mut Due) {
        if self.is(Defect::ClaimsNothing) {
            due.limit = 0;
        }
    }

    pub(super) fn spoil_leased(&self, leased: &mut Leased) {
        if self.is(Defect::ClaimsNothing) {
            leased.conversations.clear();
        }
    }

    /// The message as the world gets it; None: not at all.
    pub(super) fn spoil_message(&self, message: &Outbound) -> Option<Outbound> {
        let mut message = message.clone();
        let is_over = self.is_over.load(Ordering::Relaxed);
        match self.defect {
            Some(Defect::SwallowsMessages) if self.dice.one_in(6) => return None,
            Some(Defect::ChangesTexts) if self.dice.one_in(6) => change(&mut message, "heard nobody"),
            Some(Defect::ChangesRepeats) if self.oracle().has_seen(&message) => change(&mut message, "up!"),
            Some(Defect::RenumbersMessages) if self.dice.one_in(6) => message.id.seq = 1,
            Some(Defect::SendsUncommitted) if self.dice.one_in(6) => {
                message.id.session = crate::id::SessionId(uuid::Uuid::from_u128(u128::MAX));
            }
            Some(Defect::DoublesMessages) if !is_over && self.dice.one_in(4) => {
                let mut twin = message.clone();
                twin.id.seq += 1_000_000;
                self.oracle().sent(&message);
                return Some(twin);
            }
            _ => {}
        }
        Some(message)
    }
}

fn change(message: &mut Outbound, text: &str) {
    if let crate::session::Content::Text { text: own, .. } = &mut message.content {
        *own = text.into();
    }
}

/// A record without a field, if it is still one then.
fn without(record: &Record, field: &str) -> Record {
    changed(record, |json| json.as_object_mut()?.remove(field).map(drop))
}

fn remove_digests(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("digest"));
            fields.values_mut().for_each(remove_digests);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_digests),
        _ => {}
    }
}

/// A record that is changed, if it is still one then.
fn changed(record: &Record, change: impl FnOnce(&mut Value) -> Option<()>) -> Record {
    let changed = || {
        let mut json = serde_json::to_value(&*record.conversation().ok()?).ok()?;
        change(&mut json)?;
        let changed: Conversation = serde_json::from_value(json).ok()?;
        Some(Record::from_bytes(encode_conversation(&changed).ok()?))
    };
    changed().unwrap_or_else(|| record.clone())
}
