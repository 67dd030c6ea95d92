//! Claiming what is due.

/// Files those anew that are met too early, at most so many: $1 now, $2 limit.
pub(crate) const FILE: &str = "WITH e AS (
    SELECT shard, workspace, contact FROM chatflow_conversation
    WHERE filed_at <= $1 AND (due_at IS NULL OR due_at > filed_at OR quarantined)
    ORDER BY filed_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)
UPDATE chatflow_conversation c SET filed_at = CASE WHEN c.quarantined THEN NULL ELSE c.due_at END
FROM e WHERE c.shard = e.shard AND c.workspace = e.workspace AND c.contact = e.contact
RETURNING 1";

/// Claims what is due in one slice: $1 and $2 its bounds, $3 now, $4 limit, $5 period, $6 token.
pub(crate) const CLAIM: &str = concat!(
    "WITH d AS (
    SELECT shard, workspace, contact FROM chatflow_conversation
    WHERE shard >= $1 AND shard < $2 AND filed_at <= $3 AND due_at <= $3 AND NOT quarantined AND claims = 0 AND lease_until <= ",
    now!(),
    "
    ORDER BY filed_at LIMIT $4 FOR UPDATE SKIP LOCKED)
UPDATE chatflow_conversation c SET lease_until = ",
    now!(),
    " + $5, lease_token = $6, claims = c.claims + 1
FROM d WHERE c.shard >= $1 AND c.shard < $2 AND c.shard = d.shard AND c.workspace = d.workspace AND c.contact = d.contact
RETURNING c.workspace, c.contact, c.revision, c.record, c.settled, c.claims, c.due_at, ",
    now!()
);

/// When a conversation whose last lease ended unsettled may be tried, as `retry_pause` says.
macro_rules! rested {
    () => {
        "(lease_until + (1000000::bigint << least(claims - 1, 6)::int))"
    };
}

/// The same for those whose last lease ended unsettled and whose pause is over, in all slices.
pub(crate) const CLAIM_SUSPECTS: &str = concat!(
    "WITH d AS (
    SELECT shard, workspace, contact FROM chatflow_conversation
    WHERE shard >= $1 AND shard < $2 AND filed_at <= $3 AND due_at <= $3 AND NOT quarantined AND claims > 0 AND ",
    rested!(),
    " <= ",
    now!(),
    "
    ORDER BY ",
    rested!(),
    " LIMIT $4 FOR UPDATE SKIP LOCKED)
UPDATE chatflow_conversation c SET lease_until = ",
    now!(),
    " + $5, lease_token = $6, claims = c.claims + 1
FROM d WHERE c.shard >= $1 AND c.shard < $2 AND c.shard = d.shard AND c.workspace = d.workspace AND c.contact = d.contact
RETURNING c.workspace, c.contact, c.revision, c.record, c.settled, c.claims, c.due_at, ",
    now!()
);

/// When the first of those may be tried. $1 now.
pub(crate) const NEXT_SUSPECT: &str = concat!(
    "SELECT min(greatest(filed_at, ",
    rested!(),
    " - ",
    now!(),
    " + $1)), NULL::bigint, ",
    now!(),
    " FROM chatflow_conversation WHERE filed_at <= $1 AND NOT quarantined AND claims > 0"
);

/// The server's clock.
pub(crate) const TIME: &str = concat!("SELECT ", now!());

/// The shards that have something due, the longest overdue first: $1 now, $2 limit.
pub(crate) const GLANCE: &str = concat!(
    "SELECT shard FROM chatflow_conversation
WHERE filed_at <= $1 AND due_at <= $1 AND NOT quarantined AND claims = 0 AND lease_until <= ",
    now!(),
    " ORDER BY filed_at LIMIT $2"
);

/// When the next is due, or earlier: of those that are free the first, and of those before it the
/// end of their leases, with the pause of those whose last lease ended unsettled. $1 now.
pub(crate) const NEXT_DUE: &str = concat!(
    "WITH free AS (
    SELECT filed_at FROM chatflow_conversation
    WHERE filed_at IS NOT NULL AND NOT quarantined AND claims = 0 AND lease_until <= ",
    now!(),
    " ORDER BY filed_at LIMIT 1)
SELECT (SELECT filed_at FROM free), (
    SELECT min(greatest(filed_at, CASE WHEN claims > 0 THEN ",
    rested!(),
    " ELSE lease_until END - ",
    now!(),
    " + $1)) FROM chatflow_conversation
    WHERE filed_at IS NOT NULL AND NOT quarantined AND (claims > 0 OR lease_until > ",
    now!(),
    ") AND filed_at < coalesce((SELECT filed_at FROM free), 9223372036854775807)), ",
    now!()
);
