//! Calls of the host beside functions, and the meaning of its answers: D2, N1.

use chatflow::calls::Answer;
use chatflow::flow::HttpMethod;
use chatflow::{CallError, CallRequest, CallResult, Status};
use serde_json::{Value, json};

use crate::kit::*;

/// Waits for a text, asks the host, and says by which branch it left.
fn asks(kind: &str, fields: Value, branches: &[&str]) -> Sketch {
    let sketch = flow("f").send("ask", "?").wait("w").node("call", kind, fields);
    branches.iter().fold(sketch, |sketch, branch| {
        let id = format!("by_{branch}");
        let text = format!("{branch}: {{{{ vars.said | default('nothing') | json }}}}");
        sketch.edge("call", branch, &id).apart(&id, "send_message", json!({"text": text}))
    })
}

/// The text of the session when the host answers so.
fn told(sketch: &Sketch, answer: Result<Answer, CallError>) -> String {
    let world = World::built(chatflow::Builder::inline_calls);
    world.publish([sketch.clone()]);
    world.answer_calls([answer]);
    world.start("f");
    world.say("red & blue");
    world.sent().pop().unwrap()
}

/// The request to the host.
fn request(kind: &str, fields: Value, said: &str) -> CallRequest {
    let world = World::with([asks(kind, fields, &["failed"])]);
    world.start("f");
    world.say(said);
    world.tick();
    let [call] = &world.calls()[..] else { panic!("{:?}", world.sent()) };
    assert_eq!(call.name(), kind);
    call.request.clone()
}

fn value(value: Value) -> Result<Answer, CallError> {
    Ok(Answer::now(value))
}

/// D2
#[test]
fn a_request_is_rendered_and_its_query_encoded() {
    let fields = json!({
        "method": "POST", "url": " https://api.example.com/{{ reply.text | urlencode }}?a=1#top",
        "query": {"q": "{{ reply.text }}", "é": "x/y"}, "headers": {"X-Text": "{{ reply.text }}"},
        "body": {"said": ["{{ reply.text }}", 1]},
    });
    let CallRequest::HttpRequest(http) = request("http_request", fields, "red & {{blue}}") else { panic!() };
    assert_eq!(http.method, HttpMethod::Post);
    assert_eq!(
        http.url,
        "https://api.example.com/red%20%26%20%7B%7Bblue%7D%7D?a=1&q=red%20%26%20%7B%7Bblue%7D%7D&%C3%A9=x%2Fy#top"
    );
    assert_eq!(http.headers.into_iter().collect::<Vec<_>>(), [("X-Text".into(), "red & {{blue}}".into())]);
    assert_eq!(http.body, Some(json!({"said": ["red & {{blue}}", 1]})));
}

/// D2
#[test]
fn a_request_without_more_reads_and_sends_nothing() {
    let CallRequest::HttpRequest(http) = request("http_request", json!({"url": "http://a.example"}), "x")
    else {
        panic!()
    };
    assert_eq!((http.method, http.url.as_str(), http.body), (HttpMethod::Get, "http://a.example", None));
    assert!(http.headers.is_empty());
}

/// D2, N7: what a contact writes makes no request to elsewhere, and no header of its own.
#[test]
fn an_address_or_a_header_that_can_not_be_sent_is_not_asked_for() {
    let by_url = json!({"url": "{{ reply.text }}"});
    let by_header =
        json!({"url": "https://a.example", "method": "POST", "headers": {"X": "{{ reply.text }}"}});
    let long = format!("https://a.example/{}", "x".repeat(8 << 10));
    for (fields, said) in [
        (&by_url, "file:///etc/passwd"),
        (&by_url, "javascript:alert(1)"),
        (&by_url, "https://"),
        (&by_url, "https:///etc"),
        (&by_url, "//a.example"),
        (&by_url, "https://a.example/a b"),
        (&by_url, "https://a.example/\nX: 1"),
        (&by_url, long.as_str()),
        (&by_header, "1\r\nHost: b.example"),
    ] {
        let world = World::with([asks("http_request", fields.clone(), &["failed"])]);
        world.start("f");
        world.say(said);
        world.tick();
        assert_eq!(
            (world.sent(), world.calls().len()),
            (vec!["?".into(), "failed: \"nothing\"".into()], 0),
            "{said}"
        );
    }
}

/// D2: a status outside 200-299 is a failure whose answer is kept.
#[test]
fn a_status_decides_and_the_answer_is_kept() {
    let sketch =
        asks("http_request", json!({"url": "https://a.example", "save_to": "said"}), &["next", "failed"]);
    for (answer, expected) in [
        (json!({"status": 200, "body": 1}), "next: {\"body\":1,\"status\":200}"),
        (json!({"status": 299}), "next: {\"status\":299}"),
        (json!({"status": 300}), "failed: {\"status\":300}"),
        (json!({"status": 199}), "failed: {\"status\":199}"),
        (json!({"status": 503, "body": "busy"}), "failed: {\"body\":\"busy\",\"status\":503}"),
        (json!({"status": "404"}), "next: {\"status\":\"404\"}"),
        (json!("plain"), "next: \"plain\""),
    ] {
        assert_eq!(told(&sketch, value(answer)), expected);
    }
    assert_eq!(told(&sketch, Err(CallError::failed("no route"))), "failed: \"nothing\"");
    assert_eq!(told(&sketch, Ok(Answer::Now(CallResult::branch(1, "failed")))), "failed: 1");
    assert_eq!(told(&sketch, Ok(Answer::Now(CallResult::branch(1, "gone")))), "failed: \"nothing\"");
    assert_eq!(told(&sketch, value(json!("x".repeat(70_000)))), "failed: \"nothing\"");
}

