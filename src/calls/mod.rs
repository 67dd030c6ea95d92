//! The port through which flows ask the host for something: a function, a request over HTTP, a
//! model's answer.

mod request;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::CallError;
use crate::id::{CallId, ContactId, FlowId, NodeId, WorkspaceId};
use crate::value::Node;

pub use request::{CallRequest, Class, ClassifyCall, HttpCall, LanguageCall, LlmCall};

/// A request of a flow to the host.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// The reference under which the host answers later and makes the call once.
    pub reference: CallRef,
    /// The flow that asks.
    pub flow: FlowId,
    /// The node that asks.
    pub node: NodeId,
    /// The request, with every template rendered.
    pub request: CallRequest,
}

/// `order_status {"order":"A-1"}`: its name, and what it brings, as JSON.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = match &self.request {
            CallRequest::Function { args, .. } => serde_json::to_value(args),
            other => serde_json::to_value(other),
        };
        let mut asked = asked.map_err(|_| fmt::Error)?;
        if let (false, Some(fields)) =
            (matches!(self.request, CallRequest::Function { .. }), asked.as_object_mut())
        {
            fields.remove("kind");
        }
        write!(f, "{} {asked}", self.name())
    }
}

impl Call {
    /// Returns the function's name; of another call the kind of the node, such as `http_request`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.request.name()
    }

    /// Returns an argument of a function.
    #[must_use]
    pub fn arg(&self, name: &str) -> Option<Node<'_>> {
        match &self.request {
            CallRequest::Function { args, .. } => args.get(name),
            _ => None,
        }
    }
}

/// Names a call to [`Engine::complete`](crate::Engine::complete), from any process: it says which
/// conversation it belongs to. It serialises, so that it can travel with the work.
///
/// ```
/// use chatflow::calls::{Answer, CallRef};
/// use chatflow::{CallResult, Engine, MemoryStore, call_fn};
///
/// # fn enqueue(_job: String) {}
/// let calls = call_fn(|call| async move {
///     // In a queue, or in the callback URL of the service that is asked.
///     enqueue(serde_json::to_string(&call.reference).unwrap());
///     Ok(Answer::Later)
/// });
/// let bot = Engine::builder(MemoryStore::new()).calls(calls).build();
///
/// // Later, in any process that shares the store:
/// async fn done(bot: &Engine<MemoryStore>, job: &str) -> Result<(), Box<dyn std::error::Error>> {
///     let reference: CallRef = serde_json::from_str(job)?;
///     let _ = bot.complete(reference, CallResult::value(serde_json::json!({"status": "packed"}))).await?;
///     Ok(())
/// }
/// # let _ = bot;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallRef {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The contact.
    pub contact: ContactId,
    /// The call.
    pub call: CallId,
}

/// The host's answer to a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The result, now.
    Now(CallResult),
    /// The result comes by [`Engine::complete`](crate::Engine::complete), within the node's
    /// time-out.
    Later,
}

impl Answer {
    /// The result, now.
    pub fn now(value: impl Into<Value>) -> Self {
        Self::Now(CallResult::value(value))
    }
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallResult {
    /// It worked: `save_to` gets the value, and the session takes the named branch, else `next`.
    Value {
        /// The value, at most 64 KiB and 16 levels deep.
        value: Value,
        /// A branch that the node declares.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        branch: Option<String>,
    },
    /// It failed: the session takes `failed`.
    Failed {
        /// The reason, for people.
        reason: String,
    },
}

impl CallResult {
    /// It worked.
    pub fn value(value: impl Into<Value>) -> Self {
        Self::Value { value: value.into(), branch: None }
    }

    /// It worked, and the session takes this branch.
    pub fn branch(value: impl Into<Value>, branch: impl Into<String>) -> Self {
        Self::Value { value: value.into(), branch: Some(branch.into()) }
    }

    /// It failed.
    pub fn failed(reason: impl ToString) -> Self {
        Self::Failed { reason: reason.to_string() }
    }
}

/// Makes host calls.
///
/// Contract:
/// 1. A call may be made more than once, always under the same [`CallId`]; its result is applied at
///    most once ([SEMANTICS D2](crate::semantics#d2)).
/// 2. `call` ends by itself, well below the lease (20 s advised, the lease lasts 60 s); what takes
///    longer answers [`Answer::Later`].
/// 3. Calls are not ordered with messages.
///
/// ```
/// use chatflow::calls::{Answer, Call};
/// use chatflow::{CallError, CallResult, Calls, Engine, MemoryStore};
///
/// struct Shop;
///
/// impl Calls for Shop {
///     async fn call(&self, call: &Call) -> Result<Answer, CallError> {
///         match call.name() {
///             "price" => Ok(Answer::now(12.99)),
///             // A person decides: `Engine::complete` brings the result under `call.reference`.
///             "approve" => Ok(Answer::Later),
///             name => Ok(Answer::Now(CallResult::failed(format_args!("no `{name}` here")))),
///         }
///     }
/// }
///
/// let bot = Engine::builder(MemoryStore::new()).calls(Shop).build();
/// # let _ = bot;
/// ```
pub trait Calls: Send + Sync {
    /// Makes one call.
    fn call(&self, call: &Call) -> impl Future<Output = Result<Answer, CallError>> + Send;
}

impl<C: Calls + ?Sized> Calls for Arc<C> {
    fn call(&self, call: &Call) -> impl Future<Output = Result<Answer, CallError>> + Send {
        (**self).call(call)
    }
}

impl<C: Calls + ?Sized> Calls for &C {
    fn call(&self, call: &Call) -> impl Future<Output = Result<Answer, CallError>> + Send {
        (**self).call(call)
    }
}

/// Calls from an async function.
#[derive(Clone, Copy, Debug)]
pub struct CallFn<F>(F);

/// Makes [`Calls`] from an async function that takes each call by value.
pub fn call_fn<F, R>(call: F) -> CallFn<F>
where
    F: Fn(Call) -> R + Send + Sync,
    R: Future<Output = Result<Answer, CallError>> + Send,
{
    CallFn(call)
}

impl<F, R> Calls for CallFn<F>
where
    F: Fn(Call) -> R + Send + Sync,
    R: Future<Output = Result<Answer, CallError>> + Send,
{
    fn call(&self, call: &Call) -> impl Future<Output = Result<Answer, CallError>> + Send {
        (self.0)(call.clone())
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`Calls`] with its type erased.
pub(crate) trait DynCalls: Send + Sync {
    fn call_boxed<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, CallError>>;
}

impl<C: Calls> DynCalls for C {
    fn call_boxed<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, CallError>> {
        Box::pin(self.call(call))
    }
}

/// The calls of an engine that was built without: each fails, so that the session takes its
/// `failed` branch.
pub(crate) struct NoCalls;

impl Calls for NoCalls {
    async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        Err(CallError::failed(format_args!(
            "the engine was built without calls, and `{}` was asked for",
            call.name()
        )))
    }
}
