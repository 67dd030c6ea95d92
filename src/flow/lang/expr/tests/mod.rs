//! Each operator, each filter, each error: an expression and what it gives.

#![allow(clippy::arithmetic_side_effects)]

mod filters;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::flow::lang::expr::{EvalError, Expr, LazyFields, Scope, Val};
use crate::limits::Limits;
use crate::value::{PackLimits, PackedMap};

/// Roots of a packed object, and one object that is read field by field.
pub(crate) struct Roots {
    roots: PackedMap,
    contact: Contact,
}

struct Contact {
    tags: PackedMap,
}

impl LazyFields for Contact {
    fn field(&self, name: &str) -> Option<Val<'_>> {
        match name {
            "name" => Some(Val::from("Ada")),
            "age" => Some(Val::Int(36)),
            "fields" => Some(Val::from(self.tags.as_node())),
            _ => None,
        }
    }

    fn names(&self) -> &[&str] {
        &["name", "email", "age", "fields"]
    }
}

impl Roots {
    pub(crate) fn new(roots: &Value) -> Self {
        let pack_limits = PackLimits { bytes: usize::MAX, depth: 16 };
        let tags = PackedMap::from_json(&json!({"city": "Turin"}), &pack_limits).unwrap();
        Self { roots: PackedMap::from_json(roots, &pack_limits).unwrap(), contact: Contact { tags } }
    }
}

impl Scope for Roots {
    fn get(&self, root: &str) -> Option<Val<'_>> {
        match root {
            "contact" => Some(Val::Map(&self.contact)),
            _ => self.roots.get(root).map(Val::from),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_357_400, 0).unwrap()
    }
}

fn roots() -> Roots {
    Roots::new(&json!({
        "context": {
            "name": "Ada", "total": 12.5, "count": 3, "none": null, "empty": "", "list": [1, "two", {"k": [3]}],
            "goods": [
                {"name": "a", "price": "12", "size": {"cm": 10}, "tags": ["new"]},
                {"name": "b", "price": 5},
                {"name": "c", "price": 9.5, "size": {"cm": 30}},
            ],
            "a b": "blank", "big": u64::MAX, "obj": {"x": 1, "y": 2}, "same": {"y": 2.0, "x": 1}, "zero": 0,
        },
        "n": 1,
        "key": "name",
    }))
}

fn eval_json(source: &str) -> Result<Value, EvalError> {
    let limits = Limits::default();
    let expr = Expr::parse(source, &limits).unwrap_or_else(|error| panic!("{source}: {error}"));
    expr.eval_json(&roots(), &limits, &mut |_| {})
}

fn text(source: &str) -> String {
    let limits = Limits::default();
    let expr = Expr::parse(source, &limits).unwrap_or_else(|error| panic!("{source}: {error}"));
    let roots = roots();
    let val = expr.eval(&roots, &limits, &mut |_| {}).unwrap_or_else(|error| panic!("{source}: {error}"));
    let mut out = String::new();
    val.write(&mut out).unwrap();
    out
}

fn error(source: &str) -> String {
    eval_json(source).unwrap_err().to_string()
}

fn syntax(source: &str) -> String {
    Expr::parse(source, &Limits::default()).unwrap_err().to_string()
}

#[track_caller]
fn all(cases: &[(&str, Value)]) {
    for (source, expected) in cases {
        assert_eq!(eval_json(source).as_ref(), Ok(expected), "{source}");
    }
}

#[test]
fn literals() {
    all(&[
        ("null", json!(null)),
        ("None", json!(null)),
        ("true", json!(true)),
        ("False", json!(false)),
        ("12", json!(12)),
        ("1.50", json!(1.5)),
        ("1e3", json!(1000.0)),
        ("\"it's\"", json!("it's")),
        (r"'a\'b\n\\\u00e9'", json!("a'b\n\\é")),
        ("[1, 'a', [null],]", json!([1, "a", [null]])),
        ("[]", json!([])),
        ("9223372036854775807", json!(i64::MAX)),
    ]);
}

