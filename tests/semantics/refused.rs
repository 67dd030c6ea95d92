//! Requests that are refused for their form: the error names the field and the rule, and nothing is
//! stored (S7, T2, T7, T8, L2).

use chatflow::limits::Limits;
use chatflow::ops::{Amendment, SessionFilter};
use chatflow::session::Profile;
use chatflow::value::{PackLimits, PackedMap};
use chatflow::{Channel, ContactId, Error, Inbound, TriggerRequest, Triggered};
use chrono::{DateTime, Utc};
use pollster::block_on;
use serde_json::{Value, json};

use crate::kit::*;

const NO_PHONE: &str = "must be a telephone number: `+`, a calling code, and as many digits as its numbering plan has, \
             7-15 in all";
const TOO_LONG: &str = "must have at most 256 bytes";
const CONTROL: &str = "must not contain control characters";
const NO_TIME: &str = "must be between 1970 and 9999";

fn long() -> String {
    "x".repeat(257)
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |value, _| json!([value]))
}

/// A trigger for a contact that nobody has seen yet.
fn eve() -> TriggerRequest {
    TriggerRequest::new("f").contact_id("eve").phone("+14155550166")
}

#[track_caller]
fn refuses(cases: impl IntoIterator<Item = (TriggerRequest, String)>) {
    let world = World::with([question("f")]);
    for (request, told) in cases {
        assert_eq!(world.refusal(request), ("invalid_input", told));
        assert!(world.sessions(SessionFilter::all()).is_empty());
        assert_eq!(block_on(world.bot.contact(&contact_id("eve"))).unwrap(), None);
    }
    assert!(world.sent().is_empty());
    assert_eq!(world.begin(eve()).contact_id, contact_id("eve"));
}

/// T2
#[test]
fn a_text_that_is_no_telephone_number_is_refused() {
    let texts = [
        "",
        " \t",
        "abc",
        "+1800FLOWERS",
        "+1234567",
        "+1234567890123456",
        "14155550123",
        "++14155550123",
        "+0014155550123",
        "+1415555\n0123",
        "+١٢٣٤٥٦٧٨٩٠",
        "+1415\u{7}5550123",
        "+4407911",
    ];
    refuses(
        texts.map(|text| {
            (TriggerRequest::new("f").contact_id("eve").phone(text), format!("`phone` {NO_PHONE}"))
        }),
    );
}

/// S7
#[test]
fn a_context_that_is_no_object_or_too_much_is_refused() {
    let place = |name: &str, levels: usize| format!("`context.{name}{}`", "[0]".repeat(levels));
    refuses([
        (eve().context(json!([1])), "`context` must be a JSON object".to_owned()),
        (eve().context("a"), "`context` must be a JSON object".to_owned()),
        (eve().context(Value::Null), "`context` must be a JSON object".to_owned()),
        (eve().context_of(7), "`context` must be a JSON object".to_owned()),
        (
            eve().context(json!({"a": "x".repeat(65_537)})),
            "`context.a` must take at most 65536 bytes".to_owned(),
        ),
        (
            eve().context(json!({"a": nested(16)})),
            format!("{} must be nested at most 16 levels", place("a", 15)),
        ),
        (eve().context(json!({long(): 1})), "`context` must have keys of at most 256 bytes".to_owned()),
    ]);
}

/// S7
#[test]
fn names_that_are_empty_too_long_or_hold_control_characters_are_refused() {
    type Put = fn(TriggerRequest, &str) -> TriggerRequest;
    let fields: [(&str, Put); 5] = [
        ("flow", |_, text| TriggerRequest::new(text).contact_id("eve")),
        ("contact_id", |request, text| request.contact_id(text)),
        ("uuid", |request, text| request.uuid(text)),
        ("out_id", |request, text| request.out_id(text)),
        ("campaign", |request, text| request.campaign(text)),
    ];
    let texts = [
        ("", "must not be empty"),
        (&long(), TOO_LONG),
        ("a\nb", CONTROL),
        ("a\u{85}", CONTROL),
        ("\0", CONTROL),
    ];
    refuses(
        fields.into_iter().flat_map(|(field, put)| {
            texts.map(|(text, rule)| (put(eve(), text), format!("`{field}` {rule}")))
        }),
    );
    refuses([
        (eve().from(Channel::WhatsApp, ""), "`account` must not be empty".to_owned()),
        (
            eve().from(Channel::Web, "a"),
            "`channel` must be one with telephone numbers when `phone` is given".to_owned(),
        ),
        (
            eve().address(Channel::Web, "a", "b"),
            "`address` must not be given together with `phone`".to_owned(),
        ),
    ]);
}

