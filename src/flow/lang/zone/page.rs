//! The time zones of a page, a worker, or another program of JavaScript: the names are those of the
//! database, the offsets are asked of `Intl`, which has the same database. A module for the
//! browser is a tenth smaller without the tables.

use std::cell::RefCell;
use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, Utc};
use chrono_tz::Tz;
use js_sys::wasm_bindgen::{JsCast, JsValue};
use js_sys::{Array, Function, Object, Reflect, global};

/// True if the page knows a zone, too: an old browser lacks the newest names.
pub(super) fn has(zone: Tz) -> bool {
    with(zone, |_| ()).is_some()
}

/// Returns the offset that a zone has at an instant.
pub(super) fn offset(zone: Tz, at: DateTime<Utc>) -> FixedOffset {
    with(zone, |asked| asked.at(at.timestamp())).flatten().unwrap_or(UTC)
}

const UTC: FixedOffset = match FixedOffset::east_opt(0) {
    Some(offset) => offset,
    None => unreachable!(),
};

thread_local! {
    static ASKED: RefCell<BTreeMap<&'static str, Option<PageZone>>> = const { RefCell::new(BTreeMap::new()) };
}

fn with<T>(zone: Tz, then: impl FnOnce(&mut PageZone) -> T) -> Option<T> {
    ASKED.with_borrow_mut(|asked| {
        asked.entry(zone.name()).or_insert_with(|| PageZone::new(zone.name())).as_mut().map(then)
    })
}

/// A zone of the page, with the offsets of days on which they do not change.
struct PageZone {
    format: Function,
    days: BTreeMap<i64, FixedOffset>,
}

const DAY: i64 = 24 * 60 * 60;

/// More days than a flow looks at; then they are asked for again.
const MOST_DAYS: usize = 1_000;

impl PageZone {
    /// One whose `Intl.DateTimeFormat` writes offsets; none where the page has no such zone.
    fn new(name: &str) -> Option<Self> {
        let intl = Reflect::get(&global(), &"Intl".into()).ok()?;
        let constructor: Function = Reflect::get(&intl, &"DateTimeFormat".into()).ok()?.dyn_into().ok()?;
        let options = Object::new();
        Reflect::set(&options, &"timeZone".into(), &name.into()).ok()?;
        Reflect::set(&options, &"timeZoneName".into(), &"longOffset".into()).ok()?;
        let made = Reflect::construct(&constructor, &Array::of2(&"en-US".into(), &options)).ok()?;
        let format = Reflect::get(&made, &"format".into()).ok()?.dyn_into().ok()?;
        Some(Self { format, days: BTreeMap::new() })
    }

    /// The offset at a second since 1970. Where a day begins and ends with the same, it has no
    /// other: no zone has changed its offset and taken it back within a day.
    fn at(&mut self, second: i64) -> Option<FixedOffset> {
        let day = second.div_euclid(DAY);
        if let Some(offset) = self.days.get(&day) {
            return Some(*offset);
        }
        let begins = self.ask(day * DAY)?;
        if self.ask((day + 1) * DAY) != Some(begins) {
            return self.ask(second);
        }
        if self.days.len() >= MOST_DAYS {
            self.days.clear();
        }
        self.days.insert(day, begins);
        Some(begins)
    }

    fn ask(&self, second: i64) -> Option<FixedOffset> {
        let millis = JsValue::from_f64(second as f64 * 1_000.0);
        read(&self.format.call1(&JsValue::UNDEFINED, &millis).ok()?.as_string()?)
    }
}

/// Reads an offset as `Intl` writes it behind a date: `GMT`, `GMT+05:30`, `GMT-00:01:15`.
fn read(text: &str) -> Option<FixedOffset> {
    let (_, offset) = text.rsplit_once("GMT")?;
    let Some(sign) = offset.chars().next() else { return Some(UTC) };
    let mut seconds = 0;
    for (part, unit) in offset[sign.len_utf8()..].split(':').zip([3600, 60, 1]) {
        seconds += part.parse::<i32>().ok()? * unit;
    }
    if sign == '+' { FixedOffset::east_opt(seconds) } else { FixedOffset::west_opt(seconds) }
}
