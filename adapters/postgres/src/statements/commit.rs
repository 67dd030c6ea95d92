//! Writing turns, and taking note of what is delivered.

/// The rows of a batch: $1 to $12, the key that must not be there, $13 to $15, the token and the
/// watermark of a settle that was acknowledged before, $16 and $17, and what the decision was made
/// on beside the record, $18 and $19.
macro_rules! batch {
    () => {
        "unnest($1::smallint[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bigint[],
        $8::smallint[], $9::uuid[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[], $14::text[], $15::text[],
        $16::uuid[], $17::bigint[], $18::bigint[], $19::bigint[])
        AS v(shard, workspace, contact, expect, record, due_at, dead_letters, lease, token, period, now, ord,
            key_flow, key_name, key_hash, rides, watermark, seen, catalogue)"
    };
}

/// Looked for call by call (`OFFSET 0`): PostgreSQL would join by workspace and flow, and so read
/// all keys of a flow.
macro_rules! key_is_new {
    () => {
        "NOT EXISTS (SELECT 1 FROM chatflow_key e WHERE e.workspace = v.workspace AND e.flow = v.key_flow
            AND e.key = v.key_name AND e.expires_at + 0 > v.now OFFSET 0)
        AND NOT EXISTS (SELECT 1 FROM chatflow_key e WHERE e.workspace = v.workspace AND e.flow = v.key_flow
            AND e.key = v.key_hash AND e.expires_at + 0 > v.now OFFSET 0)"
    };
}

/// The watermark, once a settle that rides has taken effect.
macro_rules! settled {
    () => {
        "CASE WHEN c.lease_token = v.rides THEN greatest(c.settled, v.watermark) ELSE c.settled END"
    };
}

/// A decision was made on the watermark, the flows and the quarantine that are stored (rule 29).
macro_rules! is_as_seen {
    () => {
        concat!(
            "(v.seen IS NULL OR (NOT c.quarantined AND v.seen = ",
            settled!(),
            " AND (v.catalogue IS NULL OR v.catalogue = coalesce((SELECT f.revision FROM chatflow_catalogue f
            WHERE f.workspace = v.workspace), 0))))"
        )
    };
}

