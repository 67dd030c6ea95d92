//! `http_request`: asks the host for a request over HTTP; a status other than 200-299 is a failure
//! (SEMANTICS D2).

use std::fmt::Write as _;

use serde_json::Value;

use crate::flow::Step;
use crate::flow::node::{HttpRequest, Port, is_web};
use crate::kernel::Input;
use crate::kernel::node::call::{self, Meaning};
use crate::kernel::turn::{Move, Run};
use crate::session::{CallKind, FailureCode};

/// Bytes of an address; servers and proxies refuse longer ones.
const MOST_URL_BYTES: usize = 8 << 10;

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &HttpRequest) -> Move {
    let url = match url_of(run, node) {
        Ok(Ok(url)) => url,
        Ok(Err(cause)) => {
            run.because(|_| cause.to_owned());
            return call::failed(step, &node.call, cause);
        }
        Err(leave) => return leave,
    };
    let mut args = match call::render(run, &node.call) {
        Ok(args) => args,
        Err(leave) => return leave,
    };
    let headers = args.get("headers").and_then(Value::as_object).into_iter().flatten();
    let mut texts = headers.filter_map(|(_, value)| value.as_str());
    if texts.any(|text| text.contains(char::is_control)) {
        return call::failed(step, &node.call, "a header has a control character");
    }
    if let Some(object) = args.as_object_mut() {
        object.insert("url".into(), url.into());
    }
    call::park(run, CallKind::HttpRequest, CallKind::HttpRequest.as_str().into(), &node.call, &args)
}

pub(super) fn resume(run: &mut Run<'_>, step: &Step, node: &HttpRequest, input: Input) -> Move {
    call::answer(run, step, &node.call, input, meaning).leave(step, &node.call)
}

fn meaning(answer: &Value) -> Meaning {
    match answer.get("status").and_then(Value::as_f64) {
        Some(status) if !(200.0..300.0).contains(&status) => {
            Meaning::Failure(format!("the request was answered with status {status}"))
        }
        _ => Meaning::Take(Port::NEXT),
    }
}

/// The rendered address with its query, or why it cannot be asked for.
fn url_of(run: &mut Run<'_>, node: &HttpRequest) -> Result<Result<String, &'static str>, Move> {
    let fail = |error| Move::fail(FailureCode::Expression, error);
    let url = run.render(&node.url).map_err(fail)?;
    let (mut url, fragment) = match url.trim().split_once('#') {
        Some((url, fragment)) => (url.to_owned(), Some(fragment.to_owned())),
        None => (url.trim().to_owned(), None),
    };
    for (name, value) in &node.query {
        let value = run.render(value).map_err(fail)?;
        url.push(if url.contains('?') { '&' } else { '?' });
        encode(&mut url, name);
        url.push('=');
        encode(&mut url, &value);
    }
    if let Some(fragment) = fragment {
        url.push('#');
        url.push_str(&fragment);
    }
    Ok(check(url))
}

fn check(url: String) -> Result<String, &'static str> {
    let is_odd = |c: char| c.is_control() || c.is_whitespace();
    match url {
        url if url.len() > MOST_URL_BYTES => Err("the address is too long"),
        url if !is_web(&url) => Err("the address is not http or https"),
        url if url.contains(is_odd) => Err("the address has a blank or a control character"),
        url => Ok(url),
    }
}

/// Letters and digits of ASCII and `- . _ ~` stay; every other byte becomes `%XX`.
fn encode(out: &mut String, text: &str) {
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            // A string takes everything.
            let _ = write!(out, "%{b:02X}");
        }
    }
}
