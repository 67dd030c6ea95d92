//! The process: settings, log, metrics, demo workspace, server.

use std::process::ExitCode;

use chatflow_service::app::App;
use chatflow_service::config::{Cli, Command, Config, TokenAction};
use chatflow_service::database::Database;
use chatflow_service::{routes, seed, server, tokens};
use clap::Parser;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { command, config } = Cli::parse();
    let done = match command {
        None => serve(config).await,
        Some(Command::Openapi) => print_document(),
        Some(Command::Token { action }) => manage(&config, action).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chatflow-service: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config) -> Result<(), Failure> {
    log(config.log_json);
    // One provider for all clients; a second one is no failure.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let seconds = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("seconds".to_owned()), &seconds)?
        .install_recorder()?;
    let (stop, stopping) = watch::channel(false);
    // First of all: a start that fails, as beside a process that has the port, changes nothing.
    let listener = TcpListener::bind(config.listen).await?;
    let app = App::open(config, metrics, stopping).await?;
    let token = if app.config.no_demo { None } else { Some(seed::demo(&app).await?) };
    let url = format!("http://{}", listener.local_addr()?);
    println!("listening on {url}");
    if let Some(token) = token {
        println!("token of the workspace `{}`: {token}", app.config.workspace);
        println!("{}", try_it(&url, &token));
    }
    tokio::spawn(async move {
        if let Err(error) = server::signalled().await {
            tracing::error!(%error, "the system gives no signals");
        }
        stop.send_replace(true);
    });
    let router = routes::router(&app);
    server::serve(app, listener, router).await.map_err(Failure::from)
}

fn try_it(url: &str, token: &str) -> String {
    format!(
        "try it:\n  curl -X POST {url}/api/v1/actions/trigger-flow -H 'Authorization: Bearer {token}' \\\n    \
         -H 'Content-Type: application/json' \\\n    \
         -d '{{\"flow_id\": \"abandoned-cart\", \"phone\": \"+14155550123\", \"context\": {{\"cart_id\": \"987654321\", \
         \"cart_total\": \"129.00\"}}}}'"
    )
}

/// Levels come from `RUST_LOG`; requests and what the service does are told by default.
fn log(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json { log.json().init() } else { log.init() }
}

fn print_document() -> Result<(), Failure> {
    println!("{}", routes::document().to_pretty_json()?);
    Ok(())
}

async fn manage(config: &Config, action: TokenAction) -> Result<(), Failure> {
    let database = Database::open(&config.database_url).await?;
    match action {
        TokenAction::New { workspace, name, replace } => {
            println!("{}", tokens::make(&database, &workspace, &name, replace).await?);
        }
        TokenAction::List => {
            for row in database.tokens().await? {
                println!("{}\t{}\tcf_{}_…", row.workspace, row.name, row.id);
            }
        }
        TokenAction::Revoke { workspace, name } => {
            if !database.remove_token(workspace, name).await? {
                return Err("there is no such token".into());
            }
        }
    }
    Ok(())
}
