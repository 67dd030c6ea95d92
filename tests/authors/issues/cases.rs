//! For each code that a file can have: a flow that trips it, and one close to it that does not.

use chatflow::flow::IssueCode;
use serde_json::{Value, json};

use super::kit::*;

fn form() -> Vec<Case> {
    use IssueCode::*;
    vec![
        case(NotJson, "{\"spec\": 1,}", end()),
        case(
            TooLarge,
            format!("{}{}", end(), " ".repeat(1 << 20)),
            format!("{}{}", end(), " ".repeat(1_000)),
        ),
        case(TooDeep, arm(nested(17)), arm(nested(16))),
        case(DuplicateKey, end().to_string().replace("\"spec\":1", "\"spec\":1,\"spec\":1"), end()),
        case(
            UnknownField,
            one(json!({"id": "n", "kind": "wait_reply", "timout": "30m", "colour": "red"})),
            one(json!({"id": "n", "kind": "wait_reply", "timeout": "30m", "ui": {"colour": "red"}})),
        ),
        case(
            WrongType,
            one(json!({"id": "n", "kind": "wait_reply", "timeout": 30, "accept": "text", "save_to": null})),
            one(
                json!({"id": "n", "kind": "wait_reply", "timeout": "30s", "accept": ["text"], "save_to": "x"}),
            ),
        ),
        case(
            MissingField,
            without(one(json!({"id": "n", "kind": "send_message"})), "code"),
            one(json!({"id": "n", "kind": "send_message", "text": "Hi"})),
        ),
        case(BadSpec, set(end(), "spec", json!(2)), end()),
        case(
            BadName,
            one(json!({"id": "n", "kind": "wait_reply", "save_to": "my answer"})),
            one(json!({"id": "n", "kind": "wait_reply", "save_to": "my_answer"})),
        ),
        case(
            BadValue,
            set(
                one(json!({"id": "n", "kind": "wait_reply", "accept": ["texts"]})),
                "settings",
                json!({"session_ttl_minutes": 100_000, "ttl_mode": "slidng"}),
            ),
            set(
                one(json!({"id": "n", "kind": "wait_reply", "accept": ["text"]})),
                "settings",
                json!({"session_ttl_minutes": 43_200, "ttl_mode": "sliding"}),
            ),
        ),
        case(
            BadSpan,
            one(json!({"id": "n", "kind": "delay", "for": "5 minutes"})),
            one(json!({"id": "n", "kind": "delay", "for": "5m"})),
        ),
        case(UnknownKind, one(json!({"id": "n", "kind": "send_mesage", "text": "Hi"})), send("Hi")),
        case(BadTemplate, send("Hi {{ contact.name"), send("Hi {{ contact.name }}")),
        case(BadExpression, arm(json!({"expr": "1 +"})), arm(json!({"expr": "1 + 1"}))),
        case(
            BadRegex,
            arm(json!({"value": "{{ reply.text }}", "op": "string_matches", "to": "(a"})),
            arm(json!({"value": "{{ reply.text }}", "op": "string_matches", "to": "(a)"})),
        ),
        case(
            ChannelLimit,
            set(
                one(json!({"id": "n", "kind": "send_message", "text": "x".repeat(1_025),
                           "options": [{"id": "1", "label": "More than twenty characters"}]})),
                "trigger",
                json!({"kind": "inbound", "channel": "whatsapp"}),
            ),
            set(
                one(json!({"id": "n", "kind": "send_message", "text": "x".repeat(1_024),
                           "options": [{"id": "1", "label": "Just twenty letters."}]})),
                "trigger",
                json!({"kind": "inbound", "channel": "whatsapp"}),
            ),
        ),
    ]
}

/// A form, and a wait for these kinds of replies.
fn after_form(accept: Value) -> Value {
    let form = json!({"id": "n", "kind": "send_message", "text": "?", "form": {"id": "1", "button": "Open"}});
    flow(
        json!([form, {"id": "w", "kind": "wait_reply", "accept": accept}]),
        json!([{"from": "s", "to": "n"}, {"from": "n", "to": "w"}]),
    )
}

