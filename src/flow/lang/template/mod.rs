//! Texts with `{{ expression }}` in them, cut into pieces once. Rendering writes the pieces one
//! after the other and allocates nothing but the output, once if the values are short; what is
//! rendered is never read as a template again.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod sink;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use rust_decimal::Decimal as Amount;

use crate::flow::lang::expr::{DataPath, EvalError, Expr, Meter, Remark, Scope, SyntaxError, Val, check_len};
use crate::flow::lang::number::{Decimal, Marks};
use crate::flow::lang::undefined::Undefined;
use crate::grapheme::TextUnit;
use crate::limits::Limits;
use sink::{TextSink, cut};

/// Bytes that a value is expected to have: a name, an order's number, an amount.
const VALUE_BYTES: usize = 16;

/// A text with expressions, parsed once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    source: Box<str>,
    /// None, if the source has no expression.
    pieces: Box<[Piece]>,
    /// Bytes to make room for.
    likely_len: usize,
    /// True if the source is a number as JSON writes it.
    is_number: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    /// Part of the source as it is.
    Text(Box<str>),
    /// An expression; its place holds the braces too.
    Expr(Expr, Range<usize>),
}

impl Piece {
    fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }
}

/// The context that a template is rendered with.
struct Rendering<'a, 'r> {
    scope: &'a dyn Scope,
    undefined: Undefined,
    meter: Meter,
    report: &'r mut dyn FnMut(Remark<'_>),
}

impl Template {
    /// Parses a text. `{{ '{{' }}` writes two braces; `{%` and `{#` mean nothing.
    ///
    /// # Errors
    /// [`SyntaxError`] with the place, also for a source beyond `template_bytes`.
    pub(crate) fn parse(source: &str, limits: &Limits) -> Result<Self, SyntaxError> {
        check_len(source, limits)?;
        let mut pieces = Vec::new();
        let mut from = 0;
        while let Some(before) = source.get(from..).and_then(|rest| rest.find("{{")) {
            let open = from.saturating_add(before);
            if before > 0 {
                pieces.push(Piece::Text(source.get(from..open).unwrap_or_default().into()));
            }
            let inside = open.saturating_add(2);
            if source.get(inside..).is_some_and(|rest| rest.starts_with('-')) {
                return Err(SyntaxError::at(
                    inside,
                    "expected a blank after `{{`: blanks are not trimmed",
                    source,
                ));
            }
            let (expr, end) = Expr::parse_at(source, inside, limits)?;
            if end >= source.len() {
                return Err(SyntaxError::at(open, "expected `}}` for the `{{`", source));
            }
            from = end.saturating_add(2);
            pieces.push(Piece::Expr(expr, open..from));
        }
        if from > 0 && from < source.len() {
            pieces.push(Piece::Text(source.get(from..).unwrap_or_default().into()));
        }
        let likely_len = pieces.iter().fold(0, |sum: usize, piece| match piece {
            Piece::Text(text) => sum.saturating_add(text.len()),
            Piece::Expr(..) => sum.saturating_add(VALUE_BYTES),
        });
        Ok(Self { source: source.into(), pieces: pieces.into(), likely_len, is_number: false })
    }

    /// The text, if it has no expression.
    #[inline]
    pub(crate) fn as_literal(&self) -> Option<&str> {
        self.pieces.is_empty().then_some(&*self.source)
    }

    /// True if it is one placeholder and nothing else.
    pub(crate) fn is_placeholder(&self) -> bool {
        matches!(&*self.pieces, [Piece::Expr(..)])
    }

    /// True if it is a number of JSON.
    pub(crate) fn is_number(&self) -> bool {
        self.is_number
    }

    /// A text without expressions, whatever it holds.
    pub(crate) fn literal(text: &str) -> Self {
        Self { source: text.into(), pieces: Box::default(), likely_len: 0, is_number: false }
    }

    /// A number of JSON.
    pub(crate) fn of_number(number: &serde_json::Number) -> Self {
        Self { is_number: true, ..Self::literal(&number.to_string()) }
    }

    /// The length that every rendering has at least: that of what is outside braces.
    pub(crate) fn literal_len(&self, unit: TextUnit) -> usize {
        self.texts().fold(0, |sum: usize, text| sum.saturating_add(unit.count(text)))
    }

