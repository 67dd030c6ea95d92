//! The words of the JSON Schema for people, beside the form of a flow: what each field is, what
//! counts without it, an example, and what its texts hold. All of it is read from the tables of the
//! reference, so that the two cannot differ.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The tables: fields, then kinds.
const FIELDS: &str = include_str!("../fields.md");

/// The word of the first column that means each kind of node.
const EVERY_NODE: &str = "every node";

/// A row of the table of fields.
struct FieldRow {
    about: String,
    default: Option<Value>,
    example: Option<Value>,
    holds: Vec<String>,
}

/// Tells a whole schema what the tables say.
pub(super) fn annotate(flow: &mut Map<String, Value>) {
    let (rows, kinds) = (rows(), kinds());
    let mut defs = flow.remove("$defs").unwrap_or_default();
    describe("Flow", flow, &rows, &kinds);
    if let Value::Object(defs) = &mut defs {
        for (name, schema) in defs.iter_mut() {
            if let Value::Object(schema) = schema {
                describe(name, schema, &rows, &kinds);
                note_kind(kinds.get(name.as_str()), schema);
            }
        }
    }
    flow.insert("$defs".into(), defs);
}

/// Title, group and branches of a component.
fn note_kind(kind: Option<&[String; 3]>, schema: &mut Map<String, Value>) {
    if let Some([title, group, branches]) = kind {
        schema.insert("title".into(), json!(title));
        schema.insert("x-group".into(), json!(group));
        let branches: Vec<&str> = branches.split(',').map(bare).filter(|word| !word.is_empty()).collect();
        schema.insert("x-branches".into(), json!(branches));
    }
}

/// Describes the properties of a definition, in each of its forms.
fn describe(
    name: &str,
    schema: &mut Map<String, Value>,
    rows: &BTreeMap<(String, String), FieldRow>,
    kinds: &BTreeMap<String, [String; 3]>,
) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (field, property) in properties.iter_mut() {
            let every = kinds.contains_key(name).then(|| rows.get(&(EVERY_NODE.to_owned(), field.clone())));
            let own = rows.get(&(name.to_owned(), field.clone()));
            if let Some(row) = own.or(every.flatten()) {
                row.tell(field, property);
            }
            if let Value::Object(inner) = property {
                describe(name, inner, rows, kinds);
            }
        }
    }
    for part in ["anyOf", "allOf"] {
        for form in schema.get_mut(part).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(form) = form {
                describe(name, form, rows, kinds);
            }
        }
    }
    if let Some(Value::Object(condition)) = schema.get_mut("if") {
        describe(name, condition, rows, kinds);
    }
}

impl FieldRow {
    fn tell(&self, field: &str, property: &mut Value) {
        if *property == Value::Bool(true) {
            *property = json!({});
        }
        let Value::Object(property) = property else { return };
        property.insert("title".into(), json!(title(field)));
        property.insert("description".into(), json!(self.about));
        property.extend(self.default.clone().map(|value| ("default".to_owned(), value)));
        property.extend(self.example.clone().map(|value| ("examples".to_owned(), json!([value]))));
        property.extend(self.holds.iter().map(|word| (format!("x-{word}"), json!(true))));
    }
}

