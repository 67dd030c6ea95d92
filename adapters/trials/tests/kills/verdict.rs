//! Figures for people, and what is kept when something is wrong.

use std::fs;
use std::path::Path;

use chatflow::Error;
use libtest_mimic::Failed;

use crate::durable_kit::{Checked, History};

pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(work)
}

/// Prints one line; with violations it fails, and writes the history beside the build.
pub(crate) fn judge(
    store: &str,
    what: &str,
    seed: u64,
    history: &History,
    checked: Checked,
    integrity: Vec<String>,
) -> Result<(), Failed> {
    let Checked { acknowledged, conversations, completed, messages, redeliveries, violations } = checked;
    let broken: Vec<String> = violations.iter().map(ToString::to_string).chain(integrity).collect();
    println!(
        "{store}: {what}, {acknowledged} calls acknowledged, {conversations} conversations ({completed} completed, the \
         others expired), {messages} messages, {redeliveries} redeliveries, {} violations (seed {seed})",
        broken.len()
    );
    if broken.is_empty() {
        assert!(acknowledged > 0 && completed > 0, "nothing was done that could have gone wrong");
        return Ok(());
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kills-{store}-{seed}.jsonl"));
    let events = history.events();
    let lines: Vec<_> = events.iter().map(|event| serde_json::to_string(event).unwrap_or_default()).collect();
    fs::write(&file, lines.join("\n"))?;
    let shown: Vec<_> = broken.iter().take(20).map(String::as_str).collect();
    Err(format!("seed {seed}, history in {}\n{}", file.display(), shown.join("\n")).into())
}
