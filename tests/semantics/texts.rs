//! What people write and read, by the tables of `docs/texts.md`: U8, U9.

use chatflow::{Content, Profile, TriggerRequest};
use serde_json::{Map, Value, json};

use crate::kit::{World, ada, flow};

/// The rows of the table below a heading of `docs/texts.md`, as the words in backticks of each
/// cell.
fn table(heading: &str) -> Vec<Vec<Vec<&'static str>>> {
    let page = include_str!("../../docs/texts.md");
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).expect("a section");
    let rows = section.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let words = |cell: &'static str| cell.split('`').skip(1).step_by(2).collect();
    rows.map(|row| row.trim_matches('|').split(" | ").map(words).collect()).collect()
}

fn reader(tag: &str) -> TriggerRequest {
    ada("f").profile(Profile::new().language(tag))
}

/// U8, U9
#[test]
fn a_reader_gets_the_text_in_the_nearest_language() {
    let rows = table("Language tags");
    assert!(rows.len() >= 25, "{} rows", rows.len());
    for row in rows {
        let [contact, texts, reads] = &row[..] else { panic!("{row:?}") };
        let texts: Map<String, Value> = texts.iter().map(|tag| ((*tag).to_owned(), json!(tag))).collect();
        let sketch = flow("f").set("language", json!("en")).node("n", "send_message", json!({"text": texts}));
        let world = World::with([sketch]);
        world.begin(reader(contact[0]));
        assert_eq!(world.sent(), [reads[0]], "{row:?}");
    }
}

/// U9, N2: an approved message goes out in the nearest language that it is approved in, as the
/// channel writes it.
#[test]
fn an_approved_message_is_sent_in_the_nearest_language_that_it_has() {
    let approved = ["en_US", "pt_BR", "zh_TW", "zh_CN"];
    for (template, contact, sent) in [
        (json!({"name": "t", "languages": approved}), "pt-br", "pt_BR"),
        (json!({"name": "t", "languages": approved}), "zh-Hant-HK", "zh_TW"),
        (json!({"name": "t", "languages": approved}), "de", "en_US"),
        (json!({"name": "t", "languages": approved, "language": "{{ context.tag }}"}), "pt", "zh_CN"),
        (json!({"name": "t", "language": "pt_BR"}), "de", "pt_BR"),
    ] {
        let world = World::with([flow("f").node("n", "send_message", json!({"template": template}))]);
        world.begin(reader(contact).context(json!({"tag": "zh-Hans"})));
        let Content::Template(message) = &world.channel.sent()[0].content else { panic!("a template") };
        assert_eq!(message.language, sent, "{template} for {contact}");
    }
}

/// U8, C: one language is there once, however it is written.
#[test]
fn two_tags_of_one_language_are_an_issue() {
    for (a, b) in [("pt-BR", "pt_br"), ("iw", "he"), ("no", "nb"), ("spa", "es"), ("tl", "fil")] {
        let text = json!({"text": {a: "x", b: "y"}});
        let flow = chatflow::Flow::from_json(&flow("f").node("n", "send_message", text).json());
        let issues = flow.err().map(|issues| issues.to_string()).unwrap_or_default();
        assert!(issues.contains("is there under another name already"), "{a} {b}: {issues}");
    }
    let template = json!({"template": {"name": "t", "languages": ["pt_BR", "pt-BR"]}});
    let flow = chatflow::Flow::from_json(&flow("f").node("n", "send_message", template).json());
    let issues = flow.err().map(|issues| issues.to_string()).unwrap_or_default();
    assert!(issues.contains("template.languages[1]: is there under another name"), "{issues}");
}
