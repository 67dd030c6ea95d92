//! The memory of a session that waits, with all that leads to it.

use std::sync::Arc;

use chatflow::store::{ConversationStore, Known};
use chatflow::{Engine, MemoryStore, Outbound, Receipt, SendError, TriggerRequest, Triggered, send_fn};
use pollster::block_on;
use serde_json::json;

use crate::allocator;

const FLOW: &str = include_str!("../../examples/flows/abandoned_cart.json");

/// Sessions that wait at once.
const SESSIONS: u64 = 100_000;

/// Bytes that a session may take: 54 for its context, 304 for itself, 184 for its conversation, 72
/// each for its origin and for where it was asked, and the words that the allocator keeps beside
/// each; then 128 for its slot, 72 for its key, and what leads to them.
const MOST: u64 = 1_075;

/// Bytes of a block of slots and of one of keys: the last of each part is not full.
const BLOCKS: u64 = 256 * (128 + 72);

/// Bytes a session of blocks that are not full, on a machine of so many threads.
fn unused() -> u64 {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    (threads * 4).next_power_of_two().clamp(8, 1024) as u64 * BLOCKS / SESSIONS
}

fn begin<S: ConversationStore>(bot: &Engine<S>, contact: u64) {
    let request = TriggerRequest::new("abandoned-cart")
        .phone(format!("+1415{contact:08}"))
        .context(json!({"first_name": "Ada", "cart_id": (987_654_321 + contact).to_string(), "cart_total": "129.00"}))
        .uuid(format!("{contact:08x}-5f0d-4c8a-8f41-e949c2a7580e"));
    assert!(matches!(block_on(bot.trigger(request)), Ok(Triggered::Started(_))));
}

/// The cart that was left, at its first question: the record, its aliases, its key, its due time.
#[test]
fn a_session_that_waits_takes_what_its_parts_take() {
    let sink = send_fn(async |_: Outbound| Ok::<_, SendError>(Receipt::default()));
    let bot = Engine::builder(MemoryStore::new()).transport(sink).build();
    block_on(bot.flows().ensure(FLOW)).unwrap();
    (50_000_000..50_001_000).for_each(|contact| begin(&bot, contact));
    let before = allocator::held();
    (0..SESSIONS).for_each(|contact| begin(&bot, contact));
    let bytes = (allocator::held() - before).cast_unsigned() / SESSIONS;
    let most = MOST + unused();
    assert!((200..=most).contains(&bytes), "a session takes {bytes} bytes, {most} at most");
}

/// A process that knows conversations stays within its room, as the allocator counts it.
#[test]
fn what_is_known_stays_within_its_room() {
    const ROOM: usize = 4 << 20;
    let store = Arc::new(MemoryStore::new());
    let sink = send_fn(async |_: Outbound| Ok::<_, SendError>(Receipt::default()));
    let known = Known::new(Arc::clone(&store)).cache_bytes(ROOM);
    let bot = Engine::builder(known).transport(sink).build();
    block_on(bot.flows().ensure(FLOW)).unwrap();
    (60_000_000..60_008_000).for_each(|contact| begin(&bot, contact));
    let before = allocator::held();
    drop(bot);
    let freed = before - allocator::held();
    // With the engine and its flow.
    let most = ROOM as i64 + (256 << 10);
    assert!((most / 4..=most).contains(&freed), "{freed} bytes were known, {most} at most");
    drop(store);
}
