//! Inputs that a trigger brings in, checked against what the start node declares (SEMANTICS T4).

use crate::error::Error;
use crate::flow::node::Start;
use crate::flow::{InputPolicy, InputType};
use crate::limits::Limits;
use crate::value::{Kind, Node, PackLimits, PackedMap};

/// Applies the start node's policy. Returns the context as the flow will read it, and the names of
/// inputs that were dropped.
///
/// # Errors
/// `InvalidInput` naming an input that is required and missing, or of another type than declared.
pub(crate) fn accept_inputs(
    start: &Start,
    given: PackedMap,
    limits: &Limits,
) -> Result<(PackedMap, Vec<String>), Error> {
    let mut dropped = Vec::new();
    let mut kept = match start.policy {
        InputPolicy::Any => given,
        InputPolicy::None => {
            dropped.extend(given.iter().map(|(key, _)| key.to_owned()));
            PackedMap::new()
        }
        InputPolicy::Declared => {
            let is_declared = |key: &str| start.inputs.iter().any(|input| input.name.as_ref() == key);
            dropped.extend(given.iter().filter(|(key, _)| !is_declared(key)).map(|(key, _)| key.to_owned()));
            dropped.iter().fold(given, |context, key| context.without(key))
        }
    };
    for input in &start.inputs {
        let field = || format!("context.{}", input.name);
        match kept.get(&input.name).filter(|value| !value.is_null()) {
            Some(value) if !is_of(value, input.kind) => {
                return Err(Error::invalid(
                    field(),
                    format_args!("must be of type `{}`", input.kind.as_str()),
                ));
            }
            Some(_) => {}
            None => match &input.default {
                Some(default) => {
                    kept = kept
                        .with(&input.name, default, &PackLimits::of(limits))
                        .map_err(|error| Error::invalid(field(), error))?;
                }
                None if input.required => {
                    return Err(Error::invalid(field(), "is required by the flow's start node"));
                }
                None => {}
            },
        }
    }
    Ok((kept, dropped))
}

/// Returns the inputs of a message that starts a flow: nothing but what the author has as defaults.
/// A required input is the author's to default.
pub(crate) fn default_inputs(start: &Start, limits: &Limits) -> PackedMap {
    let pack_limits = PackLimits::of(limits);
    let defaults = start.inputs.iter().filter_map(|input| Some((&input.name, input.default.as_ref()?)));
    defaults.fold(PackedMap::new(), |context, (name, value)| {
        context.with(name, value, &pack_limits).unwrap_or(context)
    })
}

fn is_of(value: Node<'_>, declared: InputType) -> bool {
    match declared {
        InputType::Any => true,
        InputType::String => value.kind() == Kind::String,
        InputType::Boolean => value.kind() == Kind::Bool,
        InputType::Object => value.kind() == Kind::Object,
        InputType::Array => value.kind() == Kind::Array,
        InputType::Number => {
            value.as_f64().is_some()
                || is_numeric(value, |text| text.parse::<f64>().is_ok_and(f64::is_finite))
        }
        InputType::Integer => {
            value.as_i64().is_some()
                || value.as_u64().is_some()
                || is_numeric(value, |text| text.parse::<i64>().is_ok())
        }
    }
}

/// A number may come as a text, as it does from most callers (SEMANTICS N5).
fn is_numeric(value: Node<'_>, parses: impl Fn(&str) -> bool) -> bool {
    value.as_str().is_some_and(|text| parses(text.trim()))
}
