//! The types of media: what a message can carry and a channel may take.

use crate::flow::form::read::words;

words! {
    /// The type of a medium.
    MediaType {
        /// A picture.
        Image = "image",
        /// A sound.
        Audio = "audio",
        /// A film.
        Video = "video",
        /// A file.
        Document = "document",
        /// A sticker.
        Sticker = "sticker",
    }
}
