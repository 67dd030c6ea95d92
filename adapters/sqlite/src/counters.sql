CREATE TABLE chatflow_count (
  workspace TEXT NOT NULL,
  flow TEXT NOT NULL,
  minute INTEGER NOT NULL,
  version INTEGER NOT NULL,
  what TEXT NOT NULL,
  times INTEGER NOT NULL,
  PRIMARY KEY (workspace, flow, minute, version, what)
) WITHOUT ROWID;
CREATE INDEX chatflow_count_age ON chatflow_count (minute);
