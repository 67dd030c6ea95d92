//! Claiming what is due.

use chatflow::error::StoreError;
use chatflow::store::sql::{instant, micros};
use chatflow::store::{Due, Leased, LeasedConversation, Record, StoredConversation};

use crate::scripts::CLAIM;
use crate::server::Server;
use crate::values::{args, contact_of, damaged, workspace_of};

/// Workspace, contact, revision, watermark, record, claims.
type Claimed = (String, String, u64, u64, Vec<u8>, u32);

pub(super) async fn lease_due(server: &Server, due: &Due) -> Result<Leased, StoreError> {
    let lease = due.lease.as_micros();
    let args = args![micros(due.now), due.token.0, lease, due.limit, u8::from(due.suspects)];
    let (claimed, next_due, time): (Vec<Claimed>, String, String) = server.run(&CLAIM, args).await?;
    let mut conversations = Vec::with_capacity(claimed.len());
    for (workspace, contact, revision, settled, record, claims) in claimed {
        let stored = StoredConversation {
            contact: contact_of(&contact)?,
            revision,
            record: Record::from_bytes(record),
            settled,
            leased: true,
            quarantined: false,
        };
        conversations.push(LeasedConversation { workspace: workspace_of(&workspace)?, stored, claims });
    }
    let number = |text: &str| text.parse::<i64>().map_err(|error| damaged("an instant", error));
    let next_due = if next_due.is_empty() { None } else { Some(instant(number(&next_due)?)) };
    Ok(Leased { conversations, next_due, store_time: Some(instant(number(&time)?)) })
}
