//! `delay`: the session stands still until an instant (SEMANTICS N, S3).

use chrono::{DateTime, Utc};

use crate::flow::expr::EvalError;
use crate::flow::node::{Delay, Port};
use crate::flow::template::Template;
use crate::flow::{Step, Until, ZoneTemplate};
use crate::kernel::Input;
use crate::kernel::time::later;
use crate::kernel::turn::{Move, Run};
use crate::session::{FailureCode, Standing, Wait};

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &Delay) -> Move {
    let until = match node {
        Delay::For(span) => later(run.env.now, *span),
        Delay::Until { first_of, zone } => match earliest(run, first_of, zone.as_ref()) {
            Ok(Some(until)) => until,
            Ok(None) if step.exit(Delay::INVALID).is_some() => return Move::Take(Delay::INVALID),
            Ok(None) => return Move::fail(FailureCode::BadInstant, "`until` did not give a time"),
            Err(error) => return Move::fail(FailureCode::Expression, error),
        },
    };
    if until <= run.env.now {
        return Move::Take(Port::NEXT);
    }
    run.next_wait();
    Move::Park(Standing::Delayed(Wait::until(Some(until))))
}

/// The first of several times; none if one of them is none, which is told.
fn earliest(
    run: &mut Run<'_>,
    times: &[Template],
    zone: Option<&ZoneTemplate>,
) -> Result<Option<DateTime<Utc>>, EvalError> {
    let zone = run.named_zone(zone)?;
    let mut first = None;
    for time in times {
        let text = run.render(time)?;
        let Some(at) = Until::parse(&text).and_then(|until| until.after(run.env.now, zone)) else {
            run.note_nothing("until");
            return Ok(None);
        };
        first = Some(first.map_or(at, |first: DateTime<Utc>| first.min(at)));
    }
    Ok(first)
}

pub(super) fn resume(run: &Run<'_>, input: &Input) -> Move {
    match input {
        Input::Deadline(wait) if *wait == run.session.wait => Move::Take(Port::NEXT),
        _ => Move::Ignore,
    }
}
