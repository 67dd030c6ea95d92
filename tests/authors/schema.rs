//! The JSON Schema of flow files: `flow.schema.json` is what the readers say today (`UPDATE=1`
//! rewrites it), and it takes and refuses what they take and refuse.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use chatflow::flow::{FlowDef, NodeDef, NodeKind};
use jsonschema::Validator;
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&chatflow::flow::schema()).unwrap()
}

/// The schema of one node.
fn node_validator() -> Validator {
    let mut schema = chatflow::flow::schema();
    let schema = schema.as_object_mut().unwrap();
    schema.retain(|key, _| key.starts_with('$'));
    schema.insert("$ref".into(), "#/$defs/Node".into());
    jsonschema::draft202012::new(&json!(schema)).unwrap()
}

/// Every file below these folders with one of these endings.
fn files(folders: &[&str], ends: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if ends.iter().any(|end| path.to_str().unwrap().ends_with(end)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The JSON texts in raw strings of a source or a page.
fn json_texts(text: &str) -> Vec<Value> {
    let text = text.replace("\n///", "\n").replace("\n//!", "\n");
    let texts = text.split("r#\"").skip(1).filter_map(|rest| rest.split_once("\"#"));
    texts.filter_map(|(json, _)| serde_json::from_str(json).ok()).collect()
}

#[test]
fn the_shipped_schema_is_what_the_readers_say() {
    let now = format!("{:#}\n", chatflow::flow::schema());
    let path = root().join("flow.schema.json");
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &now).unwrap();
    }
    assert!(fs::read_to_string(path).unwrap() == now, "UPDATE=1 rewrites flow.schema.json");
}

/// Each flow file of the repository: the schema takes it where the reader does.
#[test]
fn every_flow_file_is_judged_as_the_reader_judges_it() {
    let schema = validator();
    let (mut taken, mut kinds) = (0, BTreeSet::new());
    for path in files(&["examples/flows", "src", "tests"], &[".json"]) {
        let text = fs::read_to_string(&path).unwrap();
        let Ok(json) = serde_json::from_str::<Value>(&text) else { continue };
        if json.get("nodes").is_none() {
            continue;
        }
        match FlowDef::from_json(&text) {
            Ok(def) => {
                let errors: Vec<String> = schema
                    .iter_errors(&json)
                    .map(|error| format!("{}: {error}", error.instance_path()))
                    .collect();
                assert!(errors.is_empty(), "{}:\n{}", path.display(), errors.join("\n"));
                kinds.extend(def.nodes.iter().map(|node| node.kind.as_str()));
                taken += 1;
            }
            Err(issues) => assert!(!schema.is_valid(&json), "{}:\n{issues}", path.display()),
        }
    }
    assert!(taken > 20, "only {taken} flows");
    let missed: Vec<_> = NodeKind::WORDS.iter().filter(|kind| !kinds.contains(*kind)).collect();
    assert!(missed.is_empty(), "no flow has {missed:?}");
}

