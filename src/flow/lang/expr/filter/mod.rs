//! The filters: a closed list, each total. What is not defined passes through a filter of texts,
//! numbers or dates untouched, so that a `default` at the end still sees it; `null` counts as an
//! empty text. Each row of the table is a test; authors read it in the docs of `flow`.
//!
#![doc = include_str!("table.md")]

mod amount;
mod date;
mod list;
mod text;

use super::error::EvalError;
use super::meter::Meter;
use super::number::Num;
use super::val::Val;

pub(super) use date::{is_format as is_date_format, print as print_time};

/// Arguments that a filter takes at most.
pub(super) const MAX_ARGS: usize = 2;

/// The arguments as they were given; one that was left out between others is undefined.
pub(super) type Args<'a> = [Option<Val<'a>>; MAX_ARGS];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Abs,
    AddDays,
    Capitalize,
    Currency,
    Date,
    Default,
    First,
    Float,
    Int,
    Join,
    Json,
    Last,
    Length,
    Lower,
    Max,
    Min,
    Number,
    Replace,
    Reverse,
    Round,
    Sort,
    Split,
    String,
    Sum,
    Title,
    Trim,
    Truncate,
    Upper,
    UrlEncode,
}

/// A filter as it is written.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) filter: Filter,
    pub(super) params: &'static [&'static str],
    pub(super) required: usize,
}

const fn row(name: &'static str, filter: Filter, params: &'static [&'static str], required: usize) -> Row {
    Row { name, filter, params, required }
}

pub(super) const ROWS: [Row; 31] = [
    row("abs", Filter::Abs, &[], 0),
    row("add_days", Filter::AddDays, &["days"], 1),
    row("capitalize", Filter::Capitalize, &[], 0),
    row("count", Filter::Length, &[], 0),
    row("currency", Filter::Currency, &["code"], 1),
    row("d", Filter::Default, &["value", "also_empty"], 0),
    row("date", Filter::Date, &["format"], 0),
    row("default", Filter::Default, &["value", "also_empty"], 0),
    row("first", Filter::First, &[], 0),
    row("float", Filter::Float, &["default"], 0),
    row("int", Filter::Int, &["default"], 0),
    row("join", Filter::Join, &["sep"], 0),
    row("json", Filter::Json, &[], 0),
    row("last", Filter::Last, &[], 0),
    row("length", Filter::Length, &[], 0),
    row("lower", Filter::Lower, &[], 0),
    row("max", Filter::Max, &[], 0),
    row("min", Filter::Min, &[], 0),
    row("number", Filter::Number, &[], 0),
    row("replace", Filter::Replace, &["old", "new"], 2),
    row("reverse", Filter::Reverse, &[], 0),
    row("round", Filter::Round, &["precision"], 0),
    row("sort", Filter::Sort, &["reverse"], 0),
    row("split", Filter::Split, &["sep"], 0),
    row("string", Filter::String, &[], 0),
    row("sum", Filter::Sum, &[], 0),
    row("title", Filter::Title, &[], 0),
    row("trim", Filter::Trim, &["chars"], 0),
    row("truncate", Filter::Truncate, &["length", "end"], 1),
    row("upper", Filter::Upper, &[], 0),
    row("urlencode", Filter::UrlEncode, &[], 0),
];

/// The filter of a name.
pub(super) fn find(name: &str) -> Option<&'static Row> {
    const TABLE: &[Row] = &ROWS;
    TABLE.iter().find(|row| row.name == name)
}

impl Filter {
    /// Whether it makes something of what is not defined.
    fn takes_undefined(self) -> bool {
        matches!(
            self,
            Self::Default | Self::Int | Self::Float | Self::Length | Self::Join | Self::Json | Self::String
        )
    }
}

/// Applies a filter.
pub(super) fn apply<'a>(
    filter: Filter,
    val: Val<'a>,
    args: Args<'a>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    if val.is_undefined() && !filter.takes_undefined() {
        return Ok(val);
    }
    let [first, second] = args;
    match filter {
        Filter::Default => Ok(default(val, first, second)),
        Filter::Upper | Filter::Lower | Filter::Title | Filter::Capitalize => {
            text::change_case(filter, &val, meter)
        }
        Filter::Trim => text::trim(val, first.as_ref(), meter),
        Filter::Truncate => text::truncate(&val, first.as_ref(), second.as_ref(), meter),
        Filter::Replace => text::replace(&val, first.as_ref(), second.as_ref(), meter),
        Filter::Split => text::split(&val, first.as_ref(), meter),
        Filter::String => text::string(val, meter),
        Filter::Json => text::json(&val, meter),
        Filter::UrlEncode => text::urlencode(&val, meter),
        Filter::Join => list::join(&val, first.as_ref(), meter),
        Filter::Length => list::length(&val, meter),
        Filter::First => list::end(&val, false, meter),
        Filter::Last => list::end(&val, true, meter),
        Filter::Reverse => list::reverse(val, meter),
        Filter::Sort => list::sort(val, first.as_ref(), meter),
        Filter::Min => list::extreme(val, "min", |order| order.is_lt(), meter),
        Filter::Max => list::extreme(val, "max", |order| order.is_ge(), meter),
        Filter::Sum => list::sum(val, meter),
        Filter::Number => Num::read(&val).map_or(Ok(Val::Undefined), |number| number.val("number")),
        Filter::Int => amount::int(&val, first),
        Filter::Float => amount::float(&val, first),
        Filter::Round => amount::round(&val, first.as_ref()),
        Filter::Abs => amount::abs(&val),
        Filter::Currency => amount::currency(&val, first.as_ref(), meter),
        Filter::Date => date::format(&val, first.as_ref(), meter),
        Filter::AddDays => date::add_days(&val, first.as_ref(), meter),
    }
}

fn default<'a>(val: Val<'a>, other: Option<Val<'a>>, also_empty: Option<Val<'a>>) -> Val<'a> {
    let replace = val.is_undefined() || (also_empty.is_some_and(|yes| yes.is_true()) && !val.is_true());
    if replace { other.unwrap_or_else(|| Val::from("")) } else { val }
}

/// An argument that must be a whole number.
fn whole(op: &'static str, arg: Option<&Val<'_>>, default: i64) -> Result<i64, EvalError> {
    match arg {
        None | Some(Val::Undefined) => Ok(default),
        Some(Val::Int(value)) => Ok(*value),
        Some(other) => Err(EvalError::TypeMismatch { op, found: other.kind() }),
    }
}

/// An argument that must be a text.
fn quoted<'v>(op: &'static str, arg: Option<&'v Val<'_>>) -> Result<Option<&'v str>, EvalError> {
    match arg {
        None | Some(Val::Undefined | Val::Null) => Ok(None),
        Some(Val::Str(text)) => Ok(Some(text)),
        Some(other) => Err(EvalError::TypeMismatch { op, found: other.kind() }),
    }
}
