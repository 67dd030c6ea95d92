//! Filters, one by one, and the table of them in the documentation.

use serde_json::json;

use super::*;
use crate::flow::lang::expr::filter;

#[test]
fn filters() {
    all(&[
        ("nothing | default('a') | upper", json!("A")),
        ("nothing | upper | default('a')", json!("a")),
        ("nothing | default", json!("")),
        ("null | default('a')", json!(null)),
        ("'' | default('a', true)", json!("a")),
        ("'' | default('a', also_empty=true)", json!("a")),
        ("-3 | abs", json!(3)),
        ("2 * -3 | abs", json!(6)),
        ("null | upper", json!("")),
        ("null | sort", json!(null)),
        ("null | where('a', 1) | map('b')", json!(null)),
        ("null | slice(1)", json!(null)),
        ("null | sum", json!(null)),
        ("null | first | default('a')", json!(null)),
        ("12 | upper", json!("12")),
        ("'straße' | upper", json!("STRASSE")),
        ("'ΑΣ' | lower", json!("ας")),
        ("'éa ÉB-cd' | title", json!("Éa Éb-Cd")),
        ("'' | capitalize", json!("")),
        ("'xxaxx' | trim('x')", json!("a")),
        ("(' a' ~ ' ') | trim", json!("a")),
        ("'Darjeeling' | truncate(10)", json!("Darjeeling")),
        ("'Darjeeling' | truncate(5, end='…')", json!("Darj…")),
        ("'Darjeeling' | truncate(length=2)", json!("..")),
        ("'Darjeeling' | truncate(0)", json!("")),
        ("'Darjeeling' | truncate(-1)", json!("")),
        ("'aaa' | replace('a', 'bb')", json!("bbbbbb")),
        ("'ab' | replace('', '-')", json!("-a-b-")),
        ("' a  b ' | split", json!(["a", "b"])),
        ("'a,,b' | split(',')", json!(["a", "", "b"])),
        ("context.list | join('|')", json!("1|two|{\"k\":[3]}")),
        ("nothing | join(',')", json!("")),
        ("context.obj | json", json!("{\"x\":1,\"y\":2}")),
        ("'ü/a.b-c_d' | urlencode", json!("%C3%BC/a.b-c_d")),
        ("nothing | length", json!(0)),
        ("'äö' | length", json!(2)),
        ("context.obj | length", json!(2)),
        ("context.list | last | json", json!("{\"k\":[3]}")),
        ("[] | first", json!(null)),
        ("'abc' | reverse", json!("cba")),
        ("context.list | reverse | last", json!(1)),
        ("[3, 1.5, '2', null, true, 'B', 'a'] | sort", json!([null, true, 1.5, "2", 3, "a", "B"])),
        ("[1, 3, 2] | sort(reverse=true)", json!([3, 2, 1])),
        ("[2, 1] | sort(true)", json!([2, 1])),
        ("context.goods | sort('price') | map('name')", json!(["b", "c", "a"])),
        ("context.goods | sort(by='price', reverse=true) | map('name')", json!(["a", "c", "b"])),
        ("context.goods | sort('none') | map('name')", json!(["a", "b", "c"])),
        ("context.goods | map('size.cm')", json!([10, null, 30])),
        ("context.goods | map('tags.0')", json!(["new", null, null])),
        ("context.goods | map('none')", json!([null, null, null])),
        ("context.goods | where('tags') | map('name')", json!(["a"])),
        ("context.goods | where('name', 'B') | length", json!(0)),
        ("context.goods | where('price', 5) | map('name')", json!(["b"])),
        ("context.goods | where('price', '>=', '9.5') | map('name')", json!(["a", "c"])),
        ("context.goods | where('name', 'in', ['a', 'c']) | map('name')", json!(["a", "c"])),
        ("context.goods | where('tags', 'contains', 'new') | map('name')", json!(["a"])),
        ("context.goods | where('size', '!=', 1) | length", json!(3)),
        ("context.goods | sum('price')", json!(26.5)),
        ("context.goods | map('price') | sum", json!(26.5)),
        ("nothing | map('a') | default('none')", json!("none")),
        ("[1, '1', 1.0, 'a', 'A', null, null] | unique", json!([1, "a", "A", null])),
        ("context.goods | unique('tags') | map('name')", json!(["a", "b"])),
        ("context.goods | without(['a', 'b'], by='name') | map('name')", json!(["c"])),
        ("context.goods | without(context.goods | slice(0, 2), 'name') | map('name')", json!(["c"])),
        ("[1, 2, 3] | without('2')", json!([1, 3])),
        ("[1, 2, 3] | without(nothing)", json!([1, 2, 3])),
        ("[1, 2, 3] | slice(1)", json!([2, 3])),
        ("[1, 2, 3] | slice(-1, 1)", json!([3])),
        ("[1, 2, 3] | slice(9)", json!([])),
        ("[1, 2, 3] | slice(0, -1)", json!([])),
        ("[1, 2, 3] | slice(-9223372036854775807)", json!([1, 2, 3])),
        ("'abc' | slice(1, 1)", json!("b")),
        ("'a👨\u{200d}👩\u{200d}👧b' | slice(1, 1)", json!("👨\u{200d}👩\u{200d}👧")),
        ("'🇫🇷🇩🇪' | slice(-1)", json!("🇩🇪")),
        ("'e\u{301}a' | slice(0, 1)", json!("e\u{301}")),
        ("context.goods | index('c', by='name')", json!(2)),
        ("[1, 2] | index(3)", json!(null)),
        ("'[1, {\"a\": null}]' | from_json", json!([1, {"a": null}])),
        ("'{\"a\": {\"b\": 1.5}}' | from_json | json", json!("{\"a\":{\"b\":1.5}}")),
        ("('{\"a\": 1}' | from_json) == ('{\"a\": 1.0}' | from_json)", json!(true)),
        ("'b' in ('{\"b\": 1}' | from_json)", json!(true)),
        ("'no json' | from_json | default('none')", json!("none")),
        ("[1] | from_json", json!([1])),
        ("null | match('a')", json!(null)),
        ("'ab12' | match('([a-z]+)(x)?')", json!(["ab", "ab", null])),
        ("'ab12' | match('^[0-9]') | default('none')", json!("none")),
        ("'k: v' | match('(?P<key>\\\\w+): (?P<value>\\\\w+)')", json!({"key": "k", "value": "v"})),
        ("[] | min", json!(null)),
        ("['b', 'A'] | min", json!("A")),
        ("[1, 1.0] | max", json!(1.0)),
        ("[] | sum", json!(0)),
        ("['a', 1, null, [2]] | sum", json!(1)),
        ("'1e3' | number", json!(1000)),
        ("'-7' | number + 1", json!(-6)),
        ("'inf' | number", json!(null)),
        ("'nan' | number | default(1)", json!(1)),
        ("'1,5' | number", json!(1.5)),
        ("true | number", json!(null)),
        ("'12' | int", json!(12)),
        ("-3.9 | int", json!(-3)),
        ("null | int", json!(0)),
        ("'x' | int(7)", json!(7)),
        ("'x' | int(default=7)", json!(7)),
        ("'1.5' | float", json!(1.5)),
        ("2 | float", json!(2.0)),
        ("2.5 | round", json!(2)),
        ("3.5 | round", json!(4)),
        ("1.005 | round(2)", json!(1)),
        ("1234 | round(-2)", json!(1200)),
        ("1250 | round(-2)", json!(1200)),
        ("1350 | round(-2)", json!(1400)),
        ("-1250 | round(-2)", json!(-1200)),
        ("7 | round(-400)", json!(0)),
        ("1234.5 | round(-2)", json!(1200)),
        ("0.1 | round(100000000000)", json!(0.1)),
        ("0.1 | round(-100000000000)", json!(0)),
        ("1234567 | currency('EUR')", json!("EUR 1,234,567.00")),
        ("-0.001 | currency('EUR')", json!("EUR 0.00")),
        ("-1234.5 | currency('USD')", json!("USD -1,234.50")),
        ("'1999.5' | currency('JPY')", json!("JPY 2,000")),
        ("1.5 | currency('KWD')", json!("KWD 1.500")),
        ("100 | currency('')", json!("100.00")),
        ("'free' | currency('EUR') | default('free')", json!("free")),
        ("now | date", json!("2026-03-01")),
        ("now | add_days(-1) | date('%A %-d %B')", json!("Saturday 28 February")),
        ("'2026-03-01T23:30:00+02:00' | date('%H:%M')", json!("23:30")),
        ("'2026-03-01 08:15' | date('%H:%M')", json!("08:15")),
        ("'2026-03-01' | date(\"%d/%m\")", json!("01/03")),
        ("'soon' | date('%d') | default('?')", json!("?")),
        ("12 | date", json!(null)),
        ("'2026-03-01T23:30:00+02:00' | add_days(1)", json!("2026-03-02T23:30:00+02:00")),
        ("'soon' | add_days(1)", json!(null)),
        ("now | add_days(9223372036854775807)", json!(null)),
        ("now | add_days(3000000)", json!(null)),
        ("now | add(90, 'minutes')", json!("2026-03-01T11:00:00Z")),
        ("now | add('-2', 'hours')", json!("2026-03-01T07:30:00Z")),
        ("'2026-01-31' | add(1, 'month')", json!("2026-02-28")),
        ("'2024-02-29' | add(1, 'year')", json!("2025-02-28")),
        ("'2026-03-28T01:30:00Z' | add(1, 'day', 'Europe/Berlin')", json!("2026-03-29T03:00:00+02:00")),
        ("'2026-03-28T22:00:00Z' | add(24, 'hours', 'Europe/Berlin')", json!("2026-03-30T00:00:00+02:00")),
        ("now | add(1, 'fort' ~ 'night')", json!(null)),
        ("now | add(1, 'day', 'Ma' ~ 'rs')", json!(null)),
        ("now | date('%H:%M', 'Asia/Kathmandu')", json!("15:15")),
        ("now | date('%H:%M', null)", json!("09:30")),
        ("now | date('%H:%M', 'Ma' ~ 'rs')", json!(null)),
        ("now | date('%-d %B', 'UTC', 'ru')", json!("1 марта")),
        ("now | date('%B', 'UTC', 'ru')", json!("март")),
        ("now | date('%a %-d %b', 'UTC', 'pt_BR')", json!("dom. 1 mar.")),
        ("now | local('Asia/Tokyo')", json!("2026-03-01T18:30:00+09:00")),
        ("'2026-05-09' | days_between('2026-05-07')", json!(-2)),
        ("'2026-05-07T23:30:00Z' | days_between('2026-05-08T00:30:00Z')", json!(1)),
        ("'2026-05-07T23:30:00Z' | days_between('2026-05-08T00:30:00Z', 'Asia/Tokyo')", json!(0)),
        ("'soon' | days_between('2026-05-08')", json!(null)),
        ("1772357400 | from_epoch", json!("2026-03-01T09:30:00Z")),
        ("'1772357400123' | from_epoch('milliseconds')", json!("2026-03-01T09:30:00.123Z")),
        ("1772357400.5 | from_epoch | date('%H:%M', 'Asia/Tokyo')", json!("18:30")),
        ("-1 | from_epoch", json!("1969-12-31T23:59:59Z")),
        ("1e20 | from_epoch", json!(null)),
        ("'soon' | from_epoch", json!(null)),
        ("1 | from_epoch('days' ~ '')", json!(null)),
        ("1234.5 | format_number(2, 'pt-BR')", json!("1.234,50")),
        ("'-1234567.125' | format_number(2, 'en-IN')", json!("-12,34,567.12")),
        ("1234 | format_number(language='de')", json!("1.234")),
        ("-0.001 | format_number(2, 'en')", json!("0.00")),
        ("0.125 | format_number(language='de')", json!("0,125")),
        ("'many' | format_number", json!(null)),
        ("1 | format_number(-3, 'en')", json!("1")),
        ("now | weekday", json!("sun")),
        ("'2026-03-01T23:30:00Z' | weekday('Asia/Tokyo')", json!("mon")),
    ]);
    for (source, code) in [
        ("'x' | int", "type_mismatch"),
        ("[1] | float", "type_mismatch"),
        ("'x' | abs", "type_mismatch"),
        ("'x' | round", "type_mismatch"),
        ("1 | round('x' ~ '')", "type_mismatch"),
        ("1 | map('a')", "type_mismatch"),
        ("1 | match('a')", "type_mismatch"),
        ("[1] | sort(1 + 0)", "type_mismatch"),
        ("[1] | where('a', '~' ~ '', 1)", "type_mismatch"),
        ("1 | split", "type_mismatch"),
        ("1 | join", "type_mismatch"),
        ("1 | length", "type_mismatch"),
        ("1 | first", "type_mismatch"),
    ] {
        assert_eq!(eval_json(source).unwrap_err().code(), code, "{source}");
    }
}

