//! A store whose type is chosen at run time.

/// A store whose type is chosen at run time.
#[derive(Debug)]
pub struct DynStore;