/// Buttons before a wait for these kinds.
fn after_buttons(accept: Value) -> Value {
    let buttons =
        json!({"id": "n", "kind": "send_message", "text": "?", "buttons": [{"id": "1", "label": "Yes"}]});
    flow(
        json!([buttons, {"id": "w", "kind": "wait_reply", "accept": accept}]),
        json!([{"from": "s", "to": "n"}, {"from": "n", "to": "w"}]),
    )
}

/// An approved message with a button for an address.
fn approved(url: &str) -> Value {
    let buttons = json!([{"label": "Track", "url": url}]);
    on_whatsapp(one(json!({"id": "n", "kind": "send_message",
        "template": {"name": "shipped", "language": "en", "buttons": buttons}})))
}

/// A condition on a choice.
fn chooses(id: &str) -> Value {
    let offer =
        json!({"id": "o", "kind": "send_message", "text": "?", "buttons": [{"id": "y", "label": "Yes"}]});
    let when = json!({"op": "option_payload", "to": id});
    flow(
        json!([offer, {"id": "w", "kind": "wait_reply"}, {"id": "e", "kind": "end"},
               {"id": "n", "kind": "branch", "branches": [{"label": "1", "when": when}]}]),
        json!([{"from": "s", "to": "o"}, {"from": "o", "to": "w"}, {"from": "w", "to": "n"},
               {"from": "n", "branch": "1", "to": "e"}, {"from": "n", "branch": "else", "to": "e"}]),
    )
}

/// Two questions of a talk that waits so long for each.
fn waits(timeout: &str) -> Value {
    let wait =
        |id: &str| json!({"id": id, "kind": "wait_reply", "timeout": timeout, "on_timeout": "continue"});
    flow(json!([wait("n"), wait("again")]), json!([{"from": "s", "to": "n"}, {"from": "n", "to": "again"}]))
}

/// Rounds of a week.
fn rounds(most: u32) -> Value {
    flow(
        json!([{"id": "hi", "kind": "send_message", "text": "A tip"}, {"id": "rest", "kind": "delay", "for": "7d"},
               {"id": "n", "kind": "jump", "target": "hi", "max_jumps": most}]),
        json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "rest"}, {"from": "rest", "to": "n"}]),
    )
}

fn many(nodes: usize, edges: usize) -> Value {
    let nodes: Vec<Value> = (1..nodes).map(|n| json!({"id": format!("n{n}"), "kind": "end"})).collect();
    let edges: Vec<Value> = (0..edges).map(|_| json!({"from": "s", "to": "n1"})).collect();
    flow(json!(nodes), json!(edges))
}

