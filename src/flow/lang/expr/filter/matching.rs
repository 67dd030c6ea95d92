//! `match`: what the groups of a regular expression find in a text. The pattern is compiled with
//! the expression; a match costs steps, since finding groups costs more than finding out whether
//! there is a match.

use std::rc::Rc;

use super::super::error::EvalError;
use super::super::meter::Meter;
use super::super::val::Val;
use crate::flow::lang::pattern::Pattern;

/// Steps of one match: an expression makes a dozen at most.
const STEPS: usize = 800;

/// The first match: a list of the whole and of each group, or an object where groups have names.
/// Not defined where there is none.
pub(in crate::flow::lang::expr) fn captures<'a>(
    pattern: &Pattern,
    val: &Val<'a>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let text = match val {
        Val::Undefined | Val::Null => return Ok(Val::Undefined),
        Val::Str(text) => text,
        other => return Err(EvalError::TypeMismatch { op: "match", found: other.kind() }),
    };
    meter.steps(STEPS)?;
    meter.bytes(text.len())?;
    let Some(found) = pattern.groups(text) else { return Ok(Val::Undefined) };
    let val = |group: Option<&str>| group.map_or(Val::Null, |text| Val::owned(text.to_owned()));
    let named: Vec<_> =
        found.iter().filter_map(|(name, group)| Some((name.as_ref()?, val(*group)))).collect();
    if named.is_empty() {
        return Ok(Val::List(found.iter().map(|(_, group)| val(*group)).collect()));
    }
    let fields: Rc<[_]> = named.into_iter().map(|(name, group)| (Box::from(*name), group)).collect();
    Ok(Val::Object(fields))
}
