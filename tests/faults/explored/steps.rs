//! The steps that may come next, and the promises that none may break.

use super::state::{Ask, At, Budget, ERASED, Lease, MESSAGES, Record, Rule, State, View};

type Next = Result<State, String>;

/// Every state that can follow, or what was broken on the way.
pub(super) fn steps(state: &State, dropped: Option<Rule>) -> Vec<Next> {
    let mut next = Vec::new();
    let holds = |rule| dropped != Some(rule);
    for place in 0..state.processes.len() {
        // Processes that are at the same are alike.
        if place > 0 && state.processes[place] == state.processes[place - 1] {
            continue;
        }
        match state.processes[place] {
            At::Idle => begin(state, place, &holds, &mut next),
            At::TrustedStore(ask, again) => next.push(Ok(load(state, place, ask, again))),
            At::Loaded(ask, again, view) => decide(state, place, (ask, again, view), &holds, &mut next),
            At::Sending { .. } => send(state, place, &holds, &mut next),
        }
        if state.left.crashes > 0 && state.processes[place] != At::Idle {
            let mut after = state.clone();
            after.left.crashes -= 1;
            after.past.excused = true;
            after.processes[place] = At::Idle;
            next.push(Ok(after));
        }
    }
    if state.left.lapses > 0 && state.store.lease == Lease::Held && holds(Rule::LeaseEnds) {
        let mut after = state.clone();
        after.left.lapses -= 1;
        after.past.excused = true;
        after.store.lease = Lease::Ended;
        next.push(Ok(after));
    }
    if state.left.publishes > 0 {
        let mut after = state.clone();
        after.left.publishes -= 1;
        after.store.online += 1;
        next.push(Ok(after));
    }
    next
}

/// A process that is idle begins something.
fn begin(state: &State, place: usize, holds: &dyn Fn(Rule) -> bool, next: &mut Vec<Next>) {
    let mut ask = |ask: Ask, spend: fn(&mut Budget)| {
        let mut after = state.clone();
        spend(&mut after.left);
        after.past.calls += u8::from(matches!(ask, Ask::Trigger(..)));
        after.processes[place] = At::TrustedStore(ask, false);
        next.push(Ok(after));
    };
    let call = state.past.calls + 1;
    if state.left.keyed > 0 {
        ask(Ask::Trigger(call, true), |left| left.keyed -= 1);
    }
    if state.left.triggers > 0 {
        ask(Ask::Trigger(call, false), |left| left.triggers -= 1);
    }
    if state.left.replies > 0 {
        ask(Ask::Reply, |left| left.replies -= 1);
    }
    if state.left.migrations > 0 {
        ask(Ask::Migrate, |left| left.migrations -= 1);
    }
    if state.left.erasures > 0 {
        ask(Ask::Erase, |left| left.erasures -= 1);
    }
    let is_free = state.store.lease != Lease::Held || !holds(Rule::LeaseExcludes);
    if state.store.due && is_free && state.store.record.is_some() {
        next.push(Ok(claim(state, place, holds)));
    }
}

/// A tick claims what is due.
fn claim(state: &State, place: usize, holds: &dyn Fn(Rule) -> bool) -> State {
    let mut after = state.clone();
    lease_to(&mut after, place);
    let last = state.store.record.map_or(0, |record| record.last);
    let sent = if holds(Rule::WatermarkIsRead) { state.store.settled } else { 0 };
    after.processes[place] = At::Sending { revision: state.store.revision, sent, last, leased: true };
    after
}

/// From now on nobody else has it.
fn lease_to(state: &mut State, place: usize) {
    for (other, at) in state.processes.iter_mut().enumerate() {
        if let At::Sending { leased, .. } = at {
            *leased &= other == place;
        }
    }
    state.store.lease = Lease::Held;
}

