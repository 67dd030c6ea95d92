//! Answers, and the choice that each means.

use super::*;
use crate::flow::answer::listed::shows_places;

fn of<const N: usize>(list: [Choice; N]) -> Choices {
    Choices { list: list.into(), are_numbered: false, several: None, live: None }
}

/// Choices with these labels, of which the ids begin so and end in a number.
fn listed_as(labels: &[&str], ids: &str) -> Choices {
    let list = (1..).zip(labels).map(|(place, label)| Choice::new(&format!("{ids}{place}"), [*label], []));
    Choices { list: list.collect(), are_numbered: false, several: None, live: None }
}

fn labels<const N: usize>(labels: [&str; N]) -> Choices {
    let list = labels.iter().enumerate();
    let list = list
        .map(|(place, label)| Choice::new(&format!("id-{}", char::from(b'a' + place as u8)), [*label], []));
    Choices { list: list.collect(), are_numbered: false, several: None, live: None }
}

fn sizes() -> Choices {
    of([
        Choice::new("s", ["Small"], ["little"]),
        Choice::new("m", ["Medium"], []),
        Choice::new("l", ["Large"], ["1", "Straße"]),
    ])
}

#[test]
fn a_choice_is_known_by_payload_id_label_synonym_and_number() {
    for (payload, text, place) in [
        (Some("m"), "Small", 1),
        (None, " S ", 0),
        (None, "MEDIUM", 1),
        (None, "Little", 0),
        (None, "STRASSE", 2),
        (None, "2", 1),
        (None, "2.", 1),
        (None, "#3", 2),
        (None, "٢", 1),
        (None, "2️⃣", 1),
        (Some("unknown"), "large", 2),
    ] {
        assert_eq!(find(&sizes(), payload, text), Some(place), "{payload:?} {text}");
    }
}

#[test]
fn u6_a_number_with_its_unit_is_no_other_labels() {
    for (ages, said) in [
        (["Under 18 years", "18-30 years", "Over 30 years"], ["18 years", "30 years"]),
        (["Less than 1 km", "1-5 km", "More than 5 km"], ["1 km", "5km"]),
        (["Before 12:00", "12:00-17:00", "After 17:00"], ["12:00", "17:00"]),
        (["До 18 лет", "18-30 лет", "Старше 30 лет"], ["18 лет", "30 лет"]),
        (["18歳未満", "18歳以上30歳未満", "30歳以上"], ["18歳", "30歳"]),
    ] {
        let list = labels(ages);
        for text in said {
            assert_eq!(find(&list, None, text), None, "{text}");
        }
    }
    let sizes = labels(["For 10 kg", "For 20 kg"]);
    assert_eq!(find(&sizes, None, "20 kg"), Some(1));
}

#[test]
fn u6_stars_are_counted_where_labels_count_them() {
    let marks = labels(["⭐ Poor", "⭐⭐ OK", "⭐⭐⭐ Great"]);
    for (text, place) in [("⭐", Some(0)), ("⭐⭐", Some(1)), ("⭐⭐⭐", Some(2)), ("⭐⭐⭐⭐⭐", None)]
    {
        assert_eq!(find(&marks, None, text), place, "{text}");
    }
    let signs = labels(["👍 Good", "👎 Bad"]);
    assert_eq!(find(&signs, None, "👍👍"), Some(0));
}

#[test]
fn a_word_of_the_authors_goes_before_a_number_in_the_list() {
    assert_eq!(find(&sizes(), None, "1"), Some(2));
}

#[test]
fn what_means_none_or_two_is_no_choice() {
    for text in ["", "huge", "0", "4", "-1", "1.5", "small or large", "999999999999"] {
        assert_eq!(find(&sizes(), None, text), None, "{text}");
    }
    let twins = of([Choice::new("a", ["Same"], []), Choice::new("b", ["same"], [])]);
    assert_eq!(find(&twins, None, "SAME"), None);
}

