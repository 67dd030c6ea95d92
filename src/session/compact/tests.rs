use proptest::prelude::*;
use serde_json::{Value, json};

use super::text::{Shape, shape};
use super::{from_slice, to_writer};

fn written(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    to_writer(&mut bytes, value).unwrap();
    bytes
}

fn again(value: &Value) -> Value {
    from_slice(&written(value)).unwrap()
}

#[test]
fn texts_that_look_like_numbers_come_back_as_they_were() {
    for text in [
        "2026-05-07T08:14:23Z",
        "2026-05-07T08:14:23.120Z",
        "2026-05-07T08:14:23.000Z",
        "2026-05-07T08:14:60Z",
        "2026-02-30T08:14:23Z",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999Z",
        "9999-12-31T23:59:59Z",
        "2026-05-07t08:14:23Z",
        "2026-05-07T08:14:23.1234Z",
        "2026-05-07T08:14:٢٣Z",
        "00000000-0000-0000-0000-000000000004",
        "00000000-0000-0000-0000-000000000004.2",
        "00000000-0000-0000-0000-000000000004-17",
        "0000000A-0000-0000-0000-000000000004",
        "00000000+0000-0000-0000-000000000004",
        "aacdb32b15b780382cf8bc9bf57c6780",
        "AACDB32B15B780382CF8BC9BF57C6780",
        "+14155550123",
        "+014155550123",
        "+",
        "+1",
        "+999999999999999",
        "+9999999999999999",
        "",
        "contact",
        "Contact",
        "ends with Z",
        "twenty bytes, then Z",
        "ä27 bytes are not 36 chars äö",
    ] {
        let value = json!([text, {"again": text}, text, {text: text}]);
        assert_eq!(again(&value), value, "{text}");
    }
}

#[test]
fn what_is_written_as_a_number_is_short() {
    let bytes = |value: Value| written(&value).len();
    assert_eq!(bytes(json!("contact")), 1);
    assert_eq!(bytes(json!("window_closed")), 2);
    assert_eq!(bytes(json!("00000000-0000-0000-0000-000000000004")), 17);
    assert_eq!(bytes(json!("00000000-0000-0000-0000-000000000004.2")), 20);
    assert_eq!(bytes(json!("+14155550123")), 6);
    let (first, second) = (json!("2026-05-07T08:14:23Z"), json!("2026-05-07T08:14:24.500Z"));
    assert_eq!(bytes(json!([first, first, second])), 1 + 7 + 2 + 3);
    assert_eq!(bytes(json!(["a text of some length", "a text of some length"])), 1 + 22 + 2);
}

#[test]
fn shapes_are_told_by_what_they_come_to() {
    assert_eq!(shape("1970-01-01T00:00:01.500Z"), Shape::Time(1_500));
    assert_eq!(shape("+123"), Shape::Phone(123));
    assert_eq!(
        shape("000102030405060708090a0b0c0d0e0f"),
        Shape::Hex(std::array::from_fn(|place| place as u8))
    );
}

#[test]
fn more_than_a_head_has_room_for() {
    for count in [15, 16, 31, 32, 127, 128, 300] {
        let list: Vec<Value> = (0..count).map(|number| json!(number * 7)).collect();
        let map: serde_json::Map<_, _> =
            (0..count).map(|number| (format!("k{number}"), json!(null))).collect();
        let text = "x".repeat(count);
        let value =
            json!({"list": list, "map": map, "text": text, "numbers": [count, -1_i64 - count as i64]});
        assert_eq!(again(&value), value, "{count}");
    }
}

#[test]
fn nesting_ends_somewhere() {
    let nested = |depth| (0..depth).fold(json!(1), |value, _| json!([value]));
    assert_eq!(again(&nested(100)), nested(100));
    assert!(to_writer(&mut Vec::new(), &nested(200)).is_err());
    assert!(from_slice::<Value>(&[vec![0xa1; 200_000], vec![0x61]].concat()).is_err());
}

#[test]
fn damage_is_an_error() {
    for (bytes, what) in [
        (&[][..], "nothing"),
        (&[0x82, b'a'], "a text that ends too early"),
        (&[0x82, 0xff, 0xff], "a text that is no text"),
        (&[0x61, 0x61], "two values"),
        (&[0xa2, 0x61], "a list that ends too early"),
        (&[0xb1, 0x61, 0x61], "a key that is no text"),
        (&[0xd6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, b'a'], "a text longer than memory"),
        (&[0xd7, 0xff, 0xff, 0xff, 0xff, 0x0f], "a list longer than the bytes"),
        (&[0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "a number of 70 bits"),
        (&[0xd9, 0x61], "a list without an end"),
        (&[0xdb], "an end of nothing"),
        (&[0xdc, 0xff], "a word that nobody knows"),
        (&[0xdd, 0x00], "a text that was not there"),
        (&[0xde, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "a time beyond all times"),
        (&[0xe0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x61], "an id with a number behind it"),
        (&[0xff], "a byte that means nothing"),
    ] {
        assert!(from_slice::<Value>(bytes).is_err(), "{what}");
    }
}

/// A few bytes must not come to more than memory holds.
#[test]
fn repeated_texts_are_bounded() {
    let mut bytes = vec![0xd9, 0xd6, 128, 1];
    bytes.extend_from_slice(&[b'x'; 128]);
    bytes.extend([0xdd, 0x00].repeat(1 << 20));
    bytes.push(0xdb);
    assert!(from_slice::<Value>(&bytes).is_err());
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("status".to_owned()),
        "[a-z_]{0,40}",
        "\\PC{0,20}",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(\\.[0-9]{1,3})?",
        "[0-9a-f]{32}",
        "\\+[0-9]{1,16}",
        "(19|20|99)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{3})?Z",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::vec((text(), inner), 0..8)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_comes_back(value in value()) {
        prop_assert_eq!(again(&value), value);
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = from_slice::<Value>(&bytes);
    }

    #[test]
    fn a_changed_byte_is_a_value_or_an_error(value in value(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = written(&value);
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let _ = from_slice::<Value>(&bytes);
    }
}
