//! The machine: runs the operations of an expression on a stack of values. It knows no operation that goes back, so
//! it ends; the meter says when it has taken too much.

use std::borrow::Cow;

use super::code::{Lit, Op, Test};
use super::error::EvalError;
use super::meter::Meter;
use super::val::{Scope, Val};
use super::{Expr, filter, ops};

pub(super) struct Run<'a, 'm> {
    pub(super) expr: &'a Expr,
    pub(super) scope: &'a dyn Scope,
    pub(super) meter: &'m mut Meter,
    pub(super) report: &'m mut dyn FnMut(&str),
    pub(super) stack: Vec<Val<'a>>,
}

impl<'a> Run<'a, '_> {
    pub(super) fn run(mut self) -> Result<Val<'a>, EvalError> {
        let mut at: usize = 0;
        while let Some(op) = self.expr.code.get(at) {
            self.meter.step()?;
            let skip = self.op(*op)?;
            at = at.saturating_add(1).saturating_add(skip as usize);
        }
        Ok(self.pop())
    }

    /// Code takes what code has pushed, so the stack is never empty here.
    fn pop(&mut self) -> Val<'a> {
        self.stack.pop().unwrap_or_default()
    }

    fn push(&mut self, val: Val<'a>) {
        self.stack.push(val);
    }

    /// Does one operation; answers how many to skip.
    fn op(&mut self, op: Op) -> Result<u32, EvalError> {
        match op {
            Op::Const(index) => {
                let val = self.constant(index);
                self.push(val);
            }
            Op::Path(index) => {
                let val = self.path(index);
                self.push(val);
            }
            Op::Missing => self.push(Val::Undefined),
            Op::Neg => {
                let val = self.pop();
                self.push(ops::negate(&val)?);
            }
            Op::Not => {
                let val = self.pop();
                self.push(Val::Bool(!val.is_true()));
            }
            Op::Binary(binary) => {
                let right = self.pop();
                let left = self.pop();
                let val = ops::binary(binary, left, right, self.meter)?;
                self.push(val);
            }
            Op::Item => {
                let key = self.pop();
                let val = self.pop();
                self.push(self.item(&val, &key));
            }
            Op::List(len) => {
                self.meter.items(len as usize)?;
                let start = self.stack.len().saturating_sub(len as usize);
                let items = self.stack.split_off(start);
                self.push(Val::List(items));
            }
            Op::Is(test) => {
                let val = self.pop();
                self.push(Val::Bool(match test {
                    Test::Defined => !val.is_undefined(),
                    Test::None => matches!(val, Val::Null),
                }));
            }
            Op::Filter(filter, args) => self.filter(filter, args)?,
            Op::Jump(skip) => return Ok(skip),
            Op::JumpUnless(skip) => return Ok(if self.pop().is_true() { 0 } else { skip }),
            Op::And(skip) => return Ok(self.decide(skip, false)),
            Op::Or(skip) => return Ok(self.decide(skip, true)),
        }
        Ok(0)
    }

    /// Keeps the value and skips what follows if its truth decides; takes it otherwise.
    fn decide(&mut self, skip: u32, deciding: bool) -> u32 {
        if self.stack.last().is_some_and(Val::is_true) == deciding {
            return skip;
        }
        self.pop();
        0
    }

    fn constant(&self, index: u32) -> Val<'a> {
        match self.expr.consts.get(index as usize) {
            None | Some(Lit::Null) => Val::Null,
            Some(Lit::Bool(value)) => Val::Bool(*value),
            Some(Lit::Int(value)) => Val::Int(*value),
            Some(Lit::Float(value)) => Val::Float(*value),
            Some(Lit::Str(text)) => Val::Str(Cow::Borrowed(text)),
        }
    }

    fn path(&mut self, index: u32) -> Val<'a> {
        let Some(path) = self.expr.paths.get(index as usize) else { return Val::Undefined };
        let val = path.read(self.scope);
        if val.is_undefined() && !path.is_optional() {
            (self.report)(path.as_str());
        }
        val
    }

    fn item(&self, val: &Val<'a>, key: &Val<'a>) -> Val<'a> {
        match key {
            Val::Str(key) => val.key(key),
            Val::Int(index) => val.index(*index),
            _ => Val::Undefined,
        }
    }

    fn filter(&mut self, filter: filter::Filter, args: u8) -> Result<(), EvalError> {
        let mut given = filter::Args::default();
        let start = self.stack.len().saturating_sub(usize::from(args));
        for (slot, arg) in given.iter_mut().zip(self.stack.drain(start..)) {
            *slot = Some(arg);
        }
        let val = self.pop();
        let val = filter::apply(filter, val, given, self.meter)?;
        self.push(val);
        Ok(())
    }
}
