//! `delay`: the session stands still until an instant (SEMANTICS N, S3).

use chrono::{DateTime, Utc};

use crate::flow::node::{Delay, Port};
use crate::kernel::Input;
use crate::kernel::time::later;
use crate::kernel::turn::{Move, Run};
use crate::session::{FailureCode, Standing, Wait};

pub(super) fn enter(run: &mut Run<'_>, node: &Delay) -> Move {
    let until = match node {
        Delay::For(span) => later(run.env.now, *span),
        Delay::Until(template) => {
            let text = match run.render(template) {
                Ok(text) => text,
                Err(error) => return Move::fail(FailureCode::Expression, error),
            };
            match DateTime::parse_from_rfc3339(text.trim()) {
                Ok(until) => until.with_timezone(&Utc),
                Err(_) => {
                    return Move::fail(FailureCode::BadInstant, "`until` did not give an RFC 3339 instant");
                }
            }
        }
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
