//! Putting a message of a node into the outbox: its number, its envelope, the limit on what is
//! unsent. What it says is the node's.

use std::sync::Arc;

use crate::flow::Step;
use crate::id::MessageId;
use crate::kernel::Effect;
use crate::kernel::turn::{Move, Run};
use crate::session::{Content, FailureCode, Outbound, Route};

impl Run<'_> {
    /// The channel's id of the message that this turn took.
    fn answered_id(&self) -> Option<Arc<str>> {
        let reply = self.session.reply.as_deref().filter(|_| self.has_reply)?;
        reply.message.as_ref()?.id.clone()
    }

    /// The channel's id of what the contact said last: an answer, or what began the session.
    pub(super) fn heard_last(&self) -> Option<&str> {
        let answer = self.session.reply.as_deref().and_then(|reply| reply.message.as_ref());
        let last = answer.or_else(|| self.session.opened().map(|opening| &opening.message));
        last.and_then(|message| message.id.as_deref())
    }

    /// Sends a message. Returns its id, or how the turn ends because it cannot.
    pub(super) fn send(
        &mut self,
        step: &Step,
        route: Arc<Route>,
        content: Content,
        subject: Option<Box<str>>,
    ) -> Result<MessageId, Move> {
        let max = self.env.limits.unsent_messages;
        if self.env.unsent.saturating_add(self.sends as usize) >= max {
            let text = format_args!("more than {max} messages are unsent");
            return Err(Move::fail(FailureCode::UnsentMessages, text));
        }
        if content.is_typing() {
            self.signs += 1;
        } else {
            self.session.asked = Some(Arc::clone(&route));
            self.session.sent = self.session.sent.saturating_add(1);
            if !content.options().is_empty() || matches!(content, Content::Form(_) | Content::Template(_)) {
                self.left_open = None;
                self.session.take_left_open();
            }
        }
        let index = self.sends;
        self.sends += 1;
        let id = MessageId { session: self.session.id, seq: self.last_sent() };
        let (flow, version) = self.session.active();
        let message = Outbound {
            id,
            workspace: self.env.workspace.clone(),
            contact: self.contact.id.clone(),
            flow: flow.clone(),
            node: step.id.clone(),
            route,
            content,
            subject,
            in_reply_to: self.answered_id(),
            created_at: self.env.now,
            turn: self.session.turns.saturating_add(1),
            index,
            count: 0,
            branch: self.session.branch.clone(),
            component: Arc::clone(self.component.unwrap_or(&step.title)),
            version: version.0,
        };
        self.effects.push(Effect::Send(Arc::new(message)));
        Ok(id)
    }
}
