//! Numbers and dates as people write them, by the tables of `docs/numbers.md`:
//! U10 to U17.

use chatflow::TriggerRequest;
use chatflow::observer::EventKind;
use chatflow::session::Profile;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::kit::{Sketch, World, ada, flow};

/// The rows of the table below a heading of `docs/numbers.md`, as the words in backticks.
pub(crate) fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let page = include_str!("../../docs/numbers.md");
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).expect("a section");
    let rows = section.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    rows.map(|row| row.split('`').skip(1).step_by(2).collect()).collect()
}

fn reader(tag: &str) -> TriggerRequest {
    ada("f").profile(Profile::new().language(tag))
}

fn asking(fields: Value) -> Sketch {
    let ask = json!({"text": "?", "expect": "number", "save_to": "a", "retries": 0});
    let ask = ask.as_object().unwrap().clone().into_iter().chain(fields.as_object().unwrap().clone());
    flow("f")
        .node("q", "ask", ask.collect())
        .send("ok", "{{ vars.a }}")
        .apart("no", "send_message", json!({"text": "none"}))
        .edge("q", "invalid", "no")
}

fn saved(fields: &Value, language: &str, written: &str) -> String {
    let world = World::with([asking(fields.clone())]);
    world.begin(reader(language));
    world.say(written);
    world.sent().pop().unwrap_or_default()
}

/// U10
#[test]
fn numbers_are_read_as_they_are_written_in_each_language() {
    for (heading, fields) in
        [("Numbers in their languages", json!({})), ("Amounts in their countries", json!({"unit": true}))]
    {
        let rows = table(heading);
        assert!(rows.len() >= 20, "{heading}");
        for row in rows {
            let [language, written, expected, more, also] = row[..] else { panic!("{row:?}") };
            assert_eq!(saved(&fields, language, written), expected, "{row:?}");
            assert_eq!(saved(&fields, language, more), also, "{row:?}");
        }
    }
}

/// U10: below a hundred, and behind words that only say that a number comes.
#[test]
fn numbers_are_read_in_words() {
    let rows = table("Numbers in words");
    assert!(rows.len() >= 40);
    for row in rows {
        let [language, written, expected, counted, also] = row[..] else { panic!("{row:?}") };
        assert_eq!(saved(&json!({}), language, written), expected, "{row:?}");
        assert_eq!(saved(&json!({"unit": true}), language, counted), also, "{row:?}");
    }
    for (language, written) in [
        ("en", "two hundred"),
        ("en", "two and a half"),
        ("en", "twenty twenty"),
        ("en", "ten thirty"),
        ("en", "one or two"),
        ("en", "someone"),
        ("en", "we are many"),
        ("en", "a few"),
        ("es", "un par"),
        ("es", "dos mil"),
        ("de", "zweihundert"),
        ("fr", "quatre-vingts mille"),
        ("ru", "пять тысяч"),
        ("fa", "نه"),
        ("zh", "一些"),
        ("en", "about 500"),
    ] {
        for fields in [json!({}), json!({"unit": true})] {
            assert_eq!(saved(&fields, language, written), "none", "{written}");
        }
    }
    assert_eq!(saved(&json!({}), "en", "three adults"), "none");
    assert_eq!(saved(&json!({}), "en", "We are 4, please"), "4");
    assert_eq!(saved(&json!({"whole": true}), "es", "somos 4"), "4");
}

/// U10: what multiplies an amount, or makes it negative, is not passed over.
#[test]
fn an_amount_is_never_another_one() {
    let rows = table("Amounts with a factor or a minus in words");
    assert!(rows.len() >= 30);
    for row in rows {
        let [language, multiplied, negative, also] = row[..] else { panic!("{row:?}") };
        for (written, expected) in [(multiplied, "none"), (negative, also)] {
            assert_eq!(saved(&json!({"unit": true}), language, written), expected, "{row:?}");
        }
    }
}

/// U2, U10, U13, U15: the final mark of the contact's own script, quotes and emoji.
#[test]
fn what_is_written_around_an_answer_is_no_part_of_it() {
    let rows = table("Marks around an answer");
    assert!(rows.len() >= 15);
    for row in rows {
        let [number, date, email, url] = row[..] else { panic!("{row:?}") };
        for (fields, written, expected) in [
            (json!({}), number, "12"),
            (json!({"expect": "date"}), date, "2026-05-07"),
            (json!({"expect": "email"}), email, "ada@example.com"),
            (json!({"expect": "url"}), url, "https://example.com/a"),
        ] {
            assert_eq!(saved(&fields, "en", written), expected, "{row:?}");
        }
    }
}

