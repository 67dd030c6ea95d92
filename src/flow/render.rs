//! Templates and expressions at work for one node: what they see, what they may take, what they report.

use crate::Limits;
use crate::flow::expr::{EvalError, Expr, Scope};
use crate::flow::template::Template;

/// What a node renders with.
pub(crate) struct Render<'a> {
    pub(crate) scope: &'a dyn Scope,
    pub(crate) limits: &'a Limits,
}

impl Render<'_> {
    pub(crate) fn text(&mut self, _: &Template) -> Result<String, EvalError> {
        Err(EvalError)
    }
    pub(crate) fn is_true(&mut self, _: &Expr) -> Result<bool, EvalError> {
        Err(EvalError)
    }
    pub(crate) fn exists(&mut self, _: &Expr) -> Result<bool, EvalError> {
        Err(EvalError)
    }
}
