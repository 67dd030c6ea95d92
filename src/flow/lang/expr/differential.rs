//! The language against minijinja: generated expressions over a generated context, evaluated by
//! both, must give the same JSON, or an error in both. Left out, because they differ on purpose:
//!
//! - order (`<` …) of unlike things, lists and null: false here, by kind there, where `'abc' > 5`
//!   is true;
//! - `~` and `join` of floats, truth values, null and lists: as JSON here, as Python there (`True`,
//!   `None`);
//! - `*` on texts and lists, which repeats them there;
//! - arithmetic with what is not defined: not defined here, so that a text can render empty
//!   (SEMANTICS N7), an error there; a `default` keeps it out of the generated arithmetic;
//! - numbers: decimal here, floats there, so that all that are generated are multiples of powers of
//!   two, which both know exactly; what is beyond 28 digits is not defined here;
//! - a number in a text: one here in comparisons and arithmetic, a text there, so that no text that
//!   is generated is one;
//! - null and what is not defined in filters of texts, and in `length`, `first`, `in null`:
//!   harmless here, errors there;
//! - `sum` of what is no number: left out here (SEMANTICS N11), an error there;
//! - characters: what people see as one here (SEMANTICS U19), code points there, so that all that
//!   are generated are both;
//! - blanks around a number in a text, comparisons in a chain, truth values and floats as an index;
//! - filters that minijinja's core does not have, or that read otherwise: `truncate`, `number`,
//!   `currency`, `date`, `add_days`, `json`, `urlencode`, `string`.

#![allow(clippy::arithmetic_side_effects)]

use minijinja::{Environment, UndefinedBehavior};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::Roots;
use super::{EvalError, Expr};
use crate::limits::Limits;

fn ours(source: &str, context: &Value) -> Result<Value, EvalError> {
    let limits = Limits { expression_depth: 100, ..Limits::default() };
    let expr = Expr::parse(source, &limits).unwrap_or_else(|error| panic!("{source}: {error}"));
    expr.eval_json(&Roots::new(context), &limits, &mut |_| {})
}

fn theirs(source: &str, context: &Value) -> Result<Value, String> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Chainable);
    let expr = env.compile_expression(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let value = expr.eval(minijinja::value::Serde(context)).map_err(|error| error.to_string())?;
    serde_json::to_value(&value).map_err(|error| error.to_string())
}

fn check(source: &str, context: &Value) -> Result<(), TestCaseError> {
    let ours = ours(source, context);
    let theirs = theirs(source, context);
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => {
            prop_assert!(are_same(ours, theirs), "{source} over {context}: {ours} and {theirs}");
        }
        (Err(_), Err(_)) => {}
        _ => prop_assert!(false, "{source} over {context}: {ours:?} and {theirs:?}"),
    }
    Ok(())
}

/// The same JSON; a number by its value, since a whole one is never a float here.
fn are_same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(ours), Value::Number(theirs)) => ours == theirs || ours.as_f64() == theirs.as_f64(),
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| are_same(ours, theirs))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(key, ours)| theirs.get(key).is_some_and(|theirs| are_same(ours, theirs)))
        }
        _ => ours == theirs,
    }
}

type Source = BoxedStrategy<String>;

fn pick(all: &'static [&'static str]) -> Source {
    prop::sample::select(all).prop_map(str::to_owned).boxed()
}

