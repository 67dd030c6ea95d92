//! Flows and their texts.

/// $1 workspace.
pub(in crate::store::postgres) const CATALOGUE_REVISION: &str =
    "SELECT revision FROM chatflow_catalogue WHERE workspace = $1";

/// $1 workspace.
pub(in crate::store::postgres) const CATALOGUE: &str = "SELECT c.revision, f.entry
FROM chatflow_catalogue c LEFT JOIN chatflow_flow f ON f.workspace = c.workspace WHERE c.workspace = $1";

/// $1 workspace, $2 flow, $3 version, 0 the draft.
pub(in crate::store::postgres) const DEFINITION: &str =
    "SELECT text FROM chatflow_definition WHERE workspace = $1 AND flow = $2 AND version = $3";

/// Counts a change of a workspace's flows, and lets no other change begin before this one ends. $1 workspace.
pub(in crate::store::postgres) const NEXT_CATALOGUE: &str =
    "INSERT INTO chatflow_catalogue AS c (workspace, revision) VALUES ($1, 1)
ON CONFLICT (workspace) DO UPDATE SET revision = c.revision + 1";

/// $1 workspace, $2 flow.
pub(in crate::store::postgres) const FLOW_REVISION: &str =
    "SELECT revision FROM chatflow_flow WHERE workspace = $1 AND flow = $2 FOR UPDATE";

/// $1 workspace, $2 flow, $3 revision, $4 terminated, $5 entry.
pub(in crate::store::postgres) const SAVE_FLOW: &str =
    "INSERT INTO chatflow_flow (workspace, flow, revision, terminated, entry)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (workspace, flow) DO UPDATE
SET revision = excluded.revision, terminated = excluded.terminated, entry = excluded.entry";

/// $1 workspace, $2 flow, $3 version, $4 text.
pub(in crate::store::postgres) const SAVE_DEFINITION: &str =
    "INSERT INTO chatflow_definition (workspace, flow, version, text)
VALUES ($1, $2, $3, $4) ON CONFLICT (workspace, flow, version) DO UPDATE SET text = excluded.text";

/// $1 workspace, $2 flow.
pub(in crate::store::postgres) const DROP_DRAFT: &str =
    "DELETE FROM chatflow_definition WHERE workspace = $1 AND flow = $2 AND version = 0";

pub(in crate::store::postgres) const TERMINATED: &str =
    "SELECT DISTINCT workspace FROM chatflow_flow WHERE terminated";
