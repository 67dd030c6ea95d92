//! Taking note of what is delivered.

use chatflow::error::StoreError;
use chatflow::store::sql::micros;
use chatflow::store::{Settle, Settled};

use crate::scripts::SETTLE;
use crate::server::Server;
use crate::values::{args, damaged};

pub(super) async fn settle(server: &Server, settle: &Settle) -> Result<Settled, StoreError> {
    let due = settle.due_at.map(|at| micros(at).to_string()).unwrap_or_default();
    let args = args![
        settle.workspace,
        settle.contact,
        settle.token.0,
        settle.revision,
        settle.settled,
        due,
        u8::from(settle.quarantine),
    ];
    let answer: Vec<String> = server.run(&SETTLE, args).await?;
    match answer.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["done"] => Ok(Settled::Done),
        ["lost"] => Ok(Settled::LeaseLost),
        ["conflict", settled] => {
            let settled = settled.parse().map_err(|error| damaged("a watermark", error))?;
            Ok(Settled::Conflict { settled })
        }
        _ => Err(damaged("an answer", answer.join(" "))),
    }
}
