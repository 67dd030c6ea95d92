//! Values that a flow itself names: what a contact might say to it, and what a host might answer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::flow::Flow;
use crate::talk::Act;

/// The names of a flow, by where they are of use.
pub(super) struct Guesses {
    /// Words of the whole flow: triggers, keywords, constants that texts are compared with.
    words: Vec<String>,
    /// Each node as it is written.
    nodes: BTreeMap<String, Value>,
    /// The paths that templates read, such as `vars.order.status`, each with what it is compared
    /// with.
    paths: BTreeMap<String, BTreeSet<String>>,
    /// Those of which items are taken.
    lists: BTreeSet<String>,
    /// The fields that are read of their items.
    fields: BTreeSet<String>,
}

/// Examples of answers, for a question of each kind.
const SAMPLES: &[(&str, &[&str])] = &[
    ("number", &["1", "7", "50", "1000", "0"]),
    ("email", &["ada@example.com"]),
    ("phone", &["+14155550123"]),
    ("date", &["2026-05-20", "2030-01-01"]),
    ("time", &["10:30"]),
    ("url", &["https://example.com/a"]),
    ("amount", &["EUR 12.50", "12.50"]),
    ("name", &["Ada Lovelace"]),
    ("rating", &["5", "1"]),
    ("yes_no", &["yes", "no"]),
    ("text", &["hello", "A-1234", "4711"]),
];

impl Guesses {
    pub(super) fn of(flow: &Flow) -> Self {
        let json = serde_json::to_value(flow.def()).unwrap_or_default();
        let (spoken, nodes, paths) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let (lists, fields) = (BTreeSet::new(), BTreeSet::new());
        let mut guesses = Self { words: spoken, nodes, paths, lists, fields };
        for node in json["nodes"].as_array().into_iter().flatten() {
            if let Some(id) = node["id"].as_str() {
                guesses.nodes.insert(id.to_owned(), node.clone());
            }
        }
        for part in ["trigger", "settings"] {
            words(&json[part], &mut guesses.words);
        }
        guesses.read(&json);
        let compared = guesses.paths.iter().filter(|(path, _)| path.starts_with("reply"));
        let compared: Vec<String> = compared.flat_map(|(_, constants)| constants.clone()).collect();
        guesses.words.extend(compared);
        guesses
    }

    /// Notes the paths of templates, and the constants of conditions.
    fn read(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                for path in paths_of(text) {
                    match path.split_once('.') {
                        Some((root, field)) if !["context", "vars", "reply"].contains(&root) => {
                            self.fields.insert(field.to_owned());
                        }
                        _ => _ = self.paths.entry(path).or_default(),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.read(item)),
            Value::Object(fields) => {
                let compared = fields.get("value").and_then(Value::as_str);
                let constants: Vec<String> = ["to", "and", "list"]
                    .iter()
                    .filter_map(|name| fields.get(*name))
                    .flat_map(|constant| match constant {
                        Value::Array(items) => items.iter().map(plain).collect(),
                        one => vec![plain(one)],
                    })
                    .collect();
                for path in compared.into_iter().flat_map(paths_of).filter(|path| is_rooted(path)) {
                    self.paths.entry(path).or_default().extend(constants.iter().cloned());
                }
                for name in ["list", "items", "from", "rows_from"] {
                    let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
                    self.lists.extend(paths_of(text));
                    // It may name a path without braces, too.
                    let bare = Some(text).filter(|text| is_rooted(text) && !text.contains('{'));
                    self.lists.extend(bare.map(str::to_owned));
                }
                fields.values().for_each(|field| self.read(field));
            }
            _ => {}
        }
    }

    /// Messages that a contact might send, at a node or before anything.
    pub(super) fn texts(&self, node: Option<&str>) -> Vec<Act> {
        let node = node.and_then(|node| self.nodes.get(node)).unwrap_or(&Value::Null);
        let (mut texts, mut own) = (Vec::new(), Vec::new());
        words(&node["choices"], &mut own);
        let expect = node["expect"].as_str().unwrap_or("text");
        let samples = SAMPLES.iter().filter(|(kind, _)| *kind == expect || *kind == "text");
        texts.extend(samples.flat_map(|(_, samples)| samples.iter().map(ToString::to_string)));
        let bounds = ["min", "max"].iter().filter_map(|name| node.get(*name)).map(plain);
        texts.extend(bounds);
        texts.extend(own);
        texts.extend(self.words.iter().cloned());
        texts.extend(self.numbers());
        let mut known = BTreeSet::new();
        texts.retain(|text| !text.is_empty() && text.len() <= 200 && known.insert(text.clone()));
        let mut acts: Vec<Act> = texts.into_iter().take(40).map(Act::Say).collect();
        match expect {
            "media" => acts.push(Act::Send(
                json!({"media": {"url": "https://example.com/a.jpg", "mime": "image/jpeg"}}),
            )),
            "location" => acts.push(Act::Send(json!({"location": {"latitude": 52.52, "longitude": 13.41}}))),
            _ => {}
        }
        acts
    }

    /// Numbers beside those that values are compared with.
    fn numbers(&self) -> Vec<String> {
        let constants = self.paths.values().flatten().filter_map(|constant| constant.parse::<f64>().ok());
        constants.flat_map(|n| [n - 1.0, n, n + 1.0]).map(|n| n.to_string()).collect()
    }

    /// Contexts that the flow might be started with.
    pub(super) fn contexts(&self) -> impl Iterator<Item = Value> {
        let mut all = self.objects("context");
        if !all.contains(&json!({})) {
            all.push(json!({}));
        }
        all.into_iter()
    }