#[test]
fn a_number_is_that_of_a_label_before_it_is_a_place() {
    let stars = labels(["5 ⭐", "4 ⭐", "3 ⭐", "2 ⭐", "1 ⭐"]);
    for (said, place) in [("5", Some(0)), ("1", Some(4)), ("５", Some(0)), ("4 ⭐", Some(1)), ("6", None)] {
        assert_eq!(find(&stars, None, said), place, "{said}");
    }
    let hours = labels(["9:00", "11:00", "14:30"]);
    for (said, place) in [("9", Some(0)), ("11:00", Some(1)), ("14", Some(2)), ("1", None), ("3", None)] {
        assert_eq!(find(&hours, None, said), place, "{said}");
    }
    let tables = labels(["Table for 2", "Table for 4", "Terrace"]);
    for (said, place) in [("2", Some(0)), ("4", Some(1)), ("1", None), ("3", None), ("terrace", Some(2))] {
        assert_eq!(find(&tables, None, said), place, "{said}");
    }
    let listed = labels(["2. Pay", "1. Wait", "3️⃣ Call"]);
    for (said, place) in [("2", Some(0)), ("wait", Some(1)), ("call", Some(2)), ("1.", Some(1))] {
        assert_eq!(find(&listed, None, said), place, "{said}");
    }
}

#[test]
fn places_that_are_shown_count() {
    let numbered = Choices { are_numbered: true, ..labels(["9:00", "11:00"]) };
    assert_eq!(find(&numbered, None, "1"), Some(0));
    assert_eq!(find(&numbered, None, "11"), Some(1));
    assert!(shows_places("When?\n1. 9:00\n2) 11:00", 2));
    assert!(!shows_places("When?\n1. 9:00", 2));
}

#[test]
fn a_word_of_an_order_is_that_of_a_label_before_it_is_a_place() {
    for (said, place) in [
        ("the second", Some(1)),
        ("First one!", Some(0)),
        ("letztes", Some(2)),
        ("la primera", Some(0)),
        ("a second", None),
        ("prima", None),
        ("fourth", None),
    ] {
        assert_eq!(find(&labels(["Small", "Medium", "Large"]), None, said), place, "{said}");
    }
    let days = labels(["Segunda-feira", "Terça-feira", "Quarta-feira"]);
    for (said, place) in [("segunda", Some(0)), ("quarta", Some(2)), ("primeira", None)] {
        assert_eq!(find(&days, None, said), place, "{said}");
    }
    let hours = labels(["9:00", "11:00", "14:30"]);
    assert_eq!(find(&hours, None, "the second"), Some(1));
    let stars = labels(["5 ⭐", "4 ⭐", "3 ⭐", "2 ⭐", "1 ⭐"]);
    for (said, place) in [("first", None), ("third", Some(2)), ("last", Some(4))] {
        assert_eq!(find(&stars, None, said), place, "{said}");
    }
}

#[test]
fn emoji_of_a_label_may_be_left_out_and_may_tell_apart() {
    let liked = labels(["Like 👍", "Like 👎", "Yes ✅", "🇬🇧 English"]);
    for (said, place) in [
        ("yes", Some(2)),
        ("Like 👎", Some(1)),
        ("like", None),
        ("english", Some(3)),
        ("like 👍🏽", Some(0)),
        ("👍🏿", Some(0)),
        ("✅✅", Some(2)),
        ("🇬🇧", Some(3)),
        ("🇬", None),
        ("👍👎", None),
        ("❤️", None),
    ] {
        assert_eq!(find(&liked, None, said), place, "{said}");
    }
}

#[test]
fn a_hidden_id_decides_nothing() {
    let cities = |ids: [&str; 3]| {
        let list = ids.into_iter().zip(["Roma", "Milano", "Torino"]);
        list.map(|(id, label)| Choice::new(id, [label], [])).collect::<Box<[_]>>()
    };
    for ids in [["2f8c11d0", "3ab4", "b77e"], ["3-a1", "2_x", "1z"], ["2kg", "3kg", "1kg"]] {
        let choices = Choices { list: cities(ids), are_numbered: false, several: None, live: None };
        for (said, place) in [("2.", 1), ("3.", 2), ("1", 0), ("#2", 1)] {
            assert_eq!(find(&choices, None, said), Some(place), "{ids:?} {said}");
        }
    }
    let live = LiveChoices { numbered: None, words: Box::default() };
    let choices =
        Choices { list: Box::default(), are_numbered: false, several: None, live: Some(live.into()) };
    let offered = [("3", "Roma"), ("1", "Milano"), ("2", "Torino"), ("x7", "Bari")];
    let offered = offered.into_iter().map(|(id, label)| (id, std::iter::once(label)));
    let choices = choices.offered(offered, false).unwrap();
    for (payload, said, place) in
        [(None, "2.", 1), (None, "3", 2), (None, "milano", 1), (Some("2"), "", 2), (None, "x7", 3)]
    {
        assert_eq!(find(&choices, payload, said), Some(place), "{payload:?} {said}");
    }
}

