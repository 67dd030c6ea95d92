//! Everything of a talk as it is now: what the page draws.

use chatflow::Clock;
use chatflow::id::ContactId;
use serde_json::{Map, Value, json};

use crate::Answered;
use crate::answer::at_once;
use crate::talk::{Person, Talk};

pub(crate) fn of(talk: &Talk) -> Answered {
    let mut people = Map::new();
    for (address, person) in &talk.people {
        people.insert(address.clone(), of_person(talk, person)?);
    }
    let asked: Vec<Value> = talk
        .asked
        .iter()
        .map(|call| {
            let of =
                talk.people.iter().find(|(_, person)| person.id.as_ref() == Some(&call.reference.contact));
            json!({
                "id": call.reference.call, "node": call.node, "name": call.name(), "request": call.request,
                "shown": call.to_string(), "contact": of.map(|(address, _)| address),
            })
        })
        .collect();
    Ok(json!({
        "now": talk.stage.now().timestamp_millis(), "unfit": talk.unfit,
        "due": talk.deadline()?.map(|due| due.timestamp_millis()),
        "channel": talk.account.channel, "account": &*talk.account.account, "manual": talk.flow.trigger().is_manual(),
        "delivery": talk.stage.state().delivery.word(), "people": people, "asked": asked,
        "flow": crate::talk::flow_id(&talk.flow),
    }))
}

fn of_person(talk: &Talk, person: &Person) -> Answered {
    let (mut session, mut journal) = (Value::Null, Value::Null);
    if let Some(id) = person.session {
        if let Some(record) = at_once(talk.bot.session(id))? {
            let live = record.session();
            session = json!(live);
            session["vars"] = live.vars().to_json();
            session["context"] = live.context().to_json();
        }
        journal = json!(at_once(talk.bot.journal(id))?);
    }
    let dead = match &person.id {
        Some(contact) => dead_letters(talk, contact)?,
        None => json!([]),
    };
    let outbox: Vec<&Value> = person.unsent.values().collect();
    let contact = match &person.id {
        Some(id) => at_once(talk.bot.contact(id))?.map(|contact| json!(contact)),
        None => None,
    };
    Ok(json!({
        "lines": person.lines, "session": session, "journal": journal, "outbox": outbox, "dead": dead,
        "contact": contact, "script": person.script.lines(), "lost": person.script.lost,
        "began": person.script.began.timestamp_millis(),
    }))
}

/// The messages that were given up.
fn dead_letters(talk: &Talk, contact: &ContactId) -> Answered {
    let letters = at_once(talk.bot.dead_letters(None))?;
    Ok(letters.iter().filter(|entry| entry.contact == *contact).map(|entry| json!(entry.letter)).collect())
}
