//! The processor time that a stretch of work takes, of this process and of the server when it is on
//! this machine.

use cpu_time::ProcessTime;
use tokio_postgres::Client;

/// From here on.
pub(crate) struct Cpu {
    ours: ProcessTime,
    /// The server's first process, and what all of its processes had used.
    server: Option<(u32, f64)>,
}

impl Cpu {
    pub(crate) async fn now(client: &Client) -> Self {
        let pid = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)";
        let pid = client.query_one(pid, &[]).await.ok().and_then(|row| row.get::<_, &str>(0).parse().ok());
        let server = pid.and_then(|pid| Some((pid, used(pid)?)));
        Self { ours: ProcessTime::now(), server }
    }

    /// Seconds of this process and of the server since then.
    pub(crate) fn passed(&self) -> (f64, Option<f64>) {
        let server = self.server.and_then(|(pid, before)| Some(used(pid)? - before));
        (self.ours.elapsed().as_secs_f64(), server)
    }
}

/// Seconds that a server's processes have used, those included that have ended: from `/proc`.
fn used(server: u32) -> Option<f64> {
    const TICKS_A_SECOND: f64 = 100.0;
    let ended = stat(server)?;
    let mut ticks: u64 = ended.iter().skip(11).take(4).sum();
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Some(own) = stat(pid) else { continue };
        if own.get(1) == Some(&u64::from(server)) {
            ticks += own.iter().skip(11).take(2).sum::<u64>();
        }
    }
    Some(ticks as f64 / TICKS_A_SECOND)
}

/// The fields behind the name: state, parent, and so on.
fn stat(pid: u32) -> Option<Vec<u64>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split(' ').map(|field| field.trim().parse().unwrap_or(0)).collect())
}