#[test]
fn paths() {
    all(&[
        ("context.name", json!("Ada")),
        ("context['name']", json!("Ada")),
        ("context['a b']", json!("blank")),
        ("context.list[0]", json!(1)),
        ("context.list.1", json!("two")),
        ("context.list[-1].k[0]", json!(3)),
        ("context.list.2.k.0", json!(3)),
        ("context.list[n]", json!("two")),
        ("context[key]", json!("Ada")),
        ("context.list[n + 1]['k']", json!([3])),
        ("context.list[7]", json!(null)),
        ("context.list[-4]", json!(null)),
        ("context.name[0]", json!("A")),
        ("context.name[-1]", json!("a")),
        ("'Ada'[1]", json!("d")),
        ("[1, 2][1]", json!(2)),
        ("context.nothing.at.all[3]", json!(null)),
        ("context.big", json!(u64::MAX)),
        ("contact.name", json!("Ada")),
        ("contact.fields.city", json!("Turin")),
        ("contact", json!({"name": "Ada", "age": 36, "fields": {"city": "Turin"}})),
        ("now", json!("2026-03-01T09:30:00Z")),
    ]);
}

#[test]
fn arithmetic() {
    all(&[
        ("1 + 2 * 3", json!(7)),
        ("(1 + 2) * 3", json!(9)),
        ("7 / 2", json!(3.5)),
        ("4 / 2", json!(2)),
        ("7 // 2", json!(3)),
        ("-7 // 2", json!(-4)),
        ("-7 % 3", json!(2)),
        ("7 % -3", json!(-2)),
        ("7.5 // 2", json!(3)),
        ("-7.5 % 2", json!(0.5)),
        ("10 - 2 - 3", json!(5)),
        ("--3", json!(3)),
        ("-context.count", json!(-3)),
        ("true + 1", json!(2)),
        ("context.total * 2", json!(25)),
        ("'a' + 'b'", json!("ab")),
        ("[1] + [2]", json!([1, 2])),
        ("'a' ~ 1 ~ 2.5 ~ null ~ true ~ [1]", json!("a12.5true[1]")),
        ("'1' + 2 ~ 3", json!("123")),
        ("context.big - context.big", json!(0)),
    ]);
}

#[test]
fn arithmetic_that_has_no_result() {
    for (source, code) in [
        ("1 / 0", "division_by_zero"),
        ("1 // 0", "division_by_zero"),
        ("1 % 0.0", "division_by_zero"),
        ("'a' + 1", "type_mismatch"),
        ("-'a'", "type_mismatch"),
        ("'' * 2", "type_mismatch"),
        ("'12k' * 2", "type_mismatch"),
        ("'2026-05-07' - 1", "type_mismatch"),
        ("1 / '0'", "division_by_zero"),
        ("null + 1", "type_mismatch"),
        ("1 in 2", "type_mismatch"),
    ] {
        assert_eq!(eval_json(source).unwrap_err().code(), code, "{source}");
    }
    assert_eq!(error("null + 1"), "`+` does not take null");
    assert_eq!(error("'a lot' * 2"), "`*` does not take a text that is no number");
    assert_eq!(error("'x' | int"), "`int` does not take a text that is no number");
    assert_eq!(error("[1] | float"), "`float` does not take a list");
}

/// U10, U11: shops write prices as texts.
#[test]
fn a_number_in_a_text_is_that_number() {
    all(&[
        ("'9.99' * 3", json!(29.97)),
        ("'9.99' + 1", json!(10.99)),
        ("1 + '9.99'", json!(10.99)),
        ("'10' - '2.5'", json!(7.5)),
        ("'9,50' * 2", json!(19)),
        ("'7' // 2", json!(3)),
        ("'7' % '4'", json!(3)),
        ("'1,234.50' / 2", json!(617.25)),
        ("-'3'", json!(-3)),
        ("'१२' * 2", json!(24)),
        ("'1' + '2'", json!("12")),
        ("('1' | number) + '2'", json!(3)),
    ]);
}

