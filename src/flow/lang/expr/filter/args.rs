//! The arguments of a filter, and how they are read.

use crate::flow::lang::expr::error::EvalError;
use crate::flow::lang::expr::val::Val;

/// Arguments that a filter takes at most.
pub(in crate::flow::lang::expr) const MAX_ARGS: usize = 3;

/// The arguments as they were given; one that was left out between others is undefined.
pub(in crate::flow::lang::expr) type Args<'a> = [Option<Val<'a>>; MAX_ARGS];

/// An argument that must be a whole number.
pub(super) fn whole(op: &'static str, arg: Option<&Val<'_>>, default: i64) -> Result<i64, EvalError> {
    match arg {
        None | Some(Val::Undefined) => Ok(default),
        Some(Val::Int(value)) => Ok(*value),
        Some(other) => Err(EvalError::TypeMismatch { op, found: other.kind() }),
    }
}

/// An argument that must be a text.
pub(super) fn quoted<'v>(op: &'static str, arg: Option<&'v Val<'_>>) -> Result<Option<&'v str>, EvalError> {
    match arg {
        None | Some(Val::Undefined | Val::Null) => Ok(None),
        Some(Val::Str(text)) => Ok(Some(text)),
        Some(other) => Err(EvalError::TypeMismatch { op, found: other.kind() }),
    }
}
