//! The statements. Each modifies a table at most once, and all of them take values as parameters
//! only.

/// The server's time, in microseconds of the epoch: what leases are judged by.
macro_rules! now {
    () => {
        "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"
    };
}

pub(super) mod absorb;
pub(super) mod commit;
pub(super) mod due;
pub(super) mod flows;
pub(super) mod load;
pub(super) mod queries;
pub(super) mod upkeep;