#[test]
fn what_compares_or_parts_numbers_is_not_dropped() {
    for (listed, said, place) in [
        (&["Under 18", "18 or older"][..], "<18", None),
        (&["Under 18", "18-30", "31+"], "18+", None),
        (&["Under 18", "18-30", "31+"], "<31", None),
        (&["Under 18", "18-30", "31+"], "~18", None),
        (&["Under 18", "18-30", "31+"], "31+", Some(2)),
        (&["Under 18", "18-30", "31+"], "18 to 30", Some(1)),
        (&["Below 0", "0 to 20", "Above 20"], "<0", None),
        (&["0", "1", "2+"], "<1", None),
        (&["0", "1", "2+"], ">1", None),
        (&["<18", "18+"], "< 18", Some(0)),
        (&["1-5 km", "5-10 km", "More than 10 km"], "1.5", None),
        (&["1-5 km", "5-10 km", "More than 10 km"], "5.10", None),
        (&["1-5 km", "5-10 km", "More than 10 km"], "5 - 10 km", Some(1)),
        (&["1.5 L", "15 L"], "1-5", None),
        (&["1.5 L", "15 L"], "1 5", None),
        (&["1.5 L", "15 L"], "1,5 l", Some(0)),
        (&["11-50", "51-100"], "11.50", None),
        (&["11-50", "51-100"], "11/50", None),
        (&["Less than $500", "$500 - $1000"], "$500", None),
        (&["€10", "€20", "€50"], "20 €", Some(1)),
    ] {
        assert_eq!(find(&listed_as(listed, "id-"), None, said), place, "{said} of {listed:?}");
    }
    for (listed, said) in [
        (["€10", "€20", "€50"], "#2"),
        (["€10", "€20", "€50"], "#1"),
        (["09:00", "10:30", "14:00"], "1."),
        (["Table for 2", "Table for 4", "Table for 6"], "1."),
        (["Table for 2", "Table for 4", "Table for 6"], "3."),
    ] {
        for ids in ["c", "opt-", "a"] {
            assert_eq!(find(&listed_as(&listed, ids), None, said), None, "{said} of {listed:?}, {ids}");
        }
    }
}

#[test]
fn punctuation_and_blanks_need_not_be_typed() {
    let words = ["Yes, I agree", "No thanks", "Visa (debit)", "Check-in", "Terms & conditions", "예약 취소"];
    for (said, place) in [
        ("yes i agree", Some(0)),
        ("no, thanks", Some(1)),
        ("visa debit", Some(2)),
        ("Visa - debit!", Some(2)),
        ("check in", Some(3)),
        ("terms and conditions", Some(4)),
        ("예약취소", Some(5)),
        ("visa", Some(2)),
        ("terms", None),
    ] {
        assert_eq!(find(&listed_as(&words, "id-"), None, said), place, "{said}");
    }
}

#[test]
fn a_time_is_the_label_of_that_time() {
    let hours = ["9:00 AM", "11:30 AM", "2:00 PM", "9:00 PM"];
    for (said, place) in [
        ("2pm", Some(2)),
        ("2 p.m.", Some(2)),
        ("14:00", Some(2)),
        ("9 pm", Some(3)),
        ("9am please", Some(0)),
        ("10 am", None),
        ("9:00", None),
    ] {
        assert_eq!(find(&listed_as(&hours, "id-"), None, said), place, "{said}");
    }
    for (said, place) in
        [("14 Uhr", Some(1)), ("14h", Some(1)), ("16h30", Some(2)), ("2pm", Some(1)), ("2h", None)]
    {
        assert_eq!(find(&listed_as(&["09:00", "14:00", "16:30"], "id-"), None, said), place, "{said}");
    }
}

