//! The messages of a turn that leave at once: D9, and that the rules of D1 to D7 hold as they do
//! for one after the other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatflow::pace::{Pace, Rate};
use chatflow::session::DeadReason;
use chatflow::testkit::Recorder;
use chatflow::{Address, MessageId, Outbound, Receipt, SendError, Transport};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;

type Answers = Vec<Result<Receipt, SendError>>;

/// A channel that takes whole turns: what was posted, and what it answers to the next turns.
#[derive(Clone, Default)]
struct Posts(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    posted: Vec<Vec<(MessageId, String)>>,
    answers: VecDeque<Answers>,
    /// True if it takes one message after the other for now.
    is_single: bool,
    panics: bool,
    hangs: bool,
}

impl Posts {
    fn answer(&self, answers: Answers) {
        self.0.lock().unwrap().answers.push_back(answers);
    }

    /// The texts of each post since this was last asked.
    fn posted(&self) -> Vec<Vec<String>> {
        let posted = std::mem::take(&mut self.0.lock().unwrap().posted);
        posted.into_iter().map(|post| post.into_iter().map(|(_, text)| text).collect()).collect()
    }

    fn ids(&self) -> Vec<MessageId> {
        self.0.lock().unwrap().posted.iter().flatten().map(|(id, _)| *id).collect()
    }

    fn post(&self, messages: &[&Outbound]) -> Answers {
        let mut state = self.0.lock().unwrap();
        let post = messages.iter().map(|message| (message.id, message.text().to_owned()));
        state.posted.push(post.collect());
        state.answers.pop_front().unwrap_or_else(|| messages.iter().map(|_| Ok(Receipt::new())).collect())
    }
}

impl Transport for Posts {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        self.post(&[message]).pop().unwrap()
    }

    async fn send_turn(&self, messages: &[&Outbound]) -> Option<Answers> {
        let (is_single, panics, hangs) = {
            let state = self.0.lock().unwrap();
            (state.is_single, state.panics, state.hangs)
        };
        assert!(!panics, "the channel panics");
        if hangs {
            std::future::pending::<()>().await;
        }
        (!is_single).then(|| self.post(messages))
    }
}

fn world() -> (World, Posts) {
    let posts = Posts::default();
    (World::sending(posts.clone(), Recorder::new(), |builder| builder), posts)
}

fn three() -> Sketch {
    flow("f")
        .send("one", "1")
        .send("two", "2")
        .send("three", "3")
        .wait("wait")
        .send("four", "4")
        .send("five", "5")
}

fn texts(posts: &[&[&str]]) -> Vec<Vec<String>> {
    posts.iter().map(|post| post.iter().map(|text| (*text).to_owned()).collect()).collect()
}

/// D9
#[test]
fn the_messages_of_a_turn_leave_at_once_and_in_order() {
    let (world, posts) = world();
    world.publish([three()]);
    world.start("f");
    assert_eq!(posts.posted(), texts(&[&["1", "2", "3"]]));
    world.say("on");
    assert_eq!(posts.posted(), texts(&[&["4", "5"]]));
    world.tick_after(hours(1));
    assert!(posts.posted().is_empty(), "nothing is left");
}

/// D9: a turn of one message goes by `send`, and each destination by itself.
#[test]
fn a_turn_to_two_destinations_is_handed_over_by_destination() {
    let (world, posts) = world();
    let desk = json!({"text": "desk", "action": "from_to", "to": BOB});
    world.publish([flow("f").send("one", "1").node("desk", "send_message", desk).send("two", "2")]);
    world.start("f");
    assert_eq!(posts.posted(), texts(&[&["1", "2"], &["desk"]]));
}

/// D9, D1: what was taken is settled; the rest comes again, under the same ids, before what is
/// behind it.
#[test]
fn what_of_a_turn_was_taken_is_not_handed_over_again() {
    let (world, posts) = world();
    world.publish([three()]);
    posts.answer(vec![Ok(Receipt::new()), Err(SendError::retry("busy"))]);
    world.start("f");
    let ids = posts.ids();
    assert_eq!(posts.posted(), texts(&[&["1", "2", "3"]]));
    world.say("on");
    assert!(posts.posted().is_empty(), "it waits for what is before it");
    world.tick_after(seconds(2));
    assert_eq!(posts.ids()[..2], ids[1..], "the same ids");
    assert_eq!(posts.posted(), texts(&[&["2", "3"], &["4", "5"]]));
    assert!(world.dead_letters().is_empty());
}

/// D9, D1: each answer holds for its own message.
#[test]
fn a_refusal_in_a_turn_is_a_dead_letter_and_the_others_are_taken() {
    let (world, posts) = world();
    world.publish([three()]);
    let later = SendError::retry_after(Duration::from_secs(90), "full");
    posts.answer(vec![Err(SendError::rejected("no")), Err(later), Err(SendError::WindowClosed)]);
    world.start("f");
    assert_eq!(posts.posted().len(), 1);
    let letters = world.dead_letters();
    let told: Vec<_> =
        letters.iter().map(|entry| (entry.letter.message.text(), &entry.letter.reason)).collect();
    assert_eq!(told, [("1", &DeadReason::Rejected("no".to_owned())), ("3", &DeadReason::WindowClosed)]);
    world.tick_after(seconds(89));
    assert!(posts.posted().is_empty());
    world.tick_after(seconds(1));
    assert_eq!(posts.posted(), texts(&[&["2"]]));
}

