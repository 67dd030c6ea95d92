//! Sources and values that are made to exhaust the host. Each must end in an error, or in a capped
//! value, within the stack of a test's thread; the limit on the source's length is lifted, so that
//! the other limits have to hold.

#![allow(clippy::arithmetic_side_effects)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::Roots;
use super::{EvalError, Expr, Val};
use crate::limits::Limits;

const MANY: usize = 100_000;

fn open() -> Limits {
    Limits { template_bytes: usize::MAX, ..Limits::default() }
}

fn roots() -> Roots {
    Roots::new(&json!({
        "long": "x,".repeat(30_000 / 2), "wide": (0..20_000).collect::<Vec<_>>(), "s": "a",
        "deep": [[[[[[[[[["bottom"]]]]]]]]]], "evil": "{{ 7 * 7 }}", "max": i64::MAX, "min": i64::MIN,
    }))
}

/// Returns the result of evaluating: `Ok` of its length as text, or the code of the fault.
fn outcome(source: &str) -> Result<usize, String> {
    let limits = open();
    let expr = Expr::parse(source, &limits).map_err(|error| error.message.to_string())?;
    let roots = roots();
    let val = expr.eval(&roots, &limits, &mut |_| {}).map_err(|error: EvalError| error.code().to_owned())?;
    let mut out = String::new();
    val.write(&mut out).map_err(|_| "write".to_owned())?;
    Ok(out.len())
}

#[test]
fn nesting_is_refused_before_it_reaches_the_stack() {
    let deep = Err("must be nested at most 32 levels".to_owned());
    for (before, after) in [
        ("(", ")"),
        ("[", "]"),
        ("s | default(", ")"),
        ("wide[s ~ ", "]"),
        ("-(", ")"),
        ("not (", ")"),
        ("s if s else ", ""),
        ("'a' ~ (", ")"),
        ("s[(", ")]"),
    ] {
        for times in [33, MANY] {
            assert_eq!(outcome(&(before.repeat(times) + "s" + &after.repeat(times))), deep, "{before}");
            assert_eq!(outcome(&before.repeat(times)), deep, "{before}");
        }
    }
    assert_eq!(outcome(&("(".repeat(31) + "s" + &")".repeat(31))), Ok(1));
    let boundless = Limits { expression_depth: usize::MAX, ..open() };
    assert!(Expr::parse(&"(".repeat(MANY), &boundless).is_err());
    assert!(Expr::parse(&("(".repeat(127) + "s" + &")".repeat(127)), &boundless).is_ok());
}

#[test]
fn chains_run_until_the_steps_are_used_up() {
    let steps = Err("expression_steps".to_owned());
    for (first, link) in [
        ("1", " + 1"),
        ("1", " * 1"),
        ("s", " ~ ''"),
        ("s", " | upper"),
        ("s", " | default('a')"),
        ("s", " is defined"),
        ("0", " or 0"),
        ("1", " and 1"),
        ("[1]", "[0]"),
        ("1", " in [1] and 1"),
    ] {
        assert_eq!(outcome(&(first.to_owned() + &link.repeat(MANY))), steps, "{link}");
    }
    assert_eq!(outcome(&("- ".repeat(MANY) + "1")), steps);
    assert_eq!(outcome(&("not ".repeat(MANY) + "1")), steps);
    assert_eq!(outcome(&format!("[{}]", "1,".repeat(MANY))), steps);
    // One path of many pieces is one step, and undefined at its second.
    assert_eq!(outcome(&("s".to_owned() + &".a".repeat(MANY))), Ok(0));
    assert!(outcome(&("s".to_owned() + &" if s".repeat(MANY))).is_err());
}

#[test]
fn texts_do_not_grow_beyond_their_cap() {
    let output = Err("expression_output".to_owned());
    let mut doubled = "'0123456789'".to_owned();
    for _ in 0..12 {
        doubled = format!("({doubled} ~ {doubled})");
    }
    assert_eq!(outcome(&doubled), output);
    assert_eq!(outcome(&format!("s{}", " | replace('a', 'aa')".repeat(40))), output);
    for source in [
        "long ~ long",
        "long | replace(',', s ~ 'aaaaaaaaa')",
        "long | replace('', 'xxxxxxxx')",
        "long | upper",
        "long | reverse",
        "long | urlencode",
        "long | json",
        "long | split('x')",
        "[long, long] | join(long)",
        "[long, long] | string",
        "'a' | truncate(9223372036854775807) ~ long",
        "long | truncate(20000)",
    ] {
        assert_eq!(outcome(source), output, "{source}");
    }
    assert_eq!(outcome("long | truncate(9)"), Ok(9));
    assert_eq!(outcome("long | length"), Ok(5));
    // A text that is merely passed on is not copied; rendering cuts it.
    assert_eq!(outcome("long"), Ok(30_000));
}

