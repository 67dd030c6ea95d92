//! Values that are written out and can mean nothing: addresses, arguments of filters, fields of
//! items, types of media, names in other letters.

use serde_json::{Value, json};

use super::kit::*;

/// The issues of a message on a channel, whole.
fn of_message(channel: &str, message: Value) -> String {
    let mut node = json!({"id": "n", "kind": "send_message"});
    node.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
    let flow = set(one(node), "trigger", json!({"kind": "inbound", "channel": channel}));
    said(&flow.to_string()).replace("node \"n\": ", "")
}

fn of_text(text: &str) -> String {
    of_message("web", json!({"text": text}))
}

/// C
#[test]
fn a_button_opens_an_address_that_its_channel_has() {
    let link = |channel: &str, url: &str| {
        let message = json!({"text": "?", "buttons": [{"label": "Go", "url": url}]});
        of_message(channel, message).trim_start_matches("buttons[0].url: ").to_owned()
    };
    for (channel, url) in [
        ("whatsapp", "https://shop.example/{{ contact.id }}"),
        ("whatsapp", "{{ contact.fields.url }}"),
        ("whatsapp", "http{{ 's' }}://shop.example"),
        ("telegram", "tg://resolve?domain=shop"),
        ("line", "tel:+49301234"),
        ("viber", "tel:+49301234"),
        ("web", "mailto:a@b.example"),
        ("web", "/cart"),
        ("email", "tel:+49301234"),
        ("kiosk-7", "app://cart"),
    ] {
        assert_eq!(link(channel, url), "", "{channel} {url}");
    }
    for (channel, url, expected) in [
        ("whatsapp", "tel:+49301234", "say the number in a text, or send `contacts`"),
        ("messenger", "mailto:a@b.example", "say the address in a text, or send `contacts`"),
        ("rcs", "tel:+49301234", "say the number in a text, or send `contacts`"),
        ("telegram", "tel:+49301234", "say the number in a text, or send `contacts`"),
        ("whatsapp", "shop.example", "begin with https:// or http://"),
        ("whatsapp", "/cart", "begin with https:// or http://"),
        ("web", "www.shop.example/{{ contact.id }}", "begin with https:// or http://"),
        ("web", "javascript:alert(1)", "write an address that begins with https://"),
        ("instagram", "javascript:alert(1)", "write an address that begins with https://"),
    ] {
        let told = link(channel, url);
        let start = format!("{url:?} is not an address that a button opens on {channel} (bad_value); ");
        assert_eq!(told, format!("{start}{expected}"), "{channel} {url}");
    }
    let card = json!({"card": {"title": "T", "buttons": [{"label": "Go", "url": "shop.example"}]}});
    assert!(of_message("messenger", card).starts_with("card.buttons[0].url: "));
    let template =
        json!({"template": {"name": "n", "language": "en", "buttons": [{"label": "See", "url": "7"}]}});
    assert_eq!(of_message("whatsapp", template), "", "a part of an address is none");
}

/// C
#[test]
fn a_medium_lies_at_an_address_or_has_a_name_of_the_channel() {
    let media =
        |channel: &str, url: &str| of_message(channel, json!({"media": {"type": "image", "url": url}}));
    for (channel, url) in [
        ("whatsapp", "https://shop.example/1.jpg"),
        ("whatsapp", "1003383421387256"),
        ("whatsapp", "{{ contact.fields.picture }}"),
        ("telegram", "AgACAgIAAxkBAAIBZ2"),
        ("web", "images/tea.png"),
        ("web", "/tea.png"),
        ("kiosk-7", "tea.png"),
        ("web", "data:image/png;base64,AAAA"),
    ] {
        assert_eq!(media(channel, url), "", "{channel} {url}");
    }
    for (channel, url) in [
        ("whatsapp", "shop.example/1.jpg"),
        ("whatsapp", "tea.png"),
        ("whatsapp", "/tea.png"),
        ("whatsapp", "www.shop.example/{{ contact.id }}.jpg"),
        ("web", "cdn.shop.example/1.jpg"),
    ] {
        let expected = format!(
            "media.url: {url:?} is not the address of a file (bad_value); begin with https:// or http://"
        );
        assert_eq!(media(channel, url), expected, "{channel}");
    }
    let header = json!({"text": "?", "buttons": [{"id": "a", "label": "A"}], "header": {"image": "shop.example/1.jpg"}});
    assert!(of_message("whatsapp", header).starts_with("header.image: "));
    let name = json!({"text": "?", "buttons": [{"id": "a", "label": "A"}],
        "header": {"image": "https://a.example/1.jpg", "filename": "a.jpg"}});
    assert!(of_message("whatsapp", name).starts_with("header.filename: has no meaning without `document`"));
}

