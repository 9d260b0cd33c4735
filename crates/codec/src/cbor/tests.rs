//! Items from the specification's own examples, and upstream's choices among what it allows.

use serde_json::{Value, json};

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn read(text: &str) -> Result<Value, String> {
    parse(&hex(text)).map_err(|error| error.to_string())
}

/// RFC 8949, appendix A.
#[test]
fn the_specifications_examples_read_as_it_says() {
    for (bytes, expected) in [
        ("00", json!(0)),
        ("17", json!(23)),
        ("1818", json!(24)),
        ("1b000000e8d4a51000", json!(1_000_000_000_000_u64)),
        ("20", json!(-1)),
        ("3903e7", json!(-1000)),
        ("3b7fffffffffffffff", json!(i64::MIN)),
        ("f93c00", json!(1.0)),
        ("f93e00", json!(1.5)),
        ("f97bff", json!(65504.0)),
        ("fa47c35000", json!(100_000.0)),
        ("f90001", json!(5.960464477539063e-8)),
        ("f90400", json!(0.00006103515625)),
        ("f9c400", json!(-4.0)),
        ("fb3ff199999999999a", json!(1.1)),
        ("f4", json!(false)),
        ("f5", json!(true)),
        ("f6", json!(null)),
        ("c074323031332d30332d32315432303a30343a30305a", json!("2013-03-21T20:04:00Z")),
        ("c11a514b67b0", json!("2013-03-21T20:04:00Z")),
        ("c1fb41d452d9ec200000", json!("2013-03-21T20:04:00.5Z")),
        ("d74401020304", json!("01020304")),
        ("d6430102ff", json!("AQL/")),
        ("d5430102ff", json!("AQL_")),
        ("d818456449455446", json!("dIETF")),
        ("4449455446", json!("IETF")),
        ("62c3bc", json!("ü")),
        ("8301820203820405", json!([1, [2, 3], [4, 5]])),
        ("a26161016162820203", json!({"a": 1, "b": [2, 3]})),
        ("5f42666f436f6261ff", json!("fooba")),
        ("7f657374726561646d696e67ff", json!("streaming")),
        ("9fff", json!([])),
        ("83018202039f0405ff", json!([1, [2, 3], [4, 5]])),
        ("bf61610161629f0203ffff", json!({"a": 1, "b": [2, 3]})),
        ("a1416101", json!({"a": 1})),
        ("d9d9f7a0", json!({})),
    ] {
        assert_eq!(read(bytes), Ok(expected), "{bytes}");
    }
}

#[test]
fn what_json_cannot_hold_is_refused() {
    for (bytes, expected) in [
        ("", "EOF"),
        ("18", "unexpected EOF"),
        ("83 01", "unexpected EOF"),
        (
            "1bffffffffffffffff",
            "cbor: cannot unmarshal positive integer into Go value of type int64 (18446744073709551615 overflows Go's int64)",
        ),
        (
            "3bffffffffffffffff",
            "cbor: cannot unmarshal negative integer into Go value of type int64 (-18446744073709551616 overflows Go's int64)",
        ),
        ("c249010000000000000000", "cbor: cannot unmarshal bignum into Go value of type interface {}"),
        ("f97e00", "cbor: cannot unmarshal primitives into Go value of type float64 (NaN)"),
        ("f97c00", "cbor: cannot unmarshal primitives into Go value of type float64 (inf)"),
        ("f7", "cbor: simple value 23 is not recognized"),
        ("f8ff", "cbor: simple value 255 is not recognized"),
        ("ff", "cbor: unexpected \"break\" code"),
        ("61ff", "cbor: invalid UTF-8 string"),
        ("41ff", "cbor: invalid UTF-8 string"),
        ("a10102", "cbor: cannot unmarshal positive integer into Go value of type string"),
        ("a2616101416102", "cbor: found duplicate map key \"a\" at map element index 1"),
        ("0000", "cbor: 1 bytes of extraneous data starting at index 1"),
        ("1c", "cbor: invalid additional information 28 for type positive integer"),
        ("5f6161ff", "cbor: wrong element type UTF-8 text string for indefinite-length byte string"),
        ("c001", "cbor: tag number 0 must be followed by a string"),
        ("c1f5", "cbor: tag number 1 must be followed by a moment as a number"),
        ("5bffffffffffffffff00", "unexpected EOF"),
        ("9bffffffffffffffff", "unexpected EOF"),
    ] {
        assert_eq!(read(bytes), Err(expected.to_owned()), "{bytes}");
    }
}

#[test]
fn depth_and_number_of_values_are_bounded() {
    let nested = |byte: u8, levels: usize| parse(&[vec![byte; levels], vec![0x00]].concat());
    assert!(nested(0x81, 64).is_ok());
    for byte in [0x81, 0xc6, 0x9f, 0xd6] {
        assert_eq!(nested(byte, 100_000), Err(CborError::TooDeep { limit: 64 }), "{byte:x}");
    }
    let mut wide = hex("9a 00200000");
    wide.resize(2_200_000, 0xf6);
    assert!(matches!(parse(&wide), Err(CborError::TooMany { .. })));
}

#[test]
fn numbers_take_the_smallest_form() {
    for (number, bytes) in [
        (json!(23), "17"),
        (json!(24), "1818"),
        (json!(256), "190100"),
        (json!(65536), "1a00010000"),
        (json!(i64::MAX), "1b7fffffffffffffff"),
        (json!(-1), "20"),
        (json!(i64::MIN), "3b7fffffffffffffff"),
        (json!(0.0), "f90000"),
        (json!(-0.0), "f98000"),
        (json!(1.5), "f93e00"),
        (json!(65504.0), "f97bff"),
        (json!(65536.0), "fa47800000"),
        (json!(5.960464477539063e-8), "f90001"),
        (json!(0.00006103515625), "f90400"),
        (json!(100_000.0), "fa47c35000"),
        (json!(1.1), "fb3ff199999999999a"),
        (json!(1e300), "fb7e37e43c8800759c"),
    ] {
        assert_eq!(encode(&number)[3..], hex(bytes), "{number}");
        assert_eq!(parse(&encode(&number)), Ok(number));
    }
}

#[test]
fn an_object_is_described_its_strings_and_bytes_are_bytes() {
    let secret = json!({"kind": "Secret", "apiVersion": "v1", "data": {"a": "AQL/"}});
    let bytes = [
        "d9d9f7 a3",
        "44 6b696e64 46 536563726574",
        "4a 61706956657273696f6e 42 7631",
        "44 64617461 a1 41 61 d6 43 0102ff",
    ];
    assert_eq!(encode(&secret), hex(&bytes.concat()));
    assert_eq!(parse(&encode(&secret)), Ok(secret.clone()));
    let event = frame("ADDED", &secret);
    assert_eq!(event[..], [hex("d9d9f7 a2 44 74797065 45 4144444544 46 6f626a656374"), encode(&secret)].concat());
    let list = json!({"kind": "SecretList", "apiVersion": "v1", "items": [{"data": {"a": "AQL/"}}]});
    assert!(encode(&list).windows(5).any(|part| part == hex("d6 43 0102ff")));
}