fn load(state: &State, place: usize, ask: Ask, again: bool) -> State {
    let mut after = state.clone();
    let store = &state.store;
    let view = View {
        record: store.record,
        revision: store.revision,
        key: store.key.filter(|_| matches!(ask, Ask::Trigger(_, true))),
        online: store.online,
        own: matches!(ask, Ask::Trigger(call, _) if state.past.started.contains(&call)),
    };
    after.processes[place] = At::Loaded(ask, again, view);
    after
}

/// The decision of a call on what it loaded: nothing more to do, or a commit.
fn decide(
    state: &State,
    place: usize,
    (ask, again, view): (Ask, bool, View),
    holds: &dyn Fn(Rule) -> bool,
    next: &mut Vec<Next>,
) {
    let mut answered = state.clone();
    answered.processes[place] = At::Idle;
    let old = view.record.unwrap_or(Record { live: None, last: 0, heard: false });
    let new = match ask {
        Ask::Trigger(_, true) if view.key.is_some() => None,
        // A session is found by its id, also when it has ended.
        Ask::Trigger(..) if again && view.own && holds(Rule::OwnWorkIsKnown) => None,
        Ask::Trigger(call, keyed) => match old.live {
            Some((owner, _)) if owner == call => {
                next.push(Err(format!("T5: call {call} is told that its own session ran already")));
                return;
            }
            Some(_) if !keyed => None,
            Some((owner, version)) => {
                let version = if holds(Rule::SessionPinsVersion) { version } else { view.online };
                Some(Record { live: Some((owner, version)), ..old })
            }
            None => Some(Record { live: Some((call, view.online)), last: old.last + 1, ..old }),
        },
        Ask::Reply => match old.live {
            Some(_) if !old.heard => {
                Some(Record { live: None, last: old.last + 1, heard: holds(Rule::CommitRemembersMessage) })
            }
            _ => None,
        },
        Ask::Migrate => old
            .live
            .filter(|(_, version)| *version != view.online)
            .map(|(call, _)| Record { live: Some((call, view.online)), ..old }),
        Ask::Erase => {
            if view.record.is_some() {
                erase(state, place, view, holds, next);
            } else {
                next.push(Ok(answered));
            }
            return;
        }
    };
    let Some(new) = new.filter(|new| usize::from(new.last) <= MESSAGES) else {
        next.push(Ok(answered));
        return;
    };
    let commit = Commit { ask, again, view, old, new };
    if !holds(Rule::SendAfterCommit) && new.last > old.last {
        let mut early = state.clone();
        next.push(deliver(&mut early, new.last).map(|()| early));
    }
    next.push(commit.made(state, place, holds));
    if state.left.unknown > 0 {
        // It is not known, and was not written; or it was written.
        let mut lost = state.clone();
        lost.left.unknown -= 1;
        lost.past.excused = true;
        lost.processes[place] = At::TrustedStore(ask, true);
        let mut written = commit.made(&lost, place, holds);
        if let Ok(written) = &mut written {
            release(written, place);
            written.processes[place] = At::TrustedStore(ask, true);
        }
        next.push(Ok(lost));
        next.push(written);
    }
}

/// A process that does not know that it has the lease does not use it; it ends by itself.
fn release(state: &mut State, place: usize) {
    if matches!(state.processes[place], At::Sending { leased: true, .. }) {
        state.store.lease = Lease::Ended;
    }
}

#[derive(Clone, Copy)]
struct Commit {
    ask: Ask,
    again: bool,
    view: View,
    old: Record,
    new: Record,
}

