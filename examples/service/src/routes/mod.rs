//! All routes, with what each needs: a token, a signature, or nothing.

pub mod alibaba;
pub mod alibaba_flows;
pub mod authoring;
pub mod console;
pub mod contacts;
pub mod drafts;
pub mod flows;
pub mod gptbots;
pub mod health;
pub mod letters;
pub mod measures;
pub mod messenger;
pub mod qyvo;
pub mod rehearsals;
pub mod sessions;
pub mod stream;
pub mod webhooks;
pub mod whatsapp;

use std::any::Any;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::handler::HandlerWithoutStateExt;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::services::{ServeDir, ServeFile};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::{ApiError, ErrorBody};
use crate::guard::{authenticate, bound};

/// The head of the OpenAPI document; the routes add themselves.
#[derive(OpenApi)]
#[openapi(
    info(title = "chatflow service", description = "Conversation flows over HTTP."),
    modifiers(&Bearer),
    security(("bearer" = []))
)]
struct Document;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Routes behind a token.
fn guarded() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(alibaba::rpc))
        .routes(routes!(qyvo::trigger_flow))
        .routes(routes!(qyvo::get_flow))
        .routes(routes!(qyvo::new_flow_triggered))
        .routes(routes!(qyvo::choices))
        .routes(routes!(flows::list, flows::create))
        .routes(routes!(flows::get, flows::edit, flows::delete))
        .routes(routes!(flows::publish))
        .routes(routes!(flows::unpublish))
        .routes(routes!(flows::roll_back))
        .routes(routes!(flows::bind))
        .routes(routes!(flows::templates))
        .routes(routes!(drafts::get, drafts::save))
        .routes(routes!(drafts::issues))
        .routes(routes!(drafts::check))
        .routes(routes!(drafts::versions))
        .routes(routes!(drafts::version))
        .routes(routes!(authoring::draft))
        .routes(routes!(authoring::complete))
        .routes(routes!(rehearsals::play))
        .routes(routes!(measures::metrics))
        .routes(routes!(measures::errors))
        .routes(routes!(measures::results))
        .routes(routes!(measures::diagram))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::get))
        .routes(routes!(sessions::journal))
        .routes(routes!(rehearsals::transcript))
        .routes(routes!(sessions::cancel))
        .routes(routes!(sessions::hand_over))
        .routes(routes!(sessions::migrate))
        .routes(routes!(stream::session))
        .routes(routes!(stream::workspace))
        .routes(routes!(contacts::inbox))
        .routes(routes!(contacts::find))
        .routes(routes!(contacts::get, contacts::erase))
        .routes(routes!(contacts::messages))
        .routes(routes!(contacts::hand_back))
        .routes(routes!(contacts::touch))
        .routes(routes!(contacts::opt_out))
        .routes(routes!(contacts::opt_in))
        .routes(routes!(contacts::pause))
        .routes(routes!(contacts::unpause))
        .routes(routes!(contacts::release))
        .routes(routes!(letters::list))
        .routes(routes!(letters::requeue))
        .routes(routes!(letters::drop_letter))
        .routes(routes!(letters::quarantine))
        .routes(routes!(gptbots::take))
        .routes(routes!(console::workspace))
        .routes(routes!(console::say))
        .routes(routes!(console::shown))
}

/// Routes that anybody may call.
fn open() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(page))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(whatsapp::challenge, whatsapp::take))
        .routes(routes!(messenger::challenge, messenger::take))
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    OpenApiRouter::with_openapi(Document::openapi()).merge(guarded()).merge(open()).into_openapi()
}

/// The service.
pub fn router(app: &Arc<App>) -> Router {
    let guard = middleware::from_fn_with_state(Arc::clone(app), authenticate);
    let routes =
        OpenApiRouter::with_openapi(Document::openapi()).merge(guarded().route_layer(guard)).merge(open());
    let (router, document) = routes.split_for_parts();
    let document = Arc::new(document);
    let described = get(move || {
        let document = Arc::clone(&document);
        async move { Json((*document).clone()) }
    });
    let router = router.route("/openapi.json", described);
    let router = match app.config.page() {
        Some(folder) => {
            let files = ServeDir::new(folder).call_fallback_on_method_not_allowed(true);
            router.fallback_service(files.fallback(nothing.into_service()))
        }
        None => router.fallback(nothing),
    };
    router
        .method_not_allowed_fallback(|| async {
            let rule = "the address does not take this method";
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", rule)
        })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(bound))
        .layer(middleware::from_fn(alibaba::in_envelope))
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(SetResponseHeaderLayer::if_not_present(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .with_state(Arc::clone(app))
}

/// Serves the page, with the flows of this service and not those of the browser.
#[utoipa::path(get, path = "/", tag = "process", security(()),
    responses((status = 200, description = "The page.", content_type = "text/html"),
        (status = 307, description = "To the page with the flows of this service, `/?api=`."),
        (status = 404, description = "There is no page.", body = ErrorBody)))]
async fn page(State(app): State<Arc<App>>, request: Request) -> Response {
    let Some(folder) = app.config.page() else {
        return ApiError::not_found("there is no page here").into_response();
    };
    let query = request.uri().query().unwrap_or_default();
    if !query.split('&').any(|part| part == "api" || part.starts_with("api=")) {
        return Redirect::temporary("/?api=").into_response();
    }
    ServeFile::new(folder.join("index.html")).oneshot(request).await.into_response()
}

async fn nothing() -> ApiError {
    ApiError::not_found("there is nothing at this address")
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the service failed").into_response()
}
