//! The data that one decision needs, by one script.

use chatflow::error::StoreError;
use chatflow::store::{Loaded, Lookup, Record, StoredConversation, Subject};

use crate::scripts::LOAD;
use crate::server::Server;
use crate::values::{args, contact_of, key_name, key_record};

/// Contact, revision, watermark, leased, set aside, record.
type Found = (String, u64, u64, bool, bool, Vec<u8>);

pub(super) async fn load(server: &Server, lookup: &Lookup) -> Result<Loaded, StoreError> {
    let (kind, subject) = match &lookup.subject {
        Subject::Contact(contact) => ("c", contact.to_string()),
        Subject::Alias(alias) => ("a", alias.to_string()),
    };
    let key = lookup.key.as_ref().map(key_name).unwrap_or_default();
    let args = args![lookup.workspace, kind, subject, key, lookup.token.0];
    let (found, key, catalogue): (Option<Found>, Option<String>, u64) = server.run(&LOAD, args).await?;
    let conversation = match found {
        None => None,
        Some((contact, revision, settled, leased, quarantined, record)) => Some(StoredConversation {
            contact: contact_of(&contact)?,
            revision,
            record: Record::from_bytes(record),
            settled,
            leased,
            quarantined,
        }),
    };
    let key = key.as_deref().map(key_record).transpose()?.filter(|key| lookup.now < key.expires_at);
    Ok(Loaded { conversation, key, catalogue: Some(catalogue) })
}
