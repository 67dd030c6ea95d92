//! The origin of a session: what it was started with, and where its messages go.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::address::{Account, Address};
use crate::id::TriggerKey;

/// The data that a session was started with ([SEMANTICS T3](crate::semantics#t3) `trigger`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Origin {
    /// The caller's idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<TriggerKey>,
    /// The caller's correlation id, not unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_id: Option<Arc<str>>,
    /// When the event happened, as the caller claims; decides nothing
    /// ([SEMANTICS T7](crate::semantics#t7)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_time: Option<DateTime<Utc>>,
    /// The campaign that the trigger belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<Arc<str>>,
    /// True if a message of the contact started it, not a call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inbound: bool,
    /// True if the contact began it anew by a word ([SEMANTICS I6](crate::semantics#i6) `restart`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restarted: bool,
    /// True if it may write to a contact that opted out ([SEMANTICS T10](crate::semantics#t10)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transactional: bool,
    /// True if it runs while the contact is with a person ([SEMANTICS S10](crate::semantics#s10)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub during_handoff: bool,
}

/// Where a session's messages go: the account they leave from, the address they reach
/// ([SEMANTICS D4](crate::semantics#d4)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Channel and account.
    #[serde(flatten)]
    pub account: Account,
    /// The contact's address there.
    pub to: Address,
}
