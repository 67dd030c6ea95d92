//! The texts that have a number in every record: names of fields, and words that enums are written
//! as. Numbers are stored: a new word goes to the end, and none is taken out.

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::FixedState;

/// The first 96 take one byte, the others two.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    // Of each conversation.
    "contact", "id", "addresses", "last_at", "sessions", "last_seq", "remembered", "has_written", "outbox",
    "minted", "at", "verdict", "call", "consumed", "started", "opted_in_at", "opted_out_at", "profile",
    // Of each session.
    "flow", "version", "digest", "status", "node", "wait", "answered", "turns", "sent", "started_at",
    "last_interaction_at", "expires_at", "ends_by", "deadline", "ended_at", "parked_at", "sent_before",
    "context", "vars", "origin", "route", "asked", "reply", "rare", "branch", "uuid", "message", "kind", "text",
    "channel", "account", "to", "whatsapp", "waiting", "completed", "replied", "payload", "journal", "entries",
    "seen", "inbound",
    // Of each message.
    "seq", "attempts", "not_before", "workspace", "content", "created_at", "turn", "index", "count",
    "component", "type", "options", "label", "default", "next", "name", "media", "url", "choice", "tried_at",
    // Of many.
    "running", "delayed", "calling", "sending", "handoff", "expired", "failed", "cancelled", "outcome", "sms",
    "messenger", "instagram", "viber", "web", "buttons", "list", "button",
    // Two bytes from here on.
    "quick_replies", "template", "card", "location", "links", "sections", "language", "parameters", "title",
    "subtitle", "image", "caption", "filename", "mime", "description", "latitude", "longitude", "address",
    "history", "dead_letters", "marks", "campaign_at", "silence", "calls", "since", "results", "pause", "until",
    "value", "reason", "rejected", "window_closed", "gave_up", "too_late", "jumps", "visits", "queue",
    "failure", "ended_by", "heard", "frames", "active", "active_digest", "begun", "still_millis",
    "remind_before", "reminded", "note", "timeout", "stood", "invalid", "parts", "opening", "out_id",
    "claim_time", "campaign", "transactional", "during_handoff", "timed_out", "missed", "code", "args", "stage",
    "due", "handed", "function", "http_request", "llm", "classify", "recognize_language", "email", "timezone",
    "tags", "groups", "fields", "queued", "keyword", "paused", "stale_choice", "inbox_full", "unmatched",
    "applied", "opt_out", "opt_in", "restart", "stop", "merged", "unlinked", "interrupted", "flow_terminated",
    "erased", "key", "fingerprint", "session", "number", "amount", "cart_id", "first_name", "cart_total",
    "in_reply_to", "details", "meta", "body", "album", "form", "order", "contacts", "reaction", "other",
    "header", "footer", "item", "phone", "answer", "order_id", "price",
    "offered", "choices", "numbered", "rounds", "items",
    "products", "catalog", "product", "cards", "company", "phones", "emails", "urls", "emoji",
    "subject", "labels", "others", "place", "token", "header_parameter", "latest", "pieces",
    "former_ids", "left_open",
];

static NUMBERS: LazyLock<HashMap<&'static str, usize, FixedState>> =
    LazyLock::new(|| WORDS.iter().enumerate().map(|(number, word)| (*word, number)).collect());

/// The longest word.
const MOST_BYTES: usize = 24;

/// The number of a word, if the text is one.
pub(super) fn number(text: &str) -> Option<usize> {
    if text.len() > MOST_BYTES { None } else { NUMBERS.get(text).copied() }
}

/// The word of a number.
pub(super) fn word(number: usize) -> Option<&'static str> {
    WORDS.get(number).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_one_number_of_a_byte_or_two() {
        for (place, text) in WORDS.iter().enumerate() {
            assert_eq!(number(text), Some(place), "{text}");
            assert_eq!(word(place), Some(*text));
        }
        assert!(WORDS.len() <= 0x60 + 0x100);
    }

    /// Words are stored as numbers: this one may only be made longer.
    #[test]
    fn words_keep_their_numbers() {
        assert_eq!((number("contact"), number("inbound"), number("button")), (Some(0), Some(58), Some(95)));
        assert_eq!((number("quick_replies"), number("items")), (Some(96), Some(216)));
        assert_eq!((number("emoji"), number("pieces")), (Some(225), Some(WORDS.len() - 3)));
    }
}
