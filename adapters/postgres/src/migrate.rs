//! Making the tables, and looking whether they are as this release needs them.

use chatflow::error::StoreError;
use deadpool_postgres::Pool;
use tokio_postgres::types::Type;

use crate::PostgresOptions;
use crate::errors::{AccessKind, Fault};
use crate::link::Link;
use crate::schema;
use crate::shard::SHARDS;

/// Tries until the tables are there: others may be making them.
const ATTEMPTS: u32 = 20;

pub(super) async fn run(pool: &Pool, options: &PostgresOptions) -> Result<(), StoreError> {
    let failed = |fault: Fault| fault.into_error(AccessKind::Read, "migrate");
    if options.partitions.is_some_and(|slices| slices == 0 || slices > SHARDS) {
        return Err(failed(Fault::permanent("`partitions` must be 1 to 1024")));
    }
    let client =
        pool.get().await.map_err(|error| Fault::of_pool(error).into_error(AccessKind::Connect, "migrate"))?;
    let link = Link::pooled(&client, None);
    for _ in 0..ATTEMPTS {
        match migrate(&link, options.partitions).await {
            Ok(()) => {
                // Refused where the database is no PostgreSQL.
                let _ = link.run(schema::TUNE).await;
                return Ok(());
            }
            Err(fault) if fault.is_duplicate() || fault.is_lost_race() || fault.is_raced_creation() => {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            Err(fault) => return Err(failed(fault)),
        }
    }
    Err(failed(Fault::Sorted(
        chatflow::error::StoreErrorKind::Transient,
        "other processes kept migrating at the same time".into(),
    )))
}

async fn migrate(link: &Link<'_>, partitions: Option<u16>) -> Result<(), Fault> {
    link.run(schema::CREATE_SCHEMA).await?;
    link.run(schema::BEGIN_SCHEMA).await?;
    link.atomically(async {
        let found = link.first(schema::LOCK_SCHEMA, &[]).await?;
        let (version, slices) = read(found)?;
        match (version, partitions) {
            (0, _) => create(link, partitions.unwrap_or(1)).await,
            (1..=schema::VERSION, Some(wanted)) if i64::from(wanted) != slices => Err(Fault::permanent(
                format!("the tables are in {slices} partitions, and are not partitioned anew into {wanted}"),
            )),
            (1..=schema::VERSION, _) => add(link, version, slices).await,
            (other, _) => Err(unfit(other)),
        }
    })
    .await
}

async fn create(link: &Link<'_>, partitions: u16) -> Result<(), Fault> {
    let slices = i64::from(partitions);
    link.query(schema::SET_SCHEMA, &[(&1_i64, Type::INT8), (&slices, Type::INT8)]).await?;
    let tables = if partitions > 1 { schema::CREATE_SLICED } else { schema::CREATE_WHOLE };
    for table in tables {
        link.run(table).await?;
    }
    if partitions > 1 {
        link.run(schema::CREATE_SLICES).await?;
    }
    for statement in schema::CREATE {
        link.run(statement).await?;
    }
    add(link, 1, slices).await
}

/// Adds what tables of this version lack.
async fn add(link: &Link<'_>, version: i64, slices: i64) -> Result<(), Fault> {
    let steps = schema::ADDED.iter().zip(1..).filter(|(_, of)| *of >= version);
    for statement in steps.flat_map(|(statements, _)| *statements) {
        link.run(statement).await?;
    }
    if version < schema::VERSION {
        link.query(schema::SET_SCHEMA, &[(&schema::VERSION, Type::INT8), (&slices, Type::INT8)]).await?;
    }
    Ok(())
}

/// Into how many slices the tables are partitioned, if they are those of this release, and whether
/// transactions are isolated more strictly than `read committed`.
pub(super) async fn check(link: &Link<'_>) -> Result<(u16, bool), Fault> {
    let row = link.first(schema::READ_SCHEMA, &[]).await?;
    let is_strict = row.as_ref().map_or(Ok(false), |row| row.try_get(2))?;
    let (version, slices) = read(row)?;
    if version != schema::VERSION {
        return Err(unfit(version));
    }
    Ok((u16::try_from(slices).map_err(Fault::permanent)?, is_strict))
}

fn read(row: Option<tokio_postgres::Row>) -> Result<(i64, i64), Fault> {
    let Some(row) = row else { return Ok((0, 0)) };
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn unfit(found: i64) -> Fault {
    let known = schema::VERSION;
    Fault::permanent(if found < known {
        format!("the tables have version {found}, this release needs {known}: run `PostgresStore::migrate`")
    } else {
        format!("the tables have version {found}, this release knows up to {known}: use a newer release")
    })
}
