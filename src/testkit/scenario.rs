//! A conversation that a host's test holds in code.

use std::panic::Location;

use serde_json::Value;

use super::coverage::Coverage;
use super::run::journals;
use crate::calls::CallResult;
use crate::engine::Rehearsal;
use crate::error::Error;
use crate::flow::Span;
use crate::session::Profile;
use crate::talk::{Act, Difference, Line, Talk};

/// A conversation with a flow, held and checked in code: the contact [`says`](Self::says) and
/// [`hears`](Self::hears), time [`passes`](Self::passes), calls are answered as the test decides.
///
/// A check that fails panics with the file and line of the test, and the talk so far up to the
/// first difference. The text of a check is that of a line of a talk: `…` matches any text,
/// `/regex/` is a pattern.
///
/// ```
/// use chatflow::testkit::Scenario;
///
/// # fn main() -> Result<(), chatflow::Error> {
/// const FLOW: &str = r#"{"spec": 1, "code": "price", "trigger": {"kind": "manual"},
///     "settings": {"sender": {"channel": "web", "account": "shop"}},
///     "nodes": [{"id": "start", "kind": "start"},
///               {"id": "look", "kind": "function", "function": "price", "save_to": "price"},
///               {"id": "tell", "kind": "send_message", "text": "Hi {{ context.name }}, it costs {{ vars.price }}."},
///               {"id": "wait", "kind": "wait_reply", "timeout": "30m"}],
///     "edges": [{"from": "start", "to": "look"}, {"from": "look", "to": "tell"}, {"from": "tell", "to": "wait"}]}"#;
/// Scenario::new(FLOW)?
///     .context(serde_json::json!({"name": "Ada"}))
///     .call("price", 12)
///     .start()?
///     .hears("Hi Ada, … 12.")
///     .is("waiting at wait")
///     .passes("30m")
///     .is_expired();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Scenario {
    run: Rehearsal,
    context: Option<Value>,
    /// The number of lines of the transcript that were heard, and where the last act began.
    heard: usize,
}

impl Scenario {
    /// A conversation with a flow, which begins at [`start`](Self::start).
    ///
    /// # Errors
    /// `Issues`: what keeps the flow from running.
    pub fn new(flow: &str) -> Result<Self, Error> {
        let begin = super::ManualClock::default();
        let run = Rehearsal::of(flow)?.at(crate::clock::Clock::now(&begin));
        Ok(Self { run, context: None, heard: 0 })
    }

    /// With another flow that it may call.
    ///
    /// # Errors
    /// `Issues` of the other.
    pub fn beside(mut self, flow: &str) -> Result<Self, Error> {
        self.run = self.run.with_flow(flow)?;
        Ok(self)
    }

    /// With what a call starts the flow with.
    pub fn context(mut self, context: impl Into<Value>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// With a contact who has this profile.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.run = self.run.with_profile(profile);
        self
    }

    /// With a host that answers each call of this function, kind or node so.
    pub fn call(self, name: &str, value: impl Into<Value>) -> Self {
        self.call_with(name, CallResult::value(value))
    }

    /// The same, with a branch or a failure.
    pub fn call_with(mut self, name: &str, result: CallResult) -> Self {
        self.run = self.run.with_call(name, result);
        self
    }

    /// Begins. A flow that messages start waits for the first.
    ///
    /// # Errors
    /// `InvalidInput` when the context lacks what the flow needs.
    pub fn start(mut self) -> Result<Self, Error> {
        if self.run.flow().trigger().is_manual() || self.context.is_some() {
            let context = self.context.take().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
            self.run.start(context)?;
        }
        Ok(self)
    }

    /// Lets the contact write.
    #[track_caller]
    pub fn says(&mut self, text: &str) -> &mut Self {
        self.does(&Act::Say(text.to_owned()))
    }

    /// Lets the contact choose what was offered, by its label or its id.
    #[track_caller]
    pub fn chooses(&mut self, option: &str) -> &mut Self {
        self.does(&Act::Choose(option.to_owned()))
    }

    /// Lets time pass: `"31m"`.
    #[track_caller]
    pub fn passes(&mut self, time: &str) -> &mut Self {
        match Span::parse(time) {
            Ok(span) => self.does(&Act::Pass(span.as_delta())),
            Err(rule) => panic!("`{time}` {rule}, such as 31m or 1h30m"),
        }
    }

    /// Lets the host answer the call that waits, else the next one.
    #[track_caller]
    pub fn answers(&mut self, value: impl Into<Value>) -> &mut Self {
        self.does(&Act::Now(value.into()))
    }

    /// Lets the call that waits, else the next one, fail.
    #[track_caller]
    pub fn fails(&mut self, reason: &str) -> &mut Self {
        self.does(&Act::Failed(reason.to_owned()))
    }

    /// Lets a person give the contact back.
    #[track_caller]
    pub fn hands_back(&mut self, vars: impl Into<Value>) -> &mut Self {
        self.does(&Act::Back(vars.into()))
    }

