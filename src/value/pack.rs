//! From anything that serde reads to packed bytes in one pass, without a tree in between.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::codec::{self, tag};
use super::packer::{KeyAt, Packer};
use super::{PackError, PackLimits};

/// The key under which `serde_json` hands a number over when it keeps its digits
/// (`arbitrary_precision`, which any crate of a program may switch on).
const NUMBER: &str = "$serde_json::private::Number";

/// Packs one value with its tag, `depth` levels below the object that will hold it.
pub(super) fn value<'de, D: Deserializer<'de>>(
    from: D,
    limits: &PackLimits,
    depth: usize,
) -> Result<Box<str>, Refused<D::Error>> {
    let mut packer = Packer::below(depth, limits);
    let packed = PackValue { packer: &mut packer }.deserialize(from);
    finish(packer, packed)
}

/// Packs the entries of one object, without its tag.
pub(super) fn object<'de, D: Deserializer<'de>>(
    from: D,
    limits: &PackLimits,
) -> Result<Box<str>, Refused<D::Error>> {
    let mut packer = Packer::below(0, limits);
    let packed = from.deserialize_any(Object { packer: &mut packer });
    finish(packer, packed)
}

/// Packs JSON text as a value, or as the whole object.
pub(super) fn text(packer: &mut Packer, json: &str, is_whole: bool) -> Result<(), PackError> {
    let mut from = serde_json::Deserializer::from_str(json);
    let packed = if is_whole {
        from.deserialize_any(Object { packer: &mut *packer })
    } else {
        PackValue { packer: &mut *packer }.deserialize(&mut from)
    };
    let refused = |error| packer.fault.take().unwrap_or_else(|| Refused::Format(error).into());
    packed.and_then(|()| from.end()).map_err(refused)
}

/// A rule that was broken, or text that is not what its format asks for.
pub(super) enum Refused<E> {
    Rule(PackError),
    Format(E),
}

impl From<Refused<serde_json::Error>> for PackError {
    fn from(refused: Refused<serde_json::Error>) -> Self {
        match refused {
            Refused::Rule(fault) => fault,
            Refused::Format(error) => Self::NotJson { line: error.line(), column: error.column() },
        }
    }
}

impl<E: Error> Refused<E> {
    pub(super) fn into_serde(self) -> E {
        match self {
            Self::Rule(fault) => E::custom(fault),
            Self::Format(error) => error,
        }
    }
}

fn finish<E>(mut packer: Packer, packed: Result<(), E>) -> Result<Box<str>, Refused<E>> {
    match packed {
        Ok(()) => packer.finish().map_err(Refused::Rule),
        Err(error) => Err(packer.fault.take().map_or(Refused::Format(error), Refused::Rule)),
    }
}

/// Keeps the fault in the packer and gives serde a mere sign of it.
#[inline]
fn told<T, E: Error>(packer: &mut Packer, written: Result<T, PackError>) -> Result<T, E> {
    written.map_err(|fault| {
        packer.fault = Some(fault);
        E::custom("refused")
    })
}

/// Packs whatever value comes.
struct PackValue<'p> {
    packer: &'p mut Packer,
}

