//! From tokens to operations, by recursive descent. What recurses counts its depth; chains of
//! operators and filters are loops, as long as they like. Operators are here; their
//! operands are in `operand`, filters in `filters`.

mod filters;
mod literals;
mod operand;

use super::code::{Binary, DataPath, Instruction, Lit, PathBuilder, Test};
use super::error::ParseFault;
use super::token::{ExprToken, Lexer};
use crate::flow::lang::pattern::Pattern;
use crate::limits::Limits;

/// Levels that no limit can exceed: each takes a dozen frames of the parser.
const MAX_DEPTH: usize = 128;

/// The result of parsing.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) code: Vec<Instruction>,
    pub(super) consts: Vec<Lit>,
    pub(super) paths: Vec<DataPath>,
    pub(super) patterns: Vec<Pattern>,
}

pub(super) struct Parser<'s> {
    lexer: Lexer<'s>,
    token: ExprToken<'s>,
    at: usize,
    depth: usize,
    max_depth: usize,
    limits: &'s Limits,
    out: Parsed,
}

/// Reads one expression from `from`, to the end of the source or to `}}`; answers where it ends.
pub(super) fn parse(source: &str, from: usize, limits: &Limits) -> Result<(Parsed, usize), ParseFault> {
    let mut lexer = Lexer::new(source, from);
    let (token, at) = lexer.next()?;
    let max_depth = limits.expression_depth.min(MAX_DEPTH);
    let mut parser = Parser { lexer, token, at, depth: 0, max_depth, limits, out: Parsed::default() };
    parser.conditional()?;
    if parser.token != ExprToken::End {
        return Err(parser.unexpected());
    }
    Ok((parser.out, parser.at))
}

impl<'s> Parser<'s> {
    fn advance(&mut self) -> Result<ExprToken<'s>, ParseFault> {
        let (token, at) = self.lexer.next()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn fault(&self, message: impl Into<std::borrow::Cow<'static, str>>) -> ParseFault {
        ParseFault::new(self.at, message)
    }

