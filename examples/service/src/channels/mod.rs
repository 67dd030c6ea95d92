//! Where messages leave: the channel's own API where it is set, else the console.

pub mod console;
pub mod gptbots;
pub mod graph;
pub mod messenger;

use std::sync::Arc;
use std::time::Duration;

use chatflow::{Channel, Outbound, Receipt, SendError, Transport};
use reqwest::{Client, Response};

use crate::channels::console::Console;
use crate::channels::gptbots::Webhook;
use crate::channels::graph::{Messenger, WhatsApp};
use crate::config::ChannelConfig;

/// Longest time of one send: below what the engine gives it.
const TIME: Duration = Duration::from_secs(10);
/// Largest answer that is read.
const MOST_ANSWER: usize = 1 << 20;

/// The transport of the engine. The accounts of the channels belong to one workspace, as their
/// webhooks do; messages of every other are shown on the console.
pub struct Channels {
    workspace: String,
    console: Arc<Console>,
    whatsapp: Option<WhatsApp>,
    messenger: Option<Messenger>,
    webhook: Option<Webhook>,
}

impl Channels {
    /// The channels that are set, of a workspace.
    ///
    /// # Errors
    /// The setting that is wrong.
    pub fn new(config: &ChannelConfig, workspace: &str, console: Arc<Console>) -> Result<Self, String> {
        let (client, url) = (client()?, &config.graph_url);
        let whatsapp = config.whatsapp_token.clone();
        let whatsapp = whatsapp
            .map(|token| WhatsApp::new(client.clone(), url, token, &config.whatsapp_numbers))
            .transpose()?;
        let messenger = config.messenger_token.clone();
        let messenger = messenger.map(|token| Messenger::new(client.clone(), url, token));
        let (workspace, webhook) = (workspace.to_owned(), Webhook::of(client, config));
        Ok(Self { workspace, console, whatsapp, messenger, webhook })
    }

    fn has_accounts_of(&self, message: &Outbound) -> bool {
        message.workspace.as_str() == self.workspace
    }
}

impl Transport for Channels {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        let has_accounts = self.has_accounts_of(message);
        match (&message.account().channel, self) {
            (Channel::WhatsApp, Self { whatsapp: Some(api), .. }) if has_accounts => api.send(message).await,
            (Channel::Messenger, Self { messenger: Some(api), .. }) if has_accounts => {
                api.send(message).await
            }
            (Channel::Web, Self { webhook: Some(webhook), .. }) if has_accounts => {
                webhook.send(message).await
            }
            _ => {
                self.console.show(message);
                Ok(Receipt::new())
            }
        }
    }

    async fn send_turn(&self, messages: &[&Outbound]) -> Option<Vec<Result<Receipt, SendError>>> {
        let is_posted = messages.first().is_some_and(|message| {
            message.account().channel == Channel::Web && self.has_accounts_of(message)
        });
        match &self.webhook {
            Some(webhook) if is_posted => webhook.send_turn(messages).await,
            _ => None,
        }
    }
}

/// A client for servers that an operator has named.
///
/// # Errors
/// When the system gives no TLS.
pub fn client() -> Result<Client, String> {
    let client = Client::builder()
        .timeout(TIME)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent("chatflow-service")
        .build();
    client.map_err(|error| format!("no HTTP client: {error}"))
}

/// Reads an answer of at most 1 MiB.
///
/// # Errors
/// That it is larger, or that the connection broke.
pub async fn read_bounded(mut answer: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|_| "the answer broke off".to_owned())? {
        if body.len() + part.len() > MOST_ANSWER {
            return Err(format!("the answer has more than {MOST_ANSWER} bytes"));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}
