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
