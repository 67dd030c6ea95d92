//! Texts that people write and read, by the tables of `docs/texts.md`: U1 to U9.

use chatflow::flow::{InvalidPo, KeywordAction, Keywords, Rank, Texts};
use chatflow::session::Profile;
use chatflow::{Channel, Content, Flow, Inbound, Received, TriggerRequest};
use serde_json::{Map, Value, json};

use crate::kit::{ADA, SHOP, World, ada, flow};

/// The rows of a table below a heading of `docs/texts.md`, as the words in backticks of each cell.
fn tables(heading: &str) -> Vec<Vec<Vec<Vec<String>>>> {
    let page = include_str!("../../docs/texts.md");
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).expect("a section");
    let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(seen).collect();
    let row = |line: &str| line.trim_matches('|').split(" | ").map(words).collect();
    let tables = section.split("\n|---").skip(1);
    let rows = |table: &'static str| {
        table.lines().filter(|line| line.starts_with("| ") && line.contains('`')).map(row).collect()
    };
    tables.map(rows).collect()
}

fn table(heading: &str) -> Vec<Vec<Vec<String>>> {
    tables(heading).swap_remove(0)
}

/// A word of the page, with the marks that it writes by their code: `me\u{200b}nu`.
fn seen(word: &str) -> String {
    let mut parts = word.split("\\u{");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (code, rest) = part.split_once('}').expect("the end of a code");
        let mark = char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap();
        format!("{text}{mark}{rest}")
    })
}

/// The closeness of the match of a message and a flow with this one rule.
fn rank(rule: &Value, message: &str) -> Option<Rank> {
    let sketch = flow("f").on(json!([rule])).send("n", "hit");
    Flow::from_json(&sketch.json()).unwrap().trigger().matches(Some(message), None, false)
}

/// A world in which a session waits, of a flow with these keywords.
fn waiting(word: &str) -> World {
    let keywords = json!([{"words": [word], "action": "jump", "node": "w"}]);
    let world = World::with([flow("f").set("keywords", keywords).send("hi", "?").wait("w").send("end", "x")]);
    world.start("f");
    world
}

/// U1, U2, I4, I6
#[test]
fn a_word_is_known_however_it_is_written() {
    let tables = tables("Spellings");
    let (same, other) = (&tables[0], &tables[1]);
    assert!(same.iter().map(|row| row[1].len()).sum::<usize>() >= 90);
    for (row, is_same) in same.iter().map(|row| (row, true)).chain(other.iter().map(|row| (row, false))) {
        let word = &row[0][0];
        let rule = json!({"match": "exact", "text": word});
        let world = waiting(word);
        for written in &row[1] {
            assert_eq!(rank(&rule, written).is_some(), is_same, "{word:?} {written:?}");
            if is_same {
                let jumped = Received::Keyword { action: KeywordAction::Jump };
                assert_eq!(world.say(written), jumped, "{word:?} {written:?}");
            }
        }
    }
}

/// U3, I4, N5
#[test]
fn a_word_is_found_in_a_text() {
    for row in table("Words in a text") {
        let [word, inside, outside] = &row[..] else { panic!("{row:?}") };
        let rule = json!({"match": "has_word", "list": ["zzz", word[0]]});
        let when = json!({"value": "{{ context.text }}", "op": "has_word", "to": word[0]});
        let branch = json!({"branches": [{"label": "yes", "when": when}]});
        let sketch = flow("f").node("b", "branch", branch).apart("y", "send_message", json!({"text": "yes"}));
        let sketch = sketch.apart("n", "send_message", json!({"text": "no"}));
        let world = World::with([sketch.edge("b", "yes", "y").edge("b", "else", "n")]);
        let texts = inside.iter().map(|text| (text, true)).chain(outside.iter().map(|text| (text, false)));
        for (text, is_there) in texts {
            assert_eq!(rank(&rule, text), is_there.then_some(Rank::HasWord), "{word:?} {text:?}");
            world.begin(ada("f").context(json!({"text": text})));
            assert_eq!(world.sent(), [if is_there { "yes" } else { "no" }], "{word:?} {text:?}");
        }
    }
}

