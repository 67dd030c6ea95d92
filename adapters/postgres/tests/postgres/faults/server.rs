//! PostgreSQL servers of a test's own: started with settings, stopped politely or not, frozen,
//! copied, followed by a replica that can be promoted. Each is known by its process id and its
//! folder; dropped, it is gone.

#![allow(clippy::disallowed_methods, reason = "a server takes its time to start, and says so in a file")]

use std::env;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use tokio_postgres::{Client, Config, NoTls};

/// The way in which a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It ends each connection and writes everything down.
    Fast,
    /// It leaves at once, and recovers when it starts again.
    Immediate,
}

/// A server on a port of 127.0.0.1.
#[derive(Debug)]
pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// A new, empty server with these lines in its configuration.
    pub(crate) fn start(settings: &str) -> Self {
        let folder = new_folder();
        copy(&template(), &folder);
        append(&folder.join("postgresql.auto.conf"), settings);
        Self::run(folder, free_port())
    }

    fn run(folder: PathBuf, port: u16) -> Self {
        let mut server = Self { folder, port, child: None };
        server.start_again();
        server
    }

    /// Starts a server that was stopped, on its old port; it answers when this returns.
    pub(crate) fn start_again(&mut self) {
        for _ in 0..20 {
            let log = fs::File::options().create(true).append(true).open(self.log()).expect("a log file");
            let child = as_server_user("postgres")
                .arg("-D")
                .arg(&self.folder)
                .args(["-p", &self.port.to_string()])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn();
            let mut child = child.expect("postgres starts");
            while child.try_wait().expect("a child").is_none() {
                if self.is_ready() {
                    self.child = Some(child);
                    return;
                }
                thread::sleep(Duration::from_millis(20));
            }
            // A server that was killed may still hold the port or the shared memory for a moment.
            thread::sleep(Duration::from_millis(100));
        }
        panic!("the server does not start:\n{}", fs::read_to_string(self.log()).unwrap_or_default());
    }

    /// The eighth line of the lock file says so; a replica that answers reads says so too.
    fn is_ready(&self) -> bool {
        let lock = fs::read_to_string(self.folder.join("postmaster.pid")).unwrap_or_default();
        let is_ready = matches!(lock.lines().nth(7).map(str::trim), Some("ready" | "standby"));
        is_ready && TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    fn log(&self) -> PathBuf {
        self.folder.with_extension("log")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The configuration of a client of its database `postgres`.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user("postgres").dbname("postgres");
        config.connect_timeout(Duration::from_secs(5));
        config
    }

    /// A connection of the test's own.
    pub(crate) async fn client(&self) -> Client {
        client(&self.config()).await
    }

    fn signal(&self, name: &str) {
        let child = self.child.as_ref().expect("a running server");
        signal(&[child.id()], name);
    }

    /// Stops it, and waits until it is gone.
    pub(crate) fn stop(&mut self, how: Stop) {
        self.signal(match how {
            Stop::Fast => "INT",
            Stop::Immediate => "QUIT",
        });
        self.reap();
    }

    /// Kills its first process; the others notice by themselves.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        self.reap();
    }

    /// Ends all of its processes at the same time, as when its machine is lost. After
    /// [`kill`](Self::kill) the others live on for a moment, and may show what no replica has.
    pub(crate) fn lose(&mut self) {
        self.freeze();
        let others = self.backends();
        self.signal("KILL");
        signal(&others, "KILL");
        self.reap();
    }

    fn reap(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.wait().expect("the server ends");
        }
    }

    /// Stops every process of it at once; connections stay open and are not answered.
    pub(crate) fn freeze(&self) {
        // First the one that starts others.
        self.signal("STOP");
        signal(&self.backends(), "STOP");
    }

    /// Lets it run again.
    pub(crate) fn thaw(&self) {
        signal(&self.backends(), "CONT");
        self.signal("CONT");
    }

    fn backends(&self) -> Vec<u32> {
        let first = self.child.as_ref().expect("a running server").id();
        let numbers = fs::read_dir("/proc").expect("/proc").filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse::<u32>().ok()?;
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // `pid (name) state parent …`
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()?;
            (parent == first).then_some(pid)
        });
        numbers.collect()
    }

    /// A copy of it as it is now, not started.
    pub(crate) fn copy(&self) -> Copy {
        let folder = new_folder();
        self.base_backup(&folder, &[]);
        Copy { folder }
    }

    /// A replica that follows it, on a port of its own. `synchronous`: no commit is acknowledged
    /// that it has not.
    pub(crate) async fn replica(&self, synchronous: bool) -> Self {
        let folder = new_folder();
        self.base_backup(&folder, &["--write-recovery-conf"]);
        let source = format!(
            "primary_conninfo = 'host=127.0.0.1 port={} user=postgres application_name=replica'\n",
            self.port
        );
        append(&folder.join("postgresql.auto.conf"), &source);
        let replica = Self::run(folder, free_port());
        let client = self.client().await;
        if synchronous {
            let statements = "ALTER SYSTEM SET synchronous_standby_names = 'replica'";
            client.batch_execute(statements).await.expect("a superuser");
            client.batch_execute("SELECT pg_reload_conf()").await.expect("a superuser");
        }
        let state = if synchronous { "sync" } else { "async" };
        let question = "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = $1";
        for _ in 0..500 {
            if client.query_opt(question, &[&state]).await.expect("the primary answers").is_some() {
                return replica;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the replica does not follow");
    }

    /// Makes a replica the primary, and waits until it takes writes.
    pub(crate) async fn promote(&self) {
        let client = self.client().await;
        let promoted = client.query_one("SELECT pg_promote(true, 30)", &[]).await.expect("a replica");
        assert!(promoted.get::<_, bool>(0), "the replica was not promoted");
    }

    fn base_backup(&self, folder: &Path, more: &[&str]) {
        let status = as_server_user("pg_basebackup")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres", "--no-sync"])
            .args(["--checkpoint=fast", "-X", "stream", "-D"])
            .arg(folder)
            .args(more)
            .status();
        assert!(status.expect("pg_basebackup runs").success(), "pg_basebackup failed");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &self.child {
            let mut all = self.backends();
            all.push(child.id());
            signal(&all, "CONT");
            self.stop(Stop::Immediate);
        }
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_file(self.log());
    }
}

/// A server's data as they were at one time.
#[derive(Debug)]
pub(crate) struct Copy {
    folder: PathBuf,
}

impl Copy {
    /// Starts it in the place of another server, which must be stopped.
    pub(crate) fn start_instead_of(self, other: Server) -> Server {
        let port = other.port;
        drop(other);
        Server::run(self.folder, port)
    }
}

/// A connection of a test's own.
pub(crate) async fn client(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("the server answers");
    tokio::spawn(connection);
    client
}

/// A port below those that outgoing connections use: one that nobody takes between this look and
/// the start.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + (std::process::id().wrapping_mul(97).wrapping_add(step * 7)) % 10_000;
        let port = u16::try_from(port).expect("below 20,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is missing: run this by scripts/with-postgres"))
}

