//! The dialect of talks: what is read, what is refused and where, and that everything prints again.

use chatflow::ops::Rehearsal;
use chatflow::talk::{Act, Talk, TalkPart};
use chatflow::testkit::TalkRun;
use chrono::TimeDelta;
use serde_json::json;

const FLOW: &str = r#"{"spec": 1, "code": "echo", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "web", "account": "shop"}},
    "nodes": [{"id": "start", "kind": "start", "inputs": [{"name": "end", "default": "end"}]},
              {"id": "price", "kind": "function", "function": "price", "save_to": "price"},
              {"id": "hi", "kind": "send_message", "text": "It costs {{ vars.price }}.\n/{{ context.end }}/"},
              {"id": "wait", "kind": "wait_reply", "timeout": "30m"},
              {"id": "echo", "kind": "send_message", "text": "{{ reply.text }}"}],
    "edges": [{"from": "start", "to": "price"}, {"from": "price", "to": "hi"}, {"from": "hi", "to": "wait"},
              {"from": "wait", "to": "echo"}]}"#;

fn refused(text: &str) -> String {
    Talk::parse(text).unwrap_err().to_string()
}

#[test]
fn what_is_no_line_of_a_talk_is_refused_at_its_place() {
    for (text, told) in [
        ("> a\nhello\n", "line 2, column 1: `h` begins no line of a talk; write one of > < @ ! ~ = * ? . #"),
        (">a\n", "line 1, column 2: a space must follow the mark"),
        (". more\n", "line 1, column 1: there is no line above it to continue"),
        ("# a\n. more\n", "line 2, column 1: there is no line above it to continue"),
        ("@ +5m\n. more\n", "line 2, column 1: there is no line above it to continue"),
        ("@ soon\n", "line 1, column 3: `soon` is not a time span, such as +31m or +1h30m"),
        ("! context {\"a\": }\n", "line 1, column 17: is no JSON: expected value"),
        ("! context {\"ä\": 1,\n. \"b\": x}\n", "line 2, column 8: is no JSON: expected value"),
        ("! context\n", "line 1, column 10: give a value in JSON"),
        ("! profile []\n", "line 1, column 11: must be a JSON object"),
        ("! touch me\n", "line 1, column 9: `touch` has nothing behind it"),
        ("! unpublish now menu\n", "line 1, column 13: give `drain` or `terminate`, and the code of a flow"),
        ("! let 1x 2\n", "line 1, column 7: `1x` is not a name: write letters, digits and `_`"),
        ("! branch found {\n", "line 1, column 16: is no JSON: EOF while parsing an object"),
        ("! talk 2\n", "line 1, column 8: `2` is not a known version of talks; 1 is"),
        (
            "> {\"image\": 1}\n",
            "line 1, column 3: must have one of text, media, location, choice, form, order, contacts, reaction, other; escape a text as `\\{`",
        ),
        ("> {\"text\": 1}\n", "line 1, column 3: `text` must be a text"),
        ("< /a(/\n", "line 1, column 3: is not a regular expression: error: unclosed group"),
    ] {
        assert_eq!(refused(text), told, "{text}");
    }
    let told = refused("! dance\n");
    assert!(
        told.starts_with("line 1, column 3: `dance` is not an order; write one of talk, context"),
        "{told}"
    );
}

