//! Counting what lives, removing what is past its retention, forgetting a contact.

/// Live sessions that need a flow: $1 workspace, $2 flow, $3 version, $4 what its callers' text
/// contains.
pub(crate) const LIVE: &str = "SELECT count(*) FROM chatflow_session
WHERE workspace = $1 AND ended_at IS NULL AND (
    (state IN (1, 2) AND flow = $2 AND ($3::bigint IS NULL OR version = $3))
    OR (state = 2 AND strpos(called, $4) > 0))";

/// The same, and makes their conversations due: $5 when.
pub(crate) const WAKE: &str = "WITH needed AS (
    SELECT shard, contact FROM chatflow_session
    WHERE workspace = $1 AND ended_at IS NULL AND (
        (state IN (1, 2) AND flow = $2 AND ($3::bigint IS NULL OR version = $3))
        OR (state = 2 AND strpos(called, $4) > 0))
), woken AS (
    UPDATE chatflow_conversation c SET due_at = least(c.due_at, $5), filed_at = least(c.filed_at, $5)
    FROM (SELECT DISTINCT shard, contact FROM needed) n
    WHERE c.shard = n.shard AND c.workspace = $1 AND c.contact = n.contact AND NOT c.quarantined
        AND (c.due_at IS NULL OR c.due_at > $5)
)
SELECT count(*) FROM needed";

/// $1 before, $2 limit.
pub(crate) const PURGE_KEYS: &str = "WITH old AS (
    SELECT workspace, flow, key FROM chatflow_key WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 + 1
), gone AS (
    DELETE FROM chatflow_key k USING (SELECT * FROM old LIMIT $2) o
    WHERE k.workspace = o.workspace AND k.flow = o.flow AND k.key = o.key AND k.expires_at <= $1
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM old)";

/// $1 before, $2 limit.
pub(crate) const PURGE_SESSIONS: &str = "WITH old AS (
    SELECT shard, workspace, contact, session FROM chatflow_session
    WHERE state = 0 AND ended_at < $1 ORDER BY ended_at LIMIT $2 + 1
), gone AS (
    DELETE FROM chatflow_session s USING (SELECT * FROM old LIMIT $2) o
    WHERE s.session = o.session AND s.workspace = o.workspace AND s.shard = o.shard AND s.state = 0
    RETURNING s.workspace, s.contact, s.session
), forgotten AS (
    DELETE FROM chatflow_alias a USING gone g
    WHERE a.workspace = g.workspace AND a.alias = 's:' || g.session::text AND a.contact = g.contact
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM old)";

/// $1 before, $2 limit.
pub(crate) const PURGE_JOURNAL: &str = "WITH old AS (
    SELECT shard, workspace, session, seq FROM chatflow_journal WHERE at < $1 ORDER BY at LIMIT $2 + 1
), gone AS (
    DELETE FROM chatflow_journal j USING (SELECT * FROM old LIMIT $2) o
    WHERE j.session = o.session AND j.seq = o.seq AND j.workspace = o.workspace AND j.shard = o.shard
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM old)";

/// $1 before which minute, $2 limit. Waits for nobody who adds to one of them.
pub(crate) const PURGE_COUNTS: &str = "WITH old AS (
    SELECT workspace, flow, minute, version, what, shard FROM chatflow_count
    WHERE minute < $1 ORDER BY minute LIMIT $2 + 1 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM chatflow_count t USING (SELECT * FROM old LIMIT $2) o
    WHERE t.workspace = o.workspace AND t.flow = o.flow AND t.minute = o.minute AND t.version = o.version
        AND t.what = o.what AND t.shard = o.shard
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM old)";

/// $1 shard, $2 workspace, $3 contact, $4 revision.
pub(crate) const ERASE: &str = "DELETE FROM chatflow_conversation
WHERE shard = $1 AND workspace = $2 AND contact = $3 AND revision = $4 RETURNING 1";

/// $1 workspace, $2 contact.
pub(crate) const ERASE_ALIASES: &str = "DELETE FROM chatflow_alias WHERE workspace = $1 AND contact = $2";

/// $1 workspace, $2 contact, $3 shard.
pub(crate) const ERASE_SESSIONS: &str = "WITH gone AS (
    DELETE FROM chatflow_session WHERE workspace = $1 AND contact = $2 AND shard = $3 RETURNING state)
SELECT count(*) FROM gone WHERE state = 0";

/// Sessions that have not ended: $1 workspace, $2 contact, $3 shard.
pub(crate) const ERASE_LIVE: &str =
    "DELETE FROM chatflow_session WHERE workspace = $1 AND contact = $2 AND shard = $3 AND state <> 0";

/// $1 workspace, $2 contact, $3 shard.
pub(crate) const ERASE_JOURNAL: &str = "WITH gone AS (
    DELETE FROM chatflow_journal WHERE workspace = $1 AND contact = $2 AND shard = $3 RETURNING 1)
SELECT count(*) FROM gone";

/// The keys of a contact: $1 workspace, $2 contact.
pub(crate) const KEYS_OF: &str = "SELECT flow, key, expires_at FROM chatflow_key
WHERE workspace = $1 AND contact = $2 AND NOT erased FOR UPDATE";

/// $1 workspace, $2 flows, $3 keys.
pub(crate) const DROP_KEYS: &str = "DELETE FROM chatflow_key k
USING unnest($2::text[], $3::text[]) AS v(flow, key)
WHERE k.workspace = $1 AND k.flow = v.flow AND k.key = v.key";

/// Keys of which no more than a hash stays: $1 workspace, $2 flows, $3 hashes, $4 until when.
pub(crate) const KEEP_HASHES: &str =
    "INSERT INTO chatflow_key (workspace, flow, key, fingerprint, started, session, version, contact, expires_at, erased)
SELECT $1, v.flow, v.key, '00000000-0000-0000-0000-000000000000', false, '00000000-0000-0000-0000-000000000000', 0, '',
    v.expires_at, true
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS v(flow, key, expires_at)";