/// T7
#[test]
fn an_instant_that_no_text_can_hold_is_refused() {
    let year_10000 = DateTime::from_timestamp(253_402_300_800, 0).unwrap();
    let before = DateTime::from_timestamp(-1, 0).unwrap();
    refuses([before, year_10000, DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC].into_iter().flat_map(
        |at| {
            [
                (eve().claim_time(at), format!("`claim_time` {NO_TIME}")),
                (eve().discard_time(at), format!("`discard_time` {NO_TIME}")),
            ]
        },
    ));
}

/// S7
#[test]
fn a_profile_that_is_too_much_is_refused() {
    let fields = |bytes: usize| {
        let limits = Limits { variable_bytes: 1 << 20, ..Limits::default() };
        PackedMap::from_json(&json!({"a": "x".repeat(bytes)}), &PackLimits::of(&limits)).unwrap()
    };
    let tags = (0..101).fold(Profile::new(), |profile, tag| profile.tag(tag.to_string()));
    refuses([
        (eve().profile(Profile::new().name(long())), format!("`profile.name` {TOO_LONG}")),
        (eve().profile(tags), "`profile.tags` must be at most 100, of at most 256 bytes".to_owned()),
        (
            eve().profile(Profile::new().fields(fields(65_537))),
            "`profile.fields` must take at most 65536 bytes".to_owned(),
        ),
    ]);
}

/// I, S7
#[test]
fn a_message_whose_form_is_wrong_is_refused_and_taken_by_nobody() {
    let world = World::with([question("f")]);
    let session = world.start("f");
    let ada = |text: &str| Inbound::text(Channel::WhatsApp, SHOP, ADA, text);
    let from = |text: &str| Inbound::text(Channel::WhatsApp, SHOP, text, "x");
    let choice = |payload: &str| Inbound::choice(Channel::WhatsApp, SHOP, ADA, payload, "x");
    let media = |media: Value| Inbound::media(Channel::WhatsApp, SHOP, ADA, media);
    let cases = [
        (ada("x").id(""), "`id` must not be empty".to_owned()),
        (ada("x").id(long()), format!("`id` {TOO_LONG}")),
        (ada("x").id("a\tb"), format!("`id` {CONTROL}")),
        (ada("x").contact_id(""), "`contact_id` must not be empty".to_owned()),
        (ada(&"x".repeat(16_385)), "`text` must have at most 16384 bytes".to_owned()),
        (from("joe"), format!("`from` {NO_PHONE}")),
        (from(" "), format!("`from` {NO_PHONE}")),
        (from("١٢٣٤٥"), format!("`from` {NO_PHONE}")),
        (Inbound::text(Channel::Web, "a", "", "x"), "`from` must not be empty".to_owned()),
        (Inbound::text(Channel::WhatsApp, "", ADA, "x"), "`account` must not be empty".to_owned()),
        (choice(""), "`payload` must not be empty".to_owned()),
        (choice(&"x".repeat(1_025)), "`payload` must have at most 1024 characters".to_owned()),
        (choice(&"ж".repeat(1_025)), "`payload` must have at most 1024 characters".to_owned()),
        (choice("a\0b"), "`payload` must not contain control characters but line breaks".to_owned()),
        (media(nested(17)), format!("`media{}` must be nested at most 16 levels", "[0]".repeat(16))),
        (media(json!({"url": "x".repeat(65_537)})), "`media.url` must take at most 65536 bytes".to_owned()),
        (ada("x").timestamp(DateTime::<Utc>::MAX_UTC), format!("`timestamp` {NO_TIME}")),
    ];
    for (inbound, expected) in cases {
        assert_eq!(told(world.try_receive(inbound)), ("invalid_input", expected));
        assert_eq!(world.session(session.session_id).turns(), 1);
    }
    assert_eq!(world.contact(&session.contact_id).addresses.len(), 1);
}

/// T8
#[test]
fn a_campaigns_key_that_is_too_long_is_told_of_its_campaign() {
    let world = World::with([flow("f").wait("w")]);
    let ask = |campaign: usize, contact: usize| {
        let (campaign, contact) = ("c".repeat(campaign), "x".repeat(contact));
        let request = TriggerRequest::new("f").contact_id(contact).campaign(campaign);
        block_on(world.bot.trigger_many(1, [request]).next()).unwrap()
    };
    let together = "`campaign` and the contact must have at most 255 bytes together: they are the key";
    assert_eq!(told(ask(200, 56)), ("invalid_input", together.to_owned()));
    assert_eq!(told(ask(200, 257)), ("invalid_input", format!("`contact_id` {TOO_LONG}")));
    assert_eq!(told(ask(257, 1)), ("invalid_input", format!("`campaign` {TOO_LONG}")));
    assert!(world.sessions(SessionFilter::all()).is_empty());
    assert!(matches!(ask(200, 55), Ok(Triggered::Started(_))));
}