/// N11
#[test]
fn a_filter_is_told_what_its_written_arguments_cannot_mean() {
    for (expr, told) in [
        ("now | date('DD.MM.YYYY')", "write a format such as '%d.%m.%Y'"),
        ("now | date('HH:mm')", "write a format such as '%H:%M'"),
        ("now | date('d/m/Y')", "write a format such as '%d/%m/%Y'"),
        ("now | date('long')", "write a format such as '%d.%m.%Y %H:%M'"),
        ("now | date(format='YYYY-MM-DD')", "write a format such as '%Y-%m-%d'"),
        (
            "now | date('%H:%M', 'Berlin')",
            "`date` knows no time zone \"Berlin\": write a name such as 'Europe/Berlin'",
        ),
        ("now | weekday('utc')", "`weekday` knows no time zone \"utc\": write a name such as 'UTC'"),
        ("now | local('europe/berlin')", "write a name such as 'Europe/Berlin'"),
        ("now | days_between(now, 'new york')", "write a name such as 'America/New_York'"),
        ("now | add(1, 'day', 'CEST')", "`add` knows no time zone \"CEST\""),
        ("now | add(3, 'dayz')", "`add` has no unit \"dayz\": write 'days'"),
        ("now | add(1, 'Hours')", "`add` has no unit \"Hours\": write 'hours'"),
        ("now | add(1, 'foo')", "write seconds, minutes, hours, days, weeks, months or years"),
        ("now | add('one', 'days')", "`add` takes a whole number for `value`, such as 3"),
        ("now | add(1.5, 'hours')", "`add` takes a whole number for `value`"),
        ("context.l | where('n == \"a\"')", "`where` takes the name of a field: write where('n', '==', …)"),
        ("context.l | sort('-price')", "write sort('price', true)"),
        ("context.l | sort('price desc')", "write sort('price', true)"),
        ("context.l | sort('price asc')", "write sort('price')"),
        ("context.l | map('{{ name }}')", "`map` takes the name of a field for `field`, such as 'price'"),
    ] {
        let found = of_text(&format!("{{{{ {expr} }}}}"));
        assert!(found.contains("(bad_template)") && found.contains(told), "{expr}: {found}");
    }
    for expr in [
        "now | date('%d.%m.%Y', 'Europe/Berlin')",
        "now | date('%H:%M', null)",
        "now | date('%H:%M', '+02:00')",
        "now | weekday('UTC')",
        "now | add(1, 'day')",
        "now | add('3', 'weeks')",
        "now | add(-1, 'months', 'Asia/Tokyo')",
        "now | add(contact.fields.n, contact.fields.unit, contact.timezone)",
        "contact.fields.l | map('First Name') | join(', ')",
        "contact.fields.l | sort('Price (EUR)') | length",
        "contact.fields.l | where('price.amount', '>', 3) | length",
        "contact.fields.l | sum('top-price')",
    ] {
        assert_eq!(of_text(&format!("{{{{ {expr} }}}}")), "", "{expr}");
    }
}

/// N10
#[test]
fn a_path_of_the_flow_is_no_field_of_an_item() {
    let choices = |id: &str, label: &str| {
        of_message(
            "web",
            json!({"text": "?", "options": [
            {"from": "contact.fields.l", "id": id, "label": label}, {"id": "x", "label": "X"}]}),
        )
    };
    for (label, right) in [
        ("item.name", "name"),
        ("item.price.amount", "price.amount"),
        ("item", "{{ item }}"),
        ("context.l.name", "{{ context.l.name }}"),
        ("contact.name", "{{ contact.name }}"),
        ("section.title", "{{ section.title }}"),
    ] {
        let expected = format!(
            "options[0].label: {label:?} is read as a field of the item (bad_value); \
             write `{right}`: a text without braces is a field of the item"
        );
        assert_eq!(choices("id", label), expected);
    }
    assert!(choices("item.id", "name").starts_with("options[0].id: \"item.id\" is read as a field"));
    for label in ["name", "contact", "index", "price.amount", "{{ item.name }}", "items.0.name"] {
        assert_eq!(choices("id", label), "", "{label}");
    }
}