#[test]
fn a_word_of_an_order_is_that_of_a_label_also_in_a_list_with_numbers() {
    for (listed, said, place) in [
        (["Segunda-feira", "Terça-feira", "Quarta-feira", "Quinta-feira"], "quarta", 2),
        (["Δευτέρα 4/5", "Τρίτη 5/5", "Τετάρτη 6/5", "Πέμπτη 7/5"], "Τρίτη", 1),
        (["Thứ hai, 4/5", "Thứ ba, 5/5", "Thứ tư, 6/5", "Thứ năm, 7/5"], "thứ ba", 1),
        (["יום ראשון", "יום שני", "יום שלישי", "יום רביעי"], "שני", 1),
        (["Economy", "First class", "Second class", "Bus"], "second", 2),
        (["Economy", "First class", "Second class", "Bus"], "first", 1),
        (["Economía", "Primera clase", "Segunda clase", "Bus"], "la segunda", 2),
        (["Budget", "Premier étage", "Deuxième étage", "Toit"], "deuxième", 2),
        (["Erdgeschoss", "Erster Stock", "Zweiter Stock", "Dach"], "erster", 1),
        (["Parter", "Pierwsze piętro", "Drugie piętro", "Dach"], "drugie", 2),
        (["Подвал", "Первый этаж", "Второй этаж", "Крыша"], "первый", 1),
        (["Zemin", "Birinci kat", "İkinci kat", "Çatı"], "birinci", 1),
        (["Small", "Medium", "Large", "Huge"], "second", 1),
        (["Economy", "First class", "Second class", "Bus"], "fourth", 3),
    ] {
        let choices = Choices { are_numbered: true, ..labels(listed) };
        assert_eq!(find(&choices, None, said), Some(place), "{said}");
    }
}

#[test]
fn a_number_is_called_one_in_the_order_of_each_language() {
    let sizes = labels(["Small", "Medium", "Large"]);
    for said in [
        "la 2",
        "el 2",
        "2da",
        "2do",
        "la opción 2",
        "2 por favor",
        "a 2",
        "o 2",
        "le 2",
        "l'option 2",
        "il 2",
        "die 2",
        "the 2nd",
        "2 please",
        "الخيار 2",
        "الرقم 2",
        "אפשרות 2",
        "מספר 2",
        "2. seçenek",
        "2 numara",
        "2 नंबर",
        "২ নম্বর",
        "το 2",
        "2ο",
        "επιλογή 2",
        "namba 2",
        "yang 2",
        "câu 2",
        "หมายเลข 2",
        "numer 2",
        "选2",
        "選2",
        "number 2 please",
        "option 2, thanks",
        "nº 2",
        "n° 2",
        "opção 2",
        "a opção 2",
        "numéro 2 svp",
        "Nummer 2 bitte",
        "la 2da",
        "la numero 2",
        "l'opzione 2",
        "den 2",
        "nr 2",
        "tal 2",
        "numer 2 proszę",
        "číslo 2",
        "možnost 2",
        "вариант 2",
        "номер 2 пожалуйста",
        "варіант 2",
        "опция 2",
        "2 номер",
        "2 वाला",
        "विकल्प 2",
        "বিকল্প 2",
        "pilihan 2",
        "nomor 2",
        "số 2",
        "số 2 ạ",
        "ข้อ 2 ค่ะ",
        "2번 주세요",
        "2番でお願いします",
        "2つ目",
        "2号",
        "第2个",
        "گزینه 2",
        "شماره 2",
        "نمبر 2",
        "chaguo la 2",
        "ang 2",
        "opsi 2",
        "numărul 2",
        "varianta 2",
        "2. lehetőség",
        "vaihtoehto 2",
        "alternativ 2",
        "2:a",
        "2e",
        "2ème",
        "2º",
        "2ª",
        "2-й",
        "2-ой",
        "2-es",
        "nro 2",
        "选项2",
        "2吧",
        "2番で",
        "chọn 2",
        "lựa chọn 2",
        "2 aja",
        "2 saja",
        "ตัวเลือกที่ 2",
        "2번으로 해주세요",
        "2.",
        "(2)",
    ] {
        assert_eq!(find(&sizes, None, said), Some(1), "{said}");
    }
    let answers = labels(["はい", "いいえ"]);
    assert_eq!(find(&answers, None, "はい、お願いします"), Some(0));
    let answers = labels(["Yes", "No", "Sí", "Oui", "Ja", "да"]);
    for (said, place) in [
        ("yes please", 0),
        ("Yes, please!", 0),
        ("no, thanks", 1),
        ("no thank you", 1),
        ("sí, por favor", 2),
        ("oui merci", 3),
        ("Ja, bitte", 4),
        ("да, пожалуйста", 5),
        ("please yes", 0),
        ("yes kak", 0),
        ("Ja, dzieki", 4),
        ("no 감사합니다", 1),
        ("sí, muchas gracias", 2),
    ] {
        assert_eq!(find(&answers, None, said), Some(place), "{said}");
    }
    for said in ["please", "thanks", "2 of them", "two or 2", "the 2 and 3", "2 kg", "not 2", "2 days"] {
        assert_eq!(find(&sizes, None, said), None, "{said}");
    }
}

