//! `delay`: the session pauses until an instant (SEMANTICS N, S3).

use crate::flow::Step;
use crate::flow::node::{Delay, Port};
use crate::kernel::Input;
use crate::kernel::node::times;
use crate::kernel::time::later;
use crate::kernel::turn::{Move, Run};
use crate::session::{FailureCode, Standing, Wait};

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &Delay) -> Move {
    let until = match node {
        Delay::For(span) => later(run.env.now, *span),
        Delay::Until(until) => match times::first(run, until) {
            // Without a way for that the session waits as long as it lives.
            Ok(Some(until)) if times::is_lived_to(run, until) || step.exit(Delay::INVALID).is_none() => until,
            Ok(_) if step.exit(Delay::INVALID).is_some() => return Move::Take(Delay::INVALID),
            Ok(_) => return Move::fail(FailureCode::BadInstant, "`until` did not give a time"),
            Err(error) => return Move::fail(FailureCode::Expression, error),
        },
    };
    if until <= run.env.now {
        return Move::Take(Port::NEXT);
    }
    run.next_wait();
    Move::Park(Standing::Delayed(Wait::until(Some(until))))
}

pub(super) fn resume(run: &Run<'_>, input: &Input) -> Move {
    match input {
        Input::Deadline(wait) if *wait == run.session.wait => Move::Take(Port::NEXT),
        _ => Move::Ignore,
    }
}
