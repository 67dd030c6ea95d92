//! A wire between the store and the server that counts: round trips, and statements by their text.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::Config;

/// The traffic of the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) round_trips: u64,
    /// The number of times that each text was run.
    statements: HashMap<String, u64>,
}

impl Counts {
    /// The number of statements that were run whose text has this in it.
    pub(crate) fn of(&self, text: &str) -> u64 {
        self.statements.iter().filter(|(sql, _)| sql.contains(text)).map(|(_, count)| count).sum()
    }

    pub(crate) fn all(&self) -> u64 {
        self.of("")
    }
}

#[derive(Default)]
struct State {
    counts: Counts,
    /// Texts by the names that the client has given them; a name is used by one process only.
    prepared: HashMap<Vec<u8>, String>,
}

/// The wire. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Wire {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Wire {
    /// To the server that this leads to, for as long as the runtime lives.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let wire = Self { port: listener.local_addr().unwrap().port(), state: Arc::default() };
        let accepting = wire.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(accepting.clone().carry(client, server));
            }
        });
        wire
    }

    /// The same way to a database, over this wire.
    pub(crate) fn config(&self, direct: &Config) -> Config {
        let mut config = direct.clone();
        let mut own = Config::new();
        own.host("127.0.0.1").port(self.port);
        own.user(config.get_user().unwrap_or("postgres"));
        own.dbname(config.get_dbname().unwrap_or("postgres"));
        std::mem::swap(&mut config, &mut own);
        config
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counts since the last time.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut self.state().counts)
    }

    async fn carry(self, client: TcpStream, server: TcpStream) {
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let answered = Arc::new(AtomicBool::new(true));
        let asks = Arc::clone(&answered);
        let up = async {
            let (mut bytes, mut unread, mut has_begun) = (vec![0; 1 << 16], Vec::new(), false);
            while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
                if asks.swap(false, Ordering::SeqCst) {
                    self.state().counts.round_trips += 1;
                }
                unread.extend_from_slice(&bytes[..length]);
                self.read(&mut unread, &mut has_begun);
                if to_server.write_all(&bytes[..length]).await.is_err() {
                    return;
                }
            }
        };
        let down = async {
            let mut bytes = vec![0; 1 << 16];
            while let Ok(length @ 1..) = from_server.read(&mut bytes).await {
                answered.store(true, Ordering::SeqCst);
                if to_client.write_all(&bytes[..length]).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! { () = up => {} () = down => {} }
    }

    /// Reads the whole messages, and leaves the rest. The first one has no kind.
    fn read(&self, unread: &mut Vec<u8>, has_begun: &mut bool) {
        loop {
            let kind = usize::from(*has_begun);
            let Some(length) = unread.get(kind..kind + 4) else { return };
            let end = kind + u32::from_be_bytes(length.try_into().unwrap()) as usize;
            if unread.len() < end {
                return;
            }
            let message: Vec<u8> = unread.drain(..end).collect();
            if *has_begun {
                self.count(message[0], &message[5..]);
            }
            *has_begun = true;
        }
    }

    fn count(&self, kind: u8, body: &[u8]) {
        let mut texts = body.split(|byte| *byte == 0);
        let (first, second) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
        let mut state = self.state();
        let text = match kind {
            b'P' => {
                let text = String::from_utf8_lossy(second).into_owned();
                state.prepared.insert(first.to_vec(), text);
                return;
            }
            b'Q' => String::from_utf8_lossy(first).into_owned(),
            b'B' => state.prepared.get(second).cloned().unwrap_or_default(),
            _ => return,
        };
        *state.counts.statements.entry(text).or_default() += 1;
    }
}
