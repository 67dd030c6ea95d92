//! PostgreSQL behind TLS: a server that speaks as much of its protocol as a connection begins with.

use std::net::SocketAddr;
use std::sync::Arc;

use chatflow_service::database::Database;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls");
/// The request for TLS, as the protocol writes it.
const ASKS_FOR_TLS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A server that refuses each connection, by an error of PostgreSQL; over TLS if it offers that.
async fn refusing(offers_tls: bool) -> SocketAddr {
    let certificate = CertificateDer::from_pem_file(format!("{FOLDER}/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{FOLDER}/server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut first = [0; 8];
            stream.read_exact(&mut first).await.unwrap();
            if first != ASKS_FOR_TLS {
                refuse(stream, "in the clear").await;
            } else if offers_tls {
                stream.write_all(b"S").await.unwrap();
                if let Ok(stream) = acceptor.accept(stream).await {
                    refuse(stream, "behind TLS").await;
                }
            } else {
                stream.write_all(b"N").await.unwrap();
            }
        }
    });
    address
}

async fn refuse(mut stream: impl AsyncRead + AsyncWrite + Unpin, how: &str) {
    let mut begin = [0; 1_024];
    let _ = stream.read(&mut begin).await;
    let fields = format!("SFATAL\0VFATAL\0C28000\0Mrefused {how}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    let message = [&b"E"[..], &length, fields.as_bytes()].concat();
    let _ = stream.write_all(&message).await;
    let _ = stream.shutdown().await;
}

/// The error of a service that begins with this URL.
async fn told(port: u16, host: &str, query: &str) -> String {
    let url = format!("postgres://bot@{host}:{port}/chat?connect_timeout=5&{query}");
    Database::open(&url).await.err().expect("it is refused").to_string()
}

#[tokio::test]
async fn a_server_behind_tls_is_reached_where_its_certificate_is_trusted() {
    let port = refusing(true).await.port();
    let ours = format!("sslrootcert={FOLDER}/ca.pem");
    for mode in ["require", "verify-ca", "verify-full"] {
        for host in ["localhost", "127.0.0.1"] {
            let told = told(port, host, &format!("sslmode={mode}&{ours}")).await;
            assert!(told.contains("refused behind TLS"), "{mode} {host}: {told}");
        }
    }
    for mode in ["sslmode=disable", "sslmode=prefer", ""] {
        let told = told(port, "localhost", mode).await;
        assert!(told.contains("refused in the clear"), "{mode}: {told}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_told_and_gets_nothing() {
    let port = refusing(true).await.port();
    let wrong = told(port, "localhost", &format!("sslmode=require&sslrootcert={FOLDER}/server.pem")).await;
    assert!(wrong.contains("invalid peer certificate"), "{wrong}");
    let unknown = told(port, "localhost", "sslmode=require").await;
    let is_said = unknown.contains("invalid peer certificate") || unknown.contains("no root certificates");
    assert!(is_said && !unknown.contains("refused"), "{unknown}");
    let in_the_clear = refusing(false).await.port();
    let told = told(in_the_clear, "localhost", &format!("sslmode=require&sslrootcert={FOLDER}/ca.pem")).await;
    assert!(told.contains("`sslmode=disable` connects without encryption"), "{told}");
}
