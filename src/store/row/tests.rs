use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::address::{Address, Phone};
use crate::id::{FlowId, FlowVersion, SessionId, TriggerKey};
use crate::session::{Conversation, DecodeError, encode_conversation};
use crate::store::{KeyName, Subject};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000 + seconds, 5).unwrap()
}

fn contact(name: &str) -> ContactId {
    ContactId::new(name).unwrap()
}

fn token(number: u128) -> Token {
    Token(Uuid::from_u128(number))
}

fn take(by: u128) -> Lease {
    Lease::Take(token(by), Duration::from_secs(30))
}

fn alias(number: u64) -> Alias {
    Alias::Address(Address::Phone(Phone::parse(&format!("+1415555{number:04}")).unwrap()))
}

fn commit(expect: Option<Revision>) -> Commit {
    let record = Record::from_bytes(*b"not\nread");
    Commit {
        due_at: Some(at(5)),
        dead_letters: 2,
        ..Commit::new(WorkspaceId::default(), contact("ann"), expect, record, at(0))
    }
}

fn settle(by: u128, revision: Revision, settled: u64) -> Settle {
    Settle {
        workspace: WorkspaceId::default(),
        contact: contact("ann"),
        token: token(by),
        revision,
        settled,
        due_at: Some(at(9)),
        quarantine: false,
        now: at(1),
    }
}

fn due(by: u128, seconds: i64) -> Due {
    Due { now: at(seconds), token: token(by), lease: Duration::from_secs(30), limit: 1, suspects: false }
}

/// A row at revision 1, due at 5, whose lease token 1 has until 30.
fn leased() -> Row {
    let mut row = Row::default();
    assert_eq!(apply(&mut row, Commit { lease: take(1), ..commit(None) }), (1, true));
    row
}

#[track_caller]
fn apply(row: &mut Row, commit: Commit) -> (Revision, bool) {
    match row.commit(&commit, None, |_| None) {
        Committed::Applied { revision, leased, .. } => (revision, leased),
        refused => panic!("{refused:?}"),
    }
}

fn seen(row: &Row, by: u128, seconds: i64) -> Option<StoredConversation> {
    let subject = Subject::Contact(contact("ann"));
    let lookup = Lookup::new(WorkspaceId::default(), subject, token(by), at(seconds));
    row.load(&contact("ann"), &lookup)
}

fn claims(row: &mut Row, due: &Due) -> Option<u32> {
    row.claim(&WorkspaceId::default(), &contact("ann"), due).map(|claimed| {
        assert!(claimed.stored.leased);
        claimed.claims
    })
}

fn bytes(row: &Row) -> Vec<u8> {
    row.to_bytes().unwrap()
}

/// Rule 2.
#[test]
fn a_row_is_read_as_the_token_sees_it() {
    assert!(seen(&Row::default(), 1, 0).is_none());
    let row = leased();
    let mine = seen(&row, 1, 29).unwrap();
    assert_eq!((mine.contact, mine.revision, mine.settled), (contact("ann"), 1, 0));
    assert!(mine.leased && !mine.quarantined);
    assert!(!seen(&row, 2, 29).unwrap().leased && !seen(&row, 1, 30).unwrap().leased);
}

/// Rules 4 and 5.
#[test]
fn a_commit_is_for_the_expected_revision() {
    let mut row = Row::default();
    assert_eq!(row.commit(&commit(Some(0)), None, |_| None), Committed::Conflict);
    assert_eq!(apply(&mut row, commit(None)), (1, false));
    assert_eq!((row.due_at, row.dead_letters), (Some(at(5)), 2));
    let before = bytes(&row);
    for stale in [None, Some(2)] {
        assert_eq!(row.commit(&commit(stale), None, |_| None), Committed::Conflict);
    }
    assert_eq!(bytes(&row), before);
    assert_eq!(apply(&mut row, commit(Some(1))), (2, false));
}