impl<'de> DeserializeSeed<'de> for PackValue<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PackValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        let written = self.packer.tag(tag::NULL);
        told(self.packer, written)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.deserialize(from)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.deserialize(from)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        let written = self.packer.tag(if value { tag::TRUE } else { tag::FALSE });
        told(self.packer, written)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        let written = self.packer.number(tag::INT, codec::zigzag(value));
        told(self.packer, written)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        if let Ok(value) = i64::try_from(value) {
            return self.visit_i64(value);
        }
        let written = self.packer.number(tag::UINT, value);
        told(self.packer, written)
    }

    /// Anything that is not finite is `null`, as `serde_json` has it.
    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if !value.is_finite() {
            return self.visit_unit();
        }
        let written = self.packer.number(tag::FLOAT, value.to_bits());
        told(self.packer, written)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        let written = self.packer.string(value);
        told(self.packer, written)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let packer = self.packer;
        let written = packer.open().and_then(|()| packer.tag(tag::ARRAY));
        told(packer, written)?;
        let start = packer.position();
        let mut index: usize = 0;
        loop {
            match seq.next_element_seed(PackValue { packer: &mut *packer }) {
                Ok(Some(())) => index = index.saturating_add(1),
                Ok(None) => break,
                Err(error) => {
                    packer.blame_index(index);
                    return Err(error);
                }
            }
        }
        let written = packer.close(start);
        told(packer, written)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let packer = self.packer;
        let before = packer.position();
        let written = packer.tag(tag::OBJECT);
        told(packer, written)?;
        let start = packer.position();
        let first = map.next_key_seed(PackKey { packer: &mut *packer })?;
        if first.is_some_and(|key| packer.key_bytes(key) == NUMBER.as_bytes()) && keeps_digits() {
            packer.go_back(before);
            return PackValue { packer }.visit_digits(&map.next_value::<String>()?);
        }
        let written = packer.open();
        told(packer, written)?;
        entries(packer, start, first, map)?;
        let written = packer.close(start);
        told(packer, written)
    }
}

impl PackValue<'_> {
    fn visit_digits<E: Error>(self, digits: &str) -> Result<(), E> {
        if let Ok(value) = digits.parse() {
            return self.visit_i64(value);
        }
        if let Ok(value) = digits.parse() {
            return self.visit_u64(value);
        }
        match digits.parse::<f64>() {
            Ok(value) if value.is_finite() => self.visit_f64(value),
            _ => Err(E::custom("number out of range")),
        }
    }
}

/// True if `serde_json` was built with `arbitrary_precision`.
fn keeps_digits() -> bool {
    "1.00".parse::<serde_json::Number>().is_ok_and(|number| number.to_string() == "1.00")
}

/// Packs the entries of an object whose first key is packed already, and sorts them.
fn entries<'de, A: MapAccess<'de>>(
    packer: &mut Packer,
    start: usize,
    first: Option<KeyAt>,
    mut map: A,
) -> Result<(), A::Error> {
    let mut next = first;
    let mut sorted = true;
    while let Some(key) = next {
        if let Err(error) = map.next_value_seed(PackValue { packer: &mut *packer }) {
            packer.blame_key(key);
            return Err(error);
        }
        next = map.next_key_seed(PackKey { packer: &mut *packer })?;
        sorted &= next.is_none_or(|next| packer.key_bytes(key) < packer.key_bytes(next));
    }
    if sorted {
        return Ok(());
    }
    let written = packer.sort(start);
    told(packer, written)
}

/// Packs an object's entries; anything else is a fault.
struct Object<'p> {
    packer: &'p mut Packer,
}

impl Object<'_> {
    fn refuse<E: Error>(self) -> Result<(), E> {
        told(self.packer, Err(PackError::NotAnObject))
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let packer = self.packer;
        let written = packer.open();
        told(packer, written)?;
        let first = map.next_key_seed(PackKey { packer: &mut *packer })?;
        if first.is_some_and(|key| packer.key_bytes(key) == NUMBER.as_bytes()) && keeps_digits() {
            return Object { packer }.refuse();
        }
        entries(packer, 0, first, map)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.refuse()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.refuse()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.refuse()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.refuse()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.refuse()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.refuse()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        self.refuse()
    }
}

/// Packs a key.
struct PackKey<'p> {
    packer: &'p mut Packer,
}

impl<'de> DeserializeSeed<'de> for PackKey<'_> {
    type Value = KeyAt;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<KeyAt, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for PackKey<'_> {
    type Value = KeyAt;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<KeyAt, E> {
        let written = self.packer.key(key);
        told(self.packer, written)
    }
}
