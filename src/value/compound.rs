//! Arrays and objects while serde writes them.

use std::borrow::Cow;
use std::fmt::{self, Write};

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::codec::tag;
use super::packer::{KeyAt, Packer};
use super::write::{Value, WriteError};
use super::{PackError, pack};

/// The names of the structs in which `serde_json` hands over JSON that is text already: numbers
/// that keep their digits (`arbitrary_precision`), values that keep their form (`raw_value`).
const JSON_TEXT: &str = "$serde_json::private::";

/// An array or an object that is being written.
pub(super) struct Compound<'p> {
    packer: &'p mut Packer,
    kind: CompoundKind,
    /// Where its body starts.
    start: usize,
    /// The last key of an object.
    last: Option<KeyAt>,
    is_sorted: bool,
    items: usize,
    /// The object of one entry that names the variant which this is.
    outer: Option<Outer>,
}

struct Outer {
    kind: CompoundKind,
    start: usize,
    key: Option<KeyAt>,
}

#[derive(Clone, Copy)]
pub(super) enum CompoundKind {
    Array,
    Object,
    /// The object that is packed without its tag.
    Whole,
    /// JSON text, the one field of a struct; whether it must be the whole.
    Text(bool),
}

impl<'p> Compound<'p> {
    #[inline]
    pub(super) fn open(packer: &'p mut Packer, kind: CompoundKind) -> Result<Self, WriteError> {
        let start = begin(packer, kind)?;
        Ok(Self { packer, kind, start, last: None, is_sorted: true, items: 0, outer: None })
    }

    #[inline]
    pub(super) fn object(at: Value<'p>) -> Result<Self, WriteError> {
        Self::open(at.packer, if at.is_whole { CompoundKind::Whole } else { CompoundKind::Object })
    }

    pub(super) fn of_struct(at: Value<'p>, name: &str) -> Result<Self, WriteError> {
        if !name.starts_with(JSON_TEXT) {
            return Self::object(at);
        }
        Self::open(at.packer, CompoundKind::Text(at.is_whole))
    }

    /// The content of a variant, whose name was the last key.
    pub(super) fn inside(mut self, kind: CompoundKind) -> Result<Self, WriteError> {
        let outer = Some(Outer { kind: self.kind, start: self.start, key: self.last });
        match begin(self.packer, kind) {
            Ok(start) => Ok(Self { kind, start, last: None, outer, ..self }),
            Err(fault) => Err(self.blame(WriteError(fault))),
        }
    }

    #[inline]
    pub(super) fn key(&mut self, key: &str) -> Result<(), WriteError> {
        let key = self.packer.key(key)?;
        self.note(key);
        Ok(())
    }

    #[inline]
    fn note(&mut self, key: KeyAt) {
        let follows = |last| self.packer.key_bytes(last) < self.packer.key_bytes(key);
        self.is_sorted &= self.last.is_none_or(follows);
        self.last = Some(key);
    }

    #[inline]
    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        let written = match self.kind {
            CompoundKind::Text(is_whole) => match serde_json::to_value(value) {
                Ok(serde_json::Value::String(text)) => {
                    pack::text(self.packer, &text, is_whole).map_err(WriteError)
                }
                _ => Err(WriteError::NOT_JSON),
            },
            _ => value.serialize(Value { packer: &mut *self.packer, is_whole: false }),
        };
        written.map_err(|stop| self.blame(stop))?;
        self.items = self.items.saturating_add(1);
        Ok(())
    }

    /// Says where in this a fault lies.
    #[cold]
    fn blame(&mut self, WriteError(fault): WriteError) -> WriteError {
        self.packer.fault = Some(fault);
        match (self.kind, self.last) {
            (CompoundKind::Array, _) => self.packer.blame_index(self.items),
            (_, Some(key)) => self.packer.blame_key(key),
            _ => {}
        }
        if let Some(Outer { key: Some(key), .. }) = self.outer {
            self.packer.blame_key(key);
        }
        self.packer.fault.take().map_or(WriteError::NOT_JSON, WriteError)
    }

    pub(super) fn close(self) -> Result<(), WriteError> {
        if !self.is_sorted {
            self.packer.sort(self.start)?;
        }
        let outer = self.outer.map(|outer| (outer.kind, outer.start));
        for (kind, start) in [Some((self.kind, self.start)), outer].into_iter().flatten() {
            if matches!(kind, CompoundKind::Array | CompoundKind::Object) {
                self.packer.close(start)?;
            }
        }
        Ok(())
    }
}

/// Writes what comes before a body; answers where it starts.
#[inline]
fn begin(packer: &mut Packer, kind: CompoundKind) -> Result<usize, PackError> {
    match kind {
        CompoundKind::Array => packer.open().and_then(|()| packer.tag(tag::ARRAY))?,
        CompoundKind::Object => packer.open().and_then(|()| packer.tag(tag::OBJECT))?,
        CompoundKind::Whole => packer.open()?,
        CompoundKind::Text(_) => {}
    }
    Ok(packer.position())
}

/// A key while it is printed: mostly in one piece.
struct PrintedKey<'p> {
    packer: &'p mut Packer,
    start: usize,
    written: Option<KeyAt>,
    fault: Option<PackError>,
}

impl fmt::Write for PrintedKey<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let mut key = Cow::Borrowed(piece);
        if let Some(before) = self.written {
            let mut whole = String::from_utf8_lossy(self.packer.key_bytes(before)).into_owned();
            whole.push_str(piece);
            key = Cow::Owned(whole);
            self.packer.go_back(self.start);
        }
        match self.packer.key(&key) {
            Ok(written) => self.written = Some(written),
            Err(fault) => self.fault = Some(fault),
        }
        if self.fault.is_some() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// Numbers and variants are keys as they print, as `serde_json` has it.
struct Printed<'k, T: ?Sized>(&'k T);

impl<T: Serialize + ?Sized> fmt::Display for Printed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

impl SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), WriteError> {
        let start = self.packer.position();
        let mut out = PrintedKey { packer: &mut *self.packer, start, written: None, fault: None };
        let printed = write!(out, "{}", Printed(key));
        match (printed, out.written, out.fault) {
            (Ok(()), Some(key), None) => self.note(key),
            (Ok(()), None, None) => self.key("")?,
            (_, _, fault) => return Err(fault.map_or(WriteError::NOT_JSON, WriteError)),
        }
        Ok(())
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.value(value)
    }

    #[inline]
    fn end(self) -> Result<(), WriteError> {
        self.close()
    }
}

/// The traits of serde that only add items.
macro_rules! items {
    ($($writes:ident :: $method:ident),*) => {
        $(impl $writes for Compound<'_> {
            type Ok = ();
            type Error = WriteError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
                self.value(value)
            }

            fn end(self) -> Result<(), WriteError> {
                self.close()
            }
        })*
    };
}

items!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// The traits of serde that add fields.
macro_rules! fields {
    ($($writes:ident),*) => {
        $(impl $writes for Compound<'_> {
            type Ok = ();
            type Error = WriteError;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), WriteError> {
                if !matches!(self.kind, CompoundKind::Text(_)) {
                    self.key(key)?;
                }
                self.value(value)
            }

            fn end(self) -> Result<(), WriteError> {
                self.close()
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);
