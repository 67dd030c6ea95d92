//! The conversation that is held: `examples/flows/abandoned_cart.json`, a trigger and two replies,
//! each with a key or an id, repeated until it is answered.

use std::time::Duration;

use chatflow::store::{ConversationStore, FlowStore};
use chatflow::{
    Builder, Channel, Clock, ContactId, Engine, Error, Inbound, Outbound, Receipt, Received, SendError,
    Transport, TriggerRequest, Triggered,
};
use serde_json::json;

use super::history::{Event, Replied, Report, Step};

pub const FLOW: &str = include_str!("../../../examples/flows/abandoned_cart.json");
const CODE: &str = "abandoned-cart";
const ACCOUNT: &str = "+15550100";

/// A contact's id.
pub fn contact_id(contact: u64) -> ContactId {
    ContactId::new(format!("c{contact}")).expect("a name")
}

/// A contact's number on WhatsApp, under which its replies come.
pub fn phone(contact: u64) -> String {
    format!("+1415{contact:09}")
}

/// The last call that is made for a contact: most finish, some leave their session to its timer.
pub fn last_step(contact: u64) -> Step {
    match contact % 10 {
        3 => Step::Trigger,
        7 => Step::Hello,
        _ => Step::One,
    }
}

fn has_rival(contact: u64) -> bool {
    contact.is_multiple_of(4)
}

/// A transport that reports each message before it takes it.
pub struct Wire<R>(pub R);

impl<R: Report> Transport for Wire<R> {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        let contact = message.contact.to_string().strip_prefix('c').and_then(|number| number.parse().ok());
        self.0.report(Event::Sent {
            contact: contact.unwrap_or_default(),
            message: message.id,
            turn: message.turn,
            index: message.index,
            text: message.text().to_owned(),
        });
        Ok(Receipt::new())
    }
}

/// An engine whose messages are reported.
pub fn engine<S: ConversationStore>(
    store: S,
    flows: impl FlowStore + 'static,
    clock: impl Clock + 'static,
    report: impl Report + 'static,
    lease: Duration,
) -> Engine<S> {
    builder(store, flows, clock, report, lease).build()
}

/// The same, not yet built.
pub fn builder<S: ConversationStore>(
    store: S,
    flows: impl FlowStore + 'static,
    clock: impl Clock + 'static,
    report: impl Report + 'static,
    lease: Duration,
) -> Builder<S> {
    Engine::builder(store).flow_store(flows).clock(clock).transport(Wire(report)).lease(lease)
}

/// Holds conversations with one engine.
pub struct Talk<'a, S, R> {
    pub bot: &'a Engine<S>,
    pub report: R,
    /// True if a second trigger is made before the first.
    pub flip: bool,
}

impl<S: ConversationStore, R: Report> Talk<'_, S, R> {
    /// A contact's conversation from its beginning, as far as planned. Calls that were answered
    /// before are repeated. Answers false when a call failed for good.
    pub async fn hold<F: Future<Output = ()>>(&self, contact: u64, pause: impl Fn() -> F) -> bool {
        let triggers = match (has_rival(contact), self.flip) {
            (false, _) => [Some(Step::Trigger), None],
            (true, false) => [Some(Step::Trigger), Some(Step::Rival)],
            (true, true) => [Some(Step::Rival), Some(Step::Trigger)],
        };
        let replies = [Step::Hello, Step::One].into_iter().filter(|step| *step <= last_step(contact));
        for step in triggers.into_iter().flatten().chain(replies) {
            self.report.report(Event::Asked { contact, step });
            loop {
                match self.make(contact, step).await {
                    Ok(answer) => {
                        self.report.report(answer);
                        break;
                    }
                    Err(error) if error.is_retryable() => pause().await,
                    Err(error) => {
                        let error = format!("{}: {error}", error.code());
                        self.report.report(Event::Failed { contact, step, error });
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Makes one call.
    pub async fn make(&self, contact: u64, step: Step) -> Result<Event, Error> {
        Ok(match step {
            Step::Trigger => self.trigger(contact, step, "first").await?,
            Step::Rival => self.trigger(contact, step, "rival").await?,
            Step::Hello => self.reply(contact, step, "hello").await?,
            Step::One => self.reply(contact, step, "1").await?,
        })
    }

    async fn trigger(&self, contact: u64, step: Step, key: &str) -> Result<Event, Error> {
        let request = TriggerRequest::new(CODE)
            .contact_id(contact_id(contact).to_string())
            .phone(phone(contact))
            .context(
                json!({"first_name": "Ada", "cart_id": format!("cart-{contact}"), "cart_total": "129.00"}),
            )
            .uuid(format!("{key}-{contact}"));
        let answer = self.bot.trigger(request).await?;
        let started = matches!(answer, Triggered::Started(_));
        Ok(match answer.session() {
            Some(session) => {
                let (session, replayed) = (session.session_id, session.replayed);
                Event::Triggered { contact, step, session, started, replayed }
            }
            None => Event::Failed { contact, step, error: answer.to_string() },
        })
    }

    async fn reply(&self, contact: u64, step: Step, text: &str) -> Result<Event, Error> {
        let inbound =
            Inbound::text(Channel::WhatsApp, ACCOUNT, phone(contact), text).id(format!("{text}-{contact}"));
        let replied = match self.bot.receive(inbound).await? {
            Received::Consumed { session } => Replied::Taken(session),
            Received::Duplicate { first } => match *first {
                Received::Consumed { session } => Replied::TakenBefore(session),
                _ => Replied::Lost,
            },
            _ => Replied::Lost,
        };
        Ok(Event::Replied { contact, step, replied })
    }
}
