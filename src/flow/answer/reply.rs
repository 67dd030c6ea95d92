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
    }
}
