//! A recorded talk played again: what is done in it is done anew, and what came of it then is held
//! against what comes of it now. The talks are those of the crate.

use chatflow::Flow;
use chatflow::ops::Rehearsal;
use chatflow::talk::Talk;
use serde_json::{Value, json};

use crate::Answered;
use crate::answer::{bad, text};

pub(crate) fn replay(request: &Value) -> Answered {
    let written = text(request, "talk")?;
    let talk = Talk::parse(written).map_err(|error| bad("talk", error))?;
    let mut run = Rehearsal::of(text(request, "flow")?)?;
    for other in request.get("others").and_then(Value::as_array).into_iter().flatten() {
        // One that does not run is not there: a call of it fails.
        if let Some(text) = other.as_str()
            && Flow::from_json(text).is_ok_and(|other| other.id() != run.flow().id())
        {
            run = run.with_flow(text)?;
        }
    }
    let played = run.play(&talk);
    let (then, now): (Vec<&str>, Vec<&str>) = (written.lines().collect(), played.text().lines().collect());
    let difference = played.difference().map(ToString::to_string);
    Ok(
        json!({"ok": difference.is_none(), "difference": difference, "lines": compared(&then, &now), "now": played.text()}),
    )
}

/// Lines that are the same, that are gone, and that are new, by the longest that both have.
fn compared(then: &[&str], now: &[&str]) -> Vec<Value> {
    let (rows, columns) = (then.len(), now.len());
    let mut common = vec![vec![0_u32; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            common[row][column] = if then[row] == now[column] {
                common[row + 1][column + 1] + 1
            } else {
                common[row + 1][column].max(common[row][column + 1])
            };
        }
    }
    let (mut row, mut column, mut lines) = (0, 0, Vec::new());
    while row < rows || column < columns {
        if row < rows && column < columns && then[row] == now[column] {
            lines.push(json!({"is": "same", "text": then[row]}));
            (row, column) = (row + 1, column + 1);
        } else if column == columns || (row < rows && common[row + 1][column] >= common[row][column + 1]) {
            lines.push(json!({"is": "gone", "text": then[row]}));
            row += 1;
        } else {
            lines.push(json!({"is": "new", "text": now[column]}));
            column += 1;
        }
    }
    lines
}
