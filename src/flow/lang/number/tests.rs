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
        ("12।", "12"),
        ("१२।", "12"),
        ("12۔", "12"),
        ("１２！", "12"),
        ("12؟", "12"),
        ("12?", "12"),
        ("12...", "12"),
        ("...12", "12"),
        ("12。", "12"),
        ("12｡", "12"),
        ("12។", "12"),
        ("12።", "12"),
        ("12։", "12"),
        ("12…", "12"),
        ("“12”", "12"),
        ("12”", "12"),
        ("*12*", "12"),
        ("12 👍🏽", "12"),
        ("✅ 12.", "12"),
        ("¿12?", "12"),
        ("،5", "0.5"),
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
        "(5)",
        "5-",
        "#5",
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
        assert_eq!(text(read_amount(written, Marks::Open, None)), expected, "{written}");
    }
}

/// U10: in each language, what multiplies a number or makes it negative is not passed over.
#[test]
fn u10_a_factor_makes_an_amount_no_number() {
    for written in [
        "5 palos",
        "5 contos",
        "5 củ",
        "5 минг",
        "5折",
        "5割",
        "5 ratus ribu",
        "5 trăm nghìn",
        "5 ร้อย",
        "5 सौ रुपये",
        "5 سو",
        "৫শ টাকা",
        "5 אלפים שקל",
        "5 yüz lira",
        "5 tis. Kč",
        "5 Tsd. Euro",
        "5 hundert",
        "5 tusind",
        "5 hiljada",
        "5 tisuća",
        "5 χιλ.",
        "၅ သိန်း",
        "5 ஆயிரம்",
        "5 వేలు",
        "5 હજાર",
        "5 ആയിരം",
        "5 ሺህ",
        "5 ពាន់",
        "R$ 5 mi",
        "٥ مئة",
        "50к",
        "50 т.р.",
        "50 т. руб.",
        "2 dozen",
        "2 docenas",
        "2 Dutzend",
        "elfu 5",
        "laki 2",
        "mia 5",
        "5 K",
        "5k€",
        "5 M€",
        "5 tkr",
        "5 tūkst. €",
        "5 tūkstoši",
        "5 tuhatta euroa",
        "5 e Ft",
        "5 ezer Ft",
        "5 mii lei",
        "5 mijë lekë",
        "5 ათასი ლარი",
        "5 հազար դրամ",
        "5 мың теңге",
        "5 мянга",
        "5 ming so'm",
        "5 ಸಾವಿರ",
        "5 ਹਜ਼ਾਰ",
        "5 ਹਜਾਰ",
        "5 हजार",
        "5 ລ້ານ ກີບ",
        "5万円",
        "5百元",
        "5천원",
        "5 만원",
        "2打",
        "2ダース",
        "5 y media",
        "5 e meia",
        "5 et demi",
        "5 buçuk",
        "5 с половиной",
        "5 and a half",
        "5半",
        "5 rưỡi",
        "5 þúsund",
        "5 mila",
        "5 milers",
        "3 million",
        "12k",
        "5 хил. лв",
        "5 тис. грн",
        "5 میلیون تومان",
        "5 لاکھ روپے",
        "5 हज़ार",
        "5 milyar",
        "5 milhões",
        "5 libong piso",
    ] {
        assert_eq!(text(read_amount(written, Marks::Open, None)), "-", "{written}");
    }
    for (written, language, expected) in [
        ("30 mn", "fr", "30"),
        ("30 mn", "de", "-"),
        ("5 mi", "pt-BR", "-"),
        ("5 mi", "en", "5"),
        ("5 min", "az", "-"),
        ("5 min", "es", "5"),
        ("2 grand", "en", "-"),
        ("2 grand", "fr-CA", "2"),
    ] {
        assert_eq!(text(read_amount(written, Marks::Open, Some(language))), expected, "{written} {language}");
    }
}

