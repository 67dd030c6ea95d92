//! The JSON Schema of the flow file as a whole.

use serde_json::{Value, json};

use crate::flow::author::annotate::annotate;
use crate::flow::def::{FlowDef, SPEC};
use crate::flow::form::read::Read;
use crate::flow::form::schema::SchemaDefinitions;

/// Returns the JSON Schema (draft 2020-12) of a flow file: what `flow.schema.json` beside the
/// crate's manifest holds, for editors that complete and validate.
///
/// Each field has a title, a description, what counts if it is absent, and an example; editors that
/// draw forms find the group of a component in `x-group`, its branches in `x-branches`, and what a
/// field's texts hold in `x-template`, `x-expression`, `x-node` and `x-secret`.
///
/// It knows the form of a flow: fields, types, words. What a flow means as a whole is checked by
/// [`Flow::from_json`](crate::Flow::from_json).
///
/// ```
/// let schema = chatflow::flow::schema();
/// assert_eq!(schema["properties"]["spec"]["const"], 1);
/// assert_eq!(schema["$defs"]["delay"]["properties"]["for"]["$ref"], "#/$defs/Span");
/// ```
#[must_use]
pub fn schema() -> Value {
    let mut book = SchemaDefinitions::default();
    let root = FlowDef::schema(&mut book);
    let mut flow = book.resolve(&root).cloned().unwrap_or_default();
    let defs = book.into_defs();
    if let Value::Object(flow) = &mut flow {
        flow.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        flow.insert("$id".into(), "urn:chatflow:flow:1".into());
        flow.insert("title".into(), "A chatflow flow".into());
        flow.insert("$defs".into(), defs);
    }
    if let Some(spec) = flow.pointer_mut("/properties/spec") {
        *spec = json!({"const": SPEC});
    }
    if let Value::Object(flow) = &mut flow {
        annotate(flow);
    }
    flow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_is_no_plain_object_says_what_it_is_read_from() {
        let mut book = SchemaDefinitions::default();
        FlowDef::schema(&mut book);
        assert_eq!(book.unsaid(), [] as [&str; 0], "give these a `Read::schema` of their own");
        assert!(
            book.into_defs().as_object().is_some_and(|defs| defs.values().all(|schema| !schema.is_null()))
        );
    }
}