/// Compare-and-swap of conversations that are there. The new revision is the server's time, if that
/// is later: so it is none that a server gave whose last commits were lost (rule 29). A settle that
/// rides with a commit takes effect first, if its token was the last to hold the lease.
macro_rules! update {
    ($guard:expr) => {
        concat!(
            "UPDATE chatflow_conversation c SET revision = greatest(c.revision + 1, ",
            now!(),
            "), record = v.record, due_at = v.due_at,
        filed_at = least(c.filed_at, v.due_at),
        dead_letters = v.dead_letters, quarantined = false,
        settled = ",
            settled!(),
            ",
        claims = CASE WHEN v.lease >= 2 OR c.lease_token = v.rides THEN 0 ELSE c.claims END,
        lease_until = CASE WHEN v.lease = 3 THEN 0
            WHEN v.lease = 1 AND (c.lease_until <= ",
            now!(),
            " OR c.lease_token IN (v.token, v.rides)) THEN ",
            now!(),
            " + v.period
            WHEN c.lease_token = v.rides THEN 0 ELSE c.lease_until END,
        lease_token = CASE WHEN v.lease = 3 THEN NULL
            WHEN v.lease = 1 AND (c.lease_until <= ",
            now!(),
            " OR c.lease_token IN (v.token, v.rides)) THEN v.token
            WHEN c.lease_token = v.rides THEN NULL ELSE c.lease_token END
    FROM ",
            batch!(),
            "
    WHERE c.shard = v.shard AND c.workspace = v.workspace AND c.contact = v.contact AND c.revision = v.expect
        AND (v.lease < 2 OR (c.lease_token = v.token AND c.lease_until > ",
            now!(),
            ")) AND ",
            is_as_seen!(),
            $guard,
            "
    RETURNING v.ord AS ord, c.revision AS revision, c.settled AS settled,
        coalesce(v.lease IN (1, 2) AND c.lease_token = v.token AND c.lease_until > ",
            now!(),
            ", false) AS leased"
        )
    };
}

/// Conversations that are new. Their first revision is the server's time, which no revision has
/// reached before.
macro_rules! insert {
    () => {
        concat!(
            "v AS (SELECT * FROM ",
            batch!(),
            "), n AS (
    INSERT INTO chatflow_conversation AS c (shard, workspace, contact, revision, settled, due_at, filed_at,
        lease_until, lease_token, claims, dead_letters, quarantined, record)
    SELECT v.shard, v.workspace, v.contact, ",
            now!(),
            ", 0, v.due_at, v.due_at, CASE WHEN v.lease = 1 THEN ",
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

/// Rows that a commit writes beside its conversation, only if that was written: $20 to $30
/// sessions, $31 to $40 journal.
macro_rules! archive {
    () => {
        ", s AS (
    INSERT INTO chatflow_session AS o (shard, workspace, contact, session, flow, version, state, started_at, called,
        ended_at, record)
    SELECT s.shard, s.workspace, s.contact, s.session, s.flow, s.version, s.state, s.started_at, s.called, s.ended_at,
        s.record
    FROM unnest($20::bigint[], $21::smallint[], $22::text[], $23::text[], $24::uuid[], $25::text[], $26::bigint[],
        $27::smallint[], $28::bigint[], $29::text[], $30::bigint[], $31::bytea[])
        AS s(ord, shard, workspace, contact, session, flow, version, state, started_at, called, ended_at, record)
    JOIN c ON c.ord = s.ord
    ON CONFLICT (session, workspace, shard) DO UPDATE SET contact = excluded.contact, flow = excluded.flow,
        version = excluded.version, state = excluded.state, started_at = excluded.started_at, called = excluded.called,
        ended_at = excluded.ended_at, record = excluded.record
), j AS (
    INSERT INTO chatflow_journal (shard, workspace, contact, session, seq, flow, version, at, failed, entry)
    SELECT j.shard, j.workspace, j.contact, j.session, j.seq, j.flow, j.version, j.at, j.failed, j.entry
    FROM unnest($32::bigint[], $33::smallint[], $34::text[], $35::text[], $36::uuid[], $37::bigint[], $38::text[],
        $39::bigint[], $40::bigint[], $41::boolean[], $42::bytea[])
        AS j(ord, shard, workspace, contact, session, seq, flow, version, at, failed, entry)
    JOIN c ON c.ord = j.ord
    ON CONFLICT (session, seq, workspace, shard) DO NOTHING
)"
    };
}

/// Keys and aliases, which must be new: a duplicate undoes the whole statement. $43 to $54 and $60
/// keys, $55 to $59 aliases.
macro_rules! names {
    () => {
        ", k AS (
    INSERT INTO chatflow_key (workspace, flow, key, fingerprint, started, session, version, contact, expires_at, erased,
        state, digest)
    SELECT k.workspace, k.flow, k.key, k.fingerprint, k.started, k.session, k.version, k.contact, k.expires_at,
        k.erased, k.state, k.digest
    FROM unnest($43::bigint[], $44::text[], $45::text[], $46::text[], $47::uuid[], $48::boolean[], $49::uuid[],
        $50::bigint[], $51::text[], $52::bigint[], $53::boolean[], $54::text[], $60::uuid[])
        AS k(ord, workspace, flow, key, fingerprint, started, session, version, contact, expires_at, erased, state,
            digest)
    JOIN c ON c.ord = k.ord
), a AS (
    INSERT INTO chatflow_alias (workspace, alias, shard, contact)
    SELECT a.workspace, a.alias, a.shard, a.contact
    FROM unnest($55::bigint[], $56::text[], $57::text[], $58::smallint[], $59::text[])
        AS a(ord, workspace, alias, shard, contact)
    JOIN c ON c.ord = a.ord
    WHERE NOT EXISTS (SELECT 1 FROM chatflow_alias o
        WHERE o.workspace = a.workspace AND o.alias = a.alias AND o.contact = a.contact)
)"
    };
}

/// The increments of counters, each once for all commits of the batch: $61 to $67. The rows are
/// this connection's alone, which does one thing at a time: nobody waits for them.
macro_rules! counters {
    () => {
        ", t AS (
    INSERT INTO chatflow_count AS o (workspace, flow, minute, version, what, shard, times)
    SELECT t.workspace, t.flow, t.minute, t.version, t.what, pg_backend_pid(), sum(t.times)::bigint
    FROM unnest($61::bigint[], $62::text[], $63::text[], $64::bigint[], $65::bigint[], $66::text[], $67::bigint[])
        AS t(ord, workspace, flow, minute, version, what, times)
    JOIN c ON c.ord = t.ord
    GROUP BY t.workspace, t.flow, t.minute, t.version, t.what
    ORDER BY t.workspace, t.flow, t.minute, t.version, t.what
    ON CONFLICT (workspace, flow, minute, version, what, shard) DO UPDATE SET times = o.times + excluded.times
)"
    };
}

macro_rules! applied {
    () => {
        " SELECT ord, revision, settled, leased FROM c"
    };
}

/// A turn that starts and ends nothing.
pub(crate) const UPDATE: &str = concat!("WITH c AS (", update!(""), ")", applied!());

/// One that starts or ends sessions, or is journalled.
pub(crate) const UPDATE_ARCHIVE: &str = concat!("WITH c AS (", update!(""), ")", archive!(), applied!());

/// One that has a key or new aliases too.
pub(crate) const UPDATE_ALL: &str =
    concat!("WITH c AS (", update!(concat!(" AND ", key_is_new!())), ")", archive!(), names!(), applied!());

/// The first turn of a conversation.
pub(crate) const INSERT_ALL: &str = concat!("WITH ", insert!(), archive!(), names!(), applied!());

/// The same two, for commits that count.
pub(crate) const UPDATE_COUNTED: &str = concat!(
    "WITH c AS (",
    update!(concat!(" AND ", key_is_new!())),
    ")",
    archive!(),
    names!(),
    counters!(),
    applied!()
);
pub(crate) const INSERT_COUNTED: &str =
    concat!("WITH ", insert!(), archive!(), names!(), counters!(), applied!());

/// $1 workspace, $2 contact, $3 aliases that lead there no more.
pub(crate) const DROP_ALIASES: &str =
    "DELETE FROM chatflow_alias WHERE workspace = $1 AND contact = $2 AND alias = ANY($3)";

/// Asks for the reason for which a commit was refused: $1 shard, $2 workspace, $3 contact, $4
/// token, $5 flow of the key, $6 key, $7 its hash, $8 now, $9 aliases to be added.
pub(crate) const EXPLAIN: &str = concat!(
    "SELECT c.revision, coalesce(c.lease_token = $4 AND c.lease_until > ",
    now!(),
    ", false),
    EXISTS (SELECT 1 FROM chatflow_key k WHERE k.workspace = $2 AND k.flow = $5 AND k.key = $6
        AND k.expires_at + 0 > $8)
    OR EXISTS (SELECT 1 FROM chatflow_key k WHERE k.workspace = $2 AND k.flow = $5 AND k.key = $7
        AND k.expires_at + 0 > $8)
FROM (SELECT 1) one
LEFT JOIN chatflow_conversation c ON c.shard = $1 AND c.workspace = $2 AND c.contact = $3"
);

/// Where aliases lead that do not lead to $2: $1 workspace, $3 aliases.
pub(crate) const HOLDERS: &str =
    "SELECT alias, contact FROM chatflow_alias WHERE workspace = $1 AND contact <> $2 AND alias = ANY($3)";

/// A key whose time is over but that was not purged yet: $1 workspace, $2 flow, $3 key, $4 its
/// hash, $5 now.
pub(crate) const DROP_EXPIRED_KEY: &str = "DELETE FROM chatflow_key WHERE workspace = $1 AND flow = $2 AND key IN ($3, $4) AND expires_at + 0 <= $5";

macro_rules! settle {
    ($until:expr, $token:expr, $guard:expr) => {
        concat!(
            "UPDATE chatflow_conversation c SET settled = greatest(c.settled, v.settled), claims = 0,
    due_at = CASE WHEN c.revision <> v.revision THEN c.due_at WHEN v.quarantine OR c.quarantined THEN NULL
        ELSE v.due_at END,
    filed_at = CASE WHEN c.revision <> v.revision THEN c.filed_at ELSE least(c.filed_at, v.due_at) END,
    quarantined = c.quarantined OR (v.quarantine AND c.revision = v.revision),
    lease_until = ",
            $until,
            ", lease_token = ",
            $token,
            "
FROM unnest($1::smallint[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::boolean[],
    $9::bigint[]) AS v(shard, workspace, contact, token, revision, settled, due_at, quarantine, ord)
WHERE c.shard = v.shard AND c.workspace = v.workspace AND c.contact = v.contact AND c.lease_token = v.token",
            $guard,
            "
RETURNING v.ord, c.settled, c.revision = v.revision"
        )
    };
}

/// Takes note of what is delivered.
pub(crate) const SETTLE: &str = settle!(
    "CASE WHEN c.revision = v.revision THEN 0 ELSE c.lease_until END",
    "CASE WHEN c.revision = v.revision THEN NULL ELSE c.lease_token END",
    concat!(" AND c.lease_until > ", now!())
);

/// The same, of what was acknowledged before: the holder of the lease has gone, and nobody held it
/// since.
pub(crate) const SETTLE_LATE: &str = settle!("0", "NULL", "");
