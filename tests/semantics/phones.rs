//! The tables of `docs/telephone-numbers.md` (SEMANTICS A1, A2).
#![cfg(feature = "phone-numbers")]

use chatflow::address::Phone;
use serde_json::json;

use crate::kit::*;

const PAGE: &str = include_str!("../../docs/telephone-numbers.md");

/// The rows of the table whose first line has these headings, as the texts of their cells.
fn table(headings: &str) -> Vec<Vec<&'static str>> {
    let cells = |line: &'static str| -> Vec<&'static str> {
        let cells = line.trim_matches('|').split('|').map(str::trim);
        cells.map(|cell| cell.trim_matches('`')).collect()
    };
    let lines = PAGE.lines().skip_while(|line| *line != headings).skip(2);
    let rows: Vec<_> = lines.take_while(|line| line.starts_with('|')).map(cells).collect();
    assert!(!rows.is_empty(), "no table {headings:?}");
    rows
}

fn read(text: &str, region: &str) -> String {
    Phone::parse_in(text, region).map_or_else(|_| "no number".to_owned(), |phone| phone.to_string())
}

/// A1: as at home, with the calling code, with a trunk prefix.
#[test]
fn numbers_are_read_as_people_write_them() {
    let rows = table("| region | as at home | international | another way | digits without plus | read as |");
    assert!(rows.len() >= 40, "{}", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let [region, home, international, other, bare, expected] = row[..] else { panic!("{row:?}") };
        for text in [home, international, other, bare] {
            let found = read(text, region);
            if found != expected {
                wrong.push(format!("{region} {text}: {found}, not {expected}"));
            }
            let linked = format!("tel:{}", text.replace([' ', '(', ')'], ""));
            if text.starts_with('+') && read(&linked, region) != expected {
                wrong.push(format!("{region} {linked}: {}", read(&linked, region)));
            }
        }
        for text in [international, other].into_iter().filter(|text| text.starts_with('+')) {
            let alone = Phone::parse(text).map(|phone| phone.to_string());
            let twin = Phone::parse(text).ok().and_then(Phone::twin).map(|phone| phone.to_string());
            if alone.as_deref() != Ok(expected) && twin.as_deref() != Some(expected) {
                wrong.push(format!("{text} without a region: {alone:?}"));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// A1: with the calling code and without its plus, with a trunk prefix behind it, and what people
/// write around a number.
#[test]
fn numbers_are_read_without_a_plus_and_with_more_than_the_number() {
    let headings = ["| region | written | read as |", "| region | text | read as |"];
    let rows: Vec<_> = headings.into_iter().flat_map(table).collect();
    let read = |row: &Vec<&str>| read(row[1], row[0]);
    let wrong: Vec<_> = rows.iter().filter(|row| read(row) != row[2]).map(|row| (row, read(row))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A2.
#[test]
fn both_forms_of_a_number_are_one() {
    for row in table("| region | one form | the other form | saved as |") {
        let [region, one, other, saved] = row[..] else { panic!("{row:?}") };
        let (first, second) = (Phone::parse(one).unwrap(), Phone::parse(other).unwrap());
        assert_eq!((first.twin(), second.twin()), (Some(second), Some(first)), "{one}");
        for text in [one, other] {
            let expected = if saved.starts_with('+') { saved } else { text };
            assert_eq!(read(text, region), expected, "{text}");
        }
    }
    for row in table("| region | number | reason |") {
        assert_eq!(Phone::parse(row[1]).unwrap().twin(), None, "{}", row[1]);
    }
}

/// A1: what the plan cannot have is refused.
#[test]
fn what_cannot_be_a_number_is_none() {
    for row in table("| region | text | reason |") {
        assert_eq!(read(row[1], row[0]), "no number", "{}", row[1]);
    }
}

/// A1: an answer may have words around its one number.
#[test]
fn an_answer_may_have_words_around_a_number() {
    let answer = |region: &str, said: &str| {
        let question = json!({"text": "?", "expect": "phone", "retries": 0, "save_to": "a"});
        let asking = flow("f").set("default_region", json!(region)).node("q", "ask", question);
        let world = World::with([asking.send("n", "{{ vars.a }}")]);
        world.start("f");
        world.sent();
        world.say(said);
        world.sent().concat()
    };
    for (region, said, expected) in [
        ("SA", "رقمي 0501234567", "+966501234567"),
        ("SA", "رقم الجوال: 0501234567", "+966501234567"),
        ("IN", "contact no 98765 43210", "+919876543210"),
        ("US", "whatsapp: +1 415 555 2671", "+14155552671"),
        ("BR", "zap 11 91234-5678", "+5511912345678"),
        ("ES", "tfno. 612 345 678", "+34612345678"),
        ("US", "415-555-2671 (home)", "+14155552671"),
        ("IN", "+91 98765 43210 (whatsapp)", "+919876543210"),
        ("DE", "meine Nummer ist 0176 1234567", "+491761234567"),
        ("JP", "電話は090-1234-5678です", "+819012345678"),
    ] {
        assert_eq!(answer(region, said), expected, "{said}");
    }
    for (region, said) in [
        ("US", "415-555-2671 or 415-555-2672"),
        ("US", "415-555-2671 after 5"),
        ("DE", "order 2026050712"),
        ("DE", "my code is 12345"),
        ("GB", "it is 07911 12345"),
        ("CZ", "rodné číslo 900101/1234"),
        ("US", "call me"),
    ] {
        assert_eq!(answer(region, said), "", "{said}");
    }
}
