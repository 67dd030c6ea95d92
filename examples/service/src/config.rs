//! The settings of a process: from its arguments, else from its environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Largest body of a request, in bytes.
pub const MOST_BODY: usize = 1 << 20;
/// Largest body of a signed webhook, in bytes.
pub const MOST_WEBHOOK: usize = 4 << 20;
/// Longest time from a request's head to its answer.
pub const REQUEST_TIME: Duration = Duration::from_secs(10);
/// Longest time from the signal to end until the process has ended.
pub const SHUTDOWN_TIME: Duration = Duration::from_secs(20);

/// Conversation flows over HTTP.
#[derive(Debug, Parser)]
#[command(name = "chatflow-service", version)]
pub struct Cli {
    /// Serves if none is given.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings of the service.
    #[command(flatten)]
    pub config: Config,
}

/// Tasks beside serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes, lists and revokes the tokens of workspaces.
    Token {
        /// The task.
        #[command(subcommand)]
        action: TokenAction,
    },
    /// Prints the OpenAPI document.
    Openapi,
}

/// Tasks with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenAction {
    /// Makes a token and prints it, once.
    New {
        /// The workspace that it opens.
        workspace: String,
        /// The name under which it is listed and revoked.
        name: String,
        /// Takes the place of the token of the same name, which is revoked.
        #[arg(long)]
        replace: bool,
    },
    /// Lists the tokens by name, without their secrets.
    List,
    /// Revokes a token.
    Revoke {
        /// Its workspace.
        workspace: String,
        /// Its name.
        name: String,
    },
}

/// The settings.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// The address to listen on.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8080", global = true)]
    pub listen: SocketAddr,
    /// `sqlite:FILE`, or `postgres://…` for a database that many processes share.
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite:service.db", global = true)]
    pub database_url: String,
    /// The workspace that is filled with flows to try, and that webhooks belong to.
    #[arg(long, env = "WORKSPACE", default_value = "demo")]
    pub workspace: String,
    /// Leaves the workspace as it is: no demo flows, no token.
    #[arg(long, env = "NO_DEMO")]
    pub no_demo: bool,
    /// The token of the demo workspace; a new one at each start if absent.
    #[arg(long, env = "SERVICE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// 32 hexadecimal digits, the same in each process: hashes of contacts in logs, and opt-outs
    /// that outlast an erased contact.
    #[arg(long, env = "SERVICE_SECRET", hide_env_values = true, value_parser = secret)]
    pub secret: Option<[u8; 16]>,
    /// Requests that a token may make within a minute; 0 for any number.
    #[arg(long, env = "RATE_PER_MINUTE", default_value_t = 120)]
    pub rate_per_minute: u32,
    /// Seconds that a process may keep what it works at to itself. What was claimed by one that was
    /// killed is claimed again after them; a send may take a third of them.
    #[arg(long, env = "LEASE_SECONDS", default_value_t = 36, value_parser = clap::value_parser!(u64).range(3..=36))]
    pub lease_seconds: u64,
    /// Longest time of a stream of events, in seconds; a browser comes back by itself. 0: until it
    /// leaves.
    #[arg(long, env = "STREAM_SECONDS", default_value_t = 0)]
    pub stream_seconds: u64,
    /// A folder of files to be served at `/`; the playground, if it is built beside this package.
    #[arg(long, env = "WEB_DIR")]
    pub web_dir: Option<PathBuf>,
    /// Logs as JSON, a line an event.
    #[arg(long, env = "LOG_JSON")]
    pub log_json: bool,
    /// Settings of the channels.
    #[command(flatten)]
    pub channels: ChannelConfig,
    /// Settings of what flows may ask.
    #[command(flatten)]
    pub calls: CallConfig,
}

impl Config {
    /// The folder of the page: the one that is named, else the playground of this repository once
    /// `scripts/playground --build` has built it.
    #[must_use]
    pub fn page(&self) -> Option<PathBuf> {
        let built = || {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../playground/dist");
            folder.join("chatflow_web_bg.wasm").is_file().then_some(folder)
        };
        self.web_dir.clone().or_else(built)
    }
}

/// Where messages leave. What is not set is shown by the console.
#[derive(Args, Clone, Debug, Default)]
pub struct ChannelConfig {
    /// Access token of the WhatsApp Cloud API. With it, messages on WhatsApp are sent.
    #[arg(long, env = "WHATSAPP_TOKEN", hide_env_values = true)]
    pub whatsapp_token: Option<String>,
    /// The API's ids of the numbers that flows name, such as `+15550100=106540352242922`.
    #[arg(long, env = "WHATSAPP_NUMBERS", value_delimiter = ',')]
    pub whatsapp_numbers: Vec<String>,
    /// Secret of the Meta app, which signs the webhooks of WhatsApp and Messenger.
    #[arg(long, env = "WHATSAPP_APP_SECRET", hide_env_values = true)]
    pub app_secret: Option<String>,
    /// The word that Meta shows when it asks for a webhook.
    #[arg(long, env = "WHATSAPP_VERIFY_TOKEN", hide_env_values = true)]
    pub verify_token: Option<String>,
    /// The Graph API, with its version.
    #[arg(long, env = "GRAPH_URL", default_value = "https://graph.facebook.com/v23.0")]
    pub graph_url: String,
    /// Access token of the Messenger page. With it, messages on Messenger are sent.
    #[arg(long, env = "MESSENGER_TOKEN", hide_env_values = true)]
    pub messenger_token: Option<String>,
    /// The webhook that gets the messages of the channel `web`, as GPTBots posts them.
    #[arg(long, env = "GPTBOTS_URL")]
    pub gptbots_url: Option<String>,
    /// Its token.
    #[arg(long, env = "GPTBOTS_TOKEN", hide_env_values = true, default_value = "")]
    pub gptbots_token: String,
    /// True if the token is sent as `Basic`, not as `Bearer`.
    #[arg(long, env = "GPTBOTS_BASIC")]
    pub gptbots_basic: bool,
    /// True if the webhook reads the second version: one POST a turn, its messages in `output`.
    #[arg(long, env = "GPTBOTS_BY_TURN")]
    pub gptbots_by_turn: bool,
}

/// Places that flows may ask.
#[derive(Args, Clone, Debug, Default)]
pub struct CallConfig {
    /// Hosts that `http_request` may reach, such as `api.example.com` or `*.example.com`.
    #[arg(long, env = "HTTP_ALLOW", value_delimiter = ',')]
    pub http_allow: Vec<String>,
    /// Where functions are called, as `POST URL/NAME`.
    #[arg(long, env = "FUNCTIONS_URL")]
    pub functions_url: Option<String>,
    /// The token that functions are called with.
    #[arg(long, env = "FUNCTIONS_TOKEN", hide_env_values = true)]
    pub functions_token: Option<String>,
    /// An endpoint that speaks as OpenAI's does, such as `https://api.openai.com/v1`.
    #[arg(long, env = "LLM_URL")]
    pub llm_url: Option<String>,
    /// Its key.
    #[arg(long, env = "LLM_KEY", hide_env_values = true)]
    pub llm_key: Option<String>,
    /// The model that is asked where a flow names none.
    #[arg(long, env = "LLM_MODEL", default_value = "gpt-4o-mini")]
    pub llm_model: String,
}

fn secret(hex: &str) -> Result<[u8; 16], String> {
    let digits = u128::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 32);
    digits.map(u128::to_be_bytes).ok_or_else(|| "must be 32 hexadecimal digits".to_owned())
}
