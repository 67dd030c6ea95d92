//! The acts of a contact's talk, written down to be played again. What the dialect of talks has no
//! words for is told instead: another conversation is never recorded in its place.

use chatflow::CallResult;
use chatflow::talk::Act;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

pub(crate) struct Script {
    /// The time at which it begins.
    pub(crate) began: DateTime<Utc>,
    acts: Vec<Act>,
    /// The first thing that a talk cannot hold.
    pub(crate) lost: Option<String>,
    /// True if the host answered last: answers of its rules come behind that answer.
    is_answer: bool,
    /// True if the channel has taken a message since the last act.
    has_taken: bool,
}

impl Script {
    pub(crate) fn at(began: DateTime<Utc>) -> Self {
        Self { began, acts: Vec::new(), lost: None, is_answer: false, has_taken: false }
    }

    /// Something is done.
    pub(crate) fn act(&mut self, act: Act) {
        self.acts.push(act);
        (self.is_answer, self.has_taken) = (false, false);
    }

    /// The host answers the call that waits.
    pub(crate) fn answer(&mut self, result: &CallResult) {
        if let Some(act) = self.answer_of(result) {
            self.act(act);
            self.is_answer = true;
        }
    }

    /// The host answers at once, by a rule: such an answer is given before the act that makes the
    /// flow ask.
    pub(crate) fn answer_by_rule(&mut self, result: &CallResult) {
        let Some(act) = self.answer_of(result) else { return };
        if self.is_answer { self.acts.push(act) } else { self.prepare(act) }
    }

    fn answer_of(&mut self, result: &CallResult) -> Option<Act> {
        match result.clone() {
            CallResult::Failed { reason } if !reason.is_empty() => Some(Act::Failed(reason)),
            CallResult::Value { branch: None, value } => Some(Act::Now(value)),
            CallResult::Value { branch: Some(branch), value }
                if !branch.is_empty() && !branch.contains(char::is_whitespace) =>
            {
                Some(Act::Branch { branch, value })
            }
            CallResult::Failed { .. } => {
                self.lose("a call failed without a reason");
                None
            }
            CallResult::Value { .. } => {
                self.lose("the host named a branch with a space in its name");
                None
            }
        }
    }

    /// The channel takes a message.
    pub(crate) fn took(&mut self) {
        self.has_taken = true;
    }

    /// The channel does not take the next message.
    pub(crate) fn refuse(&mut self, act: Act) {
        if self.has_taken {
            self.lose("the channel took one message and refused the next one of the same turn");
        }
        self.prepare(act);
    }

    /// An order that comes before the last act.
    fn prepare(&mut self, order: Act) {
        let place = self.acts.len().saturating_sub(1);
        self.acts.insert(place, order);
    }

    /// Sets the time that the last act took.
    pub(crate) fn lasted(&mut self, time: TimeDelta) {
        if let Some(Act::Pass(passed)) = self.acts.last_mut() {
            *passed = time;
        }
    }

    /// Something was done that a talk has no words for.
    pub(crate) fn lose(&mut self, what: &str) {
        self.lost.get_or_insert_with(|| what.to_owned());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.acts.iter().map(ToString::to_string).collect()
    }
}

/// A message of the contact as an act; `lines` is what was seen before it. An error says
/// why a talk cannot hold it.
pub(crate) fn said(said: &Value, lines: &[Value]) -> Result<Act, &'static str> {
    let text = |field: &str| said.get(field).and_then(Value::as_str);
    if let Some(label) = text("label") {
        // A talk means the last option of that name.
        let offered = lines.iter().rev().filter_map(options).flat_map(|options| options.iter().rev());
        return match offered.into_iter().find(|option| option["label"] == label) {
            Some(option) if option["payload"] == said["payload"] => Ok(Act::Choose(label.to_owned())),
            _ => Err("a choice was pressed that is not the last one of its name"),
        };
    }
    let mut fields = said.as_object().cloned().unwrap_or_default();
    if let Some(text) = text("text").filter(|_| fields.len() == 1) {
        return Ok(Act::Say(text.to_owned()));
    }
    // A caption goes by that name in talks, and the token of a form is the one that was offered.
    if let Some(caption) = fields.remove("text") {
        fields.insert("caption".to_owned(), caption);
    }
    if let Some(token) = fields.get_mut("token") {
        *token = "offered".into();
    }
    Ok(Act::Send(Value::Object(fields)))
}

/// The options of a line that offers some.
fn options(line: &Value) -> Option<&Vec<Value>> {
    line.get("message")?.get("content")?.get("options")?.as_array()
}