/// N11: an argument that is written out and of the wrong kind is told when the flow is read.
#[test]
fn arguments_of_the_wrong_kind_are_no_expressions() {
    for (source, message) in [
        ("x | sort(1)", "`sort` takes the name of a field in quotes, or true for `by`"),
        ("x | sort('a', 'b')", "`sort` takes true or false for `reverse`"),
        ("x | sum(2)", "`sum` takes the name of a field in quotes for `by`"),
        ("x | map(1)", "`map` takes the name of a field in quotes for `field`"),
        ("x | truncate('5')", "`truncate` takes a whole number for `length`"),
        ("x | round('x')", "`round` takes a whole number for `precision`"),
        ("x | slice(1.5)", "`slice` takes a whole number for `start`"),
        ("x | join(1)", "`join` takes a text in quotes for `sep`"),
        (
            "x | where('a', 'is', 1)",
            "`where` compares by '==', '!=', '<', '<=', '>', '>=', 'in' or 'contains'",
        ),
        ("x | match(y)", "`match` needs its pattern in quotes"),
        ("x | match('(')", "`match` has no pattern: unclosed group"),
        ("x | map", "`map` needs its argument `field`"),
    ] {
        let error = Expr::parse(source, &Limits::default()).unwrap_err().to_string();
        assert!(error.starts_with(message), "{source}: {error}");
    }
}

