//! The first of several times to come (SEMANTICS U17).

use chrono::{DateTime, Utc};

use crate::flow::Times;
use crate::flow::expr::EvalError;
use crate::kernel::turn::Run;

/// The first of several times; none if one of them is none, which is told.
pub(super) fn first(run: &mut Run<'_>, times: &Times) -> Result<Option<DateTime<Utc>>, EvalError> {
    let zone = run.named_zone(times.zone.as_ref())?;
    let mut first = None;
    for time in &times.first_of {
        let text = run.render(time)?;
        let Some(at) = times.read(&text).and_then(|until| until.after(run.env.now, zone)) else {
            run.note_nothing("until");
            return Ok(None);
        };
        first = Some(first.map_or(at, |first: DateTime<Utc>| first.min(at)));
    }
    Ok(first)
}

/// True if the session can live to see a time; that it cannot is told.
pub(super) fn is_lived_to(run: &mut Run<'_>, at: DateTime<Utc>) -> bool {
    let is_lived_to = run.ends_by().is_none_or(|last| at <= last);
    if !is_lived_to {
        run.note_nothing("until");
    }
    is_lived_to
}