/// Rules 4 to 7, 11.
#[test]
fn the_first_reason_refuses_and_leaves_the_row_as_it_was() {
    let mut row = leased();
    let before = bytes(&row);
    let key = KeyRecord {
        fingerprint: 7,
        started: true,
        session: SessionId(Uuid::nil()),
        version: FlowVersion(1),
        digest: Some(u128::MAX - 1),
        contact: contact("bob"),
        expires_at: at(10),
        status: None,
        failure: None,
        erased: false,
    };
    let name = KeyName { flow: FlowId::new("cart").unwrap(), key: TriggerKey::new("k").unwrap() };
    let mut wrong = Commit {
        lease: Lease::Hold(token(2)),
        key: Some((name, key.clone())),
        add_aliases: vec![alias(1), alias(2), alias(3)],
        ..commit(Some(7))
    };
    let holder = |asked: &Alias| match asked {
        asked if *asked == alias(1) => Some(contact("ann")),
        asked if *asked == alias(2) => None,
        _ => Some(contact("bob")),
    };
    assert_eq!(row.commit(&wrong, Some(&key), holder), Committed::Conflict);
    wrong.expect = Some(1);
    assert_eq!(row.commit(&wrong, Some(&key), holder), Committed::LeaseLost);
    wrong.lease = Lease::Leave;
    assert_eq!(row.commit(&wrong, Some(&key), holder), Committed::KeyTaken);
    wrong.now = at(10);
    let taken = Committed::AliasTaken { alias: alias(3), holder: contact("bob") };
    assert_eq!(row.commit(&wrong, Some(&key), holder), taken, "the key has expired");
    assert_eq!(bytes(&row), before);
    wrong.add_aliases.pop();
    assert!(matches!(row.commit(&wrong, Some(&key), holder), Committed::Applied { .. }));
}

/// Rules 8 and 17.
#[test]
fn a_row_is_set_aside_until_it_is_committed() {
    let mut row = leased();
    assert_eq!(row.settle(&Settle { quarantine: true, ..settle(1, 1, 0) }), Settled::Done);
    assert!(seen(&row, 1, 0).unwrap().quarantined);
    assert_eq!((row.ready_at(at(99)), claims(&mut row, &due(2, 99))), (None, None));
    apply(&mut row, commit(Some(1)));
    assert!(!seen(&row, 1, 0).unwrap().quarantined);
    assert_eq!(row.ready_at(at(0)), Some(at(5)));
}

/// Rule 10.
#[test]
fn a_lease_is_taken_if_it_is_free_or_renewed() {
    let mut row = leased();
    assert_eq!(apply(&mut row, Commit { lease: take(2), due_at: None, ..commit(Some(1)) }), (2, false));
    assert_eq!(row.due_at, None, "all else is written");
    assert_eq!(apply(&mut row, Commit { lease: take(1), now: at(20), ..commit(Some(2)) }), (3, true));
    assert_eq!(row.lease, Some((token(1), at(50))));
    assert_eq!(apply(&mut row, Commit { lease: take(2), now: at(50), ..commit(Some(3)) }), (4, true));
    let for_ever = Lease::Take(token(2), Duration::MAX);
    assert_eq!(apply(&mut row, Commit { lease: for_ever, now: at(51), ..commit(Some(4)) }), (5, true));
    let for_no_time = Lease::Take(token(2), Duration::ZERO);
    assert_eq!(apply(&mut row, Commit { lease: for_no_time, ..commit(Some(5)) }), (6, false));
}

/// Rule 11.
#[test]
fn hold_and_free_need_the_live_lease() {
    let mut row = leased();
    for (lease, now) in [
        (Lease::Hold(token(2)), at(0)),
        (Lease::Free(token(2)), at(0)),
        (Lease::Hold(token(1)), at(30)),
        (Lease::Free(token(1)), at(30)),
    ] {
        let refused = Commit { lease, now, ..commit(Some(1)) };
        assert_eq!(row.commit(&refused, None, |_| None), Committed::LeaseLost);
        assert_eq!(Row::default().commit(&Commit { expect: None, ..refused }, None, |_| None), {
            Committed::LeaseLost
        });
    }
    assert_eq!(apply(&mut row, Commit { lease: Lease::Hold(token(1)), ..commit(Some(1)) }), (2, true));
    assert_eq!(apply(&mut row, Commit { lease: Lease::Free(token(1)), ..commit(Some(2)) }), (3, false));
    assert_eq!(row.lease, None);
}

