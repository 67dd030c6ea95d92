//! Server-sent events: a session's progress, and everything that happens in a workspace. They
//! end when the process does, when the reader's token is revoked, or after `STREAM_SECONDS`; a
//! browser's `EventSource` comes back by itself.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as Sse, KeepAlive, Sse as Stream};
use chatflow::Event;
use chatflow::id::SessionId;
use futures_util::StreamExt;
use futures_util::stream::{self, Stream as AnyStream};
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::app::{App, Bot};
use crate::error::{ApiError, Refusals};
use crate::guard::Tenant;
use crate::input::InPath;
use crate::routes::sessions::{SessionDetails, details, found};
use crate::tokens::Holder;
use crate::worker::stopped;

/// Time between two looks at a session: what happens in other processes is seen so.
const LOOK: Duration = Duration::from_secs(2);

/// Streams a session: its state first and after each change, and what happens in between.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/events", tag = "sessions",
    params(("id" = String, Path), ("access_token" = Option<String>, Query, description = "The token, where no header can be sent.")),
    responses((status = 200, description = "Events `session` and `event`.", content_type = "text/event-stream"), Refusals))]
pub async fn session(
    State(app): State<Arc<App>>,
    Tenant { bot, holder }: Tenant,
    InPath(id): InPath<String>,
) -> Result<Stream<impl AnyStream<Item = Result<Sse, Infallible>> + use<>>, ApiError> {
    // Listening begins before the first look, so that nothing falls in between.
    let events = app.hub.listen();
    let first = details(&bot, &found(&bot, &id).await?).await?;
    let id = id.parse().map_err(|_| ApiError::not_found("there is no such session"))?;
    let mut looks = tokio::time::interval_at(Instant::now() + LOOK, LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watch = SessionWatch { app, bot, id, events, looks, told: None, pending: Some(first), over: false };
    let over = over(Arc::clone(&watch.app), holder);
    let parts = stream::unfold(watch, |mut watch| async move { Some((Ok(watch.next().await?), watch)) });
    Ok(Stream::new(parts.take_until(over)).keep_alive(KeepAlive::default()))
}

struct SessionWatch {
    app: Arc<App>,
    bot: Bot,
    id: SessionId,
    events: Receiver<Arc<Event>>,
    /// When to look at what other processes do, however much is heard from this one.
    looks: Interval,
    /// The session as it was told last, in JSON.
    told: Option<String>,
    pending: Option<SessionDetails>,
    over: bool,
}

impl SessionWatch {
    /// The next event of the stream; none once the session has ended and that was told, or is no
    /// longer there.
    async fn next(&mut self) -> Option<Sse> {
        loop {
            if let Some(session) = self.pending.take() {
                let is_over = session.session.ended_at.is_some();
                let json = serde_json::to_string(&session).unwrap_or_default();
                if self.told.as_ref() != Some(&json) {
                    self.told = Some(json.clone());
                    self.over = is_over;
                    return Some(Sse::default().event("session").data(json));
                }
            }
            if self.over {
                return None;
            }
            tokio::select! {
                heard = self.events.recv() => match heard {
                    Ok(event) if event.session == Some(self.id) => {
                        self.look().await;
                        return Some(told("event", &*event));
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => self.look().await,
                    Err(RecvError::Closed) => return None,
                },
                _ = self.looks.tick() => self.look().await,
                () = stopped(self.app.stopping.clone()) => return None,
            }
        }
    }

    /// Reads the session. A store that does not answer is asked again at the next look.
    async fn look(&mut self) {
        match self.bot.session(self.id).await {
            Ok(Some(record)) => self.pending = details(&self.bot, &record).await.ok(),
            // Its contact was forgotten.
            Ok(None) => self.over = true,
            Err(_) => {}
        }
    }
}

/// Streams what happens in the workspace, as far as this process does it. `missed` says that the
/// reader was too slow for some.
#[utoipa::path(get, path = "/api/v1/events", tag = "sessions",
    params(("access_token" = Option<String>, Query, description = "The token, where no header can be sent.")),
    responses((status = 200, description = "Events `event` and `missed`.", content_type = "text/event-stream"), Refusals))]
pub async fn workspace(
    State(app): State<Arc<App>>,
    tenant: Tenant,
) -> Stream<impl AnyStream<Item = Result<Sse, Infallible>> + use<>> {
    let events = app.hub.listen();
    let workspace = Arc::clone(&tenant.holder.workspace);
    let over = over(Arc::clone(&app), tenant.holder);
    let parts = stream::unfold((app, workspace, events), |(app, workspace, mut events)| async move {
        loop {
            let heard = tokio::select! {
                heard = events.recv() => heard,
                () = stopped(app.stopping.clone()) => return None,
            };
            let part = match heard {
                Ok(event) if event.workspace.as_str() == &*workspace => told("event", &*event),
                Ok(_) => continue,
                Err(RecvError::Lagged(missed)) => Sse::default().event("missed").data(missed.to_string()),
                Err(RecvError::Closed) => return None,
            };
            return Some((Ok(part), (app, workspace, events)));
        }
    });
    Stream::new(parts.take_until(over)).keep_alive(KeepAlive::default())
}

/// Ends when a stream has had its time, or its reader's token was revoked.
async fn over(app: Arc<App>, holder: Holder) {
    let time = async {
        match app.config.stream_seconds {
            0 => std::future::pending().await,
            seconds => tokio::time::sleep(Duration::from_secs(seconds)).await,
        }
    };
    tokio::select! {
        () = time => {}
        () = app.tokens.revoked(&holder) => {}
    }
}

fn told(name: &str, what: &impl Serialize) -> Sse {
    Sse::default().event(name).data(serde_json::to_string(what).unwrap_or_default())
}
