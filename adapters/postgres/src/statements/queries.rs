//! Lists of sessions, journals and conversations.

/// Sessions, newest first: $1 workspace, $2 flow, $3 contact, $4 shard of that, $5 live, $6 and $7
/// cursor, $8 limit, $9 started from, $10 ended from, $11 ended before.
pub(crate) const SESSIONS: &str = "SELECT s.contact, s.session, s.started_at, s.record, c.record
FROM (
    SELECT shard, workspace, contact, session, started_at, state, record FROM chatflow_session
    WHERE workspace = $1 AND ($2::text IS NULL OR flow = $2)
        AND ($3::text IS NULL OR (contact = $3 AND shard = $4))
        AND ($5::boolean IS NULL OR (state > 0) = $5)
        AND ($6::bigint IS NULL OR (started_at, session) < ($6, $7::uuid))
        AND ($9::bigint IS NULL OR started_at >= $9)
        AND ($10::bigint IS NULL OR ended_at >= $10) AND ($11::bigint IS NULL OR ended_at < $11)
    ORDER BY started_at DESC, session DESC LIMIT $8) s
LEFT JOIN chatflow_conversation c
    ON s.state > 0 AND c.shard = s.shard AND c.workspace = s.workspace AND c.contact = s.contact
ORDER BY s.started_at DESC, s.session DESC";

/// The contacts of so many: $1 workspace, $2 contacts, $3 the shard of each.
pub(crate) const CONTACTS: &str =
    "SELECT c.contact, c.record FROM unnest($2::text[], $3::smallint[]) AS w(contact, shard)
JOIN chatflow_conversation c ON c.shard = w.shard AND c.workspace = $1 AND c.contact = w.contact";

/// $1 workspace, $2 session.
pub(crate) const SESSION: &str = "SELECT s.contact, s.session, s.started_at, s.record, c.record
FROM chatflow_session s LEFT JOIN chatflow_conversation c
    ON s.state > 0 AND c.shard = s.shard AND c.workspace = s.workspace AND c.contact = s.contact
WHERE s.session = $2 AND s.workspace = $1";

/// $1 workspace, $2 session.
pub(crate) const JOURNAL: &str =
    "SELECT entry FROM chatflow_journal WHERE session = $2 AND workspace = $1 ORDER BY seq";

/// $1 workspace, $2 flow, $3 version, $4 failed only, $5 from, $6 to, $7 to $9 cursor, $10 limit.
pub(crate) const JOURNAL_OF: &str = "SELECT entry FROM chatflow_journal
WHERE workspace = $1 AND flow = $2 AND ($3::bigint IS NULL OR version = $3) AND (failed OR NOT $4)
    AND at >= $5 AND at < $6 AND ($7::bigint IS NULL OR (at, session, seq) > ($7, $8::uuid, $9::bigint))
ORDER BY at, session, seq LIMIT $10";

/// $1 workspace, $2 after, $3 limit.
pub(crate) const QUARANTINED: &str = "SELECT contact, record FROM chatflow_conversation
WHERE workspace = $1 AND quarantined AND ($2::text IS NULL OR contact > $2) ORDER BY contact LIMIT $3";

/// $1 workspace, $2 after, $3 limit.
pub(crate) const DEAD: &str = "SELECT contact, record FROM chatflow_conversation
WHERE workspace = $1 AND dead_letters > 0 AND ($2::text IS NULL OR contact > $2) ORDER BY contact LIMIT $3";

/// $1 workspace, $2 flow, $3 from, $4 before which minute.
pub(crate) const COUNTS: &str = "SELECT version, what, sum(times)::bigint FROM chatflow_count
WHERE workspace = $1 AND flow = $2 AND minute >= $3 AND minute < $4 GROUP BY version, what";
