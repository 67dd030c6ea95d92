//! Stand-in.
#![allow(missing_docs)]
use serde::{Deserialize, Serialize};
use serde_json::Value;
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bag(serde_json::Map<String, Value>);
pub struct Caps;
#[derive(Debug, thiserror::Error)]
#[error("bad")]
pub struct PackError;
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Packed(Value);
pub struct Node<'a>(&'a Value);
impl Node<'_> {
    pub fn to_json(&self) -> Value {
        self.0.clone()
    }
}
impl Caps {
    pub fn of(_: &crate::Limits) -> Self {
        Caps
    }
}
impl Bag {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn iter(&self) -> impl Iterator<Item = (&str, Node<'_>)> {
        self.0.iter().map(|(k, v)| (k.as_str(), Node(v)))
    }
    pub fn from_json(v: &Value, _: &Caps) -> Result<Bag, PackError> {
        v.as_object().cloned().map(Bag).ok_or(PackError)
    }
}