/// Rules 9 and 12.
#[test]
fn a_row_is_claimed_once_it_is_due_and_free() {
    let mut row = leased();
    assert_eq!([row.ready_at(at(0)), row.ready_at(at(30))], [Some(at(30)), Some(at(5))]);
    assert_eq!(claims(&mut row, &due(2, 29)), None);
    assert_eq!(claims(&mut row, &due(2, 30)), Some(1));
    assert_eq!(claims(&mut row, &due(2, 59)), None, "not by its own token either");
    assert_eq!(row.ready_at(at(60)), Some(at(61)), "its lease ended unsettled");
    assert_eq!(claims(&mut row, &due(3, 61)), None, "it is a suspect");
    let suspects = |seconds| Due { suspects: true, ..due(3, seconds) };
    assert_eq!(claims(&mut row, &suspects(60)), None, "it rests");
    assert_eq!(claims(&mut row, &suspects(61)), Some(2));
    assert_eq!(claims(&mut Row::default(), &due(3, 60)), None);
    apply(&mut row, Commit { now: at(61), ..commit(Some(1)) });
    assert_eq!(row.claims, 2, "who does not hold the lease made no progress on the claim");
    let mut freed = row.clone();
    apply(&mut row, Commit { lease: Lease::Hold(token(3)), now: at(61), ..commit(Some(2)) });
    assert_eq!(row.claims, 0);
    let free = Commit { lease: Lease::Free(token(3)), due_at: Some(at(99)), now: at(61), ..commit(Some(2)) };
    apply(&mut freed, free.clone());
    assert_eq!((freed.claims, freed.ready_at(at(61))), (0, Some(at(99))));
    apply(&mut freed, Commit { lease: take(4), expect: Some(3), ..free });
    assert_eq!(freed.ready_at(at(61)), Some(at(99)), "due after the lease has run out");
}

/// Rules 13 to 16.
#[test]
fn a_settle_raises_the_watermark_and_frees_the_lease() {
    let mut row = leased();
    let before = bytes(&row);
    assert_eq!(Row::default().settle(&settle(1, 0, 9)), Settled::LeaseLost);
    assert_eq!(row.settle(&settle(2, 1, 9)), Settled::LeaseLost);
    assert_eq!(row.settle(&Settle { now: at(30), ..settle(1, 1, 9) }), Settled::LeaseLost);
    assert_eq!(bytes(&row), before);
    for settled in [5, 3] {
        let stale = Settle { quarantine: true, ..settle(1, 7, settled) };
        assert_eq!(row.settle(&stale), Settled::Conflict { settled: 5 });
    }
    assert_eq!((row.due_at, row.quarantined, row.lease.is_some()), (Some(at(5)), false, true));
    assert_eq!(row.settle(&settle(1, 1, 4)), Settled::Done);
    assert_eq!((row.due_at, row.settled, row.lease), (Some(at(9)), 5, None));
    assert_eq!(row.settle(&settle(1, 1, 4)), Settled::LeaseLost, "said twice it does no harm");
    assert_eq!(row.settled, 5);
}

#[test]
fn live_sessions_are_counted_and_woken() {
    let session = |number: u128, version: u32| {
        json!({
            "id": SessionId(Uuid::from_u128(number)), "flow": "cart", "version": version, "status": "waiting",
            "node": "ask", "wait": 1, "turns": 1, "sent": 1, "started_at": at(0), "last_interaction_at": at(0),
            "parked_at": at(0),
        })
    };
    let conversation: Conversation = serde_json::from_value(json!({
        "contact": {"id": "ann", "addresses": []}, "last_at": at(0), "sessions": [session(1, 1), session(2, 2)],
    }))
    .unwrap();
    let record = Record::from_bytes(encode_conversation(&conversation).unwrap());
    let mut row = Row::default();
    apply(&mut row, Commit { record, ..commit(None) });
    let live = |flow: &str, version: Option<u32>, wake_at| Live {
        workspace: WorkspaceId::default(),
        flow: FlowId::new(flow).unwrap(),
        version: version.map(FlowVersion),
        wake_at,
    };
    assert_eq!(row.live(&live("cart", None, None)), 2);
    assert_eq!(row.live(&live("cart", Some(2), Some(at(7)))), 1);
    assert_eq!(row.live(&live("menu", None, Some(at(1)))), 0);
    assert_eq!(row.due_at, Some(at(5)), "what is due earlier stays so");
    assert_eq!(row.live(&live("cart", None, Some(at(4)))), 2);
    assert_eq!(row.due_at, Some(at(4)));
    assert_eq!(leased().live(&live("cart", None, Some(at(1)))), 0, "a record that cannot be read has none");
}

