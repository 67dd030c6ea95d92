//! The expression language: the text between `{{` and `}}`, and a branch's `expr`. It reads
//! as Jinja and Liquid do, and is total: no statement, loop, recursion or function of one's own, so
//! every evaluation ends; steps, texts and lists are capped while it runs. A value is never parsed
//! as an expression.
//!
//! | form | examples |
//! |---|---|
//! | literals | `null`, `true`, `12`, `1.5`, `'text'`, `"text"`, `['a', 'b']` |
//! | paths | `context.cart.items[0].name`, `vars['first name']`, `items[-1]`, `items[n]` |
//! | arithmetic | `+ - * /` `//` (rounded down) `%`: decimal, of 28 digits, also with numbers in texts, but for `+` between two, which joins them; not defined beyond them or if an operand is not; `~`, which joins texts |
//! | comparison | `== != < <= > >=`, `in`, `not in`, `is defined`, `is not defined`, `is none` |
//! | logic | `and`, `or`, `not`, `a if condition else b` |
//! | filters | `name \| default('friend') \| title`; the list is in `filter` |

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod aid;
mod code;
mod error;
mod filter;
mod lookup;
mod meter;
mod number;
mod ops;
mod parse;
mod run;
mod stack;
mod token;
mod val;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod differential;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use aid::Remark;
pub(crate) use code::DataPath;
pub(crate) use error::{EvalError, SyntaxError};
pub(crate) use meter::Meter;
pub(crate) use val::{LazyFields, Scope, Val};

use code::{Instruction, Program};
use filter::Filter;
use run::Evaluation;

use crate::limits::Limits;

/// An expression, parsed once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expr {
    program: Program,
    shortcut: Shortcut,
}

/// A shortcut for an expression that may not have to run at all.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shortcut {
    /// It must run.
    None,
    /// A path.
    Path,
    /// A path, and `trim`.
    Trimmed,
}

impl Expr {
    /// Parses an expression.
    ///
    /// # Errors
    /// [`SyntaxError`] with the place, also for a source beyond `template_bytes` or nested beyond
    /// `expression_depth`.
    pub(crate) fn parse(source: &str, limits: &Limits) -> Result<Self, SyntaxError> {
        check_len(source, limits)?;
        let (expr, end) = Self::parse_at(source, 0, limits)?;
        if end < source.len() {
            return Err(SyntaxError::of(error::ParseFault::new(end, "unexpected `}}`"), source));
        }
        Ok(expr)
    }

    /// Parses the expression that begins at a byte of a source; answers where it ends: at `}}` or
    /// the end.
    pub(crate) fn parse_at(source: &str, from: usize, limits: &Limits) -> Result<(Self, usize), SyntaxError> {
        let (parsed, end) =
            parse::parse(source, from, limits).map_err(|fault| SyntaxError::of(fault, source))?;
        let shortcut = match &*parsed.code {
            [Instruction::Path(0)] => Shortcut::Path,
            [Instruction::Path(0), Instruction::Filter(Filter::Trim, 0)] => Shortcut::Trimmed,
            _ => Shortcut::None,
        };
        let is_straight = run::is_straight(&parsed.code);
        let (code, consts, paths) = (parsed.code.into(), parsed.consts.into(), parsed.paths.into());
        let patterns = parsed.patterns.into();
        Ok((Self { program: Program { code, consts, paths, patterns, is_straight }, shortcut }, end))
    }

    /// The paths that it may read, for a check of undeclared names. A key that is computed is not
    /// among them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &DataPath> {
        self.program.paths.iter()
    }

    /// The path, if the whole expression is one.
    pub(crate) fn as_path(&self) -> Option<&DataPath> {
        if self.shortcut == Shortcut::Path { self.program.paths.first() } else { None }
    }

    /// The number, if it is a whole one and nothing else.
    pub(crate) fn as_number(&self) -> Option<i64> {
        match (&*self.program.code, &*self.program.consts) {
            ([Instruction::Const(0)], [code::Lit::Int(number)]) => Some(*number),
            _ => None,
        }
    }

    /// The text that it gives, if it is known without running: part of a text that lies in the
    /// scope. `None` says nothing.
    #[inline]
    pub(crate) fn short_text<'a>(&self, scope: &'a dyn Scope) -> Option<&'a str> {
        if self.shortcut == Shortcut::None {
            return None;
        }
        match (self.shortcut, self.program.paths.first()?.short_text(scope)?) {
            (Shortcut::Path, text) => Some(text),
            // Of a longer text, the meter must hear.
            (Shortcut::Trimmed, text) if text.len() < meter::BYTES_PER_STEP => Some(text.trim()),
            _ => None,
        }
    }

    /// Evaluates. `report` hears of each path that was read and is not defined (SEMANTICS N7), but
    /// for those that have a `default` or are asked `is defined`.
    ///
    /// # Errors
    /// [`EvalError`] for what has no value: it takes too much, overflows, divides by zero or mixes
    /// kinds.
    pub(crate) fn eval<'a>(
        &'a self,
        scope: &'a dyn Scope,
        limits: &Limits,
        report: &mut dyn FnMut(Remark<'_>),
    ) -> Result<Val<'a>, EvalError> {
        self.eval_metered(scope, &mut Meter::new(limits), report)
    }

    /// Evaluates on a meter that others share.
    ///
    /// # Errors
    /// As [`Expr::eval`].
    pub(crate) fn eval_metered<'a>(
        &'a self,
        scope: &'a dyn Scope,
        meter: &mut Meter,
        report: &mut dyn FnMut(Remark<'_>),
    ) -> Result<Val<'a>, EvalError> {
        Evaluation { program: &self.program, scope, meter, report }.run()
    }

    /// Evaluates to its truth: what is empty, zero, null or not defined is false.
    ///
    /// # Errors
    /// As [`Expr::eval`].
    pub(crate) fn eval_bool(
        &self,
        scope: &dyn Scope,
        limits: &Limits,
        report: &mut dyn FnMut(Remark<'_>),
    ) -> Result<bool, EvalError> {
        self.eval(scope, limits, report).map(|val| val.is_true())
    }

    /// Evaluates to JSON; what is not defined is `null`.
    ///
    /// # Errors
    /// As [`Expr::eval`], and for a value of more than `variable_bytes`.
    pub(crate) fn eval_json(
        &self,
        scope: &dyn Scope,
        limits: &Limits,
        report: &mut dyn FnMut(Remark<'_>),
    ) -> Result<serde_json::Value, EvalError> {
        let val = self.eval(scope, limits, report)?;
        if val.byte_len() > limits.variable_bytes {
            return Err(EvalError::OutputLimit { max: limits.variable_bytes });
        }
        Ok(val.to_json())
    }
}

/// Refuses a source that is too long before it is read.
pub(crate) fn check_len(source: &str, limits: &Limits) -> Result<(), SyntaxError> {
    let max = limits.template_bytes;
    if source.len() > max {
        return Err(SyntaxError {
            offset: 0,
            message: format!("must take at most {max} bytes, which fails").into(),
        });
    }
    Ok(())
}