/// U10
#[test]
fn u10_a_word_for_minus_makes_an_amount_negative_or_no_number() {
    for written in [
        "负5",
        "負5",
        "零下5度",
        "마이너스 5",
        "영하 5도",
        "マイナス5",
        "âm 5",
        "eksi 5",
        "meno 5",
        "ลบ 5",
        "سالب 5",
        "hasi 5",
        "minus 5",
        "Minus 5 €",
        "menos 5",
        "moins 5",
        "минус 5",
        "мінус 5",
        "πλην 5",
        "מינוס 5",
        "منفی 5",
        "माइनस 5",
        "মাইনাস ৫",
        "negatif 5",
        "miinus 5",
        "mínusz 5",
        "-5 °C",
        "−5",
        "minus $5",
        "minus 5.",
    ] {
        assert_eq!(text(read_amount(written, Marks::Open, None)), "-5", "{written}");
    }
    for written in [
        "min 5",
        "500-",
        "500 –",
        "5 below zero",
        "5 grados bajo cero",
        "5 Grad unter null",
        "5 градусов ниже нуля",
        "--5",
        "minus -5",
        "(500)",
        "less than 5",
        "menos de 5",
        "sıfırın altında 5",
        "about 5",
        "solo 5",
        "ca 5",
    ] {
        assert_eq!(text(read_amount(written, Marks::Open, None)), "-", "{written}");
    }
}

