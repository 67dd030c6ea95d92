//! Counts round trips: hands bytes on between clients and the server, and counts how often a client
//! speaks after the server did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Proxy {
    pub(crate) port: u16,
    round_trips: Arc<AtomicU64>,
}

impl Proxy {
    /// In front of a server at this host and port, for as long as the runtime lives.
    pub(crate) async fn before(host: String, port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let own = listener.local_addr().expect("it has an address").port();
        let round_trips = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&round_trips);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect((host.as_str(), port)).await.expect("the server is there");
                hand_on(client, server, Arc::clone(&counted));
            }
        });
        Self { port: own, round_trips }
    }

    pub(crate) fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::SeqCst)
    }
}

fn hand_on(client: TcpStream, server: TcpStream, round_trips: Arc<AtomicU64>) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let answered = Arc::new(AtomicBool::new(true));
    let asks = Arc::clone(&answered);
    tokio::spawn(copy(from_client, to_server, move || {
        if asks.swap(false, Ordering::SeqCst) {
            round_trips.fetch_add(1, Ordering::SeqCst);
        }
    }));
    tokio::spawn(copy(from_server, to_client, move || answered.store(true, Ordering::SeqCst)));
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    spoke: impl Fn(),
) -> std::io::Result<()> {
    let mut bytes = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut bytes).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        spoke();
        to.write_all(bytes.get(..count).unwrap_or_default()).await?;
    }
}
