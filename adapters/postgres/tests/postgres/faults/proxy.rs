//! A wire between the store and the server that fails on purpose: it can be cut after so many
//! bytes, cut when a statement passes before or after it took effect, led to another server.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_postgres::Config;

/// The way in which a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It is cut instead of passing the statement on.
    Before,
    /// The statement passes, the server answers, and the connection is cut instead of passing the
    /// answer on.
    After,
    /// It is cut once so many more bytes went from the store to the server.
    Sent(usize),
    /// It is cut once so many more bytes came back.
    Answered(usize),
}

/// When it happens: to the next connection that runs a statement with this text in it.
#[derive(Clone, Copy, Debug)]
struct Plan {
    text: &'static str,
    cut: Cut,
}

struct State {
    target: SocketAddr,
    plan: Option<Plan>,
    /// The statements that were prepared, by their names, which are a process's own.
    prepared: HashMap<Vec<u8>, Vec<u8>>,
    cuts: u64,
    /// Raised to cut everything that is open.
    generation: watch::Sender<u64>,
}

impl State {
    /// Takes note of what is prepared. Returns whether a message runs the statement that the plan
    /// waits for.
    fn is_met(&mut self, kind: u8, body: &[u8]) -> bool {
        let mut parts = body.splitn(3, |byte| *byte == 0);
        let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let text = match kind {
            b'P' if !first.is_empty() => {
                self.prepared.insert(first.to_vec(), second.to_vec());
                return false;
            }
            b'P' => second,
            b'Q' => first,
            b'B' => self.prepared.get(second).map_or(&[][..], |text| text),
            _ => return false,
        };
        let Some(plan) = self.plan else { return false };
        text.windows(plan.text.len()).any(|window| window == plan.text.as_bytes())
    }
}

/// The messages that a client sent at once: the kind of each, and what is in it. The last one may
/// continue in the next bytes.
fn messages(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (kind, rest) = bytes.split_first()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?.checked_sub(4)?;
        let (body, rest) = rest.split_at(length.min(rest.len()));
        bytes = rest;
        Some((*kind, body))
    })
}

/// The wire. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let own = listener.local_addr().expect("an address").port();
        let state = State {
            target: SocketAddr::from(([127, 0, 0, 1], port)),
            plan: None,
            prepared: HashMap::new(),
            cuts: 0,
            generation: watch::Sender::new(0),
        };
        let proxy = Self { port: own, state: Arc::new(Mutex::new(state)) };
        let accepting = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().carry(client));
            }
        });
        proxy
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same way to a database, through this wire.
    pub(crate) fn config(&self, direct: &Config) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port);
        config.user(direct.get_user().unwrap_or("postgres"));
        config.dbname(direct.get_dbname().unwrap_or("postgres"));
        config
    }

    /// Cuts the next connection that sends a statement with this text in it.
    pub(crate) fn cut(&self, text: &'static str, cut: Cut) {
        self.state().plan = Some(Plan { text, cut });
    }

    /// The number of planned cuts so far.
    pub(crate) fn cuts(&self) -> u64 {
        self.state().cuts
    }

    /// Cuts everything that is open; what is opened from now on leads to this port.
    pub(crate) fn lead_to(&self, port: u16) {
        let mut state = self.state();
        state.target.set_port(port);
        state.generation.send_modify(|number| *number += 1);
    }

    /// The plan, if this is the statement that it waits for.
    fn take_plan(&self, bytes: &[u8]) -> Option<Cut> {
        let mut state = self.state();
        let met: Vec<bool> = messages(bytes).map(|(kind, body)| state.is_met(kind, body)).collect();
        let plan = state.plan?;
        met.contains(&true).then(|| {
            state.plan = None;
            state.cuts += 1;
            plan.cut
        })
    }

    async fn carry(self, client: TcpStream) {
        let (target, mut generation) = {
            let state = self.state();
            (state.target, state.generation.subscribe())
        };
        let Ok(server) = TcpStream::connect(target).await else { return };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let (fate, answer) = watch::channel(None);
        // Whichever ends first ends all: both sockets close when the futures are dropped.
        tokio::select! {
            () = self.carry_up(from_client, to_server, fate) => {}
            () = carry_down(from_server, to_client, answer) => {}
            _ = generation.changed() => {}
        }
    }

    async fn carry_up(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        fate: watch::Sender<Option<Cut>>,
    ) {
        let mut buffer = vec![0; 1 << 16];
        let mut left = None;
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let mut bytes = &buffer[..length];
            match self.take_plan(bytes) {
                Some(Cut::Before) => return,
                Some(Cut::Sent(count)) => left = Some(count),
                Some(cut) => fate.send_replace(Some(cut)).map_or((), drop),
                None => {}
            }
            if let Some(left) = &mut left {
                bytes = &bytes[..bytes.len().min(*left)];
                *left -= bytes.len();
            }
            if to.write_all(bytes).await.is_err() || left == Some(0) {
                return;
            }
        }
    }
}

async fn carry_down(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, fate: watch::Receiver<Option<Cut>>) {
    let mut buffer = vec![0; 1 << 16];
    let mut swallowed = Vec::new();
    let mut left = None;
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let mut bytes = &buffer[..length];
        match *fate.borrow() {
            Some(Cut::After) => {
                swallowed.extend_from_slice(bytes);
                if took_effect(&swallowed) {
                    return;
                }
                continue;
            }
            Some(Cut::Answered(count)) => left = left.or(Some(count)),
            _ => {}
        }
        if let Some(left) = &mut left {
            bytes = &bytes[..bytes.len().min(*left)];
            *left -= bytes.len();
        }
        if to.write_all(bytes).await.is_err() || left == Some(0) {
            return;
        }
    }
}

/// True if the server is done with a statement, and outside any transaction.
fn took_effect(answers: &[u8]) -> bool {
    const COMPLETE: &[u8] = b"C\0\0\0";
    const READY: &[u8] = b"Z\0\0\0\x05I";
    answers.ends_with(READY) && answers.windows(COMPLETE.len()).any(|window| window == COMPLETE)
}
