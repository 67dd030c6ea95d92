//! Settles that are acknowledged before they are written: which may be, what rides with a commit,
//! and what is left to write. No I/O and no clock, so that a model can go through it.
//!
//! A settle is refused early wherever its answer could be other than `Done`: this process must have
//! taken the lease, at that revision, with no commit since or under way, and with a second of the
//! lease left (a quarter of a short one). What another process committed meanwhile cannot be known;
//! then the late settle frees the lease, and a tick finds what is due. A process that dies has not
//! settled: its messages go out again under the same ids.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::id::{ContactId, WorkspaceId};
use crate::store::{Commit, Committed, Lease, Revision, Settle, Settled, StoredConversation, Token};

/// A settle is acknowledged early only if so much of its lease is left, or a quarter of it: it has
/// to be written before somebody else may take the lease.
const MARGIN: Duration = Duration::from_secs(1);

/// So many conversations may be known before those whose lease has run out are forgotten.
const FEW: usize = 1024;

/// Settles that ride, for stores on a database: a settle is acknowledged at once, and written with
/// the next commit of its conversation, or soon by a statement for many.
///
/// The store tells of each lease that its process takes ([`begin`](Self::begin) and
/// [`end`](Self::end) of a commit, [`claimed`](Self::claimed)), and asks before it writes a settle.
/// [`settle`](Self::settle) acknowledges one if this process took the lease at that revision, knows
/// of no later commit, and enough of the lease is left. Until such a settle is written, the stored
/// lease stays its token's, so nobody else delivers; afterwards the row is as if the settle had
/// been written at once. A process that ends before that has settled nothing: its lease runs out,
/// and what it sent is sent again under the same id (rule 28 of
/// [`ConversationStore`](crate::store::ConversationStore)).
///
/// A settle that is written late, alone or with a commit, differs from a plain settle in two
/// points: it needs the token to be the last that held the lease, live or not, and on another
/// revision it frees the lease all the same, since its holder has gone. `due_at` is then that of
/// the commit that came between, which a claim finds.
///
/// Times are counted by the store from an instant of its own, by a clock that never goes back.
#[derive(Debug, Default)]
pub struct RidingSettles {
    places: HashMap<(WorkspaceId, ContactId), RidePlace>,
    /// Where something waits to be written, in order; some of it was written since.
    waiting: VecDeque<(WorkspaceId, ContactId)>,
    /// The number of those that were taken and that the store has not answered yet.
    taken: usize,
    /// Settles that were written and are still shown, since a load may be under way that began
    /// before.
    written: Vec<(WorkspaceId, ContactId, Token)>,
}

#[derive(Debug, Default)]
struct RidePlace {
    state: SettleState,
    /// Commits of the conversation that are under way.
    commits: usize,
}

#[derive(Debug, Default)]
enum SettleState {
    /// No lease of this process is known.
    #[default]
    Unknown,
    /// A call of this process holds the lease, and nothing was committed since. Until then a settle
    /// may be acknowledged early.
    Held { token: Token, revision: Revision, until: Duration },
    /// It gave the lease back.
    Settled { settle: Settle, stage: SettleStage },
}

/// The state of a settle that was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SettleStage {
    /// It is among those that wait.
    Waiting,
    /// It is being written, or is left to a commit.
    Taken,
    Written,
}

/// A commit that is under way. It has to be ended, whatever comes of it.
#[derive(Debug)]
#[must_use]
pub struct BoardedSettles {
    workspace: WorkspaceId,
    contact: ContactId,
    lease: Lease,
    began: Duration,
    rides: Option<(Token, u64)>,
}

impl BoardedSettles {
    /// Returns the token and the watermark of the settle that is to be written with the commit: if
    /// the token was the last to hold the lease, the watermark is raised, the lease is free for the
    /// commit, and its claims are over.
    #[must_use]
    pub fn rides(&self) -> Option<(Token, u64)> {
        self.rides
    }
}

