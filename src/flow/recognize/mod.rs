//! What a text holds: telephone numbers, addresses, numbers, dates. Texts in, values out; the same
//! on every machine, in time that grows with the text alone.

mod entity;
mod phone;

pub use entity::EntityType;
pub(crate) use entity::entities;
pub(crate) use phone::{Home, find_phone};
