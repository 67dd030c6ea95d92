//! Places in the JSON of a flow: `nodes[2].branches[0].when`.
//! A chain of borrowed steps, written out only when an issue is found.

use std::fmt;

/// A place in a JSON document, from its root.
#[derive(Clone, Copy)]
pub(crate) enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl Path<'_> {
    pub(crate) fn key<'b>(&'b self, key: &'b str) -> Path<'b> {
        Path::Key(self, key)
    }

    pub(crate) fn item(&self, index: usize) -> Path<'_> {
        Path::Item(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Key(parent, key) => {
                parent.fmt(f)?;
                if !is_plain(key) {
                    return write!(f, "[{:?}]", brief(key));
                }
                let dot = if matches!(parent, Path::Root) { "" } else { "." };
                write!(f, "{dot}{key}")
            }
            Path::Item(parent, index) => {
                parent.fmt(f)?;
                write!(f, "[{index}]")
            }
        }
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= LONGEST
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

const LONGEST: usize = 64;

/// An author's words as an issue quotes them: cut, so that a hostile file cannot inflate its
/// issues.
pub(crate) fn brief(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