pub(crate) fn structure() -> Vec<Case> {
    use IssueCode::*;
    let two_ends = json!([{"id": "n", "kind": "end"}, {"id": "m", "kind": "end"}]);
    let wait = |timeout: &str| {
        flow(
            json!([{"id": "n", "kind": "wait_reply", "timeout": timeout}, {"id": "e", "kind": "end"}]),
            json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "timeout", "to": "e"}]),
        )
    };
    vec![
        case(TooManyNodes, many(1_001, 1), wait("1m")),
        case(TooManyEdges, many(2, 4_001), wait("1m")),
        case(
            NoEntry,
            json!({"spec": 1, "code": "c", "trigger": {"kind": "manual"},
                   "nodes": [{"id": "n", "kind": "end"}], "edges": []}),
            end(),
        ),
        case(ManyEntries, one(json!({"id": "n", "kind": "start"})), end()),
        case(
            DuplicateNode,
            flow(
                json!([{"id": "n", "kind": "end"}, {"id": "n", "kind": "end"}]),
                json!([{"from": "s", "to": "n"}]),
            ),
            end(),
        ),
        case(
            DuplicateBranch,
            one(json!({"id": "n", "kind": "send_message", "text": "?",
                       "options": [{"id": "1", "label": "Yes"}, {"id": "1", "label": "No"}]})),
            one(json!({"id": "n", "kind": "send_message", "text": "?",
                       "options": [{"id": "1", "label": "Yes"}, {"id": "2", "label": "No"}]})),
        ),
        case(
            DuplicateEdge,
            flow(
                two_ends.clone(),
                json!([{"from": "s", "to": "n"}, {"from": "s", "branch": "next", "to": "m"}]),
            ),
            end(),
        ),
        case(
            EdgeFromNowhere,
            flow(
                json!([{"id": "n", "kind": "end"}]),
                json!([{"from": "s", "to": "n"}, {"from": "x", "to": "n"}]),
            ),
            end(),
        ),
        case(
            EdgeToNowhere,
            flow(
                json!([{"id": "again", "kind": "jump", "target": "agein"}]),
                json!([{"from": "s", "to": "again"}, {"from": "again", "to": "x"}]),
            ),
            flow(
                json!([{"id": "hi", "kind": "send_message", "text": "Hi"}, {"id": "again", "kind": "jump", "target": "hi"}]),
                json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "again"}]),
            ),
        ),
        case(
            IntoStart,
            flow(
                json!([{"id": "w", "kind": "wait_reply"}, {"id": "j", "kind": "jump", "target": "s"}]),
                json!([{"from": "s", "to": "w"}, {"from": "w", "to": "j"}, {"from": "j", "to": "s"}]),
            ),
            flow(
                json!([{"id": "w", "kind": "wait_reply"}, {"id": "j", "kind": "jump", "target": "w"}]),
                json!([{"from": "s", "to": "w"}, {"from": "w", "to": "j"}, {"from": "j", "to": "w"}]),
            ),
        ),
        case(
            UnknownBranch,
            flow(
                json!([{"id": "w", "kind": "wait_reply"}, {"id": "n", "kind": "end"}]),
                json!([{"from": "s", "to": "w"}, {"from": "w", "branch": "reply", "to": "n"}, {"from": "w", "to": "n"},
                       {"from": "n", "to": "w"}]),
            ),
            flow(
                json!([{"id": "w", "kind": "wait_reply"}, {"id": "n", "kind": "end"}]),
                json!([{"from": "s", "to": "w"}, {"from": "w", "branch": "replied", "to": "n"}]),
            ),
        ),
        case(
            DeadEnd,
            one(json!({"id": "n", "kind": "function", "function": "f", "branches": ["2"]})),
            flow(
                json!([{"id": "n", "kind": "function", "function": "f", "branches": ["2"]}, {"id": "e", "kind": "end"}]),
                json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "2", "to": "e"}]),
            ),
        ),
        case(
            MissingElse,
            flow(
                json!([{"id": "n", "kind": "branch", "branches": [{"label": "1", "when": {"expr": "true"}}]},
                       {"id": "e", "kind": "end"}]),
                json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "1", "to": "e"}]),
            ),
            arm(json!({"expr": "true"})),
        ),
        case(Unreachable, flow(two_ends, json!([{"from": "s", "to": "n"}])), end()),
        case(
            TimeoutBranch,
            flow(
                json!([{"id": "n", "kind": "wait_reply"}, {"id": "e", "kind": "end"}]),
                json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "timeout", "to": "e"}]),
            ),
            wait("1m"),
        ),
        case(
            WaitTooLong,
            set(wait("31d"), "settings", json!({"session_ttl_minutes": 60})),
            set(wait("30d"), "settings", json!({"session_ttl_minutes": 60})),
        ),
        case(WaitTooLong, rounds(4), rounds(3)),
    ]
}

