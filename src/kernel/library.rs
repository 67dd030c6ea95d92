//! The flows that a session may call: what a turn reads beside its own (SEMANTICS N9).

use std::fmt;

use crate::flow::Flow;
use crate::id::{FlowId, FlowVersion};

/// Where a turn finds the flows that its session calls. `()` has none: every call fails as if they
/// were offline.
///
/// It answers the same throughout a turn; the versions that a session
/// [needs](crate::Session::versions) are in it.
pub trait Library {
    /// A version of a flow; where none is named, the one that is online. None: there is no such
    /// thing.
    fn find(&self, flow: &FlowId, version: Option<FlowVersion>) -> Option<Callee<'_>>;
}

/// A flow that may be called.
#[derive(Clone, Copy, Debug)]
pub struct Callee<'a> {
    /// The flow.
    pub flow: &'a Flow,
    /// Its version.
    pub version: FlowVersion,
    /// Its name now.
    pub name: &'a str,
}

impl Library for () {
    fn find(&self, _: &FlowId, _: Option<FlowVersion>) -> Option<Callee<'_>> {
        None
    }
}

impl fmt::Debug for dyn Library + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Library")
    }
}
