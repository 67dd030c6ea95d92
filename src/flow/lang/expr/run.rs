//! The machine: runs the operations of an expression on a stack of values. It knows no operation
//! that goes back, so it ends; the meter says when it has taken too much. One value and what is
//! done to it, such as `name | trim`, needs no stack.

use std::borrow::Cow;

use super::aid::{Aid, Remark};
use super::code::{Instruction, Lit, Program, Test};
use super::error::EvalError;
use super::meter::Meter;
use super::stack::Stack;
use super::val::{Scope, Val};
use super::{filter, ops};

pub(super) struct Evaluation<'a, 'm> {
    pub(super) program: &'a Program,
    pub(super) scope: &'a dyn Scope,
    pub(super) meter: &'m mut Meter,
    pub(super) report: &'m mut dyn FnMut(Remark<'_>),
}

impl Instruction {
    /// True if it makes one value of another.
    fn is_unary(self) -> bool {
        matches!(self, Self::Neg | Self::Not | Self::Is(_) | Self::Match(_) | Self::Filter(_, 0))
    }

    fn is_load(self) -> bool {
        matches!(self, Self::Const(_) | Self::Path(_) | Self::Missing)
    }
}

/// True if code is one value and what is done to it.
pub(super) fn is_straight(code: &[Instruction]) -> bool {
    matches!(code, [first, rest @ ..] if first.is_load() && rest.iter().all(|op| op.is_unary()))
}

impl<'a> Evaluation<'a, '_> {
    #[inline]
    pub(super) fn run(mut self) -> Result<Val<'a>, EvalError> {
        if self.program.is_straight { self.run_straight() } else { self.run_on_stack() }
    }

    #[inline]
    fn run_straight(&mut self) -> Result<Val<'a>, EvalError> {
        let Some((first, rest)) = self.program.code.split_first() else { return Ok(Val::Undefined) };
        self.meter.step()?;
        let mut val = self.load(*first);
        for op in rest {
            self.meter.step()?;
            val = self.unary(*op, val)?;
        }
        Ok(val)
    }

    fn run_on_stack(&mut self) -> Result<Val<'a>, EvalError> {
        let mut stack = Stack::new();
        let mut at: usize = 0;
        while let Some(op) = self.program.code.get(at) {
            self.meter.step()?;
            let skip = self.op(*op, &mut stack)?;
            at = at.saturating_add(1).saturating_add(skip as usize);
        }
        Ok(stack.pop())
    }

    fn aid(&mut self) -> Aid<'a, '_> {
        Aid { scope: self.scope, meter: self.meter, report: self.report }
    }

    /// Does one operation; answers how many to skip.
    fn op(&mut self, op: Instruction, stack: &mut Stack<'a>) -> Result<u32, EvalError> {
        match op {
            Instruction::Const(_) | Instruction::Path(_) | Instruction::Missing => stack.push(self.load(op)),
            Instruction::Neg
            | Instruction::Not
            | Instruction::Is(_)
            | Instruction::Match(_)
            | Instruction::Filter(_, 0) => {
                let val = stack.pop();
                stack.push(self.unary(op, val)?);
            }
            Instruction::Binary(binary) => {
                let right = stack.pop();
                let left = stack.pop();
                stack.push(ops::binary(binary, left, right, &mut self.aid())?);
            }
            Instruction::Item => {
                let key = stack.pop();
                let val = stack.pop();
                stack.push(item(&val, &key));
            }
            Instruction::List(len) => {
                self.meter.items(len as usize)?;
                let items = stack.take(len as usize);
                stack.push(Val::List(items));
            }
            Instruction::Filter(filter, args) => {
                let mut given = filter::Args::default();
                for slot in given.iter_mut().take(usize::from(args)).rev() {
                    *slot = Some(stack.pop());
                }
                let val = stack.pop();
                stack.push(filter::apply(filter, val, given, &mut self.aid())?);
            }
            Instruction::Jump(skip) => return Ok(skip),
            Instruction::JumpUnless(skip) => return Ok(if stack.pop().is_true() { 0 } else { skip }),
            Instruction::And(skip) => return Ok(decide(stack, skip, false)),
            Instruction::Or(skip) => return Ok(decide(stack, skip, true)),
        }
        Ok(0)
    }

    #[inline]
    fn load(&mut self, op: Instruction) -> Val<'a> {
        match op {
            Instruction::Path(index) => self.path(index),
            Instruction::Const(index) => self.constant(index),
            _ => Val::Undefined,
        }
    }

    #[inline]
    fn unary(&mut self, op: Instruction, val: Val<'a>) -> Result<Val<'a>, EvalError> {
        match op {
            Instruction::Filter(filter, _) => {
                filter::apply(filter, val, filter::Args::default(), &mut self.aid())
            }
            Instruction::Match(index) => match self.program.patterns.get(index as usize) {
                Some(pattern) => filter::captures(pattern, &val, self.meter),
                None => Ok(Val::Undefined),
            },
            Instruction::Neg => ops::negate(&val, &mut self.aid()),
            Instruction::Is(Test::Defined) => Ok(Val::Bool(!val.is_undefined())),
            Instruction::Is(Test::None) => Ok(Val::Bool(matches!(val, Val::Null))),
            _ => Ok(Val::Bool(!val.is_true())),
        }
    }

    fn constant(&self, index: u32) -> Val<'a> {
        match self.program.consts.get(index as usize) {
            None | Some(Lit::Null) => Val::Null,
            Some(Lit::Bool(value)) => Val::Bool(*value),
            Some(Lit::Int(value)) => Val::Int(*value),
            Some(Lit::Float(value)) => Val::Float(*value),
            Some(Lit::Decimal(value)) => Val::Decimal(*value),
            Some(Lit::Str(text)) => Val::Str(Cow::Borrowed(text)),
        }
    }

    #[inline]
    fn path(&mut self, index: u32) -> Val<'a> {
        let Some(path) = self.program.paths.get(index as usize) else { return Val::Undefined };
        let val = path.read(self.scope);
        if val.is_undefined() && !path.is_optional() {
            (self.report)(Remark::Undefined(path.as_str()));
        }
        val
    }
}

/// Keeps the value and skips what follows if its truth decides; takes it otherwise.
fn decide(stack: &mut Stack<'_>, skip: u32, deciding: bool) -> u32 {
    if stack.last().is_some_and(Val::is_true) == deciding {
        return skip;
    }
    stack.pop();
    0
}

fn item<'a>(val: &Val<'a>, key: &Val<'a>) -> Val<'a> {
    match key {
        Val::Str(key) => val.key(key),
        Val::Int(index) => val.index(*index),
        _ => Val::Undefined,
    }
}
