//! The kinds of replies.

use crate::flow::form::read::words;

words! {
    /// A kind of reply.
    ReplyKind {
        /// Text.
        Text = "text",
        /// One of the choices that were offered.
        Choice = "choice",
        /// A picture, a recording, a film, a document.
        Media = "media",
        /// A place.
        Location = "location",
        /// A form that was filled in.
        Form = "form",
        /// A cart that the contact filled and sent.
        Order = "order",
        /// Cards of contacts.
        Contacts = "contacts",
        /// Anything else that a channel has; only where it is named.
        Other = "other",
    }
}
