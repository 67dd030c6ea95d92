//! Operands: literals, paths, lists, and what is in parentheses.

use super::super::code::{Lit, Op, PathBuilder, Step};
use super::super::error::Fault;
use super::super::token::Token;
use super::Parser;

impl Parser<'_> {
    pub(super) fn operand(&mut self) -> Result<(), Fault> {
        let at = self.at;
        let mut path = None;
        match self.advance()? {
            Token::Name("true" | "True") => self.constant(Lit::Bool(true)),
            Token::Name("false" | "False") => self.constant(Lit::Bool(false)),
            Token::Name("null" | "none" | "None") => self.constant(Lit::Null),
            Token::Name(word @ ("and" | "or" | "not" | "if" | "else" | "in" | "is")) => {
                return Err(Fault::new(at, format!("expected a value before `{word}`")));
            }
            Token::Name(name) => path = Some(PathBuilder::new(name)),
            Token::Int(value) => self.constant(Lit::Int(value)),
            Token::Float(value) => self.constant(Lit::Float(value)),
            Token::Decimal(value) => self.constant(Lit::Decimal(value)),
            Token::Str(text) => self.constant(Lit::Str(text.into())),
            Token::Sign("(") => {
                self.conditional()?;
                self.expect(")")?;
            }
            Token::Sign("[") => self.list()?,
            Token::Sign(sign) => return Err(Fault::new(at, format!("expected a value before `{sign}`"))),
            Token::End => return Err(Fault::new(at, "expected a value")),
        }
        self.postfix(path)
    }

    fn list(&mut self) -> Result<(), Fault> {
        let mut items: u32 = 0;
        while !self.sign("]")? {
            if items > 0 {
                self.expect(",")?;
                if self.sign("]")? {
                    break;
                }
            }
            self.conditional()?;
            items = items.saturating_add(1);
        }
        self.emit(Op::List(items));
        Ok(())
    }

    /// Parses what follows an operand: `.name`, `.0`, `[…]`. A path grows as long as its steps are
    /// known.
    fn postfix(&mut self, mut path: Option<PathBuilder>) -> Result<(), Fault> {
        loop {
            let step = if self.sign(".")? {
                Some(self.name_or_index()?)
            } else if self.sign("[")? {
                let step = self.known_subscript()?;
                if step.is_none() {
                    if let Some(path) = path.take() {
                        self.path(path);
                    }
                    self.conditional()?;
                }
                self.expect("]")?;
                step
            } else if self.is_sign("(") {
                return Err(self.fault("functions cannot be called: a filter such as `x | upper` can"));
            } else {
                break;
            };
            match (step, &mut path) {
                (Some(step), Some(path)) => path.push(step),
                (Some(Step::Key(key)), None) => {
                    self.constant(Lit::Str(key));
                    self.emit(Op::Item);
                }
                (Some(Step::Index(index)), None) => {
                    self.constant(Lit::Int(index));
                    self.emit(Op::Item);
                }
                (None, _) => self.emit(Op::Item),
            }
        }
        if let Some(path) = path {
            self.path(path);
        }
        Ok(())
    }

    fn name_or_index(&mut self) -> Result<Step, Fault> {
        let step = match self.token {
            Token::Name(name) => Step::Key(name.into()),
            Token::Int(index) => Step::Index(index),
            _ => return Err(self.fault("expected a name after `.`")),
        };
        self.advance()?;
        Ok(step)
    }

    /// `'key'`, `0` or `-1` before a `]`.
    fn known_subscript(&mut self) -> Result<Option<Step>, Fault> {
        let mut ahead = self.lexer;
        let step = match &self.token {
            Token::Str(key) => Step::Key(key.as_ref().into()),
            Token::Int(index) => Step::Index(*index),
            Token::Sign("-") => match ahead.next() {
                Ok((Token::Int(index), _)) => Step::Index(index.saturating_neg()),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        if !matches!(ahead.next(), Ok((Token::Sign("]"), _))) {
            return Ok(None);
        }
        if self.is_sign("-") {
            self.advance()?;
        }
        self.advance()?;
        Ok(Some(step))
    }
}
