//! The statements of the daily work. Each modifies a table at most once, and all of them take values as parameters only.

/// The server's time, in microseconds of the epoch: what leases are judged by.
macro_rules! now {
    () => {
        "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"
    };
}

macro_rules! loaded {
    () => {
        concat!(
            "c.contact, c.revision, c.record, c.settled, c.quarantined,
    coalesce(c.lease_token = $3 AND c.lease_until > ",
            now!(),
            ", false),
    f.revision, k.fingerprint, k.started, k.session, k.version, k.contact, k.expires_at, k.erased"
        )
    };
}

macro_rules! beside {
    () => {
        "
LEFT JOIN chatflow_catalogue f ON f.workspace = $1
LEFT JOIN chatflow_key k ON k.workspace = $1 AND k.flow = $4 AND k.key IN ($5, $6) AND k.expires_at > $7
LIMIT 1"
    };
}

/// $1 workspace, $2 contact, $3 token, $4 flow of the key, $5 key, $6 its hash, $7 now, $8 shard.
pub(super) const LOAD: &str = concat!(
    "SELECT ",
    loaded!(),
    "
FROM (SELECT 1) one
LEFT JOIN chatflow_conversation c ON c.shard = $8 AND c.workspace = $1 AND c.contact = $2",
    beside!()
);

/// The same by an alias: $2.
pub(super) const LOAD_BY_ALIAS: &str = concat!(
    "SELECT ",
    loaded!(),
    "
FROM (SELECT 1) one
LEFT JOIN chatflow_alias a ON a.workspace = $1 AND a.alias = $2
LEFT JOIN chatflow_conversation c ON c.shard = a.shard AND c.workspace = a.workspace AND c.contact = a.contact",
    beside!()
);

/// The rows of a batch: $1 to $12, and the key that must not be there, $13 to $15.
macro_rules! batch {
    () => {
        "unnest($1::smallint[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bigint[],
        $8::smallint[], $9::uuid[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[], $14::text[], $15::text[])
        AS v(shard, workspace, contact, expect, record, due_at, dead_letters, lease, token, period, now, ord,
            key_flow, key_name, key_hash)"
    };
}

macro_rules! key_is_new {
    () => {
        "NOT EXISTS (SELECT 1 FROM chatflow_key e WHERE e.workspace = v.workspace AND e.flow = v.key_flow
            AND e.key IN (v.key_name, v.key_hash) AND e.expires_at > v.now)"
    };
}

