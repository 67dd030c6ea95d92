//! Taking an address from a contact that was made from it alone, so that another one can have it
//! (SEMANTICS T2).

use chrono::{DateTime, Utc};

use crate::address::Address;
use crate::kernel::decide::act::ConversationChange;
use crate::kernel::decide::decision::Decision;

/// The release of an address, and what was found out about its contact.
pub(crate) struct Release<'a> {
    address: &'a Address,
    /// The opt-out that the other contact has already.
    carried: Option<DateTime<Utc>>,
    /// Since when its contact opted out.
    pub(crate) opted_out_at: Option<DateTime<Utc>>,
    /// True if the contact gives the address up, unless it opted out: it was made from it alone,
    /// and is in no session.
    pub(crate) gives_up: bool,
}

impl<'a> Release<'a> {
    pub(crate) fn new(address: &'a Address, carried: Option<DateTime<Utc>>) -> Self {
        Self { address, carried, opted_out_at: None, gives_up: false }
    }
}

impl ConversationChange for Release<'_> {
    fn make(&mut self, decision: &mut Decision<'_>) -> bool {
        let contact = &decision.conversation.contact;
        self.opted_out_at = contact.opted_out_at;
        self.gives_up = contact.minted
            && decision.conversation.sessions.is_empty()
            && contact.same_address(self.address).is_some();
        self.gives_up
            && (self.opted_out_at.is_none() || self.opted_out_at == self.carried)
            && decision.unlink(self.address)
    }
}
