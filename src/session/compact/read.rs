//! Bytes to values. The bytes may be damaged: nothing is believed of a count until the values are
//! there.

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::text::{write_hex, write_phone, write_time, write_uuid};
use super::{
    CompactError, DEPTH, END, FALSE, FLOAT, HEX, KNOWN, KnownTexts, LIST, LONG_LIST, LONG_MAP, LONG_TEXT,
    MAP, NEGATIVE, NULL, NUMBER, OPEN_LIST, OPEN_MAP, PHONE, SMALL, TEXT, TIME, TRUE, UUID, UUID_AND, WORD,
    words,
};

/// Texts that are there by their numbers come to so many bytes, at most.
const MOST_REPEATED: usize = 64 << 20;

/// Reads one value, which is all of the bytes.
pub(in crate::session) fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, CompactError> {
    let mut reader = Reader {
        rest: bytes,
        known: KnownTexts::default(),
        last_time: 0,
        scratch: String::new(),
        depth: 0,
        repeated: 0,
    };
    let value = T::deserialize(&mut reader)?;
    if reader.rest.is_empty() { Ok(value) } else { Err(CompactError::new("something is behind the record")) }
}

struct Reader<'de> {
    rest: &'de [u8],
    known: KnownTexts,
    last_time: i64,
    /// The text that was read last, unless it lies in the bytes.
    scratch: String,
    depth: u32,
    repeated: usize,
}

/// A text that was read.
enum ReadText<'de> {
    Here(&'de str),
    InScratch,
}

impl<'de> Reader<'de> {
    fn ended() -> CompactError {
        CompactError::new("it ends too early")
    }

    fn byte(&mut self) -> Result<u8, CompactError> {
        let (byte, rest) = self.rest.split_first().ok_or_else(Self::ended)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn bytes(&mut self, count: usize) -> Result<&'de [u8], CompactError> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(Self::ended)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], CompactError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(Self::ended)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn number(&mut self) -> Result<u64, CompactError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                break;
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(CompactError::new("a number is too large"))
    }

    fn count(&mut self) -> Result<usize, CompactError> {
        usize::try_from(self.number()?).map_err(|_| Self::ended())
    }

