//! Every code, by its cases: what is said, in words and in the table of the documentation.

use std::collections::BTreeMap;

use chatflow::Flow;
use chatflow::flow::{Issue, IssueCode, Issues, Severity};
use serde_json::{Value, json};

use super::cases::cases;
use super::kit::*;
use super::online::on_accounts;

#[test]
fn every_issue_says_what_is_wrong_and_how_to_fix_it() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/authors/issues/issues.txt");
    let mut all = String::new();
    for Case { code, wrong, .. } in cases() {
        let said = said(&wrong);
        assert!(said.contains(&format!("({code})")), "{code} is not tripped:\n{said}");
        all += &format!("# {code}\n{said}\n\n");
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(golden, &all).unwrap();
    }
    assert_eq!(all, std::fs::read_to_string(golden).unwrap(), "UPDATE=1 rewrites the file");
}

/// One issue of each code that a flow's file can have, and of those that hang on accounts.
fn examples() -> BTreeMap<IssueCode, Issue> {
    let of_files = cases().into_iter().filter_map(|Case { code, wrong, .. }| {
        let issues = Flow::from_json(&wrong).map_or_else(|issues| issues, |flow| flow.warnings().clone());
        issues.iter().find(|issue| issue.code == code).cloned()
    });
    let of_more = beyond_one_file()
        .into_iter()
        .filter_map(|(code, wrong, _)| wrong.iter().find(|issue| issue.code == code).cloned());
    let mut found = BTreeMap::new();
    for issue in of_files.chain(of_more) {
        found.entry(issue.code).or_insert(issue);
    }
    found
}

/// The table of `IssueCode`'s documentation, made from the codes and from what they say of the
/// flows above.
#[test]
fn the_table_of_codes_is_what_the_codes_say() {
    let examples = examples();
    let cell = |text: &str| {
        let short: String = text.chars().take(120).collect();
        let cut = if short.len() < text.len() { "…" } else { "" };
        let cell = format!("{short}{cut}").replace('|', "\\|").replace('<', "\\<").replace('[', "\\[");
        cell.replace("://", "\\://")
    };
    let mut table = String::from(
        "| code | severity | what it means | for example | how to fix that |\n|---|---|---|---|---|\n",
    );
    for code in IssueCode::ALL {
        let severity = if code.severity() == Severity::Error { "error" } else { "warning" };
        let example =
            examples.get(code).map(|issue| (issue.to_string(), issue.fix.clone())).unwrap_or_default();
        let example = (example.0.replace(&format!(" ({code})"), ""), example.1);
        let (said, fix) = (cell(&example.0), cell(&example.1));
        table += &format!("| `{code}` | {severity} | {} | {said} | {fix} |\n", code.meaning());
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/src/flow/issues.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(page, &table).unwrap();
    }
    assert_eq!(table, std::fs::read_to_string(page).unwrap(), "UPDATE=1 rewrites the file");
}

#[test]
fn a_flow_that_keeps_the_rule_has_no_issue() {
    for Case { code, right, .. } in cases() {
        assert_eq!(said(&right), "", "{code}");
    }
}

