//! Bodies of the fuzz targets: each takes any bytes, and panics where a promise is broken. An
//! ordinary test of the crate runs them over the seeds and over changed seeds.

mod histories;
mod seeds;
mod stored;
mod texts;
mod wire;

pub use histories::histories;
pub use seeds::{TARGETS, seeds};
pub use stored::stored;
pub use texts::{expressions, flows, talks};
pub use wire::wire;
