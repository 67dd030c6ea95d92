//! From tokens to operations, by recursive descent. What recurses counts its depth; chains of
//! operators and filters are loops, as long as they like. Operators are here; what they stand
//! between is in `operand`, filters in `filters`.

mod filters;
mod operand;

use super::code::{Binary, Lit, Op, Path, PathBuilder, Test};
use super::error::Fault;
use super::token::{Lexer, Token};
use crate::flow::lang::pattern::Pattern;
use crate::limits::Limits;

/// Levels that no limit can exceed: each takes a dozen frames of the parser.
const MAX_DEPTH: usize = 128;

/// The result of parsing.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) code: Vec<Op>,
    pub(super) consts: Vec<Lit>,
    pub(super) paths: Vec<Path>,
    pub(super) patterns: Vec<Pattern>,
}

pub(super) struct Parser<'s> {
    lexer: Lexer<'s>,
    token: Token<'s>,
    at: usize,
    depth: usize,
    max_depth: usize,
    limits: &'s Limits,
    out: Parsed,
}

/// Reads one expression from `from`, to the end of the source or to `}}`; answers where it ends.
pub(super) fn parse(source: &str, from: usize, limits: &Limits) -> Result<(Parsed, usize), Fault> {
    let mut lexer = Lexer::new(source, from);
    let (token, at) = lexer.next()?;
    let max_depth = limits.expression_depth.min(MAX_DEPTH);
    let mut parser = Parser { lexer, token, at, depth: 0, max_depth, limits, out: Parsed::default() };
    parser.conditional()?;
    if parser.token != Token::End {
        return Err(parser.unexpected());
    }
    Ok((parser.out, parser.at))
}

impl<'s> Parser<'s> {
    fn advance(&mut self) -> Result<Token<'s>, Fault> {
        let (token, at) = self.lexer.next()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn fault(&self, message: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
        Fault::new(self.at, message)
    }

