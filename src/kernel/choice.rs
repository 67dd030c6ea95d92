//! The payload of an option: which question of which session it was offered at (SEMANTICS I9).

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::id::SessionId;

/// The author's id in a payload of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChosenId<'a> {
    /// As it is written.
    Written(&'a str),
    /// Its hash, where the channel has no room for it: the session kept the choice.
    Hash(u64),
}

impl ChosenId<'_> {
    /// True if it is this id's.
    pub(crate) fn is(self, id: &str) -> bool {
        match self {
            Self::Written(written) => written == id,
            Self::Hash(own) => own == hash(id),
        }
    }
}

/// A hash of an id: the same in every process, and too long to be met by chance.
fn hash(id: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(id.as_bytes());
    hasher.finish()
}

/// The payload that a channel hands back when the contact chooses an option: which question of
/// which session it was.
pub(crate) fn payload(session: SessionId, wait: u32, option: &str) -> String {
    format!("cf:{}:{wait}:{option}", session.0.as_simple())
}

/// The length of that.
pub(crate) fn payload_len(wait: u32, option: &str) -> usize {
    const BESIDE: usize = "cf:::".len() + 32;
    let digits = wait.checked_ilog10().map_or(1, |more| more as usize + 1);
    BESIDE + digits + option.len()
}

/// The same in at most 63 bytes, whatever the option.
pub(crate) fn short_payload(session: SessionId, wait: u32, option: &str) -> String {
    format!("cf:{}:{wait}#{:016x}", session.0.as_simple(), hash(option))
}

/// Reads a payload of ours: session, wait number, the author's id. None: it is not ours.
pub(crate) fn own_choice(payload: &str) -> Option<(SessionId, u32, ChosenId<'_>)> {
    let (session, rest) = payload.strip_prefix("cf:")?.split_once(':')?;
    let session = SessionId(uuid::Uuid::try_parse(session).ok()?);
    let end = rest.find([':', '#'])?;
    let (wait, id) = rest.split_at_checked(end)?;
    let id = match id.strip_prefix('#') {
        Some(digits) => ChosenId::Hash(u64::from_str_radix(digits, 16).ok()?),
        None => ChosenId::Written(id.strip_prefix(':')?),
    };
    Some((session, wait.parse().ok()?, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_names_its_question_and_its_choice() {
        let session = SessionId(uuid::Uuid::from_u128(7));
        for id in ["yes", "a:b", "#1", "0f8fad5b-d9cb-469f-a165-70867728950e"] {
            let whole = payload(session, 3, id);
            let (of, wait, chosen) = own_choice(&whole).unwrap();
            assert_eq!((of, wait, chosen), (session, 3, ChosenId::Written(id)));
            assert_eq!(payload_len(3, id), whole.len());
            let short = short_payload(session, u32::MAX, id);
            assert!(short.len() < 64, "{short}");
            let (of, wait, chosen) = own_choice(&short).unwrap();
            assert!((of, wait) == (session, u32::MAX) && chosen.is(id) && !chosen.is("no"), "{chosen:?}");
        }
        for other in ["", "cf:", "cf:x:1:y", "cf:00000000000000000000000000000007:1", "cf:7#1", "yes"] {
            assert_eq!(own_choice(other), None, "{other}");
        }
    }
}
