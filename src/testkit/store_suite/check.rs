//! A check with its name and its rule, and how it is run so that a failure names both.

use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use crate::testkit::store_suite::Rule;

/// The code of a check.
pub type Run<H> = for<'a> fn(&'a H) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// One rule, asked of one fresh store.
pub struct Check<H> {
    /// The rule that is checked, as a sentence. No other check has this name.
    pub name: &'static str,
    /// The module of the suite that it is in, such as `races`; a host's own may be in any.
    pub group: &'static str,
    /// The rule that does not hold if the check fails.
    pub rule: Rule,
    run: Run<H>,
}

/// A rule that a store does not keep.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}\n  is not kept: {check}\n  {message}")]
#[non_exhaustive]
pub struct BrokenRule {
    /// The check that failed.
    pub check: &'static str,
    /// Its rule.
    pub rule: Rule,
    /// The finding of the check, in words.
    pub message: String,
}

impl<H> Check<H> {
    /// A check, such as one of a host's own.
    #[must_use]
    pub const fn new(group: &'static str, name: &'static str, rule: Rule, run: Run<H>) -> Self {
        Self { name, group, rule, run }
    }

    /// Runs the check.
    ///
    /// # Errors
    /// [`BrokenRule`] when the store does not keep the rule, or failed at a call. The panic behind
    /// it is caught, and the host's panic hook has seen it.
    pub async fn verdict(&self, harness: &H) -> Result<(), BrokenRule> {
        let failed = |message| BrokenRule { check: self.name, rule: self.rule, message };
        caught((self.run)(harness)).await.map_err(|panic| failed(said(panic.as_ref())))
    }

    /// Runs the check in a test.
    ///
    /// # Panics
    /// When the store does not keep the rule. The message names the check and the rule.
    pub async fn run(&self, harness: &H) {
        if let Err(broken) = self.verdict(harness).await {
            panic!("{broken}");
        }
    }
}

impl<H> Clone for Check<H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H> Copy for Check<H> {}

impl<H> fmt::Debug for Check<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).field("rule", &self.rule).finish_non_exhaustive()
    }
}

/// Runs all, one after the other.
///
/// # Panics
/// When the store breaks a rule: after the last check, with the name and the rule of each that
/// failed.
pub async fn run_all<H>(checks: &[Check<H>], harness: &H) {
    let mut broken = Vec::new();
    for check in checks {
        broken.extend(check.verdict(harness).await.err());
    }
    let list: Vec<String> = broken.iter().map(BrokenRule::to_string).collect();
    assert!(list.is_empty(), "{} of {} checks failed:\n{}", list.len(), checks.len(), list.join("\n"));
}

/// Awaits what may panic.
async fn caught<T>(mut work: Pin<Box<dyn Future<Output = T> + Send + '_>>) -> Result<T, Box<dyn Any + Send>> {
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// Returns the message of a panic.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
}