/// Rules 5 and 22.
#[test]
fn an_erased_row_reads_as_never_written_and_goes_on_counting() {
    let erase = |expect| Erase {
        workspace: WorkspaceId::default(),
        contact: contact("ann"),
        expect,
        keeps_history: false,
        now: at(0),
    };
    let mut row = leased();
    row.settled = 7;
    let before = bytes(&row);
    assert!(!row.erase(&erase(2)) && bytes(&row) == before);
    assert!(row.erase(&erase(1)) && !row.erase(&erase(1)) && !row.erase(&erase(2)));
    let mut row = Row::from_bytes(&bytes(&row)).unwrap();
    assert!(seen(&row, 1, 0).is_none() && row.record.to_bytes().unwrap().is_empty());
    assert_eq!((row.due_at, row.dead_letters, row.ready_at(at(99))), (None, 0, None));
    assert_eq!(row.settle(&settle(1, 1, 9)), Settled::LeaseLost);
    assert_eq!(row.commit(&commit(Some(1)), None, |_| None), Committed::Conflict);
    assert_eq!(row.commit(&commit(Some(2)), None, |_| None), Committed::Conflict);
    assert_eq!(apply(&mut row, commit(None)), (3, false));
    assert_eq!(seen(&row, 1, 0).unwrap().settled, 0);
}

#[test]
fn a_row_comes_back_from_its_bytes() {
    let mut row = leased();
    assert_eq!(claims(&mut row, &due(2, 31)), Some(1));
    assert_eq!(row.settle(&Settle { now: at(32), ..settle(2, 9, 3) }), Settled::Conflict { settled: 3 });
    assert_eq!(claims(&mut row, &due(3, 77)), Some(1));
    row.quarantined = true;
    let again = Row::from_bytes(&bytes(&row)).unwrap();
    assert_eq!(format!("{again:?}"), format!("{row:?}"));
    assert_eq!(again.lease, Some((token(3), at(107))), "to the nanosecond");
    let never = Row::from_bytes(&bytes(&Row::default())).unwrap();
    assert!(seen(&never, 1, 0).is_none());
}

/// The form of the first release stays readable.
#[test]
fn a_stored_row_stays_readable() {
    let stored = concat!(
        r#"{"row":1,"revision":4,"settled":3,"due_at":"2025-06-15T15:06:45Z","#,
        r#""lease":["00000000-0000-0000-0000-000000000001","2025-06-15T15:07:10.5Z"],"#,
        r#""claims":2,"dead_letters":1,"quarantined":false}"#,
        "\nrecord",
    );
    let row = Row::from_bytes(stored.as_bytes()).unwrap();
    assert_eq!((row.revision, row.settled, row.claims, row.dead_letters), (4, 3, 2, 1));
    assert_eq!((row.lease.map(|(by, _)| by), row.quarantined), (Some(token(1)), false));
    assert_eq!(&*row.record.to_bytes().unwrap(), b"record");
    assert_eq!(bytes(&row), stored.replace("10.5Z", "10.500Z").into_bytes());
}

#[test]
fn bytes_that_are_no_row_are_refused() {
    let error = |bytes: &[u8]| {
        let error = Row::from_bytes(bytes).unwrap_err();
        assert!(!error.is_retryable());
        std::error::Error::source(&error).and_then(|source| source.downcast_ref()).map(
            |error: &DecodeError| match error {
                DecodeError::NotARecord => "no line",
                DecodeError::Body(_) => "no head",
                DecodeError::NewerFormat { found: 2, known: 1 } => "newer",
                other => panic!("{other:?}"),
            },
        )
    };
    assert_eq!(error(b""), Some("no line"));
    assert_eq!(error(b"{}\nrecord"), Some("no head"));
    let newer = String::from_utf8(bytes(&leased())).unwrap().replace("\"row\":1", "\"row\":2");
    assert_eq!(error(newer.as_bytes()), Some("newer"));
}
