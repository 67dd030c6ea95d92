//! Hashes that are stored or compared across machines: SipHash with a fixed key, the same in every
//! process and release. They recognise a repeat; none of them is a secret, or picks a place in a
//! table.

use std::hash::Hasher;
use std::io::Write;

use chrono::TimeDelta;
use serde::Serialize;
use siphasher::sip128::{Hasher128, SipHasher13, SipHasher24};

use crate::address::{AccountRef, Address};
use crate::id::{ContactId, FlowId, MessageId, NodeId, SessionId, TriggerKey, WorkspaceId};
use crate::value::PackedMap;

/// Collects what is hashed: one long piece is hashed faster than several short ones, to the same
/// hash.
struct Pieces {
    held: [u8; 192],
    count: usize,
    hasher: SipHasher13,
}

impl Pieces {
    fn new() -> Self {
        Self { held: [0; 192], count: 0, hasher: SipHasher13::new() }
    }

    fn write(&mut self, piece: &[u8]) {
        let end = self.count + piece.len();
        if let Some(room) = self.held.get_mut(self.count..end) {
            room.copy_from_slice(piece);
            self.count = end;
        } else {
            self.flush();
            self.hasher.write(piece);
        }
    }

    fn text(&mut self, text: &str) {
        self.write(&(text.len() as u64 + 1).to_le_bytes());
        self.write(text.as_bytes());
    }

    fn flush(&mut self) {
        self.hasher.write(self.held.get(..self.count).unwrap_or_default());
        self.count = 0;
    }

    fn finish(mut self) -> u128 {
        self.flush();
        self.hasher.finish128().as_u128()
    }
}

/// A trigger, without what a retry stamps anew: the contact as given, the context, the correlation
/// id (SEMANTICS T5).
pub(crate) fn fingerprint(
    contact: Option<&ContactId>,
    address: Option<&Address>,
    context: &PackedMap,
    out_id: Option<&str>,
) -> u128 {
    let mut pieces = Pieces::new();
    match contact.map(ToString::to_string) {
        Some(contact) => pieces.text(&contact),
        None => pieces.write(&[0]),
    }
    match address {
        Some(Address::Phone(phone)) => pieces.write(&phone.number().to_le_bytes()),
        Some(Address::Named(named)) => {
            pieces.text(named.account.channel.as_str());
            pieces.text(&named.account.account);
            pieces.text(&named.id);
        }
        None => pieces.write(&[0]),
    }
    match out_id {
        Some(out_id) => pieces.text(out_id),
        None => pieces.write(&[0]),
    }
    pieces.write(context.as_bytes());
    pieces.finish()
}

/// A caller's key in its flow, once the key itself may not be kept (SEMANTICS S11).
pub(crate) fn key_hash(flow: &FlowId, key: &TriggerKey) -> u128 {
    let mut pieces = Pieces::new();
    pieces.text(flow.as_str());
    pieces.text(&key.to_string());
    pieces.finish()
}

/// An address under the host's secret: without it nobody finds the address again by trying them all
/// (SEMANTICS S11).
pub(crate) fn address_hash(secret: &[u8; 16], workspace: &WorkspaceId, address: &Address) -> u128 {
    let mut hasher = SipHasher24::new_with_key(secret);
    let bytes = serde_json::to_vec(&(workspace, address)).unwrap_or_default();
    hasher.write(&bytes);
    hasher.finish128().as_u128()
}

/// An inbound message's id in its channel and account (SEMANTICS I2).
pub(crate) fn message_hash(account: AccountRef<'_>, id: &str) -> u128 {
    let mut pieces = Pieces::new();
    pieces.text(account.channel.as_str());
    pieces.text(account.account);
    pieces.text(id);
    pieces.finish()
}

/// A number below `total`, the same for the same visit of a session to a node (SEMANTICS N8).
pub(super) fn draw(session: SessionId, node: &NodeId, visit: u32, total: u32) -> u32 {
    let mut hasher = SipHasher13::new();
    hasher.write_u128(session.0.as_u128());
    hasher.write_u64(node.as_str().len() as u64 + 1);
    hasher.write(node.as_str().as_bytes());
    hasher.write_u32(visit);
    let share = u128::from(hasher.finish()) * u128::from(total);
    u32::try_from(share >> u64::BITS).unwrap_or_default()
}

/// A pause and up to a quarter more, the same for the same attempt (SEMANTICS D1): many that fail
/// together do not come back together.
pub(crate) fn jitter(pause: TimeDelta, id: MessageId, attempt: u32) -> TimeDelta {
    let mut hasher = SipHasher13::new();
    hasher.write_u128(id.session.0.as_u128());
    hasher.write_u64(id.seq);
    hasher.write_u32(attempt);
    let share = i32::from(hasher.finish().to_le_bytes().first().copied().unwrap_or_default());
    pause.checked_div(1024).and_then(|part| pause.checked_add(&(part * share))).unwrap_or(pause)
}

/// Something that is stored, by its stored form.
pub(crate) fn json_hash(value: &impl Serialize) -> u128 {
    struct Sink(SipHasher13);
    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.write(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut sink = Sink(SipHasher13::new());
    // A value without a stored form has the hash of what comes before the fault: no record of ours
    // is such.
    let _ = serde_json::to_writer(&mut sink, value);
    sink.0.finish128().as_u128()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_does_not_depend_on_the_pieces() {
        for long in [0, 1, 100, 191, 192, 193, 1_000] {
            let (first, last) = ("f".repeat(7), "l".repeat(long));
            let mut hasher = SipHasher13::new();
            for text in [&first, &last, &first] {
                hasher.write_u64(text.len() as u64 + 1);
                hasher.write(text.as_bytes());
            }
            let mut pieces = Pieces::new();
            [&first, &last, &first].into_iter().for_each(|text| pieces.text(text));
            assert_eq!(pieces.finish(), hasher.finish128().as_u128(), "{long} bytes");
        }
    }
}
