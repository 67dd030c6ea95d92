//! Values to bytes.

use std::fmt::Write;

use serde::Serialize;
use serde::ser::{
    Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::text::{Shape, shape};
use super::{
    CompactError, DEPTH, END, FALSE, FLOAT, HEX, KNOWN, KnownTexts, LIST, LONG_LIST, LONG_MAP, LONG_TEXT,
    MAP, NEGATIVE, NULL, NUMBER, OPEN_LIST, OPEN_MAP, PHONE, SMALL, TEXT, TIME, TRUE, UUID, UUID_AND, WORD,
    words,
};

/// Writes a value behind what is there.
pub(in crate::session) fn to_writer<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    value: &T,
) -> Result<(), CompactError> {
    let mut writer =
        Writer { out, known: KnownTexts::default(), last_time: 0, scratch: String::new(), depth: 0 };
    value.serialize(&mut writer)
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    known: KnownTexts,
    last_time: i64,
    scratch: String,
    depth: u32,
}

impl Writer<'_> {
    fn number(&mut self, mut number: u64) {
        while let Some(more) = Some(number >> 7).filter(|more| *more > 0) {
            self.out.push(number.to_le_bytes()[0] | 0x80);
            number = more;
        }
        self.out.push(number.to_le_bytes()[0]);
    }

    fn counted(&mut self, tag: u8, count: usize) {
        self.out.push(tag);
        self.number(count as u64);
    }

    /// A head whose count is in its byte where that has room for it.
    fn head(&mut self, (short, room): (u8, u8), long: u8, count: usize) {
        match u8::try_from(count) {
            Ok(count) if count < room => self.out.push(short + count),
            _ => self.counted(long, count),
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(number) = words::number(text) {
            match u8::try_from(number) {
                Ok(number) if number < SMALL => self.out.push(number),
                _ => self.out.extend_from_slice(&[WORD, (number - usize::from(SMALL)).to_le_bytes()[0]]),
            }
            return;
        }
        let shape = shape(text);
        if let Shape::Time(at) = shape {
            let ahead = at.wrapping_sub(self.last_time);
            self.out.push(TIME);
            self.number(((ahead << 1) ^ (ahead >> 63)).cast_unsigned());
            self.last_time = at;
            return;
        }
        if let Some(number) = self.known.find(text) {
            return self.counted(KNOWN, number);
        }
        self.known.keep(text);
        match shape {
            Shape::Uuid(id, rest) => {
                self.out.push(if rest == 0 { UUID } else { UUID_AND });
                self.out.extend_from_slice(&id);
                if rest > 0 {
                    self.plain(text.split_at(text.len() - rest).1);
                }
            }
            Shape::Hex(digits) => {
                self.out.push(HEX);
                self.out.extend_from_slice(&digits);
            }
            Shape::Phone(number) => {
                self.out.push(PHONE);
                self.number(number);
            }
            Shape::Time(_) | Shape::Plain => self.plain(text),
        }
    }

    fn plain(&mut self, text: &str) {
        self.head((TEXT, LIST - TEXT), LONG_TEXT, text.len());
        self.out.extend_from_slice(text.as_bytes());
    }

    fn list(&mut self, count: Option<usize>) -> Result<(), CompactError> {
        match count {
            Some(count) => self.head((LIST, MAP - LIST), LONG_LIST, count),
            None => self.out.push(OPEN_LIST),
        }
        self.enter()
    }

    fn map(&mut self, count: Option<usize>) -> Result<(), CompactError> {
        match count {
            Some(count) => self.head((MAP, NULL - MAP), LONG_MAP, count),
            None => self.out.push(OPEN_MAP),
        }
        self.enter()
    }

    fn enter(&mut self) -> Result<(), CompactError> {
        self.depth += 1;
        if self.depth > DEPTH { Err(CompactError::new("it is nested too deep")) } else { Ok(()) }
    }
}

/// A list or a map that is being written.
struct Open<'a, 'w> {
    writer: &'a mut Writer<'w>,
    /// Values that are still to come; None: nobody knows.
    left: Option<usize>,
    /// True inside a map that an enum is written as.
    is_wrapped: bool,
}

impl<'a, 'w> Open<'a, 'w> {
    fn new(writer: &'a mut Writer<'w>, left: Option<usize>) -> Self {
        Self { writer, left, is_wrapped: false }
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CompactError> {
        if let Some(left) = &mut self.left {
            *left =
                left.checked_sub(1).ok_or_else(|| CompactError::new("it has more values than it said"))?;
        }
        value.serialize(&mut *self.writer)
    }

    fn finish(self) -> Result<(), CompactError> {
        match self.left {
            None => self.writer.out.push(END),
            Some(0) => {}
            Some(_) => return Err(CompactError::new("it has fewer values than it said")),
        }
        self.writer.depth -= 1 + u32::from(self.is_wrapped);
        Ok(())
    }
}

impl<'a, 'w> Serializer for &'a mut Writer<'w> {
    type Ok = ();
    type Error = CompactError;
    type SerializeSeq = Open<'a, 'w>;
    type SerializeTuple = Open<'a, 'w>;
    type SerializeTupleStruct = Open<'a, 'w>;
    type SerializeTupleVariant = Open<'a, 'w>;
    type SerializeMap = Open<'a, 'w>;
    type SerializeStruct = Open<'a, 'w>;
    type SerializeStructVariant = Open<'a, 'w>;