/// U13: as the country writes it, in a format and in none.
#[test]
fn dates_are_read_as_each_country_writes_them() {
    let rows = table("Dates in their countries");
    assert!(rows.len() >= 15);
    for row in rows {
        let [language, written, typed, expected] = row[..] else { panic!("{row:?}") };
        for written in [written, typed] {
            assert_eq!(dated(&json!({}), language, written), expected, "{row:?}");
        }
    }
    for (language, written, format, expected) in [
        ("ru", "07.05.2026 г.", "%d.%m.%Y", "2026-05-07"),
        ("uk", "07.05.2026 р.", "%d.%m.%Y", "2026-05-07"),
        ("th", "7/5/69", "%d/%m/%y", "2026-05-07"),
        ("th", "7/5/2569", "%d/%m/%Y", "2026-05-07"),
        ("en", "7/5/26", "%d/%m/%y", "2026-05-07"),
    ] {
        assert_eq!(dated(&json!({"formats": [format]}), language, written), expected, "{written}");
    }
}

/// U13: a word for two days is neither, and none of them is guessed.
#[test]
fn a_word_for_tomorrow_and_yesterday_is_no_date() {
    for written in ["कल", "परसों"] {
        assert_eq!(dated(&json!({"relative": true}), "hi", written), "none", "{written}");
    }
    assert_eq!(dated(&json!({"relative": true}), "ur", "آج"), "2026-05-07");
}

/// U10: the author's word goes before the language, the settings' before it where a number is open.
#[test]
fn an_author_says_what_a_mark_is() {
    assert_eq!(saved(&json!({"decimal": ","}), "en", "1,500"), "1.5");
    assert_eq!(saved(&json!({"decimal": "."}), "de", "1.500"), "1.5");
    assert_eq!(saved(&json!({"decimal": "."}), "de", "1,5"), "none");
    for (decimal, written, expected) in
        [(",", "1.500", "1500"), (".", "1.500", "1.5"), (",", "129.00", "129")]
    {
        let world = World::with([asking(json!({})).set("decimal", json!(decimal))]);
        world.begin(reader("en"));
        world.say(written);
        assert_eq!(world.sent().pop().as_deref(), Some(expected), "{decimal} {written}");
    }
}

/// U15: also with marks that have no width.
#[test]
fn what_stands_around_an_address_is_no_part_of_it() {
    for row in table("E-mail addresses") {
        let [written, expected] = row[..] else { panic!("{row:?}") };
        for written in
            [written.to_owned(), format!("\u{200e}{written}\u{200b}"), format!("\u{feff}{written}")]
        {
            assert_eq!(saved(&json!({"expect": "email"}), "en", &written), expected, "{written:?}");
        }
    }
}

