//! The files that the page reads beside its module: templates, filters, the guide for models.

use std::fs;
use std::path::Path;

use chatflow::flow::draft::Draft;
use chatflow::flow::gallery::{FlowTemplate, templates};
use serde_json::{Value, json};

/// The filters of templates, a row each.
const FILTERS: &str = include_str!("../../../../src/flow/lang/expr/filter/table.md");

/// Writes them into a folder.
pub(crate) fn write(folder: &Path) -> Result<(), String> {
    let templates: Vec<Value> = templates().iter().map(template).collect();
    let filters: Vec<Vec<String>> = FILTERS.lines().filter(|row| row.starts_with("| `")).map(cells).collect();
    let files = [
        ("templates.json", json!(templates).to_string()),
        ("filters.json", json!(filters).to_string()),
        ("guide.txt", Draft::guide()),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn template(template: &FlowTemplate) -> Value {
    json!({
        "code": template.code, "name": template.name, "description": template.description,
        "manual": template.is_manual, "json": template.json,
    })
}

fn cells(row: &str) -> Vec<String> {
    let cells = row.replace("\\|", "\u{1}");
    let cells = cells.trim_matches('|').split('|');
    cells.map(|cell| cell.replace('\u{1}', "|").trim().to_owned()).collect()
}