/// L2
#[test]
fn a_text_that_is_no_flow_is_refused_and_says_why() {
    let world = World::new();
    for (text, expected) in [
        ("", "is not JSON: EOF while parsing a value at line 1 column 0 (not_json)"),
        ("\u{feff}{}", "is not JSON: it begins with a byte order mark (not_json)"),
        ("[1]", "must be an object, not a list (wrong_type)"),
        ("null", "must be an object, not null (wrong_type)"),
        ("{}", "code: is required (missing_field)"),
        (r#"{"code": 5}"#, "code: must be text (wrong_type)"),
        (r#"{"code": "a", "code": "b"}"#, "code: appears twice (duplicate_key)"),
        (&"[".repeat(100_000), "is nested more than 128 levels deep (too_deep)"),
        (&" ".repeat(1 << 21), "has 2097152 bytes, at most 1048576 are allowed (too_large)"),
    ] {
        let (code, issues) = told(block_on(world.flows().ensure(text)));
        assert_eq!((code, issues.as_str()), ("flow_has_issues", &*format!("flow has errors\n{expected}")));
    }
    assert!(block_on(world.flows().list()).unwrap().is_empty());
}

/// L3
#[test]
fn a_name_or_a_remark_that_is_too_much_is_refused() {
    let world = World::with([question("f")]);
    let remark = |bytes: usize| block_on(world.flows().remark(&id("f"), &"x".repeat(bytes)));
    assert_eq!(told(remark(16_385)), ("invalid_input", "`remark` must have at most 16384 bytes".to_owned()));
    assert_eq!(told(block_on(world.flows().rename(&id("f"), ""))).1, "`name` must not be empty");
    assert_eq!(world.status("f").remark, None);
    assert!(remark(16_384).is_ok());
}

/// L3: of several changes all are made or none, in one save.
#[test]
fn an_amendment_is_made_whole_or_not_at_all() {
    let world = World::with([question("f")]);
    let amend = |amendment: Amendment| block_on(world.flows().amend(&id("f"), &amendment));
    let before = world.status("f");
    let long = "x".repeat(16_385);
    assert_eq!(told(amend(Amendment::new().name("New").logging(true).remark(long))).0, "invalid_input");
    assert_eq!(told(amend(Amendment::new().name("").remark("ours"))).1, "`name` must not be empty");
    assert_eq!(world.status("f"), before);
    assert_eq!(amend(Amendment::new()).unwrap(), before, "nothing asks for no save");
    let after = amend(Amendment::new().name("New").remark("ours").logging(true)).unwrap();
    assert_eq!((&*after.name, after.remark.as_deref(), after.logging), ("New", Some("ours"), true));
    assert_eq!((after.revision, after.log_texts), (before.revision + 1, false));
    for amendment in [Amendment::new(), Amendment::new().name("New")] {
        let gone = block_on(world.flows().amend(&id("g"), &amendment));
        assert_eq!(told(gone).0, "flow_not_found");
    }
}

/// C
#[test]
fn the_error_of_a_flow_says_how_to_fix_it_when_it_is_asked_to() {
    let world = World::new();
    let error: Error = block_on(world.flows().ensure("{}")).unwrap_err();
    assert_eq!(error.to_string(), "flow has errors\ncode: is required (missing_field)");
    let long =
        "flow has errors\ncode: is required (missing_field); give the flow a code, by which callers know it";
    assert_eq!(format!("{error:#}"), long);
    let sketch = flow("f").set("concurrency", json!("per_contact"));
    let error = block_on(world.flows().ensure(&sketch.json())).unwrap_err();
    let long = "flow has errors\nsettings.concurrency: unknown value \"per_contact\" (bad_value); \
                write per_flow, unlimited or {\"per_contact\": \"reject\"}";
    assert_eq!(format!("{error:#}"), long);
}

/// A handle with a name that breaks the rules of ids answers each call with it.
#[test]
fn a_workspace_without_a_proper_name_is_refused_by_each_call() {
    let world = World::with([question("f")]);
    for (name, rule) in [("", "must not be empty"), (&*long(), TOO_LONG), ("a\nb", CONTROL)] {
        let bot = world.bot.in_workspace(name);
        let expected = ("invalid_input", format!("`workspace` {rule}"));
        assert_eq!(told(block_on(bot.trigger(eve()))), expected);
        assert_eq!(told(block_on(bot.receive(says("x")))), expected);
        assert_eq!(told(block_on(bot.sessions(SessionFilter::all()))), expected);
        assert_eq!(told(block_on(bot.flows().list())), expected);
        assert_eq!(told(block_on(bot.opt_out(&ContactId::new("eve").unwrap()))), expected);
    }
}
