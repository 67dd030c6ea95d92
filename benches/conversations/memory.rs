//! P5: resident bytes of a session that waits for its first reply.

use crate::cart::OnCrate;
use crate::measure::resident;
use crate::script::script;

const SESSIONS: u64 = 100_000;

pub(crate) fn run() {
    let bot = OnCrate::new();
    (50_000_000..50_001_000).for_each(|contact| bot.begin(script(contact)));
    let before = resident();
    (0..SESSIONS).for_each(|contact| bot.begin(script(contact)));
    let bytes = (resident() - before) / SESSIONS;
    println!("P5: {SESSIONS} sessions waiting for their first reply take {bytes} resident bytes each");
}