#[test]
fn u6_how_many_and_what_is_not_meant_name_no_place() {
    let sizes = labels(["Small", "Medium", "Large"]);
    for said in [
        "los 2",
        "las 2",
        "os 2",
        "As 2",
        "les 2",
        "gli 2",
        "τα 2",
        "los 2 por favor",
        "no la 2",
        "la 2 no",
        "el 2 no",
        "no el 2",
        "2 no",
        "1 ή 2",
        "Όχι 2",
    ] {
        assert_eq!(find(&sizes, None, said), None, "{said}");
    }
    for said in [
        "no 2",
        "no. 2",
        "No.2",
        "no2",
        "option no. 2",
        "la opción no 2",
        "η 2",
        "ο 2",
        "2η",
        "las opciones 2",
    ] {
        assert_eq!(find(&sizes, None, said), Some(1), "{said}");
    }
}

#[test]
fn u6_a_time_may_have_words_around_it() {
    let hours = labels(["9:00", "10:30", "14:00"]);
    for (said, place) in [
        ("at 2pm", Some(2)),
        ("at 10:30", Some(1)),
        ("at 9:00", Some(0)),
        ("1030", Some(1)),
        ("0900", Some(0)),
        ("10h30min", Some(1)),
        ("a las 14:00 por favor", Some(2)),
        ("9 horas", Some(0)),
        ("14-00", Some(2)),
        ("jam 9 pagi", Some(0)),
        ("下午两点", Some(2)),
        ("after 14:00", None),
        ("at 2", None),
        ("2 de la noche", None),
        ("9 de la noche", None),
        ("1031", None),
        ("saa 3 asubuhi", None),
        ("not at 14:00", None),
    ] {
        assert_eq!(find(&hours, None, said), place, "{said}");
    }
    let halves = labels(["9:00 AM", "2:00 PM", "9:00 PM"]);
    for (said, place) in [
        ("at 9:00", None),
        ("9 o'clock", None),
        ("0900", None),
        ("at 9 in the evening", Some(2)),
        ("9 de la mañana", Some(0)),
        ("21h", Some(2)),
        ("1400", Some(1)),
        ("a las 2 de la tarde", Some(1)),
    ] {
        assert_eq!(find(&halves, None, said), place, "{said}");
    }
    let ages = labels(["18-30", "31-45", "46+"]);
    for said in ["1830", "6:30 pm", "18:30", "at 18:30"] {
        assert_eq!(find(&ages, None, said), None, "{said}");
    }
}

#[test]
fn u6_a_number_in_words_is_a_number() {
    let sizes = labels(["Small", "Medium", "Large"]);
    for said in [
        "two",
        "Two.",
        "option two",
        "number two",
        "dos",
        "la dos",
        "el dos",
        "opción dos",
        "dois",
        "o dois",
        "deux",
        "zwei",
        "due",
        "twee",
        "два",
        "dwa",
        "iki",
        "اثنين",
        "दो",
        "dua",
        "opção dois",
        "số hai",
        "สอง",
        "二",
        "둘",
        "שתיים",
        "mbili",
        "två",
        "kaksi",
        "kettő",
        "doi",
        "δύο",
        "two please",
    ] {
        assert_eq!(find(&sizes, None, said), Some(1), "{said}");
    }
    for said in [
        "hai",
        "to",
        "on",
        "um",
        "opt",
        "ba",
        "sei",
        "the two",
        "los dos",
        "les deux",
        "die zwei",
        "four",
        "two of them",
        "two or three",
        "not two",
        "no dos",
        "둘 다",
        "两个",
        "twos",
        "no",
        "نه",
        "নয়",
    ] {
        assert_eq!(find(&sizes, None, said), None, "{said}");
    }
    for (listed, said, place) in [
        (&["2 people", "4 people", "6 people"][..], "two", Some(0)),
        (&["2 people", "4 people", "6 people"], "three", None),
        (&["Two rooms", "Three rooms", "House"], "two", Some(0)),
        (&["Two rooms", "Three rooms", "House"], "one", None),
        (&["January", "February", "September"], "sept", None),
        (&["周一", "周二", "周三"], "二", None),
        (&["الأحد", "الاثنين", "الثلاثاء"], "اثنين", Some(1)),
        (&["Lima (Perú)", "Quito", "Bogotá", "La Paz", "Asunción"], "lima", Some(0)),
        (&["Type I", "Type II", "Type III"], "II", Some(1)),
    ] {
        assert_eq!(find(&listed_as(listed, "id-"), None, said), place, "{said} of {listed:?}");
    }
}