impl RidingSettles {
    /// Notes that a commit is about to be written. While it is, no settle of its conversation is
    /// acknowledged early.
    pub fn begin(&mut self, commit: &Commit, now: Duration) -> BoardedSettles {
        let place = self.places.entry((commit.workspace.clone(), commit.contact.clone())).or_default();
        place.commits += 1;
        let rides = match &place.state {
            SettleState::Settled { settle, stage: SettleStage::Waiting | SettleStage::Taken } => {
                Some((settle.token, settle.settled))
            }
            _ => None,
        };
        BoardedSettles {
            workspace: commit.workspace.clone(),
            contact: commit.contact.clone(),
            lease: commit.lease,
            began: now,
            rides,
        }
    }

    /// The commit is done, or is not waited for any more. None: what became of it is not known.
    pub fn end(&mut self, boarded: BoardedSettles, committed: Option<&Committed>) {
        let BoardedSettles { workspace, contact, lease, began, rides } = boarded;
        let name = (workspace, contact);
        let Some(place) = self.places.get_mut(&name) else { return };
        place.commits = place.commits.saturating_sub(1);
        match committed {
            Some(Committed::Applied { revision, leased, .. }) => {
                place.apply(*revision, *leased, lease, began, rides);
            }
            None | Some(Committed::Conflict) => place.doubt(),
            Some(Committed::KeyTaken | Committed::AliasTaken { .. } | Committed::LeaseLost) => {}
        }
        match &mut place.state {
            SettleState::Settled { stage: stage @ SettleStage::Taken, .. } if place.commits == 0 => {
                *stage = SettleStage::Waiting;
                self.waiting.push_back(name);
            }
            SettleState::Unknown if place.commits == 0 => drop(self.places.remove(&name)),
            _ => self.forget_leases(began),
        }
    }

    /// A claim leased a conversation to this process.
    pub fn claimed(
        &mut self,
        workspace: &WorkspaceId,
        stored: &StoredConversation,
        token: Token,
        period: Duration,
        began: Duration,
    ) {
        let place = self.places.entry((workspace.clone(), stored.contact.clone())).or_default();
        let until = last_moment(began, period);
        place.state = SettleState::Held { token, revision: stored.revision, until };
        self.forget_leases(began);
    }

    /// The conversation was removed (rules 22 and 27), or is about to be: nothing waits for it any
    /// more.
    pub fn forget(&mut self, workspace: &WorkspaceId, contact: &ContactId) {
        let name = (workspace.clone(), contact.clone());
        if let Some(place) = self.places.get_mut(&name) {
            place.state = SettleState::Unknown;
            if place.commits == 0 {
                self.places.remove(&name);
            }
        }
    }

    /// Acknowledges a settle if it may be written later. None: it is to be written now.
    pub fn settle(&mut self, settle: &Settle, now: Duration) -> Option<Settled> {
        let name = (settle.workspace.clone(), settle.contact.clone());
        let place = self.places.get_mut(&name)?;
        match &place.state {
            SettleState::Held { token, revision, until } if *token == settle.token => {
                let may_wait =
                    *revision == settle.revision && place.commits == 0 && !settle.quarantine && now <= *until;
                if !may_wait {
                    place.state = SettleState::Unknown;
                    return None;
                }
                place.state = SettleState::Settled { settle: settle.clone(), stage: SettleStage::Waiting };
                self.waiting.push_back(name);
                Some(Settled::Done)
            }
            SettleState::Settled { settle: known, .. } if known.token == settle.token => {
                Some(Settled::LeaseLost)
            }
            _ => None,
        }
    }

    /// Shows a conversation that was loaded as it is with the settle that is not written yet.
    pub fn show(&mut self, workspace: &WorkspaceId, token: Token, stored: &mut StoredConversation) {
        let Some(place) = self.places.get_mut(&(workspace.clone(), stored.contact.clone())) else { return };
        match &place.state {
            SettleState::Settled { settle, .. } if settle.revision == stored.revision => {
                stored.settled = stored.settled.max(settle.settled);
                stored.leased &= settle.token != token;
            }
            SettleState::Held { revision, .. } if *revision != stored.revision => place.doubt(),
            _ => {}
        }
    }

