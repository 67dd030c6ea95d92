//! Looking up.

macro_rules! loaded {
    () => {
        concat!(
            "c.contact, c.revision, c.record, c.settled, c.quarantined,
    coalesce(c.lease_token = $3 AND c.lease_until > ",
            now!(),
            ", false),
    f.revision, k.fingerprint, k.started, k.session, k.version, k.contact, k.expires_at, k.erased,
    k.state, k.digest"
        )
    };
}

macro_rules! beside {
    () => {
        "
LEFT JOIN chatflow_catalogue f ON f.workspace = $1
LEFT JOIN LATERAL (SELECT * FROM chatflow_key e WHERE e.workspace = $1 AND e.flow = $4 AND e.key = $5
        AND e.expires_at + 0 > $7
    UNION ALL SELECT * FROM chatflow_key e WHERE e.workspace = $1 AND e.flow = $4 AND e.key = $6
        AND e.expires_at + 0 > $7 LIMIT 1) k ON true
LIMIT 1"
    };
}

/// $1 workspace, $2 contact, $3 token, $4 flow of the key, $5 key, $6 its hash, $7 now, $8 shard.
pub(crate) const LOAD: &str = concat!(
    "SELECT ",
    loaded!(),
    "
FROM (SELECT 1) one
LEFT JOIN chatflow_conversation c ON c.shard = $8 AND c.workspace = $1 AND c.contact = $2",
    beside!()
);

/// The same by an alias: $2.
pub(crate) const LOAD_BY_ALIAS: &str = concat!(
    "SELECT ",
    loaded!(),
    "
FROM (SELECT 1) one
LEFT JOIN chatflow_alias a ON a.workspace = $1 AND a.alias = $2
LEFT JOIN chatflow_conversation c ON c.shard = a.shard AND c.workspace = a.workspace AND c.contact = a.contact",
    beside!()
);

/// Waits until nobody else changes the conversation, and keeps others from it to the end of the
/// transaction: $1 workspace, $2 contact, $3 shard.
pub(crate) const HOLD: &str = "SELECT 1 FROM chatflow_conversation
WHERE shard = $3 AND workspace = $1 AND contact = $2 FOR NO KEY UPDATE";

/// The same by an alias: $2.
pub(crate) const HOLD_BY_ALIAS: &str = "SELECT 1 FROM chatflow_alias a
JOIN chatflow_conversation c ON c.shard = a.shard AND c.workspace = a.workspace AND c.contact = a.contact
WHERE a.workspace = $1 AND a.alias = $2 FOR NO KEY UPDATE OF c";

/// The same for several calls: $1 their numbers, $2 workspaces, $3 contacts, of which $5 are the
/// shards, or $4 aliases, $6 tokens, $7 flows of keys, $8 keys, $9 their hashes, $10 now. Each row
/// is looked for call by call (`LATERAL`, `LIMIT`): joined, small tables would be read from end to
/// end, by a plan that is kept while they grow. The key is looked for under its name and then under
/// its hash: asked for one of the two in one condition, PostgreSQL would read all keys of a flow.
/// The index of expiry is kept out (`+ 0`): where nothing is known of the keys, few seem to be
/// unexpired.
pub(crate) const LOAD_ALL: &str = concat!(
    "SELECT c.contact, c.revision, c.record, c.settled, c.quarantined,
    coalesce(c.lease_token = v.token AND c.lease_until > ",
    now!(),
    ", false),
    (SELECT f.revision FROM chatflow_catalogue f WHERE f.workspace = v.workspace), k.fingerprint, k.started, k.session,
    k.version, k.contact, k.expires_at, k.erased, k.state, k.digest, v.ord
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::uuid[], $7::text[], $8::text[],
    $9::text[], $10::bigint[]) AS v(ord, workspace, contact, alias, shard, token, flow, key, hash, now)
LEFT JOIN LATERAL (SELECT * FROM chatflow_alias o WHERE o.workspace = v.workspace AND o.alias = v.alias LIMIT 1) a
    ON true
LEFT JOIN LATERAL (SELECT * FROM chatflow_conversation o WHERE o.shard = coalesce(v.shard, a.shard)
    AND o.workspace = v.workspace AND o.contact = coalesce(v.contact, a.contact) LIMIT 1) c ON true
LEFT JOIN LATERAL (SELECT * FROM chatflow_key e WHERE e.workspace = v.workspace AND e.flow = v.flow
        AND e.key = v.key AND e.expires_at + 0 > v.now
    UNION ALL SELECT * FROM chatflow_key e WHERE e.workspace = v.workspace AND e.flow = v.flow
        AND e.key = v.hash AND e.expires_at + 0 > v.now LIMIT 1) k ON true"
);
