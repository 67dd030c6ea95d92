//! Packing is faithful, canonical and capped; reading is total.

#![allow(clippy::arithmetic_side_effects)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::codec::Cursor;
use super::{Kind, Node, PackError, PackLimits, Packed, PackedMap, tree, write};

fn limits() -> PackLimits {
    PackLimits::default()
}

fn packed_map(json: Value) -> PackedMap {
    PackedMap::from_json(&json, &limits()).expect("within the limits")
}

#[test]
fn numbers_keep_their_kind() {
    let all = json!({"a": 1, "b": 1.0, "c": u64::MAX, "d": i64::MIN, "e": -0.0, "f": 1e300});
    let packed = packed_map(all.clone());
    assert_eq!(packed.to_json(), all);
    assert_eq!(packed.get("a").and_then(Node::as_i64), Some(1));
    assert_eq!(packed.get("b").and_then(Node::as_i64), None);
    assert_eq!(packed.get("b").and_then(Node::as_f64), Some(1.0));
    assert_eq!(packed.get("c").and_then(Node::as_u64), Some(u64::MAX));
    assert_ne!(packed_map(json!({"a": 1})), packed_map(json!({"a": 1.0})));
}

#[test]
fn an_empty_bag_takes_nothing() {
    assert_eq!(PackedMap::new().byte_len(), 0);
    assert_eq!(packed_map(json!({})), PackedMap::new());
    assert!(PackedMap::new().is_empty());
    assert_eq!(serde_json::to_string(&PackedMap::new()).unwrap(), "{}");
}

#[test]
fn long_strings_and_large_arrays_are_read_back() {
    for len in [0, 1, 63, 64, 65, 4095, 4096, 4097, 20_000] {
        let text = "é".repeat(len / 2);
        let json = json!({"before": [[], {}, text], "k": text, "z": len});
        assert_eq!(packed_map(json.clone()).to_json(), json);
    }
}

#[test]
fn items_and_entries_are_found() {
    let packed = packed_map(json!({"cart": {"items": [{"name": "Tea"}, null, true, [1]]}, "": 7}));
    let items = packed.get("cart").and_then(|cart| cart.get("items")).unwrap();
    assert_eq!((items.kind(), items.len()), (Kind::Array, 4));
    assert_eq!(items.at(0).and_then(|item| item.get("name")).and_then(Node::as_str), Some("Tea"));
    assert!(items.at(1).unwrap().is_null());
    assert_eq!(items.at(2).and_then(Node::as_bool), Some(true));
    assert!(items.at(4).is_none());
    assert!(items.get("name").is_none());
    assert_eq!(packed.get("").and_then(Node::as_i64), Some(7));
    assert_eq!(packed.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["", "cart"]);
}

#[test]
fn an_entry_is_set_replaced_and_taken_out() {
    let start = packed_map(json!({"b": 1, "d": 2}));
    for key in ["a", "b", "c", "d", "e"] {
        let set = start.with(key, &json!([key]), &limits()).unwrap();
        let mut expected = start.to_json();
        expected[key] = json!([key]);
        assert_eq!(set, packed_map(expected));
        let without = set.without(key);
        assert!(without.get(key).is_none());
        assert_eq!(without.without(key), without);
    }
    assert_eq!(start.without("b").without("d"), PackedMap::new());
    let tight = PackLimits { bytes: start.byte_len(), depth: 16 };
    assert_eq!(start.with("e", &json!(1), &tight).unwrap_err().code(), "too_large");
    let flat = PackLimits { depth: 1, ..limits() };
    assert_eq!(
        start.with("e", &json!([]), &flat).unwrap_err().to_string(),
        "`e` must be nested at most 1 levels"
    );
}