#[test]
fn memory_is_bounded_by_steps() {
    let nine_thousand = "(long | truncate(9000))";
    let many_texts = format!("[{}]", format!("{nine_thousand},").repeat(1_000));
    assert_eq!(outcome(&many_texts), Err("expression_steps".to_owned()));
    for source in
        ["wide + wide", "wide | sort", "wide | reverse", "wide | sum", "wide | join", "wide == wide + [1]"]
    {
        let fault = outcome(source).unwrap_err();
        assert!(fault == "expression_output" || fault == "expression_steps", "{source}: {fault}");
    }
    assert_eq!(outcome("wide | length"), Ok(5));
    assert_eq!(outcome("wide | last"), Ok(5));
    let limits = open();
    let expr = Expr::parse(&format!("[{}]", "wide,".repeat(1_000)), &limits).unwrap();
    let fault = expr.eval_json(&roots(), &limits, &mut |_| {}).unwrap_err();
    assert_eq!(fault.code(), "expression_output");
}

#[test]
fn large_literals_and_numbers_end_in_an_answer() {
    let literal = format!("'{}'", "x".repeat(1 << 20));
    assert_eq!(outcome(&literal), Ok(1 << 20));
    assert_eq!(outcome(&format!("{literal} ~ ''")), Err("expression_output".into()));
    assert!(Expr::parse(&literal, &Limits::default()).is_err());
    assert!(outcome(&"9".repeat(MANY)).is_err());
    assert!(outcome(&format!("1.{}", "9".repeat(MANY))).is_ok());
    assert!(outcome(&format!("1e{}", "9".repeat(MANY))).is_err());
    assert_eq!(outcome("1.5 | round(9223372036854775807)"), Ok(3));
    assert_eq!(outcome("1.5 | round(-9223372036854775807 - 1)"), Ok(1));
    assert_eq!(outcome("min // -1"), Ok(19));
    assert_eq!(outcome("min % -1"), Ok(1));
    assert_eq!(outcome("min | abs"), Ok(19));
    assert_eq!(outcome("-min"), Ok(19));
    assert_eq!(outcome("max * max * max * max"), Ok(0));
    assert_eq!(outcome("min | round(-18)"), Ok(20));
    assert_eq!(outcome("'1e308' | currency('EUR')"), Ok(0));
    assert_eq!(outcome(&format!("'{}' | number", "1".repeat(MANY))).map_err(|_| ()), Ok(0));
}

#[test]
fn no_number_compares_as_true_with_what_is_none() {
    let nan = Val::Float(f64::NAN);
    let (mut meter, roots) = (super::Meter::new(&Limits::default()), roots());
    let mut aid = super::aid::Aid { scope: &roots, meter: &mut meter, report: &mut |_| {} };
    for op in [super::code::Binary::Eq, super::code::Binary::Lt, super::code::Binary::Ge] {
        for other in [Val::Float(f64::NAN), Val::Int(1), Val::Float(1.0)] {
            let holds = super::ops::binary(op, nan.clone(), other, &mut aid).unwrap();
            assert!(!holds.is_true());
        }
    }
}

#[test]
fn data_is_never_evaluated() {
    let limits = open();
    for source in ["evil", "evil ~ ''", "evil | string | trim", "[evil] | join", "evil | default('x')"] {
        let expr = Expr::parse(source, &limits).unwrap();
        let value = expr.eval_json(&roots(), &limits, &mut |_| {}).unwrap();
        assert_eq!(value, Value::from("{{ 7 * 7 }}"), "{source}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_text_is_an_expression_or_a_syntax_error(source in "\\PC{0,60}") {
        let _ = outcome(&source);
    }

    #[test]
    fn any_tokens_are_an_expression_or_a_syntax_error(tokens in prop::collection::vec(token(), 0..24)) {
        let source = tokens.join(" ");
        if let Err(error) = Expr::parse(&source, &Limits::default()) {
            prop_assert!(error.offset <= source.chars().count());
        }
        let _ = outcome(&source);
    }
}

fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        "|",
        "=",
        "==",
        "<",
        "+",
        "-",
        "*",
        "//",
        "%",
        "~",
        "if",
        "else",
        "and",
        "or",
        "not",
        "in",
        "is",
        "defined",
        "none",
        "1",
        "2.5",
        "'a'",
        "\"b\"",
        "s",
        "long",
        "wide",
        "min",
        "max",
        "sort",
        "default",
        "replace",
        "truncate",
        "round",
        "split",
        "join",
        "date",
        "currency",
        "add_days",
        "reverse",
        "}}",
        "'%Y'",
        "9223372036854775807",
        "deep",
    ])
}