    /// Does anything else that a talk has a line for.
    #[track_caller]
    pub fn does(&mut self, act: &Act) -> &mut Self {
        let before = self.run.transcript().lines().len();
        if let Err(error) = self.run.act(act) {
            self.differ(before, Some(act.to_string()), Some(format!("({error})")));
        }
        self.heard = before;
        self
    }

    /// Expects the next message that the contact hears.
    #[track_caller]
    pub fn hears(&mut self, text: &str) -> &mut Self {
        self.next('<', text)
    }

    /// Expects the next call that the host is asked for, by its name: `"price"`, or with what it
    /// brings: `"price {\"of\":\"A-1\"}"`.
    #[track_caller]
    pub fn asks(&mut self, call: &str) -> &mut Self {
        let lines = self.run.transcript().lines();
        let is_meant = |line: &Line| match line {
            Line::Called(made) => made.name() == call || made.to_string() == call,
            _ => false,
        };
        let found = lines.iter().enumerate().skip(self.heard).find(|(_, line)| line.mark() == '~');
        match found {
            Some((place, line)) if is_meant(line) => self.heard = place + 1,
            Some((place, line)) => self.differ(place, Some(format!("~ {call}")), Some(line.to_string())),
            None => self.differ(lines.len(), Some(format!("~ {call}")), None),
        }
        self
    }

    /// Expects that nothing more is said.
    #[track_caller]
    pub fn hears_nothing(&mut self) -> &mut Self {
        let lines = self.run.transcript().lines();
        let more = lines.iter().enumerate().skip(self.heard).find(|(_, line)| line.mark() == '<');
        if let Some((place, line)) = more {
            self.differ(place, None, Some(line.to_string()));
        }
        self
    }

    /// Checks the outcome of the message or the trigger: `"unmatched"`, `"already running"`.
    #[track_caller]
    pub fn is_told(&mut self, verdict: &str) -> &mut Self {
        self.next('*', verdict)
    }

    /// Expects the session's status: `"waiting"`, `"waiting at menu"`, `"completed at bye, paid"`.
    #[track_caller]
    pub fn is(&mut self, state: &str) -> &mut Self {
        let stands = self.run.transcript().lines().iter().rfind(|line| line.mark() == '=');
        let text = stands.map(|line| line.to_string().split_off(2)).unwrap_or_default();
        let rest = text.strip_prefix(state);
        if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ',', ':'])) {
            let actual = stands.map(ToString::to_string);
            self.differ(self.run.transcript().lines().len(), Some(format!("= {state}")), actual);
        }
        self
    }

    /// Expects that the session has ended well.
    #[track_caller]
    pub fn is_completed(&mut self) -> &mut Self {
        self.is("completed")
    }

    /// Expects that the session waits for the contact.
    #[track_caller]
    pub fn is_waiting(&mut self) -> &mut Self {
        self.is("waiting")
    }

    /// Expects that the session has expired because nobody answered.
    #[track_caller]
    pub fn is_expired(&mut self) -> &mut Self {
        self.is("expired")
    }

    /// Expects that the session has failed.
    #[track_caller]
    pub fn is_failed(&mut self) -> &mut Self {
        self.is("failed")
    }

    /// Expects that the contact is with a person.
    #[track_caller]
    pub fn is_in_handoff(&mut self) -> &mut Self {
        self.is("handoff")
    }

    /// Returns the talk so far, which goes again as it went.
    #[must_use]
    pub fn talk(&self) -> Talk {
        Talk::parse(&self.run.transcript().to_string()).unwrap_or_default()
    }

    /// Returns the rehearsal underneath.
    #[must_use]
    pub fn rehearsal(&self) -> &Rehearsal {
        &self.run
    }

    /// Returns the coverage of the flow by this conversation.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        Coverage::of(self.run.flow(), &journals(&self.run))
    }

    /// The next line with a mark has this text.
    #[track_caller]
    fn next(&mut self, mark: char, text: &str) -> &mut Self {
        let more = text.split('\n').collect::<Vec<_>>().join("\n. ");
        let expected = format!("{mark} {more}");
        let lines = self.run.transcript().lines();
        let found = lines.iter().enumerate().skip(self.heard).find(|(_, line)| line.mark() == mark);
        match found {
            Some((place, line)) if line.fits(&expected) => self.heard = place + 1,
            Some((place, line)) => self.differ(place, Some(expected), Some(line.to_string())),
            None => self.differ(lines.len(), Some(expected), None),
        }
        self
    }

    #[track_caller]
    fn differ(&self, place: usize, expected: Option<String>, actual: Option<String>) -> ! {
        let before = self.run.transcript().lines().get(..place).unwrap_or_default();
        let difference = Difference::behind(before, expected, actual);
        panic!("\n{}: the conversation took another course\n{difference}", Location::caller());
    }
}