/// Each JSON example of the documentation: flows and nodes.
#[test]
fn every_example_of_the_documentation_is_valid() {
    let (flow, node) = (validator(), node_validator());
    let (mut flows, mut kinds) = (0, BTreeSet::new());
    for path in files(&["src"], &[".rs", ".md"]) {
        for json in json_texts(&fs::read_to_string(&path).unwrap()) {
            let is_flow = FlowDef::from_json(&json.to_string()).is_ok();
            if is_flow {
                assert!(flow.is_valid(&json), "{}: {json:#}", path.display());
                flows += 1;
            } else if let Ok(def) = NodeDef::from_json(&json.to_string()) {
                let errors: Vec<String> = node.iter_errors(&json).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{}: {json:#}\n{}", path.display(), errors.join("\n"));
                kinds.insert(def.kind.as_str());
            }
        }
    }
    assert!(flows > 5, "only {flows} flows");
    let missed: Vec<_> = NodeKind::WORDS.iter().filter(|kind| !kinds.contains(*kind)).collect();
    assert!(missed.is_empty(), "no example of {missed:?}");
}

#[track_caller]
fn both_refuse(node: &Value) {
    assert!(NodeDef::from_json(&node.to_string()).is_err(), "the reader takes {node}");
    assert!(!node_validator().is_valid(node), "the schema takes {node}");
}

#[test]
fn what_the_reader_refuses_of_a_node_the_schema_refuses_too() {
    for node in [
        json!({"id": "n", "kind": "nap"}),
        json!({"kind": "end"}),
        json!({"id": "n"}),
        json!({"id": 1, "kind": "end"}),
        json!({"id": "n", "kind": "end", "outcme": "x"}),
        json!({"id": "n", "kind": "end", "timeout": "30m"}),
        json!({"id": "n", "kind": "delay", "for": "5 minutes"}),
        json!({"id": "n", "kind": "delay", "for": ""}),
        json!({"id": "n", "kind": "delay", "for": 30}),
        json!({"id": "n", "kind": "wait_reply", "accept": ["texts"]}),
        json!({"id": "n", "kind": "wait_reply", "accept": "text"}),
        json!({"id": "n", "kind": "jump", "target": "m", "max_jumps": -1}),
        json!({"id": "n", "kind": "jump"}),
        json!({"id": "n", "kind": "set_variables", "variables": [{"name": "x"}]}),
        json!({"id": "n", "kind": "set_variables", "variables": [{"name": "x", "value": 1, "expr": "1"}]}),
        json!({"id": "n", "kind": "branch", "branches": [{"label": "1", "when": {"not": {}}}]}),
        json!({"id": "n", "kind": "branch", "branches": [{"label": "1", "when": {"all": [], "any": []}}]}),
        json!({"id": "n", "kind": "branch", "branches": [{"label": "1", "when": {"op": "is", "to": 1}}]}),
        json!({"id": "n", "kind": "branch", "branches": [{"label": "1", "when": {"op": "exists", "to": true}}]}),
    ] {
        both_refuse(&node);
    }
}

#[test]
fn what_the_reader_refuses_of_a_flow_the_schema_refuses_too() {
    let good = json!({
        "spec": 1, "code": "c", "trigger": {"kind": "manual"}, "settings": {"concurrency": {"per_contact": "reject"}},
        "nodes": [{"id": "s", "kind": "start"}], "edges": [{"from": "s", "to": "s"}], "ui": {"any": [null]}
    });
    let schema = validator();
    assert!(schema.is_valid(&good) && FlowDef::from_json(&good.to_string()).is_ok());
    let with = |place: &str, value: Value| {
        let mut json = good.clone();
        *json.pointer_mut(place).unwrap() = value;
        json
    };
    for wrong in [
        with("/trigger", json!({"kind": "manual", "channel": "sms"})),
        with("/trigger", json!({"kind": "inbound"})),
        with("/trigger", json!({"kind": "inbound", "channel": "WhatsApp"})),
        with(
            "/trigger",
            json!({"kind": "inbound", "channel": "sms", "rules": [{"match": "like", "text": "x"}]}),
        ),
        with("/trigger", json!("manual")),
        with("/settings", json!({"concurrency": "per_contact"})),
        with("/settings", json!({"reentry": {"cooldown": "soon"}})),
        with("/settings", json!({"ttl": 3})),
        with("/edges", json!([{"from": "s", "too": "s"}])),
        with("/nodes", json!({})),
        with("/code", json!(null)),
    ] {
        assert!(FlowDef::from_json(&wrong.to_string()).is_err(), "the reader takes {wrong}");
        assert!(!schema.is_valid(&wrong), "the schema takes {wrong}");
    }
    assert!(!schema.is_valid(&with("/spec", json!(2))));
    for field in ["spec", "code", "trigger", "nodes", "edges"] {
        let mut json = good.clone();
        json.as_object_mut().unwrap().remove(field);
        assert!(!schema.is_valid(&json), "the schema does without {field}");
    }
}
