//! The span of a call, where the feature `tracing` is on.

use std::future::Future;

use crate::id::WorkspaceId;

/// The span of one call; without the feature nothing.
#[derive(Clone)]
pub(super) struct CallSpan(#[cfg(feature = "tracing")] tracing::Span);

impl CallSpan {
    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "there are no spans"))]
    pub(super) fn trigger(workspace: &WorkspaceId, flow: &str) -> Self {
        Self(
            #[cfg(feature = "tracing")]
            tracing::debug_span!(target: "chatflow", "chatflow.trigger", %workspace, %flow),
        )
    }

    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "there are no spans"))]
    pub(super) fn receive(workspace: &WorkspaceId) -> Self {
        Self(
            #[cfg(feature = "tracing")]
            tracing::debug_span!(target: "chatflow", "chatflow.receive", %workspace),
        )
    }

    /// One look for work by a loop, and what it begins.
    pub(super) fn tick() -> Self {
        Self(
            #[cfg(feature = "tracing")]
            tracing::debug_span!(target: "chatflow", "chatflow.tick"),
        )
    }

    /// Does what takes no pause.
    pub(super) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tracing")]
        let _entered = self.0.enter();
        work()
    }

    /// Does what may take one. Boxed with the span, so that the futures of calls are small with it,
    /// too.
    #[cfg(feature = "tracing")]
    pub(super) fn over<F: Future + Send>(self, work: F) -> impl Future<Output = F::Output> + Send {
        tracing::Instrument::instrument(Box::pin(work), self.0)
    }

    #[cfg(not(feature = "tracing"))]
    pub(super) fn over<F: Future + Send>(self, work: F) -> impl Future<Output = F::Output> + Send {
        work
    }
}
