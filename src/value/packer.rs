//! Packed bytes while they are written. Caps hold at every write, so a value that is refused has
//! cost no more than its cap.

use std::cell::Cell;

use super::codec::{self, Cursor, tag};
use super::{MAX_DEPTH, MAX_KEY_BYTES, PackError, PackLimits};

/// Bytes taken at the start: a context of a few short strings fits.
const FIRST_BYTES: usize = 128;
/// Bytes that a thread keeps for what it packs next: what is packed is then allocated once, as
/// large as it is.
const MOST_KEPT: usize = 4 << 10;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Where a key lies in the bytes.
#[derive(Clone, Copy)]
pub(super) struct KeyAt {
    start: usize,
    end: usize,
}

pub(super) struct Packer {
    out: Vec<u8>,
    limits: PackLimits,
    depth: usize,
    /// The reason packing stopped; what serde carries upward says only that it did.
    pub(super) fault: Option<PackError>,
}

impl Packer {
    pub(super) fn below(depth: usize, limits: &PackLimits) -> Self {
        let limits = PackLimits { bytes: limits.bytes, depth: limits.depth.min(MAX_DEPTH) };
        let mut out = SCRATCH.try_with(Cell::take).unwrap_or_default();
        out.reserve(FIRST_BYTES.min(limits.bytes));
        Self { out, limits, depth, fault: None }
    }

    pub(super) fn finish(self) -> Result<Box<str>, PackError> {
        let mut out = self.out;
        // Only strings and ASCII are written, so this is UTF-8.
        let text = std::str::from_utf8(&out).map_err(|_| PackError::NotJson { line: 0, column: 0 })?;
        let text = text.into();
        if out.capacity() <= MOST_KEPT {
            out.clear();
            // A thread that ends keeps nothing.
            let _ = SCRATCH.try_with(|scratch| scratch.set(out));
        }
        Ok(text)
    }

    pub(super) fn position(&self) -> usize {
        self.out.len()
    }

    pub(super) fn go_back(&mut self, position: usize) {
        self.out.truncate(position);
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        let max = self.limits.bytes;
        if bytes.len() > max.saturating_sub(self.out.len()) {
            return Err(PackError::TooLarge { max, at: Box::default() });
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    pub(super) fn tag(&mut self, tag: u8) -> Result<(), PackError> {
        self.bytes(&[tag])
    }

    pub(super) fn number(&mut self, tag: u8, value: u64) -> Result<(), PackError> {
        self.tag(tag)?;
        self.bytes(codec::number(value).as_bytes())
    }

    #[inline]
    fn text(&mut self, text: &str) -> Result<(), PackError> {
        if let Some(len) = codec::short(text.len()) {
            let max = self.limits.bytes;
            if text.len() >= max.saturating_sub(self.out.len()) {
                return Err(PackError::TooLarge { max, at: Box::default() });
            }
            self.out.push(len);
            self.out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        self.bytes(codec::number(text.len() as u64).as_bytes())?;
        self.bytes(text.as_bytes())
    }

    #[inline]
    pub(super) fn string(&mut self, text: &str) -> Result<(), PackError> {
        self.tag(tag::STR)?;
        self.text(text)
    }

    #[inline]
    pub(super) fn key(&mut self, key: &str) -> Result<KeyAt, PackError> {
        if key.len() > MAX_KEY_BYTES {
            return Err(PackError::KeyTooLong { max: MAX_KEY_BYTES, at: Box::default() });
        }
        self.text(key)?;
        let end = self.out.len();
        Ok(KeyAt { start: end.saturating_sub(key.len()), end })
    }

    pub(super) fn key_bytes(&self, key: KeyAt) -> &[u8] {
        self.out.get(key.start..key.end).unwrap_or_default()
    }

    /// Copies an entry whose value is packed already.
    pub(super) fn entry(&mut self, key: &str, value: &str) -> Result<(), PackError> {
        self.key(key)?;
        self.bytes(value.as_bytes())
    }

    /// One level down.
    pub(super) fn open(&mut self) -> Result<(), PackError> {
        let max = self.limits.depth;
        if self.depth >= max {
            return Err(PackError::TooDeep { max, at: Box::default() });
        }
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    /// One level up: puts the length of what follows `start` before it.
    pub(super) fn close(&mut self, start: usize) -> Result<(), PackError> {
        self.depth = self.depth.saturating_sub(1);
        let len = codec::number(self.out.len().saturating_sub(start) as u64);
        self.bytes(len.as_bytes())?;
        if let Some(body) = self.out.get_mut(start..) {
            body.rotate_right(len.as_bytes().len());
        }
        Ok(())
    }

    /// Sorts the entries from `start` by key; a key that occurs twice is a fault.
    pub(super) fn sort(&mut self, start: usize) -> Result<(), PackError> {
        let body = self.out.split_off(start);
        // Whole entries of strings and ASCII; were they not UTF-8, there would be none.
        let body = String::from_utf8(body).unwrap_or_default();
        let mut entries = Vec::new();
        let mut cursor = Cursor::new(&body);
        let mut from = 0;
        while let (Some(key), Some(_)) = (cursor.text(), cursor.node()) {
            entries.push((key, body.get(from..cursor.position()).unwrap_or_default()));
            from = cursor.position();
        }
        entries.sort_unstable_by_key(|entry| entry.0);
        let twice = entries.windows(2).find_map(|pair| match pair {
            [(first, _), (second, _)] if first == second => Some(*first),
            _ => None,
        });
        if let Some(key) = twice {
            return Err(PackError::DuplicateKey { at: piece(key).into() });
        }
        for (_, entry) in entries {
            self.out.extend_from_slice(entry.as_bytes());
        }
        Ok(())
    }

    /// Says that a fault lies below a key.
    #[cold]
    pub(super) fn blame_key(&mut self, key: KeyAt) {
        let piece = piece(&String::from_utf8_lossy(self.key_bytes(key)));
        self.fault = self.fault.take().map(|fault| fault.below(&piece));
    }

    /// Says that a fault lies below an index.
    #[cold]
    pub(super) fn blame_index(&mut self, index: usize) {
        self.fault = self.fault.take().map(|fault| fault.below(&format!("[{index}]")));
    }
}

/// A key as a piece of a path.
fn piece(key: &str) -> String {
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if plain { key.to_owned() } else { format!("[{key:?}]") }
}
