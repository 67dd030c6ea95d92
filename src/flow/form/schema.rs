//! The JSON Schema of a flow file, made by the readers themselves: they run once on an object that
//! notes which fields they ask for, instead of giving them. So a field that is read is described,
//! and no other is. What must not live here: which fields there are.

use std::any::type_name;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The definitions that a schema refers to, in the making.
#[derive(Default)]
pub(crate) struct SchemaDefinitions {
    defs: Map<String, Value>,
    /// The name of each type in `defs`.
    names: BTreeMap<&'static str, String>,
    /// Types that are read from more than objects and do not say what from.
    unsaid: Vec<&'static str>,
}

impl SchemaDefinitions {
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

    /// Notes that a type does not say what it is read from.
    pub(crate) fn note_unsaid<T>(&mut self) {
        self.unsaid.push(type_name::<T>());
    }

    /// The objects that a type is read from, by the forms that its reader asked for: each with
    /// whether the reader found nothing wrong with it.
    pub(crate) fn objects(&mut self, forms: Vec<(bool, ObjectForm)>) -> Value {
        let fits = forms.iter().any(|(fits, _)| *fits);
        let forms: Vec<ObjectForm> =
            forms.into_iter().filter(|form| form.0 || !fits).map(|form| form.1).collect();
        match forms.iter().find_map(|form| form.tag) {
            Some(tag) => self.tagged(tag.0, tag.1, forms),
            None => any_of(forms.into_iter().map(ObjectForm::into_schema).collect()),
        }
    }

    /// Objects that a word in one of their fields tells apart: an editor that knows the word knows
    /// the fields.
    fn tagged(&mut self, key: &str, words: &[(&str, &str)], forms: Vec<ObjectForm>) -> Value {
        let mut by_word: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for form in forms {
            by_word.entry(form.word).or_default().push(form.into_schema());
        }
        let mut cases = Vec::new();
        for (word, doc) in words {
            let mut schema = any_of(by_word.remove(word).unwrap_or_default());
            if let Value::Object(schema) = &mut schema {
                schema.insert("description".into(), plain(doc).into());
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

    /// The types that ought to say what they are read from.
    #[cfg(test)]
    pub(crate) fn unsaid(&self) -> &[&'static str] {
        &self.unsaid
    }

    /// The schema that a reference refers to.
    pub(crate) fn resolve(&self, schema: &Value) -> Option<&Value> {
        self.defs.get(schema.get("$ref")?.as_str()?.strip_prefix(DEFS)?)
    }

    /// All of them but the flow's own.
    pub(crate) fn into_defs(self) -> Value {
        self.defs.into_iter().filter(|(name, _)| name != "Flow").collect::<Map<_, _>>().into()
    }
}

const DEFS: &str = "#/$defs/";

fn reference(name: &str) -> Value {
    json!({"$ref": format!("{DEFS}{name}")})
}

fn any_of(mut forms: Vec<Value>) -> Value {
    if forms.len() == 1 { forms.remove(0) } else { json!({"anyOf": forms}) }
}

/// A description without links to items, which an editor of flow files cannot follow.
fn plain(doc: &str) -> String {
    let (mut plain, mut rest) = (String::new(), doc.trim());
    while let Some((head, link)) = rest.split_once("](crate::") {
        let (before, text) = head.rsplit_once('[').unwrap_or((head, ""));
        plain.push_str(before);
        plain.push_str(text);
        rest = link.split_once(')').map_or("", |(_, after)| after);
    }
    plain + rest
}

/// A closed list of words, each with what it means.
pub(crate) fn one_word(words: &[(&str, &str)]) -> Value {
    let of = |(word, doc): &(&str, &str)| json!({"const": word, "description": plain(doc)});
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    json!({"type": "string", "enum": known, "oneOf": words.iter().map(of).collect::<Vec<_>>()})
}

/// One form of an object, while a reader runs.
#[derive(Default)]
pub(crate) struct ObjectForm {
    book: SchemaDefinitions,
    fields: Vec<(&'static str, bool, Value)>,
    /// The answers to the questions of the reader, in their order; the first answer beyond.
    script: Vec<usize>,
    /// Number of answers that each question has.
    asked: Vec<usize>,
    /// Fields that are there, or are not.
    given: BTreeMap<String, bool>,
    tag: Option<(&'static str, &'static [(&'static str, &'static str)])>,
    word: &'static str,
}

impl ObjectForm {
    /// One that answers as the script says, with the definitions that there are so far.
    pub(crate) fn of(book: &mut SchemaDefinitions, script: Vec<usize>) -> Self {
        Self { book: std::mem::take(book), script, ..Self::default() }
    }

    /// Gives the definitions back.
    pub(crate) fn give_back(&mut self, book: &mut SchemaDefinitions) {
        *book = std::mem::take(&mut self.book);
    }

    /// Notes a field, with the schema that `make` makes.
    pub(crate) fn field(
        &mut self,
        key: &'static str,
        required: bool,
        make: impl FnOnce(&mut SchemaDefinitions) -> Value,
    ) {
        if !self.fields.iter().any(|(known, ..)| *known == key) {
            let schema = make(&mut self.book);
            self.fields.push((key, required, schema));
        }
    }

    /// True if a field is there: both are tried.
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
    pub(crate) fn next_script(&self) -> Option<Vec<usize>> {
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