/// U4: accents make no difference where the author says so.
#[test]
fn accents_are_folded_on_request() {
    for (wanted, said) in [
        ("menú", "menu"),
        ("menu", "MENÚ"),
        ("atenção", "atencao"),
        ("đặt hàng", "dat hang"),
        ("çıkış", "cikis"),
        ("μενού", "ΜΕΝΟΥ"),
        ("ёлка", "елка"),
        ("żółć", "zolc"),
        ("smørrebrød", "smorrebrod"),
        ("أهلا", "اهلا"),
        ("قائمة", "قائمه"),
        ("œuvre", "oeuvre"),
        ("फ़ोन", "फोन"),
        ("জানুয়ারি", "জানুযারি"),
        ("ਜ਼ਮੀਨ", "ਜਮੀਨ"),
    ] {
        for how in ["exact", "starts_with", "contains", "has_word"] {
            let folded = json!({"match": how, "text": wanted, "fold": "accents"});
            assert!(rank(&folded, said).is_some(), "{how} {wanted} {said}");
        }
        if !["çıkış", "μενού", "ёлка"].contains(&wanted) {
            assert_eq!(rank(&json!({"match": "exact", "text": wanted}), said), None, "{wanted} {said}");
        }
    }
    assert_eq!(rank(&json!({"match": "exact", "text": "कि", "fold": "accents"}), "क"), None, "a vowel");
}

/// U1, I4: a regular expression is tried on composed letters too.
#[test]
fn a_pattern_matches_composed_letters() {
    let rule = json!({"match": "regex", "text": "^menú \\d$"});
    assert_eq!(rank(&rule, "menu\u{301} ４"), Some(Rank::Regex));
    assert_eq!(rank(&rule, "menú 4"), Some(Rank::Regex));
}

/// U5, I6, T10
#[test]
fn words_of_opting_out_are_known_in_many_languages() {
    let rows = table("Words of opting out");
    assert!(rows.len() >= 15);
    let words: Vec<&String> = rows.iter().flat_map(|row| row[1..].iter().flatten()).collect();
    for written in words.into_iter().flat_map(|word| [word.clone(), format!(" “{}!” ", word.to_uppercase())])
    {
        let world = waiting("menu");
        assert_eq!(world.say(&written), Received::Keyword { action: KeywordAction::OptOut }, "{written:?}");
    }
    for answer in
        ["Stop that bad habit", "the end of May", "cancel my order please", "no quitter", "stopwatch"]
    {
        assert!(matches!(waiting("menu").say(answer), Received::Consumed { .. }), "{answer}");
    }
}

/// U5: a word that may be an everyday answer gives way to the flow, and `stop` never does.
#[test]
fn an_everyday_word_gives_way_to_the_flow() {
    let choices = json!([{"id": "no", "label": "Cancel ❌"}, {"id": "halt", "label": "Stop"}]);
    let asking = || flow("f").node("q", "ask", json!({"text": "?", "choices": choices, "save_to": "a"}));
    for (said, outcome) in [("cancel", "no"), ("quit", "out"), ("stop", "out"), ("CANCEL!", "no")] {
        let world = World::with([asking().send("n", "{{ vars.a }}")]);
        world.start("f");
        world.sent();
        let heard = match world.say(said) {
            Received::Keyword { action: KeywordAction::OptOut } => vec!["out".to_owned()],
            _ => world.sent(),
        };
        assert_eq!(heard, [outcome], "{said}");
    }
    let world = waiting("End");
    assert_eq!(world.say("end"), Received::Keyword { action: KeywordAction::Jump });
    assert_eq!(world.say("stop"), Received::Keyword { action: KeywordAction::OptOut });
}