#[test]
fn u11_arithmetic_is_decimal() {
    for (source, expected) in [
        ("0.1 + 0.2", "0.3"),
        ("6 / 2", "3"),
        ("('1234.5' | number) * 2", "2469"),
        ("context.total * 2", "25"),
        ("1.10 * 3", "3.3"),
        ("19.99 * 100", "1999"),
        ("4.35 * 100", "435"),
        ("1.005 * 1000", "1005"),
        ("0.1 * 0.1", "0.01"),
        ("1 / 3", "0.3333333333333333333333333333"),
        ("-7 / 2", "-3.5"),
        ("10.5 % 3", "1.5"),
        ("-10.5 // 3", "-4"),
        ("12345678901234567890.12345678 + 0", "12345678901234567890.12345678"),
        ("9223372036854775807 + 1", "9223372036854775808"),
        ("9223372036854775807 * 9223372036854775807 // 1000000000000000000", ""),
        ("-(-9223372036854775807 - 1)", "9223372036854775808"),
        ("1000000000000000 * 1000000000000", "1000000000000000000000000000"),
        ("1.0", "1"),
        ("context.same.y", "2"),
        ("[0.1, 0.2, '0.3'] | sum", "0.6"),
        ("['9.50', '129.00', 20] | max", "129.00"),
        ("['9.50', '129.00', 20] | sort | join(' ')", "9.50 20 129.00"),
        ("'2,50' | number + 1", "3.5"),
        ("'١٢٫٥' | number", "12.5"),
        ("'2,675.5' | round", "2676"),
        ("2.675 | round(2)", "2.68"),
        ("1e300", "1e+300"),
    ] {
        assert_eq!(text(source), expected, "{source}");
    }
}

#[test]
fn u11_what_is_out_of_range_is_not_defined_and_told() {
    for (source, sign) in [
        ("9223372036854775807 * 9223372036854775807 * 9223372036854775807", "*"),
        ("1e300 + 1", "+"),
        ("1e308 * 10 - 1", "*"),
        ("1e300 | int", "int"),
    ] {
        let mut told = Vec::new();
        let (limits, roots) = (Limits::default(), roots());
        let expr = Expr::parse(source, &limits).unwrap();
        let val = expr.eval(&roots, &limits, &mut |remark| told.push(format!("{remark:?}"))).unwrap();
        assert!(val.is_undefined(), "{source}");
        assert_eq!(told, [format!("NoResult({sign:?})")], "{source}");
    }
}

#[test]
fn u12_a_comparison_that_means_nothing_is_false_and_told() {
    for source in ["'ten' > 5", "5 <= 'ten'", "null < 1", "true < 1", "[1] < [2]", "'' >= 0"] {
        let mut told = 0;
        let (limits, roots) = (Limits::default(), roots());
        let expr = Expr::parse(source, &limits).unwrap();
        let val = expr.eval(&roots, &limits, &mut |_| told += 1).unwrap();
        assert!(!val.is_true() && told == 1, "{source}");
    }
}

#[test]
fn n7_arithmetic_with_what_is_not_defined_is_not_defined() {
    for op in ["+", "-", "*", "/", "//", "%"] {
        for source in [format!("nothing {op} 2"), format!("2 {op} nothing"), format!("'a' {op} nothing")] {
            assert_eq!(eval_json(&format!("({source}) is defined")), Ok(json!(false)), "{source}");
            assert_eq!(eval_json(&format!("({source}) | default('none')")), Ok(json!("none")), "{source}");
            assert_eq!(eval_json(&format!("({source}) > 1")), Ok(json!(false)), "{source}");
        }
    }
    all(&[
        ("-nothing", json!(null)),
        ("nothing / 0", json!(null)),
        ("nothing + nothing * 2 - 1 | round", json!(null)),
        ("nothing ~ 2", json!("2")),
    ]);
}

