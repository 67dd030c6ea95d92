//! Texts with expressions: what is written, what is cut, what is reported.

#![allow(clippy::arithmetic_side_effects)]

use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::json;

use super::{Template, Undefined};
use crate::flow::lang::expr::Remark;
use crate::flow::lang::expr::tests::Roots;
use crate::grapheme::TextUnit;
use crate::limits::Limits;

fn render_with(source: &str, undefined: Undefined, limits: &Limits) -> (Result<String, String>, Vec<String>) {
    let roots = Roots::new(&json!({
        "context": {
            "name": "Ada", "count": 3, "obj": {"a": [1, 2.5, "x"]}, "none": null, "evil": "{{ 7 * 7 }}",
            "long": "é".repeat(8_000), "yes": true,
        },
    }));
    let template = Template::parse(source, limits).unwrap_or_else(|error| panic!("{source}: {error}"));
    let mut reported = Vec::new();
    let text = template.text(&roots, undefined, limits, &mut |remark| {
        if let Remark::Undefined(path) = remark {
            reported.push(path.to_owned());
        }
    });
    (text.map(Cow::into_owned).map_err(|error| error.to_string()), reported)
}

fn render(source: &str) -> String {
    render_with(source, Undefined::Empty, &Limits::default()).0.unwrap()
}

