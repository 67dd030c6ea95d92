//! Filters and their arguments, checked against the table of filters.

use super::super::code::{Lit, Op};
use super::super::error::Fault;
use super::super::filter::{self, Filter};
use super::super::token::Token;
use super::Parser;

impl<'s> Parser<'s> {
    pub(super) fn filter(&mut self, surprising: &mut usize) -> Result<(), Fault> {
        let at = self.at;
        let Token::Name(name) = self.token else { return Err(self.fault("expected the name of a filter")) };
        let Some(row) = filter::find(name) else {
            return Err(self.fault(format!("unknown filter `{name}`")));
        };
        self.advance()?;
        if row.filter == Filter::Default {
            self.make_optional(surprising);
        }
        let mut given: [Option<Vec<Op>>; filter::MAX_ARGS] = [const { None }; filter::MAX_ARGS];
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
}