/// U5: the label of a button that the open question has is its answer, also as a typed word.
#[test]
fn a_button_is_named_by_its_label_before_a_word_of_opting_out() {
    for (labels, said, id) in [
        (["RBC", "TD", "BMO"], "TD.", "b"),
        (["Forret", "Ret", "Andet"], "Ret!", "b"),
        (["Επεξεργασία", "Διαγραφή", "Διακοπή"], "Διαγραφή.", "b"),
        (["चालू करें", "बंद करें", "बाद में"], "बंद करें।", "b"),
        (["চালু করুন", "বন্ধ করুন", "পরে"], "বন্ধ করুন।", "b"),
        (["Anmelden", "Abmelden", "Hilfe"], "abmelden!", "b"),
        (["Devam", "Durdur", "Sonra"], "Durdur.", "b"),
        (["Jatka", "Lopeta", "Ohje"], "lopeta.", "b"),
        (["Aanmelden", "Afmelden", "Hulp"], "Afmelden.", "b"),
        (["Přihlásit", "Odhlásit", "Pomoc"], "odhlásit.", "b"),
        (["Entrar", "Salir", "Ayuda"], "salir.", "b"),
        (["حفظ", "إلغاء", "مساعدة"], "الغاء.", "b"),
        (["Tiếp tục", "Hủy", "Trợ giúp"], "hủy.", "b"),
        (["続ける", "退会", "ヘルプ"], "退会。", "b"),
    ] {
        let ids = ["a", "b", "c"];
        let choices: Vec<_> =
            ids.iter().zip(labels).map(|(id, label)| json!({"id": id, "label": label})).collect();
        let sketch = flow("f")
            .node("q", "ask", json!({"text": "?", "choices": choices, "save_to": "a"}))
            .send("end", "{{ vars.a }}");
        let world = World::with([sketch]);
        world.start("f");
        world.say(said);
        assert_eq!(world.sent().pop().as_deref(), Some(id), "{said}");
        assert_eq!(waiting("menu").say(said), Received::Keyword { action: KeywordAction::OptOut }, "{said}");
    }
}

/// U5: what Arabs write in two ways; a name is no word of opting out for its accents.
#[test]
fn words_of_opting_out_are_heard_in_each_form_of_arabic_letters() {
    for said in ["إلغاء الإشتراك", "الغاء الإشتراك", "أيقاف", "إيقاف", "الغاء"]
    {
        assert_eq!(waiting("menu").say(said), Received::Keyword { action: KeywordAction::OptOut }, "{said}");
    }
    for said in ["Huy", "dùng", "rét"] {
        assert!(matches!(waiting("menu").say(said), Received::Consumed { .. }), "{said}");
    }
}

/// U5: a host has more words, or fewer; those that it names opt out whatever the flow says.
#[test]
fn a_host_has_more_or_fewer_words_of_opting_out() {
    let heard = |keywords: Keywords, said: &str| {
        let world = World::built(|builder| builder.keywords(keywords));
        world.publish([flow("f").send("hi", "?").wait("w").send("end", "x")]);
        world.start("f");
        matches!(world.say(said), Received::Keyword { action: KeywordAction::OptOut })
    };
    assert!(heard(Keywords::default().opt_out(["No more"]), "no more!"));
    assert!(!heard(Keywords::default().without(["END", "quit"]), "end"));
    assert!(heard(Keywords::default().without(["END"]), "quit"));
    assert!(!heard(Keywords::none(), "stop"));
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
        let texts: Map<String, Value> = texts.iter().map(|tag| (tag.clone(), json!(tag))).collect();
        let sketch = flow("f").set("language", json!("en")).node("n", "send_message", json!({"text": texts}));
        let world = World::with([sketch]);
        world.begin(reader(&contact[0]));
        assert_eq!(world.sent(), [reads[0].clone()], "{row:?}");
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
        assert!(issues.contains("is already there under another name"), "{a} {b}: {issues}");
    }
    let template = json!({"template": {"name": "t", "languages": ["pt_BR", "pt-BR"]}});
    let flow = chatflow::Flow::from_json(&flow("f").node("n", "send_message", template).json());
    let issues = flow.err().map(|issues| issues.to_string()).unwrap_or_default();
    assert!(issues.contains("template.languages[1]: is already there under another name"), "{issues}");
}

