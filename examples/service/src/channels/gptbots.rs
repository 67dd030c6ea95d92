//! Messages to a webhook, as GPTBots posts them: one POST a message, or in the second version one
//! POST a turn. Retries and their pace are the engine's.

use chatflow::wire::gptbots::{Authorization, TurnMessage, WebhookMessage, acknowledged, acknowledged_turn};
use chatflow::{Content, Outbound, Receipt, SendError};
use reqwest::Client;
use reqwest::header::AUTHORIZATION;
use serde::Serialize;

use crate::channels::read_bounded;
use crate::config::ChannelConfig;

/// A webhook that takes messages.
pub struct Webhook {
    client: Client,
    url: String,
    authorization: Authorization,
    by_turn: bool,
}

impl Webhook {
    /// The webhook that is set, if one is.
    #[must_use]
    pub fn of(client: Client, config: &ChannelConfig) -> Option<Self> {
        let token = config.gptbots_token.clone();
        let authorization =
            if config.gptbots_basic { Authorization::Basic(token) } else { Authorization::Bearer(token) };
        Some(Self {
            client,
            url: config.gptbots_url.clone()?,
            authorization,
            by_turn: config.gptbots_by_turn,
        })
    }

    /// Posts one message.
    ///
    /// # Errors
    /// As the receiver says it.
    pub async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        let is_typing = matches!(message.content, Content::Typing { .. });
        let (status, body) = match TurnMessage::of(&[message]).filter(|_| self.by_turn) {
            Some(turn) => self.post(&turn).await?,
            // The format has no word for it.
            None if is_typing => return Ok(Receipt::new()),
            None => self.post(&WebhookMessage::of(message)).await?,
        };
        acknowledged(status, &body)
    }

    /// Posts the messages of a turn at once, where the receiver reads them so.
    pub async fn send_turn(&self, messages: &[&Outbound]) -> Option<Vec<Result<Receipt, SendError>>> {
        let turn = TurnMessage::of(messages).filter(|_| self.by_turn)?;
        Some(match self.post(&turn).await {
            Ok((status, body)) => acknowledged_turn(messages, status, &body),
            Err(error) => messages.iter().map(|_| Err(error.clone())).collect(),
        })
    }

    async fn post(&self, body: &impl Serialize) -> Result<(u16, Vec<u8>), SendError> {
        let request =
            self.client.post(&self.url).header(AUTHORIZATION, self.authorization.to_string()).json(body);
        let answer = request.send().await.map_err(|error| SendError::retry(error.without_url()))?;
        let status = answer.status().as_u16();
        Ok((status, read_bounded(answer).await.map_err(SendError::retry)?))
    }
}