    fn unexpected(&self) -> ParseFault {
        match &self.token {
            ExprToken::Name(name) => self.fault(format!("unexpected `{name}`")),
            ExprToken::Sign("=") => self.fault("unexpected `=` (`==` compares)"),
            ExprToken::Sign(sign) => self.fault(format!("unexpected `{sign}`")),
            ExprToken::End => self.fault("unexpected end"),
            ExprToken::Int(_) | ExprToken::Float(_) | ExprToken::Decimal(_) => {
                self.fault("unexpected number")
            }
            ExprToken::Str(_) => self.fault("unexpected text"),
        }
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.token, ExprToken::Sign(found) if found == sign)
    }

    fn sign(&mut self, sign: &str) -> Result<bool, ParseFault> {
        let found = self.is_sign(sign);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), ParseFault> {
        if self.sign(sign)? { Ok(()) } else { Err(self.fault(format!("expected `{sign}`"))) }
    }

    fn word(&mut self, word: &str) -> Result<bool, ParseFault> {
        let found = self.token == ExprToken::Name(word);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn emit(&mut self, op: Instruction) {
        self.out.code.push(op);
    }

    fn constant(&mut self, lit: Lit) {
        let index = self.out.consts.len() as u32;
        self.out.consts.push(lit);
        self.emit(Instruction::Const(index));
    }

    fn path(&mut self, path: PathBuilder) {
        let index = self.out.paths.len() as u32;
        self.out.paths.push(path.build());
        self.emit(Instruction::Path(index));
    }

    fn here(&self) -> usize {
        self.out.code.len()
    }

    fn since(&self, start: usize) -> u32 {
        self.here().saturating_sub(start) as u32
    }

    /// Puts a jump over what follows at `at`, made for the code since then.
    fn jump_at(&mut self, at: usize, jump: fn(u32) -> Instruction) {
        let skip = self.since(at.saturating_add(1));
        if let Some(op) = self.out.code.get_mut(at) {
            *op = jump(skip);
        }
    }

    /// `a if condition else b`. The condition runs first, so the code of `a` moves behind it.
    fn conditional(&mut self) -> Result<(), ParseFault> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > self.max_depth {
            return Err(self.fault(format!("must be nested at most {} levels", self.max_depth)));
        }
        let start = self.here();
        self.or()?;
        if self.word("if")? {
            let value = self.out.code.split_off(start);
            self.or()?;
            let unless = self.here();
            self.emit(Instruction::JumpUnless(0));
            self.out.code.extend(value);
            let jump = self.here();
            self.emit(Instruction::Jump(0));
            self.jump_at(unless, Instruction::JumpUnless);
            if self.word("else")? {
                self.conditional()?;
            } else {
                self.emit(Instruction::Missing);
            }
            self.jump_at(jump, Instruction::Jump);
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    fn or(&mut self) -> Result<(), ParseFault> {
        self.and()?;
        while self.word("or")? {
            let at = self.here();
            self.emit(Instruction::Or(0));
            self.and()?;
            self.jump_at(at, Instruction::Or);
        }
        Ok(())
    }

    fn and(&mut self) -> Result<(), ParseFault> {
        self.not()?;
        while self.word("and")? {
            let at = self.here();
            self.emit(Instruction::And(0));
            self.not()?;
            self.jump_at(at, Instruction::And);
        }
        Ok(())
    }

    fn not(&mut self) -> Result<(), ParseFault> {
        let mut times: usize = 0;
        while self.word("not")? {
            times = times.saturating_add(1);
        }
        self.comparison()?;
        self.out.code.extend(std::iter::repeat_n(Instruction::Not, times));
        Ok(())
    }

    fn comparison(&mut self) -> Result<(), ParseFault> {
        self.sum()?;
        let Some((binary, negated)) = self.comparator()? else { return Ok(()) };
        self.sum()?;
        self.emit(Instruction::Binary(binary));
        if negated {
            self.emit(Instruction::Not);
        }
        let at = self.at;
        match self.comparator()? {
            None => Ok(()),
            Some(_) => Err(ParseFault::new(at, "a second comparison needs `and`")),
        }
    }

    fn comparator(&mut self) -> Result<Option<(Binary, bool)>, ParseFault> {
        let found = match self.token {
            ExprToken::Sign("==") => (Binary::Eq, false),
            ExprToken::Sign("!=") => (Binary::Ne, false),
            ExprToken::Sign("<") => (Binary::Lt, false),
            ExprToken::Sign("<=") => (Binary::Le, false),
            ExprToken::Sign(">") => (Binary::Gt, false),
            ExprToken::Sign(">=") => (Binary::Ge, false),
            ExprToken::Name("in") => (Binary::In, false),
            ExprToken::Name("not") => (Binary::In, true),
            _ => return Ok(None),
        };
        self.advance()?;
        if found.1 && !self.word("in")? {
            return Err(self.fault("expected `in` after `not`"));
        }
        Ok(Some(found))
    }

    fn chain(
        &mut self,
        operand: fn(&mut Self) -> Result<(), ParseFault>,
        signs: &[(&str, Binary)],
    ) -> Result<(), ParseFault> {
        operand(self)?;
        while let Some((_, binary)) = signs.iter().find(|(sign, _)| self.is_sign(sign)) {
            self.advance()?;
            operand(self)?;
            self.emit(Instruction::Binary(*binary));
        }
        Ok(())
    }

    fn sum(&mut self) -> Result<(), ParseFault> {
        self.chain(Self::concat, &[("+", Binary::Add), ("-", Binary::Sub)])
    }

    fn concat(&mut self) -> Result<(), ParseFault> {
        self.chain(Self::product, &[("~", Binary::Concat)])
    }

    fn product(&mut self) -> Result<(), ParseFault> {
        let signs = [("*", Binary::Mul), ("/", Binary::Div), ("//", Binary::FloorDiv), ("%", Binary::Rem)];
        self.chain(Self::filtered, &signs)
    }

    /// An operand with its sign, then its filters and tests: `-x | abs` is the absolute value of
    /// `-x`.
    fn filtered(&mut self) -> Result<(), ParseFault> {
        let start = self.here();
        let mut minus: usize = 0;
        while self.sign("-")? {
            minus = minus.saturating_add(1);
        }
        self.operand()?;
        self.out.code.extend(std::iter::repeat_n(Instruction::Neg, minus));
        let mut surprising = start;
        loop {
            if self.sign("|")? {
                self.filter(&mut surprising)?;
            } else if self.word("is")? {
                self.test(&mut surprising)?;
            } else {
                return Ok(());
            }
        }
    }

    fn test(&mut self, surprising: &mut usize) -> Result<(), ParseFault> {
        let negated = self.word("not")?;
        let (test, inverse) = match self.token {
            ExprToken::Name("defined") => (Test::Defined, false),
            ExprToken::Name("undefined") => (Test::Defined, true),
            ExprToken::Name("none" | "null") => (Test::None, false),
            _ => return Err(self.fault("expected `defined`, `undefined` or `none` after `is`")),
        };
        self.advance()?;
        if test == Test::Defined {
            self.make_optional(surprising);
        }
        self.emit(Instruction::Is(test));
        if negated != inverse {
            self.emit(Instruction::Not);
        }
        Ok(())
    }

    /// Marks what is undefined from `surprising` to here as no surprise to the author.
    fn make_optional(&mut self, surprising: &mut usize) {
        for op in self.out.code.iter().skip(*surprising) {
            if let Instruction::Path(index) = op
                && let Some(path) = self.out.paths.get_mut(*index as usize)
            {
                path.optional = true;
            }
        }
        *surprising = self.here();
    }
}
