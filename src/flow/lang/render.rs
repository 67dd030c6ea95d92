//! Templates and expressions at work: what a node renders with, and what its renderings may take.

use std::borrow::Cow;

use rust_decimal::Decimal as Amount;
use serde_json::Value;

use crate::flow::lang::expr::{EvalError, Expr, Remark, Scope, Val};
use crate::flow::lang::template::Template;
use crate::flow::lang::undefined::Undefined;
use crate::limits::Limits;

/// The context that a node renders with.
pub(crate) struct Render<'a> {
    pub(crate) scope: &'a dyn Scope,
    pub(crate) limits: &'a Limits,
    pub(crate) undefined: Undefined,
    /// Hears of each path that is not defined (SEMANTICS N7).
    pub(crate) report: &'a mut dyn FnMut(Remark<'_>),
}

impl<'a> Render<'a> {
    /// A template as text, borrowed if it lies in one piece.
    #[inline]
    pub(crate) fn text<'t>(&mut self, template: &'t Template) -> Result<Cow<'t, str>, EvalError>
    where
        'a: 't,
    {
        template.text(self.scope, self.undefined, self.limits, self.report)
    }

    /// A template as the value that it is: that of its only placeholder, else its text.
    pub(crate) fn typed<'t>(&mut self, template: &'t Template) -> Result<Val<'t>, EvalError>
    where
        'a: 't,
    {
        template.typed(self.scope, self.undefined, self.limits, self.report)
    }

    /// The number that a template is or gives.
    pub(crate) fn number(&mut self, template: &Template) -> Result<Option<Amount>, EvalError> {
        template.number(self.scope, self.limits, self.report)
    }

    /// An expression as JSON, of whatever type it is.
    pub(crate) fn value(&mut self, expr: &Expr) -> Result<Value, EvalError> {
        expr.eval_json(self.scope, self.limits, self.report)
    }

    pub(crate) fn is_true(&mut self, expr: &Expr) -> Result<bool, EvalError> {
        expr.eval_bool(self.scope, self.limits, self.report)
    }

    /// True if an expression is defined, and not null. To ask is no fault, so nothing is reported.
    pub(crate) fn exists(&mut self, expr: &Expr) -> Result<bool, EvalError> {
        let value = expr.eval(self.scope, self.limits, &mut |_| {})?;
        Ok(!matches!(value, Val::Undefined | Val::Null))
    }

    /// The same, with nothing in the place of what is undefined.
    #[inline]
    pub(crate) fn with_blanks(&mut self) -> Render<'_> {
        let (scope, limits) = (self.scope, self.limits);
        Render { scope, limits, undefined: Undefined::Empty, report: &mut *self.report }
    }
}
