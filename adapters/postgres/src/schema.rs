//! The tables, and the statements that make them. Each change of them is a new number.
//!
//! A conversation's `due_at` is when something is due; `filed_at` is where the index has it: there
//! or earlier, never later. A deadline that moves on, as each answer moves it, so changes no
//! indexed column, and PostgreSQL writes no index at all.
//!
//! A flow's `saved_at` is the revision of its workspace's catalogue that its last save made.

/// The schema that this release reads and writes.
pub(super) const VERSION: i64 = 1 + ADDED.len() as i64;

/// The version of the schema, and the number of slices of its tables. One row, which
/// migrations lock.
pub(super) const CREATE_SCHEMA: &str = "CREATE TABLE IF NOT EXISTS chatflow_schema (
    id smallint NOT NULL PRIMARY KEY, version bigint NOT NULL, partitions bigint NOT NULL)";

pub(super) const BEGIN_SCHEMA: &str =
    "INSERT INTO chatflow_schema (id, version, partitions) VALUES (1, 0, 0) ON CONFLICT (id) DO NOTHING";

pub(super) const LOCK_SCHEMA: &str =
    "SELECT version, partitions FROM chatflow_schema WHERE id = 1 FOR UPDATE";

pub(super) const READ_SCHEMA: &str =
    "SELECT version, partitions, current_setting('transaction_isolation') <> 'read committed'
FROM chatflow_schema WHERE id = 1";

pub(super) const SET_SCHEMA: &str = "UPDATE chatflow_schema SET version = $1, partitions = $2 WHERE id = 1";

macro_rules! conversation {
    ($end:literal) => {
        concat!(
            "CREATE TABLE chatflow_conversation (
    shard smallint NOT NULL,
    workspace text COLLATE \"C\" NOT NULL,
    contact text COLLATE \"C\" NOT NULL,
    revision bigint NOT NULL,
    settled bigint NOT NULL,
    due_at bigint,
    filed_at bigint,
    lease_until bigint NOT NULL,
    lease_token uuid,
    claims bigint NOT NULL,
    dead_letters bigint NOT NULL,
    quarantined boolean NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (shard, workspace, contact))",
            $end
        )
    };
}

macro_rules! session {
    ($end:literal) => {
        concat!(
            "CREATE TABLE chatflow_session (
    shard smallint NOT NULL,
    workspace text COLLATE \"C\" NOT NULL,
    contact text COLLATE \"C\" NOT NULL,
    session uuid NOT NULL,
    flow text COLLATE \"C\" NOT NULL,
    version bigint NOT NULL,
    state smallint NOT NULL,
    started_at bigint NOT NULL,
    called text COLLATE \"C\",
    ended_at bigint,
    record bytea,
    PRIMARY KEY (session, workspace, shard))",
            $end
        )
    };
}

macro_rules! journal {
    ($end:literal) => {
        concat!(
            "CREATE TABLE chatflow_journal (
    shard smallint NOT NULL,
    workspace text COLLATE \"C\" NOT NULL,
    contact text COLLATE \"C\" NOT NULL,
    session uuid NOT NULL,
    seq bigint NOT NULL,
    flow text COLLATE \"C\" NOT NULL,
    version bigint NOT NULL,
    at bigint NOT NULL,
    failed boolean NOT NULL,
    entry bytea NOT NULL,
    PRIMARY KEY (session, seq, workspace, shard))",
            $end
        )
    };
}

/// The three tables that grow with conversations, whole.
pub(super) const CREATE_WHOLE: &[&str] = &[conversation!(""), session!(""), journal!("")];

/// The same, in slices.
pub(super) const CREATE_SLICED: &[&str] = &[
    conversation!(" PARTITION BY RANGE (shard)"),
    session!(" PARTITION BY RANGE (shard)"),
    journal!(" PARTITION BY RANGE (shard)"),
];

/// Makes the slices of one table. The names of tables and bounds cannot be parameters: the server
/// writes them itself from numbers.
pub(super) const CREATE_SLICES: &str = "DO $$
DECLARE
    slices integer := (SELECT partitions FROM chatflow_schema WHERE id = 1);
    sliced text;
BEGIN
    FOREACH sliced IN ARRAY ARRAY['chatflow_conversation', 'chatflow_session', 'chatflow_journal'] LOOP
        FOR nth IN 0 .. slices - 1 LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                sliced || '_' || nth, sliced, nth * 1024 / slices, (nth + 1) * 1024 / slices);
        END LOOP;
    END LOOP;
END $$";

