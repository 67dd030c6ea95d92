//! The compiled forms: what conditions hold, what values render to, where branches lead.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::flow::content::CompiledMessage;
use crate::flow::lang::expr::{Remark, Scope, Val};
use crate::flow::node::{Assign, CompiledNode, Delay, Function, Port, WaitReply};
use crate::flow::{
    AnswerKind, CampaignRule, Clash, Consent, ContactMode, Decimal, EntityType, Flow, HttpMethod,
    InputPolicy, InputType, KeywordAction, KeywordMode, LogLevel, MatchKind, MediaType, NodeIx, NodeKind,
    OnTimeout, Operator, Render, ReplyKind, SendAction, Settings, Step, Undefined,
};
use crate::flow::{Concurrency, Reentry, TtlMode};
use crate::id::NodeId;
use crate::limits::Limits;
use crate::value::PackLimits;
use crate::value::PackedMap;

/// Names over one JSON object.
struct Names(PackedMap);

impl Names {
    fn of(json: Value) -> Self {
        Self(PackedMap::from_json(&json, &PackLimits::of(&Limits::default())).unwrap())
    }
}

impl Scope for Names {
    fn get(&self, root: &str) -> Option<Val<'_>> {
        self.0.get(root).map(Val::from)
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }
}

fn flow(nodes: Value, edges: Value) -> Flow {
    let mut all = vec![json!({"id": "s", "kind": "start"})];
    all.extend(nodes.as_array().unwrap().iter().cloned());
    let json = json!({"spec": 1, "code": "c", "trigger": {"kind": "manual"}, "nodes": all, "edges": edges});
    Flow::from_json(&json.to_string()).unwrap_or_else(|issues| panic!("{issues:#}"))
}

fn node(node: Value) -> Step {
    flow(json!([node]), json!([{"from": "s", "to": "n"}])).node(NodeIx(1)).unwrap().clone()
}

/// True if a condition holds, and what it reports as undefined.
fn eval(when: Value, names: Value) -> (bool, Vec<String>) {
    let flow = flow(
        json!([{"id": "n", "kind": "branch", "branches": [{"label": "1", "when": when}]}, {"id": "e", "kind": "end"}]),
        json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "1", "to": "e"},
               {"from": "n", "branch": "else", "to": "e"}]),
    );
    let Some(CompiledNode::Branch(branch)) = flow.node(NodeIx(1)).map(|step| &step.node) else { panic!() };
    let (names, limits, mut reported) = (Names::of(names), Limits::default(), Vec::new());
    let mut report = |remark: Remark<'_>| {
        if let Remark::Undefined(name) = remark {
            reported.push(name.to_owned());
        }
    };
    let mut render =
        Render { scope: &names, limits: &limits, undefined: Undefined::Keep, report: &mut report };
    let holds = branch.arms[0].1.eval(&mut render).unwrap();
    (holds, reported)
}

#[track_caller]
fn holds(when: Value, names: &Value) {
    assert!(eval(when.clone(), names.clone()).0, "{when} should hold");
    assert!(!eval(json!({"not": when}), names.clone()).0, "not {when} should not hold");
}

#[test]
fn n5_every_operator_holds_where_it_should_and_not_where_it_should_not() {
    let names = json!({"a": "Blue Car", "n": "12", "blank": " ", "nil": null, "day": "2026-05-07",
                       "reply": {"payload": "yes"}});
    let cases = [
        ("string_equals", "a", json!("Blue Car"), json!("blue car")),
        ("string_not_equals", "a", json!("blue car"), json!("Blue Car")),
        ("string_contains", "a", json!("ue C"), json!("ue c")),
        ("string_not_contains", "a", json!("red"), json!("Car")),
        ("string_starts_with", "a", json!("Blue"), json!("Car")),
        ("string_ends_with", "a", json!("Car"), json!("Blue")),
        ("string_matches", "a", json!("Blue .*"), json!("Blue")),
        ("string_contains_match", "a", json!("[A-Z]ar$"), json!("^Car")),
        ("number_equals", "n", json!(12), json!(13)),
        ("number_not_equals", "n", json!(13), json!("12.0")),
        ("number_greater", "n", json!("11.5"), json!(12)),
        ("number_greater_or_equal", "n", json!(12), json!(12.5)),
        ("number_less", "n", json!(13), json!(12)),
        ("number_less_or_equal", "n", json!("{{ n }}"), json!(11)),
        ("date_equals", "day", json!("2026-05-07"), json!("2026-05-08")),
        ("date_before", "day", json!("2026-05-08"), json!("2026-05-07")),
        ("date_after", "day", json!("2026-05-06T23:59:59Z"), json!("2026-05-07")),
    ];
    for (op, name, yes, no) in cases {
        let value = format!("{{{{ {name} }}}}");
        holds(json!({"value": value, "op": op, "to": yes}), &names);
        holds(json!({"not": {"value": value, "op": op, "to": no}}), &names);
    }
    for when in [
        json!({"value": "{{ blank }}", "op": "string_is_blank"}),
        json!({"value": "{{ a }}", "op": "string_is_not_blank"}),
        json!({"value": "{{ n }}", "op": "in_list", "list": [11, 12]}),
        json!({"value": "{{ n }}", "op": "number_between", "to": 12, "and": "12"}),
        json!({"value": "a", "op": "exists"}),
        json!({"value": "{{ nil }}", "op": "not_exists"}),
        json!({"value": "reply.text", "op": "not_exists"}),
        json!({"op": "option_payload", "to": "yes"}),
        json!({"expr": "n | number > 11 and a"}),
    ] {
        holds(when, &names);
    }
}

