//! The aid of operators and filters beside their values: what is known of the conversation, what
//! they may take, and whom they tell.

use super::meter::Meter;
use super::val::{Scope, Val};
use crate::flow::lang::number::Marks;

/// Something that an author would want to know of an evaluation that went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remark<'a> {
    /// A path was read and is not defined (SEMANTICS N7).
    Undefined(&'a str),
    /// An operator or a filter came to nothing: a comparison of what has no order, a number out of
    /// range, a time that is none (SEMANTICS U12).
    NoResult(&'a str),
}

pub(super) struct Aid<'a, 'm> {
    pub(super) scope: &'a dyn Scope,
    pub(super) meter: &'m mut Meter,
    pub(super) report: &'m mut dyn FnMut(Remark<'_>),
}

impl<'a> Aid<'a, '_> {
    /// Tells that an operator came to nothing, which is not defined.
    #[cold]
    pub(super) fn nothing(&mut self, op: &str) -> Val<'a> {
        (self.report)(Remark::NoResult(op));
        Val::Undefined
    }

    /// Returns the way in which numbers are written in the conversation.
    pub(super) fn marks(&self) -> Marks {
        self.scope.marks()
    }
}