/// D9: a message that nobody answers for is tried again, and more answers than messages mean
/// nothing.
#[test]
fn a_message_without_an_answer_is_tried_again() {
    let (world, posts) = world();
    world.publish([three()]);
    posts.answer(vec![Ok(Receipt::new())]);
    world.start("f");
    world.tick_after(seconds(2));
    assert_eq!(posts.posted(), texts(&[&["1", "2", "3"], &["2", "3"]]));
    posts.answer(Vec::new());
    world.say("on");
    posts.answer((0..9).map(|_| Ok(Receipt::new())).collect());
    world.tick_after(seconds(2));
    assert_eq!(posts.posted(), texts(&[&["4", "5"], &["4", "5"]]));
    world.tick_after(hours(1));
    assert!(posts.posted().is_empty() && world.dead_letters().is_empty());
}

/// D9, A4: a receipt in a turn names the address that the channel uses.
#[test]
fn a_receipt_in_a_turn_names_another_address() {
    let (world, posts) = world();
    world.publish([three()]);
    let other = Address::new(&account(SHOP), "US.13491208655").unwrap();
    posts.answer(vec![Ok(Receipt::new()), Ok(Receipt::known_as(other.clone())), Ok(Receipt::new())]);
    let session = world.start("f");
    let known = block_on(world.bot.contact_at(&other)).unwrap().unwrap();
    assert_eq!(known.id, session.contact_id);
    assert_eq!(posts.posted().len(), 1);
}

/// D9: without an answer of the transport, one message leaves after the other, as ever.
#[test]
fn a_transport_may_take_one_message_after_the_other() {
    let (world, posts) = world();
    posts.0.lock().unwrap().is_single = true;
    world.publish([three()]);
    posts.answer(vec![Ok(Receipt::new())]);
    posts.answer(vec![Err(SendError::retry("busy"))]);
    world.start("f");
    assert_eq!(posts.posted(), texts(&[&["1"], &["2"]]), "behind one that waits its destination waits");
    world.tick_after(seconds(2));
    assert_eq!(posts.posted(), texts(&[&["2"], &["3"]]));
}

/// D9, D5: a turn has as long as one message has, and then comes again as a whole.
#[test]
fn a_turn_that_hangs_or_panics_is_tried_again() {
    let posts = Posts::default();
    let sleep = |_| std::future::ready(());
    let world = World::sending(posts.clone(), Recorder::new(), |builder| builder.timer(sleep));
    world.publish([three()]);
    posts.0.lock().unwrap().hangs = true;
    world.start("f");
    {
        let mut state = posts.0.lock().unwrap();
        (state.hangs, state.panics) = (false, true);
    }
    world.tick_after(seconds(2));
    posts.0.lock().unwrap().panics = false;
    assert!(posts.posted().is_empty());
    world.tick_after(seconds(10));
    assert_eq!(posts.posted(), texts(&[&["1", "2", "3"]]));
}

/// D9, D7: only what the pace lets go is handed over.
#[test]
fn a_turn_leaves_as_far_as_its_pace_allows() {
    let posts = Posts::default();
    let pace = Pace { per_account: Some(Rate::per_second(1).burst(2)), ..Pace::default() };
    let world = World::sending(posts.clone(), Recorder::new(), |builder| builder.pace(pace).unwrap());
    world.publish([three()]);
    world.start("f");
    assert_eq!(posts.posted(), texts(&[&["1", "2"]]));
    world.tick_after(seconds(1));
    assert_eq!(posts.posted(), texts(&[&["3"]]));
}

/// D9, S2, D1: a session that waits for what becomes of its message takes the edge of its own one.
#[test]
fn an_edge_for_failed_sees_the_answer_to_its_own_message() {
    let (world, posts) = world();
    let sketch = flow("f").send("one", "1").send("two", "2").wait("wait").apart(
        "sorry",
        "send_message",
        json!({"text": "sorry"}),
    );
    world.publish([sketch.edge("two", "failed", "sorry")]);
    posts.answer(vec![Ok(Receipt::new()), Err(SendError::rejected("no"))]);
    world.start("f");
    assert_eq!(posts.posted(), texts(&[&["1", "2"], &["sorry"]]));
}

/// D9: a sign of writing is of the turn, and nothing is lost with it.
#[test]
fn a_sign_of_writing_goes_along() {
    let (world, posts) = world();
    let typing = json!({"for": "2s"});
    world.publish([flow("f").send("one", "1").node("typing", "typing", typing).send("two", "2")]);
    posts.answer(vec![Ok(Receipt::new()), Err(SendError::rejected("no")), Ok(Receipt::new())]);
    world.start("f");
    world.tick_after(minutes(1));
    let posted = posts.posted().concat();
    assert_eq!(posted.iter().filter(|text| !text.is_empty()).collect::<Vec<_>>(), ["1", "2"]);
    assert!(world.dead_letters().is_empty());
}