    /// Returns the texts outside of braces.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let texts = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(&**text),
            Piece::Expr(..) => None,
        });
        self.as_literal().into_iter().chain(texts)
    }

    /// Expressions that are a whole number and nothing else.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = i64> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Expr(expr, _) => expr.as_number(),
            Piece::Text(_) => None,
        })
    }

    /// The paths that it may read, for a check of undeclared names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &DataPath> {
        let exprs = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Expr(expr, _) => Some(expr),
        });
        exprs.flat_map(Expr::names)
    }

    /// The text, if it is known without running anything: a literal, or part of a short text that
    /// lies in the scope. `None` says nothing.
    #[inline]
    pub(crate) fn short_text<'a>(&'a self, scope: &'a dyn Scope, limits: &Limits) -> Option<&'a str> {
        match &*self.pieces {
            [] => Some(&self.source),
            [Piece::Expr(expr, _)] => {
                expr.short_text(scope).filter(|text| text.len() <= limits.template_chars)
            }
            _ => None,
        }
    }

    /// The number that it is or gives. One that an expression gives, or that the author wrote as
    /// one, is taken as it is; any other text is read (SEMANTICS U10).
    ///
    /// # Errors
    /// [`EvalError`] of an expression.
    pub(crate) fn number<'a>(
        &'a self,
        scope: &'a dyn Scope,
        limits: &Limits,
        report: &mut dyn FnMut(Remark<'_>),
    ) -> Result<Option<Amount>, EvalError> {
        let marks = || if self.is_number { Marks::Fixed(Decimal::Point) } else { scope.marks() };
        let mut pieces = self.pieces.iter().filter(|piece| !piece.is_blank());
        if let (Some(Piece::Expr(expr, _)), None) = (pieces.next(), pieces.next()) {
            return Ok(expr.eval(scope, limits, report)?.amount(marks));
        }
        Ok(Val::from(&*self.text(scope, Undefined::Empty, limits, report)?).amount(marks))
    }

    /// The text, cut at `template_chars` characters unless it is a literal. It is borrowed where it
    /// lies in one piece: a literal, or a single expression that gives part of a text of the scope.
    /// `report` hears of each path that is not defined.
    ///
    /// # Errors
    /// [`EvalError`] of an expression, or of the first that is not defined under
    /// [`Undefined::Error`].
    #[inline]
    pub(crate) fn text<'a>(
        &'a self,
        scope: &'a dyn Scope,
        undefined: Undefined,
        limits: &Limits,
        report: &mut dyn FnMut(Remark<'_>),
    ) -> Result<Cow<'a, str>, EvalError> {
        match self.short_text(scope, limits) {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.render(&mut Rendering { scope, undefined, meter: Meter::new(limits), report }),
        }
    }

    /// The value that it gives: of one expression and nothing else the value, of whatever type it
    /// is, else the text.
    ///
    /// # Errors
    /// As [`Template::text`].
    pub(crate) fn typed<'a>(
        &'a self,
        scope: &'a dyn Scope,
        undefined: Undefined,
        limits: &Limits,
        report: &mut dyn FnMut(Remark<'_>),
    ) -> Result<Val<'a>, EvalError> {
        if let Some(text) = self.short_text(scope, limits) {
            return Ok(Val::from(text));
        }
        let mut with = Rendering { scope, undefined, meter: Meter::new(limits), report };
        match self.only_value(&mut with)? {
            Some(val) => Ok(val),
            None => self.render(&mut with).map(Val::Str),
        }
    }

    fn render<'a>(&'a self, with: &mut Rendering<'a, '_>) -> Result<Cow<'a, str>, EvalError> {
        let max = with.meter.max_chars();
        if let Some(val) = self.only_value(with)? {
            return Ok(match val {
                Val::Str(text) => text,
                val => {
                    let mut sink = TextSink::new(String::new(), max);
                    // What does not fit is cut.
                    let _ = val.write(&mut sink);
                    Cow::Owned(sink.out)
                }
            });
        }
        let mut sink = TextSink::new(String::with_capacity(self.likely_len), max);
        for piece in &*self.pieces {
            let written = match piece {
                Piece::Text(text) => sink.push(text),
                Piece::Expr(expr, place) => match expr.short_text(with.scope) {
                    Some(text) => sink.push(text),
                    None => self.value(expr, place, with)?.write(&mut sink),
                },
            };
            if written.is_err() {
                break;
            }
        }
        Ok(Cow::Owned(sink.out))
    }

    /// The value, where the template is one expression and nothing else: a text cut as it is when
    /// it is rendered, an empty one for what is null or not defined.
    fn only_value<'a>(&'a self, with: &mut Rendering<'a, '_>) -> Result<Option<Val<'a>>, EvalError> {
        let [Piece::Expr(expr, place)] = &*self.pieces else { return Ok(None) };
        Ok(Some(match self.value(expr, place, with)? {
            Val::Str(text) => Val::Str(cut(text, with.meter.max_chars())),
            Val::Undefined | Val::Null => Val::from(""),
            val => val,
        }))
    }

    /// The value of an expression; undefined only where that is to be written as nothing.
    fn value<'a>(
        &'a self,
        expr: &'a Expr,
        place: &Range<usize>,
        with: &mut Rendering<'a, '_>,
    ) -> Result<Val<'a>, EvalError> {
        let val = expr.eval_metered(with.scope, &mut with.meter, with.report)?;
        if !val.is_undefined() {
            return Ok(val);
        }
        let written = self.source.get(place.clone()).unwrap_or_default();
        match with.undefined {
            Undefined::Empty => Ok(val),
            Undefined::Keep => Ok(Val::from(written)),
            Undefined::Error => {
                Err(EvalError::Undefined { path: expr.as_path().map_or(written, DataPath::as_str).into() })
            }
        }
    }
}
