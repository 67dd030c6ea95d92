//! The slice of a partitioned table that a conversation is in. Stored with each row, so it may
//! never change.

use std::hash::Hasher;

use chatflow::id::WorkspaceId;
use siphasher::sip::SipHasher24;

/// Number of different shards: as many as partitions at most.
pub(super) const SHARDS: u16 = 1024;

/// The shard of a conversation: SipHash-2-4 with a key of zeros over the workspace, a byte 0xFF
/// (which no text has) and the contact, modulo 1024.
pub(super) fn shard(workspace: &WorkspaceId, contact: &str) -> i16 {
    let mut hasher = SipHasher24::new_with_keys(0, 0);
    hasher.write(workspace.as_str().as_bytes());
    hasher.write(&[0xff]);
    hasher.write(contact.as_bytes());
    (hasher.finish() % u64::from(SHARDS)) as i16
}

/// Where a partition begins and where it ends (exclusive), of so many: even slices.
pub(super) fn slice(number: u16, of: u16) -> (i16, i16) {
    let bound = |number: u16| (u32::from(number) * u32::from(SHARDS) / u32::from(of.max(1))) as i16;
    (bound(number), bound(number + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversations_shard_never_changes() {
        let shop = WorkspaceId::new("shop").unwrap();
        assert_eq!(
            [shard(&shop, "ann"), shard(&shop, "bob"), shard(&WorkspaceId::default(), "ann")],
            [613, 414, 852]
        );
    }

    #[test]
    fn slices_are_even_and_leave_nothing_out() {
        for of in [1, 2, 3, 8, 1000, SHARDS] {
            let slices: Vec<_> = (0..of).map(|number| slice(number, of)).collect();
            assert_eq!((slices[0].0, slices[usize::from(of) - 1].1), (0, 1024));
            assert!(slices.windows(2).all(|pair| pair[0].1 == pair[1].0));
            assert!(slices.iter().all(|(from, to)| from < to));
        }
    }
}
