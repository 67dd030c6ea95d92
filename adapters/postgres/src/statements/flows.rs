//! Flows and their texts.

/// $1 workspace.
pub(crate) const CATALOGUE_REVISION: &str = "SELECT revision FROM chatflow_catalogue WHERE workspace = $1";

/// $1 workspace.
pub(crate) const CATALOGUE: &str = "SELECT c.revision, f.entry
FROM chatflow_catalogue c LEFT JOIN chatflow_flow f ON f.workspace = c.workspace WHERE c.workspace = $1";

/// The flows that were saved after a revision. $1 workspace, $2 revision.
pub(crate) const CHANGES: &str = "SELECT c.revision, f.entry
FROM chatflow_catalogue c LEFT JOIN chatflow_flow f ON f.workspace = c.workspace AND f.saved_at > $2
WHERE c.workspace = $1";

/// $1 workspace, $2 flow, $3 version, 0 the draft.
pub(crate) const DEFINITION: &str =
    "SELECT text FROM chatflow_definition WHERE workspace = $1 AND flow = $2 AND version = $3";

/// Counts a change of a workspace's flows, and lets no other change begin before this one ends. $1
/// workspace.
pub(crate) const NEXT_CATALOGUE: &str =
    "INSERT INTO chatflow_catalogue AS c (workspace, revision) VALUES ($1, 1)
ON CONFLICT (workspace) DO UPDATE SET revision = c.revision + 1 RETURNING revision";

/// $1 workspace, $2 flows.
pub(crate) const FLOW_REVISIONS: &str = "SELECT flow, revision FROM chatflow_flow
WHERE workspace = $1 AND flow = ANY ($2::text[]) FOR UPDATE";

/// $1 workspace, $2 the revision of its catalogue; of each flow $3 its code, $4 revision, $5
/// terminated, $6 entry.
pub(crate) const SAVE_FLOWS: &str =
    "INSERT INTO chatflow_flow (workspace, flow, revision, saved_at, terminated, entry)
SELECT $1::text, v.flow, v.revision, $2::bigint, v.terminated, v.entry
FROM unnest($3::text[], $4::bigint[], $5::boolean[], $6::bytea[]) AS v(flow, revision, terminated, entry)
ON CONFLICT (workspace, flow) DO UPDATE SET revision = excluded.revision, saved_at = excluded.saved_at,
    terminated = excluded.terminated, entry = excluded.entry";

/// Answers each text that is there now; one that a version had with another content is left out. $1
/// workspace; of each text $2 its flow, $3 version, $4 the text itself.
pub(crate) const SAVE_DEFINITIONS: &str =
    "INSERT INTO chatflow_definition AS d (workspace, flow, version, text)
SELECT $1::text, v.flow, v.version, v.text
FROM unnest($2::text[], $3::bigint[], $4::bytea[]) AS v(flow, version, text)
ON CONFLICT (workspace, flow, version) DO UPDATE SET text = excluded.text
    WHERE d.version = 0 OR d.text = excluded.text
RETURNING d.flow, d.version";

/// $1 workspace, $2 flows.
pub(crate) const DROP_DRAFTS: &str = "DELETE FROM chatflow_definition
WHERE workspace = $1 AND flow = ANY ($2::text[]) AND version = 0";

pub(crate) const TERMINATED: &str = "SELECT DISTINCT workspace FROM chatflow_flow WHERE terminated";
