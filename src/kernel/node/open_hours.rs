//! `open_hours`: by the clock on the wall of the author's time zone.

use crate::flow::node::OpenHours;
use crate::kernel::turn::{Move, Run};
use crate::session::FailureCode;

pub(super) fn enter(run: &mut Run<'_>, node: &OpenHours) -> Move {
    let zone = match run.named_zone(Some(&node.zone)) {
        Ok(zone) => zone,
        Err(error) => return Move::fail(FailureCode::Expression, error),
    };
    let wall = zone.wall(run.env.now);
    let is_open = node.hours.is_open(wall);
    run.because(|_| format!("it is {} there", wall.format("%a %Y-%m-%d %H:%M")));
    Move::Take(if is_open { OpenHours::OPEN } else { OpenHours::CLOSED })
}
