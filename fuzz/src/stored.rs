//! Stored forms: bytes that a store gives back. The checksum is put right, so that what is behind
//! it is tried. The first byte says which form.

use std::hash::Hasher;

use chatflow::session::{decode_conversation, decode_session, encode_conversation, encode_session};
use chatflow::store::{JournalEntry, KeyRecord, Row};
use siphasher::sip::SipHasher13;

/// A value that is read is written so that it is read as the same; all else is refused.
pub fn stored(bytes: &[u8]) {
    let Some((which, body)) = bytes.split_first() else { return };
    let format = u16::from(which / 8 % 4);
    match which % 8 {
        0..=2 => {
            if let Ok(read) = decode_conversation(&sealed(format, body)) {
                let written = encode_conversation(&read).expect("what is read can be written");
                let again = decode_conversation(&written).expect("what is written can be read");
                assert_eq!(encode_conversation(&again).expect("once more"), written);
            }
        }
        3 | 4 => {
            if let Ok(read) = decode_session(&sealed(format, body)) {
                let written = encode_session(&read).expect("what is read can be written");
                assert_eq!(decode_session(&written).expect("what is written can be read"), read);
            }
        }
        5 => {
            if let Ok(row) = Row::from_bytes(body) {
                let written = row.to_bytes().expect("what is read can be written");
                drop(Row::from_bytes(&written).expect("what is written can be read"));
            }
        }
        6 => {
            if let Ok(entry) = serde_json::from_slice::<JournalEntry>(body) {
                let written = serde_json::to_string(&entry).expect("an entry is JSON");
                drop(serde_json::from_str::<JournalEntry>(&written).expect("it can be read"));
            }
        }
        _ => {
            drop(decode_conversation(body));
            drop(serde_json::from_slice::<KeyRecord>(body));
        }
    }
}

/// A body with the head that makes it a record.
pub(super) fn sealed(format: u16, body: &[u8]) -> Vec<u8> {
    let mut hasher = SipHasher13::new();
    hasher.write(body);
    let mut bytes = b"cflw".to_vec();
    bytes.extend_from_slice(&format.to_le_bytes());
    bytes.extend_from_slice(&hasher.finish().to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}
