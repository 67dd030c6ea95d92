//! A transport that remembers what it was given, and answers as it was told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::SendError;
use crate::session::Outbound;
use crate::transport::{Receipt, Transport};

/// Takes every message and keeps it. Clones share what they keep.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<RecorderState>>);

#[derive(Debug, Default)]
struct RecorderState {
    sent: Vec<Outbound>,
    read: usize,
    answers: VecDeque<Result<Receipt, SendError>>,
}

impl Recorder {
    /// A transport that takes everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, RecorderState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the next messages like this, one after the other; then takes everything again.
    pub fn answer(&self, answers: impl IntoIterator<Item = Result<Receipt, SendError>>) {
        self.state().answers.extend(answers);
    }

    /// Returns every message that was handed over, those that were not taken too.
    #[must_use]
    pub fn sent(&self) -> Vec<Outbound> {
        self.state().sent.clone()
    }

    /// Returns the messages that were handed over since this was last asked.
    #[must_use]
    pub fn take_new(&self) -> Vec<Outbound> {
        let mut state = self.state();
        let from = state.read;
        state.read = state.sent.len();
        state.sent.iter().skip(from).cloned().collect()
    }

    /// Returns the texts of [`take_new`](Self::take_new).
    #[must_use]
    pub fn take_texts(&self) -> Vec<String> {
        self.take_new().iter().map(|message| message.text().to_owned()).collect()
    }
}

impl Transport for Recorder {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        let mut state = self.state();
        state.sent.push(message.clone());
        state.answers.pop_front().unwrap_or_else(|| Ok(Receipt::new()))
    }
}