impl Commit {
    /// The commit as the store answers it.
    fn made(&self, state: &State, place: usize, holds: &dyn Fn(Rule) -> bool) -> Next {
        let Self { ask, again, view, old, new } = *self;
        let mut after = state.clone();
        let compares = match ask {
            Ask::Migrate => holds(Rule::MigrationComparesRevision),
            _ => holds(Rule::CommitComparesRevision),
        };
        let is_stale =
            view.revision != state.store.revision || view.record.is_none() != state.store.record.is_none();
        let keyed = matches!(ask, Ask::Trigger(_, true));
        let key_taken = keyed && state.store.key.is_some();
        if (compares && is_stale) || key_taken {
            after.processes[place] = At::TrustedStore(ask, again);
            return Ok(after);
        }
        after.store.record = Some(new);
        after.store.revision += 1;
        after.store.due |= new.last > old.last && holds(Rule::CommitSetsDue);
        if keyed && holds(Rule::CommitWritesKey) {
            after.store.key = new.live.map(|(call, _)| call);
        }
        self.check(state, &mut after)?;
        after.processes[place] = At::Idle;
        let is_free = state.store.lease != Lease::Held || !holds(Rule::LeaseExcludes);
        let last = new.last;
        let sent = if holds(Rule::WatermarkIsRead) { state.store.settled } else { 0 };
        if last > sent {
            let leased = is_free && holds(Rule::LeaseBeforeSend);
            if leased {
                lease_to(&mut after, place);
            }
            if leased || !holds(Rule::LeaseBeforeSend) {
                let revision = after.store.revision;
                after.processes[place] = At::Sending { revision, sent, last, leased };
            }
        }
        Ok(after)
    }

    /// The promises that a written commit must not have broken.
    fn check(&self, state: &State, after: &mut State) -> Result<(), String> {
        let (past, Self { ask, old, new, .. }) = (&mut after.past, *self);
        if state.past.erased
            && old.live.is_some()
            && new.live.is_some_and(|(call, _)| state.past.live.is_none_or(|live| live.0 != call))
        {
            return Err("S11: what was erased is back".to_owned());
        }
        if new.last > old.last {
            if new.last <= state.past.committed {
                return Err(format!("D1: two messages have number {}", new.last));
            }
            past.committed = new.last;
        }
        match ask {
            Ask::Trigger(call, keyed) if old.live.is_none() => {
                if state.past.live.is_some() {
                    return Err("T6: two live sessions".to_owned());
                }
                past.started.push(call);
                past.started_by_key += u8::from(keyed);
                if past.started_by_key > 1 {
                    return Err("T5: one key, two sessions".to_owned());
                }
                past.live = new.live;
            }
            Ask::Reply => {
                past.taken += 1;
                if past.taken > 1 {
                    return Err("I2: one message was taken twice".to_owned());
                }
                past.live = None;
            }
            Ask::Migrate => {
                if state.past.live.is_none() {
                    return Err("S5: a session that had ended lives".to_owned());
                }
                past.live = new.live;
            }
            Ask::Trigger(..) | Ask::Erase => {}
        }
        match (new.live, past.live) {
            (Some(new), Some(first)) if new != first => Err(format!("S5: session {first:?} is {new:?}")),
            _ => Ok(()),
        }
    }
}

fn erase(state: &State, place: usize, view: View, holds: &dyn Fn(Rule) -> bool, next: &mut Vec<Next>) {
    let mut after = state.clone();
    if view.revision != state.store.revision && holds(Rule::EraseComparesRevision) {
        after.processes[place] = At::TrustedStore(Ask::Erase, false);
        next.push(Ok(after));
        return;
    }
    if view.revision != state.store.revision {
        next.push(Err("S11: an erasure removed what nobody looked at".to_owned()));
        return;
    }
    after.store.record = None;
    after.store.settled = 0;
    after.store.revision = if holds(Rule::EraseKeepsRevision) { state.store.revision + 1 } else { 0 };
    after.store.due = false;
    after.store.lease = Lease::Free;
    after.store.key = state.store.key.filter(|_| holds(Rule::KeyOutlivesErase)).map(|_| ERASED);
    after.past.live = None;
    after.past.erased = true;
    // The next one is a new contact, with numbers of its own.
    after.past.started.clear();
    after.past.committed = 0;
    after.past.delivered = [0; MESSAGES];
    after.past.taken = 0;
    // A process that still sends to the erased contact has lost the lease, and writes nothing any
    // more.
    for at in &mut after.processes {
        if matches!(at, At::Sending { .. }) {
            *at = At::Idle;
        }
    }
    after.processes[place] = At::Idle;
    next.push(Ok(after));
}