/// Compare-and-swap of conversations that are there.
macro_rules! update {
    ($guard:expr) => {
        concat!(
            "UPDATE chatflow_conversation c SET revision = c.revision + 1, record = v.record, due_at = v.due_at,
        dead_letters = v.dead_letters, quarantined = false,
        claims = CASE WHEN v.lease >= 2 THEN 0 ELSE c.claims END,
        lease_until = CASE WHEN v.lease = 3 THEN 0
            WHEN v.lease = 1 AND (c.lease_until <= ",
            now!(),
            " OR c.lease_token = v.token) THEN ",
            now!(),
            " + v.period
            ELSE c.lease_until END,
        lease_token = CASE WHEN v.lease = 3 THEN NULL
            WHEN v.lease = 1 AND (c.lease_until <= ",
            now!(),
            " OR c.lease_token = v.token) THEN v.token
            ELSE c.lease_token END
    FROM ",
            batch!(),
            "
    WHERE c.shard = v.shard AND c.workspace = v.workspace AND c.contact = v.contact AND c.revision = v.expect
        AND (v.lease < 2 OR (c.lease_token = v.token AND c.lease_until > ",
            now!(),
            "))",
            $guard,
            "
    RETURNING v.ord AS ord, c.revision AS revision, c.settled AS settled,
        coalesce(v.lease IN (1, 2) AND c.lease_token = v.token AND c.lease_until > ",
            now!(),
            ", false) AS leased"
        )
    };
}

/// Conversations that are new. Their first revision is the server's time, which no revision has reached before.
macro_rules! insert {
    () => {
        concat!(
            "v AS (SELECT * FROM ",
            batch!(),
            "), n AS (
    INSERT INTO chatflow_conversation AS c (shard, workspace, contact, revision, settled, due_at, lease_until,
        lease_token, claims, dead_letters, quarantined, record)
    SELECT v.shard, v.workspace, v.contact, ",
            now!(),
            ", 0, v.due_at, CASE WHEN v.lease = 1 THEN ",
            now!(),
            " + v.period ELSE 0 END,
        CASE WHEN v.lease = 1 THEN v.token END, 0, v.dead_letters, false, v.record
    FROM v WHERE v.lease < 2 AND ",
            key_is_new!(),
            "
    ORDER BY v.ord
    ON CONFLICT (shard, workspace, contact) DO NOTHING
    RETURNING c.workspace, c.contact, c.revision, c.lease_until), c AS (
    SELECT v.ord AS ord, n.revision AS revision, 0::bigint AS settled,
        v.lease = 1 AND n.lease_until > ",
            now!(),
            " AS leased
    FROM n JOIN v ON v.workspace = n.workspace AND v.contact = n.contact)"
        )
    };
}

/// What a commit writes beside its conversation, only if that was written: $16 to $26 sessions, $27 to $36 journal.
macro_rules! archive {
    () => {
        ", s AS (
    INSERT INTO chatflow_session AS o (shard, workspace, contact, session, flow, version, state, started_at, called,
        ended_at, record)
    SELECT s.shard, s.workspace, s.contact, s.session, s.flow, s.version, s.state, s.started_at, s.called, s.ended_at,
        s.record
    FROM unnest($16::bigint[], $17::smallint[], $18::text[], $19::text[], $20::uuid[], $21::text[], $22::bigint[],
        $23::smallint[], $24::bigint[], $25::text[], $26::bigint[], $27::bytea[])
        AS s(ord, shard, workspace, contact, session, flow, version, state, started_at, called, ended_at, record)
    JOIN c ON c.ord = s.ord
    ON CONFLICT (session, workspace, shard) DO UPDATE SET contact = excluded.contact, flow = excluded.flow,
        version = excluded.version, state = excluded.state, started_at = excluded.started_at, called = excluded.called,
        ended_at = excluded.ended_at, record = excluded.record
), j AS (
    INSERT INTO chatflow_journal (shard, workspace, contact, session, seq, flow, version, at, failed, entry)
    SELECT j.shard, j.workspace, j.contact, j.session, j.seq, j.flow, j.version, j.at, j.failed, j.entry
    FROM unnest($28::bigint[], $29::smallint[], $30::text[], $31::text[], $32::uuid[], $33::bigint[], $34::text[],
        $35::bigint[], $36::bigint[], $37::boolean[], $38::bytea[])
        AS j(ord, shard, workspace, contact, session, seq, flow, version, at, failed, entry)
    JOIN c ON c.ord = j.ord
    ON CONFLICT (session, seq, workspace, shard) DO NOTHING
)"
    };
}

/// Keys and aliases, which must be new: a duplicate undoes the whole statement. $39 to $49 keys, $50 to $54 aliases.
macro_rules! names {
    () => {
        ", k AS (
    INSERT INTO chatflow_key (workspace, flow, key, fingerprint, started, session, version, contact, expires_at, erased)
    SELECT k.workspace, k.flow, k.key, k.fingerprint, k.started, k.session, k.version, k.contact, k.expires_at, k.erased
    FROM unnest($39::bigint[], $40::text[], $41::text[], $42::text[], $43::uuid[], $44::boolean[], $45::uuid[],
        $46::bigint[], $47::text[], $48::bigint[], $49::boolean[])
        AS k(ord, workspace, flow, key, fingerprint, started, session, version, contact, expires_at, erased)
    JOIN c ON c.ord = k.ord
), a AS (
    INSERT INTO chatflow_alias (workspace, alias, shard, contact)
    SELECT a.workspace, a.alias, a.shard, a.contact
    FROM unnest($50::bigint[], $51::text[], $52::text[], $53::smallint[], $54::text[])
        AS a(ord, workspace, alias, shard, contact)
    JOIN c ON c.ord = a.ord
    WHERE NOT EXISTS (SELECT 1 FROM chatflow_alias o
        WHERE o.workspace = a.workspace AND o.alias = a.alias AND o.contact = a.contact)
)"
    };
}

macro_rules! applied {
    () => {
        " SELECT ord, revision, settled, leased FROM c"
    };
}

/// A turn that starts and ends nothing.
pub(super) const UPDATE: &str = concat!("WITH c AS (", update!(""), ")", applied!());

/// One that starts or ends sessions, or is journalled.
pub(super) const UPDATE_ARCHIVE: &str = concat!("WITH c AS (", update!(""), ")", archive!(), applied!());

/// One that has a key or new aliases too.
pub(super) const UPDATE_ALL: &str =
    concat!("WITH c AS (", update!(concat!(" AND ", key_is_new!())), ")", archive!(), names!(), applied!());

/// The first turn of a conversation.
pub(super) const INSERT_ALL: &str = concat!("WITH ", insert!(), archive!(), names!(), applied!());

/// $1 workspace, $2 contact, $3 aliases that lead there no more.
pub(super) const DROP_ALIASES: &str =
    "DELETE FROM chatflow_alias WHERE workspace = $1 AND contact = $2 AND alias = ANY($3)";

/// Why a commit was refused: $1 shard, $2 workspace, $3 contact, $4 token, $5 flow of the key, $6 key, $7 its hash,
/// $8 now, $9 aliases to be added.
pub(super) const EXPLAIN: &str = concat!(
    "SELECT c.revision, coalesce(c.lease_token = $4 AND c.lease_until > ",
    now!(),
    ", false),
    EXISTS (SELECT 1 FROM chatflow_key k WHERE k.workspace = $2 AND k.flow = $5 AND k.key IN ($6, $7)
        AND k.expires_at > $8)
FROM (SELECT 1) one
LEFT JOIN chatflow_conversation c ON c.shard = $1 AND c.workspace = $2 AND c.contact = $3"
);

/// Where aliases lead that do not lead to $2: $1 workspace, $3 aliases.
pub(super) const HOLDERS: &str =
    "SELECT alias, contact FROM chatflow_alias WHERE workspace = $1 AND contact <> $2 AND alias = ANY($3)";

/// A key whose time is over but that was not purged yet: $1 workspace, $2 flow, $3 key, $4 its hash, $5 now.
pub(super) const DROP_EXPIRED_KEY: &str =
    "DELETE FROM chatflow_key WHERE workspace = $1 AND flow = $2 AND key IN ($3, $4) AND expires_at <= $5";

/// Takes note of what is delivered.
pub(super) const SETTLE: &str = concat!(
    "UPDATE chatflow_conversation c SET settled = greatest(c.settled, v.settled), claims = 0,
    due_at = CASE WHEN c.revision <> v.revision THEN c.due_at WHEN v.quarantine OR c.quarantined THEN NULL
        ELSE v.due_at END,
    quarantined = c.quarantined OR (v.quarantine AND c.revision = v.revision),
    lease_until = CASE WHEN c.revision = v.revision THEN 0 ELSE c.lease_until END,
    lease_token = CASE WHEN c.revision = v.revision THEN NULL ELSE c.lease_token END
FROM unnest($1::smallint[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::boolean[],
    $9::bigint[]) AS v(shard, workspace, contact, token, revision, settled, due_at, quarantine, ord)
WHERE c.shard = v.shard AND c.workspace = v.workspace AND c.contact = v.contact AND c.lease_token = v.token
    AND c.lease_until > ",
    now!(),
    "
RETURNING v.ord, c.settled, c.revision = v.revision"
);

/// Claims what is due in one slice: $1 and $2 its bounds, $3 now, $4 limit, $5 period, $6 token.
pub(super) const CLAIM: &str = concat!(
    "WITH d AS (
    SELECT shard, workspace, contact FROM chatflow_conversation
    WHERE shard >= $1 AND shard < $2 AND due_at <= $3 AND NOT quarantined AND lease_until <= ",
    now!(),
    "
    ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED)
UPDATE chatflow_conversation c SET lease_until = ",
    now!(),
    " + $5, lease_token = $6, claims = c.claims + 1
FROM d WHERE c.shard >= $1 AND c.shard < $2 AND c.shard = d.shard AND c.workspace = d.workspace AND c.contact = d.contact
RETURNING c.workspace, c.contact, c.revision, c.record, c.settled, c.claims, c.due_at"
);

/// Which shards have something due, the longest overdue first: $1 now, $2 limit.
pub(super) const GLANCE: &str = concat!(
    "SELECT shard FROM chatflow_conversation
WHERE due_at <= $1 AND NOT quarantined AND lease_until <= ",
    now!(),
    " ORDER BY due_at LIMIT $2"
);

/// When the next is due: of those that are not leased the first, and of those before it the end of their leases. $1 now.
pub(super) const NEXT_DUE: &str = concat!(
    "WITH free AS (
    SELECT due_at FROM chatflow_conversation WHERE due_at IS NOT NULL AND NOT quarantined AND lease_until <= ",
    now!(),
    " ORDER BY due_at LIMIT 1)
SELECT (SELECT due_at FROM free), (
    SELECT min(greatest(due_at, lease_until - ",
    now!(),
    " + $1)) FROM chatflow_conversation
    WHERE due_at IS NOT NULL AND NOT quarantined AND lease_until > ",
    now!(),
    " AND due_at < coalesce((SELECT due_at FROM free), 9223372036854775807))"
);

/// Live sessions that need a flow: $1 workspace, $2 flow, $3 version, $4 what its callers' text contains.
pub(super) const LIVE: &str = "SELECT count(*) FROM chatflow_session
WHERE workspace = $1 AND ended_at IS NULL AND (
    (state IN (1, 2) AND flow = $2 AND ($3::bigint IS NULL OR version = $3))
    OR (state = 2 AND strpos(called, $4) > 0))";

/// The same, and makes their conversations due: $5 when.
pub(super) const WAKE: &str = "WITH needed AS (
    SELECT shard, contact FROM chatflow_session
    WHERE workspace = $1 AND ended_at IS NULL AND (
        (state IN (1, 2) AND flow = $2 AND ($3::bigint IS NULL OR version = $3))
        OR (state = 2 AND strpos(called, $4) > 0))
), woken AS (
    UPDATE chatflow_conversation c SET due_at = least(c.due_at, $5)
    FROM (SELECT DISTINCT shard, contact FROM needed) n
    WHERE c.shard = n.shard AND c.workspace = $1 AND c.contact = n.contact AND NOT c.quarantined
        AND (c.due_at IS NULL OR c.due_at > $5)
)
SELECT count(*) FROM needed";

/// $1 before, $2 limit.
pub(super) const PURGE_KEYS: &str = "WITH old AS (
    SELECT workspace, flow, key FROM chatflow_key WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 + 1
), gone AS (
    DELETE FROM chatflow_key k USING (SELECT * FROM old LIMIT $2) o
    WHERE k.workspace = o.workspace AND k.flow = o.flow AND k.key = o.key AND k.expires_at <= $1
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM old)";

/// $1 before, $2 limit.
pub(super) const PURGE_SESSIONS: &str = "WITH old AS (
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
pub(super) const PURGE_JOURNAL: &str = "WITH old AS (
    SELECT shard, workspace, session, seq FROM chatflow_journal WHERE at < $1 ORDER BY at LIMIT $2 + 1
), gone AS (
    DELETE FROM chatflow_journal j USING (SELECT * FROM old LIMIT $2) o
    WHERE j.session = o.session AND j.seq = o.seq AND j.workspace = o.workspace AND j.shard = o.shard
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM old)";

/// $1 shard, $2 workspace, $3 contact, $4 revision.
pub(super) const ERASE: &str = "DELETE FROM chatflow_conversation
WHERE shard = $1 AND workspace = $2 AND contact = $3 AND revision = $4 RETURNING 1";

/// $1 workspace, $2 contact.
pub(super) const ERASE_ALIASES: &str = "DELETE FROM chatflow_alias WHERE workspace = $1 AND contact = $2";

/// $1 workspace, $2 contact, $3 shard.
pub(super) const ERASE_SESSIONS: &str = "WITH gone AS (
    DELETE FROM chatflow_session WHERE workspace = $1 AND contact = $2 AND shard = $3 RETURNING state)
SELECT count(*) FROM gone WHERE state = 0";

/// $1 workspace, $2 contact, $3 shard.
pub(super) const ERASE_JOURNAL: &str = "WITH gone AS (
    DELETE FROM chatflow_journal WHERE workspace = $1 AND contact = $2 AND shard = $3 RETURNING 1)
