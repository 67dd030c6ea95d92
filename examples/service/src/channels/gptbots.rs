//! Messages to a webhook, as GPTBots posts them: one POST a message. Retries and their pace are the
//! engine's.

use chatflow::session::{Content, Outbound};
use chatflow::wire::gptbots::{Authorization, WebhookMessage, acknowledged};
use chatflow::{Receipt, SendError};
use reqwest::Client;
use reqwest::header::AUTHORIZATION;

use crate::channels::read_bounded;
use crate::config::ChannelConfig;

/// A webhook that takes messages.
pub struct Webhook {
    client: Client,
    url: String,
    authorization: Authorization,
}

impl Webhook {
    /// The webhook that is set, if one is.
    #[must_use]
    pub fn of(client: Client, config: &ChannelConfig) -> Option<Self> {
        let token = config.gptbots_token.clone();
        let authorization =
            if config.gptbots_basic { Authorization::Basic(token) } else { Authorization::Bearer(token) };
        Some(Self { client, url: config.gptbots_url.clone()?, authorization })
    }

    /// Posts one message.
    ///
    /// # Errors
    /// As the receiver says it.
    pub async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        if matches!(message.content, Content::Typing { .. }) {
            // The format has no word for it.
            return Ok(Receipt::new());
        }
        let request = self
            .client
            .post(&self.url)
            .header(AUTHORIZATION, self.authorization.to_string())
            .json(&WebhookMessage::of(message));
        let answer = request.send().await.map_err(|error| SendError::retry(error.without_url()))?;
        let status = answer.status().as_u16();
        acknowledged(status, &read_bounded(answer).await.map_err(SendError::retry)?)
    }
}