#[test]
fn n5_case_is_ignored_where_the_author_says_so() {
    let names = json!({"a": "STRASSE"});
    for (op, to) in [("string_equals", "Straße"), ("string_contains", "ß"), ("string_matches", "st.*E")] {
        holds(json!({"value": "{{ a }}", "op": op, "to": to, "ignore_case": true}), &names);
    }
    holds(json!({"value": "{{ a }}", "op": "in_list", "list": ["straße"], "ignore_case": true}), &names);
}

#[test]
fn n5_groups_nest_and_stop_at_the_first_that_decides() {
    let (yes, no) = (json!({"expr": "true"}), json!({"expr": "false"}));
    holds(json!({"all": [yes, {"any": [no, yes]}, {"not": no}]}), &json!({}));
    let unread = json!({"value": "{{ unread }}", "op": "string_equals", "to": "x"});
    assert_eq!(eval(json!({"all": [no, unread]}), json!({})), (false, vec![]));
    assert_eq!(eval(json!({"any": [yes, unread]}), json!({})), (true, vec![]));
}

#[test]
fn n7_what_is_undefined_counts_as_blank_and_is_reported_but_not_by_exists() {
    let blank = json!({"value": "{{ context.gone }}", "op": "string_is_blank"});
    assert_eq!(eval(blank, json!({})), (true, vec!["context.gone".to_owned()]));
    let exists = json!({"value": "context.gone", "op": "exists"});
    assert_eq!(eval(exists, json!({})), (false, vec![]));
}

