//! From anything that serde writes to packed bytes, without text in between. It gives what packing
//! its JSON would.

use std::fmt;

use serde::ser::{Error, Serialize, Serializer};

use super::codec::{self, tag};
use super::compound::{Compound, CompoundKind};
use super::packer::Packer;
use super::{PackError, PackLimits};

/// Packs one value with its tag, `depth` levels below the object that will hold it.
pub(super) fn value(from: impl Serialize, limits: &PackLimits, depth: usize) -> Result<Box<str>, PackError> {
    let mut packer = Packer::below(depth, limits);
    from.serialize(Value { packer: &mut packer, is_whole: false }).map_err(|stop| stop.0)?;
    packer.finish()
}

/// Packs the entries of one object, without its tag.
pub(super) fn object(from: impl Serialize, limits: &PackLimits) -> Result<Box<str>, PackError> {
    let mut packer = Packer::below(0, limits);
    from.serialize(Value { packer: &mut packer, is_whole: true }).map_err(|stop| stop.0)?;
    packer.finish()
}

/// The reason nothing more is written.
#[derive(Debug)]
pub(super) struct WriteError(pub(super) PackError);

impl WriteError {
    pub(super) const NOT_JSON: Self = Self(PackError::NotJson { line: 0, column: 0 });
}

impl From<PackError> for WriteError {
    fn from(fault: PackError) -> Self {
        Self(fault)
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for WriteError {}

impl Error for WriteError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::NOT_JSON
    }
}

/// Packs whatever value comes.
pub(super) struct Value<'p> {
    pub(super) packer: &'p mut Packer,
    /// It is to be an object, and is written without its tag.
    pub(super) is_whole: bool,
}

impl<'p> Value<'p> {
    /// Where a value that is no object is written.
    #[inline]
    fn inner(self) -> Result<&'p mut Packer, WriteError> {
        if self.is_whole { Err(WriteError(PackError::NotAnObject)) } else { Ok(self.packer) }
    }

    fn tag(self, tag: u8) -> Result<(), WriteError> {
        Ok(self.inner()?.tag(tag)?)
    }

    /// The object of one entry that names a variant, opened.
    fn variant(self, variant: &'static str) -> Result<Compound<'p>, WriteError> {
        let mut object = Compound::object(self)?;
        object.key(variant)?;
        Ok(object)
    }
}

impl<'p> Serializer for Value<'p> {
    type Ok = ();
    type Error = WriteError;
    type SerializeSeq = Compound<'p>;
    type SerializeTuple = Compound<'p>;
    type SerializeTupleStruct = Compound<'p>;
    type SerializeTupleVariant = Compound<'p>;
    type SerializeMap = Compound<'p>;
    type SerializeStruct = Compound<'p>;
    type SerializeStructVariant = Compound<'p>;

    fn serialize_bool(self, value: bool) -> Result<(), WriteError> {
        self.tag(if value { tag::TRUE } else { tag::FALSE })
    }

    fn serialize_i8(self, value: i8) -> Result<(), WriteError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), WriteError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), WriteError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), WriteError> {
        Ok(self.inner()?.number(tag::INT, codec::zigzag(value))?)
    }

    fn serialize_i128(self, value: i128) -> Result<(), WriteError> {
        match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => self.serialize_i64(value),
            (_, Ok(value)) => self.serialize_u64(value),
            _ => self.serialize_f64(value as f64),
        }
    }

    fn serialize_u8(self, value: u8) -> Result<(), WriteError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), WriteError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), WriteError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), WriteError> {
        match i64::try_from(value) {
            Ok(value) => self.serialize_i64(value),
            Err(_) => Ok(self.inner()?.number(tag::UINT, value)?),
        }
    }

    fn serialize_u128(self, value: u128) -> Result<(), WriteError> {
        match u64::try_from(value) {
            Ok(value) => self.serialize_u64(value),
            Err(_) => self.serialize_f64(value as f64),
        }
    }

    /// With the digits that JSON would show: `0.1` stays `0.1`.
    fn serialize_f32(self, value: f32) -> Result<(), WriteError> {
        self.serialize_f64(value.to_string().parse().unwrap_or(f64::from(value)))
    }

    /// Anything that is not finite is `null`, as `serde_json` has it.
    fn serialize_f64(self, value: f64) -> Result<(), WriteError> {
        if !value.is_finite() {
            return self.tag(tag::NULL);
        }
        Ok(self.inner()?.number(tag::FLOAT, value.to_bits())?)
    }

    fn serialize_char(self, value: char) -> Result<(), WriteError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), WriteError> {
        Ok(self.inner()?.string(value)?)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), WriteError> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<(), WriteError> {
        self.tag(tag::NULL)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), WriteError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), WriteError> {
        self.tag(tag::NULL)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), WriteError> {
        self.tag(tag::NULL)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), WriteError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        let mut object = self.variant(variant)?;
        object.value(value)?;
        object.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'p>, WriteError> {
        Compound::open(self.inner()?, CompoundKind::Array)
    }

    fn serialize_tuple(self, _: usize) -> Result<Compound<'p>, WriteError> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Compound<'p>, WriteError> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'p>, WriteError> {
        self.variant(variant)?.inside(CompoundKind::Array)
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'p>, WriteError> {
        Compound::object(self)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'p>, WriteError> {
        Compound::of_struct(self, name)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'p>, WriteError> {
        self.variant(variant)?.inside(CompoundKind::Object)
    }
}
