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

/// U2
#[test]
fn politeness_is_no_part_of_a_value() {
    let number =
        |has_unit| Expect::Number { whole: false, decimal: None, has_unit, bounds: Bounds::default() };
    let dates = Dates { relative: true, ..Dates::default() };
    let date = Expect::Date { dates: Box::new(dates), bounds: Bounds::default() };
    let read = |expect: &Expect, text: &str, language, region: Option<&str>| {
        let cx = Speech { languages: [Some(language), None], ..speech() };
        let home = region.and_then(Home::of);
        let meant = expect.understand(RawReply { home, ..said(text) }, &cx);
        meant.map(|meant| match meant {
            ReplyMeaning::Value(Value::String(text)) => text,
            ReplyMeaning::Value(value) => value.to_string(),
            other => format!("{other:?}"),
        })
    };
    for (language, text, expected) in [
        ("en", "5 please", Some("5")),
        ("en", "please, 5", Some("5")),
        ("es", "5, por favor", Some("5")),
        ("de", "5 Bitte!", Some("5")),
        ("de", "1,5 bitte", Some("1.5")),
        ("fr", "5 s'il vous plaît", Some("5")),
        ("ru", "5 пожалуйста", Some("5")),
        ("ja", "5です", Some("5")),
        ("ja", "５でお願いします", Some("5")),
        ("th", "๕ ค่ะ", Some("5")),
        ("th", "5ครับ", Some("5")),
        ("ko", "5입니다", Some("5")),
        ("zh", "5 谢谢", Some("5")),
        ("zh", "谢谢，5", Some("5")),
        ("ar", "٥ من فضلك", Some("5")),
        ("hi", "कृपया 5", Some("5")),
        ("en", "-5 please", Some("-5")),
        ("en", ".5 please", Some("0.5")),
        ("en", "please -5", None),
        ("en", "please .5", None),
        ("en", "please <5", None),
        ("en", "500- please", None),
        ("en", "5² please", None),
        ("en", "5k please", None),
        ("en", "5 or 6 please", None),
        ("en", "5 thousand, please", None),
        ("en", "please", None),
        ("en", "not 5 please", None),
        ("en", "5 dollars please", None),
    ] {
        assert_eq!(read(&number(false), text, language, None).as_deref(), expected, "{text}");
    }
    for (language, text, expected) in [
        ("ru", "пожалуйста, 5 кг", Some("5")),
        ("en", "5 M please", None),
        ("en", "please, 5 thousand", None),
    ] {
        assert_eq!(read(&number(true), text, language, None).as_deref(), expected, "{text}");
    }
    for (language, region, text, expected) in [
        ("en", "US", "415-555-2671, thanks", Some("+14155552671")),
        ("th", "TH", "0812345678 ค่ะ", Some("+66812345678")),
        ("th", "TH", "๐๘๑๒๓๔๕๖๗๘ครับ", Some("+66812345678")),
        ("ja", "JP", "090-1234-5678です", Some("+819012345678")),
        ("ko", "KR", "010-1234-5678입니다", Some("+821012345678")),
        ("es", "MX", "+52 55 1234 5678 gracias", Some("+525512345678")),
        ("en", "US", "415-555-26, thanks", None),
        ("en", "US", "415-555-2671 or 415-555-2672 please", None),
    ] {
        let read = read(&Expect::Phone(None), text, language, Some(region));
        assert_eq!(read.as_deref(), expected, "{text}");
    }
    for (language, text, expected) in [
        ("en", "Ada@example.com thanks", Some("Ada@example.com")),
        ("th", "ada@example.com ค่ะ", Some("ada@example.com")),
        ("es", "gracias, ada@example.com", Some("ada@example.com")),
        ("en", "ada@example thanks", None),
        ("da", "ada@example.com_tak", None),
        ("de", "ada@example/danke", None),
        ("en", "ada @ example.com please", None),
    ] {
        let read = read(&Expect::Email, text, language, None);
        assert_eq!(read.as_deref(), expected, "{text}");
    }
    for (language, text, expected) in [
        ("en", "7 May 2026 please", Some("2026-05-07")),
        ("es", "2026-05-07 por favor", Some("2026-05-07")),
        ("es", "7 de mayo de 2026, gracias", Some("2026-05-07")),
        ("ko", "2026. 5. 7. 부탁드립니다", Some("2026-05-07")),
        ("ja", "2026年5月7日でお願いします", Some("2026-05-07")),
        ("en", "tomorrow please", Some("2026-05-08")),
        ("ko", "내일이요", Some("2026-05-08")),
        ("th", "พรุ่งนี้ค่ะ", Some("2026-05-08")),
        ("en", "7/5/2026 please", None),
        ("en", "7 May please", Some("2026-05-07")),
        ("en", "not tomorrow please", None),
    ] {
        assert_eq!(read(&date, text, language, None).as_deref(), expected, "{text}");
    }
    let text = Expect::Text { least: 1, most: 99, pattern: None };
    assert_eq!(read(&text, "5 please", "en", None).as_deref(), Some("5 please"), "a text stays as it is");
    assert_eq!(
        read(&Expect::Url, "https://example.com/A thanks", "en", None).as_deref(),
        Some("https://example.com/A")
    );
    assert_eq!(read(&number(false), "9400111899223197428490", "en", None), None, "beyond 64 bits");
    assert_eq!(
        read(&number(false), "18446744073709551615", "en", None).as_deref(),
        Some("18446744073709551615")
    );
}
