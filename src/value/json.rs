//! Packed values as plain JSON, outward and inward. Inward holds the default limits, since what is
//! read may be anybody's.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::node::NodeRepr;
use super::{Node, PackLimits, Packed, PackedMap, pack};
use crate::gather::Gather;

impl Node<'_> {
    /// Returns the value as a JSON tree.
    #[must_use]
    pub fn to_json(self) -> Value {
        match self.0 {
            NodeRepr::Null => Value::Null,
            NodeRepr::Bool(value) => Value::Bool(value),
            NodeRepr::Int(value) => Value::from(value),
            NodeRepr::UInt(value) => Value::from(value),
            NodeRepr::Float(value) => Value::from(value),
            NodeRepr::Str(text) => Value::from(text),
            NodeRepr::Array(_) => self.items().map(Node::to_json).collect(),
            NodeRepr::Object(_) => {
                Value::Object(self.entries().map(|(key, value)| (key.to_owned(), value.to_json())).gather())
            }
        }
    }
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            NodeRepr::Null => serializer.serialize_unit(),
            NodeRepr::Bool(value) => serializer.serialize_bool(value),
            NodeRepr::Int(value) => serializer.serialize_i64(value),
            NodeRepr::UInt(value) => serializer.serialize_u64(value),
            NodeRepr::Float(value) => serializer.serialize_f64(value),
            NodeRepr::Str(text) => serializer.serialize_str(text),
            NodeRepr::Array(_) => serializer.collect_seq(self.items()),
            NodeRepr::Object(_) => serializer.collect_map(self.entries()),
        }
    }
}

impl Serialize for PackedMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_node().serialize(serializer)
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_node().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PackedMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        pack::object(deserializer, &PackLimits::default()).map(Self).map_err(pack::Refused::into_serde)
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        pack::value(deserializer, &PackLimits::default(), 0).map(Self).map_err(pack::Refused::into_serde)
    }
}
