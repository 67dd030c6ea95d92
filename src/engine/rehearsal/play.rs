//! A talk, played from its first line to its last, beside what comes of it.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Rehearsal;
use crate::calls::{Answer, CallResult};
use crate::error::CallError;
use crate::flow::{Issue, IssueCode, Issues};
use crate::talk::{Act, Comparison, Line, Played, Talk, TalkLine, TalkPart};

/// Thursday, 7 May 2026, 08:14:23 UTC: the beginning of a talk that says none.
const BEGINNING: DateTime<Utc> = DateTime::from_timestamp_millis(1_778_141_663_000).expect("a valid instant");

/// Makes everything happen that comes before the first act that is no preparation.
struct Beginning {
    context: Option<Value>,
}

impl Rehearsal {
    /// Plays a talk, and says whether it goes as it is written.
    ///
    /// A flow that a call starts is started with the talk's first `! context`, or without any, once
    /// the lines that prepare it are read. The time is 2026-05-07T08:14:23Z, unless the talk begins
    /// with another or the rehearsal was made [at](Self::at) one. What the flow's check warns of is
    /// told in the first lines, but for `window_may_be_closed`: in a talk no window closes by
    /// itself.
    pub fn play(&mut self, talk: &Talk) -> Played {
        if !self.beyond.is_timed {
            self.stage.set(BEGINNING);
        }
        let (lines, mut compared) = (talk.lines(), Comparison::default());
        let mut beginning = Some(Beginning { context: None });
        let (mut told, mut from) = (self.transcript.0.len(), 0);
        for (place, line) in lines.iter().enumerate() {
            let TalkPart::Act(act) = line.part() else { continue };
            if is_beside_its_call(lines, place) {
                continue;
            }
            let expected = lines.get(from..place).unwrap_or_default();
            if is_beginning(act, expected, beginning.as_ref()) {
                self.begin(&mut beginning, rest(lines, from));
            }
            compared.heard(expected, rest(&self.transcript.0, told), line.number());
            told = self.transcript.0.len();
            from = place + 1;
            if let Act::Context(context) = act {
                // A context behind the beginning starts the flow again.
                beginning.get_or_insert(Beginning { context: None }).context = Some(context.clone());
            } else {
                self.expect_answers(rest(lines, from));
                if let Err(error) = self.act(act) {
                    compared.fail(line, &error.to_string());
                    return compared.finish();
                }
            }
            compared.act(line);
        }
        self.begin(&mut beginning, rest(lines, from));
        let end = lines.last().map_or(1, |last| last.number() + last.raw().split('\n').count());
        compared.heard(rest(lines, from), rest(&self.transcript.0, told), end);
        compared.finish()
    }

    /// Starts the flow, if it is to be; these lines follow.
    fn begin(&mut self, beginning: &mut Option<Beginning>, next: &[TalkLine]) {
        let Some(Beginning { context }) = beginning.take() else { return };
        self.expect_answers(next);
        if !std::mem::replace(&mut self.beyond.is_warned, true) {
            let warnings = told(self.flow.warnings());
            self.transcript.0.extend(warnings.map(Line::Noticed));
        }
        if (self.flow.trigger().is_manual() || context.is_some())
            && let Err(error) = self.start(context.unwrap_or_else(|| Value::Object(serde_json::Map::new())))
        {
            self.transcript.0.push(Line::Noticed(error.to_string()));
        }
    }
}

impl Rehearsal {
    /// Gives the answers listed below their calls, up to the next other act: a call that is made
    /// while time passes is answered at its own time.
    fn expect_answers(&self, next: &[TalkLine]) {
        for (place, line) in next.iter().enumerate() {
            let TalkPart::Act(act) = line.part() else { continue };
            match answer(act).filter(|_| is_beside_its_call(next, place)) {
                Some(answer) => self.stage.expect_next(answer),
                None => return,
            }
        }
    }
}

/// The answer that an act has the host give, if it does.
pub(super) fn answer(act: &Act) -> Option<Result<Answer, CallError>> {
    Some(match act {
        Act::Now(value) => Ok(Answer::now(value.clone())),
        Act::Branch { branch, value } => Ok(Answer::Now(CallResult::branch(value.clone(), branch))),
        Act::Failed(reason) => Err(CallError::failed(reason)),
        _ => return None,
    })
}

/// True if a line is an answer right below the call that it is for.
fn is_beside_its_call(lines: &[TalkLine], place: usize) -> bool {
    let is_answer =
        matches!(lines.get(place).map(TalkLine::part), Some(TalkPart::Act(act)) if answer(act).is_some());
    let above = lines.iter().take(place).rev().find(|line| *line.part() != TalkPart::Remark);
    is_answer && above.is_some_and(|line| matches!(line.part(), TalkPart::Heard { mark: '~', .. }))
}

impl Played {
    /// A talk with a flow that cannot run: its only result is the list of issues.
    #[must_use]
    pub fn refused(talk: &Talk, issues: &Issues) -> Self {
        let (lines, mut compared) = (talk.lines(), Comparison::default());
        let is_act = |line: &&TalkLine| matches!(line.part(), TalkPart::Act(act) if act.is_preparation());
        let prepared = lines.iter().rposition(|line| is_act(&line)).map_or(0, |last| last + 1);
        lines.iter().take(prepared).for_each(|line| compared.act(line));
        let all: Vec<Line> = told(issues).map(Line::Noticed).collect();
        let end = lines.last().map_or(1, |last| last.number() + last.raw().split('\n').count());
        compared.heard(rest(lines, prepared), &all, end);
        compared.finish()
    }
}

/// True if a flow that has not begun has to, before the act that follows these lines.
fn is_beginning(act: &Act, expected: &[TalkLine], beginning: Option<&Beginning>) -> bool {
    let Some(beginning) = beginning else { return false };
    let is_heard = expected.iter().any(|line| matches!(line.part(), TalkPart::Heard { .. }));
    let is_again = matches!(act, Act::Context(_)) && beginning.context.is_some();
    is_heard || is_again || !(act.is_preparation() || matches!(act, Act::At(_)))
}

fn rest<T>(all: &[T], from: usize) -> &[T] {
    all.get(from..).unwrap_or_default()
}

/// The issues of a flow, all in one text as far as there are any.
fn told(issues: &Issues) -> impl Iterator<Item = String> {
    let matters = |issue: &&Issue| issue.code != IssueCode::WindowMayBeClosed;
    let issues: Vec<String> = issues.iter().filter(matters).map(|issue| format!("{issue:#}")).collect();
    Some(issues.join("\n")).filter(|text| !text.is_empty()).into_iter()
}