SELECT count(*) FROM gone";

/// The keys of a contact: $1 workspace, $2 contact.
pub(super) const KEYS_OF: &str = "SELECT flow, key, expires_at FROM chatflow_key
WHERE workspace = $1 AND contact = $2 AND NOT erased FOR UPDATE";

/// $1 workspace, $2 flows, $3 keys.
pub(super) const DROP_KEYS: &str = "DELETE FROM chatflow_key k
USING unnest($2::text[], $3::text[]) AS v(flow, key)
WHERE k.workspace = $1 AND k.flow = v.flow AND k.key = v.key";

/// Keys of which no more than a hash stays: $1 workspace, $2 flows, $3 hashes, $4 until when.
pub(super) const KEEP_HASHES: &str =
    "INSERT INTO chatflow_key (workspace, flow, key, fingerprint, started, session, version, contact, expires_at, erased)
SELECT $1, v.flow, v.key, '00000000-0000-0000-0000-000000000000', false, '00000000-0000-0000-0000-000000000000', 0, '',
    v.expires_at, true
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS v(flow, key, expires_at)";

/// Sessions, newest first: $1 workspace, $2 flow, $3 contact, $4 shard of that, $5 live, $6 and $7 cursor, $8 limit.
pub(super) const SESSIONS: &str = "SELECT s.contact, s.session, s.started_at, s.record, c.record
FROM (
    SELECT shard, workspace, contact, session, started_at, state, record FROM chatflow_session
    WHERE workspace = $1 AND ($2::text IS NULL OR flow = $2)
        AND ($3::text IS NULL OR (contact = $3 AND shard = $4))
        AND ($5::boolean IS NULL OR (state > 0) = $5)
        AND ($6::bigint IS NULL OR (started_at, session) < ($6, $7::uuid))
    ORDER BY started_at DESC, session DESC LIMIT $8) s
