//! Operations that a store around another one hands on as they are.

/// Hands operations of `ConversationStore` and `StoreQueries` on to the store in a field.
macro_rules! hand_on {
    ($to:tt: $($operation:ident),+) => { $(hand_on! { @$operation $to })+ };
    (@load $to:tt) => { hand_on! { @ask $to load(&chatflow::store::Lookup) -> chatflow::store::Loaded } };
    (@commit $to:tt) => { hand_on! { @ask $to commit(chatflow::store::Commit) -> chatflow::store::Committed } };
    (@settle $to:tt) => { hand_on! { @ask $to settle(&chatflow::store::Settle) -> chatflow::store::Settled } };
    (@lease_due $to:tt) => { hand_on! { @ask $to lease_due(&chatflow::store::Due) -> chatflow::store::Leased } };
    (@live $to:tt) => { hand_on! { @ask $to live(&chatflow::store::Live) -> u64 } };
    (@purge $to:tt) => { hand_on! { @ask $to purge(&chatflow::store::Purge) -> chatflow::store::Purged } };
    (@erase $to:tt) => {
        hand_on! { @ask $to erase(&chatflow::store::Erase) -> Option<chatflow::store::Removed> }
    };
    (@queries $to:tt) => {
        hand_on! { @ask $to sessions(&chatflow::store::SessionQuery) -> Vec<chatflow::store::SessionRecord> }
        hand_on! { @look_up $to session -> Option<chatflow::store::SessionRecord> }
        hand_on! { @look_up $to journal -> Vec<chatflow::store::JournalEntry> }
        hand_on! { @ask $to journal_of(&chatflow::store::JournalQuery) -> Vec<chatflow::store::JournalEntry> }
        hand_on! {
            @ask $to conversations(&chatflow::store::ConversationQuery)
                -> Vec<(chatflow::ContactId, chatflow::store::Record)>
        }
    };
    (@counts $to:tt) => {
        hand_on! { @ask $to counts(&chatflow::store::CountQuery) -> chatflow::store::CountSums }
    };
    (@ask $to:tt $name:ident($asked:ty) -> $answer:ty) => {
        async fn $name(&self, asked: $asked) -> Result<$answer, chatflow::StoreError> {
            self.$to.$name(asked).await
        }
    };
    (@look_up $to:tt $name:ident -> $answer:ty) => {
        async fn $name(
            &self,
            workspace: &chatflow::WorkspaceId,
            id: chatflow::SessionId,
        ) -> Result<$answer, chatflow::StoreError> {
            self.$to.$name(workspace, id).await
        }
    };
}

pub(crate) use hand_on;
