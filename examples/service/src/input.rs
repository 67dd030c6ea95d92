//! The parts of a request that handlers read: bodies, queries and paths, each refused with the
//! field and the rule that it breaks.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use serde::Deserializer;
use serde::de::DeserializeOwned;

use crate::config::{MOST_BODY, MOST_WEBHOOK};
use crate::error::ApiError;

/// A body as bytes, at most 1 MiB.
pub struct Raw(pub Bytes);

/// Of a body that is too large so much is read and thrown away: a caller that is still sending when
/// its connection closes does not see the answer.
const MOST_THROWN: usize = 16 * MOST_BODY;

/// The body of a signed webhook as bytes, at most 4 MiB: those of Meta have up to 3 MB, and one
/// that is refused is lost in the end.
pub struct SignedBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        read_bytes(request, MOST_BODY).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for SignedBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        read_bytes(request, MOST_WEBHOOK).await.map(Self)
    }
}

async fn read_bytes(request: Request, most: usize) -> Result<Bytes, ApiError> {
    let is_as_it_is = |name: &HeaderValue| name.as_bytes().eq_ignore_ascii_case(b"identity");
    let is_encoded = !request.headers().get_all(CONTENT_ENCODING).into_iter().all(is_as_it_is);
    let mut body = request.into_body();
    let (mut bytes, mut thrown) = (Vec::new(), 0);
    while let Some(part) = body.frame().await {
        let part =
            part.map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "bad_request", "the body broke off"))?;
        let Ok(part) = part.into_data() else { continue };
        if thrown == 0 && bytes.len() + part.len() <= most {
            bytes.extend_from_slice(&part);
        } else {
            thrown += part.len();
        }
        if thrown > MOST_THROWN {
            break;
        }
    }
    match (thrown, is_encoded) {
        (1.., _) => Err(too_large(most)),
        (_, true) => Err(unsupported("the body must come without Content-Encoding")),
        _ => Ok(bytes.into()),
    }
}

/// 415.
fn unsupported(rule: &str) -> ApiError {
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", rule)
}

/// 413.
#[must_use]
pub fn too_large(most: usize) -> ApiError {
    let rule = format_args!("the body must have at most {most} bytes");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", rule)
}

/// A body of JSON.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let is_json = is_json(request.headers());
        let Raw(bytes) = Raw::from_request(request, state).await?;
        if bytes.is_empty() {
            return Err(ApiError::invalid("body", "is required"));
        }
        if !is_json {
            return Err(unsupported("the body must be of the type application/json"));
        }
        read_json(&bytes).map(Self)
    }
}

/// A body of JSON that may be left out: nothing at all is read as `{}`.
pub struct OptionalBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let Raw(bytes) = Raw::from_request(Request::from_parts(parts.clone(), body), state).await?;
        if bytes.is_empty() {
            return read_json(b"{}").map(Self);
        }
        let JsonBody(read) = JsonBody::from_request(Request::from_parts(parts, bytes.into()), state).await?;
        Ok(Self(read))
    }
}

/// True if the body is said to be JSON.
#[must_use]
pub fn is_json(headers: &HeaderMap) -> bool {
    let name = headers.get(CONTENT_TYPE).and_then(|name| name.to_str().ok()).unwrap_or_default();
    let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name == "application/json" || (name.starts_with("application/") && name.ends_with("+json"))
}

/// Reads JSON.
///
/// # Errors
/// 422 that names the field.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = read_value(&mut json)?;
    match json.end() {
        Ok(()) => Ok(read),
        Err(error) => Err(ApiError::invalid("body", format_args!("cannot be read: {error}"))),
    }
}

/// Reads a value, such as JSON that was read before.
///
/// # Errors
/// 422 that names the field.
pub fn read_value<'de, T: DeserializeOwned>(
    value: impl Deserializer<'de, Error = serde_json::Error>,
) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "body" } else { &path };
        ApiError::invalid(field, format_args!("cannot be read: {}", error.inner()))
    })
}

/// The parameters of the query string.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        let Query(params) = read.map_err(|failed| {
            let text = failed.body_text();
            ApiError::invalid("query", format_args!("cannot be read: {}", told(&text)))
        })?;
        Ok(Self(params))
    }
}

/// The parts of the path.
pub struct InPath<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let read = Path::<T>::from_request_parts(parts, state).await;
        read.map(|Path(path)| Self(path)).map_err(|_| ApiError::not_found("there is nothing at this address"))
    }
}

fn told(text: &str) -> &str {
    text.rsplit_once(": ").map_or(text, |(_, told)| told)
}
