//! The proof afterwards: what the history says was answered holds, and what was begun comes to its
//! end.
//!
//! 1. The history alone: one session for each contact and key, each call took effect once, ids and
//!    order of messages.
//! 2. The store as it was found: records, addresses, list of sessions and count agree.
//! 3. Each answered call is made again, on a fresh engine: it answers the same, and nothing
//!    happens.
//! 4. Time passes: all that is due is done, each session ends, each committed message was handed
//!    over.

use std::time::Duration;

use chatflow::store::{ConversationStore, FlowStore, SessionRecord, StoreQueries, retry_pause};
use chatflow::testkit::ManualClock;
use chatflow::{Clock, Engine, Error, FlowId};
use chrono::{DateTime, TimeDelta, Utc};

use super::history::{Event, History, Replied};
use super::probe::Probe;
use super::story::Story;
use super::talk::{FLOW, Talk, builder};
use super::violation::Violation;

/// The outcome of a check.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Calls that were acknowledged, each once.
    pub acknowledged: usize,
    /// Conversations that are stored.
    pub conversations: usize,
    /// Those that were completed; the others' time ran out.
    pub completed: usize,
    /// Messages, each once.
    pub messages: usize,
    /// Messages that were handed over again.
    pub redeliveries: usize,
    /// Facts that must not be.
    pub violations: Vec<Violation>,
}

/// Checks a store against the history of all that was done with it, while nothing else works on it.
///
/// `now` is where the clock of the check begins: not before any engine's. `lease` is the longest
/// that any engine took; `pause` waits in real time, for stores that judge leases by their own
/// clock.
///
/// # Errors
/// When the store does not answer.
pub async fn check<S, F, P>(
    store: S,
    flows: F,
    history: &History,
    (now, lease): (DateTime<Utc>, Duration),
    pause: impl Fn(Duration) -> P,
) -> Result<Checked, Error>
where
    S: ConversationStore + StoreQueries,
    F: FlowStore + 'static,
    P: Future<Output = ()>,
{
    let clock = ManualClock::at(now);
    // Its clock moves by months, that of a server does not.
    let builder = builder(store, flows, clock.clone(), history.clone(), lease);
    let bot = builder.max_skew(Duration::MAX).build();
    bot.flows().ensure(FLOW).await?;
    let before = Story::read(&history.events());
    let mut found = before.contradictions();

    let probe = Probe { store: bot.store(), now };
    let listed = probe.sessions().await?;
    found.extend(probe.agrees(before.contacts.keys().copied(), &listed).await?);
    found.extend(count_agrees(&bot, &listed).await?);
    found.extend(repeat(&bot, &before).await);

    let lease_span = TimeDelta::from_std(lease).expect("a short lease") + TimeDelta::milliseconds(1);
    // What a process had claimed when it died rests before it is tried alone (SEMANTICS S16). Its
    // message is to be handed over first: a question's time begins when the contact has it (N3).
    let rested = lease_span + retry_pause(u32::MAX);
    for step in [rested, TimeDelta::minutes(31)] {
        clock.advance(step);
        found.extend(tick_until_idle(&bot, &clock, rested, &pause, before.contacts.len()).await?);
    }

    let sessions = Probe { store: bot.store(), now: clock.now() }.sessions().await?;
    let after = Story::read(&history.events());
    found.extend(after.sent_wrongly());
    let (completed, ends) = after.ends(&sessions);
    found.extend(ends);
    found.extend(bot.quarantined(None).await?.into_iter().map(|contact| Violation::SetAside { contact }));
    let letters = bot.dead_letters(None).await?;
    found.extend(letters.into_iter().map(|letter| Violation::SetAside { contact: letter.contact }));
    Ok(Checked {
        acknowledged: before.acknowledged.len(),
        conversations: sessions.len(),
        completed,
        messages: after.sent.values().map(Vec::len).sum::<usize>() - after.redeliveries,
        redeliveries: after.redeliveries,
        violations: found,
    })
}

/// True if the count of live sessions is that of the list.
async fn count_agrees<S: ConversationStore>(
    bot: &Engine<S>,
    listed: &[SessionRecord],
) -> Result<Option<Violation>, Error> {
    let live = listed.iter().filter(|record| record.session().status().is_live()).count() as u64;
    let counted = bot.live_sessions(&FlowId::new("abandoned-cart").expect("a name")).await?;
    Ok((live != counted).then(|| Violation::Inconsistent {
        what: format!("live sessions: {live} in the list, {counted} when counted"),
    }))
}

/// Makes each acknowledged call again. The messages of it that are handed over are redeliveries.
async fn repeat<S: ConversationStore>(bot: &Engine<S>, story: &Story) -> Vec<Violation> {
    let talk = Talk { bot, report: History::default(), flip: false };
    let mut found = Vec::new();
    for ((contact, step), session) in &story.acknowledged {
        let why = match talk.make(*contact, *step).await {
            Ok(Event::Triggered { session: again, .. }) if again != *session => {
                format!("the same key answers {again}, not {session}")
            }
            Ok(Event::Triggered { replayed: true, .. }) => continue,
            Ok(Event::Triggered { started: true, .. }) => "the same key starts a session".to_owned(),
            Ok(Event::Triggered { .. }) => "the key is not known any more".to_owned(),
            Ok(Event::Replied { replied: Replied::TakenBefore(again), .. }) if again == *session => continue,
            Ok(other) => format!("a repeat answers {other:?}"),
            Err(error) => format!("a repeat fails: {error}"),
        };
        found.push(Violation::LostTurn { contact: *contact, step: *step, why });
    }
    found
}

/// Ticks until nothing is due, leased, or resting after a lease that ended unsettled. A server
/// judges leases and rests by its own clock, which does not go ahead with the checker's: they are
/// waited for.
async fn tick_until_idle<S: ConversationStore, P: Future<Output = ()>>(
    bot: &Engine<S>,
    clock: &ManualClock,
    rested: TimeDelta,
    pause: &impl Fn(Duration) -> P,
    contacts: usize,
) -> Result<Option<Violation>, Error> {
    const PATIENCE: usize = 1_000;
    const PAUSE: Duration = Duration::from_millis(20);
    let (mut worked, mut paused) = (0, 0);
    while paused < PATIENCE && worked < contacts * 10 + 1_000 {
        let ticked = match bot.tick(100).await {
            Ok(ticked) => ticked,
            Err(error) if error.is_retryable() => {
                paused += 1;
                pause(PAUSE).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        worked += ticked.worked;
        match ticked.next_due {
            Some(due) if due <= clock.now() + rested => {
                if ticked.worked == 0 {
                    paused += 1;
                    pause(PAUSE).await;
                    clock.set(clock.now().max(due));
                }
            }
            _ if ticked.worked > 0 => {}
            _ => return Ok(None),
        }
    }
    let what =
        format!("ticks find work forever: {worked} times, and waited {paused} times for what is leased");
    Ok(Some(Violation::Inconsistent { what }))
}