#[test]
fn a_talk_prints_as_it_was_read() {
    for text in [
        "",
        "\n",
        "> a",
        "> a\r\n< b\r\n. c\r\n",
        "\u{feff}# a remark\n\n>  two spaces \n< trailing \n.\n. more\n",
        "! let a 1\n> $a $b $\n! later\n! talk 1\n",
    ] {
        assert_eq!(Talk::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn each_act_prints_as_it_is_read() {
    let delta = TimeDelta::minutes(65);
    for act in [
        Act::Say("hello".into()),
        Act::Say("two\nlines".into()),
        Act::Say(" spaces ".into()),
        Act::Say(String::new()),
        Act::Say("[x]".into()),
        Act::Say("{\"a\": 1}".into()),
        Act::Say("{{ x }}".into()),
        Act::Say("\\".into()),
        Act::Choose("Yes".into()),
        Act::Send(json!({"location": {"latitude": 1, "longitude": 2}})),
        Act::Pass(delta),
        Act::Pass(-delta),
        Act::Pass(TimeDelta::zero()),
        Act::At("2026-05-07T09:00:00Z".parse().unwrap()),
        Act::Asleep(delta),
        Act::Context(json!({"a": [1, null]})),
        Act::Profile(json!({"language": "de"})),
        Act::Language("de".into()),
        Act::Now(json!(null)),
        Act::Branch { branch: "found".into(), value: json!(null) },
        Act::Branch { branch: "found".into(), value: json!({"id": 7}) },
        Act::Failed("no database\nat all".into()),
        Act::Later,
        Act::Result(json!("x")),
        Act::Back(json!({})),
        Act::Touch,
        Act::Refuse("blocked".into()),
        Act::Window,
        Act::Report("131026".into()),
        Act::Publish { old: "a".into(), new: "b -> c".into() },
        Act::Unpublish { drains: false, flow: "menu".into() },
        Act::Id("wamid.1".into()),
        Act::Age(delta),
        Act::Let { name: "cart".into(), value: json!("4711") },
        Act::Version(1),
    ] {
        let text = act.to_string();
        let read = Talk::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(read.acts().collect::<Vec<_>>(), [&act], "{text}");
        let mut written = Talk::new();
        written.push(act);
        assert_eq!(written.to_string(), text + "\n");
    }
}

#[test]
fn a_name_stands_for_its_text_in_later_lines() {
    let talk = Talk::parse("> $a\n! let a \"x y\"\n! let ab 7\n> $a $ab $abc $\n< $a!\n").unwrap();
    let said: Vec<_> = talk.acts().filter(|act| matches!(act, Act::Say(_))).collect();
    assert_eq!(said, [&Act::Say("$a".into()), &Act::Say("x y 7 $abc $".into())]);
    let heard = TalkPart::Heard { mark: '<', text: "x y!".into() };
    assert_eq!(talk.lines().last().unwrap().part(), &heard);
}

fn run(talk: &str) -> TalkRun {
    TalkRun::of(FLOW, &[], &Talk::parse(talk).unwrap()).unwrap()
}

/// An answer may come before its call or below it: the talk is the same.
#[test]
fn a_transcript_goes_again_as_it_went() {
    let early = run("! now 5\n> hm\n").played().text().to_owned();
    let late = "= calling at price\n~ price {}\n! now 5\n< It costs 5.\n. /end/\n= waiting at wait\n> hm\n< hm\n= completed at echo\n";
    assert_eq!(early.replacen("! now 5\n", "", 1), late.replacen("! now 5\n", "", 1));
    let again = run(late);
    assert_eq!(again.played().difference(), None);
    let transcript = again.rehearsal().unwrap().transcript().to_string();
    assert_eq!(transcript, late);
    assert_eq!(run(&transcript).played().difference(), None);
}

/// A call that is made while time passes is answered at its own time, wherever that ends.
#[test]
fn an_answer_below_a_call_is_given_at_once() {
    let flow = FLOW.replace(
        r#"{"id": "price", "kind": "function","#,
        r#"{"id": "nap", "kind": "delay", "for": "5m"}, {"id": "price", "kind": "function", "timeout": "30s","#,
    );
    let flow = flow.replace(
        r#"{"from": "start", "to": "price"}"#,
        r#"{"from": "start", "to": "nap"}, {"from": "nap", "to": "price"}"#,
    );
    let talk = "= delayed at nap\n@ +10m\n~ price {}\n! now 5\n< It costs 5.\n. /end/\n= waiting at wait\n";
    let run = TalkRun::of(&flow, &[], &Talk::parse(talk).unwrap()).unwrap();
    assert_eq!((run.played().text(), run.played().difference()), (talk, None));
    assert_eq!(run.rehearsal().unwrap().transcript().to_string(), talk);
}

#[test]
fn gaps_and_patterns_are_kept_when_a_talk_is_written_down_anew() {
    let kept = "= calling at price\n~ price {}\n! now 5\n< It …\n. /end/\n= waiting at wait\n# answers\n> a\n< /[a-c]/\n= completed at echo\n";
    let played = run(kept);
    assert_eq!((played.played().text(), played.played().difference()), (kept, None));
    let changed = kept.replace("[a-c]", "[b-c]").replace("> a", "> {\"text\":\"/a/\"}");
    let played = run(&changed);
    assert_eq!(
        played.played().text(),
        kept.replace("> a", "> {\"text\":\"/a/\"}").replace("< /[a-c]/", "< \\/a/")
    );
    assert_eq!(played.played().difference().unwrap().line, 9);
}

/// The report of a talk that goes otherwise.
#[test]
fn a_difference_prints_with_the_talk_so_far() {
    let played = run(
        "# The price.\n! now 5\n= calling at price\n~ price {}\n< It costs 6.\n. /end/\n= waiting at wait\n",
    );
    let told = played.played().difference().unwrap().to_string();
    let lines = [
        "     1 | # The price.",
        "     2 | ! now 5",
        "     3 | = calling at price",
        "     4 | ~ price {}",
        "-    5 | < It costs 6.",
        "-    6 | . /end/",
        "+    5 | < It costs 5.",
        "+    6 | . /end/",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn an_act_that_cannot_be_done_ends_a_talk() {
    let played = run("! now 5\n> [Yes]\n> more\n");
    assert!(!played.played().is_whole());
    let told = run("! now 5\n= calling at price\n~ price {}\n< …\n= waiting at wait\n> [Yes]\n");
    let difference = told.played().difference().unwrap();
    assert_eq!(difference.line, 6);
    assert_eq!(difference.actual.as_deref(), Some("(`option` `Yes` was not offered)"));
}

#[test]
fn a_second_context_starts_the_flow_again() {
    let played = run("! context {\"end\": \"a\"}\n! later\n! context {}\n");
    let text = played.played().text();
    assert!(text.ends_with("! context {}\n* already running\n"), "{text}");
}

#[test]
fn a_rehearsal_answers_every_call_of_a_name() {
    let mut run = Rehearsal::of(FLOW).unwrap().with_call("price", chatflow::CallResult::value(3));
    run.start(json!({})).unwrap();
    assert!(run.transcript().to_string().contains("! now 3\n< It costs 3."), "{}", run.transcript());
}