/// U6, U7, N4
#[test]
fn an_answer_of_several_is_a_list() {
    let choices = json!([
        {"id": "ham", "label": "Ham"}, {"id": "oil", "label": "Olive oil"}, {"id": "feta", "label": "Feta 🧀"},
    ]);
    let several = json!({"min": 2, "max": 2});
    let ask = json!({"text": "?", "choices": choices, "several": several, "retries": 0, "save_to": "a"});
    for (said, saved) in [
        ("1 and 3", "ham,feta"),
        ("feta, olive oil", "feta,oil"),
        ("feta", "no"),
        ("1, 2, 3", "no"),
        ("1 and cheese", "no"),
    ] {
        let sketch = flow("f").node("q", "ask", ask.clone()).send("n", "{{ vars.a | join(',') }}");
        let sketch = sketch.apart("no", "send_message", json!({"text": "no"})).edge("q", "invalid", "no");
        let world = World::with([sketch]);
        world.start("f");
        world.sent();
        world.say(said);
        assert_eq!(world.sent(), [saved], "{said}");
    }
}

/// U7, C
#[test]
fn bounds_of_several_fit_the_choices() {
    let choices = json!([{"id": "a", "label": "A"}, {"id": "b", "label": "B"}]);
    for (several, place) in [
        (json!({"max": 3}), "several.max: is 3, there are 2 choices"),
        (json!({"min": 0}), "several.min: is 0, there are 2 choices"),
        (json!({"min": 2, "max": 1}), "several.min: is 2, more than `max`"),
    ] {
        let ask = json!({"text": "?", "choices": choices, "several": several});
        let found = Flow::from_json(&flow("f").node("q", "ask", ask).json()).unwrap_err().to_string();
        assert!(found.contains(place), "{found}");
    }
    let ask = json!({"text": "?", "several": {"max": 2}});
    let found = Flow::from_json(&flow("f").node("q", "ask", ask).json()).unwrap_err().to_string();
    assert!(found.contains("several: has no meaning where a text is expected"), "{found}");
}

/// I9, I4: payloads of pages and their menus.
#[test]
fn a_long_payload_of_another_is_matched() {
    let payload = format!("{{\"action\": \"MENU\",\n\"of\": \"{}\"}}", "x".repeat(980));
    let world = World::with([flow("f").on(json!([{"match": "payload", "text": payload}])).send("n", "hit")]);
    let chosen = Inbound::choice(Channel::WhatsApp, SHOP, ADA, &payload, "Menu");
    assert!(matches!(world.receive(chosen), Received::Started { .. }));
    assert_eq!(world.sent(), ["hit"]);
}

/// C: labels are as long as the channel shows them.
#[test]
fn labels_may_be_long_where_no_channel_cuts_them() {
    let asking = |channel: &str, length: usize| {
        let choices = json!([{"id": "a", "label": "x".repeat(length)}, {"id": "b", "label": "B"}]);
        let sender = json!({"channel": channel, "account": "w"});
        let sketch =
            flow("f").set("sender", sender).node("q", "ask", json!({"text": "?", "choices": choices}));
        let replies = json!({"text": "?", "options": [{"id": "a", "label": "x".repeat(length)}]});
        Flow::from_json(&sketch.node("o", "send_message", replies).json()).is_ok()
    };
    for channel in ["web", "telegram"] {
        assert!(asking(channel, 80) && !asking(channel, 81), "{channel}");
    }
    for channel in ["whatsapp", "messenger", "instagram"] {
        assert!(asking(channel, 20) && !asking(channel, 21), "{channel}");
    }
}

