//! Connections: accepted until the process is told to end, then finished. A head that does not
//! come in time, or too long an answer at the end, closes its connection.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::app::App;
use crate::config::{REQUEST_TIME, SHUTDOWN_TIME};
use crate::worker::{self, stopped};

/// Serves and works until the process is told to end, then ends within [`SHUTDOWN_TIME`].
///
/// # Errors
/// When it could not end in time: something was cut off, and will be done again.
pub async fn serve(app: Arc<App>, listener: TcpListener, router: Router) -> Result<(), String> {
    let work = tokio::spawn(worker::work(Arc::clone(&app)));
    let connections = accept(&app, listener, router).await;
    tracing::info!("stopping");
    let finish = async {
        connections.shutdown().await;
        let _ = work.await;
    };
    match tokio::time::timeout(SHUTDOWN_TIME, finish).await {
        Ok(()) => Ok(()),
        Err(_) => Err(format!("not everything ended within {} s", SHUTDOWN_TIME.as_secs())),
    }
}

async fn accept(app: &App, listener: TcpListener, router: Router) -> GracefulShutdown {
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(app.stopping.clone()) => return connections,
        };
        match accepted {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                let connection = connection(TokioIo::new(stream), router.clone(), &connections);
                tokio::spawn(connection);
            }
            Err(error) => {
                // Such as too many open files: waiting lets some close.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// One connection, to its end. HTTP/1.1 alone, which proxies speak to a service: its time for a
/// head runs from the first moment, while the choice of a version has none.
fn connection(
    stream: TokioIo<tokio::net::TcpStream>,
    router: Router,
    connections: &GracefulShutdown,
) -> impl Future<Output = ()> + use<> {
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(REQUEST_TIME).max_buf_size(64 << 10);
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        router.clone().oneshot(request.map(Body::new))
    });
    let serving = connections.watch(builder.serve_connection(stream, service));
    async move {
        // Broken connections are the peer's business.
        if let Err(error) = serving.await {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

/// Ends at SIGTERM or SIGINT.
///
/// # Errors
/// When the system gives no signals.
pub async fn signalled() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}
