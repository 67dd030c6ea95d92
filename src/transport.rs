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
///    on as the channel's idempotency key where there is one ([SEMANTICS D1](crate::semantics#d1)).
/// 2. Messages of one conversation to one destination come one after the other, in order.
/// 3. `send` ends by itself: bound it well below the lease (20 s advised, the lease lasts 60 s).
///    With a timer the engine bounds it too, and drops it when the time is over
///    ([SEMANTICS D5](crate::semantics#d5)).
/// 4. `Ok` means that the channel has taken the message; anything less certain is
///    [`SendError::Retry`].
pub trait Transport: Send + Sync {
    /// Hands one message over.
    fn send(&self, message: &Outbound) -> impl Future<Output = Result<Receipt, SendError>> + Send;

    /// Hands all messages of a turn over that are due for one destination, such as in one request:
    /// two or more, in their order. A turn that has one message goes by [`send`](Self::send).
    /// Answers for each in their order; `None`, as provided, has the engine `send` one after the
    /// other ([SEMANTICS D9](crate::semantics#d9)).
    ///
    /// ```
    /// use chatflow::{Outbound, Receipt, SendError, Transport};
    ///
    /// struct Post;
    ///
    /// impl Transport for Post {
    ///     async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
    ///         println!("1 message: {}", message.text());
    ///         Ok(Receipt::new())
    ///     }
    ///
    ///     async fn send_turn(&self, messages: &[&Outbound]) -> Option<Vec<Result<Receipt, SendError>>> {
    ///         println!("{} messages", messages.len());
    ///         Some(messages.iter().map(|_| Ok(Receipt::new())).collect())
    ///     }
    /// }
    /// ```
    ///
    /// Contract, beside that of the trait:
    /// 1. All of it ends as one `send` does: within the same time.
    /// 2. Each answer holds for its own message: what was taken is not handed over again, the rest
    ///    is, under the same ids.
    /// 3. A message without an answer was not tried where an earlier one is to be tried again; else
    ///    it is to be tried again itself, since it is not known what became of it.
    fn send_turn(
        &self,
        messages: &[&Outbound],
    ) -> impl Future<Output = Option<Vec<Result<Receipt, SendError>>>> + Send {
        let _ = messages;
        std::future::ready(None)
    }
}

/// A channel's receipt for a message that it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The address that the channel really uses for the contact; it leads to the contact from now
    /// on ([SEMANTICS T2](crate::semantics#t2)).
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

    fn send_turn(
        &self,
        messages: &[&Outbound],
    ) -> impl Future<Output = Option<Vec<Result<Receipt, SendError>>>> + Send {
        (**self).send_turn(messages)
    }
}

impl<T: Transport + ?Sized> Transport for &T {
    fn send(&self, message: &Outbound) -> impl Future<Output = Result<Receipt, SendError>> + Send {
        (**self).send(message)
    }

    fn send_turn(
        &self,
        messages: &[&Outbound],
    ) -> impl Future<Output = Option<Vec<Result<Receipt, SendError>>>> + Send {
        (**self).send_turn(messages)
    }
}

/// Makes a transport from an async function that takes each message by value.
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

    fn send_turn_boxed<'a>(
        &'a self,
        messages: &'a [&'a Outbound],
    ) -> BoxFuture<'a, Option<Vec<Result<Receipt, SendError>>>>;
}

impl<T: Transport> DynTransport for T {
    fn send_boxed<'a>(&'a self, message: &'a Outbound) -> BoxFuture<'a, Result<Receipt, SendError>> {
        Box::pin(self.send(message))
    }

    fn send_turn_boxed<'a>(
        &'a self,
        messages: &'a [&'a Outbound],
    ) -> BoxFuture<'a, Option<Vec<Result<Receipt, SendError>>>> {
        Box::pin(self.send_turn(messages))
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
