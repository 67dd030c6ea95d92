//! Raw compare-and-swap on PostgreSQL: the same bytes, in statements of many rows, and nothing
//! else.

use chrono::{DateTime, Utc};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Statement};

use crate::server::Database;

const TABLE: &str = "
    CREATE TABLE swap(workspace text COLLATE \"C\" NOT NULL, contact text COLLATE \"C\" NOT NULL, revision bigint NOT NULL,
        due_at bigint, lease_until bigint NOT NULL DEFAULT 0, lease uuid, record bytea NOT NULL,
        PRIMARY KEY(workspace, contact)) WITH (fillfactor = 80);
    CREATE INDEX ON swap(due_at) WHERE due_at IS NOT NULL";
const FILL: &str = "
    INSERT INTO swap(workspace, contact, revision, due_at, record)
    SELECT 'default', contact, 1, $2, $3 FROM unnest($1::text[]) AS contact";
const SWAP: &str = "
    UPDATE swap c SET revision = c.revision + 1, due_at = v.due_at, record = v.record
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[])
        AS v(workspace, contact, revision, due_at, record)
    WHERE c.workspace = v.workspace AND c.contact = v.contact AND c.revision = v.revision
    RETURNING c.contact, c.revision";

/// Connections that swap, each with contacts of its own.
pub(crate) struct Swap {
    lanes: Vec<Lane>,
    due_at: i64,
    record: Vec<u8>,
}

struct Lane {
    client: Client,
    /// None: it is planned each time.
    swap: Option<Statement>,
    contacts: Vec<String>,
    revision: i64,
}

impl Swap {
    pub(crate) async fn new(
        database: &Database<'_>,
        lanes: usize,
        is_prepared: bool,
        contacts: Vec<String>,
        due_at: DateTime<Utc>,
        record: &[u8],
    ) -> Self {
        let due_at = due_at.timestamp_micros();
        let client = database.client().await;
        client.batch_execute(TABLE).await.expect("the table can be made");
        client.execute(FILL, &[&contacts, &due_at, &record]).await.expect("it is filled");
        let mut swap = Self { lanes: Vec::new(), due_at, record: record.to_vec() };
        for share in contacts.chunks(contacts.len().div_ceil(lanes)) {
            let client = database.client().await;
            let statement = match is_prepared {
                true => Some(client.prepare(SWAP).await.expect("the statement is right")),
                false => None,
            };
            swap.lanes.push(Lane { client, swap: statement, contacts: share.to_vec(), revision: 1 });
        }
        swap
    }

    /// Swaps each contact's record so many times, `rows` of them in a statement, and answers how
    /// many that were.
    pub(crate) async fn rounds(mut self, rounds: usize, rows: usize) -> usize {
        let lanes = std::mem::take(&mut self.lanes).into_iter().map(|mut lane| {
            let (due_at, record) = (self.due_at, self.record.clone());
            tokio::spawn(async move {
                let mut swapped = 0;
                for _ in 0..rounds {
                    swapped += lane.round(rows, due_at, &record).await;
                }
                swapped
            })
        });
        let lanes: Vec<_> = lanes.collect();
        let mut swapped = 0;
        for lane in lanes {
            swapped += lane.await.expect("every swap is right");
        }
        swapped
    }
}

impl Lane {
    async fn round(&mut self, rows: usize, due_at: i64, record: &[u8]) -> usize {
        let mut swapped = 0;
        for contacts in self.contacts.chunks(rows) {
            let count = contacts.len();
            let workspaces = vec!["default"; count];
            let revisions = vec![self.revision; count];
            let due = vec![due_at + self.revision; count];
            let records = vec![record; count];
            let params: [(&(dyn ToSql + Sync), Type); 5] = [
                (&workspaces, Type::TEXT_ARRAY),
                (&contacts, Type::TEXT_ARRAY),
                (&revisions, Type::INT8_ARRAY),
                (&due, Type::INT8_ARRAY),
                (&records, Type::BYTEA_ARRAY),
            ];
            let answered = match &self.swap {
                Some(swap) => self.client.query(swap, &params.each_ref().map(|(value, _)| *value)).await,
                None => self.client.query_typed(SWAP, &params).await,
            };
            let answered = answered.expect("the statement is right");
            assert_eq!(answered.len(), count, "each is at the revision that was expected");
            swapped += count;
        }
        self.revision += 1;
        swapped
    }
}