    /// Answers that the host might give to a node's call.
    pub(super) fn answers(&self, node: &str) -> Vec<Act> {
        let node = self.nodes.get(node).unwrap_or(&Value::Null);
        let name = node["save_to"].as_str().unwrap_or_default();
        let objects = if name.is_empty() { vec![json!({})] } else { self.objects(&format!("vars.{name}")) };
        let base = objects.first().cloned().unwrap_or_default();
        let mut acts: Vec<Act> = match node["kind"].as_str().unwrap_or_default() {
            "classify" => ids(&node["classes"]).map(|id| Act::Now(json!(id))).collect(),
            "recognize_language" => {
                ids(&node["languages"]).chain(["en".to_owned()]).map(|tag| Act::Now(json!(tag))).collect()
            }
            "http_request" => objects.iter().map(|object| Act::Now(answered(object, 200))).collect(),
            "llm" => vec![Act::Now(json!("A text."))],
            _ => objects.iter().cloned().map(Act::Now).collect(),
        };
        if node["kind"] == "http_request" {
            acts.extend([404, 500].map(|status| Act::Now(json!({"status": status, "body": null}))));
        }
        for branch in ids(&node["branches"]) {
            acts.push(Act::Branch { branch, value: base.clone() });
        }
        acts.push(Act::Failed("no answer".to_owned()));
        acts
    }

    /// An item of a list, with each field that items are asked for.
    fn item(&self, id: &str, name: &str) -> Value {
        let mut item = json!({"id": id, "name": name, "label": name, "title": name});
        for field in self.fields.iter().filter(|field| item.get(field.as_str()).is_none()).collect::<Vec<_>>()
        {
            let is_list = self.lists.iter().any(|path| path.ends_with(&format!(".{field}")));
            let inner = json!([{"id": id, "no": 1, "name": name, "price": 5, "left": 5}]);
            put(&mut item, field, if is_list { inner } else { json!(5) });
        }
        item
    }

    /// Objects with what is read below a path: one with examples, and one more for each constant.
    fn objects(&self, root: &str) -> Vec<Value> {
        let below =
            |path: &str| path.strip_prefix(root).and_then(|rest| rest.strip_prefix('.')).map(str::to_owned);
        let mut base = json!({});
        for (path, constants) in &self.paths {
            if let Some(inner) = below(path) {
                let example = constants.first().map_or_else(|| example(&inner), |constant| typed(constant));
                put(&mut base, &inner, example);
            }
        }
        for path in &self.lists {
            if let Some(inner) = below(path) {
                put(&mut base, &inner, json!([self.item("a", "A"), self.item("b", "B")]));
            }
        }
        let mut all = vec![base.clone()];
        if self.paths.contains_key(root) && base == json!({}) {
            let constants = self.paths.get(root).into_iter().flatten();
            all = constants.map(|constant| typed(constant)).chain([json!("x"), json!(5)]).collect();
        }
        for (path, constants) in &self.paths {
            let Some(inner) = below(path) else { continue };
            let near = constants.iter().flat_map(|constant| match constant.parse::<f64>() {
                Ok(n) => vec![json!(n), json!(n + 1.0), json!(n - 1.0)],
                Err(_) => vec![json!(constant), json!("another")],
            });
            for value in near.chain([Value::Null]) {
                let mut other = base.clone();
                put(&mut other, &inner, value);
                all.push(other);
            }
        }
        for path in self.lists.iter().filter_map(|path| below(path)) {
            let mut other = base.clone();
            put(&mut other, &path, json!([]));
            all.push(other);
        }
        all.dedup();
        all.truncate(16);
        all
    }
}

fn answered(object: &Value, status: u16) -> Value {
    let mut answer = object.clone();
    if answer.get("status").is_none_or(|status| !status.is_number()) {
        put(&mut answer, "status", json!(status));
    }
    answer
}

fn typed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// A constant as a text; nothing of what is a template.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains("{{") => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The ids of a list of objects, or the texts of a list of texts.
fn ids(list: &Value) -> impl Iterator<Item = String> + '_ {
    let name = |item: &Value| item.as_str().or_else(|| item["id"].as_str()).map(str::to_owned);
    list.as_array().into_iter().flatten().filter_map(name)
}

/// All short texts within a value.
fn words(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.contains("{{") => all.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| words(item, all)),
        Value::Object(fields) => fields.values().for_each(|field| words(field, all)),
        _ => {}
    }
}

/// The paths that a text reads within `{{ }}`: names with full stops between them.
fn paths_of(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for inside in text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        for word in inside.split(|c: char| !is_part(c)) {
            let word = word.trim_matches('.');
            if is_rooted(word) || (word.contains('.') && word.starts_with(char::is_alphabetic)) {
                paths.push(word.to_owned());
            }
        }
    }
    paths
}

/// True if a path begins where contexts, variables and replies do.
fn is_rooted(path: &str) -> bool {
    ["context.", "vars.", "reply"].iter().any(|root| path.starts_with(root))
}

/// A value for a field of which only the name is known.
fn example(path: &str) -> Value {
    let name = path.rsplit('.').next().unwrap_or_default();
    if name.ends_with("_at") || ["date", "until", "when"].iter().any(|word| name.contains(word)) {
        return json!("2026-05-09T16:30:00Z");
    }
    if name.contains("zone") { json!("Europe/Berlin") } else { json!("x") }
}

/// Puts a value at a path of an object, making the objects on the way.
fn put(object: &mut Value, path: &str, value: Value) {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let Some(fields) = object.as_object_mut() else { return };
    match rest {
        Some(rest) => put(fields.entry(first).or_insert_with(|| json!({})), rest, value),
        None => _ = fields.insert(first.to_owned(), value),
    }
}
