//! The limits of an evaluation: steps, and characters of each text while it is written. Reading and
//! writing texts costs steps too, so the steps bound the memory.

use std::fmt;

use super::error::EvalError;
use crate::limits::Limits;

/// Bytes of text, or of a packed value, that one step reads or writes.
pub(super) const BYTES_PER_STEP: usize = 64;

pub(crate) struct Meter {
    steps: u32,
    max_steps: u32,
    pub(super) max_chars: usize,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { steps: 0, max_steps: limits.expression_steps, max_chars: limits.template_chars }
    }

    pub(crate) fn max_chars(&self) -> usize {
        self.max_chars
    }

    #[inline]
    pub(super) fn step(&mut self) -> Result<(), EvalError> {
        self.steps(1)
    }

    pub(super) fn steps(&mut self, steps: usize) -> Result<(), EvalError> {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.steps = self.steps.saturating_add(steps);
        if self.steps > self.max_steps {
            return Err(EvalError::StepLimit { max: self.max_steps });
        }
        Ok(())
    }

    /// Charges for bytes that are read or written.
    pub(super) fn bytes(&mut self, bytes: usize) -> Result<(), EvalError> {
        self.steps(bytes / BYTES_PER_STEP)
    }

    /// Charges for the items of a list, and refuses one that is too long.
    pub(super) fn items(&mut self, items: usize) -> Result<(), EvalError> {
        if items > self.max_chars {
            return Err(self.too_much());
        }
        self.steps(items)
    }

    pub(super) fn too_much(&self) -> EvalError {
        EvalError::OutputLimit { max: self.max_chars }
    }

    /// A text to write.
    pub(super) fn text(&self) -> Text {
        Text { out: String::new(), left: self.max_chars }
    }

    /// Takes what was written, and charges for it.
    pub(super) fn written(&mut self, written: Result<Text, fmt::Error>) -> Result<String, EvalError> {
        let text = written.map_err(|_| self.too_much())?.out;
        self.bytes(text.len())?;
        Ok(text)
    }

    /// A text that was made whole from one that is known to be bounded.
    pub(super) fn checked(&mut self, text: String) -> Result<String, EvalError> {
        if text.len() > self.max_chars && text.chars().count() > self.max_chars {
            return Err(self.too_much());
        }
        self.bytes(text.len())?;
        Ok(text)
    }

    /// Refuses, before it is worked on as a whole, a text that cannot fit.
    pub(super) fn bounded<'t>(&mut self, text: &'t str) -> Result<&'t str, EvalError> {
        if text.len() > self.max_chars.saturating_mul(4) {
            return Err(self.too_much());
        }
        self.bytes(text.len())?;
        Ok(text)
    }
}

/// A text that refuses to grow beyond its characters.
pub(super) struct Text {
    out: String,
    left: usize,
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Far beyond the limit is found without counting characters.
        if text.len() / 4 > self.left {
            return Err(fmt::Error);
        }
        self.left = self.left.checked_sub(text.chars().count()).ok_or(fmt::Error)?;
        self.out.push_str(text);
        Ok(())
    }
}