#[test]
fn a_text_is_written_with_its_values() {
    for (source, expected) in [
        ("", ""),
        ("plain } text {", "plain } text {"),
        ("Hi {{context.name}}!", "Hi Ada!"),
        ("{{ context.name }}{{ context.count + 1 }}", "Ada4"),
        ("{{ context.obj }}", r#"{"a":[1,2.5,"x"]}"#),
        ("[{{ context.none }}|{{ null }}|{{ context.yes }}]", "[||true]"),
        ("{{ '{{' }} x {{ '}}' }}", "{{ x }}"),
        ("{% if x %}{# no #} }}", "{% if x %}{# no #} }}"),
        ("{{ 'a }} b' }}", "a }} b"),
        ("{{ context.evil }}", "{{ 7 * 7 }}"),
        ("{{ 7 * 7 }}", "49"),
        ("{{{ 'x' }}", "error"),
    ] {
        if expected == "error" {
            assert!(Template::parse(source, &Limits::default()).is_err(), "{source}");
        } else {
            assert_eq!(render(source), expected, "{source}");
        }
    }
}

#[test]
fn a_fault_is_placed_in_the_whole_text() {
    for (source, expected) in [
        ("Hi {{ name", "expected `}}` for the `{{` at character 4"),
        ("é {{ 1 + }}", "expected a value at character 10"),
        ("{{ a }} {{", "expected a value at character 11"),
        ("{{}}", "expected a value at character 3"),
        ("{{- a }}", "expected a blank after `{{`: blanks are not trimmed at character 3"),
        ("{{ a -}}", "expected a value at character 7"),
        ("{{ a } }", "unexpected `}` at character 6"),
    ] {
        let error = Template::parse(source, &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{source}");
    }
    let limits = Limits { template_bytes: 8, ..Limits::default() };
    assert!(Template::parse("12345678", &limits).is_ok());
    assert!(Template::parse("123456789", &limits).is_err());
}

#[test]
fn what_is_not_defined_is_empty_kept_or_an_error() {
    let source = "Hi {{ context.first }} {{context.b|upper}} {{ c | default('c') }}{{ context.none }}!";
    let limits = Limits::default();
    let (empty, reported) = render_with(source, Undefined::Empty, &limits);
    assert_eq!(empty.as_deref(), Ok("Hi   c!"));
    assert_eq!(reported, ["context.first", "context.b"]);
    let (kept, reported) = render_with(source, Undefined::Keep, &limits);
    assert_eq!(kept.as_deref(), Ok("Hi {{ context.first }} {{context.b|upper}} c!"));
    assert_eq!(reported.len(), 2);
    let (refused, _) = render_with(source, Undefined::Error, &limits);
    assert_eq!(refused, Err("`context.first` is not defined".into()));
    assert!(render_with("{{ context.name }}", Undefined::Error, &limits).0.is_ok());
}

#[test]
fn the_output_is_cut_at_a_character() {
    let whole = render("{{ context.long }}{{ context.long }}{{ context.long }}");
    assert_eq!(whole.chars().count(), 10_000);
    let whole = render("{{ context.long }}xyz{{ context.name }}");
    assert_eq!(whole.chars().count(), 8_006);
    for max in 0..12 {
        let limits = Limits { template_chars: max, ..Limits::default() };
        let (out, _) = render_with("aé{{ context.name }}é{{ context.obj.a }}", Undefined::Empty, &limits);
        let expected: String = "aéAdaé[1,2.5,\"x\"]".chars().take(max).collect();
        assert_eq!(out, Ok(expected));
    }
}

#[test]
fn a_text_in_one_piece_is_borrowed_and_cut() {
    let roots = Roots::new(&json!({"name": " Ada ", "long": "éééé"}));
    let limits = Limits { template_chars: 3, ..Limits::default() };
    for (source, expected) in [
        ("plain text", "plain text"),
        ("{{ name | trim }}", "Ada"),
        ("{{ long }}", "ééé"),
        ("{{ none }}", ""),
    ] {
        let template = Template::parse(source, &limits).unwrap();
        let text = template.text(&roots, Undefined::Empty, &limits, &mut |_| {}).unwrap();
        assert!(matches!(text, Cow::Borrowed(text) if text == expected), "{source}: {text}");
    }
    let template = Template::parse("{{ 'abc' ~ 'd' }}", &Limits::default()).unwrap();
    assert_eq!(
        template.text(&roots, Undefined::Empty, &limits, &mut |_| {}).unwrap_err().code(),
        "expression_output"
    );
    let template = Template::parse("{{ 12345 }}", &limits).unwrap();
    assert_eq!(template.text(&roots, Undefined::Empty, &limits, &mut |_| {}).unwrap(), "123");
}

#[test]
fn a_text_with_short_values_is_allocated_once() {
    let roots = Roots::new(&json!({"context": {"name": "Ada", "id": "987654321", "total": "129.00"}}));
    let source = "Hi {{context.name}}, your cart {{context.id}} totals {{context.total}}. Reply 1";
    let limits = Limits::default();
    let template = Template::parse(source, &limits).unwrap();
    let text = template.text(&roots, Undefined::Empty, &limits, &mut |_| {}).unwrap().into_owned();
    assert_eq!(text, "Hi Ada, your cart 987654321 totals 129.00. Reply 1");
    assert_eq!(text.capacity(), template.likely_len);
}

#[test]
fn n7_arithmetic_without_its_operand_renders_as_the_setting_says() {
    let source = "Total: {{ context.price * 2 }}";
    let render = |undefined| render_with(source, undefined, &Limits::default());
    let reported = vec!["context.price".to_owned()];
    assert_eq!(render(Undefined::Empty), (Ok("Total: ".into()), reported.clone()));
    assert_eq!(render(Undefined::Keep), (Ok(source.into()), reported.clone()));
    assert_eq!(render(Undefined::Error), (Err("`{{ context.price * 2 }}` is not defined".into()), reported));
}

#[test]
fn lengths_are_known_beforehand() {
    let parse = |source| Template::parse(source, &Limits::default()).unwrap();
    assert_eq!(parse("déjà vu").as_literal(), Some("déjà vu"));
    assert_eq!(parse("déjà vu").literal_len(TextUnit::Characters), 7);
    assert_eq!(parse("déjà vu").literal_len(TextUnit::Bytes), 9);
    assert_eq!(parse("").as_literal(), Some(""));
    assert_eq!(parse("é {{ x }} b").literal_len(TextUnit::Characters), 4);
    assert_eq!(parse("👍{{ x }}b").literal_len(TextUnit::Utf16), 3);
    assert_eq!(parse("é {{ x }} b").as_literal(), None);
    let template = parse("{{ a.b }} {{ c | default(d) }}");
    assert_eq!(template.names().map(|path| path.as_str()).collect::<Vec<_>>(), ["a.b", "c", "d"]);
}

#[test]
fn the_pieces_of_a_text_share_its_steps() {
    let limits = Limits { expression_steps: 30, ..Limits::default() };
    assert!(render_with(&"{{ 1 + 1 }}".repeat(10), Undefined::Empty, &limits).0.is_ok());
    assert!(render_with(&"{{ 1 + 1 }}".repeat(11), Undefined::Empty, &limits).0.is_err());
}

proptest! {
    #[test]
    fn any_text_parses_or_is_refused(source in "([^{}]|\\{\\{|\\}\\}|[a-z0-9 .|'()\\[\\]+*/%~=<>!,\"-]){0,60}") {
        let limits = Limits::default();
        if let Ok(template) = Template::parse(&source, &limits) {
            let roots = Roots::new(&json!({"a": 1, "b": "x"}));
            let _ = template.text(&roots, Undefined::Keep, &limits, &mut |_| {});
        }
    }

    #[test]
    fn a_value_is_never_read_as_a_template(value in "\\PC{0,40}") {
        let limits = Limits::default();
        let roots = Roots::new(&json!({"a": value}));
        let template = Template::parse("<{{ a }}>", &limits).unwrap();
        let out = template.text(&roots, Undefined::Error, &limits, &mut |_| {}).unwrap();
        prop_assert_eq!(out, format!("<{value}>"));
    }
}
