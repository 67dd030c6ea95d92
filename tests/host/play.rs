//! Talks with every shipped flow through the `play` example, and what players do to break it. Whole
//! outputs are compared.

#[path = "../../examples/play/main.rs"]
#[allow(dead_code, reason = "a program's entry and its standard streams are not needed here")]
mod program;

use std::ffi::OsString;
use std::io::{self, Cursor, Write};
use std::path::PathBuf;

const CART: &str = r#"{"first_name": "Ada", "cart_id": "987654321", "cart_total": "129.00"}"#;
const HELLO: &str = "< Hi Ada, your cart 987654321 totals 129.00. Reply 1 to check out or 2 for an agent.\n";
#[cfg(feature = "time-zones")]
const MENU: &str = "< Hi there, what can we do for you? (Choose)\n[1] Opening hours\n[2] My order\n[3] Talk to us\n[4] Nothing, thanks\n";

/// The remains of a run of the program.
#[derive(Debug, PartialEq)]
struct Played {
    code: u8,
    out: String,
    err: String,
}

impl Played {
    /// The output of a run in which nothing went wrong.
    #[track_caller]
    fn fine(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""));
        self.out
    }
}

fn run(args: &[&str], input: impl AsRef<[u8]>) -> Played {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = args.iter().map(OsString::from);
    let code = program::play(args, Cursor::new(input), &mut out, &mut err, false);
    Played { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

/// Plays a shipped flow.
fn shipped(name: &str, args: &[&str], input: &str) -> Played {
    let path = format!("{}/examples/flows/{name}.json", env!("CARGO_MANIFEST_DIR"));
    run(&[&[path.as_str()], args].concat(), input)
}

fn cart(input: &str) -> Played {
    shipped("abandoned_cart", &["--context", CART], input)
}

/// A file of the tests' own, for as long as it is held.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("chatflow-play-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Plays a flow of these nodes and edges.
fn flow_of(name: &str, head: &str, nodes: &str, edges: &str, args: &[&str], input: &str) -> Played {
    let json = format!(
        r#"{{"spec": 1, "code": "own", {head}, "nodes": [{{"id": "start", "kind": "start"}}{nodes}], "edges": [{edges}]}}"#
    );
    let file = Temporary::new(name, &json);
    run(&[&[file.path()], args].concat(), input)
}

const MANUAL: &str =
    r#""trigger": {"kind": "manual"}, "settings": {"sender": {"channel": "web", "account": "shop"}}"#;

#[test]
fn the_cart_flow_sells_hands_over_and_expires() {
    let sorry = "< Sorry, please answer 1 or 2.\n";
    let link = "< Checkout: https://shop.example/c/987654321\n= completed\n";
    assert_eq!(cart("hello\n1\n").fine(), format!("{HELLO}= waiting\n{sorry}{link}"));
    assert_eq!(cart("2").fine(), format!("{HELLO}= waiting\n< An agent will write to you.\n= completed\n"));
    assert_eq!(cart("/wait 31m\n").fine(), format!("{HELLO}= waiting\n= expired\n"));
    assert_eq!(cart("/wait 29m\n1\n").fine(), format!("{HELLO}= waiting\n{link}"));
    assert_eq!(cart("").fine(), format!("{HELLO}= waiting\n"));
}

#[test]
fn the_cart_flow_starts_with_its_examples_or_with_no_context_at_all() {
    assert_eq!(shipped("abandoned_cart", &[], "").fine(), format!("{HELLO}= waiting\n"));
    let hello = "< Hi there, your cart  totals . Reply 1 to check out or 2 for an agent.\n= waiting\n";
    let played = shipped("abandoned_cart", &["--context", "{}"], "");
    assert_eq!(played.out, hello);
    assert!(played.err.lines().all(|line| line.ends_with(", which has no value")), "{}", played.err);
}

#[test]
fn the_author_is_told_what_came_to_nothing() {
    let node = r#", {"id": "m", "kind": "send_message", "text": "{{ context.nope }}"}"#;
    let edge = r#"{"from": "start", "to": "m"}"#;
    let played = flow_of("blank", MANUAL, node, edge, &[], "");
    assert_eq!(played.out, "= completed\n", "nothing was sent");
    assert_eq!(
        played.err,
        "? node \"m\": reads `context.nope`, which has no value\n\
         ? node \"m\": `text` came out blank, and nothing was sent\n"
    );
}

#[test]
fn a_live_session_is_not_started_twice() {
    let played = cart("/again\n/wait 30m\n/again\n").fine();
    assert_eq!(played, format!("{HELLO}= waiting\n= already_running\n= expired\n{HELLO}= waiting\n"));
}

#[cfg(feature = "time-zones")]
#[test]
fn the_menu_offers_choices_by_number_label_and_synonym() {
    let hours = "< We are here Monday to Friday, 9 to 18 h. So you can reach us now.\n";
    let played = shipped("menu", &[], "menu\n1\nopening HOURS \nopen\n4\n").fine();
    let end = "< Have a nice day!\n= completed\n";
    assert_eq!(played, format!("{MENU}= waiting\n{hours}{MENU}{hours}{MENU}{hours}{MENU}{end}"));
}

#[cfg(feature = "time-zones")]
#[test]
fn a_new_session_prints_its_first_status() {
    let played = shipped("menu", &[], "hi\n4\nhi\n4\n").fine();
    let once = format!("{MENU}= waiting\n< Have a nice day!\n= completed\n");
    assert_eq!(played, once.repeat(2));
}

#[cfg(feature = "time-zones")]
#[test]
fn a_person_takes_over_and_gives_back() {
    let played =
        shipped("menu", &[], "/back\nhi\nagent\nmy receipt is lost\n/back {\n/back {\"solved\": true}\n");
    let hold = "< One moment, somebody of our team will answer you here.\n= handoff\n";
    assert_eq!(played.out, format!("{MENU}= waiting\n{hold}< Have a nice day!\n= completed\n"));
    let notes: Vec<&str> = played.err.lines().collect();
    assert_eq!(notes[..2], ["the contact is with nobody", "keyword: jump"]);
    assert_eq!(notes[2], "that is for the person who has the contact; /back gives it back");
    assert!(notes.len() == 4 && notes[3].starts_with("/back: is no JSON"), "{notes:?}");
}

const ASK_NUMBER: &str = "< Please send us the number of your order, such as A-10023.\n";

#[test]
fn triage_asks_the_host() {
    let answers = Temporary::new(
        "orders.json",
        r#"{"order_status": {"number": "A-10023", "status": "packed", "arrives_on": "Monday"}}"#,
    );
    let again = "< no idea is no order number: it is a letter, a dash and 3 to 8 digits, such as A-10023.\n";
    let played =
        shipped("triage", &["--functions", answers.path()], "Where is my parcel?\nno idea\na-10023\n");
    let told = "< Your order A-10023 is packed, and will arrive on Monday.\n";
    assert_eq!(played.fine(), format!("{ASK_NUMBER}= waiting\n{again}= calling\n{told}= completed\n"));
    let agent = "< An agent will write to you shortly.\n= handoff\n";
    assert_eq!(
        shipped("triage", &[], "order status\nA-1234\n").out,
        format!("{ASK_NUMBER}= waiting\n= calling\n{agent}")
    );
}

#[test]
fn triage_takes_the_branch_that_an_answer_names() {
    let args = ["--answer", r#"lookup={"$branch": "not_found"}"#];
    let played = shipped("triage", &args, "order status\nA-1234\n").fine();
    let unknown = "< We know no order A-1234.\n";
    assert_eq!(played, format!("{ASK_NUMBER}= waiting\n= calling\n{unknown}{ASK_NUMBER}= waiting\n"));
}

#[test]
fn a_person_is_asked_what_the_host_answers() {
    let path = format!("{}/examples/flows/triage.json", env!("CARGO_MANIFEST_DIR"));
    let play = |input: &str| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = [OsString::from(&path)].into_iter();
        assert_eq!(program::play(args, Cursor::new(input.as_bytes()), &mut out, &mut err, true), 0);
        (String::from_utf8(out).unwrap().replace("> ", ""), String::from_utf8(err).unwrap())
    };
    let ask = format!(
        "{ASK_NUMBER}= waiting\n= calling\n! order_status {{\"language\":\"en\",\"order\":\"A-1234\"}}\n"
    );
    let talk = "/answer 1\norder status\nA-1234\n/answer {\n/answer {\"number\": \"A-1234\", \"status\": \"packed\"}\n";
    let (out, err) = play(talk);
    assert!(out.ends_with(&format!("{ask}< Your order A-1234 is packed.\n= completed\n\n")), "{out}");
    let notes: Vec<&str> = err.lines().collect();
    assert!(notes[0] == "the flow asks nothing" && notes[1].starts_with("/answer: is no JSON"), "{notes:?}");
    let (out, _) = play("order status\nA-1234\n/fail no database\n");
    assert!(out.ends_with(&format!("{ask}< An agent will write to you shortly.\n= handoff\n\n")), "{out}");
    let (_, err) = play("order status\nA-1234\n/wait 30s\n/answer 1\n");
    assert!(err.ends_with("that comes too late\n"), "{err}");
}

#[test]
fn images_and_places_are_sent_and_shown() {
    let nodes = r#", {"id": "photo", "kind": "ask", "text": "A photo?", "expect": "media", "media_types": ["image"], "save_to": "photo"},
        {"id": "where", "kind": "ask", "text": "Where?", "expect": "location", "save_to": "place"},
        {"id": "back", "kind": "send_message", "media": {"type": "image", "url": "{{ vars.photo.url }}", "caption": "at {{ vars.place.latitude }}"}}"#;
    let edges = r#"{"from": "start", "to": "photo"}, {"from": "photo", "to": "where"}, {"from": "where", "to": "back"}"#;
    let input = "/image https://a.example/1.jpg\n/place here\n/place 52.52 13.41\n";
    let played = flow_of("photo.json", MANUAL, nodes, edges, &[], input);
    let shown = "< (image https://a.example/1.jpg \"at 52.52\")\n= completed\n";
    assert_eq!(played.out, format!("< A photo?\n= waiting\n< Where?\n{shown}"));
    assert_eq!(played.err, "/place: give latitude and longitude, such as 52.52 13.41\n");
}

#[test]
fn the_appointment_flow_waits_for_the_day_before() {
    let context = r#"{"appointment_id": "77", "starts_at": "2026-05-09T09:30:00Z"}"#;
    let remind = "= delayed\n< (template appointment_reminder in en \"Saturday 09 May at 09:30\" \"our practice\")\n\
                  [1] I will come\n[2] Another day\n= waiting\n";
    let args = ["--context", context, "--answer", "confirm=true"];
    let played = shipped("appointment_reminder", &args, "/wait 26h\nhm\n1\n").fine();
    let again = "< Sorry, please choose one of the two: \"I will come\" or \"Another day\".\n";
    assert_eq!(played, format!("{remind}{again}= calling\n< Thank you, see you then!\n= completed\n"));
    let played = shipped("appointment_reminder", &args[..2], "/wait 2d\n").fine();
    assert_eq!(played, format!("{remind}= completed\n"), "the time-out of a question ends in silence");
}

#[test]
fn the_survey_asks_no_one_twice_in_90_days() {
    let ask = "< From 0 (never) to 10 (certainly): how likely are you to recommend Corner Books to a friend?\n= waiting\n";
    let talk = "< Please answer with a number from 0 to 10.\n< We are glad! What do you like best?\n= calling\n\
                < Thank you for your time.\n= completed\n";
    let played = shipped("nps_survey", &[], "11\n9\nthe tea\n/wait 20s\n/again\n/wait 90d\n/again\n");
    assert_eq!(played.out, format!("{ask}{talk}= refused\n{ask}"));
    assert_eq!(played.err, "the flow may run again from 2026-08-05 08:14:23 UTC\n");
}

/// A record is a talk that goes as it is written, with the host's answers in it.
#[test]
fn a_talk_is_recorded_and_goes_again() {
    let file = Temporary::new("recorded.talk", "");
    let shipped_flow = |name: &str| {
        std::fs::read_to_string(format!("{}/examples/flows/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let recorded = |name: &str, args: &[&str], input: &str| {
        let _ = shipped(name, &[args, &["--record", file.path()]].concat(), input);
        let talk = std::fs::read_to_string(file.path()).unwrap();
        let read = chatflow::talk::Talk::parse(&talk).unwrap();
        let run = chatflow::testkit::TalkRun::of(&shipped_flow(name), &[], &read).unwrap();
        assert_eq!(run.played().difference(), None);
        talk
    };
    let found = r#"lookup={"number": "A-10023", "status": "packed"}"#;
    let talk = recorded("triage", &["--answer", found], "order status\n/wait 1m\na-10023\n/dance\n");
    let end = "! now {\"number\":\"A-10023\",\"status\":\"packed\"}\n> a-10023\n= calling at lookup\n\
               ~ order_status {\"language\":\"en\",\"order\":\"A-10023\"}\n< Your order A-10023 is packed.\n\
               = completed at told, answered\n";
    assert!(talk.starts_with("> order status\n< ") && talk.ends_with(end), "{talk}");
    let talk = recorded("triage", &[], "order status\nA-1234\n");
    assert!(talk.contains("! failed `--functions` has no answer for `order_status`"), "{talk}");
    let talk = recorded("abandoned_cart", &["--context", CART], "/wait 31m\n/again\n1\n");
    assert!(talk.contains("@ +31m\n= expired at wait\n! context {"), "{talk}");
    let played = cart("1\n");
    assert_eq!(
        shipped("abandoned_cart", &["--context", CART, "--record", "/nowhere/x"], "1\n").out,
        played.out
    );
}

#[test]
fn the_state_is_one_json_document() {
    let played = cart("/state\n1\n/state\n").fine();
    let states: Vec<serde_json::Value> = played
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let statuses: Vec<_> = states.iter().map(|state| state["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["waiting", "completed"]);
    assert_eq!(states[0]["context"]["first_name"], "Ada");
    assert_eq!(shipped("triage", &[], "/state\n").fine(), "null\n", "nothing has started");
}

#[test]
fn lines_may_end_with_crlf_be_blank_or_strange() {
    let sorry = "< Sorry, please answer 1 or 2.\n";
    let link = "< Checkout: https://shop.example/c/987654321\n= completed\n";
    let played = cart("\r\n\n   \nこんにちは 🛒\r\n//help\n 1 \r\n").fine();
    assert_eq!(played, format!("{HELLO}= waiting\n{sorry}{sorry}{link}"));
    let path = format!("{}/examples/flows/abandoned_cart.json", env!("CARGO_MANIFEST_DIR"));
    let played = run(&[&path, "--context", CART], b"\xff\xfe\0\n1").fine();
    assert_eq!(played, format!("{HELLO}= waiting\n{sorry}{link}"));
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_talk_goes_on() {
    for length in [64 << 10, 3 << 20] {
        let played = cart(&format!("{}\n1\n", "x".repeat(length)));
        assert_eq!(played.code, 0);
        assert_eq!(played.err, "`text` must have at most 16384 bytes\n");
        assert!(
            played.out.ends_with("= waiting\n< Checkout: https://shop.example/c/987654321\n= completed\n")
        );
    }
}

#[test]
fn commands_that_make_no_sense_change_nothing() {
    let played = cart("/wait\n/wait soon\n/wait -5m\n/wait 1m 2m\n/wait 400d\n/dance\n/\n/state now\n");
    assert_eq!(played.out, format!("{HELLO}= waiting\n"));
    assert_eq!((played.code, played.err.lines().count()), (0, 8), "{}", played.err);
}

#[test]
fn quit_ends_at_once() {
    assert_eq!(cart("/quit\n1\n").fine(), format!("{HELLO}= waiting\n"));
}

#[test]
fn nobody_takes_lines_after_the_end() {
    let played = cart("1\nhello?\n");
    assert!(played.out.ends_with("= completed\n"));
    assert_eq!((played.code, played.err.as_str()), (0, "nothing waits for that\n"));
    let played = shipped("triage", &[], "tea, please\n");
    assert_eq!((played.out.as_str(), played.err.as_str()), ("", "the flow does not start with that\n"));
}

#[test]
fn a_flow_of_nothing_but_a_start_completes() {
    let played = flow_of("only.json", MANUAL, "", "", &[], "hi\n/again\n");
    assert_eq!(played.out, "= completed\n= completed\n");
    assert_eq!(played.err, "nothing waits for that\n");
}

#[test]
fn a_flow_without_a_sender_talks_where_it_can() {
    let echo = r#", {"id": "wait", "kind": "wait_reply"}, {"id": "echo", "kind": "send_message", "text": "{{ reply.text }}"}"#;
    let edges = r#"{"from": "start", "to": "wait"}, {"from": "wait", "to": "echo"}"#;
    let bare = flow_of("bare.json", r#""trigger": {"kind": "manual"}"#, echo, edges, &[], "hé\n");
    assert_eq!((bare.code, bare.out.as_str()), (0, "= waiting\n< hé\n= completed\n"));
    let (place, told) = bare.err.split_once(": ").unwrap();
    assert!(place.starts_with("line ") && place.contains(", column "), "{}", bare.err);
    assert!(told.starts_with("warning: ") && told.contains("(no_sender)"), "{}", bare.err);
    let web = r#""trigger": {"kind": "inbound", "channel": "web"}, "settings": {"sender": {"channel": "web", "account": "shop"}}"#;
    let played = flow_of("web.json", web, echo, edges, &["--from", "visitor 1"], "hé\n").fine();
    assert_eq!(played, "< hé\n= completed\n");
}

#[test]
fn a_flow_for_a_campaigns_contacts_can_be_played() {
    let head = r#""trigger": {"kind": "inbound", "channel": "sms", "campaign": "required"}"#;
    let say = r#", {"id": "say", "kind": "send_message", "text": "Welcome back"}"#;
    let played =
        flow_of("campaign.json", head, say, r#"{"from": "start", "to": "say"}"#, &[], "/state\nhi\n").fine();
    assert_eq!(played, "null\n< Welcome back\n= completed\n");
}

#[test]
fn a_text_of_many_lines_stays_one_message() {
    let say = r#", {"id": "say", "kind": "send_message", "text": "one\r\n= completed\n< two\u2028three\u001b[2J\tend"}"#;
    let played = flow_of("lines.json", MANUAL, say, r#"{"from": "start", "to": "say"}"#, &[], "").fine();
    assert_eq!(played, "< one\n  = completed\n  < two\n  three\u{fffd}[2J\tend\n= completed\n");
}

#[test]
fn an_answered_offer_stands_no_more() {
    let nodes = r#", {"id": "pick", "kind": "send_message", "text": "Which?", "options": [{"id": "a", "label": "Äpfel"}]},
        {"id": "w1", "kind": "wait_reply"}, {"id": "many", "kind": "send_message", "text": "{{ reply.payload }}: how many?"},
        {"id": "w2", "kind": "wait_reply"}, {"id": "end", "kind": "send_message", "text": "{{ reply.text }} {{ reply.payload }}."}"#;
    let edges = r#"{"from": "start", "to": "pick"}, {"from": "pick", "to": "w1"}, {"from": "w1", "to": "many"},
        {"from": "many", "to": "w2"}, {"from": "w2", "to": "end"}"#;
    let played = flow_of("offer.json", MANUAL, nodes, edges, &[], " äPFEL\n1\n").fine();
    assert_eq!(played, "< Which?\n[1] Äpfel\n= waiting\n< a: how many?\n< 1 .\n= completed\n");
}

#[test]
fn an_offer_is_answered_once_even_in_silence() {
    let nodes = r#", {"id": "pick", "kind": "send_message", "text": "Which?", "options": [{"id": "a", "label": "A"}]},
        {"id": "w1", "kind": "wait_reply"}, {"id": "w2", "kind": "wait_reply"},
        {"id": "end", "kind": "send_message", "text": "{{ reply.kind }}"}"#;
    let edges = r#"{"from": "start", "to": "pick"}, {"from": "pick", "to": "w1"}, {"from": "w1", "to": "w2"},
        {"from": "w2", "to": "end"}"#;
    let played = flow_of("silent.json", MANUAL, nodes, edges, &[], "1\n1\n").fine();
    assert_eq!(played, "< Which?\n[1] A\n= waiting\n< text\n= completed\n");
}

#[test]
fn a_failed_session_says_why() {
    let call = r#", {"id": "ask", "kind": "function", "function": "f"}"#;
    let played = flow_of("fails.json", MANUAL, call, r#"{"from": "start", "to": "ask"}"#, &[], "");
    assert_eq!((played.code, played.out.as_str()), (0, "= calling\n= failed\n"));
    assert_eq!(
        played.err,
        "node \"ask\": `--functions` has no answer for `f`, and there is no `--answer ask=JSON` (call_failed)\n"
    );
}

#[test]
fn a_broken_flow_is_told_with_its_fixes() {
    let played = flow_of("broken.json", MANUAL, "", r#"{"from": "start", "to": "nowhere"}"#, &[], "");
    assert_eq!((played.code, played.out.as_str()), (2, ""));
    let told = "line 1, column 177: edges[0]: points to \"nowhere\", which does not exist (edge_to_nowhere); name a node of this flow, or remove the edge\n";
    assert_eq!(played.err, told);
    let file = Temporary::new("no.json", "{");
    assert_eq!(run(&[file.path()], "").code, 2);
}

#[test]
fn a_missing_input_is_told_by_name() {
    let file = Temporary::new(
        "needs.json",
        r#"{"spec": 1, "code": "needs", "trigger": {"kind": "manual"}, "edges": [],
            "nodes": [{"id": "start", "kind": "start", "inputs": [{"name": "cart_id", "required": true}]}]}"#,
    );
    let played = run(&[file.path()], "");
    let told = "`context.cart_id` is required by the flow's start node\n";
    assert_eq!(played, Played { code: 1, out: String::new(), err: told.into() });
}

#[test]
fn bad_arguments_are_told_by_name() {
    for (args, named) in [
        (&["--context", "{"][..], "--context"),
        (&["--context", "[]"], "--context"),
        (&["--context"], "--context"),
        (&["--context={}", "--context={}"], "--context"),
        (&["--from", "somebody"], "--from"),
        (&["--functions", "/nowhere/at/all"], "--functions"),
        (&["--answer", "lookup"], "--answer"),
        (&["--record"], "--record"),
        (&["--answer", "lookup={"], "--answer"),
        (&["--verbose"], "--verbose"),
        (&["another.json"], "another.json"),
    ] {
        let played = shipped("abandoned_cart", args, "");
        assert_eq!((played.code, played.out.as_str()), (2, ""), "{args:?}");
        assert!(played.err.contains(named), "{args:?}: {}", played.err);
    }
    for (args, named) in [(&[][..], "usage"), (&["/nowhere/at/all"], "/nowhere/at/all"), (&["/"], "FLOW")] {
        let played = run(args, "");
        assert!(played.code == 2 && played.err.contains(named), "{played:?}");
    }
    assert!(run(&["--help"], "").fine().contains("/wait 31m"));
}

/// A pipe whose reader has gone.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_broken_pipe_ends_the_talk_quietly() {
    let path = format!("{}/examples/flows/abandoned_cart.json", env!("CARGO_MANIFEST_DIR"));
    let mut err = Vec::new();
    for args in [vec![path], vec!["--help".to_owned()]] {
        let args = args.into_iter().map(OsString::from);
        assert_eq!(program::play(args, Cursor::new("1\n/state\n"), Gone, &mut err, false), 0);
    }
    assert!(err.is_empty());
}

#[test]
fn a_person_gets_a_prompt() {
    let path = format!("{}/examples/flows/abandoned_cart.json", env!("CARGO_MANIFEST_DIR"));
    let (mut out, args) = (Vec::new(), [path.as_str(), "--context", CART].map(OsString::from));
    assert_eq!(program::play(args.into_iter(), Cursor::new("2\n"), &mut out, io::sink(), true), 0);
    let hint = "Abandoned cart 30min. Write replies, or /wait 31m, /answer JSON, /fail WHY, /back, /image URL, /place LAT LON, \
                /state, /again, /quit.\n";
    assert_eq!(
        String::from_utf8(out).unwrap(),
        format!("{hint}{HELLO}= waiting\n> < An agent will write to you.\n= completed\n> \n")
    );
}
