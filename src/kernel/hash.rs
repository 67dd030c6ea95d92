//! Hashes that are stored or compared across machines: SipHash with a fixed key, the same in every process and release.
//! They recognise a repeat; none of them is a secret, or picks a place in a table.

use std::hash::Hasher;

use chrono::TimeDelta;
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::address::{AccountRef, Address};
use crate::id::{ContactId, MessageId, NodeId, SessionId};
use crate::value::Bag;

fn text(hasher: &mut SipHasher13, text: &str) {
    hasher.write_u64(text.len() as u64 + 1);
    hasher.write(text.as_bytes());
}

/// A trigger, without what a retry stamps anew: the contact as given, the context, the correlation id (SEMANTICS T5).
pub(crate) fn fingerprint(
    contact: Option<&ContactId>,
    address: Option<&Address>,
    context: &Bag,
    out_id: Option<&str>,
) -> u128 {
    let mut hasher = SipHasher13::new();
    match contact.map(ToString::to_string) {
        Some(contact) => text(&mut hasher, &contact),
        None => hasher.write_u8(0),
    }
    match address {
        Some(Address::Phone(phone)) => hasher.write_u64(phone.number()),
        Some(Address::Named(named)) => {
            text(&mut hasher, named.account.channel.as_str());
            text(&mut hasher, &named.account.account);
            text(&mut hasher, &named.id);
        }
        None => hasher.write_u8(0),
    }
    match out_id {
        Some(out_id) => text(&mut hasher, out_id),
        None => hasher.write_u8(0),
    }
    hasher.write(context.as_bytes());
    hasher.finish128().as_u128()
}

/// An inbound message's id in its channel and account (SEMANTICS I2).
pub(crate) fn message_hash(account: AccountRef<'_>, id: &str) -> u128 {
    let mut hasher = SipHasher13::new();
    text(&mut hasher, account.channel.as_str());
    text(&mut hasher, account.account);
    text(&mut hasher, id);
    hasher.finish128().as_u128()
}

/// A number below `total`, the same for the same visit of a session to a node (SEMANTICS N8).
pub(super) fn draw(session: SessionId, node: &NodeId, visit: u32, total: u32) -> u32 {
    let mut hasher = SipHasher13::new();
    hasher.write_u128(session.0.as_u128());
    text(&mut hasher, node.as_str());
    hasher.write_u32(visit);
    let share = u128::from(hasher.finish()) * u128::from(total);
    u32::try_from(share >> u64::BITS).unwrap_or_default()
}

/// A pause and up to a quarter more, the same for the same attempt (SEMANTICS D1): many that fail together do not
/// come back together.
pub(crate) fn jitter(pause: TimeDelta, id: MessageId, attempt: u32) -> TimeDelta {
    let mut hasher = SipHasher13::new();
    hasher.write_u128(id.session.0.as_u128());
    hasher.write_u64(id.seq);
    hasher.write_u32(attempt);
    let share = i32::from(hasher.finish().to_le_bytes().first().copied().unwrap_or_default());
    pause.checked_div(1024).and_then(|part| pause.checked_add(&(part * share))).unwrap_or(pause)
}
