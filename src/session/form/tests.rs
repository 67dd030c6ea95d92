//! The stored form of a session: each legal state, and fields that contradict each other.

use serde_json::{Value, json};

use super::*;

const ID: SessionId = SessionId(uuid::Uuid::from_u128(7));
const AT: &str = "2026-05-07T08:14:23Z";

/// A stored session with these fields beside those that all have.
fn read(fields: Value) -> Session {
    let mut stored = json!({
        "id": ID, "flow": "f", "version": 1, "status": "waiting", "node": "n", "wait": 1,
        "turns": 1, "sent": 0, "started_at": AT, "last_interaction_at": AT, "parked_at": AT,
    });
    let all = stored.as_object_mut().expect("an object");
    all.extend(fields.as_object().expect("an object").clone());
    serde_json::from_value(stored).expect("a session")
}

/// The fields that belong to a session's node, as they are written.
fn written(session: &Session) -> Value {
    let mut stored = json!(session);
    let all = stored.as_object_mut().expect("an object");
    all.retain(|name, _| {
        ["status", "deadline", "expires_at", "ended_at", "call", "rare"].contains(&name.as_str())
    });
    stored
}

fn call() -> Value {
    let id = CallId { session: ID, wait: 1 };
    json!({"id": id, "name": "find", "args": {}, "stage": {"due": AT}, "attempts": 2})
}

fn sending() -> Value {
    json!({"seq": 4, "node": "hi"})
}

#[test]
fn each_standing_is_written_as_it_was_read() {
    let stood = json!({"status": "calling", "parked_at": AT, "deadline": AT, "call": call()});
    for stored in [
        json!({"status": "running"}),
        json!({"status": "waiting", "expires_at": AT}),
        json!({"status": "waiting", "deadline": AT, "rare": {"reminded": 1, "sending": sending()}}),
        json!({"status": "delayed", "deadline": AT, "expires_at": AT}),
        json!({"status": "calling", "deadline": AT, "call": call()}),
        json!({"status": "calling", "expires_at": AT, "rare": {"sending": sending()}}),
        json!({"status": "handoff", "deadline": AT, "rare": {"handoff": {"since": AT, "note": "x", "timeout": 60}}}),
        json!({"status": "handoff", "rare": {"handoff": {"since": AT, "stood": stood}, "still_millis": 5}}),
        json!({"status": "handoff", "rare": {"handoff": {"since": AT, "stood": {"status": "delayed", "parked_at": AT}},
            "sending": sending()}}),
        json!({"status": "completed", "ended_at": AT}),
        json!({"status": "completed", "ended_at": AT, "rare": {"outcome": "sold"}}),
        json!({"status": "expired", "ended_at": AT}),
        json!({"status": "cancelled", "ended_at": AT, "rare": {"ended_by": "opted_out"}}),
        json!({"status": "failed", "ended_at": AT,
            "rare": {"failure": {"code": "variables", "node": "n", "message": "m"}}}),
    ] {
        let session = read(stored.clone());
        assert_eq!(written(&session), stored);
        let again: Session = serde_json::from_value(json!(session)).expect("a session");
        assert_eq!(again, session);
    }
}

