//! The acts of the player, written down as a talk.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

use chatflow::talk::{Act, Talk};
use chatflow::testkit::TalkRun;

/// The acts of a talk that is recorded. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Recording(Arc<Mutex<Acts>>);

#[derive(Default)]
struct Acts {
    all: Vec<Act>,
    /// The place of the act that is being done.
    place: usize,
}

impl Recording {
    fn with<T>(&self, change: impl FnOnce(&mut Acts) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The player does something.
    pub(crate) fn act(&self, act: Act) {
        self.with(|acts| {
            acts.place = acts.all.len();
            acts.all.push(act);
        });
    }

    /// The host answers at once: in a talk, that line comes before the one that makes the flow ask.
    pub(crate) fn answer(&self, act: Act) {
        self.with(|acts| {
            acts.all.insert(acts.place, act);
            acts.place += 1;
        });
    }

    /// Writes the talk down: what was done, and what comes of it by the runner of talks.
    pub(crate) fn write(&self, flow: &str, path: &str) -> Result<(), String> {
        let mut talk = Talk::new();
        self.with(|acts| acts.all.iter().for_each(|act| talk.push(act.clone())));
        let run = TalkRun::of(flow, &[], &talk).map_err(|error| error.to_string())?;
        fs::write(path, run.played().text())
            .map_err(|error| format!("--record: `{path}` cannot be written: {error}"))
    }
}