LEFT JOIN chatflow_conversation c
    ON s.state > 0 AND c.shard = s.shard AND c.workspace = s.workspace AND c.contact = s.contact
ORDER BY s.started_at DESC, s.session DESC";

/// $1 workspace, $2 session.
pub(super) const SESSION: &str = "SELECT s.contact, s.session, s.started_at, s.record, c.record
FROM chatflow_session s LEFT JOIN chatflow_conversation c
    ON s.state > 0 AND c.shard = s.shard AND c.workspace = s.workspace AND c.contact = s.contact
WHERE s.session = $2 AND s.workspace = $1";

/// $1 workspace, $2 session.
pub(super) const JOURNAL: &str =
    "SELECT entry FROM chatflow_journal WHERE session = $2 AND workspace = $1 ORDER BY seq";

/// $1 workspace, $2 flow, $3 version, $4 failed only, $5 from, $6 to, $7 to $9 cursor, $10 limit.
pub(super) const JOURNAL_OF: &str = "SELECT entry FROM chatflow_journal
WHERE workspace = $1 AND flow = $2 AND ($3::bigint IS NULL OR version = $3) AND (failed OR NOT $4)
    AND at >= $5 AND at < $6 AND ($7::bigint IS NULL OR (at, session, seq) > ($7, $8::uuid, $9::bigint))
