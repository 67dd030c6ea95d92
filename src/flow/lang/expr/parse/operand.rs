//! Operands: literals, paths, lists, and what is in parentheses.

use super::super::code::{Instruction, Lit, PathBuilder, PathStep};
use super::super::error::ParseFault;
use super::super::token::ExprToken;
use super::Parser;

impl Parser<'_> {
    pub(super) fn operand(&mut self) -> Result<(), ParseFault> {
        let at = self.at;
        let mut path = None;
        match self.advance()? {
            ExprToken::Name("true" | "True") => self.constant(Lit::Bool(true)),
            ExprToken::Name("false" | "False") => self.constant(Lit::Bool(false)),
            ExprToken::Name("null" | "none" | "None") => self.constant(Lit::Null),
            ExprToken::Name(word @ ("and" | "or" | "not" | "if" | "else" | "in" | "is")) => {
                return Err(ParseFault::new(at, format!("expected a value before `{word}`")));
            }
            ExprToken::Name(name) => path = Some(PathBuilder::new(name)),
            ExprToken::Int(value) => self.constant(Lit::Int(value)),
            ExprToken::Float(value) => self.constant(Lit::Float(value)),
            ExprToken::Decimal(value) => self.constant(Lit::Decimal(value)),
            ExprToken::Str(text) => self.constant(Lit::Str(text.into())),
            ExprToken::Sign("(") => {
                self.conditional()?;
                self.expect(")")?;
            }
            ExprToken::Sign("[") => self.list()?,
            ExprToken::Sign(sign) => {
                return Err(ParseFault::new(at, format!("expected a value before `{sign}`")));
            }
            ExprToken::End => return Err(ParseFault::new(at, "expected a value")),
        }
        self.postfix(path)
    }

    fn list(&mut self) -> Result<(), ParseFault> {
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
        self.emit(Instruction::List(items));
        Ok(())
    }

    /// Parses what follows an operand: `.name`, `.0`, `[…]`. A path grows as long as its steps are
    /// known.
    fn postfix(&mut self, mut path: Option<PathBuilder>) -> Result<(), ParseFault> {
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
                (Some(PathStep::Key(key)), None) => {
                    self.constant(Lit::Str(key));
                    self.emit(Instruction::Item);
                }
                (Some(PathStep::Index(index)), None) => {
                    self.constant(Lit::Int(index));
                    self.emit(Instruction::Item);
                }
                (None, _) => self.emit(Instruction::Item),
            }
        }
        if let Some(path) = path {
            self.path(path);
        }
        Ok(())
    }

    fn name_or_index(&mut self) -> Result<PathStep, ParseFault> {
        let step = match self.token {
            ExprToken::Name(name) => PathStep::Key(name.into()),
            ExprToken::Int(index) => PathStep::Index(index),
            _ => return Err(self.fault("expected a name after `.`")),
        };
        self.advance()?;
        Ok(step)
    }

    /// `'key'`, `0` or `-1` before a `]`.
    fn known_subscript(&mut self) -> Result<Option<PathStep>, ParseFault> {
        let mut ahead = self.lexer;
        let step = match &self.token {
            ExprToken::Str(key) => PathStep::Key(key.as_ref().into()),
            ExprToken::Int(index) => PathStep::Index(*index),
            ExprToken::Sign("-") => match ahead.next() {
                Ok((ExprToken::Int(index), _)) => PathStep::Index(index.saturating_neg()),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        if !matches!(ahead.next(), Ok((ExprToken::Sign("]"), _))) {
            return Ok(None);
        }
        if self.is_sign("-") {
            self.advance()?;
        }
        self.advance()?;
        Ok(Some(step))
    }
}