pub(crate) fn circles() -> Vec<Case> {
    use IssueCode::*;
    let circle = |middle: Value, branch: &str| {
        flow(
            json!([{"id": "hi", "kind": "send_message", "text": "Hi"}, middle]),
            json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "m"}, {"from": "m", "branch": branch, "to": "hi"}]),
        )
    };
    let set_x = json!({"id": "m", "kind": "set_variables", "variables": [{"name": "x", "value": 1}]});
    let jumps = |max: u32| {
        flow(
            json!([{"id": "hi", "kind": "send_message", "text": "Hi"},
                   {"id": "m", "kind": "jump", "target": "hi", "max_jumps": max}]),
            json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "m"}]),
        )
    };
    vec![
        case(EndlessLoop, circle(set_x, "next"), circle(json!({"id": "m", "kind": "wait_reply"}), "replied")),
        case(
            EndlessRecursion,
            flow(
                json!([{"id": "hi", "kind": "send_message", "text": "Hi"}, call("c")]),
                json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "call"}]),
            ),
            flow(
                json!([{"id": "w", "kind": "wait_reply"}, call("c")]),
                json!([{"from": "s", "to": "w"}, {"from": "w", "to": "call"}]),
            ),
        ),
        case(LongLoop, jumps(49), jumps(48)),
        case(
            TimerLoop,
            circle(json!({"id": "m", "kind": "wait_reply", "timeout": "1h"}), "timeout"),
            flow(
                json!([{"id": "hi", "kind": "send_message", "text": "Hi"},
                       {"id": "m", "kind": "wait_reply", "timeout": "1h"},
                       {"id": "j", "kind": "jump", "target": "hi", "max_jumps": 3}]),
                json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "m"}, {"from": "m", "branch": "timeout", "to": "j"}]),
            ),
        ),
        // A called flow may fail each time, with no word of the contact; what says nothing may go
        // round.
        case(
            TimerLoop,
            fails_again(json!({"id": "m", "kind": "send_message", "text": "Sorry"})),
            fails_again(json!({"id": "m", "kind": "log", "text": "failed"})),
        ),
        case(TimerLoop, circle(json!({"id": "m", "kind": "delay", "for": "1h"}), "next"), silent_circle()),
    ]
}

/// A call that is made again an hour after it failed, by way of this node.
fn fails_again(node: Value) -> Value {
    flow(
        json!([{"id": "w", "kind": "wait_reply"}, {"id": "call", "kind": "call_flow", "flow": "c"},
               node, {"id": "rest", "kind": "delay", "for": "1h"}]),
        json!([{"from": "s", "to": "w"}, {"from": "w", "to": "call"}, {"from": "call", "branch": "failed", "to": "m"},
               {"from": "m", "to": "rest"}, {"from": "rest", "to": "call"}]),
    )
}

/// A circle that timers walk, and that says nothing.
fn silent_circle() -> Value {
    flow(
        json!([{"id": "note", "kind": "log", "text": "on"}, {"id": "m", "kind": "delay", "for": "1h"}]),
        json!([{"from": "s", "to": "note"}, {"from": "note", "to": "m"}, {"from": "m", "to": "note"}]),
    )
}

/// A flow whose reminder begins at a node.
fn reminding(node: Value) -> Value {
    let wait = json!({"id": "w", "kind": "wait_reply"});
    let reminder = json!({"reminder": {"before": "5m", "node": node["id"]}});
    set(flow(json!([wait, node]), json!([{"from": "s", "to": "w"}])), "settings", reminder)
}