/// A message reaches the channel.
fn deliver(state: &mut State, number: u8) -> Result<(), String> {
    let past = &mut state.past;
    if number > past.committed && !past.erased {
        return Err(format!("D1: message {number} left before its turn was committed"));
    }
    let place = usize::from(number) - 1;
    let Some(times) = past.delivered.get(place).copied() else { return Ok(()) };
    if times > 0 && !past.excused {
        return Err(format!("D1: message {number} left twice, and nothing had gone wrong"));
    }
    if times == 0 && !past.erased && past.delivered.iter().take(place).any(|times| *times == 0) {
        return Err(format!("D1: message {number} left before an earlier one"));
    }
    past.delivered[place] = 1;
    Ok(())
}

/// Sends the next message, or settles what was sent.
fn send(state: &State, place: usize, holds: &dyn Fn(Rule) -> bool, next: &mut Vec<Next>) {
    let At::Sending { revision, sent, last, leased } = state.processes[place] else { return };
    let mut after = state.clone();
    if sent < last {
        let done = deliver(&mut after, sent + 1);
        after.processes[place] = At::Sending { revision, sent: sent + 1, last, leased };
        next.push(done.map(|()| after));
        return;
    }
    after.processes[place] = At::Idle;
    if !leased || state.store.lease != Lease::Held {
        next.push(Ok(after));
        return;
    }
    let said = if holds(Rule::SettleSaysWhatWasSent) { sent } else { sent + 1 };
    after.store.settled = state.store.settled.max(said);
    let is_newest = state.store.revision == revision;
    if is_newest || !holds(Rule::SettleComparesRevision) {
        after.store.due = false;
        after.store.lease = Lease::Free;
    } else {
        // Something was committed meanwhile, and the lease is still had: what is new is sent.
        let last = state.store.record.map_or(0, |record| record.last);
        let sent = after.store.settled;
        after.processes[place] = At::Sending { revision: state.store.revision, sent, last, leased };
    }
    let unsent =
        (0..usize::from(after.store.settled)).any(|place| after.past.delivered.get(place) == Some(&0));
    if unsent && after.store.record.is_some() && !state.past.erased {
        next.push(Err(format!("D1: {} messages are settled, and not all were sent", after.store.settled)));
        return;
    }
    next.push(Ok(after));
}

/// D3: however it is here, once processes are replaced and leases have ended, ticks bring all to
/// rest: nothing is due, and everything that was committed was sent.
pub(super) fn comes_to_rest(state: &State, dropped: Option<Rule>) -> Result<(), String> {
    let holds = |rule| dropped != Some(rule);
    let mut state = state.clone();
    state.processes = [At::Idle; 3];
    state.past.excused = true;
    if holds(Rule::LeaseEnds) && state.store.lease == Lease::Held {
        state.store.lease = Lease::Ended;
    }
    for _ in 0..4 * MESSAGES {
        let is_free = state.store.lease != Lease::Held || !holds(Rule::LeaseExcludes);
        if state.processes[0] == At::Idle {
            if !(state.store.due && is_free && state.store.record.is_some()) {
                break;
            }
            state = claim(&state, 0, &holds);
        }
        let mut next = Vec::new();
        send(&state, 0, &holds, &mut next);
        state = next.remove(0)?;
    }
    let Some(record) = state.store.record else { return Ok(()) };
    if state.store.due {
        return Err("D3: something is due, and no tick moves it on".to_owned());
    }
    if (0..usize::from(record.last)).any(|place| state.past.delivered.get(place) == Some(&0))
        && !state.past.erased
    {
        return Err("D1: a message was never sent".to_owned());
    }
    Ok(())
}
