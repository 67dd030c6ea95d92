//! Requests and answers of [`Engine`](crate::Engine) and [`Flows`](crate::Flows) beyond the first
//! calls: what operators ask for, what lists hold, and a flow tried out by its author.

pub use crate::engine::{
    Amendment, Campaign, Cancelled, Completed, CountTotals, DeadLetterEntry, EraseOptions, Erased,
    FlowCounts, FlowSource, FlowStatus, HandedBack, HandedOver, HandoffOf, Imported, JournalFilter, Logging,
    Migrated, MigrationTrial, NodeCount, NodeError, Progress, Rehearsal, Reported, ResultRow, SessionFilter,
    StrandedSession, Ticked, Unpublish,
};