    fn serialize_bool(self, value: bool) -> Result<(), CompactError> {
        self.out.push(if value { TRUE } else { FALSE });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), CompactError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), CompactError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), CompactError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), CompactError> {
        match u64::try_from(value) {
            Ok(value) => self.serialize_u64(value),
            Err(_) => {
                self.out.push(NEGATIVE);
                self.number((!value).cast_unsigned());
                Ok(())
            }
        }
    }

    fn serialize_u8(self, value: u8) -> Result<(), CompactError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), CompactError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), CompactError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), CompactError> {
        match u8::try_from(value) {
            Ok(value) if value < TEXT - SMALL => self.out.push(SMALL + value),
            _ => {
                self.out.push(NUMBER);
                self.number(value);
            }
        }
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), CompactError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), CompactError> {
        if !value.is_finite() {
            return self.serialize_unit();
        }
        self.out.push(FLOAT);
        self.out.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), CompactError> {
        self.text(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), CompactError> {
        self.text(value);
        Ok(())
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<(), CompactError> {
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        write!(text, "{value}").map_err(CompactError::custom)?;
        self.text(&text);
        self.scratch = text;
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), CompactError> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), CompactError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CompactError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), CompactError> {
        self.out.push(NULL);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), CompactError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), CompactError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), CompactError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), CompactError> {
        self.map(Some(1))?;
        self.text(variant);
        value.serialize(&mut *self)?;
        self.depth -= 1;
        Ok(())
    }

    fn serialize_seq(self, count: Option<usize>) -> Result<Open<'a, 'w>, CompactError> {
        self.list(count)?;
        Ok(Open::new(self, count))
    }

    fn serialize_tuple(self, count: usize) -> Result<Open<'a, 'w>, CompactError> {
        self.serialize_seq(Some(count))
    }

    fn serialize_tuple_struct(self, _name: &'static str, count: usize) -> Result<Open<'a, 'w>, CompactError> {
        self.serialize_seq(Some(count))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        count: usize,
    ) -> Result<Open<'a, 'w>, CompactError> {
        self.map(Some(1))?;
        self.text(variant);
        self.list(Some(count))?;
        Ok(Open { writer: self, left: Some(count), is_wrapped: true })
    }

    fn serialize_map(self, count: Option<usize>) -> Result<Open<'a, 'w>, CompactError> {
        self.map(count)?;
        Ok(Open::new(self, count))
    }

    fn serialize_struct(self, _name: &'static str, count: usize) -> Result<Open<'a, 'w>, CompactError> {
        self.serialize_map(Some(count))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        count: usize,
    ) -> Result<Open<'a, 'w>, CompactError> {
        self.map(Some(1))?;
        self.text(variant);
        self.map(Some(count))?;
        Ok(Open { writer: self, left: Some(count), is_wrapped: true })
    }
}

/// A list by each of the traits that serde has for one.
macro_rules! lists {
    ($($list:ident $write:ident),*) => { $(
        impl $list for Open<'_, '_> {
            type Ok = ();
            type Error = CompactError;

            fn $write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CompactError> {
                self.value(value)
            }

            fn end(self) -> Result<(), CompactError> {
                self.finish()
            }
        }
    )* };
}

lists!(SerializeSeq serialize_element, SerializeTuple serialize_element);
lists!(SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field);

/// A map by each of the traits whose keys are known.
macro_rules! maps {
    ($($map:ident),*) => { $(
        impl $map for Open<'_, '_> {
            type Ok = ();
            type Error = CompactError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), CompactError> {
                self.writer.text(key);
                self.value(value)
            }

            fn end(self) -> Result<(), CompactError> {
                self.finish()
            }
        }
    )* };
}

maps!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Open<'_, '_> {
    type Ok = ();
    type Error = CompactError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CompactError> {
        let begin = self.writer.out.len();
        key.serialize(&mut *self.writer)?;
        match self.writer.out.get(begin).copied() {
            Some(..SMALL | TEXT..LIST | LONG_TEXT | WORD..) => Ok(()),
            _ => Err(CompactError::new("a key must be a text")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CompactError> {
        self.value(value)
    }

    fn end(self) -> Result<(), CompactError> {
        self.finish()
    }
}