/// All other tables, and the indexes.
pub(super) const CREATE: &[&str] = &[
    "CREATE INDEX chatflow_conversation_filed ON chatflow_conversation (filed_at) WHERE filed_at IS NOT NULL",
    "CREATE INDEX chatflow_conversation_quarantined ON chatflow_conversation (workspace, contact)
    WHERE quarantined",
    "CREATE INDEX chatflow_conversation_dead ON chatflow_conversation (workspace, contact)
    WHERE dead_letters > 0",
    "CREATE TABLE chatflow_alias (
    workspace text COLLATE \"C\" NOT NULL,
    alias text COLLATE \"C\" NOT NULL,
    shard smallint NOT NULL,
    contact text COLLATE \"C\" NOT NULL,
    PRIMARY KEY (workspace, alias))",
    "CREATE INDEX chatflow_alias_contact ON chatflow_alias (workspace, contact)",
    "CREATE TABLE chatflow_key (
    workspace text COLLATE \"C\" NOT NULL,
    flow text COLLATE \"C\" NOT NULL,
    key text COLLATE \"C\" NOT NULL,
    fingerprint uuid NOT NULL,
    started boolean NOT NULL,
    session uuid NOT NULL,
    version bigint NOT NULL,
    contact text COLLATE \"C\" NOT NULL,
    expires_at bigint NOT NULL,
    erased boolean NOT NULL,
    state text,
    digest uuid,
    PRIMARY KEY (workspace, flow, key))",
    "CREATE INDEX chatflow_key_expiry ON chatflow_key (expires_at)",
    "CREATE INDEX chatflow_key_contact ON chatflow_key (workspace, contact)",
    "CREATE INDEX chatflow_session_started ON chatflow_session (workspace, started_at, session)",
    "CREATE INDEX chatflow_session_flow ON chatflow_session (workspace, flow, started_at, session)",
    "CREATE INDEX chatflow_session_contact ON chatflow_session (workspace, contact, started_at, session)",
    "CREATE INDEX chatflow_session_state ON chatflow_session (state, ended_at, workspace, flow)",
    "CREATE INDEX chatflow_journal_flow ON chatflow_journal (workspace, flow, at, session, seq)",
    "CREATE INDEX chatflow_journal_failed ON chatflow_journal (workspace, flow, at, session, seq) WHERE failed",
    "CREATE INDEX chatflow_journal_contact ON chatflow_journal (workspace, contact)",
    "CREATE INDEX chatflow_journal_at ON chatflow_journal (at)",
    "CREATE TABLE chatflow_flow (
    workspace text COLLATE \"C\" NOT NULL,
    flow text COLLATE \"C\" NOT NULL,
    revision bigint NOT NULL,
    saved_at bigint NOT NULL,
    terminated boolean NOT NULL,
    entry bytea NOT NULL,
    PRIMARY KEY (workspace, flow))",
    "CREATE INDEX chatflow_flow_saved ON chatflow_flow (workspace, saved_at)",
    "CREATE TABLE chatflow_definition (
    workspace text COLLATE \"C\" NOT NULL,
    flow text COLLATE \"C\" NOT NULL,
    version bigint NOT NULL,
    text bytea NOT NULL,
    PRIMARY KEY (workspace, flow, version))",
    "CREATE TABLE chatflow_catalogue (
    workspace text COLLATE \"C\" NOT NULL PRIMARY KEY,
    revision bigint NOT NULL)",
];

/// The statements that each version after the first adds, in order. One that was released never
/// changes.
///
/// Of a counter (rule 25) each connection has a row of its own (`shard`, the number of its
/// process), so that no transaction waits for another one there, and none can deadlock. `minute` is
/// one of the epoch, `what` is as `CounterSubject` prints.
pub(super) const ADDED: &[&[&str]] = &[&[
    "CREATE TABLE chatflow_count (
    workspace text COLLATE \"C\" NOT NULL,
    flow text COLLATE \"C\" NOT NULL,
    minute bigint NOT NULL,
    version bigint NOT NULL,
    what text COLLATE \"C\" NOT NULL,
    shard bigint NOT NULL,
    times bigint NOT NULL,
    PRIMARY KEY (workspace, flow, minute, version, what, shard))",
    "CREATE INDEX chatflow_count_age ON chatflow_count (minute)",
]];

/// The layout of the records that suits PostgreSQL itself best: room for a new version of a row on
/// its page, records up to a page beside their row (not in another table), dead rows cleaned up
/// early; counters are added to all the time, and no index has to know. Databases that speak its
/// language refuse these words and need them not.
pub(super) const TUNE: &str = "DO $$
DECLARE
    part regclass;
BEGIN
    FOR part IN
        SELECT c.oid FROM pg_class c
        WHERE c.relkind = 'r' AND (c.oid = 'chatflow_conversation'::regclass
            OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'chatflow_conversation'::regclass))
    LOOP
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 80, toast_tuple_target = 8160,
            autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1)', part);
        EXECUTE format('ALTER TABLE %s ALTER COLUMN record SET STORAGE MAIN', part);
    END LOOP;
    ALTER TABLE chatflow_count SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
END $$";
