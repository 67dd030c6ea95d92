//! Errors for an author to read: why a text is no expression, why an expression has no value.

use std::borrow::Cow;

/// The reason a text is not an expression or a template, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {}", .offset.saturating_add(1))]
pub(crate) struct SyntaxError {
    /// Characters before the fault.
    pub(crate) offset: usize,
    /// A description of the fault, without the place.
    pub(crate) message: Cow<'static, str>,
}

/// A fault while parsing; its place is in bytes until the source is at hand to count characters.
pub(super) struct ParseFault {
    pub(super) at: usize,
    pub(super) message: Cow<'static, str>,
}

impl ParseFault {
    pub(super) fn new(at: usize, message: impl Into<Cow<'static, str>>) -> Self {
        Self { at, message: message.into() }
    }
}

impl SyntaxError {
    /// A fault at a byte of a source.
    pub(crate) fn at(at: usize, message: &'static str, source: &str) -> Self {
        Self::of(ParseFault::new(at, message), source)
    }

    pub(super) fn of(fault: ParseFault, source: &str) -> Self {
        let before = source.char_indices().take_while(|(at, _)| *at < fault.at).count();
        Self { offset: before, message: fault.message }
    }
}

/// The reason an expression has no value. A fault of the flow, not of the host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum EvalError {
    /// The evaluation takes too long (`Limits::expression_steps`).
    #[error("must take at most {max} steps")]
    StepLimit { max: u32 },
    /// A value grows too large (`Limits::template_chars`).
    #[error("must not produce more than {max} characters or items")]
    OutputLimit { max: usize },
    /// A date leaves the range of dates, or a length that of whole numbers.
    #[error("`{op}` gives a number or a date out of range")]
    Overflow { op: &'static str },
    /// A division by zero.
    #[error("`{op}` divides by zero")]
    DivisionByZero { op: &'static str },
    /// An operator or filter that does not know such a value.
    #[error("`{op}` does not take {found}")]
    TypeMismatch { op: &'static str, found: &'static str },
    /// A filter of lists behind what is none.
    #[error("`{op}` does not take {found}")]
    NoList { op: &'static str, found: &'static str },
    /// A variable without a value, where that is an error (N7, `error`).
    #[error("`{path}` is not defined")]
    Undefined { path: Box<str> },
}

impl EvalError {
    /// Returns the kind of error, without the values.
    #[cfg(test)]
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::StepLimit { .. } => "expression_steps",
            Self::OutputLimit { .. } => "expression_output",
            Self::Overflow { .. } => "expression_overflow",
            Self::DivisionByZero { .. } => "division_by_zero",
            Self::TypeMismatch { .. } | Self::NoList { .. } => "type_mismatch",
            Self::Undefined { .. } => "undefined_variable",
        }
    }
}