    /// Returns true if nothing waits to be written, and nothing that was taken is being written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.taken == 0
    }

    /// Takes the settles that are to be written now. Those of conversations with a commit under way
    /// are left to it. What was written before the last time is not shown any more.
    pub fn take(&mut self) -> Vec<Settle> {
        self.sweep();
        let mut taken = Vec::new();
        while let Some(name) = self.waiting.pop_front() {
            let Some(place) = self.places.get_mut(&name) else { continue };
            if let SettleState::Settled { settle, stage: stage @ SettleStage::Waiting } = &mut place.state {
                *stage = SettleStage::Taken;
                if place.commits == 0 {
                    taken.push(settle.clone());
                }
            }
        }
        self.taken += taken.len();
        taken
    }

    /// These were taken and are written.
    pub fn written(&mut self, settles: &[Settle]) {
        self.taken = self.taken.saturating_sub(settles.len());
        for settle in settles {
            let name = (settle.workspace.clone(), settle.contact.clone());
            if let Some(RidePlace { state: SettleState::Settled { settle: known, stage }, .. }) =
                self.places.get_mut(&name)
                && known.token == settle.token
            {
                *stage = SettleStage::Written;
                self.written.push((name.0, name.1, settle.token));
            }
        }
    }

    /// Puts back settles that were taken and could not be written.
    pub fn put_back(&mut self, settles: &[Settle]) {
        self.taken = self.taken.saturating_sub(settles.len());
        for settle in settles {
            let name = (settle.workspace.clone(), settle.contact.clone());
            if let Some(RidePlace {
                state: SettleState::Settled { stage: stage @ SettleStage::Taken, .. },
                commits: 0,
            }) = self.places.get_mut(&name)
            {
                *stage = SettleStage::Waiting;
                self.waiting.push_back(name);
            }
        }
    }

    /// Forgets what was written.
    fn sweep(&mut self) {
        for (workspace, contact, token) in std::mem::take(&mut self.written) {
            let name = (workspace, contact);
            if let Some(place) = self.places.get_mut(&name)
                && let SettleState::Settled { settle, stage: SettleStage::Written } = &place.state
                && settle.token == token
            {
                place.state = SettleState::Unknown;
                if place.commits == 0 {
                    self.places.remove(&name);
                }
            }
        }
    }

    /// Forgets leases that ran out, of calls that ended without a settle.
    fn forget_leases(&mut self, now: Duration) {
        if self.places.len() >= FEW && self.places.len() == self.places.capacity() {
            self.places.retain(|_, place| match place.state {
                SettleState::Held { until, .. } => until > now || place.commits > 0,
                _ => true,
            });
        }
    }
}

/// When a settle under a lease of this period may be acknowledged early for the last time.
fn last_moment(began: Duration, period: Duration) -> Duration {
    began.saturating_add(period.saturating_sub(MARGIN.min(period / 4)))
}

impl RidePlace {
    /// The conversation is, or may be, at another revision: the holder of the lease is to be told
    /// so when it settles.
    fn doubt(&mut self) {
        if let SettleState::Held { .. } = self.state {
            self.state = SettleState::Unknown;
        }
    }

