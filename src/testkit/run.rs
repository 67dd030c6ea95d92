//! A talk with a flow, from the files' texts to what came of it.

use crate::engine::{Rehearsal, SessionFilter};
use crate::error::Error;
use crate::kernel::JournalEntry;
use crate::talk::{Played, Talk};

/// A talk that was played with a flow of its own, and the rehearsal after it.
///
/// ```
/// use chatflow::talk::Talk;
/// use chatflow::testkit::TalkRun;
///
/// const FLOW: &str = r#"{"spec": 1, "code": "hello", "trigger": {"kind": "manual"},
///     "settings": {"sender": {"channel": "web", "account": "shop"}},
///     "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Hi {{ context.name }}"}],
///     "edges": [{"from": "start", "to": "hi"}]}"#;
/// let talk = Talk::parse("! context {\"name\": \"Ada\"}\n< Hi Ada\n= completed at hi\n")?;
/// let run = TalkRun::of(FLOW, &[], &talk).expect("the flows beside it are sound");
/// assert!(run.played().difference().is_none());
/// # Ok::<(), chatflow::talk::InvalidTalk>(())
/// ```
#[derive(Debug)]
pub struct TalkRun {
    played: Played,
    rehearsal: Option<Rehearsal>,
}

impl TalkRun {
    /// Plays a talk with a flow, beside others that it may call or that its messages may start. A
    /// flow with issues is told in the talk's first lines.
    ///
    /// # Errors
    /// `Issues` of a flow beside it.
    pub fn of(flow: &str, others: &[&str], talk: &Talk) -> Result<Self, Error> {
        let mut rehearsal = match Rehearsal::of(flow) {
            Ok(rehearsal) => rehearsal,
            Err(Error::Issues(issues)) => {
                return Ok(Self { played: Played::refused(talk, &issues), rehearsal: None });
            }
            Err(error) => return Err(error),
        };
        for other in others {
            rehearsal = rehearsal.with_flow(other)?;
        }
        Ok(Self::with(rehearsal, talk))
    }

    /// Plays a talk in a rehearsal that was made ready for it.
    #[must_use]
    pub fn with(mut rehearsal: Rehearsal, talk: &Talk) -> Self {
        let played = rehearsal.play(talk);
        Self { played, rehearsal: Some(rehearsal) }
    }

    /// Returns the talk as it goes now, and the first difference.
    #[must_use]
    pub fn played(&self) -> &Played {
        &self.played
    }

    /// Returns the rehearsal after it; None: the flow has issues that keep it from running.
    #[must_use]
    pub fn rehearsal(&self) -> Option<&Rehearsal> {
        self.rehearsal.as_ref()
    }

    /// Returns the journals of all its sessions, one after the other.
    #[must_use]
    pub fn journals(&self) -> Vec<Vec<JournalEntry>> {
        self.rehearsal.as_ref().map(journals).unwrap_or_default()
    }
}

/// The journals of the sessions of a rehearsal.
pub(super) fn journals(rehearsal: &Rehearsal) -> Vec<Vec<JournalEntry>> {
    let engine = rehearsal.engine();
    let records = at_once(engine.sessions(SessionFilter::all())).unwrap_or_default();
    let journal = |id| at_once(engine.journal(id)).unwrap_or_default();
    records.iter().map(|record| journal(record.session().id())).collect()
}

/// Waits for an engine in memory, whose ports answer at once.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}
