//! Measures that do not depend on the load of the machine: allocations, sizes of futures, and runs
//! of conversations alone, for counts of instructions under callgrind.

use chatflow::{Channel, Inbound, TriggerRequest};

use crate::calls;
use crate::cart::OnCrate;
use crate::lean::Lean;
use crate::measure::allocations_of;
use crate::plain::Plain;
use crate::script::{Script, scripts};

const COUNTED: u64 = 1_500;
/// Tables grow now and then: that is a part of many conversations, and of none.
const WARM: u64 = 500;

pub(crate) fn run() {
    println!("# Allocations of a conversation on average, and of each of its calls where no table grows.");
    let (on_crate, lean, mut plain) = (OnCrate::new(), Lean::default(), Plain::default());
    println!("crate.allocations.conversation = {}", average(|script| on_crate.converse(script)));
    println!("lean.allocations.conversation = {}", average(|script| lean.converse(script)));
    println!("plain.allocations.conversation = {}", average(|script| plain.converse(script)));
    for (call, count) in ["trigger", "reply", "last_reply"].into_iter().zip(of_calls(&on_crate)) {
        println!("crate.allocations.{call} = {count}");
    }
    println!("# Bytes of the futures of calls.");
    let engine = &on_crate.engine;
    let message = Inbound::text(Channel::WhatsApp, "a", "b", "c");
    println!("future.trigger = {}", size_of_val(&engine.trigger(TriggerRequest::new("f"))));
    println!("future.receive = {}", size_of_val(&engine.receive(message)));
    println!("future.tick = {}", size_of_val(&engine.tick(1)));
    calls::print_memory();
}

fn average(mut converse: impl FnMut(Script)) -> u64 {
    scripts(0..WARM).into_iter().for_each(&mut converse);
    let counted = scripts(WARM..WARM + COUNTED);
    let allocations = allocations_of(|| counted.into_iter().for_each(&mut converse));
    (allocations + COUNTED / 2) / COUNTED
}

/// The least of several conversations.
fn of_calls(bot: &OnCrate) -> [u64; 3] {
    let each = scripts(90_000_000..90_000_100).into_iter().map(|script| {
        let Script {
            phone: [first, second, third],
            context,
            key,
            ids: [id, last_id],
            texts: [text, last_text],
        } = script;
        [
            allocations_of(|| bot.trigger(first, context, key)),
            allocations_of(|| bot.reply(second, text, id)),
            allocations_of(|| bot.reply(third, last_text, last_id)),
        ]
    });
    each.reduce(|least, these| std::array::from_fn(|call| least[call].min(these[call]))).unwrap_or_default()
}

pub(crate) fn on_crate() {
    let bot = OnCrate::new();
    conversations(|script| bot.converse(script));
}

pub(crate) fn on_lean() {
    let lean = Lean::default();
    conversations(|script| lean.converse(script));
}

pub(crate) fn on_plain() {
    let mut plain = Plain::default();
    conversations(|script| plain.converse(script));
}

/// Runs the conversations that are counted: `--toggle-collect='*counted_conversations*'`.
fn conversations(mut converse: impl FnMut(Script)) {
    scripts(0..WARM).into_iter().for_each(&mut converse);
    counted_conversations(scripts(WARM..WARM + COUNTED), converse);
    println!("{COUNTED} conversations were counted");
}

#[inline(never)]
fn counted_conversations(scripts: Vec<Script>, converse: impl FnMut(Script)) {
    scripts.into_iter().for_each(converse);
}