/// D2
#[test]
fn a_model_is_asked_with_what_the_author_says() {
    let fields = json!({"prompt": "Answer: {{ reply.text }}", "system": "In {{ 'en' }}.", "model": "small",
                        "temperature": 0.5, "max_tokens": 99, "save_to": "said"});
    let CallRequest::Llm(ask) = request("llm", fields, "why?") else { panic!() };
    assert_eq!((ask.prompt.as_str(), ask.system.as_deref()), ("Answer: why?", Some("In en.")));
    assert_eq!((ask.model.as_deref(), ask.temperature, ask.max_tokens), (Some("small"), Some(0.5), Some(99)));
    let CallRequest::Llm(ask) = request("llm", json!({"prompt": "x", "save_to": "said"}), "why?") else {
        panic!()
    };
    assert_eq!((ask.system, ask.model, ask.temperature, ask.max_tokens), (None, None, None, None));
}

/// D2
#[test]
fn a_fallback_takes_the_place_of_a_missing_answer() {
    let plain = asks("llm", json!({"prompt": "x", "save_to": "said"}), &["next", "failed"]);
    let fields = json!({"prompt": "x", "save_to": "said", "fallback": "about {{ reply.text }}"});
    let with_fallback = asks("llm", fields, &["next", "failed"]);
    for (answer, expected, with) in [
        (value(json!("well")), "next: \"well\"", "next: \"well\""),
        (value(json!("")), "next: \"\"", "next: \"\""),
        (value(json!(["no", "text"])), "failed: \"nothing\"", "next: \"about red & blue\""),
        (Err(CallError::failed("busy")), "failed: \"nothing\"", "next: \"about red & blue\""),
    ] {
        assert_eq!(told(&plain, answer.clone()), expected);
        assert_eq!(told(&with_fallback, answer), with);
    }
}

/// D2
#[test]
fn a_text_is_classified_among_the_classes_of_the_node() {
    let classes = json!([{"id": "a", "description": "A", "examples": ["x", "y"]}, {"id": "b"}]);
    let fields = json!({"classes": classes, "threshold": 0.5, "save_to": "said"});
    let sketch = asks("classify", fields.clone(), &["a", "b", "else", "failed"]);
    for (answer, branch) in [
        (json!("b"), "b"),
        (json!({"class": "a", "score": 0.5}), "a"),
        (json!({"class": "a"}), "a"),
        (json!({"class": "a", "score": 0.49}), "else"),
        (json!("else"), "else"),
        (json!("failed"), "else"),
        (json!("B"), "else"),
        (json!(null), "else"),
        (json!({}), "else"),
        (json!(7), "failed"),
        (json!({"class": ["a"]}), "failed"),
    ] {
        let kept = if branch == "failed" { json!("nothing") } else { answer.clone() };
        assert_eq!(told(&sketch, value(answer.clone())), format!("{branch}: {kept}"), "{answer}");
    }
    let world = World::with([sketch]);
    world.start("f");
    world.say("hello");
    world.tick();
    let CallRequest::Classify(ask) = &world.calls()[0].request else { panic!() };
    assert_eq!(ask.text, "hello");
    assert_eq!(ask.classes.iter().map(|class| class.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((ask.classes[0].description.as_deref(), ask.classes[0].examples.len()), (Some("A"), 2));
}

/// D2, U8, U9
#[test]
fn a_language_takes_its_own_branch_or_that_of_the_language_it_is_a_kind_of() {
    let fields = json!({"languages": ["pt-BR", "pt", "en"], "save_to": "said"});
    let sketch = asks("recognize_language", fields, &["pt-BR", "pt", "en", "else", "failed"]);
    for (tag, branch) in [
        ("pt-BR", "pt-BR"),
        ("pt-PT", "pt"),
        ("PT-br", "pt-BR"),
        ("en-GB-oxendict", "en"),
        ("eng", "en"),
        ("en_GB", "en"),
        ("fr", "else"),
        ("failed", "else"),
        ("", "failed"),
        ("e", "failed"),
        ("it is English", "failed"),
    ] {
        let kept = if branch == "failed" { "nothing" } else { tag };
        assert_eq!(told(&sketch, value(json!(tag))), format!("{branch}: {kept:?}"), "{tag}");
    }
    assert_eq!(told(&sketch, value(json!(1))), "failed: \"nothing\"");
}

/// D2, T3
#[test]
fn a_language_becomes_the_contacts_only_if_the_author_says_so() {
    for (update, expected) in [(true, Some("pt-BR")), (false, None)] {
        let fields = json!({"update_contact": update});
        let world =
            World::with([asks("recognize_language", fields, &["failed"]).node("end", "end", json!({}))]);
        let contact = world.start("f").contact_id;
        world.answer_calls([value(json!("pt-BR"))]);
        world.say("oi");
        world.tick();
        let profile = world.contact(&contact).profile;
        assert_eq!(profile.and_then(|profile| profile.language).as_deref(), expected);
    }
}

/// D2: what is stored of a call tells an operator what was asked.
#[test]
fn a_pending_request_is_stored_as_it_can_be_read() {
    let world = World::with([asks(
        "http_request",
        json!({"url": "https://a.example", "timeout": "5s"}),
        &["failed"],
    )]);
    let session = world.start("f").session_id;
    world.say("x");
    let stored = serde_json::to_value(world.session(session)).unwrap();
    let call = &stored["call"];
    assert_eq!((&call["kind"], &call["name"]), (&json!("http_request"), &json!("http_request")));
    assert_eq!(call["args"], json!({"method": "GET", "url": "https://a.example"}));
    assert_eq!(world.state(session), Status::Calling);
    let read: chatflow::Session = serde_json::from_value(stored).unwrap();
    assert_eq!(read.call(), world.session(session).call());
}