pub(crate) fn people() -> Vec<Case> {
    use IssueCode::*;
    let alone = |node: Value| {
        with_start(
            json!({"id": "s", "kind": "start", "contact": "none"}),
            json!([node]),
            json!([{"from": "s", "to": "n"}]),
        )
    };
    let declared = |text: &str| {
        with_start(
            json!({"id": "s", "kind": "start", "inputs": [{"name": "cart_id"}]}),
            json!([{"id": "n", "kind": "send_message", "text": text}]),
            json!([{"from": "s", "to": "n"}]),
        )
    };
    vec![
        case(
            ReminderPath,
            reminding(json!({"id": "n", "kind": "wait_reply"})),
            reminding(json!({"id": "n", "kind": "send_message", "text": "Still there?"})),
        ),
        case(
            WaitWithoutContact,
            alone(json!({"id": "n", "kind": "wait_reply"})),
            alone(json!({"id": "n", "kind": "delay", "for": "1m"})),
        ),
        case(
            NoDestination,
            alone(json!({"id": "n", "kind": "send_message", "text": "Hi"})),
            alone(json!({"id": "n", "kind": "send_message", "text": "Hi", "to": "+15550100"})),
        ),
        case(
            NoInvalidEdge,
            set(one(json!({"id": "n", "kind": "delay", "until": "{{ now }}"})), "settings", json!({})),
            flow(
                json!([{"id": "n", "kind": "delay", "until": "{{ now }}"}, {"id": "e", "kind": "end"}]),
                json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "invalid", "to": "e"}]),
            ),
        ),
        case(NoSender, without(send("Hi"), "settings"), send("Hi")),
        case(FormNotTaken, after_form(json!(["text"])), after_form(json!(["text", "form"]))),
        case(AnswerNotTaken, after_buttons(json!(["text"])), after_buttons(json!(["text", "choice"]))),
        case(MayOutlive, waits("20d"), waits("15d")),
        case(WholeAddress, approved("https://shop.example/track/4711"), approved("4711")),
        case(UnknownChoice, chooses("yes"), chooses("y")),
        case(
            NoEmptyEdge,
            one(json!({"id": "n", "kind": "send_message", "text": "?", "options": {"from": "context.x"}})),
            one(json!({"id": "n", "kind": "send_message", "text": "?",
                       "options": [{"from": "context.x"}, {"id": "no", "label": "None of them"}]})),
        ),
        case(
            SameLabel,
            one(json!({"id": "n", "kind": "send_message", "text": "Hi",
                       "options": [{"id": "a", "label": "Yes"}, {"id": "b", "label": "ＹＥＳ"}]})),
            one(json!({"id": "n", "kind": "send_message", "text": "Hi",
                       "options": [{"id": "a", "label": "Yes"}, {"id": "b", "label": "No"}]})),
        ),
        case(
            Untranslated,
            set(
                one(json!({"id": "n", "kind": "send_message", "text": {"en": "Hi", "de": "Hallo"}})),
                "settings",
                json!({"sender": {"channel": "sms", "account": "a"}, "languages": ["en", "pt_BR"]}),
            ),
            set(
                one(json!({"id": "n", "kind": "send_message", "text": {"en": "Hi", "pt": "Oi"}})),
                "settings",
                json!({"sender": {"channel": "sms", "account": "a"}, "languages": ["en", "pt_BR"]}),
            ),
        ),
        case(
            WindowMayBeClosed,
            on_whatsapp(one(json!({"id": "n", "kind": "send_message", "text": "Hi"}))),
            on_whatsapp(flow(
                json!([{"id": "n", "kind": "send_message", "text": "Hi"}, {"id": "e", "kind": "end"}]),
                json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "window_closed", "to": "e"}]),
            )),
        ),
        case(
            UndeclaredVariable,
            declared("{{ context.cart }} {{ cart_ids }} {{ vars.x }} {{ y | default('') }}"),
            declared("{{ context.cart_id }} {{ cart_id }} {{ contact.name }}"),
        ),
        case(
            OpenLoop,
            flow(
                json!([{"id": "n", "kind": "for_each", "from": "context.x"}, {"id": "w", "kind": "wait_reply"}]),
                json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "each", "to": "w"}]),
            ),
            flow(
                json!([{"id": "n", "kind": "for_each", "from": "context.x"}, {"id": "w", "kind": "wait_reply"}]),
                json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "each", "to": "w"}, {"from": "w", "to": "n"}]),
            ),
        ),
        case(
            UnknownName,
            declared("{{ trigger.clame_time }} {{ contact.first_name | default('') }}"),
            declared("{{ trigger.claim_time }} {{ contact.fields.first_name | default('') }}"),
        ),
        case(
            ForeignPlaceholder,
            declared("Hi {{1}}, {% if cart_id %}your{% endif %} {cart_id} @contact.name"),
            declared("Hi {{ contact.name }}, {{ 'your' if cart_id else '' }} {{ cart_id }} @home"),
        ),
    ]
}

