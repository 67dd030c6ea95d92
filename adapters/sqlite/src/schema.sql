-- What every column means is said once, in `schema.rs`.
CREATE TABLE chatflow_schema (version INTEGER NOT NULL, revision_floor INTEGER NOT NULL);
INSERT INTO chatflow_schema VALUES (0, 0);

CREATE TABLE chatflow_conversation (
  id INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  contact TEXT NOT NULL,
  revision INTEGER NOT NULL,
  settled INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER,
  filed_at INTEGER,
  lease_token BLOB,
  lease_until INTEGER,
  claims INTEGER NOT NULL DEFAULT 0,
  dead_letters INTEGER NOT NULL DEFAULT 0,
  quarantined INTEGER NOT NULL DEFAULT 0,
  record BLOB NOT NULL
);
CREATE UNIQUE INDEX chatflow_conversation_contact ON chatflow_conversation (workspace, contact);
CREATE INDEX chatflow_conversation_filed ON chatflow_conversation (filed_at) WHERE filed_at IS NOT NULL;
CREATE INDEX chatflow_conversation_dead ON chatflow_conversation (workspace, contact) WHERE dead_letters > 0;
CREATE INDEX chatflow_conversation_aside ON chatflow_conversation (workspace, contact) WHERE quarantined = 1;

CREATE TABLE chatflow_alias (
  workspace TEXT NOT NULL,
  alias TEXT NOT NULL,
  conversation INTEGER NOT NULL,
  PRIMARY KEY (workspace, alias)
) WITHOUT ROWID;
CREATE INDEX chatflow_alias_conversation ON chatflow_alias (conversation);

CREATE TABLE chatflow_key (
  workspace TEXT NOT NULL,
  flow TEXT NOT NULL,
  key TEXT NOT NULL,
  contact TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  fingerprint BLOB NOT NULL,
  started INTEGER NOT NULL,
  session BLOB NOT NULL,
  version INTEGER NOT NULL,
  erased INTEGER NOT NULL,
  state TEXT,
  digest BLOB,
  PRIMARY KEY (workspace, flow, key)
) WITHOUT ROWID;
CREATE INDEX chatflow_key_contact ON chatflow_key (workspace, contact);
CREATE INDEX chatflow_key_expiry ON chatflow_key (expires_at);

CREATE TABLE chatflow_session (
  id INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  session BLOB NOT NULL,
  contact TEXT NOT NULL,
  flow TEXT NOT NULL,
  version INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  called TEXT,
  ended_at INTEGER,
  record BLOB
);
CREATE UNIQUE INDEX chatflow_session_id ON chatflow_session (workspace, session);
CREATE INDEX chatflow_session_start ON chatflow_session (workspace, started_at, session);
CREATE INDEX chatflow_session_contact ON chatflow_session (workspace, contact);
CREATE INDEX chatflow_session_live ON chatflow_session (workspace, flow, version) WHERE ended_at IS NULL;
CREATE INDEX chatflow_session_called ON chatflow_session (workspace) WHERE called IS NOT NULL;
CREATE INDEX chatflow_session_end ON chatflow_session (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE chatflow_journal (
  id INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  session BLOB NOT NULL,
  seq INTEGER NOT NULL,
  contact TEXT NOT NULL,
  flow TEXT NOT NULL,
  version INTEGER NOT NULL,
  at INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  entry BLOB NOT NULL
);
CREATE INDEX chatflow_journal_session ON chatflow_journal (workspace, session, seq);
CREATE INDEX chatflow_journal_flow ON chatflow_journal (workspace, flow, at, session, seq);
CREATE INDEX chatflow_journal_contact ON chatflow_journal (workspace, contact);
CREATE INDEX chatflow_journal_age ON chatflow_journal (at);

CREATE TABLE chatflow_catalogue (
  workspace TEXT PRIMARY KEY,
  revision INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE chatflow_flow (
  workspace TEXT NOT NULL,
  flow TEXT NOT NULL,
  revision INTEGER NOT NULL,
  saved_at INTEGER NOT NULL,
  terminated INTEGER NOT NULL,
  entry BLOB NOT NULL,
  PRIMARY KEY (workspace, flow)
);
CREATE INDEX chatflow_flow_saved ON chatflow_flow (workspace, saved_at);
CREATE INDEX chatflow_flow_terminated ON chatflow_flow (workspace) WHERE terminated = 1;

CREATE TABLE chatflow_definition (
  workspace TEXT NOT NULL,
  flow TEXT NOT NULL,
  version INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (workspace, flow, version)
);
