//! A server of a test's own, which may be killed, stopped and started again.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub struct Server {
    dir: PathBuf,
    port: u16,
    settings: Vec<String>,
    child: Child,
}

impl Server {
    /// With settings beside those that it needs, such as `appendfsync always`.
    pub fn start(settings: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let temp = PathBuf::from(std::env::var_os("CHATFLOW_REDIS_TEMP").unwrap());
        let dir = temp.join(format!("{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let settings: Vec<String> =
            settings.iter().flat_map(|setting| setting.split(' ')).map(str::to_owned).collect();
        // Another process may take the port between the look and the start.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if let Some(child) = spawn(&dir, port, &settings) {
                return Self { dir, port, settings, child };
            }
        }
        panic!("the server does not start");
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Ends its process at once.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn start_again(&mut self) {
        self.child = spawn(&self.dir, self.port, &self.settings).expect("the server starts again");
    }

    /// `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(status.unwrap().success(), "the server is gone");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// None: it ended by itself.
fn spawn(dir: &PathBuf, port: u16, settings: &[String]) -> Option<Child> {
    let mut child = Command::new(std::env::var_os("CHATFLOW_REDIS_SERVER").unwrap())
        .current_dir(dir)
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir", dir.to_str().unwrap()])
        .args(["--pidfile", dir.join("redis.pid").to_str().unwrap(), "--save", ""])
        .args(settings.iter().enumerate().map(|(place, word)| match place % 2 {
            0 => format!("--{word}"),
            _ => word.clone(),
        }))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..1_000 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(child);
        }
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        pause(Duration::from_millis(10));
    }
    panic!("the server does not answer");
}

/// Lets another process work.
#[expect(clippy::disallowed_methods, reason = "another process works meanwhile")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}