/// C: of each code a flow that has it, and one close to it that has not.
#[test]
fn every_code_has_a_flow_that_trips_it_and_one_that_does_not() {
    let cases = cases();
    let of_files = cases.iter().map(|Case { code, wrong, right }| {
        let read =
            |json: &str| Flow::from_json(json).map_or_else(|issues| issues, |flow| flow.warnings().clone());
        (*code, read(wrong), read(right))
    });
    let mut tripped = BTreeMap::new();
    for (code, wrong, right) in of_files.chain(beyond_one_file()) {
        let issues: Vec<&Issue> = wrong.iter().filter(|issue| issue.code == code).collect();
        assert!(!issues.is_empty(), "{code} is not tripped by\n{wrong}");
        assert!(right.is_empty(), "{code} is not alone: {right}");
        tripped.entry(code).or_insert(0);
    }
    let missing: Vec<_> = IssueCode::ALL.iter().filter(|code| !tripped.contains_key(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Issues beyond one file: more of them than are listed, and those that depend on accounts and on
/// other flows.
fn beyond_one_file() -> Vec<(IssueCode, Issues, Issues)> {
    use IssueCode::*;
    let read =
        |json: Value| Flow::from_json(&json.to_string()).map_or_else(|issues| issues, |_| Issues::default());
    let nowhere = |count: usize| (0..count).map(|n| json!({"from": n.to_string(), "to": "s"})).collect();
    let [unbound, twice] = on_accounts();
    let calls = |code: &str| {
        let bot = chatflow::Engine::builder(chatflow::MemoryStore::new()).build();
        let _ = pollster::block_on(bot.flows().import(&set(end(), "code", json!("address")).to_string()))
            .unwrap();
        let flow = set(one(json!({"id": "n", "kind": "call_flow", "flow": code})), "code", json!("caller"));
        match pollster::block_on(bot.flows().ensure(&flow.to_string())) {
            Err(chatflow::Error::Issues(issues)) => issues,
            other => other.map(|_| Issues::default()).unwrap(),
        }
    };
    vec![
        (MoreIssues, read(flow(json!([]), nowhere(1_001))), read(end())),
        // That the same flow goes online once it is bound to accounts of its own, `on_accounts`
        // says itself.
        (UnboundAccount, unbound, Issues::default()),
        (TwoAnyTriggers, twice, Issues::default()),
        (UnknownSubflow, calls("adress"), calls("address")),
    ]
}

/// C: each issue has a code, its place, what is wrong, and how to fix it; one of a node names it.
#[test]
fn every_issue_has_a_place_and_a_fix() {
    for Case { wrong, .. } in cases() {
        let issues = Flow::from_json(&wrong).map_or_else(|issues| issues, |flow| flow.warnings().clone());
        for issue in &issues {
            assert!(!issue.message.is_empty() && !issue.fix.is_empty(), "{issue:?}");
            assert_eq!(issue.severity, issue.code.severity(), "{issue:?}");
            let is_in_node = issue.path.starts_with("nodes[");
            let is_of_id = issue.path.ends_with(".id") || issue.path.ends_with(']');
            assert!(!is_in_node || is_of_id || issue.node.is_some(), "{issue:?}");
        }
    }
}

/// C: errors block publishing, warnings do not; and a draft is kept whatever is wrong with it.
#[test]
fn errors_block_publishing_and_warnings_do_not() {
    let mut blocked = 0;
    for Case { code, wrong, right } in cases() {
        let bot = chatflow::Engine::builder(chatflow::MemoryStore::new()).build();
        let publish = |json: &str| {
            let is_inbound = json.contains(r#""kind":"inbound""#);
            let accounts = ["whatsapp", "sms"]
                .iter()
                .filter(|channel| json.contains(&format!(r#""channel":"{channel}""#)));
            let accounts = accounts
                .map(|name| chatflow::Account::new(chatflow::Channel::parse(name).unwrap(), "a").unwrap());
            match is_inbound {
                true => pollster::block_on(bot.flows().ensure_on(json, accounts)),
                false => pollster::block_on(bot.flows().ensure(json)),
            }
        };
        let published = publish(&wrong);
        match code.severity() {
            Severity::Error => assert!(published.is_err(), "{code} does not block"),
            Severity::Warning => assert!(published.is_ok(), "{code} blocks: {published:?}"),
        }
        blocked += usize::from(published.is_err());
        let published = publish(&right);
        assert!(published.is_ok(), "{code}: {published:?}");
    }
    assert!(blocked > 40, "{blocked}");
}

/// C, sentence by sentence: which code tells of it.
#[test]
fn every_sentence_of_the_checks_has_its_code() {
    use IssueCode::*;
    let sentences = [
        ("no entry", vec![NoEntry]),
        ("more than one start", vec![ManyEntries]),
        ("edge to nowhere", vec![EdgeToNowhere, EdgeFromNowhere]),
        ("duplicate node or branch", vec![DuplicateNode, DuplicateBranch, DuplicateEdge]),
        ("unreachable node", vec![Unreachable]),
        ("a cycle with no wait in it", vec![EndlessLoop, LongLoop]),
        ("a cycle that sends and that timers alone can walk", vec![TimerLoop]),
        ("missing else", vec![MissingElse]),
        ("branch with no edge", vec![DeadEnd]),
        ("a template that may give no time, with no edge for that", vec![NoInvalidEdge]),
        ("choices of data alone, with no edge for an empty list", vec![NoEmptyEdge]),
        ("timeout branch without timeout", vec![TimeoutBranch]),
        ("wait longer than max_lifetime", vec![WaitTooLong]),
        ("rounds and timeouts that together may be longer", vec![MayOutlive]),
        ("undeclared variable", vec![UndeclaredVariable]),
        ("a whole address for the button of an approved message", vec![WholeAddress]),
        ("a condition on a choice that no message offers", vec![UnknownChoice]),
        ("a field that an object does not have", vec![UnknownName]),
        ("a loop that nothing comes back to", vec![OpenLoop]),
        ("a placeholder as another product writes it", vec![ForeignPlaceholder]),
        ("template, expression or regex that does not parse", vec![BadTemplate, BadExpression, BadRegex]),
        ("channel limits", vec![ChannelLimit]),
        ("no certain destination", vec![NoDestination]),
        ("a manual flow that sends and has no sender", vec![NoSender]),
        ("equal labels in one message", vec![SameLabel]),
        (
            "a form, or choices, a place or goods that no question behind it takes",
            vec![FormNotTaken, AnswerNotTaken],
        ),
        ("a question that shows none of its choices", vec![ChoicesUnseen]),
        ("a text that lacks a language of the flow", vec![Untranslated]),
        ("free text that may fall outside WhatsApp's window", vec![WindowMayBeClosed]),
        ("unbound account", vec![UnboundAccount]),
        ("unknown subflow", vec![UnknownSubflow]),
        ("recursion without a wait", vec![EndlessRecursion]),
        ("size limits", vec![TooLarge, TooDeep, TooManyNodes, TooManyEdges]),
        // Elsewhere in the contract: T2, L5, S6.
        ("a wait in a flow that runs without a contact", vec![WaitWithoutContact]),
        ("two online `any` flows on one account", vec![TwoAnyTriggers]),
        ("a reminder is a branch of sends and set_variables", vec![ReminderPath]),
        // Of the form, and of the list itself.
        (
            "what cannot be read",
            vec![NotJson, DuplicateKey, UnknownField, WrongType, MissingField, BadSpec, BadName],
        ),
        ("what makes no sense", vec![BadValue, BadSpan, UnknownKind, IntoStart, UnknownBranch, MoreIssues]),
    ];
    let told: BTreeMap<IssueCode, &str> =
        sentences.iter().flat_map(|(sentence, codes)| codes.iter().map(|code| (*code, *sentence))).collect();
    let untold: Vec<_> = IssueCode::ALL.iter().filter(|code| !told.contains_key(code)).collect();
    assert!(untold.is_empty(), "{untold:?}");
    let warnings: Vec<_> =
        IssueCode::ALL.iter().filter(|code| code.severity() == Severity::Warning).collect();
    assert_eq!(
        warnings,
        [
            &SameLabel,
            &Untranslated,
            &FormNotTaken,
            &AnswerNotTaken,
            &UnknownChoice,
            &ChoicesUnseen,
            &WholeAddress,
            &NoInvalidEdge,
            &NoEmptyEdge,
            &Unreachable,
            &OpenLoop,
            &MayOutlive,
            &NoSender,
            &WindowMayBeClosed,
            &UndeclaredVariable,
            &UnknownName,
            &ForeignPlaceholder
        ]
    );
}