/// U11, U12: an operator that comes to nothing tells so, and does not end the talk.
#[test]
fn what_comes_to_nothing_is_told() {
    let branches = json!([
        {"label": "a", "when": {"expr": "context.total > 5"}},
        {"label": "b", "when": {"value": "{{ context.total }}", "op": "number_less", "to": 5}},
        {"label": "c", "when": {"value": "{{ context.total }}", "op": "date_before", "to": "2026-01-01"}},
    ]);
    let sketch = flow("f")
        .node("b", "branch", json!({"branches": branches}))
        .apart("a", "send_message", json!({"text": "a"}))
        .apart("n", "send_message", json!({"text": "[{{ 1e300 * 2 }}]"}))
        .edge("b", "a", "a")
        .edge("b", "b", "a")
        .edge("b", "c", "a")
        .edge("b", "else", "n");
    let world = World::with([sketch]);
    world.trigger(ada("f").context(json!({"total": "many"})));
    assert_eq!(world.sent(), ["[]"]);
    let told = world.notes().into_iter().filter_map(|note| match note {
        EventKind::NoResult { operator, .. } => Some(operator.to_string()),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [">", "number_less", "date_before", "*"]);
}

fn dated(fields: &Value, language: &str, written: &str) -> String {
    let mut fields = fields.clone();
    fields["expect"] = json!("date");
    saved(&fields, language, written)
}

/// U13: in a format with the month's name, and in none.
#[test]
fn months_have_their_names_in_thirty_languages_and_more() {
    let rows = table("Months in their languages");
    assert!(rows.len() >= 30);
    for row in rows {
        let [language, may, august, december] = row[..] else { panic!("{row:?}") };
        for fields in [json!({}), json!({"formats": ["%d %B %Y"]})] {
            for (written, month) in [(may, "05"), (august, "08"), (december, "12")] {
                assert_eq!(
                    dated(&fields, language, written),
                    format!("2026-{month}-07"),
                    "{language} {written}"
                );
            }
        }
    }
}

/// U13: all months, as they are whole and abbreviated, in every language that is known.
#[test]
fn every_month_is_read_as_it_is_written() {
    let names = include_str!("../../src/flow/lang/calendar/names.txt");
    for row in names.lines() {
        let columns: Vec<&str> = row.split('\t').collect();
        let world = World::with([asking(json!({"expect": "date"}))]);
        for (column, format) in [(1, "7 {} 2026"), (3, "7 {} 2026")] {
            for (month, name) in (1..).zip(columns[column].split('|')) {
                world.begin(reader(columns[0]));
                world.say(&format.replace("{}", name));
                assert_eq!(world.sent().pop(), Some(format!("2026-{month:02}-07")), "{} {name}", columns[0]);
            }
        }
    }
}

/// U16, U17: a date begins at midnight where its zone is, and so does a time without one.
#[test]
fn a_date_and_a_time_become_an_instant_in_a_zone() {
    let sketch = flow("f")
        .send("m", "{{ '2026-05-08' | add(9, 'hours', 'America/Mexico_City') }} {{ '2026-05-08' | add(9, 'hours') }}")
        .node("d", "delay", json!({"until": "{{ context.at }}", "timezone": "America/Mexico_City"}))
        .send("end", "x");
    for (at, due) in [
        ("2026-05-08", "2026-05-08T06:00:00Z"),
        ("2026-05-08T09:00", "2026-05-08T15:00:00Z"),
        ("2026-05-08 09:00", "2026-05-08T15:00:00Z"),
        ("9:00", "2026-05-07T15:00:00Z"),
        ("next 09:00 monday", "2026-05-11T15:00:00Z"),
        ("2026-05-09T10:00:00+0000", "2026-05-09T10:00:00Z"),
        ("2026-05-09T10:00+02:00", "2026-05-09T08:00:00Z"),
        ("Sat, 09 May 2026 10:00:00 GMT", "2026-05-09T10:00:00Z"),
    ] {
        let world = World::with([sketch.clone()]);
        let session = world.begin(ada("f").context(json!({"at": at}))).session_id;
        assert_eq!(world.sent(), ["2026-05-08T09:00:00-06:00 2026-05-08T09:00:00Z"]);
        assert_eq!(world.session(session).deadline(), Some(due.parse::<DateTime<Utc>>().unwrap()), "{at}");
    }
}

/// U17: a duration is a time beside others alone.
#[test]
fn until_takes_no_duration() {
    let told = |delay: serde_json::Value| {
        let json = flow("f").node("d", "delay", delay).send("end", "x").json();
        let issues = chatflow::Flow::from_json(&json).err();
        issues.and_then(|issues| issues.to_string().lines().next().map(str::to_owned))
    };
    for span in ["21h", "1d", "30m"] {
        let issue = "node \"d\": until: is a duration, not a time (bad_value)".to_owned();
        assert_eq!(told(json!({"until": span})), Some(issue), "{span}");
        assert_eq!(told(json!({"first_of": [span, "next 09:00"]})), None, "{span}");
    }
    let sketch = flow("f").node("d", "delay", json!({"until": "{{ context.at }}"})).send("end", "x");
    let world = World::with([sketch]);
    world.begin(ada("f").context(json!({"at": "9h"})));
    world.tick_after(chrono::TimeDelta::hours(10));
    assert_eq!(world.sent(), [""; 0]);
}

/// U16: days are counted by the contact's clock where an instant is in UTC, else where it was
/// written, or in the zone that is named.
#[test]
fn days_are_counted_by_the_contacts_clock() {
    let sketch = flow("f").send(
        "m",
        "{{ '2026-05-08T03:00:00Z' | weekday }} {{ '2026-05-07' | days_between('2026-05-08T03:00:00Z') }} \
         {{ '2026-05-08T03:00:00Z' | weekday('UTC') }} {{ '2026-05-08T03:00:00+09:00' | weekday }} \
         {{ '2026-05-08' | weekday }}",
    );
    for (zone, expected) in [
        ("America/Los_Angeles", "thu 0 fri fri fri"),
        ("Asia/Tokyo", "fri 1 fri fri fri"),
        ("UTC", "fri 1 fri fri fri"),
    ] {
        let world = World::with([sketch.clone()]);
        world.begin(ada("f").profile(Profile::new().timezone(zone)));
        assert_eq!(world.sent(), [expected], "{zone}");
    }
}

/// U16, U17: by the contact's zone, else the flow's, else UTC, however the clock jumps.
#[test]
fn a_delay_ends_when_the_contacts_clock_shows_the_time() {
    for (contact, of_flow, zone, hours) in [
        (Some("Asia/Tokyo"), Some("Europe/Berlin"), "Asia/Tokyo", "2026-05-08T00:00:00Z"),
        (Some("Mars"), Some("Europe/Berlin"), "Europe/Berlin", "2026-05-08T07:00:00Z"),
        (None, Some("America/Bogota"), "America/Bogota", "2026-05-07T14:00:00Z"),
        (None, None, "UTC", "2026-05-07T09:00:00Z"),
    ] {
        let sketch = flow("f")
            .node("d", "delay", json!({"until": "next 09:00"}))
            .send("m", "{{ contact.timezone }} {{ now | date('%H:%M', contact.timezone) }}");
        let sketch = of_flow.into_iter().fold(sketch, |sketch, zone| sketch.set("timezone", json!(zone)));
        let world = World::with([sketch]);
        let profile = contact.into_iter().fold(Profile::new(), Profile::timezone);
        let session = world.begin(ada("f").profile(profile)).session_id;
        let due = hours.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(world.session(session).deadline(), Some(due), "{zone}");
        world.tick_after(due - world.now());
        assert_eq!(world.sent(), [format!("{zone} 09:00")]);
    }
}