ORDER BY at, session, seq LIMIT $10";

/// $1 workspace, $2 after, $3 limit.
pub(super) const QUARANTINED: &str = "SELECT contact, record FROM chatflow_conversation
WHERE workspace = $1 AND quarantined AND ($2::text IS NULL OR contact > $2) ORDER BY contact LIMIT $3";

/// $1 workspace, $2 after, $3 limit.
pub(super) const DEAD: &str = "SELECT contact, record FROM chatflow_conversation
WHERE workspace = $1 AND dead_letters > 0 AND ($2::text IS NULL OR contact > $2) ORDER BY contact LIMIT $3";

/// $1 workspace.
pub(super) const CATALOGUE_REVISION: &str = "SELECT revision FROM chatflow_catalogue WHERE workspace = $1";

/// $1 workspace.
pub(super) const CATALOGUE: &str = "SELECT c.revision, f.entry
FROM chatflow_catalogue c LEFT JOIN chatflow_flow f ON f.workspace = c.workspace WHERE c.workspace = $1";

/// $1 workspace, $2 flow, $3 version, 0 the draft.
pub(super) const DEFINITION: &str =
    "SELECT text FROM chatflow_definition WHERE workspace = $1 AND flow = $2 AND version = $3";

/// Counts a change of a workspace's flows, and lets no other change begin before this one ends. $1 workspace.
pub(super) const NEXT_CATALOGUE: &str =
    "INSERT INTO chatflow_catalogue AS c (workspace, revision) VALUES ($1, 1)
ON CONFLICT (workspace) DO UPDATE SET revision = c.revision + 1";

/// $1 workspace, $2 flow.
pub(super) const FLOW_REVISION: &str =
    "SELECT revision FROM chatflow_flow WHERE workspace = $1 AND flow = $2 FOR UPDATE";

/// $1 workspace, $2 flow, $3 revision, $4 terminated, $5 entry.
pub(super) const SAVE_FLOW: &str = "INSERT INTO chatflow_flow (workspace, flow, revision, terminated, entry)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (workspace, flow) DO UPDATE
SET revision = excluded.revision, terminated = excluded.terminated, entry = excluded.entry";

/// $1 workspace, $2 flow, $3 version, $4 text.
pub(super) const SAVE_DEFINITION: &str = "INSERT INTO chatflow_definition (workspace, flow, version, text)
VALUES ($1, $2, $3, $4) ON CONFLICT (workspace, flow, version) DO UPDATE SET text = excluded.text";

/// $1 workspace, $2 flow.
pub(super) const DROP_DRAFT: &str =
    "DELETE FROM chatflow_definition WHERE workspace = $1 AND flow = $2 AND version = 0";

pub(super) const TERMINATED: &str = "SELECT DISTINCT workspace FROM chatflow_flow WHERE terminated";