/// Questions whose answers are checked.
fn answers() -> Vec<Case> {
    use IssueCode::*;
    let ask = |fields: Value| {
        let mut node = json!({"id": "n", "kind": "ask", "text": "What?"});
        node.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        node
    };
    let asked = |fields: Value| on_sms(one(ask(fields)));
    let with_picture = |media: Value| {
        let choices = json!([{"id": "y", "label": "Yes"}, {"id": "n", "label": "No"}]);
        one(json!({"id": "n", "kind": "ask", "media": media, "choices": choices}))
    };
    let sizes =
        |other: Value| json!({"choices": [{"id": "s", "label": "Small", "synonyms": ["1", "wee"]}, other]});
    let again = |fields: Value, branch: &str| {
        let edges = json!([{"from": "s", "to": "n"}, {"from": "n", "branch": branch, "to": "n"}]);
        on_sms(flow(json!([ask(fields)]), edges))
    };
    vec![
        case(
            ChoicesUnseen,
            with_picture(json!({"type": "image", "url": "https://a.example/1.jpg"})),
            with_picture(
                json!({"type": "image", "url": "https://a.example/1.jpg", "caption": "Yours? Yes or no"}),
            ),
        ),
        case(
            BadValue,
            asked(
                json!({"expect": "nummer", "whole": true, "retries": 11, "options": [], "keywords": "none"}),
            ),
            asked(json!({"expect": "number", "whole": true, "retries": 10, "keywords": "off"})),
        ),
        case(
            BadValue,
            asked(
                json!({"expect": "number", "min": "few", "max": "{{ context.most }}", "pattern": "[0-9]", "formats": ["%Y"]}),
            ),
            asked(json!({"expect": "number", "min": "1", "max": "{{ context.most }}", "decimal": ","})),
        ),
        case(
            BadValue,
            asked(
                json!({"expect": "date", "min": "2026-05-07", "max": "2026-05-06", "formats": ["%d/%m/%Y", "dd.mm.yyyy", "%d/%m"]}),
            ),
            asked(
                json!({"expect": "date", "min": "2026-05-07", "max": "2026-05-07", "formats": ["%d/%m/%Y", "%d.%m.%y"]}),
            ),
        ),
        case(
            BadValue,
            asked(
                json!({"quick_replies": [{"id": "xl", "label": "XL"}], "choices": [{"id": "s", "label": "S"}]}),
            ),
            asked(json!({"choices": [{"id": "s", "label": "S"}]})),
        ),
        case(
            BadValue,
            asked(json!({"min_length": 5, "max_length": 4, "choices": [], "expect": "text"})),
            asked(json!({"min_length": 5, "max_length": 5})),
        ),
        case(
            BadValue,
            asked(json!({"expect": "media", "media_types": ["image/*", "a picture", "/png"]})),
            asked(json!({"expect": "media", "media_types": ["image/*", "audio", "application/pdf"]})),
        ),
        case(BadRegex, asked(json!({"pattern": "(a"})), asked(json!({"pattern": "(a)"}))),
        case(
            MissingField,
            asked(json!({"expect": "choice"})),
            asked(sizes(json!({"id": "l", "label": "Large"}))),
        ),
        case(
            DuplicateBranch,
            asked(sizes(json!({"id": "invalid", "label": "WEE "}))),
            asked(sizes(json!({"id": "none", "label": "None"}))),
        ),
        case(
            ChannelLimit,
            asked(sizes(json!({"id": "l", "label": "x".repeat(81)}))),
            asked(sizes(json!({"id": "l", "label": "x".repeat(80)}))),
        ),
        case(BadSpan, asked(json!({"debounce": "61s"})), asked(json!({"debounce": "60s"}))),
        case(TimerLoop, again(json!({"timeout": "1h"}), "timeout"), again(json!({"timeout": "1h"}), "valid")),
        case(
            TimeoutBranch,
            again(json!({"timeout": "1h", "on_timeout": "continue"}), "timeout"),
            again(json!({}), "invalid"),
        ),
    ]
}

pub(crate) fn cases() -> Vec<Case> {
    [form(), structure(), circles(), people(), answers()].into_iter().flatten().collect()
}
