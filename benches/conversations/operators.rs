//! The price of each call that an operator makes, or a system of theirs; `calls` has the others.

use chatflow::ops::{EraseOptions, HandedBack, HandedOver, SessionFilter};
use chatflow::session::ContactChange;
use chatflow::{Account, Address, Channel, SessionRef};
use serde_json::json;

use crate::calls::{Call, Host, Kind};
use crate::cart::now;
use crate::script::{ACCOUNT, script};

pub(crate) const KINDS: [Kind; 15] = [
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
    ("journal", |host| {
        with_session(host, |SessionRef { session_id, .. }| {
            move || assert!(!now(host.engine.journal(session_id)).expect("memory answers").is_empty())
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
    ("merge", |host| {
        let mut others = (1_000_000..).map(script);
        with_session(host, move |SessionRef { contact_id, .. }| {
            let other = host.begin(&others.next().expect("there are more"), 0).contact_id;
            move || now(host.engine.merge(&other, &contact_id)).expect("they are two")
        })
    }),
    ("relink", |host| {
        host.calls(|who| {
            host.begin(&who, 0);
            let (old, new) = (address(&who.phone[0]), address(&who.phone[0].replace("+1415", "+1416")));
            move || now(host.engine.relink(&old, &new)).expect("the second is free")
        })
    }),
    ("unlink", |host| {
        host.calls(|who| {
            host.begin(&who, 0);
            let address = address(&who.phone[0]);
            move || assert!(now(host.engine.unlink(&address)).expect("memory answers"))
        })
    }),
    ("erase", |host| {
        with_session(host, |SessionRef { contact_id, .. }| {
            move || {
                let erased = now(host.engine.erase(&contact_id, EraseOptions::new()));
                assert_eq!(erased.expect("memory answers").sessions, 1);
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

fn address(phone: &str) -> Address {
    let account = Account::new(Channel::WhatsApp, ACCOUNT).expect("it is right");
    Address::new(&account, phone).expect("it is right")
}