/// N4, C
#[test]
fn types_of_media_are_those_that_a_medium_can_have() {
    let ask = |types: Value| {
        let node = json!({"id": "n", "kind": "ask", "text": "?", "expect": "media", "media_types": types});
        said(&on_sms(one(node)).to_string())
    };
    let right =
        ["image", "IMAGE/*", "document", "sticker", "application/pdf", "audio/ogg", "x-own/thing", "text"];
    assert_eq!(ask(json!(right)), "");
    for (word, meant) in [
        ("pdf", "application/pdf"),
        (".pdf", "application/pdf"),
        ("photo", "image"),
        ("images", "image"),
        ("voice", "audio"),
        ("jpg", "image/jpeg"),
        ("image/jpg", "image/jpeg"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ] {
        let told = ask(json!([word]));
        assert!(told.contains(&format!("did you mean {meant:?}?")), "{word}: {told}");
    }
    for word in ["a picture", "/png", "everything", "foo/bar", "image/"] {
        assert!(ask(json!([word])).contains("is not a media type (bad_value)"), "{word}");
    }
}

/// C
#[test]
fn names_in_other_letters_and_fields_of_a_place_are_told() {
    for (text, told) in [
        (
            "{{ Contact.name }}",
            "`Contact.name` is not known: names have small letters here (unknown_name); write `contact.name`",
        ),
        ("{{ CONTACT.NAME }}", "write `contact.name`"),
        ("{{ Now }}", "write `now`"),
        (
            "{{ reply.location.lat }}",
            "`reply.location` has no field `lat`; did you mean \"latitude\"? (unknown_name)",
        ),
        ("{{ trigger.location.lng }}", "`trigger.location` has no field `lng`; did you mean \"longitude\"?"),
    ] {
        let found = of_text(text);
        assert!(found.contains(told), "{text}: {found}");
    }
    for text in ["{{ reply.location.latitude }}", "{{ contact.name }}", "{{ reply.meta.Contact }}"] {
        assert_eq!(of_text(text), "", "{text}");
    }
    let start = json!({"id": "s", "kind": "start", "inputs": [{"name": "Contact"}]});
    let node = json!([{"id": "n", "kind": "send_message", "text": "{{ Contact.name }}"}]);
    let own = with_start(start, node, json!([{"from": "s", "to": "n"}]));
    assert_eq!(said(&own.to_string()), "", "an input has the name that it has");
}

/// C
#[test]
fn a_path_that_is_all_there_is_wants_its_braces() {
    let compare = |value: &str, to: &str| {
        said(&arm(json!({"value": value, "op": "string_equals", "to": to})).to_string())
    };
    for text in ["contact.name", "vars.total", "reply.text", "vars.b + 1"] {
        let expected = format!(
            "warning: text: {text:?} is sent as it is written (foreign_placeholder); write {{{{ {text} }}}}"
        );
        assert_eq!(of_text(text), expected);
        assert!(compare(text, "x").contains("is sent as it is written"), "{text}");
        assert!(compare("{{ reply.text }}", text).contains("is sent as it is written"), "{text}");
        let set = json!({"id": "n", "kind": "set_variables", "variables": [{"name": "a", "value": [text]}]});
        assert!(said(&one(set).to_string()).contains("variables[0].value[0]"), "{text}");
    }
    for text in ["shop.example", "reply.text, please", "Your contact.name", "contact", "trigger.happy", "1.5"]
    {
        assert_eq!(
            (of_text(text), compare("{{ reply.text }}", text)),
            (String::new(), String::new()),
            "{text}"
        );
    }
    let exists = json!({"value": "contact.email", "op": "exists"});
    assert_eq!(said(&arm(exists).to_string()), "");
}

/// C
#[test]
fn an_expression_has_no_braces_and_signs_of_its_own() {
    let told = |expr: &str| {
        let told = said(&arm(json!({"expr": expr})).to_string());
        told.replace("node \"n\": branches[0].when.expr: ", "").replace(" (bad_expression)", "")
    };
    assert_eq!(
        told("{{ reply.text == 'x' }}"),
        "is an expression by itself; write `reply.text == 'x'`, without braces"
    );
    for (expr, expected) in [
        ("contact.name || contact.phone", "unexpected `||` (write `or`) at character 14"),
        ("contact.name && 1", "unexpected `&&` (write `and`) at character 14"),
        ("contact.name ?? 'you'", "unexpected `??` (write `| default('…')`) at character 14"),
        ("1 ? 2 : 3", "unexpected `?` (write `a if b else c`) at character 3"),
        ("!contact.name", "unexpected `!` (write `not`) at character 1"),
        ("reply.text == “x”", "unexpected `“` (write straight quotes) at character 15"),
        ("1 +", "expected a value at character 4"),
    ] {
        assert_eq!(told(expr), format!("is not an expression: {expected}; fix the expression"), "{expr}");
    }
    for expr in ["'5' + 5", "'a' + 'b'", "'n: ' + reply.text", "'n: ' ~ 5", "reply.text != 'x' | lower"] {
        assert_eq!(told(expr), "", "{expr}");
    }
    let list = json!({"id": "n", "kind": "send_message", "text": "?", "options": [{"from": "{{ context.x }}"}, {"id": "no", "label": "No"}]});
    assert!(said(&one(list).to_string()).contains("write `context.x`, without braces"));
}

/// C
#[test]
fn an_approved_button_leaves_the_end_of_its_address_open() {
    let told = |channel: &str, url: &str| {
        let template =
            json!({"template": {"name": "n", "language": "en", "buttons": [{"label": "Track", "url": url}]}});
        of_message(channel, template)
    };
    for url in
        ["https://shop.example/track/4711", "http://shop.example/{{ contact.id }}", " HTTPS://shop.example"]
    {
        assert_eq!(
            told("whatsapp", url),
            format!(
                "warning: template.buttons[0].url: {url:?} is put behind the address that was approved \
                 (whole_address); write the end of the address alone, such as `4711`"
            )
        );
    }
    for url in ["4711", "{{ contact.id }}", "track/4711?x=http", "httpd", "?to=https://shop.example"] {
        assert_eq!(told("whatsapp", url), "", "{url}");
    }
    assert_eq!(told("kiosk-7", "https://shop.example/track/4711"), "", "a channel of the host's");
}

/// C
#[test]
fn what_is_no_place_and_no_sign_is_told() {
    let place = |latitude: Value| {
        of_message("whatsapp", json!({"location": {"latitude": latitude, "longitude": 13.4}}))
    };
    for degrees in [json!("52.5, 13.4"), json!("x"), json!("91"), json!(91)] {
        assert!(place(degrees.clone()).contains("must be from -90 to 90, not"), "{degrees}");
    }
    for degrees in
        [json!("52.5"), json!("52,5"), json!(" -33.9 "), json!(52.5), json!("{{ contact.fields.lat }}")]
    {
        assert_eq!(place(degrees.clone()), "", "{degrees}");
    }
    let sign = |emoji: &str| of_message("whatsapp", json!({"reaction": {"emoji": emoji, "to": "wamid.1"}}));
    for word in ["ok", ":)x", "да"] {
        assert!(sign(word).contains("is not an emoji (bad_value)"), "{word}: {}", sign(word));
    }
    for emoji in ["👍", "", "❤️", "👨\u{200d}👩", "{{ contact.fields.sign }}", "1️⃣"] {
        assert_eq!(sign(emoji), "", "{emoji}");
    }
}

/// N2
#[test]
fn a_native_message_is_an_object() {
    let told = |channel: &str, body: Value| {
        of_message(channel, json!({"native": {"channel": channel, "body": body}}))
    };
    for body in [json!("{\"type\": \"text\"}"), json!([1]), json!(null), json!("a {{ contact.id }}")] {
        assert!(told("whatsapp", body.clone()).contains("must be an object, or one placeholder"), "{body}");
    }
    assert!(told("whatsapp", json!({"text": {"body": "Hi"}})).contains("native.body.type: is required"));
    for body in [json!({"type": "text"}), json!("{{ contact.fields.body }}")] {
        assert_eq!(told("whatsapp", body.clone()), "", "{body}");
    }
    assert_eq!(told("telegram", json!({"text": "Hi"})), "", "other channels have words of their own");
}

/// C
#[test]
fn a_question_offers_what_it_takes() {
    let ask = |fields: Value, branch: &str| {
        let mut node = json!({"id": "n", "kind": "ask", "text": "Which?"});
        node.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let edges = json!([{"from": "s", "to": "n"}, {"from": "n", "branch": branch, "to": "e"}]);
        let flow = flow(json!([node, {"id": "e", "kind": "end"}]), edges);
        said(&set(flow, "trigger", json!({"kind": "inbound", "channel": "whatsapp"})).to_string())
    };
    let buttons = |id: &str, label: &str| json!([{"id": id, "label": label}]);
    let with = |expect: &str, buttons: Value| ask(json!({"expect": expect, "buttons": buttons}), "valid");
    assert!(ask(json!({"location_request": true}), "valid").contains("takes no place for an answer"));
    assert_eq!(ask(json!({"location_request": true, "expect": "location"}), "valid"), "");
    for expect in ["email", "phone", "number", "url"] {
        assert!(
            with(expect, buttons("skip", "Skip")).contains("offers \"skip\", which is no answer"),
            "{expect}"
        );
    }
    for (expect, id, label) in [
        ("number", "1", "One"),
        ("number", "many", "10 or more"),
        ("email", "mail", "ada@shop.example"),
        ("phone", "p", "+1 415 555 0123"),
        ("url", "u", "shop.example"),
        ("date", "today", "Today"),
        ("text", "skip", "Skip"),
        ("email", "own", "{{ contact.email }}"),
    ] {
        assert_eq!(with(expect, buttons(id, label)), "", "{expect} {id}");
    }
    let skips = json!({"expect": "email", "retries": 0, "buttons": buttons("skip", "Skip")});
    assert_eq!(ask(skips, "invalid"), "", "the branch from `invalid` may look at it");
}

/// C
#[test]
fn a_condition_names_a_choice_that_is_offered() {
    let offers = |to: &str, more: Value| {
        let buttons =
            json!([{"id": "y", "label": "Yes"}, {"id": "size_l", "label": {"en": "Large", "de": "Groß"}}]);
        let mut nodes = vec![
            json!({"id": "ask", "kind": "send_message", "text": "Well?", "buttons": buttons}),
            json!({"id": "w", "kind": "wait_reply"}),
            json!({"id": "n", "kind": "branch", "branches": [{"label": "1", "when": {"any": [{"op": "option_payload", "to": to}]}}]}),
            json!({"id": "e", "kind": "end"}),
        ];
        let mut edges = vec![
            json!({"from": "s", "to": "ask"}),
            json!({"from": "ask", "to": "w"}),
            json!({"from": "w", "to": "n"}),
            json!({"from": "n", "branch": "1", "to": "e"}),
        ];
        let last = if more.is_null() { "e" } else { "more" };
        edges.push(json!({"from": "n", "branch": "else", "to": last}));
        nodes.extend((!more.is_null()).then_some(more));
        said(&flow(nodes.into(), edges.into()).to_string())
    };
    for (to, meant) in
        [("yes", "y"), ("Yes", "y"), ("groß", "size_l"), ("size_xl", "size_l"), ("sizel", "size_l")]
    {
        let expected = format!("compares with {to:?}, which no message offers; did you mean \"{meant}\"?");
        assert!(offers(to, Value::Null).contains(&expected), "{to}: {}", offers(to, Value::Null));
    }
    for to in ["y", "size_l", "MENU", "{{ vars.x | default('yes') }}"] {
        assert_eq!(offers(to, Value::Null), "", "{to}");
    }
    for more in [
        json!({"id": "more", "kind": "call_flow", "flow": "other"}),
        json!({"id": "more", "kind": "handoff"}),
        json!({"id": "more", "kind": "send_message", "text": "?", "options": [{"from": "context.x"}, {"id": "no", "label": "No"}]}),
    ] {
        assert!(!offers("yes", more.clone()).contains("unknown_choice"), "{more}");
    }
}

/// U9
#[test]
fn a_question_for_the_language_is_in_all_of_them_at_once() {
    let told = |last: Value| {
        let choices = json!([{"id": "en", "label": "English"}, {"id": "de", "label": "Deutsch"}]);
        let nodes = json!([{"id": "n", "kind": "ask", "text": "Language / Sprache?", "choices": choices, "save_to": "tag"}, last]);
        let edges = json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "valid", "to": "u"}]);
        said(
            &set(
                on_sms(flow(nodes, edges)),
                "settings",
                json!({"language": "en", "languages": ["en", "de"]}),
            )
            .to_string(),
        )
    };
    assert_eq!(told(json!({"id": "u", "kind": "update_contact", "set": {"language": "{{ vars.tag }}"}})), "");
    let named = told(json!({"id": "u", "kind": "update_contact", "set": {"name": "{{ vars.tag }}"}}));
    assert!(named.contains("has no `text` in de (untranslated)"), "{named}");
}
