//! Claiming what is due.

/// Files those anew that are met too early, at most so many: $1 now, $2 limit.
pub(in crate::store::postgres) const FILE: &str = "WITH e AS (
    SELECT shard, workspace, contact FROM chatflow_conversation
    WHERE filed_at <= $1 AND (due_at IS NULL OR due_at > filed_at OR quarantined)
    ORDER BY filed_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)
UPDATE chatflow_conversation c SET filed_at = CASE WHEN c.quarantined THEN NULL ELSE c.due_at END
FROM e WHERE c.shard = e.shard AND c.workspace = e.workspace AND c.contact = e.contact
RETURNING 1";

/// Claims what is due in one slice: $1 and $2 its bounds, $3 now, $4 limit, $5 period, $6 token.
pub(in crate::store::postgres) const CLAIM: &str = concat!(
    "WITH d AS (
    SELECT shard, workspace, contact FROM chatflow_conversation
    WHERE shard >= $1 AND shard < $2 AND filed_at <= $3 AND due_at <= $3 AND NOT quarantined AND lease_until <= ",
    now!(),
    "
    ORDER BY filed_at LIMIT $4 FOR UPDATE SKIP LOCKED)
UPDATE chatflow_conversation c SET lease_until = ",
    now!(),
    " + $5, lease_token = $6, claims = c.claims + 1
FROM d WHERE c.shard >= $1 AND c.shard < $2 AND c.shard = d.shard AND c.workspace = d.workspace AND c.contact = d.contact
RETURNING c.workspace, c.contact, c.revision, c.record, c.settled, c.claims, c.due_at"
);

/// Which shards have something due, the longest overdue first: $1 now, $2 limit.
pub(in crate::store::postgres) const GLANCE: &str = concat!(
    "SELECT shard FROM chatflow_conversation
WHERE filed_at <= $1 AND due_at <= $1 AND NOT quarantined AND lease_until <= ",
    now!(),
    " ORDER BY filed_at LIMIT $2"
);

/// When the next is due, or earlier: of those that are not leased the first, and of those before it the end of their
/// leases. $1 now.
pub(in crate::store::postgres) const NEXT_DUE: &str = concat!(
    "WITH free AS (
    SELECT filed_at FROM chatflow_conversation WHERE filed_at IS NOT NULL AND NOT quarantined AND lease_until <= ",
    now!(),
    " ORDER BY filed_at LIMIT 1)
SELECT (SELECT filed_at FROM free), (
    SELECT min(greatest(filed_at, lease_until - ",
    now!(),
    " + $1)) FROM chatflow_conversation
    WHERE filed_at IS NOT NULL AND NOT quarantined AND lease_until > ",
    now!(),
    " AND filed_at < coalesce((SELECT filed_at FROM free), 9223372036854775807))"
);