/// U9: texts go to translators and come back.
#[test]
fn texts_are_translated_by_po() {
    let ask = json!({
        "text": {"en": "Which \"size\"?\n\nSmall is 10 cm.", "de": "Welche?"},
        "choices": [{"id": "s", "label": "Small"}, {"id": "l", "label": "Large"}],
        "error_text": "Pardon, {{ contact.name }}?",
    });
    let sketch =
        flow("f").set("language", json!("en")).node("q", "ask", ask).send("n", "{{ reply.payload }}");
    let flow = Flow::from_json(&sketch.json()).unwrap();
    let po = Texts::of(&flow).to_po("pt_BR").unwrap();
    assert!(po.contains("Language: pt_BR\\n") && !po.contains("n.text"), "{po}");
    let places = ["q.text", "q.error_text", "q.choices[0].label", "q.choices[1].label"];
    assert_eq!(Texts::of(&flow).untranslated("pt-BR").unwrap(), places);
    assert_eq!(Texts::of(&flow).untranslated("de").unwrap(), places[1..]);
    let pairs = [
        (
            "\"\"\n\"Which \\\"size\\\"?\\n\"\n\"\\n\"\n\"Small is 10 cm.\"",
            "\"Que \\\"tamanho\\\"?\\n\"\n\"Pequeno: 10 cm.\"",
        ),
        ("\"Small\"", "\"Pequeno\""),
        ("\"Large\"", "\"Grande\""),
        ("\"Pardon, {{ contact.name }}?\"", "\"Como, {{ contact.name }}?\""),
    ];
    let done = pairs.iter().fold(po.clone(), |po, (source, translation)| {
        assert!(po.contains(&format!("msgid {source}\nmsgstr \"\"\n")), "{source} in {po}");
        po.replace(
            &format!("msgid {source}\nmsgstr \"\"\n"),
            &format!("msgid {source}\nmsgstr {translation}\n"),
        )
    });
    let mut texts = Texts::of(&flow);
    assert_eq!(texts.apply_po(&done), Ok(4));
    assert_eq!(texts.apply_po(&done), Ok(0), "once more changes nothing");
    let world = World::new();
    pollster::block_on(world.flows().ensure(&texts.clone().into_def().to_json())).unwrap();
    world.begin(reader("pt"));
    assert_eq!(world.channel.sent()[0].options()[0].label, "Pequeno");
    assert_eq!(world.sent(), ["Que \"tamanho\"?\nPequeno: 10 cm."]);
    let again = texts.to_po("pt_BR").unwrap();
    assert_eq!(Texts::of(&flow).apply_po(&again), Ok(4), "what was made of it says the same");
}

/// U9: a file that does not fit is refused as a whole.
#[test]
fn a_po_file_that_does_not_fit_changes_nothing() {
    let sketch = flow("f").set("language", json!("en")).send("n", "Hello").send("m", "Bye");
    let flow = Flow::from_json(&sketch.json()).unwrap();
    let header = "msgid \"\"\nmsgstr \"Language: de\\n\"\n\n";
    let hello = "msgctxt \"n.text\"\nmsgid \"Hello\"\nmsgstr \"Hallo\"\n\n";
    for (po, error) in [
        (hello.to_owned(), InvalidPo::NoHeader),
        (
            format!("{header}{hello}msgctxt \"x.text\"\nmsgid \"Bye\"\nmsgstr \"Ade\""),
            InvalidPo::Stale("x.text".into()),
        ),
        (
            format!("{header}{hello}msgctxt \"m.text\"\nmsgid \"Old\"\nmsgstr \"Ade\""),
            InvalidPo::Stale("m.text".into()),
        ),
        (format!("{header}{hello}msgplural \"x\""), InvalidPo::BadLine(8)),
        (format!("{header}{hello}msgid \"a\\q\""), InvalidPo::BadLine(8)),
        ("msgid \"\"\nmsgstr \"Language: no tag\\n\"".to_owned(), InvalidPo::BadTag("no tag".into())),
    ] {
        let mut texts = Texts::of(&flow);
        assert_eq!(texts.apply_po(&po), Err(error), "{po}");
        assert_eq!(texts, Texts::of(&flow));
    }
    let fuzzy = format!("{header}#, fuzzy\n{hello}");
    assert_eq!(Texts::of(&flow).apply_po(&fuzzy), Ok(0));
    assert_eq!(Texts::of(&flow).apply_po(&format!("{header}{hello}")), Ok(1));
    let mute = Flow::from_json(&crate::kit::flow("f").send("n", "Hello").json()).unwrap();
    assert_eq!(Texts::of(&mute).to_po("de"), Err(InvalidPo::NoLanguage));
}
