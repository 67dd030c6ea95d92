use super::*;

fn text(number: Option<Amount>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

#[track_caller]
fn check(written: &str, expected: &str) {
    assert_eq!(text(read(written, Marks::Open)), expected, "{written}");
}

#[test]
fn u10_numbers_are_read_as_people_write_them() {
    for (written, expected) in [
        ("12", "12"),
        ("-3", "-3"),
        ("−3", "-3"),
        ("–3", "-3"),
        ("- 3", "-3"),
        ("+7", "7"),
        ("007", "7"),
        ("1,234.5", "1234.5"),
        ("1.234,5", "1234.5"),
        ("1 234,5", "1234.5"),
        ("1'234'567.25", "1234567.25"),
        ("1,00,000", "100000"),
        ("12,34,567.50", "1234567.5"),
        ("1.234.567", "1234567"),
        ("1,5", "1.5"),
        ("1.5", "1.5"),
        ("1.50", "1.5"),
        ("2.0", "2"),
        ("1,234", "1234"),
        ("1.234", "1234"),
        ("0,125", "0.125"),
        ("0.125", "0.125"),
        (".5", "0.5"),
        ("1.2345", "1.2345"),
        ("1234.567", "1234.567"),
        ("٣٤", "34"),
        ("١٢٫٥", "12.5"),
        ("١٬٢٣٤٫٥", "1234.5"),
        ("۱۲٫۵", "12.5"),
        ("१,२३,४५६", "123456"),
        ("１２，５００．５", "12500.5"),
        ("\u{200e}−12", "-12"),
        (" 25. ", "25"),
        ("25!", "25"),
        ("9223372036854775808", "9223372036854775808"),
        ("0.1234567890123456789012345678", "0.1234567890123456789012345678"),
    ] {
        check(written, expected);
    }
}

#[test]
fn u10_what_is_no_number_is_none() {
    let long = "9".repeat(65);
    let beyond = "9".repeat(30);
    for written in [
        "",
        "-",
        "--3",
        "twelve",
        "1e5",
        "0x10",
        "inf",
        "NaN",
        "1,,2",
        "x",
        "12,34,5",
        "1,23,4567",
        ".",
        ",",
        "1 2",
        "1-2",
        "$5",
        "5%",
        "1,234.567,8",
        "1.234,567.8",
        &long,
        &beyond,
    ] {
        check(written, "-");
    }
}

#[test]
fn u10_author_and_language_say_what_a_mark_is() {
    let read = |written, marks| text(read(written, marks));
    assert_eq!(read("1.500", Marks::Fixed(Decimal::Comma)), "1500");
    assert_eq!(read("1,500", Marks::Fixed(Decimal::Comma)), "1.5");
    assert_eq!(read("1,500", Marks::Fixed(Decimal::Point)), "1500");
    assert_eq!(read("1,5", Marks::Fixed(Decimal::Point)), "-");
    assert_eq!(read("1.500", Marks::Usual(Decimal::Point)), "1.5");
    assert_eq!(read("1.500", Marks::Usual(Decimal::Comma)), "1500");
    assert_eq!(read("1,500", Marks::Usual(Decimal::Comma)), "1.5");
    assert_eq!(read("1,500", Marks::Usual(Decimal::Point)), "1500");
    // What a number says by itself needs no language.
    assert_eq!(read("129.00", Marks::Usual(Decimal::Comma)), "129");
    assert_eq!(read("1,234.50", Marks::Usual(Decimal::Comma)), "1234.5");
}

#[test]
fn u10_a_unit_or_a_currency_may_stand_around_a_number() {
    for (written, expected) in [
        ("$12", "12"),
        ("12 kg", "12"),
        ("12 %", "12"),
        ("12%", "12"),
        ("€ 1.234,50", "1234.5"),
        ("1.234,50 €", "1234.5"),
        ("R$ 12,50", "12.5"),
        ("US$12.50", "12.5"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("Rs.500", "500"),
        ("Rs. 1,50,000", "150000"),
        ("₹500/-", "500"),
        ("$.50", "0.5"),
        ("CHF 12.50", "12.5"),
        ("1500 円", "1500"),
        ("500 руб.", "500"),
        ("12 Euro", "12"),
        ("٥٠٠ ر.س", "500"),
        ("12°C", "12"),
        ("12", "12"),
        ("12k", "-"),
        ("12 mil", "-"),
        ("3 million", "-"),
        ("3万", "-"),
        ("about 12", "-"),
        ("it is 12", "-"),
        ("12 and 3", "-"),
        ("kg", "-"),
    ] {
        assert_eq!(text(read_amount(written, Marks::Open)), expected, "{written}");
    }
}

#[test]
fn u11_floats_become_decimals_without_their_noise() {
    for (float, expected) in [
        (0.1 + 0.2, "0.3"),
        (0.1, "0.1"),
        (-2.675, "-2.675"),
        (1e-7, "0.0000001"),
        (1e-40, "0"),
        (123_456_789.123_456, "123456789.123456"),
        (9_007_199_254_740_992.0, "9007199254740992"),
        (1e23, "100000000000000000000000"),
        (3.0, "3"),
    ] {
        assert_eq!(text(from_float(float)), expected);
    }
    for float in [1e29, f64::NAN, f64::INFINITY, -1e300] {
        assert_eq!(from_float(float), None);
    }
    for (number, json) in
        [("3", "3"), ("0.3", "0.3"), ("18446744073709551615", "18446744073709551615"), ("1e25", "1e+25")]
    {
        let number = number.parse().ok().or_else(|| parse_programmed(number)).expect("a number");
        assert_eq!(json_number(number).to_string(), json);
    }
}
