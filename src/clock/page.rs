//! Clock and randomness of a page, a worker, or another program of JavaScript.

use std::time::Duration;

use js_sys::wasm_bindgen::{JsCast, JsValue};
use js_sys::{Date, Function, Math, Reflect, Uint8Array, global};

/// Milliseconds since 1970.
pub(super) fn millis() -> i64 {
    Date::now() as i64
}

/// The time since the page was opened, which never goes back; where a program has no
/// `performance.now`, the time of day.
pub(super) fn elapsed() -> Duration {
    let millis = called("performance", "now", None).and_then(|now| now.as_f64());
    Duration::from_secs_f64(millis.unwrap_or_else(Date::now).max(0.0) / 1_000.0)
}

/// 16 bytes that nobody can guess; where a program has no `crypto`, that do not repeat from one
/// start to the next.
pub(super) fn key() -> (u64, u64) {
    let bytes = Uint8Array::new_with_length(16);
    if called("crypto", "getRandomValues", Some(&bytes)).is_some() {
        let mut drawn = [0; 16];
        bytes.copy_to(&mut drawn);
        let drawn = u128::from_le_bytes(drawn);
        return ((drawn >> 64) as u64, drawn as u64);
    }
    (Math::random().to_bits() ^ Date::now().to_bits(), Math::random().to_bits())
}

/// The answer of a method of a global object; None where there is no such method, or it throws.
fn called(object: &str, method: &str, argument: Option<&JsValue>) -> Option<JsValue> {
    let object = Reflect::get(&global(), &object.into()).ok()?;
    let method = Reflect::get(&object, &method.into()).ok()?.dyn_into::<Function>().ok()?;
    match argument {
        Some(argument) => method.call1(&object, argument),
        None => method.call0(&object),
    }
    .ok()
}