    fn plain(&mut self, count: usize) -> Result<&'de str, CompactError> {
        std::str::from_utf8(self.bytes(count)?).map_err(|_| CompactError::new("a text is not UTF-8"))
    }

    fn plain_text(&mut self) -> Result<&'de str, CompactError> {
        match self.byte()? {
            tag @ TEXT..LIST => self.plain((tag - TEXT).into()),
            LONG_TEXT => {
                let count = self.count()?;
                self.plain(count)
            }
            _ => Err(CompactError::new("a text is to follow")),
        }
    }

    /// The text that begins with this byte; None: it is no text.
    fn text(&mut self, tag: u8) -> Result<Option<ReadText<'de>>, CompactError> {
        let word = |number: usize| {
            words::word(number)
                .ok_or_else(|| CompactError::new("a word has a number that this release lacks"))
        };
        let plain = match tag {
            ..SMALL => return word(tag.into()).map(ReadText::Here).map(Some),
            WORD => {
                let number = usize::from(self.byte()?) + usize::from(SMALL);
                return word(number).map(ReadText::Here).map(Some);
            }
            TEXT..LIST => self.plain((tag - TEXT).into())?,
            LONG_TEXT => {
                let count = self.count()?;
                self.plain(count)?
            }
            TIME..=PHONE | KNOWN => {
                self.made_text(tag)?;
                return Ok(Some(ReadText::InScratch));
            }
            _ => return Ok(None),
        };
        self.known.keep(plain);
        Ok(Some(ReadText::Here(plain)))
    }

    /// Writes a text out that is there as a number.
    fn made_text(&mut self, tag: u8) -> Result<(), CompactError> {
        self.scratch.clear();
        match tag {
            KNOWN => {
                let number = self.count()?;
                let text =
                    self.known.get(number).ok_or_else(|| CompactError::new("no text has this number"))?;
                self.repeated += text.len();
                if self.repeated > MOST_REPEATED {
                    return Err(CompactError::new("texts repeat too often"));
                }
                self.scratch.push_str(text);
                return Ok(());
            }
            TIME => {
                let ahead = self.number()?;
                let ahead = (ahead >> 1).cast_signed() ^ -(ahead & 1).cast_signed();
                self.last_time = self.last_time.wrapping_add(ahead);
                return write_time(&mut self.scratch, self.last_time)
                    .ok_or_else(|| CompactError::new("a time is out of range"));
            }
            UUID | UUID_AND => {
                let id = self.fixed()?;
                write_uuid(&mut self.scratch, id);
                if tag == UUID_AND {
                    let rest = self.plain_text()?;
                    self.scratch.push_str(rest);
                }
            }
            HEX => {
                let digits = self.fixed()?;
                write_hex(&mut self.scratch, digits);
            }
            _ => {
                let number = self.number()?;
                write_phone(&mut self.scratch, number);
            }
        }
        self.known.keep(&self.scratch);
        Ok(())
    }

    fn enter(&mut self) -> Result<(), CompactError> {
        self.depth += 1;
        if self.depth > DEPTH { Err(CompactError::new("it is nested too deep")) } else { Ok(()) }
    }

    /// The count of a list or map that begins with this byte; None: up to its end.
    fn length(&mut self, tag: u8) -> Result<Option<usize>, CompactError> {
        Ok(match tag {
            LIST..MAP => Some((tag - LIST).into()),
            MAP..NULL => Some((tag - MAP).into()),
            LONG_LIST | LONG_MAP => Some(self.count()?),
            _ => None,
        })
    }

    /// Reads what belongs to a list or map of so many values.
    fn within<R>(
        &mut self,
        left: Option<usize>,
        read: impl FnOnce(&mut ListItems<'_, 'de>) -> Result<R, CompactError>,
    ) -> Result<R, CompactError> {
        self.enter()?;
        let mut items = ListItems { reader: self, left };
        let value = read(&mut items)?;
        if items.has_more()? {
            return Err(CompactError::new("it has more values than are asked for"));
        }
        if left.is_none() {
            self.byte()?;
        }
        self.depth -= 1;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = CompactError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CompactError> {
        let tag = self.byte()?;
        match tag {
            SMALL..TEXT => visitor.visit_u64((tag - SMALL).into()),
            NUMBER => visitor.visit_u64(self.number()?),
            NEGATIVE => match i64::try_from(self.number()?) {
                Ok(number) => visitor.visit_i64(!number),
                Err(_) => Err(CompactError::new("a number is too large")),
            },
            FLOAT => visitor.visit_f64(f64::from_le_bytes(self.fixed()?)),
            NULL => visitor.visit_unit(),
            FALSE => visitor.visit_bool(false),
            TRUE => visitor.visit_bool(true),
            LIST..MAP | LONG_LIST | OPEN_LIST => {
                let left = self.length(tag)?;
                self.within(left, |items| visitor.visit_seq(items))
            }
            MAP..NULL | LONG_MAP | OPEN_MAP => {
                let left = self.length(tag)?;
                self.within(left, |items| visitor.visit_map(items))
            }
            _ => match self.text(tag)? {
                Some(ReadText::Here(text)) => visitor.visit_borrowed_str(text),
                Some(ReadText::InScratch) => visitor.visit_str(&self.scratch),
                None => Err(CompactError::new("a value begins with a byte that means nothing")),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CompactError> {
        if self.rest.first() == Some(&NULL) {
            self.byte()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, CompactError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CompactError> {
        let tag = self.byte()?;
        match tag {
            MAP..NULL | LONG_MAP | OPEN_MAP => {
                let left = self.length(tag)?;
                self.within(left, |items| {
                    if !items.next()? {
                        return Err(CompactError::new("a variant is to follow"));
                    }
                    visitor.visit_enum(Variant { reader: items.reader })
                })
            }
            _ => match self.text(tag)? {
                Some(ReadText::Here(text)) => visitor.visit_enum(text.into_deserializer()),
                Some(ReadText::InScratch) => visitor.visit_enum(self.scratch.as_str().into_deserializer()),
                None => Err(CompactError::new("a variant is to follow")),
            },
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The values of a list, or the entries of a map.
struct ListItems<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: Option<usize>,
}

impl ListItems<'_, '_> {
    fn has_more(&self) -> Result<bool, CompactError> {
        match self.left {
            Some(left) => Ok(left > 0),
            None => self.reader.rest.first().map(|byte| *byte != END).ok_or_else(Reader::ended),
        }
    }

    fn next(&mut self) -> Result<bool, CompactError> {
        let has_more = self.has_more()?;
        self.left = self.left.map(|left| left.saturating_sub(1));
        Ok(has_more)
    }

    /// No more than there are bytes for.
    fn size(&self) -> Option<usize> {
        self.left.map(|left| left.min(self.reader.rest.len()))
    }
}

impl<'de> SeqAccess<'de> for &mut ListItems<'_, 'de> {
    type Error = CompactError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, CompactError> {
        if self.next()? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }

    fn size_hint(&self) -> Option<usize> {
        self.size()
    }
}

impl<'de> MapAccess<'de> for &mut ListItems<'_, 'de> {
    type Error = CompactError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, CompactError> {
        if !self.next()? {
            return Ok(None);
        }
        let tag = self.reader.byte()?;
        match self.reader.text(tag)? {
            Some(ReadText::Here(text)) => {
                seed.deserialize(serde::de::value::BorrowedStrDeserializer::new(text)).map(Some)
            }
            Some(ReadText::InScratch) => {
                seed.deserialize(self.reader.scratch.as_str().into_deserializer()).map(Some)
            }
            None => Err(CompactError::new("a key must be a text")),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, CompactError> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        self.size()
    }
}

/// A variant with something in it.
struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = CompactError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), CompactError> {
        let name = seed.deserialize(&mut *self.reader)?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = CompactError;

    fn unit_variant(self) -> Result<(), CompactError> {
        <()>::deserialize(self.reader)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, CompactError> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _count: usize, visitor: V) -> Result<V::Value, CompactError> {
        self.reader.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CompactError> {
        self.reader.deserialize_any(visitor)
    }
}