#[test]
fn comparison() {
    all(&[
        ("1 == 1.0", json!(true)),
        ("1 == true", json!(true)),
        ("1 == '1'", json!(true)),
        ("1 == 'one'", json!(false)),
        ("'1.50' == 1.5", json!(true)),
        ("'007' == '7'", json!(false)),
        ("'1.0' == '1'", json!(true)),
        ("true == '1'", json!(false)),
        ("context.obj == context.same", json!(true)),
        ("context.list == [1, 'two', context.list[2]]", json!(true)),
        ("[1] != [2]", json!(true)),
        ("[1] == [1, 2]", json!(false)),
        ("null == context.none", json!(true)),
        ("context.nothing == null", json!(false)),
        ("2 < 10", json!(true)),
        ("'2' < '10'", json!(true)),
        ("'2' < '10a'", json!(false)),
        ("'129.00' > 100", json!(true)),
        ("100 < '129.00'", json!(true)),
        ("'9007199254740993' > 9007199254740992", json!(true)),
        ("'2026-05-07T10:00:00+02:00' == '2026-05-07T08:00:00Z'", json!(true)),
        ("'2026-05-07T10:00:00+02:00' < '2026-05-07T09:00:00Z'", json!(true)),
        ("'1' in [1, 2]", json!(true)),
        ("2 <= 2.0", json!(true)),
        ("'b' > 'a'", json!(true)),
        ("9007199254740993 > 9007199254740992.0", json!(true)),
        ("context.big > 9223372036854775807", json!(true)),
        ("'abc' > 5", json!(false)),
        ("'abc' < 5", json!(false)),
        ("context.nothing < 5", json!(false)),
        ("context.nothing >= 5", json!(false)),
        ("1 in context.list", json!(true)),
        ("'x' in context.obj", json!(true)),
        ("'z' not in context.obj", json!(true)),
        ("'da' in context.name", json!(true)),
        ("not 'da' in context.name", json!(false)),
        ("2 in '12'", json!(true)),
        ("'x' in context.nothing", json!(false)),
        ("'email' in contact", json!(false)),
        ("'name' in contact", json!(true)),
        ("context.nothing is defined", json!(false)),
        ("context.none is defined", json!(true)),
        ("context.nothing is not defined", json!(true)),
        ("context.nothing is undefined", json!(true)),
        ("context.none is none", json!(true)),
        ("not context.name is defined", json!(false)),
    ]);
}

#[test]
fn logic() {
    all(&[
        ("true and false or true", json!(true)),
        ("not true or true", json!(true)),
        ("not (true or true)", json!(false)),
        ("not not 3", json!(true)),
        ("'' or 'x'", json!("x")),
        ("'a' and 'b'", json!("b")),
        ("0 and 1 / 0", json!(0)),
        ("1 or 1 / 0", json!(1)),
        ("'yes' if context.count > 2 else 'no'", json!("yes")),
        ("1 / 0 if false else 'no'", json!("no")),
        ("'a' if false else 'b' if false else 'c'", json!("c")),
        ("('a' if true else 'b') ~ 'c'", json!("ac")),
        ("'a' if true and false", json!(null)),
        ("[1 if true else 2, 3]", json!([1, 3])),
        ("'x' | default('a' if true else 'b')", json!("x")),
    ]);
    for falsy in ["null", "false", "0", "0.0", "''", "[]", "nothing", "context.empty", "context.zero"] {
        assert_eq!(eval_json(&format!("1 if {falsy} else 2")), Ok(json!(2)), "{falsy}");
    }
    for truthy in ["true", "1", "-0.5", "' '", "[0]", "context.obj", "contact", "context.big"] {
        assert_eq!(eval_json(&format!("1 if {truthy} else 2")), Ok(json!(1)), "{truthy}");
    }
}

