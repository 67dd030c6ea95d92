//! The words and signs of an expression. A lexer is a place in the source: copying it is how the
//! parser looks ahead.

use std::borrow::Cow;

use rust_decimal::Decimal as Amount;

use super::error::ParseFault;
use crate::flow::lang::number::significant;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum ExprToken<'s> {
    Name(&'s str),
    Int(i64),
    Float(f64),
    /// One of more digits than a float holds.
    Decimal(Amount),
    Str(Cow<'s, str>),
    Sign(&'static str),
    /// The end of the source, or the `}}` that ends an expression in a template.
    End,
}

/// Longer signs first.
const SIGNS: [&str; 19] =
    ["==", "!=", "<=", ">=", "//", "<", ">", "+", "-", "*", "/", "%", "~", "(", ")", "[", "]", ",", "|"];

/// Signs of other languages and keyboards, each with what is written here. Longer ones first.
const OTHERS: [(&str, &str); 12] = [
    ("||", "`or`"),
    ("&&", "`and`"),
    ("??", "`| default('…')`"),
    ("? ", "`a if b else c`"),
    ("!", "`not`"),
    ("“", "straight quotes"),
    ("”", "straight quotes"),
    ("„", "straight quotes"),
    ("‘", "straight quotes"),
    ("’", "straight quotes"),
    ("«", "straight quotes"),
    ("`", "straight quotes"),
];

/// Digits that every float holds.
const FLOAT_DIGITS: usize = 15;

#[derive(Clone, Copy)]
pub(super) struct Lexer<'s> {
    source: &'s str,
    at: usize,
    after_dot: bool,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s str, at: usize) -> Self {
        Self { source, at, after_dot: false }
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, bytes: usize) -> &'s str {
        let rest = self.rest();
        self.at = self.at.saturating_add(bytes);
        rest.get(..bytes).unwrap_or_default()
    }

    /// The next token and where it starts.
    pub(super) fn next(&mut self) -> Result<(ExprToken<'s>, usize), ParseFault> {
        let rest = self.rest();
        self.take(rest.len().saturating_sub(rest.trim_start().len()));
        let (rest, at) = (self.rest(), self.at);
        let after_dot = std::mem::take(&mut self.after_dot);
        let Some(first) = rest.chars().next() else { return Ok((ExprToken::End, at)) };
        let token = match first {
            '\'' | '"' => self.string(first)?,
            '0'..='9' => self.number(after_dot)?,
            '.' => {
                self.after_dot = true;
                self.take(1);
                ExprToken::Sign(".")
            }
            _ if first == '_' || first.is_alphabetic() => ExprToken::Name(self.take(name_len(rest))),
            _ if rest.starts_with("}}") => ExprToken::End,
            '=' if !rest.starts_with("==") => {
                self.take(1);
                ExprToken::Sign("=")
            }
            _ => {
                let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign) && !rest.starts_with("||"));
                let sign = sign.ok_or_else(|| unexpected(rest, first, at))?;
                self.take(sign.len());
                ExprToken::Sign(sign)
            }
        };
        Ok((token, at))
    }

    /// After a dot a number is an index, so `a.1.0` is `a[1][0]`.
    fn number(&mut self, after_dot: bool) -> Result<ExprToken<'s>, ParseFault> {
        let at = self.at;
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let rest = self.rest();
        let mut len = digits(rest);
        let mut whole = true;
        let after = |len: usize| rest.get(len..).unwrap_or_default();
        if !after_dot {
            if let Some(fraction) = after(len).strip_prefix('.')
                && digits(fraction) > 0
            {
                whole = false;
                len = len.saturating_add(1).saturating_add(digits(fraction));
            }
            if let Some(exponent) = after(len).strip_prefix(['e', 'E']) {
                let sign = usize::from(exponent.starts_with(['+', '-']));
                let power = digits(exponent.get(sign..).unwrap_or_default());
                if power > 0 {
                    whole = false;
                    len = len.saturating_add(1).saturating_add(sign).saturating_add(power);
                }
            }
        }
        if name_len(after(len)) > 0 {
            return Err(ParseFault::new(at.saturating_add(len), "unexpected letter in a number"));
        }
        let text = self.take(len);
        let too_large = || ParseFault::new(at, "a number must fit 64 bits");
        if whole {
            return text.parse().map(ExprToken::Int).map_err(|_| too_large());
        }
        if significant(text) > FLOAT_DIGITS
            && let Ok(exact) = Amount::from_str_exact(text)
        {
            return Ok(ExprToken::Decimal(exact));
        }
        text.parse().ok().filter(|value: &f64| value.is_finite()).map(ExprToken::Float).ok_or_else(too_large)
    }

    fn string(&mut self, quote: char) -> Result<ExprToken<'s>, ParseFault> {
        let at = self.at;
        self.take(1);
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.char_indices().find(|&(_, c)| {
            let ends = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let Some((len, _)) = end else {
            return Err(ParseFault::new(at, "expected a closing quote for the text that starts"));
        };
        let raw = self.take(len);
        self.take(1);
        if !raw.contains('\\') {
            return Ok(ExprToken::Str(Cow::Borrowed(raw)));
        }
        unescape(raw)
            .map(|text| ExprToken::Str(Cow::Owned(text)))
            .ok_or_else(|| ParseFault::new(at, "unknown escape in the text"))
    }
}

#[cold]
fn unexpected(rest: &str, first: char, at: usize) -> ParseFault {
    let known = OTHERS.into_iter().find(|(sign, _)| rest.starts_with(sign));
    ParseFault::new(
        at,
        match known {
            Some((sign, ours)) => format!("unexpected `{}` (write {ours})", sign.trim_end()),
            None => format!("unexpected `{first}`"),
        },
    )
}

fn name_len(text: &str) -> usize {
    let end = text
        .char_indices()
        .find(|(at, c)| !(*c == '_' || if *at == 0 { c.is_alphabetic() } else { c.is_alphanumeric() }));
    end.map_or(text.len(), |(at, _)| at)
}

/// `\n`, `\r`, `\t`, `\u` with four hexadecimal digits, and any sign for itself.
fn unescape(raw: &str) -> Option<String> {
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next()? {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'u' => {
                let digits = chars.as_str().get(..4)?;
                chars = chars.as_str().get(4..)?.chars();
                let digits = digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(digits)?;
                text.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
            }
            sign if !sign.is_alphanumeric() => text.push(sign),
            _ => return None,
        }
    }
    Some(text)
}

/// True if a text could be written as a name.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && name_len(text) == text.len()
}