fn number(depth: u32) -> Source {
    let leaf = prop_oneof![
        (0..20_i64).prop_map(|n| n.to_string()),
        (0..400_i64).prop_map(|n| format!("{:?}", n as f64 / 8.0)),
        pick(&["n", "f", "u", "i", "o.k", "o['k']", "l | length"]),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let below = || number(depth - 1);
    let op = pick(&["+", "-", "//", "%"]);
    let by = pick(&["* 2", "* 0.5", "* 3", "/ 2", "/ 8", "/ 0"]);
    prop_oneof![
        leaf,
        (below(), by).prop_map(|(a, by)| format!("({a} {by})")),
        (below(), op, below()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        below().prop_map(|a| format!("(-{a})")),
        below().prop_map(|a| format!("(({a}) | abs)")),
        below().prop_map(|a| format!("(({a}) | round)")),
        below().prop_map(|a| format!("(({a}) | int)")),
        below().prop_map(|a| format!("(({a}) | float)")),
        text(depth - 1).prop_map(|a| format!("({a} | length)")),
        list(depth - 1).prop_map(|a| format!("({a} | count)")),
        pick(&["'12'", "'-3.5'", "'x'", "'1e2'", "''"]).prop_map(|a| format!("({a} | int)")),
        pick(&["'12'", "'-3.5'", "'x'", "'1e2'", "''"]).prop_map(|a| format!("({a} | float(7))")),
    ]
    .boxed()
}

fn text(depth: u32) -> Source {
    let leaf = prop_oneof![pick(&["s", "t", "o.s", "o['s']", "''", "' a b '", "\"it's\"", "'\\n\\'\\\\'"])];
    if depth == 0 {
        return leaf.boxed();
    }
    let below = || text(depth - 1);
    let filter = pick(&["upper", "lower", "title", "capitalize", "trim", "reverse", "trim('ab')"]);
    prop_oneof![
        leaf,
        (below(), filter).prop_map(|(a, filter)| format!("({a} | {filter})")),
        (below(), below()).prop_map(|(a, b)| format!("({a} ~ {b})")),
        (below(), below()).prop_map(|(a, b)| format!("({a} + {b})")),
        (below(), 0..50_u8).prop_map(|(a, b)| format!("({a} ~ 'n' ~ {b})")),
        (below(), below(), below()).prop_map(|(a, b, c)| format!("({a} | replace({b}, {c}))")),
        (below(), below()).prop_map(|(a, b)| format!("({a} | split | join({b}))")),
        (below(), below()).prop_map(|(a, b)| format!("({a} | split('a') | join({b}))")),
    ]
    .boxed()
}

fn list(depth: u32) -> Source {
    let leaf = pick(&["l", "o.l", "[]", "o.l2"]);
    if depth == 0 {
        return leaf;
    }
    let below = || list(depth - 1);
    prop_oneof![
        leaf,
        prop::collection::vec(any(depth - 1), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
        (below(), below()).prop_map(|(a, b)| format!("({a} + {b})")),
        below().prop_map(|a| format!("({a} | reverse)")),
        pick(&["o.l | sort", "o.l2 | sort", "o.l | sort(reverse=true)"]).prop_map(|a| format!("({a})")),
        text(depth - 1).prop_map(|a| format!("({a} | split)")),
    ]
    .boxed()
}

fn truth(depth: u32) -> Source {
    let leaf = pick(&["true", "false", "b", "True"]);
    if depth == 0 {
        return leaf;
    }
    let order = || pick(&["<", "<=", ">", ">=", "==", "!="]);
    let below = || any(depth - 1);
    prop_oneof![
        leaf,
        (number(depth - 1), order(), number(depth - 1)).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        (text(depth - 1), order(), text(depth - 1)).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        (below(), pick(&["==", "!="]), below()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        (below(), pick(&["in", "not in"]), list(depth - 1)).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        (text(depth - 1), pick(&["in", "not in"]), text(depth - 1))
            .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        (text(depth - 1), pick(&["in o", "not in o", "in missing"])).prop_map(|(a, b)| format!("({a} {b})")),
        below().prop_map(|a| format!("(not {a})")),
        (below(), pick(&["is defined", "is not defined", "is undefined", "is none", "is not none"]))
            .prop_map(|(a, test)| format!("({a} {test})")),
    ]
    .boxed()
}

fn any(depth: u32) -> Source {
    let leaf = pick(&[
        "z",
        "none",
        "missing",
        "o.missing",
        "missing.deeper.still",
        "o.deep.er",
        "l[0]",
        "l[-1]",
        "l[i]",
        "l[7]",
        "o.l.1",
        "s[0]",
        "s[-1]",
        "t[2]",
        "o['x y']",
        "z.a",
        "n.a",
        "o",
    ]);
    if depth == 0 {
        return prop_oneof![leaf, number(0), text(0), list(0), truth(0)].boxed();
    }
    let below = || any(depth - 1);
    prop_oneof![
        leaf,
        number(depth),
        text(depth),
        list(depth),
        truth(depth),
        (below(), pick(&["and", "or"]), below()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        (below(), below(), below()).prop_map(|(a, b, c)| format!("({a} if {b} else {c})")),
        (below(), below()).prop_map(|(a, b)| format!("({a} | default({b}))")),
        (below(), below()).prop_map(|(a, b)| format!("({a} | d({b}, true))")),
        (below(), pick(&["+", "-", "//", "%"]), below())
            .prop_map(|(a, op, b)| format!("(({a} | d(7)) {op} ({b} | d(7)))")),
        below().prop_map(|a| format!("(-({a} | d(7)))")),
        list(depth - 1).prop_map(|a| format!("({a} | first)")),
        list(depth - 1).prop_map(|a| format!("({a} | last)")),
        text(depth - 1).prop_map(|a| format!("({a} | first)")),
        pick(&[
            "o.l | min",
            "o.l | max",
            "o.l2 | min",
            "o.l2 | max",
            "[n, f, i, u] | sum",
            "o.l2 | sum",
            "[] | max"
        ])
        .prop_map(|a| format!("({a})")),
    ]
    .boxed()
}

/// Without parentheses, so that both must agree on what binds closer.
fn bare() -> Source {
    let operand = || {
        prop_oneof![
            4 => pick(&["1", "2", "7", "0.5", "n", "f", "b", "i", "-3", "-n | abs", "l | length", "f | round"]),
            1 => pick(&["- 2", "not b", "s | length", "(n is defined)", "(missing is not defined)", "n if b else 4"]),
        ]
    };
    let op = pick(&[
        "+",
        "-",
        "* 2 +",
        "/ 8 -",
        "//",
        "%",
        "and",
        "or",
        "and not",
        "or not",
        "if b else",
        "if n else",
    ]);
    let comparison = prop::option::of((pick(&["==", "!="]), operand()));
    (operand(), prop::collection::vec((op, operand()), 0..6), comparison)
        .prop_map(|(first, rest, comparison)| {
            let mut source = first;
            for (op, operand) in rest {
                source = format!("{source} {op} {operand}");
            }
            if let Some((op, operand)) = comparison {
                source = format!("{source} {op} {operand}");
            }
            source
        })
        .prop_filter("`not` stands where both take it", |source| {
            let limits = Limits::default();
            Expr::parse(source, &limits).is_ok() && Environment::new().compile_expression(source).is_ok()
        })
        .boxed()
}

fn context() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any_bool(),
        (-5..5_i64).prop_map(Value::from),
        (-40..40_i64).prop_map(|n| json!(n as f64 / 8.0)),
        "[a-cA-C]{0,3}".prop_map(Value::from),
    ];
    let whole = prop_oneof![-20..20_i64, Just(1_i64 << 40), Just(-(1_i64 << 40))];
    let numbers = prop::collection::vec(prop_oneof![(-9..9_i64).prop_map(Value::from), any_bool()], 0..5);
    (
        (whole, (-8_000_000..8_000_000_i64).prop_map(|n| n as f64 / 8.0), 0..1_u64 << 40, -3..4_i64),
        (
            "\\PC{0,8}".prop_map(|text| {
                text.chars().filter(|c| is_seen_alone(*c) && !c.is_numeric()).collect::<String>()
            }),
            "[a-d ]{0,8}",
            "[ aAbB-]{0,6}",
        ),
        prop::collection::vec(scalar.clone(), 0..5),
        prop::collection::vec(scalar, 0..5),
        (numbers, any_bool()),
    )
        .prop_map(|((n, f, u, i), (s, t, os), l, ol, (l2, b))| {
            json!({
                "n": n, "f": f, "u": u, "i": i, "s": s, "t": t, "b": b, "z": null, "l": l,
                "o": {"k": i, "s": os, "l": ol, "l2": l2, "x y": 1, "deep": {"er": [1, {"a": 2}]}},
            })
        })
}

/// True of a code point that people see as one character, whatever is beside it and in either case.
fn is_seen_alone(c: char) -> bool {
    const HANGUL: [std::ops::RangeInclusive<char>; 3] =
        ['\u{1100}'..='\u{11ff}', '\u{a960}'..='\u{a97f}', '\u{d7b0}'..='\u{d7ff}'];
    let alone = |c: char| {
        let texts = [format!("{c}{c}"), format!("a{c}"), format!("{c}a")];
        texts.iter().all(|text| crate::grapheme::count(text) == 2)
    };
    !HANGUL.iter().any(|jamo| jamo.contains(&c))
        && c.to_lowercase().chain(c.to_uppercase()).chain([c]).all(alone)
}

fn any_bool() -> impl Strategy<Value = Value> + Clone {
    proptest::bool::ANY.prop_map(Value::from)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn both_give_the_same_value(source in any(3), context in context()) {
        check(&source, &context)?;
    }

    #[test]
    fn both_bind_alike(source in bare(), context in context()) {
        check(&source, &context)?;
    }
}
