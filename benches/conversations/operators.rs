//! The price of each call that an operator makes, or a system of theirs; `calls` has the others.

use chatflow::SessionRef;
use chatflow::ops::{HandedBack, HandedOver, SessionFilter};
use chatflow::session::ContactChange;
use serde_json::json;

use crate::calls::{Call, Host, Kind};
use crate::cart::now;

pub(crate) const KINDS: [Kind; 10] = [
    ("contact", |host| {
        with_session(host, |SessionRef { contact_id, .. }| {
            move || assert!(now(host.engine.contact(&contact_id)).expect("memory answers").is_some())
        })
    }),
    ("sessions", |host| {
        with_session(host, |SessionRef { contact_id, .. }| {
            let filter = SessionFilter::all().contact(contact_id);
            move || assert_eq!(now(host.engine.sessions(filter)).expect("memory answers").len(), 1)
        })
    }),
    ("update_contact", |host| {
        with_session(host, |SessionRef { contact_id, .. }| {
            let changes = [ContactChange::Name(Some("Ada".into())), ContactChange::AddTag("vip".into())];
            move || now(host.engine.update_contact(&contact_id, &changes)).expect("it is right")
        })
    }),
    ("opt_out", |host| {
        with_session(host, |SessionRef { contact_id, .. }| {
            move || now(host.engine.opt_out(&contact_id)).expect("memory answers")
        })
    }),
    ("opt_in", |host| {
        with_session(host, |SessionRef { contact_id, .. }| {
            now(host.engine.opt_out(&contact_id)).expect("memory answers");
            move || now(host.engine.opt_in(&contact_id)).expect("memory answers")
        })
    }),
    ("pause", |host| {
        with_session(host, |SessionRef { contact_id, .. }| {
            move || now(host.engine.pause(&contact_id, None)).expect("memory answers")
        })
    }),
    ("unpause", |host| {
        with_session(host, |SessionRef { contact_id, .. }| {
            now(host.engine.pause(&contact_id, None)).expect("memory answers");
            move || now(host.engine.unpause(&contact_id)).expect("memory answers")
        })
    }),
    ("handoff", |host| {
        with_session(host, |SessionRef { session_id, .. }| {
            move || {
                let done = now(host.engine.handoff(session_id)).expect("memory answers");
                assert_eq!(done, HandedOver::HandedOver);
            }
        })
    }),
    ("touch", |host| {
        with_session(host, |SessionRef { session_id, contact_id, .. }| {
            let _ = now(host.engine.handoff(session_id)).expect("memory answers");
            move || assert!(now(host.engine.touch(&contact_id)).expect("memory answers"))
        })
    }),
    ("resume_from_handoff", |host| {
        with_session(host, |SessionRef { session_id, contact_id, .. }| {
            let _ = now(host.engine.handoff(session_id)).expect("memory answers");
            move || {
                let done = now(host.engine.resume_from_handoff(&contact_id, json!({})));
                assert_eq!(done.expect("memory answers"), HandedBack::Resumed);
            }
        })
    }),
];

/// Calls of one kind, each of a contact of its own that waits at the cart's question.
fn with_session<'a, C: FnOnce() + 'a>(
    host: &'a Host,
    mut ready: impl FnMut(SessionRef) -> C,
) -> Vec<Call<'a>> {
    host.calls(|who| ready(host.begin(&who, 0)))
}
