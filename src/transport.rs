//! The port through which messages leave. The host owns the wire; the engine owns when, in which
//! order, how often.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::address::Address;
use crate::error::SendError;
use crate::session::Outbound;

/// Hands messages to a channel.
///
/// Contract:
/// 1. A message may be handed over more than once, always under the same [`Outbound::id`]: pass it
///    on as the channel's idempotency key where there is one (SEMANTICS D1).
/// 2. Messages of one conversation to one destination come one after the other, in order.
/// 3. `send` ends by itself: bound it well below the lease (20 s advised, the lease lasts 60 s).
///    Where a timer is known the engine bounds it too, and drops it then (SEMANTICS D5).
/// 4. `Ok` means that the channel has taken the message; whatever is not known to be so is
///    [`SendError::Retry`].
pub trait Transport: Send + Sync {
    /// Hands one message over.
    fn send(&self, message: &Outbound) -> impl Future<Output = Result<Receipt, SendError>> + Send;
}

/// A channel's receipt for a message that it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The address that the channel really uses for the contact; it leads to the contact from now
    /// on (SEMANTICS T2).
    pub address: Option<Address>,
}

impl Receipt {
    /// Taken.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Taken, and the contact is known there under another address.
    #[must_use]
    pub fn known_as(address: Address) -> Self {
        Self { address: Some(address) }
    }
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, message: &Outbound) -> impl Future<Output = Result<Receipt, SendError>> + Send {
        (**self).send(message)
    }
}

impl<T: Transport + ?Sized> Transport for &T {
    fn send(&self, message: &Outbound) -> impl Future<Output = Result<Receipt, SendError>> + Send {
        (**self).send(message)
    }
}

/// Makes a transport of an async function that gets a message of its own.
///
/// ```
/// use chatflow::{Receipt, SendError, send_fn};
/// let transport = send_fn(|message| async move {
///     println!("< {}", message.text());
///     Ok::<_, SendError>(Receipt::new())
/// });
/// # let _ = transport;
/// ```
pub fn send_fn<F, R>(send: F) -> impl Transport
where
    F: Fn(Outbound) -> R + Send + Sync,
    R: Future<Output = Result<Receipt, SendError>> + Send,
{
    SendFn(send)
}

struct SendFn<F>(F);

impl<F, R> Transport for SendFn<F>
where
    F: Fn(Outbound) -> R + Send + Sync,
    R: Future<Output = Result<Receipt, SendError>> + Send,
{
    fn send(&self, message: &Outbound) -> impl Future<Output = Result<Receipt, SendError>> + Send {
        (self.0)(message.clone())
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`Transport`] with its type erased; the box costs 1.5 % of a conversation.
pub(crate) trait DynTransport: Send + Sync {
    fn send_boxed<'a>(&'a self, message: &'a Outbound) -> BoxFuture<'a, Result<Receipt, SendError>>;
}

impl<T: Transport> DynTransport for T {
    fn send_boxed<'a>(&'a self, message: &'a Outbound) -> BoxFuture<'a, Result<Receipt, SendError>> {
        Box::pin(self.send(message))
    }
}

/// The transport of an engine that was built without one: refuses every message, so that nothing is
/// lost unseen.
pub(crate) struct NoTransport;

impl Transport for NoTransport {
    async fn send(&self, _message: &Outbound) -> Result<Receipt, SendError> {
        Err(SendError::rejected("the engine was built without a transport"))
    }
}