    fn apply(
        &mut self,
        revision: Revision,
        leased: bool,
        lease: Lease,
        began: Duration,
        rides: Option<(Token, u64)>,
    ) {
        let held_until = match self.state {
            SettleState::Held { until, .. } => until,
            _ => Duration::ZERO,
        };
        match (lease, leased) {
            (Lease::Take(token, period), true) => {
                self.state = SettleState::Held { token, revision, until: last_moment(began, period) };
            }
            (Lease::Hold(token), true) => {
                self.state = SettleState::Held { token, revision, until: held_until };
            }
            _ => match &self.state {
                SettleState::Settled { settle, .. }
                    if rides.is_some_and(|(token, _)| token == settle.token) =>
                {
                    self.state = SettleState::Unknown;
                }
                _ => self.doubt(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Record;
    use chrono::DateTime;
    use uuid::Uuid;

    const MINUTE: Duration = Duration::from_secs(60);

    fn name() -> (WorkspaceId, ContactId) {
        (WorkspaceId::default(), ContactId::new("ada").expect("a name"))
    }

    fn taking(token: u128) -> Commit {
        let (workspace, contact) = name();
        let mut commit = Commit::new(workspace, contact, Some(1), Record::none(), DateTime::UNIX_EPOCH);
        commit.lease = Lease::Take(Token(Uuid::from_u128(token)), MINUTE);
        commit
    }

    fn settle(token: u128, revision: Revision) -> Settle {
        let (workspace, contact) = name();
        let (due_at, quarantine) = (None, false);
        let (token, now) = (Token(Uuid::from_u128(token)), DateTime::UNIX_EPOCH);
        Settle { workspace, contact, token, revision, settled: 3, due_at, quarantine, now }
    }

    fn applied(revision: Revision, leased: bool) -> Committed {
        Committed::Applied { revision, leased, settled: 0 }
    }

    /// A lease of token 1 at revision 2.
    fn held() -> RidingSettles {
        let mut rides = RidingSettles::default();
        let boarded = rides.begin(&taking(1), Duration::ZERO);
        rides.end(boarded, Some(&applied(2, true)));
        rides
    }

    #[test]
    fn a_settle_of_a_lease_of_its_own_is_acknowledged_and_taken_once() {
        let mut rides = held();
        assert_eq!(rides.settle(&settle(1, 2), Duration::ZERO), Some(Settled::Done));
        assert_eq!(rides.settle(&settle(1, 2), Duration::ZERO), Some(Settled::LeaseLost));
        let taken = rides.take();
        assert_eq!(taken.len(), 1);
        assert!(!rides.is_empty(), "it is being written");
        rides.written(&taken);
        assert!(rides.is_empty());
        assert!(rides.take().is_empty() && rides.places.is_empty());
    }

    #[test]
    fn a_settle_of_an_unknown_lease_or_another_revision_is_written_at_once() {
        let mut rides = held();
        assert_eq!(rides.settle(&settle(2, 2), Duration::ZERO), None);
        assert_eq!(rides.settle(&settle(1, 3), Duration::ZERO), None);
        assert_eq!(rides.settle(&settle(1, 2), Duration::ZERO), None, "the token is not asked about again");
    }

    #[test]
    fn a_settle_at_the_end_of_a_lease_is_written_at_once() {
        assert_eq!(held().settle(&settle(1, 2), MINUTE - MARGIN), Some(Settled::Done));
        assert_eq!(held().settle(&settle(1, 2), MINUTE), None);
        let (second, early) = (Duration::from_secs(1), Duration::from_millis(750));
        assert_eq!(last_moment(second, second), second + early, "a quarter of a short lease");
    }

    #[test]
    fn a_settle_is_written_at_once_while_a_commit_is_under_way_and_after_it() {
        let mut rides = held();
        let boarded = rides.begin(&taking(2), Duration::ZERO);
        assert_eq!(rides.settle(&settle(1, 2), Duration::ZERO), None);
        rides.end(boarded, Some(&applied(3, false)));
        let mut rides = held();
        let boarded = rides.begin(&taking(2), Duration::ZERO);
        rides.end(boarded, Some(&applied(3, false)));
        assert_eq!(rides.settle(&settle(1, 2), Duration::ZERO), None);
    }

    #[test]
    fn a_settle_rides_with_a_commit_and_is_taken_if_that_is_refused() {
        let mut rides = held();
        let _ = rides.settle(&settle(1, 2), Duration::ZERO);
        let boarded = rides.begin(&taking(2), Duration::ZERO);
        assert_eq!(boarded.rides(), Some((Token(Uuid::from_u128(1)), 3)));
        assert!(rides.take().is_empty(), "it is left to the commit");
        rides.end(boarded, Some(&Committed::Conflict));
        assert_eq!(rides.take().len(), 1);
    }

    #[test]
    fn a_load_shows_a_settle_of_its_revision() {
        let mut rides = held();
        let _ = rides.settle(&settle(1, 2), Duration::ZERO);
        let (workspace, contact) = name();
        let mut seen = |revision| {
            let contact = contact.clone();
            let mut stored = StoredConversation {
                contact,
                revision,
                record: Record::none(),
                settled: 0,
                leased: true,
                quarantined: false,
            };
            rides.show(&workspace, Token(Uuid::from_u128(1)), &mut stored);
            (stored.settled, stored.leased)
        };
        assert_eq!((seen(2), seen(3)), ((3, false), (0, true)));
    }
}