#[test]
fn a_refusal_names_rule_and_place_and_hides_the_value() {
    let deep = PackLimits { depth: 3, ..limits() };
    let fault = PackedMap::parse(r#"{"cart":{"items":[1,[]]}}"#, &deep).unwrap_err();
    assert_eq!(fault.to_string(), "`cart.items[1]` must be nested at most 3 levels");
    let small = PackLimits { bytes: 64, depth: 16 };
    let fault = PackedMap::from_json(&json!({"a b": ["secret".repeat(20)]}), &small).unwrap_err();
    assert_eq!(fault.to_string(), "`[\"a b\"][0]` must take at most 64 bytes");
    let fault = PackedMap::parse(r#"{"x":[{"k":1,"j":2,"k":3}]}"#, &limits()).unwrap_err();
    assert_eq!(fault.to_string(), "`x[0].k` must have each key once");
    let fault = PackedMap::from_json(&json!({"x": {"k".repeat(257): 1}}), &limits()).unwrap_err();
    assert_eq!((fault.code(), fault.at()), ("key_too_long", Some("x")));
    assert!(PackedMap::from_json(&json!({"k".repeat(256): 1}), &limits()).is_ok());
    for other in ["1", "null", "[]", "\"x\"", "true", "1.5", "-1"] {
        assert_eq!(PackedMap::parse(other, &limits()), Err(PackError::NotAnObject));
    }
    for broken in ["", "{", "{}x", "{\"a\":1,}", "{\"a\":nul}", "{\"a\":1e999}"] {
        assert_eq!(PackedMap::parse(broken, &limits()).unwrap_err().code(), "not_json");
    }
}

#[test]
fn depth_is_counted_at_its_limit() {
    let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    assert!(PackedMap::parse(&nested(16), &limits()).is_ok());
    assert_eq!(PackedMap::parse(&nested(17), &limits()).unwrap_err().code(), "too_deep");
    let generous = PackLimits { depth: usize::MAX, bytes: usize::MAX };
    assert!(PackedMap::parse(&nested(100_000), &generous).is_err());
    let mut tower = Value::Null;
    for _ in 0..1_000 {
        tower = Value::Array(vec![tower]);
    }
    assert_eq!(Packed::from_json(&tower, &generous).unwrap_err().code(), "too_deep");
}

#[test]
fn bytes_are_counted_at_their_limit() {
    let json = json!({"a": "x".repeat(100)});
    let size = packed_map(json.clone()).byte_len();
    assert!(PackedMap::from_json(&json, &PackLimits { bytes: size, depth: 16 }).is_ok());
    assert!(PackedMap::from_json(&json, &PackLimits { bytes: size - 1, depth: 16 }).is_err());
}

#[test]
fn debug_shows_no_content() {
    let packed = packed_map(json!({"phone": "+14155550123"}));
    assert_eq!(format!("{packed:?}"), format!("PackedMap(1 keys, {} bytes)", packed.byte_len()));
    assert_eq!(format!("{:?}", packed.get("phone").unwrap()), "Node(String, 12 bytes)");
    let value = Packed::from_json(&json!("secret"), &limits()).unwrap();
    assert_eq!(format!("{value:?}"), "Packed(String, 8 bytes)");
}

#[test]
fn whatever_serialises_is_packed() {
    #[derive(serde::Serialize)]
    struct Context<'a> {
        name: &'a str,
        total: Option<f64>,
        id: u32,
    }
    let packed = PackedMap::pack(Context { name: "Ada", total: None, id: 7 }, &limits()).unwrap();
    assert_eq!(packed.to_json(), json!({"name": "Ada", "total": null, "id": 7}));
    assert_eq!(PackedMap::pack(7, &limits()), Err(PackError::NotAnObject));
}

#[test]
fn every_shape_is_packed_as_its_json() {
    use std::collections::BTreeMap;
    #[derive(serde::Serialize)]
    enum Shape {
        Unit,
        One(u8),
        Two(i16, char),
        Named { b: f32, a: Option<()> },
    }
    #[derive(serde::Serialize)]
    struct Pair(u128, i128);
    #[derive(serde::Serialize)]
    struct All<'a> {
        shapes: Vec<Shape>,
        numbered: BTreeMap<i32, bool>,
        lettered: BTreeMap<char, (f64, &'a str)>,
        pair: Pair,
        large: [u64; 2],
        odd: (f32, f64, f64),
    }
    let all = All {
        shapes: vec![Shape::Unit, Shape::One(1), Shape::Two(-2, 'é'), Shape::Named { b: 0.1, a: None }],
        numbered: BTreeMap::from([(9, true), (10, false), (-1, true)]),
        lettered: BTreeMap::from([('x', (f64::NAN, "y"))]),
        pair: Pair(u128::MAX, -5),
        large: [u64::MAX, 1],
        odd: (f32::INFINITY, 1.0, -0.0),
    };
    let text = serde_json::to_string(&all).unwrap();
    assert_eq!(PackedMap::pack(&all, &limits()).unwrap(), PackedMap::parse(&text, &limits()).unwrap());
    let named = Shape::Named { b: 1.0, a: None };
    let text = serde_json::to_string(&named).unwrap();
    assert_eq!(PackedMap::pack(&named, &limits()).unwrap(), PackedMap::parse(&text, &limits()).unwrap());
    for (flat, place) in [(2, "shapes"), (3, "shapes[1]"), (4, "shapes[2].Two")] {
        let flat = PackLimits { depth: flat - 1, ..limits() };
        assert_eq!(PackedMap::pack(&all, &flat).unwrap_err().at(), Some(place));
    }
    let broken = BTreeMap::from([(vec![1], 1)]);
    assert_eq!(PackedMap::pack(broken, &limits()).unwrap_err().code(), "not_json");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        ".{0,80}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((".{0,8}", inner), 0..8)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// The usual content of a context needs no second look.
#[test]
fn usual_trees_are_packed_at_once() {
    let json = json!({"a": "x", "b": [1, -2, null, true, false, {"c": {}}], "d": {"e": []}});
    assert!(tree::object(&json, &limits()).is_some());
    assert!(tree::object(&json!([]), &limits()).is_none());
}

proptest! {
    /// The hash of a request that is stored with its key is of these bytes.
    #[test]
    fn trees_are_packed_as_serde_would(
        entries in prop::collection::vec((".{0,70}", any_json()), 0..6),
        bytes in 0_usize..400,
        depth in 0_usize..6,
    ) {
        let json = Value::Object(entries.into_iter().collect());
        for limits in [limits(), PackLimits { bytes, depth }] {
            if let Some(packed) = tree::object(&json, &limits) {
                prop_assert_eq!(Ok(packed), write::object(&json, &limits));
            }
        }
    }

    #[test]
    fn any_object_is_read_back(entries in prop::collection::vec((".{0,70}", any_json()), 0..6)) {
        let json = Value::Object(entries.into_iter().collect());
        let packed = packed_map(json.clone());
        prop_assert_eq!(packed.to_json(), json.clone());
        prop_assert_eq!(packed.len(), json.as_object().unwrap().len());
        let text = serde_json::to_string(&packed).unwrap();
        prop_assert_eq!(serde_json::from_str::<PackedMap>(&text).unwrap().to_json(), serde_json::from_str::<Value>(&text).unwrap());
        for (key, value) in json.as_object().unwrap() {
            prop_assert_eq!(&packed.get(key).unwrap().to_json(), value);
        }
    }

    #[test]
    fn the_order_of_keys_leaves_no_trace(
        entries in prop::collection::btree_map(".{0,8}", any_json(), 0..8),
        turn in 0_usize..8,
    ) {
        let mut pieces: Vec<String> =
            entries.iter().map(|(key, value)| format!("{}:{value}", Value::from(key.as_str()))).collect();
        let sorted = PackedMap::parse(&format!("{{{}}}", pieces.join(",")), &limits()).unwrap();
        if !pieces.is_empty() {
            let turn = turn % pieces.len();
            pieces.rotate_left(turn);
        }
        let turned = PackedMap::parse(&format!("{{{}}}", pieces.join(",")), &limits()).unwrap();
        prop_assert_eq!(sorted.as_bytes(), turned.as_bytes());
        pieces.reverse();
        let reversed = PackedMap::parse(&format!("{{{}}}", pieces.join(",")), &limits()).unwrap();
        prop_assert_eq!(sorted.as_bytes(), reversed.as_bytes());
    }

    #[test]
    fn any_text_packs_or_is_refused(text in ".{0,200}") {
        let _ = PackedMap::parse(&text, &limits());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(text in "[\\x00-\\x7f\u{e9}]{0,64}") {
        let nonsense = PackedMap(text.as_str().into());
        let _ = (nonsense.len(), nonsense.get("a").is_some(), nonsense.to_json(), nonsense.without("a"));
        let _ = Packed(text.as_str().into()).to_json();
        if let Some(node) = Cursor::new(&text).node() {
            let _ = (node.len(), node.at(3).is_some(), node.get("a").is_some(), node.kind());
        }
    }
}
