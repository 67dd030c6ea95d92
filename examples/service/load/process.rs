//! The service as a process of its own, beside this program.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Failure;

/// The token of the demo workspace.
pub(crate) const TOKEN: &str = "cf_load_0123456789abcdef0123456789abcdef";
/// The secret that signs webhooks.
pub(crate) const APP_SECRET: &str = "app-secret";

/// A running service, on an address that it keeps when it is started again.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
    listen: String,
    channel: String,
    database: String,
    folder: std::path::PathBuf,
}

impl Process {
    pub(crate) async fn start(channel: &str, database: Option<&str>) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("chatflow-load-{}", uuid::Uuid::from_u128(random()?)));
        std::fs::create_dir_all(&folder)?;
        let file = format!("sqlite:{}", folder.join("load.db").display());
        let database = database.map_or(file, str::to_owned);
        let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let child = spawn(&listen, channel, &database)?;
        let url = format!("http://{listen}");
        Ok(Self { child, url, listen, channel: channel.to_owned(), database, folder })
    }

    /// Kills it outright, and starts it on the same database.
    pub(crate) async fn kill_and_restart(&mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.child = spawn(&self.listen, &self.channel, &self.database)?;
        Ok(())
    }

    /// Ends it.
    pub(crate) fn end(mut self) -> std::io::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        std::fs::remove_dir_all(&self.folder)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn random() -> Result<u128, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(u128::from_be_bytes(bytes))
}

/// Starts it, and waits until it listens.
fn spawn(listen: &str, channel: &str, database: &str) -> Result<Child, Failure> {
    let program = std::env::current_exe()?.with_file_name("chatflow-service");
    let mut command = Command::new(program);
    command.env_clear().envs([
        ("LISTEN", listen),
        ("DATABASE_URL", database),
        ("SERVICE_TOKEN", TOKEN),
        ("RATE_PER_MINUTE", "0"),
        ("RUST_LOG", "error"),
        ("WHATSAPP_TOKEN", "token"),
        ("WHATSAPP_NUMBERS", "+15550100=1"),
        ("WHATSAPP_APP_SECRET", APP_SECRET),
        ("GRAPH_URL", channel),
        // What was claimed when it was killed is claimed again soon.
        ("LEASE_SECONDS", "6"),
    ]);
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
    lines.next().ok_or("the service did not start")??;
    std::thread::spawn(move || lines.for_each(drop));
    Ok(child)
}
