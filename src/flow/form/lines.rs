//! The lines of a flow file: where each field, each node and each edge of it begins.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::gather::Gather;
use serde_json::Value;

/// The line of a flow file at which each of its fields begins, so that an issue, or a node that no
/// test comes to, is shown where its author wrote it. Lines and columns count from 1, columns in
/// characters.
///
/// ```
/// use chatflow::flow::FlowLines;
///
/// let json = "{\"nodes\": [\n  {\"id\": \"start\"},\n  {\"id\": \"hi\",\n   \"text\": \"Hi\"}],\n \"edges\": [\n  {\"from\": \"start\", \"to\": \"hi\"}]}";
/// let lines = FlowLines::of(json);
/// assert_eq!(lines.node("hi"), Some(3));
/// assert_eq!(lines.path("nodes[1].text"), Some(4));
/// assert_eq!(lines.way("start", "next"), Some(6));
/// let asked = FlowLines::of("{\"edges\": [\n {\"from\": \"ask\", \"to\": \"hi\"}]}");
/// assert_eq!(asked.way("ask", "valid"), Some(2), "of a question, too");
/// assert_eq!(lines.path("nodes[7].text"), None);
/// assert_eq!(lines.position("nodes[1].text"), Some((4, 4)));
/// assert_eq!(lines.position("nodes[0].inputs[2].type"), Some((2, 3)), "of the node, which has none");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowLines {
    paths: BTreeMap<String, Position>,
    nodes: BTreeMap<String, u32>,
    ways: BTreeMap<(String, Option<String>), u32>,
}

/// Line and column.
type Position = (u32, u32);

impl FlowLines {
    /// The lines of a file; none of what is no JSON.
    #[must_use]
    pub fn of(json: &str) -> Self {
        let mut lines = Self::default();
        let Ok(value) = serde_json::from_str::<Value>(json) else { return lines };
        let mut scan = Scan { rest: json.as_bytes(), at: (1, 1), wanted: None, paths: BTreeMap::new() };
        scan.value(&mut String::new());
        lines.paths = scan.paths;
        let items = |name: &str| value.get(name).and_then(Value::as_array).into_iter().flatten().enumerate();
        let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
        for (place, node) in items("nodes") {
            let line = lines.paths.get(&format!("nodes[{place}]"));
            if let (Some(id), Some((line, _))) = (text(node, "id"), line) {
                lines.nodes.entry(id).or_insert(*line);
            }
        }
        for (place, edge) in items("edges") {
            let line = lines.paths.get(&format!("edges[{place}]"));
            if let (Some(from), Some((line, _))) = (text(edge, "from"), line) {
                lines.ways.entry((from, text(edge, "branch"))).or_insert(*line);
            }
        }
        lines
    }

    /// Returns the line of a field, by its path as issues have it: `nodes[2].text`.
    #[must_use]
    pub fn path(&self, path: &str) -> Option<u32> {
        self.paths.get(path).map(|(line, _)| *line)
    }

    /// Line and column of a field, by its path; of what it is missing from, if it is not there.
    /// None if the file is no JSON.
    #[must_use]
    pub fn position(&self, path: &str) -> Option<(u32, u32)> {
        around(path).find_map(|path| self.paths.get(path)).copied()
    }

    /// Looks up the positions of some fields, and of those around them, in a text that is JSON. It
    /// keeps no other, so that a hostile file is not blown up by its paths.
    pub(crate) fn of_paths<'p>(json: &str, paths: impl Iterator<Item = &'p str>) -> Self {
        let wanted = paths.flat_map(around).map(str::to_owned).gather();
        let mut scan =
            Scan { rest: json.as_bytes(), at: (1, 1), wanted: Some(wanted), paths: BTreeMap::new() };
        scan.value(&mut String::new());
        Self { paths: scan.paths, ..Self::default() }
    }

    /// Returns the line at which a node begins.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<u32> {
        self.nodes.get(id).copied()
    }

    /// Returns the line of the edge by which a branch of a node leads on.
    #[must_use]
    pub fn way(&self, from: &str, branch: &str) -> Option<u32> {
        let named = self.ways.get(&(from.to_owned(), Some(branch.to_owned())));
        let plain = || {
            self.ways.get(&(from.to_owned(), None)).filter(|_| matches!(branch, "next" | "replied" | "valid"))
        };
        named.or_else(plain).copied()
    }
}

/// A walk through a text that is JSON.
struct Scan<'t> {
    rest: &'t [u8],
    at: Position,
    /// The paths to keep; None: all.
    wanted: Option<BTreeSet<String>>,
    paths: BTreeMap<String, Position>,
}

/// A path and those of what it lies in, the innermost first.
fn around(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| {
        let path: &str = path;
        if path.is_empty() { None } else { path.get(..path.rfind(['.', '[']).unwrap_or_default()) }
    })
}

impl Scan<'_> {
    fn keep(&mut self, path: &str, at: Position) {
        if self.wanted.as_ref().is_none_or(|wanted| wanted.contains(path)) {
            self.paths.insert(path.to_owned(), at);
        }
    }

    fn take(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        let (line, column) = &mut self.at;
        match first {
            b'\n' => (*line, *column) = (*line + 1, 1),
            // The later bytes of a character.
            0x80..0xC0 => {}
            _ => *column += 1,
        }
        Some(*first)
    }

    /// The next character that is no blank, which is left where it is.
    fn peek(&mut self) -> Option<u8> {
        while self.rest.first().is_some_and(u8::is_ascii_whitespace) {
            self.take();
        }
        self.rest.first().copied()
    }

    /// A text in quotes, as it is written between them.
    fn text(&mut self) -> String {
        let mut text = Vec::new();
        self.take();
        while let Some(byte) = self.take().filter(|byte| *byte != b'"') {
            text.push(byte);
            if byte == b'\\' {
                text.extend(self.take());
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// A value, and all within it.
    fn value(&mut self, path: &mut String) {
        let first = self.peek();
        self.keep(path, self.at);
        match first {
            Some(b'{' | b'[') => self.items(path),
            Some(b'"') => _ = self.text(),
            _ => {
                while self.rest.first().is_some_and(|byte| !b",]} \t\r\n".contains(byte)) {
                    self.take();
                }
            }
        }
    }

    fn items(&mut self, path: &mut String) {
        let (is_object, length) = (self.take() == Some(b'{'), path.len());
        let mut place = 0;
        while let Some(next) = self.peek() {
            match next {
                b'}' | b']' => {
                    self.take();
                    return;
                }
                b',' => _ = self.take(),
                _ => {
                    let at = self.at;
                    if is_object {
                        let key = self.text();
                        path.push_str(if length == 0 { "" } else { "." });
                        path.push_str(&key);
                        self.peek();
                        self.take();
                    } else {
                        let _ = write!(path, "[{place}]");
                    }
                    self.value(path);
                    // A field begins at its name.
                    self.keep(path, at);
                    path.truncate(length);
                    place += 1;
                }
            }
        }
    }
}
