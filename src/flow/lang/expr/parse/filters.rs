//! Filters and their arguments, checked against the table of filters.

use super::super::code::{Instruction, Lit};
use super::super::error::ParseFault;
use super::super::filter::{self, Filter};
use super::super::token::ExprToken;
use super::{Parser, literals};
use crate::flow::lang::pattern::{Extent, Pattern};

impl<'s> Parser<'s> {
    pub(super) fn filter(&mut self, surprising: &mut usize) -> Result<(), ParseFault> {
        let at = self.at;
        let ExprToken::Name(name) = self.token else {
            return Err(self.fault("expected the name of a filter"));
        };
        let Some(row) = filter::find(name) else {
            return Err(self.fault(format!("unknown filter `{name}`")));
        };
        self.advance()?;
        if row.filter == Filter::Default {
            self.make_optional(surprising);
        }
        let mut given: [Option<Vec<Instruction>>; filter::MAX_ARGS] = [const { None }; filter::MAX_ARGS];
        if self.sign("(")? {
            self.arguments(row, &mut given)?;
        }
        if given.iter().take_while(|code| code.is_some()).count() < row.required {
            let missing = row.params.get(row.required.saturating_sub(1)).copied().unwrap_or_default();
            return Err(ParseFault::new(at, format!("`{name}` needs its argument `{missing}`")));
        }
        if row.filter == Filter::Date {
            self.check_date_format(at, given.first())?;
        }
        self.check_kinds(at, row, &given)?;
        if row.filter == Filter::Match {
            return self.pattern(at, given.first());
        }
        let last = given.iter().rposition(Option::is_some).map_or(0, |last| last.saturating_add(1));
        for code in given.into_iter().take(last) {
            match code {
                Some(code) => self.out.code.extend(code),
                None => self.emit(Instruction::Missing),
            }
        }
        self.emit(Instruction::Filter(row.filter, last as u8));
        Ok(())
    }

    fn arguments(
        &mut self,
        row: &filter::FilterRow,
        given: &mut [Option<Vec<Instruction>>; filter::MAX_ARGS],
    ) -> Result<(), ParseFault> {
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
                return Err(ParseFault::new(at, format!("`{}` does not take this argument", row.name)));
            };
            let start = self.here();
            self.conditional()?;
            *slot = Some(self.out.code.split_off(start));
            next = next.saturating_add(1);
        }
        Ok(())
    }

    /// `name =`, if that is what comes.
    fn keyword(&mut self) -> Result<Option<&'s str>, ParseFault> {
        let ExprToken::Name(name) = self.token else { return Ok(None) };
        let mut ahead = self.lexer;
        if !matches!(ahead.next(), Ok((ExprToken::Sign("="), _))) {
            return Ok(None);
        }
        self.advance()?;
        self.advance()?;
        Ok(Some(name))
    }

    /// An argument that is written out is of the kind that its filter takes.
    fn check_kinds(
        &self,
        at: usize,
        row: &filter::FilterRow,
        given: &[Option<Vec<Instruction>>; filter::MAX_ARGS],
    ) -> Result<(), ParseFault> {
        for (param, code) in given.iter().enumerate() {
            let Some(written) = self.written(code.as_deref()) else { continue };
            if let Some(message) = literals::fault(row, param, written) {
                return Err(ParseFault::new(at, message));
            }
            let Some(takes) = row.takes(param) else { continue };
            let fits = match takes {
                filter::Takes::Text | filter::Takes::Field => matches!(written, Lit::Str(_) | Lit::Null),
                filter::Takes::FieldOrTruth => matches!(written, Lit::Str(_) | Lit::Bool(_)),
                filter::Takes::Truth => matches!(written, Lit::Bool(_)),
                filter::Takes::Whole => matches!(written, Lit::Int(_)),
            };
            if !fits {
                let name = row.params.get(param).copied().unwrap_or_default();
                let message = format!("`{}` takes {} for `{name}`", row.name, takes.what());
                return Err(ParseFault::new(at, message));
            }
        }
        let [_, sign, value] = given;
        let sign = self.written(sign.as_deref()).filter(|_| row.filter == Filter::Where && value.is_some());
        if sign.is_some_and(|sign| !matches!(sign, Lit::Str(sign) if filter::is_sign(sign))) {
            return Err(ParseFault::new(
                at,
                "`where` compares by '==', '!=', '<', '<=', '>', '>=', 'in' or 'contains'",
            ));
        }
        Ok(())
    }

    /// The constant that an argument is, if it is one; the sign of a number makes no difference.
    fn written(&self, code: Option<&[Instruction]>) -> Option<&Lit> {
        match code? {
            [Instruction::Const(index)] | [Instruction::Const(index), Instruction::Neg] => {
                self.out.consts.get(*index as usize)
            }
            _ => None,
        }
    }

    /// A regular expression is compiled once, so it is a text that is written out.
    fn pattern(&mut self, at: usize, code: Option<&Option<Vec<Instruction>>>) -> Result<(), ParseFault> {
        let written = self.written(code.and_then(Option::as_deref));
        let Some(Lit::Str(source)) = written else {
            return Err(ParseFault::new(at, "`match` needs its pattern in quotes"));
        };
        let pattern = Pattern::parse(source, Extent::Part, false, self.limits);
        let pattern =
            pattern.map_err(|error| ParseFault::new(at, format!("`match` has no pattern: {error}")))?;
        let index = self.out.patterns.len() as u32;
        self.out.patterns.push(pattern);
        self.emit(Instruction::Match(index));
        Ok(())
    }

    /// A format is a text that is there to be checked, since a bad one could only fail later.
    fn check_date_format(
        &self,
        at: usize,
        code: Option<&Option<Vec<Instruction>>>,
    ) -> Result<(), ParseFault> {
        let Some(Some(code)) = code else { return Ok(()) };
        let format = match code.as_slice() {
            [Instruction::Const(index)] => self.out.consts.get(*index as usize),
            _ => None,
        };
        let Some(Lit::Str(format)) = format else {
            return Err(ParseFault::new(at, "`date` needs its format in quotes"));
        };
        if filter::is_date_format(format) {
            return Ok(());
        }
        Err(ParseFault::new(at, "`date` needs a format such as '%d.%m.%Y %H:%M'"))
    }
}
