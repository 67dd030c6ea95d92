//! Entities in a text: telephone numbers, addresses, numbers, dates. Texts in, values out; the same
//! on every machine and in every build, in time that grows with the text alone. A build without the
//! feature `phone-numbers` has no [`PhoneFinder`], and refuses what would need one.

mod entity;
#[cfg(feature = "phone-numbers")]
mod phone;
#[cfg(not(feature = "phone-numbers"))]
mod phoneless;

pub use entity::EntityType;
pub(crate) use entity::{Writing, entities};
#[cfg(feature = "phone-numbers")]
pub(crate) use phone::PhoneFinder;
#[cfg(not(feature = "phone-numbers"))]
pub(crate) use phoneless::PhoneFinder;
