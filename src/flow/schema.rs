//! The JSON Schema of a flow file, made by the readers themselves: they run once on an object that
//! notes which fields they ask for, instead of giving them. So a field that is read is described,
//! and no other is. What must not live here: which fields there are.

use std::any::type_name;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::flow::def::{FlowDef, SPEC};
use crate::flow::issue::{Diagnostics, IssueCode};
use crate::flow::path::Path;
use crate::flow::read::Read;

/// The JSON Schema (draft 2020-12) of a flow file: what `flow.schema.json` beside the crate's
/// manifest holds, for editors that complete and validate.
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
    let mut book = Book::default();
    let root = FlowDef::schema(&mut book);
    let mut flow = book.resolve(&root).cloned().unwrap_or_default();
    let defs = book.into_defs();
    if let Value::Object(flow) = &mut flow {
        flow.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        flow.insert("title".into(), "A chatflow flow".into());
        flow.insert("$defs".into(), defs);
    }
    if let Some(spec) = flow.pointer_mut("/properties/spec") {
        *spec = json!({"const": SPEC});
    }
    flow
}

/// The definitions that a schema refers to, in the making.
#[derive(Default)]
pub(crate) struct Book {
    defs: Map<String, Value>,
    /// The name of each type in `defs`.
    names: BTreeMap<&'static str, String>,
    /// Types that are read from more than objects and do not say what from.
    unsaid: Vec<&'static str>,
}

impl Book {
    /// A reference to the schema of a type, which is made when it is first asked for. Types may
    /// hold themselves.
    pub(crate) fn refer<T>(&mut self, make: impl FnOnce(&mut Self) -> Value) -> Value {
        let kind = type_name::<T>();
        if let Some(name) = self.names.get(kind) {
            return reference(name);
        }
        let bare = kind.split('<').next().unwrap_or(kind).rsplit("::").next().unwrap_or(kind);
        let name = self.free_name(bare.strip_suffix("Def").unwrap_or(bare));
        self.names.insert(kind, name.clone());
        self.defs.insert(name.clone(), Value::Null);
        let schema = make(self);
        self.defs.insert(name.clone(), schema);
        reference(&name)
    }

    /// The schema of a type that is read from the fields of an object alone: the default of
    /// [`Read::schema`].
    pub(crate) fn plain<T: Read>(&mut self) -> Value {
        for other in [json!(null), json!(true), json!(1), json!("x"), json!([])] {
            let mut found = Diagnostics::default();
            let _ = T::read(&other, &Path::Root, &mut found);
            if !found.has(IssueCode::WrongType) {
                self.unsaid.push(type_name::<T>());
                break;
            }
        }
        self.refer::<T>(Self::object::<T>)
    }

    /// The objects that a type is read from: one form, or several if the reader looks which fields
    /// are there.
    pub(crate) fn object<T: Read>(&mut self) -> Value {
        let mut forms = Vec::new();
        let mut script = Some(Vec::new());
        while let Some(answers) = script {
            let sketch = Sketch { book: std::mem::take(self), script: answers, ..Sketch::default() };
            let mut found = Diagnostics::sketching(sketch);
            let _ = T::read(&Value::Object(Map::new()), &Path::Root, &mut found);
            let Some(mut sketch) = found.sketch.take() else { break };
            *self = std::mem::take(&mut sketch.book);
            script = sketch.next_script();
            forms.push((found.len() == 0, *sketch));
            if forms.len() == MOST_FORMS {
                break;
            }
        }
        let fits = forms.iter().any(|(fits, _)| *fits);
        let forms: Vec<Sketch> =
            forms.into_iter().filter(|form| form.0 || !fits).map(|form| form.1).collect();
        match forms.iter().find_map(|form| form.tag) {
            Some(tag) => self.tagged(tag.0, tag.1, forms),
            None => any_of(forms.into_iter().map(Sketch::into_schema).collect()),
        }
    }

    /// Objects that a word in one of their fields tells apart: an editor that knows the word knows
    /// the fields.
    fn tagged(&mut self, key: &str, words: &[(&str, &str)], forms: Vec<Sketch>) -> Value {
        let mut by_word: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for form in forms {
            by_word.entry(form.word).or_default().push(form.into_schema());
        }
        let mut cases = Vec::new();
        for (word, doc) in words {
            let mut schema = any_of(by_word.remove(word).unwrap_or_default());
            if let Value::Object(schema) = &mut schema {
                schema.insert("description".into(), doc.trim().into());
            }
            let name = self.free_name(word);
            cases.push(json!({
                "if": {"properties": {key: {"const": word}}, "required": [key]},
                "then": reference(&name),
            }));
            self.defs.insert(name, schema);
        }
        json!({"type": "object", "required": [key], "properties": {key: one_word(words)}, "allOf": cases})
    }