#[test]
fn u6_words_from_one_to_ten_are_the_places_that_they_name() {
    let letters = labels(["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"]);
    for words in [
        "one two three four five six seven eight nine ten",
        "uno dos tres cuatro cinco seis siete ocho nueve diez",
        "- dois três quatro cinco seis sete oito nove -",
        "- deux trois quatre cinq six - huit neuf dix",
        "eins zwei drei vier fünf sechs sieben acht neun zehn",
        "- due tre quattro cinque - sette otto nove dieci",
        "один два три четыре пять шесть семь восемь девять десять",
        "jeden dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć",
        "bir iki üç dört beş altı yedi sekiz dokuz -",
        "satu dua tiga empat lima enam tujuh delapan sembilan sepuluh",
        "एक दो तीन चार पाँच छह सात आठ नौ दस",
        "一 二 三 四 五 六 七 八 九 十",
    ] {
        for (place, word) in words.split(' ').enumerate().filter(|(_, word)| *word != "-") {
            assert_eq!(find(&letters, None, word), Some(place), "{word}");
        }
    }
}

#[test]
fn u6_more_words_call_a_number_a_choice_and_thank_for_it() {
    let sizes = labels(["Small", "Medium", "Large"]);
    for said in [
        "opt 2",
        "alternativa 2",
        "Punkt 2",
        "Variante 2",
        "ответ 2",
        "цифра 2",
        "pilih 2",
        "nomer 2",
        "เลือก 2",
        "选择2",
        "2번 선택",
        "2번으로 할게요",
        "מס׳ 2",
        "č. 2",
        "2 po",
        "2 valeu",
        "2, vielen Dank",
    ] {
        assert_eq!(find(&sizes, None, said), Some(1), "{said}");
    }
    for said in ["po 2", "c 2", "2 min"] {
        assert_eq!(find(&sizes, None, said), None, "{said}");
    }
    assert_eq!(find(&sizes, None, "1era"), Some(0));
    let letters = labels(["a) Rojo", "b) Verde", "c) Azul"]);
    for (said, place) in [
        ("letter b", Some(1)),
        ("la b", Some(1)),
        ("respuesta b", Some(1)),
        ("inciso b", Some(1)),
        ("a b", None),
        ("no b", None),
    ] {
        assert_eq!(find(&letters, None, said), place, "{said}");
    }
    let answers = labels(["Yes", "No", "Oui", "네", "ใช่", "Ja"]);
    for (said, place) in [
        ("yes yes", Some(0)),
        ("no, no, no", Some(1)),
        ("oui oui merci beaucoup", Some(2)),
        ("네네", Some(3)),
        ("ใช่ๆ", Some(4)),
        ("ja, vielen Dank", Some(5)),
        ("yes thank you so much", Some(0)),
        ("yes no", None),
        ("yes yes no", None),
        ("22", None),
        ("1 1", None),
    ] {
        assert_eq!(find(&answers, None, said), place, "{said}");
    }
    let homes = labels(["2-bedroom", "3-bedroom"]);
    assert_eq!(find(&homes, None, "2 bedrooms"), Some(0));
    let prices = labels(["Less than $20", "$20 - $50"]);
    assert_eq!(find(&prices, None, "20 dollars"), None);
    assert_eq!(find(&labels(["$20", "$50"]), None, "50 dollars"), Some(1));
    assert_eq!(find(&labels(["臺北", "高雄"]), None, "台北"), Some(0));
}