/// A program of the server, as the user who may run it.
fn as_server_user(program: &str) -> Command {
    let program = Path::new(&variable("CHATFLOW_POSTGRES_BIN")).join(program);
    let user = variable("CHATFLOW_POSTGRES_USER");
    let mut command = if user.is_empty() {
        Command::new(program)
    } else {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &user, "--regid", &user, "--init-groups", "--"]).arg(program);
        command
    };
    command.current_dir(variable("CHATFLOW_POSTGRES_TEMP"));
    command
}

fn new_folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Path::new(&variable("CHATFLOW_POSTGRES_TEMP")).join(format!("server-{}-{number}", std::process::id()))
}

/// An empty server's data, made once.
fn template() -> PathBuf {
    static MADE: Mutex<Option<PathBuf>> = Mutex::new(None);
    let mut made = MADE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    made.get_or_insert_with(|| {
        let folder = new_folder();
        let status = as_server_user("initdb")
            .args(["--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C"])
            .args(["--no-sync", "--pgdata"])
            .arg(&folder)
            .stdout(Stdio::null())
            .status();
        assert!(status.expect("initdb runs").success(), "initdb failed");
        let settings =
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nshared_buffers = '32MB'\n";
        append(&folder.join("postgresql.auto.conf"), settings);
        folder
    })
    .clone()
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(status.expect("cp runs").success(), "cp failed");
}

fn append(file: &Path, lines: &str) {
    let text = fs::read_to_string(file).unwrap_or_default();
    fs::write(file, format!("{text}{lines}\n")).expect("a file of the server's");
}

fn signal(pids: &[u32], name: &str) {
    let pids = pids.iter().map(u32::to_string);
    // One that ended meanwhile is no fault.
    let _ = Command::new("kill").arg(format!("-{name}")).args(pids).stderr(Stdio::null()).status();
}