/// U10: what is no factor is a unit.
#[test]
fn u10_units_and_currencies_of_many_languages_are_passed_over() {
    for written in [
        "5 kg",
        "5千克",
        "5千米",
        "5 percent",
        "5 per cento",
        "5 por ciento",
        "5 pour cent",
        "5 في المئة",
        "5 la sută",
        "၅ ရာခိုင်နှုန်း",
        "ร้อยละ 5",
        "百分之5",
        "yüzde 5",
        "%5",
        "Kz 5",
        "MT 5",
        "MTn 5",
        "Tk 5",
        "Tk. 5",
        "N$5",
        "MK 5",
        "GHC 5",
        "Shs. 5",
        "Nrs 5",
        "Ks 5",
        "FRw 5",
        "NLe 5",
        "ZiG 5",
        "5 折扣",
        "5 m2",
        "5 m3",
        "5 km2",
        "5 m²",
        "shilingi 5",
        "pesos 5",
        "rupees 5",
        "reais 5",
        "रुपये 5",
        "دينار 5",
        "KSh 5",
        "Rp 5",
        "Rp5",
        "RM5",
        "S/ 5",
        "S/.5",
        "R5",
        "Bs. 5",
        "NT$5",
        "HK$ 5",
        "A$5",
        "RD$5",
        "₱5",
        "5 ₱",
        "руб 5",
        "грн 5",
        "zł 5",
        "Kč 5",
        "kr 5",
        "kr. 5",
        "Fr. 5",
        "CHF 5",
        "PKR 5",
        "ZMW 5",
        "د.إ 5",
        "5 د.ك",
        "₪5",
        "5 т",
        "5 t",
        "5 min",
        "5 people",
        "5 años",
        "5 Jahre alt",
        "5人",
        "5個",
        "5개",
        "5명",
        "5 คน",
        "5 người",
        "5 orang",
        "5 लोग",
        "5 kishi",
        "5 ta",
        "5 kun",
        "5 personas",
    ] {
        assert_eq!(text(read_amount(written, Marks::Open, None)), "5", "{written}");
    }
    for written in ["500/-", "500,-", "500.-", "500,–", "500.– €", "500 円。", "500元。", "￥500！", "500₽?"]
    {
        assert_eq!(text(read_amount(written, Marks::Open, None)), "500", "{written}");
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

#[track_caller]
fn check_amount(written: &str, language: &str, expected: &str) {
    let read = read_amount(written, Marks::usual_in([language]), Some(language));
    assert_eq!(text(read), expected, "{written} in {language}");
}

#[test]
fn u10_a_hundredth_is_not_the_whole() {
    for (language, written) in [
        ("en", "50 cents"),
        ("en", "50¢"),
        ("en", "¢50"),
        ("en", "50￠"),
        ("en", "50p"),
        ("en", "50 pence"),
        ("es", "50 centavos"),
        ("es", "50 céntimos"),
        ("pt", "50 cêntimos"),
        ("fr", "50 centimes"),
        ("de", "50 Cent"),
        ("de", "50 ct"),
        ("hi", "50 paise"),
        ("hi", "50 पैसे"),
        ("ru", "50 копеек"),
        ("ru", "50 коп."),
        ("uk", "50 копійок"),
        ("pl", "50 groszy"),
        ("sv", "50 öre"),
        ("da", "50 øre"),
        ("cs", "50 haléřů"),
        ("id", "50 sen"),
        ("tr", "50 kuruş"),
        ("ar", "50 قرش"),
        ("he", "50 אגורות"),
        ("th", "50 สตางค์"),
        ("ja", "50セント"),
        ("ko", "50센트"),
        ("de", "5 T€"),
        ("de", "5T€"),
        ("de", "5 T €"),
    ] {
        check_amount(written, language, "-");
    }
    for (language, written, expected) in [
        ("en", "20 per cent", "20"),
        ("en", "20 percent", "20"),
        ("es", "20 por ciento", "20"),
        ("fr", "20 pour cent", "20"),
        ("it", "20 per cento", "20"),
        ("vi", "20 phần trăm", "20"),
        ("vi", "20 trăm", "-"),
        ("sq", "20 për qind", "20"),
        ("ar", "20 في المئة", "20"),
        ("fr", "2 fils", "2"),
        ("ar", "50 fils", "-"),
        ("es", "P 50", "50"),
        ("de", "50 p", "50"),
        ("it", "5 ore", "5"),
        ("ja", "5センチ", "5"),
    ] {
        check_amount(written, language, expected);
    }
}

#[test]
fn u10_units_have_the_shapes_of_keyboards_and_the_order_of_languages() {
    for (language, written, expected) in [
        ("ja", "80㎡", "80"),
        ("ko", "84 ㎡", "84"),
        ("ja", "5㎏", "5"),
        ("ja", "170㎝", "170"),
        ("zh", "50㎞", "50"),
        ("ja", "5㍑", "5"),
        ("ja", "3㌔", "3"),
        ("ja", "5㌫", "5"),
        ("ja", "37℃", "37"),
        ("ja", "5㍘", "-"),
        ("ja", "5㏠", "-"),
        ("ar", "80 م2", "80"),
        ("ar", "٨٠ م٢", "80"),
        ("en", "5 miles", "5"),
        ("de", "5 miles", "5"),
        ("es", "5 miles", "-"),
        ("sw", "miaka 30", "30"),
        ("sw", "watu 2", "2"),
        ("sw", "siku 3", "3"),
        ("sw", "kilo 5", "5"),
        ("sw", "mwaka 1", "1"),
        ("sw", "asilimia 20", "20"),
        ("sw", "elfu 5", "-"),
        ("sw", "saa 3", "-"),
        ("ha", "shekaru 30", "30"),
        ("en-NG", "N5000", "5000"),
        ("ha", "N5,000", "5000"),
        ("es", "N5000", "-"),
        ("en", "n 5", "-"),
        ("uz", "50 000 so‘m", "50000"),
        ("uz", "50 000 soʻm", "50000"),
        ("en", "x5", "5"),
        ("en", "5x", "5"),
        ("en", "order 5", "-"),
    ] {
        check_amount(written, language, expected);
    }
}

#[test]
fn u10_a_comma_before_four_digits_is_a_slip_where_it_parts_thousands() {
    for (language, written, expected) in [
        ("en", "1,0000", "-"),
        ("ja", "1,0000", "-"),
        ("ja", "1,0000円", "-"),
        ("zh", "12,5000", "-"),
        ("en", "0,1234", "0.1234"),
        ("en", "1,5", "1.5"),
        ("en", "1.0000", "1"),
        ("en", "1.234,5678", "1234.5678"),
        ("de", "1,0000", "1"),
        ("de", "52.5200", "52.52"),
    ] {
        check_amount(written, language, expected);
    }
}
