//! One contact that turns out to be another: rule 27 of the contract, in one transaction.

use chatflow::store::Committed;
use tokio_postgres::types::Type;

use crate::commit::{apply, drop_aliases};
use crate::errors::Fault;
use crate::link::{Link, Param};
use crate::statements::absorb::{MOVE_ALIASES, MOVE_JOURNAL, MOVE_KEYS, MOVE_SESSIONS, TAKE};
use crate::statements::upkeep::ERASE_LIVE;
use crate::write::{AbsorbedRow, Write};

/// Writes a commit that absorbs a contact. None: it was refused, and all is as it was.
pub(super) async fn absorb(
    link: &Link<'_>,
    write: &Write,
    other: &AbsorbedRow,
) -> Result<Option<Committed>, Fault> {
    let mut is_refused = false;
    let done = link
        .atomically(async {
            let committed = if take(link, write, other).await? {
                let applied = apply(link, &[write]).await?.into_iter().next().flatten();
                drop_aliases(link, write).await?;
                applied
            } else {
                None
            };
            is_refused = committed.is_none();
            // What was moved is to be moved back.
            committed.ok_or_else(|| Fault::permanent("refused"))
        })
        .await;
    if is_refused { Ok(None) } else { done.map(Some) }
}

/// Removes the conversation, and leads whatever leads to it to the commit's contact. Answers
/// whether it was there as it was seen.
async fn take(link: &Link<'_>, write: &Write, other: &AbsorbedRow) -> Result<bool, Fault> {
    let of: [Param<'_>; 3] =
        [(&write.workspace, Type::TEXT), (&other.contact, Type::TEXT), (&other.shard, Type::INT2)];
    let seen: [Param<'_>; 3] =
        [(&other.expect, Type::INT8), (&other.settled, Type::INT8), (&other.token, Type::UUID)];
    let seen = [of.as_slice(), &seen].concat();
    if link.first(TAKE, &seen).await?.is_none() {
        return Ok(false);
    }
    let into: [Param<'_>; 2] = [(&write.contact, Type::TEXT), (&write.shard, Type::INT2)];
    let moved = [of.as_slice(), &into].concat();
    link.query(MOVE_ALIASES, &moved).await?;
    let keys: [Param<'_>; 3] =
        [(&write.workspace, Type::TEXT), (&other.contact, Type::TEXT), (&write.contact, Type::TEXT)];
    link.query(MOVE_KEYS, &keys).await?;
    // The commit brings those that live.
    link.query(ERASE_LIVE, &of).await?;
    link.query(MOVE_SESSIONS, &moved).await?;
    link.query(MOVE_JOURNAL, &moved).await?;
    Ok(true)
}
