//! Stand-in.
/// Stand-in.
#[derive(Debug, thiserror::Error)]
#[error("issues")]
pub struct Issues;