/// Words of fields that are short for another.
const SHORT: [(&str, &str); 19] = [
    ("args", "arguments"),
    ("expr", "expression"),
    ("fri", "Friday"),
    ("max", "maximum"),
    ("mime", "MIME type"),
    ("min", "minimum"),
    ("minutes", "in minutes"),
    ("mon", "Monday"),
    ("op", "operator"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
    ("thu", "Thursday"),
    ("ttl", "TTL"),
    ("tue", "Tuesday"),
    ("ui", "editor data"),
    ("url", "URL"),
    ("urls", "URLs"),
    ("vars", "variables"),
    ("wed", "Wednesday"),
];

/// A field's name as an editor shows it: `session_ttl_minutes` is "Session TTL in minutes".
fn title(field: &str) -> String {
    let words = field.trim_start_matches('$').split('_');
    let words: Vec<&str> = words
        .map(|word| SHORT.iter().find(|(short, _)| *short == word).map_or(word, |(_, long)| *long))
        .collect();
    let title = words.join(" ");
    let (first, rest) = title.split_at(title.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

/// The rows of the table of fields, by the definition and the field.
fn rows() -> BTreeMap<(String, String), FieldRow> {
    let mut rows = BTreeMap::new();
    for cells in table("| in |") {
        let [places, field, about, default, example, holds] = cells.as_slice() else { continue };
        for place in places.split(',') {
            let row = FieldRow {
                about: about.clone(),
                default: literal(default),
                example: literal(example),
                holds: holds
                    .split(',')
                    .map(|word| word.trim().to_owned())
                    .filter(|word| !word.is_empty())
                    .collect(),
            };
            rows.insert((bare(place).to_owned(), bare(field).to_owned()), row);
        }
    }
    rows
}

/// The rows of the table of kinds, by the kind: title, group, branches.
fn kinds() -> BTreeMap<String, [String; 3]> {
    let row = |cells: Vec<String>| {
        let [kind, rest @ ..] = <[String; 4]>::try_from(cells).ok()?;
        Some((bare(&kind).to_owned(), rest))
    };
    table("| kind |").filter_map(row).collect()
}

/// The rows below a heading, cell by cell.
fn table(heading: &str) -> impl Iterator<Item = Vec<String>> {
    let lines = FIELDS.lines().skip_while(move |line| !line.starts_with(heading)).skip(2);
    lines.take_while(|line| line.starts_with('|')).map(cells)
}

/// The cells of a row; `\|` is no border.
fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut chars = row.trim_start_matches('|').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'|') => {
                chars.next();
                cells.last_mut().map(|cell| cell.push('|')).unwrap_or_default();
            }
            '|' => cells.push(String::new()),
            c => cells.last_mut().map(|cell| cell.push(c)).unwrap_or_default(),
        }
    }
    cells.pop();
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// The JSON in a cell.
fn literal(cell: &str) -> Option<Value> {
    serde_json::from_str(bare(cell)).ok()
}

fn bare(cell: &str) -> &str {
    cell.trim().trim_matches('`')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::flow::node::NodeKind;

    /// Each property of the schema, by its definition.
    fn properties(name: &str, schema: &Value, found: &mut BTreeMap<(String, String), Vec<Value>>) {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            found.entry((name.to_owned(), field.clone())).or_default().push(property.clone());
            properties(name, property, found);
        }
        for part in ["anyOf", "allOf"] {
            schema[part].as_array().into_iter().flatten().for_each(|form| properties(name, form, found));
        }
    }

    #[test]
    fn every_property_is_described_by_the_table_and_every_row_is_of_a_property() {
        let schema = super::super::schema::schema();
        let mut found = BTreeMap::new();
        properties("Flow", &schema, &mut found);
        for (name, def) in schema["$defs"].as_object().unwrap() {
            properties(name, def, &mut found);
        }
        let bare: Vec<_> = found
            .iter()
            .filter(|(_, forms)| forms.iter().any(|form| form["description"].is_null()))
            .collect();
        assert!(
            bare.is_empty(),
            "without a description: {:?}",
            bare.iter().map(|(at, _)| at).collect::<Vec<_>>()
        );
        let (rows, kinds) = (rows(), kinds());
        assert!(rows.values().all(|row| row.about.ends_with('.')), "a sentence each");
        let idle: Vec<_> = rows
            .keys()
            .filter(|(place, field)| {
                let places = kinds.keys().filter(|_| place == EVERY_NODE).chain([place]);
                !places.into_iter().any(|place| found.contains_key(&(place.clone(), field.clone())))
            })
            .collect();
        assert!(idle.is_empty(), "rows of no property: {idle:?}");
        assert!(found.len() > 350, "only {} properties", found.len());
    }

    #[test]
    fn every_kind_is_in_the_table_with_a_group_of_the_library() {
        let kinds = kinds();
        let named: BTreeSet<&str> = kinds.keys().map(String::as_str).collect();
        assert_eq!(named, NodeKind::WORDS.iter().copied().collect());
        for (kind, [title, group, _]) in &kinds {
            assert!(!title.is_empty(), "{kind}");
            assert!(["Core", "Messaging", "Intelligence", "Contact"].contains(&&**group), "{kind}: {group}");
        }
    }

    /// A border in a cell is written `\|`.
    #[test]
    fn cells_are_parted_by_borders_alone() {
        assert_eq!(cells("| `a` | `x \\| y` |  | z |"), ["`a`", "`x | y`", "", "z"]);
    }
}
