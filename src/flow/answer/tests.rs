//! Properties of every kind of answer and every text.

use chrono::NaiveDate;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::flow::lang::pattern::Extent;
use crate::limits::Limits;

fn all() -> Vec<Expect> {
    let pattern = Pattern::parse("(a|b)*c", Extent::Whole, false, &Limits::default()).unwrap();
    vec![
        Expect::Text { least: 0, most: usize::MAX, pattern: None },
        Expect::Text { least: 2, most: 5, pattern: Some(pattern) },
        Expect::Number { whole: false, decimal: None, has_unit: false, bounds: Bounds::default() },
        Expect::Number {
            whole: true,
            decimal: Some(Decimal::Comma),
            has_unit: true,
            bounds: Bounds::default(),
        },
        Expect::Phone(None),
        Expect::Email,
        Expect::Date { dates: Box::default(), bounds: Bounds::default() },
        Expect::Date {
            dates: Box::new(Dates {
                formats: ["%d/%m/%Y".into(), "%d %B %y".into()].into(),
                century: None,
                relative: true,
            }),
            bounds: Bounds::default(),
        },
        Expect::Url,
        Expect::Media { types: ["image".into()].into() },
        Expect::Location,
        Expect::Choice(Choices {
            list: [Choice::new("a", ["Yes"], ["ja"]), Choice::new("b", ["No"], [])].into(),
            are_numbered: false,
            several: None,
            live: None,
        }),
    ]
}

fn said(text: &str) -> RawReply<'_> {
    RawReply { kind: ReplyKind::Text, text, payload: None, mime: None, home: None }
}

fn speech() -> Speech<'static> {
    Speech { languages: [None, None], decimal: None, today: NaiveDate::from_ymd_opt(2026, 5, 7).unwrap() }
}

/// Texts of every kind, and such that are nearly answers.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-+−]?[0-9٠-٩.,' ]{0,70}",
        "[a-z.@+-]{0,20}@[a-z.-]{0,20}",
        "https?://[a-z0-9.:@/?#\\[\\]-]{0,30}",
        "[0-9]{1,5}[-/. ][0-9A-Za-z]{1,5}[-/. ][0-9]{1,5}",
        "#?[0-9]{1,4}[.)]?",
    ]
}

proptest! {
    /// N4: an answer is understood or not, and what is saved of it is understood as the same again.
    #[test]
    fn every_text_is_understood_or_refused(text in text()) {
        for expect in all() {
            let Some(meant) = expect.understand(said(&text), &speech()) else { continue };
            let ReplyMeaning::Value(value) = &meant else { continue };
            let saved = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            prop_assert!(saved.len() <= text.len() + 32, "{saved:?} of {text:?}");
            let is_stable = match &expect {
                Expect::Date { .. } => {
                    let iso = Expect::Date { dates: Box::default(), bounds: Bounds::default() };
                    iso.understand(said(&saved), &speech())
                }
                Expect::Number { .. } if saved.contains('e') || saved.contains('.') => continue,
                expect => expect.understand(said(&saved), &speech()),
            };
            prop_assert_eq!(is_stable.as_ref(), Some(&meant), "{:?} of {:?}", saved, text);
        }
    }
}

/// N4: the longest text that comes in is checked in a moment, whatever it is made of.
#[test]
fn long_texts_are_checked_in_a_moment() {
    let most = Limits::default().text_bytes;
    let began = cpu_time::ThreadTime::now();
    for part in ["1", "1,", "a@", "a.", "https://a.", "٣", "ab", " ", "(#1.)", "-"] {
        let text = part.repeat(most / part.len());
        for expect in all() {
            let _ = expect.understand(said(&text), &speech());
        }
    }
    let took = began.elapsed();
    assert!(took < std::time::Duration::from_secs(2), "took {took:?}");
}

/// N4
#[test]
fn telephone_numbers_have_their_country() {
    let expect = Expect::Phone(None);
    for text in ["+1 (415) 555-0123", "001 415 555 0123", " +١٤١٥٥٥٥٠١٢٣ "] {
        assert_eq!(
            expect.understand(said(text), &speech()),
            Some(ReplyMeaning::Value("+14155550123".into())),
            "{text}"
        );
    }
    for text in ["", "4155550123", "0415 555 0123", "+1234567", "+1 415 CALL ME", "++14155550123"] {
        assert_eq!(expect.understand(said(text), &speech()), None, "{text}");
    }
}

/// N4
#[test]
fn a_medium_is_of_a_type_that_is_wanted() {
    let expect = Expect::Media { types: ["image".into(), "application/pdf".into()].into() };
    let medium = |mime| RawReply { kind: ReplyKind::Media, text: "", payload: None, mime, home: None };
    for mime in ["image/png", "IMAGE/JPEG", "application/pdf; charset=binary"] {
        assert_eq!(expect.understand(medium(Some(mime)), &speech()), Some(ReplyMeaning::Medium), "{mime}");
    }
    for mime in [None, Some("video/mp4"), Some("application/zip"), Some("imagex/png")] {
        assert_eq!(expect.understand(medium(mime), &speech()), None, "{mime:?}");
    }
    let any = Expect::Media { types: Box::default() };
    assert_eq!(any.understand(medium(None), &speech()), Some(ReplyMeaning::Medium));
    assert_eq!(any.understand(said("a picture"), &speech()), None);
}

/// N4
#[test]
fn numbers_and_dates_lie_between_their_ends() {
    let number = Expect::Number { whole: false, decimal: None, has_unit: false, bounds: Bounds::default() };
    let date = Expect::Date { dates: Box::default(), bounds: Bounds::default() };
    let in_zone = |expect: &Expect, value: Value, min, max, zone: &str| {
        expect.within(&value, min, max, Zone::known(zone).unwrap())
    };
    let check = |expect: &Expect, value: Value, min, max| in_zone(expect, value, min, max, "UTC");
    assert!(check(&number, 18.into(), Some("18"), Some("18")));
    assert!(!check(&number, 17.into(), Some("18"), None));
    assert!(!check(&number, 18.5.into(), None, Some("18")));
    assert!(check(&number, 18.into(), Some("many"), Some("")), "what is no number bounds nothing");
    assert!(check(&date, "2026-05-07".into(), Some("2026-05-07T23:00:00Z"), None), "the same day");
    assert!(!check(&date, "2026-05-06".into(), Some("2026-05-07"), None));
    for (now, zone, day) in [
        ("2026-05-08T00:14:00Z", "-07:00", "2026-05-07"),
        ("2026-05-07T23:14:00Z", "+09:00", "2026-05-08"),
        ("2026-05-08T00:14:00+02:00", "-07:00", "2026-05-08"),
    ] {
        let is_day = |day: &str| in_zone(&date, day.into(), Some(now), Some(now), zone);
        let around = ["2026-05-06", "2026-05-07", "2026-05-08", "2026-05-09"];
        assert_eq!(
            around.into_iter().filter(|day| is_day(day)).collect::<Vec<_>>(),
            [day],
            "{now} in {zone}"
        );
    }
    assert!(!check(&date, "2026-05-08".into(), None, Some("2026-05-07")));
}
