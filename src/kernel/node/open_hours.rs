//! `open_hours`: by the clock on the wall of the author's time zone.

use crate::flow::node::OpenHours;
use crate::kernel::run::{Move, Run};

pub(super) fn enter(run: &Run<'_>, node: &OpenHours) -> Move {
    let is_open = node.hours.is_open(node.zone.wall(run.scene.now));
    Move::Take(if is_open { OpenHours::OPEN } else { OpenHours::CLOSED })
}