/// N11, S7: what filters build is bounded, however large the list.
#[test]
fn filters_of_lists_are_bounded() {
    let many = (0..7_500).map(|at| at.to_string()).collect::<Vec<_>>().join(",");
    for (source, code) in [
        (format!("'[{many}]' | from_json | unique"), "expression_steps"),
        (format!("'[{many}]' | from_json | sort | map('a') | where('a') "), "expression_steps"),
        (format!("'{}{}' | from_json", "[".repeat(500), "]".repeat(500)), ""),
        (format!("'{}' | match('{}x')", "ab".repeat(2_000), "(.*)".repeat(20)), ""),
        (format!("'{}' | match('((a|b|ab)*)*c|(\\\\pL+)+$')", "ab".repeat(2_000)), ""),
        ("'a' | match('a') | length + ".repeat(14) + "0", "expression_steps"),
    ] {
        let limits = Limits { template_bytes: 1 << 20, ..Limits::default() };
        let expr = Expr::parse(&source, &limits).unwrap();
        let told = expr.eval_json(&roots(), &limits, &mut |_| {});
        assert_eq!(told.err().map(|error| error.code()).unwrap_or_default(), code, "{:.60}", source);
    }
}

/// The table in the docs of `filter` is what an author reads, so each row is run and each filter
/// has a row.
#[test]
fn every_row_of_the_table_of_filters_holds() {
    let table = include_str!("../filter/table.md").lines().filter_map(|line| line.strip_prefix("| "));
    let (mut rows, mut names) = (0, String::new());
    for row in table.skip(1) {
        let row = row.replace("\\|", "\u{1}");
        let cells: Vec<String> = row.split(" | ").map(|cell| cell.replace('\u{1}', "|")).collect();
        names += cells.first().unwrap();
        let [.., example, result] = cells.as_slice() else { panic!("{row}") };
        let example = example.trim_matches('`').trim_start_matches("{{").trim_end_matches("}}");
        assert_eq!(text(example), result.trim_end_matches(" |").trim_matches('`'), "{example}");
        rows += 1;
    }
    assert_eq!(rows, 50);
    for row in &filter::ROWS {
        assert!(names.contains(&format!("`{}", row.name)), "{} is not in the table", row.name);
        assert_eq!(filter::find(row.name).map(|found| found.filter), Some(row.filter));
    }
}