    fn free_name(&self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        while self.defs.contains_key(&name) {
            name.push('_');
        }
        name
    }

    fn resolve(&self, schema: &Value) -> Option<&Value> {
        self.defs.get(schema.get("$ref")?.as_str()?.strip_prefix(DEFS)?)
    }

    fn into_defs(self) -> Value {
        self.defs.into_iter().filter(|(name, _)| name != "Flow").collect::<Map<_, _>>().into()
    }
}

const DEFS: &str = "#/$defs/";

/// More would be no format that an author can learn.
const MOST_FORMS: usize = 4_096;

fn reference(name: &str) -> Value {
    json!({"$ref": format!("{DEFS}{name}")})
}

fn any_of(mut forms: Vec<Value>) -> Value {
    if forms.len() == 1 { forms.remove(0) } else { json!({"anyOf": forms}) }
}

/// A closed list of words, each with what it means.
pub(crate) fn one_word(words: &[(&str, &str)]) -> Value {
    let of = |(word, doc): &(&str, &str)| json!({"const": word, "description": doc.trim()});
    json!({"type": "string", "oneOf": words.iter().map(of).collect::<Vec<_>>()})
}

/// One form of an object, while a reader runs.
#[derive(Default)]
pub(crate) struct Sketch {
    book: Book,
    fields: Vec<(&'static str, bool, Value)>,
    /// What to answer to the questions of the reader, in their order; the first answer beyond.
    script: Vec<usize>,
    /// How many answers each question has.
    asked: Vec<usize>,
    /// Fields that are there, or are not.
    given: BTreeMap<String, bool>,
    tag: Option<(&'static str, &'static [(&'static str, &'static str)])>,
    word: &'static str,
}

impl Sketch {
    /// Notes a field.
    pub(crate) fn field<T: Read>(&mut self, key: &'static str, required: bool) {
        if !self.fields.iter().any(|(known, ..)| *known == key) {
            let schema = T::schema(&mut self.book);
            self.fields.push((key, required, schema));
        }
    }

    /// Whether a field is there: both are tried.
    pub(crate) fn has(&mut self, key: &str) -> bool {
        if let Some(given) = self.given.get(key) {
            return *given;
        }
        let given = self.answer(2) == 1;
        self.given.insert(key.to_owned(), given);
        given
    }

    /// The word in a field: each is tried.
    pub(crate) fn tag(
        &mut self,
        key: &'static str,
        words: &'static [(&'static str, &'static str)],
    ) -> Option<&'static str> {
        self.tag = Some((key, words));
        self.word = words.get(self.answer(words.len()))?.0;
        self.fields.push((key, true, json!({"const": self.word})));
        Some(self.word)
    }

    fn answer(&mut self, answers: usize) -> usize {
        let answer = self.script.get(self.asked.len()).copied().unwrap_or(0);
        self.asked.push(answers);
        answer
    }

    /// The answers to give next time: those of this time, counted up.
    fn next_script(&self) -> Option<Vec<usize>> {
        let mut next: Vec<usize> =
            (0..self.asked.len()).map(|at| self.script.get(at).copied().unwrap_or(0)).collect();
        while let Some(last) = next.pop() {
            if self.asked.get(next.len()).is_some_and(|answers| last + 1 < *answers) {
                next.push(last + 1);
                return Some(next);
            }
        }
        None
    }

    fn into_schema(self) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for (key, is_required, schema) in self.fields {
            if self.given.get(key) == Some(&false) {
                continue;
            }
            if is_required || self.given.get(key) == Some(&true) {
                required.push(key);
            }
            properties.insert(key.to_owned(), schema);
        }
        let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
        if let (false, Value::Object(schema)) = (required.is_empty(), &mut schema) {
            schema.insert("required".into(), required.into());
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_is_no_plain_object_says_what_it_is_read_from() {
        let mut book = Book::default();
        FlowDef::schema(&mut book);
        assert_eq!(book.unsaid, Vec::<&str>::new(), "give these a `Read::schema` of their own");
        assert!(book.defs.values().all(|schema| !schema.is_null()));
    }
}
