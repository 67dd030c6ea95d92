//! Seeds: what the tests of the crate keep in files, by target.

use std::fs;
use std::path::{Path, PathBuf};

/// A target, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Each target.
pub const TARGETS: [Target; 6] = [
    ("flows", super::flows),
    ("expressions", super::expressions),
    ("talks", super::talks),
    ("wire", super::wire),
    ("stored", super::stored),
    ("histories", super::histories),
];

/// The seeds of a target, under the folder of the crate: what its tests keep in files, and what was
/// once found by fuzzing.
pub fn seeds(root: &Path, target: &str) -> Vec<Vec<u8>> {
    let read = |folders: &[&str], end: &str| -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        folders.iter().for_each(|folder| files(&root.join(folder), end, &mut all));
        all.sort();
        all.iter().filter_map(|path| fs::read(path).ok()).collect()
    };
    let flows = || read(&["tests/golden", "tests/gallery", "examples/flows"], ".json");
    let found = read(&[&format!("tests/fuzz/{target}")], "");
    let mut seeds = match target {
        "flows" => flows(),
        "talks" => read(&["tests/golden", "tests/gallery"], ".talk"),
        "expressions" => flows().iter().flat_map(|flow| texts(flow)).collect(),
        "wire" => {
            let bodies = read(&["tests/host/wire"], ".json");
            let each = |body: Vec<u8>| (0..6).map(move |which| [&[which], &*body].concat());
            bodies.into_iter().flat_map(each).collect()
        }
        "stored" => stored(root),
        _ => histories(),
    };
    seeds.extend(found);
    seeds
}

fn files(folder: &Path, end: &str, all: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files(&path, end, all);
        } else if path.to_string_lossy().ends_with(end) {
            all.push(path);
        }
    }
}

/// The templates and expressions of a flow.
fn texts(flow: &[u8]) -> Vec<Vec<u8>> {
    fn walk(value: &serde_json::Value, all: &mut Vec<Vec<u8>>) {
        match value {
            serde_json::Value::String(text) if text.contains("{{") => {
                let inner = text.split("{{").nth(1).and_then(|rest| rest.split("}}").next()).unwrap_or("1");
                all.push(format!("{text}\u{0}{inner}").into_bytes());
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, all)),
            serde_json::Value::Object(map) => map.iter().for_each(|(name, item)| match item.as_str() {
                Some(text) if name == "expr" => all.push(format!("{{{{ {text} }}}}\u{0}{text}").into_bytes()),
                _ => walk(item, all),
            }),
            _ => {}
        }
    }
    let mut all = Vec::new();
    if let Ok(value) = serde_json::from_slice(flow) {
        walk(&value, &mut all);
    }
    all
}

/// Records of every release, without the head; rows, keys and journals.
fn stored(root: &Path) -> Vec<Vec<u8>> {
    const HEAD: usize = 14;
    let mut all = Vec::new();
    files(&root.join("tests/compat"), "", &mut all);
    all.sort();
    let mut seeds = Vec::new();
    for path in all {
        let Ok(bytes) = fs::read(&path) else { continue };
        match path.extension().and_then(|end| end.to_str()) {
            Some("record") if bytes.len() > HEAD => {
                let format = bytes[4] % 4;
                for which in [0, 3] {
                    seeds.push([&[which + 8 * format], &bytes[HEAD..]].concat());
                }
                seeds.push([&[7], &*bytes].concat());
            }
            Some("jsonl") => {
                let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                seeds.extend(lines.map(|line| [&[6], line].concat()));
            }
            _ => seeds.push([&[5], &*bytes].concat()),
        }
    }
    seeds
}

/// Histories of a plain talk, of trouble, and of an operator.
fn histories() -> Vec<Vec<u8>> {
    let plain: &[u8] = &[0, 0, 2, 0, 2, 9, 10, 3, 8, 30, 10, 3];
    let trouble: &[u8] = &[0, 8, 10, 3, 9, 5, 8, 40, 10, 3, 2, 200, 2, 200, 13, 0, 8, 90, 14, 0, 10, 3];
    let operator: &[u8] = &[0, 0, 1, 9, 1, 2, 12, 1, 14, 2, 2, 3, 14, 3, 15, 0, 15, 1, 0, 0, 8, 255, 10, 1];
    [plain, trouble, operator].map(<[u8]>::to_vec).to_vec()
}