/// Returns the value that the only variable of a node is set to.
fn assigned(value: Value, names: Value, limits: &Limits) -> Result<Value, String> {
    let step =
        node(json!({"id": "n", "kind": "set_variables", "variables": [{"name": "x", "value": value}]}));
    let CompiledNode::SetVariables(set) = step.node else { panic!() };
    let names = Names::of(names);
    let mut render = Render { scope: &names, limits, undefined: Undefined::Empty, report: &mut |_| {} };
    match &set.items[0].1 {
        Assign::Json(json) => json.render(&mut render).map_err(|error| error.to_string()),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn a_json_template_renders_its_texts_and_keeps_its_types() {
    let value = json!({"{{ k }}": ["{{ a }}-{{ a }}", 1, true, null, {"deep": "plain"}]});
    let expected = json!({"{{ k }}": ["x-x", 1, true, null, {"deep": "plain"}]});
    assert_eq!(assigned(value, json!({"a": "x"}), &Limits::default()), Ok(expected));
    assert_eq!(assigned(json!(null), json!({}), &Limits::default()), Err("Delete".into()));
}

#[test]
fn n13_a_placeholder_alone_keeps_its_type_and_any_other_text_is_one() {
    let names = || {
        json!({"n": 1.125, "whole": 3, "yes": true, "list": [1, "two", null], "object": {"a": 1},
               "digits": "007", "none": null})
    };
    for (template, expected) in [
        ("{{ n }}", json!(1.125)),
        ("{{ n * 2 }}", json!(2.25)),
        ("{{whole}}", json!(3)),
        ("{{ yes }}", json!(true)),
        ("{{ n > 1 }}", json!(true)),
        ("{{ list }}", json!([1, "two", null])),
        ("{{ list | first }}", json!(1)),
        ("{{ object }}", json!({"a": 1})),
        ("{{ digits }}", json!("007")),
        ("{{ none }}", json!("")),
        ("{{ gone }}", json!("")),
        ("{{ n | string }}", json!("1.125")),
        ("{{ n }} ", json!("1.125 ")),
        ("{{ n }}{{ whole }}", json!("1.1253")),
        ("no. {{ whole }}", json!("no. 3")),
    ] {
        assert_eq!(assigned(json!(template), names(), &Limits::default()), Ok(expected), "{template}");
    }
    let nested = assigned(json!({"a": ["{{ list }}"]}), names(), &Limits::default());
    assert_eq!(nested, Ok(json!({"a": [[1, "two", null]]})));
}

#[test]
fn a_json_template_can_not_grow_beyond_the_limit() {
    let limits = Limits { variable_bytes: 1_000, ..Limits::default() };
    let names = || json!({"a": "x".repeat(100)});
    assert!(assigned(json!(vec!["{{ a }}"; 10]), names(), &limits).is_ok());
    assert!(assigned(json!(vec!["{{ a }}"; 11]), names(), &limits).is_err());
    let list = || json!({"a": ["x".repeat(100)]});
    assert!(assigned(json!(vec!["{{ a }}"; 8]), list(), &limits).is_ok());
    assert!(assigned(json!(vec!["{{ a }}"; 11]), list(), &limits).is_err());
}

#[test]
fn branches_have_numbers_names_and_ends() {
    let flow = flow(
        json!([{"id": "w", "kind": "wait_reply", "timeout": "1m", "name": "Wait"},
               {"id": "b", "kind": "branch", "branches": [{"label": "1", "when": {"expr": "true"}}]},
               {"id": "f", "kind": "function", "function": "f", "branches": ["late"]},
               {"id": "e", "kind": "end"}]),
        json!([{"from": "s", "to": "w"}, {"from": "w", "to": "b"}, {"from": "w", "branch": "timeout", "to": "e"},
               {"from": "b", "branch": "else", "to": "e"}, {"from": "b", "branch": "1", "to": "f"},
               {"from": "f", "branch": "late", "to": "e"}]),
    );
    let at = |id: &str| flow.find(&NodeId::new(id).unwrap(), NodeIx(9)).unwrap();
    let step = |id: &str| flow.node(at(id)).unwrap();

    assert_eq!(flow.node(flow.start().0).unwrap().exit(Port::NEXT), Some(at("w")));
    assert_eq!(step("w").exit(WaitReply::REPLIED), Some(at("b")));
    assert_eq!(step("w").exit(WaitReply::TIMEOUT), Some(at("e")));
    assert_eq!(step("w").port_name(WaitReply::TIMEOUT).map(|name| &**name), Some("timeout"));
    assert_eq!((&*step("w").title, &*step("b").title), ("Wait", "b"));
    let CompiledNode::Branch(branch) = &step("b").node else { panic!() };
    assert_eq!(step("b").exit(Port(0)), Some(at("f")));
    assert_eq!(step("b").exit(branch.else_port()), Some(at("e")));
    assert_eq!(step("b").port_name(branch.else_port()).map(|name| &**name), Some("else"));
    assert_eq!((step("f").exit(Port::NEXT), step("f").exit(Function::FAILED)), (None, None));
    assert_eq!(step("f").port_named("late").and_then(|port| step("f").exit(port)), Some(at("e")));
    assert_eq!(step("f").port_named("never"), None);
    assert_eq!((step("e").exit(Port::NEXT), step("e").port_name(Port::NEXT)), (None, None));
}

#[test]
fn s5_a_node_is_found_by_its_id_with_or_without_a_hint() {
    let flow = flow(json!([{"id": "n", "kind": "end"}]), json!([{"from": "s", "to": "n"}]));
    let n = NodeId::new("n").unwrap();
    for hint in [NodeIx(1), NodeIx(0), NodeIx(7), NodeIx(u32::MAX)] {
        assert_eq!(flow.find(&n, hint), Some(NodeIx(1)));
    }
    assert_eq!(flow.find(&NodeId::new("gone").unwrap(), NodeIx(1)), None);
    assert!(flow.node(NodeIx(2)).is_none());
}

#[test]
fn s1_settings_have_their_defaults() {
    let flow = flow(json!([]), json!([]));
    let Settings { ttl, ttl_mode, max_lifetime, concurrency, reentry, max_message_age, .. } = flow.settings();
    assert_eq!((*ttl, *ttl_mode), (Some(TimeDelta::minutes(30)), TtlMode::Sliding));
    assert_eq!((*max_lifetime, *max_message_age), (TimeDelta::days(30), TimeDelta::hours(24)));
    assert_eq!((*concurrency, *reentry), (Concurrency::PerFlow, Reentry::Always));
    assert_eq!((flow.id().as_str(), flow.name()), ("c", "c"));
}

#[test]
fn a_literal_text_is_not_copied() {
    let step = node(json!({"id": "n", "kind": "send_message", "text": "Hi"}));
    let CompiledNode::SendMessage(send) = step.node else { panic!() };
    let names = Names::of(json!({}));
    let limits = Limits::default();
    let mut render =
        Render { scope: &names, limits: &limits, undefined: Undefined::Empty, report: &mut |_| {} };
    let CompiledMessage::Text { text, .. } = &send.message else { panic!() };
    assert!(matches!(render.text(text.pick(None, None)), Ok(Cow::Borrowed("Hi"))));
    let CompiledNode::Delay(Delay::For(pause)) = node(json!({"id": "n", "kind": "delay", "for": "1m"})).node
    else {
        panic!()
    };
    assert_eq!(pause, TimeDelta::minutes(1));
}

/// The reference is what an author reads, so it names every word that the format has.
#[test]
fn the_reference_names_every_word() {
    fn words<T: Copy>(list: &[(&'static str, T)]) -> Vec<&'static str> {
        list.iter().map(|(word, _)| *word).collect()
    }
    // Without the examples.
    let reference: String = include_str!("reference.md").split("```").step_by(2).collect();
    let known = [
        NodeKind::WORDS.to_vec(),
        words(Operator::WORDS),
        words(MatchKind::WORDS),
        words(CampaignRule::WORDS),
        words(TtlMode::WORDS),
        words(Undefined::WORDS),
        words(Clash::WORDS),
        words(InputType::WORDS),
        words(InputPolicy::WORDS),
        words(ContactMode::WORDS),
        words(SendAction::WORDS),
        words(MediaType::WORDS),
        words(ReplyKind::WORDS),
        words(OnTimeout::WORDS),
        words(AnswerKind::WORDS),
        words(Decimal::WORDS),
        words(KeywordMode::WORDS),
        words(KeywordAction::WORDS),
        words(HttpMethod::WORDS),
        words(EntityType::WORDS),
        words(Consent::WORDS),
        words(LogLevel::WORDS),
    ];
    for word in known.concat() {
        let forms = [format!("`{word}`"), format!("\"{word}\""), format!("[`{word}`]")];
        assert!(forms.iter().any(|form| reference.contains(form)), "{word} is not in the reference");
    }
}

/// Authors who give something else than an object are shown one, which is taken as it is.
#[test]
fn the_example_of_each_object_is_read_without_an_issue() {
    use crate::flow::form::diagnostics::Diagnostics;
    use crate::flow::form::path::Path;
    use crate::flow::form::read::Read;

    fn check<T: Read>() {
        let example: Value = serde_json::from_str(T::EXAMPLE).unwrap_or_else(|error| panic!("{error}"));
        let mut found = Diagnostics::default();
        let read = T::read(&example, &Path::Root, &mut found);
        assert!(read.is_some() && !found.has_errors(), "{}: {}", T::EXAMPLE, found.into_issues());
        let mut found = Diagnostics::default();
        let _ = T::read(&json!(7), &Path::Root, &mut found);
        let said = found.into_issues().to_string();
        assert!(said.contains(T::EXAMPLE) && T::EXAMPLE.len() > 2, "{said}");
    }
    macro_rules! check {
        ($($name:ident)+) => { $(check::<crate::flow::$name>();)+ };
    }
    check! {
        VariableDef SetContactDef SeveralDef ChoiceDef InputDef SplitBranchDef BranchCaseDef ClassDef KeywordDef NativeDef
        HeaderDef LocationDef CardDef ListDef SectionDef RowDef FormDef TemplateDef OptionDef ButtonDef
        MediaDef SettingsDef Sender ReminderDef LastWordsDef RuleDef TriggerDef FlowDef EdgeDef ConditionDef
    }
    check::<crate::flow::NodeDef>();
}
