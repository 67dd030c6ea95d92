//! Messages before any question, trigger or queue may have them: words of opting
//! out, handoff, keywords (SEMANTICS I1, I6).

use crate::flow::{KeywordAction, Rank};
use crate::kernel::begin::NewSession;
use crate::kernel::decide::admit::{Admission, Allowances, admit};
use crate::kernel::decide::decision::Decision;
use crate::kernel::decide::inbound::Arrival;
use crate::kernel::decide::keyword::KeywordMeaning;
use crate::kernel::{Input, accept_inputs};
use crate::session::{EndReason, Origin, Verdict};

impl Arrival<'_> {
    /// Does what was heard. None: nothing was, and the message is looked at further.
    pub(super) fn obey(&self, decision: &mut Decision<'_>, heard: KeywordMeaning) -> Option<Verdict> {
        let now = decision.now;
        Some(match heard {
            KeywordMeaning::Nothing => return None,
            KeywordMeaning::OptOut => {
                decision.opt_out();
                self.answer_by_word(decision);
                Verdict::Keyword(KeywordAction::OptOut)
            }
            KeywordMeaning::OptIn => {
                decision.opt_in();
                self.answer_by_word(decision);
                Verdict::Keyword(KeywordAction::OptIn)
            }
            KeywordMeaning::Handoff(session) => {
                decision.touch();
                Verdict::Handoff(session)
            }
            KeywordMeaning::Paused => Verdict::Paused,
            KeywordMeaning::Keyword { action, sessions, node } => {
                for session in sessions {
                    let Some(place) = decision.place_of(session) else { continue };
                    match (action, &node) {
                        (KeywordAction::Restart, _) => self.restart(decision, place),
                        (KeywordAction::Handoff, _) => {
                            decision.hand_over(place);
                        }
                        (KeywordAction::Jump, Some(node)) => {
                            let input = Input::Jump { node: node.clone(), route: Some(self.route()) };
                            decision.advance(place, input, now);
                        }
                        (KeywordAction::Say, Some(node)) => {
                            let input = Input::Say { node: node.clone(), route: Some(self.route()) };
                            decision.advance(place, input, now);
                        }
                        _ => decision.end(place, EndReason::Keyword, now),
                    }
                }
                Verdict::Keyword(action)
            }
        })
    }

    /// After a word of opting out or in, a flow that it starts by an `exact` rule answers it: the
    /// only thing that a contact who opted out is sent (SEMANTICS T10).
    fn answer_by_word(&self, decision: &mut Decision<'_>) {
        let limits = decision.env.limits;
        let allow = Allowances { opted_out: true, in_handoff: false };
        let best = decision.env.flows.startable(self.account()).into_iter().filter(|(_, flow)| {
            let trigger = flow.trigger();
            let is_exact = trigger.matches(Some(self.text()), None, false) == Some(Rank::Exact);
            let admission =
                admit(flow, Some(&*decision.conversation), allow, decision.now, limits.live_sessions);
            is_exact && !trigger.needs_campaign() && admission == Admission::Start
        });
        let best =
            best.max_by_key(|(_, flow)| (flow.trigger().priority(), std::cmp::Reverse(flow.id().clone())));
        if let Some((version, flow)) = best {
            self.start(decision, version, flow);
        }
    }

    /// Ends the session and starts its flow anew with what it was started with: on the version that
    /// is online now, or on its own when none is, or when that one does not take the old context.
    fn restart(&self, decision: &mut Decision<'_>, place: usize) {
        let Some(session) = decision.conversation.sessions.get(place) else { return };
        let own =
            decision.own_flow(session).map(|flow| (session.version, flow, session.begun_with().clone()));
        let limits = decision.env.limits;
        let online =
            decision.env.flows.published(&session.flow).and_then(|published| published.usable()).and_then(
                |(version, flow)| {
                    let (context, _) =
                        accept_inputs(flow.start().1, session.begun_with().clone(), limits).ok()?;
                    Some((version, &**flow, context))
                },
            );
        let Some((version, flow, context)) = online.or(own) else { return };
        let origin =
            session.origin.as_deref().map(|origin| Origin { uuid: None, restarted: true, ..origin.clone() });
        let new = NewSession {
            context,
            origin: origin.map(Box::new),
            route: Some(self.route()),
            ..NewSession::new(self.session(), version)
        };
        decision.end(place, EndReason::Keyword, decision.now);
        decision.start(flow, new);
    }
}
