//! `for_each`: the next item of its list, or what comes behind it (SEMANTICS N12).

use serde_json::Value;

use crate::flow::Step;
use crate::flow::node::ForEach;
use crate::kernel::turn::{Move, Run};
use crate::observer::EventKind;
use crate::session::{FailureCode, Rounds};
use crate::value::{PackLimits, Packed};

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &ForEach) -> Move {
    if let Some(rounds) = run.session.extras().rounds.last_mut().filter(|rounds| rounds.node == step.id) {
        rounds.at = rounds.at.saturating_add(1);
    } else if let Err(leave) = begin(run, step, node) {
        return leave;
    }
    let Some(rounds) = run.session.rounds().last() else { return Move::Take(ForEach::DONE) };
    let (at, count) = (rounds.at, rounds.count());
    if at < count {
        run.because(|_| format!("item {} of {count}", at.saturating_add(1)));
        return Move::Take(ForEach::EACH);
    }
    run.session.extras().rounds.pop();
    run.because(|_| format!("all {count} items are done"));
    Move::Take(ForEach::DONE)
}

/// Reads the list.
fn begin(run: &mut Run<'_>, step: &Step, node: &ForEach) -> Result<(), Move> {
    let mut items = run.evaluate_list(&node.from)?;
    let given = items.len();
    items.truncate(node.limit);
    if items.len() < given {
        let size = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (session, id) = (run.session.id, step.id.clone());
        run.note(EventKind::ListCut { session, node: id, given: size(given), kept: size(items.len()) });
    }
    let taken = run.session.rounds_len() + run.session.vars.byte_len();
    let pack_limits = run.limits_beside(taken);
    let pack_limits = PackLimits { depth: pack_limits.depth.saturating_add(2), ..pack_limits };
    let packed = Packed::from_json(&Value::Array(items), &pack_limits);
    let items =
        packed.map_err(|error| Move::fail(FailureCode::Variables, format_args!("the list {error}")))?;
    let (id, name) = (step.id.clone(), node.name.clone());
    run.session.extras().rounds.push(Rounds { node: id, name, items, at: 0 });
    Ok(())
}
