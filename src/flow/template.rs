//! Texts with `{{ expression }}` in them, cut into pieces once. Rendering writes the pieces one after the other and
//! allocates nothing but the output; what is rendered is never read as a template again.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::flow::expr::{EvalError, Expr, Meter, Path, Scope, SyntaxError, Val, check_len};
use crate::limits::Limits;

/// What stands in a text for a variable that is not defined (SEMANTICS N7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Undefined {
    /// Nothing.
    #[default]
    Empty,
    /// The source, braces and all.
    Keep,
    /// The rendering fails.
    Error,
}

/// A text with expressions, parsed once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    source: Box<str>,
    pieces: Box<[Piece]>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    /// Part of the source as it stands.
    Text(Range<usize>),
    /// An expression that is nothing but a path; its place holds the braces too.
    Path(Path, Range<usize>),
    /// Any other expression, likewise.
    Expr(Expr, Range<usize>),
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
                pieces.push(Piece::Text(from..open));
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
            pieces.push(match expr.into_path() {
                Ok(path) => Piece::Path(path, open..from),
                Err(expr) => Piece::Expr(expr, open..from),
            });
        }
        if from < source.len() {
            pieces.push(Piece::Text(from..source.len()));
        }
        Ok(Self { source: source.into(), pieces: pieces.into() })
    }

    /// The source as it was parsed.
    pub(crate) fn as_source(&self) -> &str {
        &self.source
    }

    /// The text, if it has no expression.
    pub(crate) fn as_literal(&self) -> Option<&str> {
        match &*self.pieces {
            [] | [Piece::Text(_)] => Some(&self.source),
            _ => None,
        }
    }

    /// Characters that every rendering has: those outside braces.
    pub(crate) fn literal_len(&self) -> usize {
        self.pieces.iter().fold(0, |sum: usize, piece| match piece {
            Piece::Text(place) => sum.saturating_add(self.text(place).chars().count()),
            Piece::Path(..) | Piece::Expr(..) => sum,
        })
    }

    /// Characters of the longest rendering, if that is known: of a text without expressions.
    pub(crate) fn max_len_hint(&self) -> Option<usize> {
        self.as_literal().map(|text| text.chars().count())
    }

    /// The paths that it may read, for a check of undeclared names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Path> {
        self.pieces.iter().flat_map(|piece| {
            let (path, expr) = match piece {
                Piece::Text(_) => (None, None),
                Piece::Path(path, _) => (Some(path), None),
                Piece::Expr(expr, _) => (None, Some(expr.names())),
            };
            path.into_iter().chain(expr.into_iter().flatten())
        })
    }

    fn text(&self, place: &Range<usize>) -> &str {
        self.source.get(place.clone()).unwrap_or_default()
    }

    /// Appends the text to `out`, cut at `template_chars` characters. `report` hears of each path that is not defined.
    ///
    /// # Errors
    /// [`EvalError`] of an expression, or of the first that is not defined under [`Undefined::Error`]; `out` then
    /// holds what came before.
    pub(crate) fn render(
        &self,
        scope: &dyn Scope,
        undefined: Undefined,
        limits: &Limits,
        out: &mut String,
        report: &mut dyn FnMut(&str),
    ) -> Result<(), EvalError> {
        let mut meter = Meter::new(limits);
        out.reserve(self.source.len());
        let mut sink = Sink::new(out, limits.template_chars);
        for piece in &*self.pieces {
            let (val, place) = match piece {
                Piece::Text(place) => {
                    if sink.push(self.text(place)).is_err() {
                        break;
                    }
                    continue;
                }
                Piece::Path(path, place) => (read(path, scope, report), place),
                Piece::Expr(expr, place) => (expr.eval_metered(scope, &mut meter, report)?, place),
            };
            let written = match (&val, undefined) {
                (Val::Str(text), _) => sink.push(text),
                (Val::Undefined, Undefined::Empty) => Ok(()),
                (Val::Undefined, Undefined::Keep) => sink.push(self.text(place)),
                (Val::Undefined, Undefined::Error) => return Err(self.not_defined(piece)),
                (val, _) => val.write(&mut sink),
            };
            if written.is_err() {
                break;
            }
        }
        Ok(())
    }

    #[cold]
    fn not_defined(&self, piece: &Piece) -> EvalError {
        let path = match piece {
            Piece::Path(path, _) => path.as_str(),
            Piece::Text(place) | Piece::Expr(_, place) => self.text(place),
        };
        EvalError::Undefined { path: path.into() }
    }
}

#[inline]
fn read<'a>(path: &Path, scope: &'a dyn Scope, report: &mut dyn FnMut(&str)) -> Val<'a> {
    let val = path.read(scope);
    if val.is_undefined() {
        report(path.as_str());
    }
    val
}

/// The output, which takes so many characters and refuses those beyond, at a character's boundary.
struct Sink<'o> {
    out: &'o mut String,
    /// Characters it takes.
    max: usize,
    /// Characters up to the byte `counted`; what was written since is counted only near the end.
    chars: usize,
    counted: usize,
    /// Bytes that surely fit, since a text has at most as many characters as bytes.
    room: usize,
}

impl<'o> Sink<'o> {
    fn new(out: &'o mut String, max: usize) -> Self {
        let counted = out.len();
        Self { out, max, chars: 0, counted, room: max }
    }

    #[inline]
    fn push(&mut self, text: &str) -> fmt::Result {
        if text.len() > self.room {
            return self.push_near_the_end(text);
        }
        self.out.push_str(text);
        self.room = self.room.saturating_sub(text.len());
        Ok(())
    }

    #[cold]
    fn push_near_the_end(&mut self, text: &str) -> fmt::Result {
        let uncounted = self.out.get(self.counted..).unwrap_or_default();
        self.chars = self.chars.saturating_add(uncounted.chars().count());
        self.counted = self.out.len();
        let left = self.max.saturating_sub(self.chars);
        let cut = text.char_indices().nth(left).map(|(cut, _)| cut);
        let fitting = text.get(..cut.unwrap_or(text.len())).unwrap_or_default();
        self.out.push_str(fitting);
        self.room = left.saturating_sub(fitting.len());
        if cut.is_some() { Err(fmt::Error) } else { Ok(()) }
    }
}

impl fmt::Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text)
    }
}