#[test]
fn fields_that_contradict_each_other_are_read_as_a_legal_session() {
    let failure = json!({"code": "variables", "node": "n", "message": "m"});
    let end = json!({"failure": failure, "ended_by": "opted_out", "outcome": "sold"});
    let all = json!({"deadline": AT, "expires_at": AT, "ended_at": AT, "call": call(),
        "rare": {"sending": sending(), "handoff": {"since": AT}, "remind_before": 60,
            "failure": failure, "ended_by": "opted_out", "outcome": "sold"}});
    let with = |status: &str, fields: &Value| {
        let mut stored = fields.clone();
        stored["status"] = status.into();
        written(&read(stored))
    };
    let message = json!({"sending": sending(), "remind_before": 60});
    let live = |rare: Value| json!({"deadline": AT, "expires_at": AT, "rare": rare});
    let over = |rare: Value| json!({"ended_at": AT, "rare": rare});
    for (status, expected) in [
        ("running", json!({"expires_at": AT, "rare": {"remind_before": 60}})),
        ("waiting", live(message.clone())),
        ("delayed", live(message)),
        ("calling", json!({"deadline": AT, "expires_at": AT, "call": call(), "rare": {"remind_before": 60}})),
        ("handoff", live(json!({"handoff": {"since": AT}, "remind_before": 60}))),
        ("completed", over(json!({"outcome": "sold"}))),
        ("expired", json!({"ended_at": AT})),
        ("failed", over(json!({"failure": failure}))),
        ("cancelled", over(json!({"ended_by": "opted_out"}))),
    ] {
        let mut expected = expected;
        expected["status"] = status.into();
        assert_eq!(with(status, &all), expected);
    }
    let lost = read(json!({"status": "calling", "deadline": AT}));
    assert_eq!((lost.status(), lost.deadline()), (Status::Calling, Some(lost.parked_at())));
    let awaited = lost.call().expect("a call");
    assert_eq!((awaited.id.wait, &awaited.stage), (lost.wait_number(), &CallStage::Handed(lost.parked_at())));
    assert_eq!(
        read(json!({"status": "handoff"})).handoff().expect("a handoff").since,
        read(json!({})).parked_at()
    );
    let failed = read(json!({"status": "failed"}));
    let code = failed.failure().map(|failure| failure.code);
    assert_eq!(
        (code, failed.ended_at()),
        (Some(FailureCode::MissingNode), Some(failed.last_interaction_at()))
    );
    assert_eq!(read(json!({"status": "cancelled"})).ended_by(), Some(EndReason::Cancelled));
    let live = read(json!({"status": "waiting", "rare": end}));
    assert!(live.failure().is_none() && live.ended_by().is_none() && live.outcome().is_none());
    for status in ["running", "handoff", "completed"] {
        let stood = json!({"status": status, "parked_at": AT, "call": call()});
        let handed = read(json!({"status": "handoff", "rare": {"handoff": {"since": AT, "stood": stood}}}));
        let stop =
            handed.handoff().and_then(|handoff| handoff.suspended.as_ref()).map(|suspended| &suspended.stop);
        assert_eq!(stop, Some(&Stop::Waiting(Wait::until(None))));
    }
}

/// Byte for byte: the names, their order, and what is left out.
#[test]
fn the_order_of_fields_is_that_of_format_1() {
    let route = r#"{"channel":"sms","account":"555","to":"+14155550123"}"#;
    let call = format!(
        r#"{{"id":"{}","name":"find","args":{{"for":"x"}},"stage":{{"due":"{AT}"}},"attempts":2}}"#,
        CallId { session: ID, wait: 1 }
    );
    let stored = format!(
        r#"{{"id":"{ID}","flow":"f","version":1,"digest":"000000000000000000000000000000ff","status":"handoff","node":"n","wait":1,"answered":0,"turns":1,"sent":2,"started_at":"{AT}","last_interaction_at":"{AT}","expires_at":"{AT}","ends_by":"{AT}","deadline":"{AT}","parked_at":"{AT}","sent_before":2,"context":{{"a":1}},"vars":{{"b":2}},"route":{route},"asked":{route},"rare":{{"jumps":[["n",1]],"visits":[["n",2]],"heard":{{"invalid":1}},"frames":[{{"flow":"g","version":2,"node":"call"}}],"active":["h",3],"active_digest":"000000000000000000000000000000fe","begun":{{"c":3}},"handoff":{{"since":"{AT}","queue":"q","note":"x","timeout":60,"stood":{{"status":"calling","parked_at":"{AT}","deadline":"{AT}","call":{call}}}}},"still_millis":5,"remind_before":60,"reminded":1,"results":{{"d":4}},"journal":{{"entries":1,"texts":true,"seen":"000000000000000000000000000000fd"}}}},"branch":"yes"}}"#
    );
    let session: Session = serde_json::from_str(&stored).expect("a session");
    assert_eq!(serde_json::to_string(&session).expect("a text"), stored);
    let failed = format!(
        r#"{{"id":"{ID}","flow":"f","version":1,"status":"failed","node":"n","wait":1,"answered":0,"turns":1,"sent":2,"started_at":"{AT}","last_interaction_at":"{AT}","ended_at":"{AT}","parked_at":"{AT}","sent_before":0,"rare":{{"jumps":[["n",1]],"failure":{{"code":"variables","node":"n","message":"m"}},"results":{{"d":4}}}}}}"#
    );
    let session: Session = serde_json::from_str(&failed).expect("a session");
    assert_eq!(serde_json::to_string(&session).expect("a text"), failed);
}