#[test]
fn a_syntax_error_says_what_and_where() {
    for (source, expected) in [
        ("", "expected a value at character 1"),
        ("1 +", "expected a value at character 4"),
        ("(1 + 2", "expected `)` at character 7"),
        ("[1, 2", "expected `,` at character 6"),
        ("a b", "unexpected `b` at character 3"),
        ("é + ?", "unexpected `?` at character 5"),
        ("'abc", "expected a closing quote for the text that starts at character 1"),
        ("a = 1", "unexpected `=` (`==` compares) at character 3"),
        ("a | shout", "unknown filter `shout` at character 5"),
        ("a | upper(1)", "`upper` does not take this argument at character 11"),
        ("a | truncate(1, length=2)", "`truncate` does not take this argument at character 17"),
        ("a | truncate", "`truncate` needs its argument `length` at character 5"),
        ("a | replace('x')", "`replace` needs its argument `new` at character 5"),
        ("a | replace(new='x')", "`replace` needs its argument `new` at character 5"),
        ("a | date('%Q')", "`date` needs a format such as '%d.%m.%Y %H:%M' at character 5"),
        ("a | date('%#z')", "`date` needs a format such as '%d.%m.%Y %H:%M' at character 5"),
        ("a | date(b)", "`date` needs its format in quotes at character 5"),
        ("a.upper()", "functions cannot be called: a filter such as `x | upper` can at character 8"),
        ("1 < 2 < 3", "a second comparison needs `and` at character 7"),
        ("a not b", "expected `in` after `not` at character 7"),
        ("a is big", "expected `defined`, `undefined` or `none` after `is` at character 6"),
        ("a.", "expected a name after `.` at character 3"),
        ("12abc", "unexpected letter in a number at character 3"),
        ("9223372036854775808", "a number must fit 64 bits at character 1"),
        ("1e999", "a number must fit 64 bits at character 1"),
        (r"'\q'", "unknown escape in the text at character 1"),
        ("and", "expected a value before `and` at character 1"),
        ("a }} b", "unexpected `}}` at character 3"),
    ] {
        assert_eq!(syntax(source), expected, "{source}");
    }
}

#[test]
fn names_are_the_paths_it_reads() {
    let expr = Expr::parse(
        "context.a[0]['b c'] ~ (vars.x | default(y)) ~ z[k] if not w is defined",
        &Limits::default(),
    );
    let expr = expr.unwrap();
    let mut names: Vec<_> = expr.names().map(|path| (path.as_str(), path.is_optional())).collect();
    names.sort_unstable();
    let expected = [
        ("context.a[0][\"b c\"]", false),
        ("k", false),
        ("vars.x", true),
        ("w", true),
        ("y", false),
        ("z", false),
    ];
    assert_eq!(names, expected);
    let path = expr.names().next().unwrap();
    assert_eq!((path.root(), path.key()), ("context", Some("a")));
}

#[test]
fn undefined_paths_are_reported() {
    let limits = Limits::default();
    let roots = roots();
    let reported = |source: &str| {
        let mut paths = Vec::new();
        let expr = Expr::parse(source, &limits).unwrap();
        let _ = expr.eval(&roots, &limits, &mut |remark| {
            if let super::Remark::Undefined(path) = remark {
                paths.push(path.to_owned());
            }
        });
        paths
    };
    assert_eq!(reported("context.x.y ~ z"), ["context.x.y", "z"]);
    assert_eq!(reported("context.none ~ context.name"), [""; 0]);
    assert_eq!(reported("x | upper | default('')"), [""; 0]);
    assert_eq!(reported("x | default(y)"), ["y"]);
    assert_eq!(reported("x is defined or y"), ["y"]);
    assert_eq!(reported("true or x"), [""; 0]);
}

#[test]
fn reading_a_text_borrows_it() {
    let (limits, roots) = (Limits::default(), roots());
    for source in
        ["context.name", "contact.name", "context.name | trim", "context.name | split | first | default('')"]
    {
        let expr = Expr::parse(source, &limits).unwrap();
        let val = expr.eval(&roots, &limits, &mut |_| {}).unwrap();
        assert!(matches!(val, Val::Str(std::borrow::Cow::Borrowed("Ada"))), "{source}");
    }
}

#[test]
fn debug_shows_no_content() {
    assert_eq!(format!("{:?}", Val::from("secret")), "Val(a text)");
}
