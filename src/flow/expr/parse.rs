//! From tokens to operations, by recursive descent. What recurses counts its depth; chains of operators and filters
//! are loops, as long as they like.

use super::code::{Binary, Lit, Op, Path, PathBuilder, Step, Test};
use super::error::Fault;
use super::filter::{self, Filter};
use super::token::{Lexer, Token};

/// Levels that no limit can exceed: each takes a dozen frames of the parser.
const MAX_DEPTH: usize = 128;

/// What is parsed.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) code: Vec<Op>,
    pub(super) consts: Vec<Lit>,
    pub(super) paths: Vec<Path>,
}

pub(super) struct Parser<'s> {
    lexer: Lexer<'s>,
    token: Token<'s>,
    at: usize,
    depth: usize,
    max_depth: usize,
    out: Parsed,
}

/// Reads one expression from `from`, to the end of the source or to `}}`; answers where it ends.
pub(super) fn parse(source: &str, from: usize, max_depth: usize) -> Result<(Parsed, usize), Fault> {
    let mut lexer = Lexer::new(source, from);
    let (token, at) = lexer.next()?;
    let max_depth = max_depth.min(MAX_DEPTH);
    let mut parser = Parser { lexer, token, at, depth: 0, max_depth, out: Parsed::default() };
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
            Token::Int(_) | Token::Float(_) => self.fault("unexpected number"),
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

    /// An operand with its sign, then its filters and tests: `-x | abs` is the absolute value of `-x`.
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

    /// What is undefined from `surprising` to here is no surprise to the author.
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

    fn filter(&mut self, surprising: &mut usize) -> Result<(), Fault> {
        let at = self.at;
        let Token::Name(name) = self.token else { return Err(self.fault("expected the name of a filter")) };
        let Some(row) = filter::find(name) else {
            return Err(self.fault(format!("unknown filter `{name}`")));
        };
        self.advance()?;
        if row.filter == Filter::Default {
            self.make_optional(surprising);
        }
        let mut given: [Option<Vec<Op>>; filter::MAX_ARGS] = [None, None];
        if self.sign("(")? {
            self.arguments(row, &mut given)?;
        }
        if given.iter().take_while(|code| code.is_some()).count() < row.required {
            let missing = row.params.get(row.required.saturating_sub(1)).copied().unwrap_or_default();
            return Err(Fault::new(at, format!("`{name}` needs its argument `{missing}`")));
        }
        if row.filter == Filter::Date {
            self.check_date_format(at, given.first())?;
        }
        let last = given.iter().rposition(Option::is_some).map_or(0, |last| last.saturating_add(1));
        for code in given.into_iter().take(last) {
            match code {
                Some(code) => self.out.code.extend(code),
                None => self.emit(Op::Missing),
            }
        }
        self.emit(Op::Filter(row.filter, last as u8));
        Ok(())
    }

    fn arguments(
        &mut self,
        row: &filter::Row,
        given: &mut [Option<Vec<Op>>; filter::MAX_ARGS],
    ) -> Result<(), Fault> {
        let mut next = 0_usize;
        while !self.sign(")")? {
            if given.iter().any(Option::is_some) {
                self.expect(",")?;
                if self.sign(")")? {
                    break;
                }
            }
            let at = self.at;
            let place = match self.keyword()? {
                Some(keyword) => row.params.iter().position(|param| *param == keyword),
                None => Some(next),
            };
            let slot = place.filter(|place| *place < row.params.len()).and_then(|place| given.get_mut(place));
            let Some(slot) = slot.filter(|slot| slot.is_none()) else {
                return Err(Fault::new(at, format!("`{}` does not take this argument", row.name)));
            };
            let start = self.here();
            self.conditional()?;
            *slot = Some(self.out.code.split_off(start));
            next = next.saturating_add(1);
        }
        Ok(())
    }

    /// `name =`, if that is what comes.
    fn keyword(&mut self) -> Result<Option<&'s str>, Fault> {
        let Token::Name(name) = self.token else { return Ok(None) };
        let mut ahead = self.lexer;
        if !matches!(ahead.next(), Ok((Token::Sign("="), _))) {
            return Ok(None);
        }
        self.advance()?;
        self.advance()?;
        Ok(Some(name))
    }

    /// A format is a text that is there to be checked, since a bad one could only fail later.
    fn check_date_format(&self, at: usize, code: Option<&Option<Vec<Op>>>) -> Result<(), Fault> {
        let Some(Some(code)) = code else { return Ok(()) };
        let format = match code.as_slice() {
            [Op::Const(index)] => self.out.consts.get(*index as usize),
            _ => None,
        };
        let Some(Lit::Str(format)) = format else {
            return Err(Fault::new(at, "`date` needs its format in quotes"));
        };
        if filter::is_date_format(format) {
            return Ok(());
        }
        Err(Fault::new(at, "`date` needs a format such as '%d.%m.%Y %H:%M'"))
    }

    fn operand(&mut self) -> Result<(), Fault> {
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

    /// What follows an operand: `.name`, `.0`, `[…]`. A path grows as long as its steps are known.
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
                return Err(self.fault("functions can not be called: a filter such as `x | upper` can"));
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