    fn unexpected(&self) -> Fault {
        match &self.token {
            Token::Name(name) => self.fault(format!("unexpected `{name}`")),
            Token::Sign("=") => self.fault("unexpected `=` (`==` compares)"),
            Token::Sign(sign) => self.fault(format!("unexpected `{sign}`")),
            Token::End => self.fault("unexpected end"),
            Token::Int(_) | Token::Float(_) | Token::Decimal(_) => self.fault("unexpected number"),
            Token::Str(_) => self.fault("unexpected text"),
        }
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.token, Token::Sign(found) if found == sign)
    }

    fn sign(&mut self, sign: &str) -> Result<bool, Fault> {
        let found = self.is_sign(sign);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Fault> {
        if self.sign(sign)? { Ok(()) } else { Err(self.fault(format!("expected `{sign}`"))) }
    }

    fn word(&mut self, word: &str) -> Result<bool, Fault> {
        let found = self.token == Token::Name(word);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn emit(&mut self, op: Op) {
        self.out.code.push(op);
    }

    fn constant(&mut self, lit: Lit) {
        let index = self.out.consts.len() as u32;
        self.out.consts.push(lit);
        self.emit(Op::Const(index));
    }

    fn path(&mut self, path: PathBuilder) {
        let index = self.out.paths.len() as u32;
        self.out.paths.push(path.build());
        self.emit(Op::Path(index));
    }

    fn here(&self) -> usize {
        self.out.code.len()
    }

    fn since(&self, start: usize) -> u32 {
        self.here().saturating_sub(start) as u32
    }

    /// Puts a jump over what follows at `at`, made for the code since then.
    fn jump_at(&mut self, at: usize, jump: fn(u32) -> Op) {
        let skip = self.since(at.saturating_add(1));
        if let Some(op) = self.out.code.get_mut(at) {
            *op = jump(skip);
        }
    }

    /// `a if condition else b`. The condition runs first, so the code of `a` moves behind it.
    fn conditional(&mut self) -> Result<(), Fault> {
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
            self.emit(Op::JumpUnless(0));
            self.out.code.extend(value);
            let jump = self.here();
            self.emit(Op::Jump(0));
            self.jump_at(unless, Op::JumpUnless);
            if self.word("else")? {
                self.conditional()?;
            } else {
                self.emit(Op::Missing);
            }
            self.jump_at(jump, Op::Jump);
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    fn or(&mut self) -> Result<(), Fault> {
        self.and()?;
        while self.word("or")? {
            let at = self.here();
            self.emit(Op::Or(0));
            self.and()?;
            self.jump_at(at, Op::Or);
        }
        Ok(())
    }

    fn and(&mut self) -> Result<(), Fault> {
        self.not()?;
        while self.word("and")? {
            let at = self.here();
            self.emit(Op::And(0));
            self.not()?;
            self.jump_at(at, Op::And);
        }
        Ok(())
    }

    fn not(&mut self) -> Result<(), Fault> {
        let mut times: usize = 0;
        while self.word("not")? {
            times = times.saturating_add(1);
        }
        self.comparison()?;
        self.out.code.extend(std::iter::repeat_n(Op::Not, times));
        Ok(())
    }

    fn comparison(&mut self) -> Result<(), Fault> {
        self.sum()?;
        let Some((binary, negated)) = self.comparator()? else { return Ok(()) };
        self.sum()?;
        self.emit(Op::Binary(binary));
        if negated {
            self.emit(Op::Not);
        }
        let at = self.at;
        match self.comparator()? {
            None => Ok(()),
            Some(_) => Err(Fault::new(at, "a second comparison needs `and`")),
        }
    }

    fn comparator(&mut self) -> Result<Option<(Binary, bool)>, Fault> {
        let found = match self.token {
            Token::Sign("==") => (Binary::Eq, false),
            Token::Sign("!=") => (Binary::Ne, false),
            Token::Sign("<") => (Binary::Lt, false),
            Token::Sign("<=") => (Binary::Le, false),
            Token::Sign(">") => (Binary::Gt, false),
            Token::Sign(">=") => (Binary::Ge, false),
            Token::Name("in") => (Binary::In, false),
            Token::Name("not") => (Binary::In, true),
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
        operand: fn(&mut Self) -> Result<(), Fault>,
        signs: &[(&str, Binary)],
    ) -> Result<(), Fault> {
        operand(self)?;
        while let Some((_, binary)) = signs.iter().find(|(sign, _)| self.is_sign(sign)) {
            self.advance()?;
            operand(self)?;
            self.emit(Op::Binary(*binary));
        }
        Ok(())
    }

    fn sum(&mut self) -> Result<(), Fault> {
        self.chain(Self::concat, &[("+", Binary::Add), ("-", Binary::Sub)])
    }

    fn concat(&mut self) -> Result<(), Fault> {
        self.chain(Self::product, &[("~", Binary::Concat)])
    }

    fn product(&mut self) -> Result<(), Fault> {
        let signs = [("*", Binary::Mul), ("/", Binary::Div), ("//", Binary::FloorDiv), ("%", Binary::Rem)];
        self.chain(Self::filtered, &signs)
    }

    /// An operand with its sign, then its filters and tests: `-x | abs` is the absolute value of
    /// `-x`.
    fn filtered(&mut self) -> Result<(), Fault> {
        let start = self.here();
        let mut minus: usize = 0;
        while self.sign("-")? {
            minus = minus.saturating_add(1);
        }
        self.operand()?;
        self.out.code.extend(std::iter::repeat_n(Op::Neg, minus));
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

    fn test(&mut self, surprising: &mut usize) -> Result<(), Fault> {
        let negated = self.word("not")?;
        let (test, inverse) = match self.token {
            Token::Name("defined") => (Test::Defined, false),
            Token::Name("undefined") => (Test::Defined, true),
            Token::Name("none" | "null") => (Test::None, false),
            _ => return Err(self.fault("expected `defined`, `undefined` or `none` after `is`")),
        };
        self.advance()?;
        if test == Test::Defined {
            self.make_optional(surprising);
        }
        self.emit(Op::Is(test));
        if negated != inverse {
            self.emit(Op::Not);
        }
        Ok(())
    }

    /// Marks what is undefined from `surprising` to here as no surprise to the author.
    fn make_optional(&mut self, surprising: &mut usize) {
        for op in self.out.code.iter().skip(*surprising) {
            if let Op::Path(index) = op
                && let Some(path) = self.out.paths.get_mut(*index as usize)
            {
                path.optional = true;
            }
        }
        *surprising = self.here();
    }
}
