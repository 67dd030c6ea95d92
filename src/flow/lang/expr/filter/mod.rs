//! The filters: a closed list, each total. What is not defined passes through a filter of texts,
//! numbers or dates untouched, so that a `default` at the end still sees it; `null` counts as an
//! empty text, and passes through a filter of lists. Each row of the table is a test; authors read
//! it in the docs of `flow`.
//!
#![doc = include_str!("table.md")]

mod amount;
mod args;
mod date;
mod field;
mod list;
mod matching;
pub(super) mod table;
mod text;

use super::aid::Aid;
use super::error::EvalError;
use super::val::Val;

pub(super) use args::{Args, MAX_ARGS};
pub(super) use date::{is_format as is_date_format, millis_per, print as print_time};
pub(super) use field::is_sign;
pub(super) use matching::captures;
#[cfg(test)]
pub(super) use table::ROWS;
pub(super) use table::{Filter, FilterRow, Takes, find};

/// Applies a filter.
pub(super) fn apply<'a>(
    filter: Filter,
    val: Val<'a>,
    args: Args<'a>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    if val.is_undefined() && !filter.takes_undefined() {
        return Ok(val);
    }
    // As APIs write a list without items.
    if matches!(val, Val::Null) && filter.is_of_lists() {
        return Ok(val);
    }
    let [first, second, third] = args;
    match filter {
        Filter::Default => Ok(default(val, first, second)),
        Filter::Upper | Filter::Lower | Filter::Title | Filter::Capitalize => {
            text::change_case(filter, &val, aid.meter)
        }
        Filter::Trim => text::trim(val, first.as_ref(), aid.meter),
        Filter::Truncate => text::truncate(&val, first.as_ref(), second.as_ref(), aid.meter),
        Filter::Replace => text::replace(&val, first.as_ref(), second.as_ref(), aid.meter),
        Filter::Split => text::split(&val, first.as_ref(), aid.meter),
        Filter::String => text::string(val, aid.meter),
        Filter::Json => text::json(&val, aid.meter),
        Filter::UrlEncode => text::urlencode(&val, aid.meter),
        Filter::Join => list::join(&val, first.as_ref(), aid.meter),
        Filter::Length => list::length(&val, aid.meter),
        Filter::First => list::end(&val, false, aid.meter),
        Filter::Last => list::end(&val, true, aid.meter),
        Filter::Reverse => list::reverse(val, aid.meter),
        Filter::Sort => list::sort(val, first.as_ref(), second.as_ref(), aid.meter),
        Filter::Min => list::extreme(val, "min", |order| order.is_lt(), aid.meter),
        Filter::Max => list::extreme(val, "max", |order| order.is_ge(), aid.meter),
        Filter::Sum => list::sum(val, first.as_ref(), aid),
        Filter::Map => field::map(val, first.as_ref(), aid.meter),
        Filter::Where => field::filter(val, first.as_ref(), (second, third), aid),
        Filter::Unique => field::unique(val, first.as_ref(), aid.meter),
        Filter::Without => field::without(val, first, second.as_ref(), aid.meter),
        Filter::Slice => field::slice(val, first.as_ref(), second.as_ref(), aid.meter),
        Filter::Index => field::index(&val, first, second.as_ref(), aid),
        Filter::FromJson => field::from_json(val, aid),
        // It is an operation of its own, since its pattern is compiled.
        Filter::Match => Ok(Val::Undefined),
        Filter::Number => Ok(amount::number(&val, aid)),
        Filter::Int => amount::int(&val, first, aid),
        Filter::Float => amount::float(&val, first, aid),
        Filter::Round => amount::round(&val, first.as_ref(), aid),
        Filter::Abs => amount::abs(&val, aid),
        Filter::Currency => amount::currency(&val, first.as_ref(), aid),
        Filter::FormatNumber => amount::written(&val, first.as_ref(), second.as_ref(), aid),
        Filter::FromEpoch => date::from_epoch(&val, first.as_ref(), aid),
        Filter::Date => date::format(&val, first.as_ref(), second.as_ref(), third.as_ref(), aid),
        Filter::Local => date::local(&val, first.as_ref(), aid),
        Filter::Add => date::add(&val, first.as_ref(), second.as_ref(), third.as_ref(), aid),
        Filter::DaysBetween => date::days_between(&val, first.as_ref(), second.as_ref(), aid),
        Filter::Weekday => date::weekday(&val, first.as_ref(), aid),
        Filter::AddDays => date::add_days(&val, first.as_ref(), aid),
    }
}

fn default<'a>(val: Val<'a>, other: Option<Val<'a>>, also_empty: Option<Val<'a>>) -> Val<'a> {
    let replace = val.is_undefined() || (also_empty.is_some_and(|yes| yes.is_true()) && !val.is_true());
    if replace { other.unwrap_or_else(|| Val::from("")) } else { val }
}
