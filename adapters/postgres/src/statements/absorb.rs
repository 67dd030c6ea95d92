//! One contact that turns out to be another. In each: $1 workspace, $2 the contact that is no more;
//! $3 its shard, unless it says otherwise.

/// Removes it if it is as it was seen, not set aside, and nobody else is at it: $4 revision, $5
/// watermark, $6 token of the caller's lease.
pub(crate) const TAKE: &str = concat!(
    "DELETE FROM chatflow_conversation
WHERE shard = $3 AND workspace = $1 AND contact = $2 AND revision = $4 AND settled = $5
    AND NOT quarantined
    AND (lease_token IS NULL OR lease_until <= ",
    now!(),
    " OR lease_token = $6) RETURNING 1"
);

/// $4 the contact that it is, $5 its shard.
pub(crate) const MOVE_ALIASES: &str = "UPDATE chatflow_alias SET contact = $4, shard = $5
WHERE workspace = $1 AND contact = $2 AND shard = $3";

/// $3 the contact that it is.
pub(crate) const MOVE_KEYS: &str =
    "UPDATE chatflow_key SET contact = $3 WHERE workspace = $1 AND contact = $2";

/// $4 the contact that it is, $5 its shard.
pub(crate) const MOVE_SESSIONS: &str = "UPDATE chatflow_session SET contact = $4, shard = $5
WHERE workspace = $1 AND contact = $2 AND shard = $3";

/// $4 the contact that it is, $5 its shard.
pub(crate) const MOVE_JOURNAL: &str = "UPDATE chatflow_journal SET contact = $4, shard = $5
WHERE workspace = $1 AND contact = $2 AND shard = $3";
