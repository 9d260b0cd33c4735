use serde_json::{Value, json};

use super::*;

fn read(text: &str) -> Result<Value, String> {
    parse(text.as_bytes(), 1000).map(|tree| tree.value).map_err(|error| error.to_string())
}

/// YAML 1.1 as goyaml resolves it; what the server's decoder then does with a truth value is the schema's affair.
#[test]
fn plain_scalars_are_what_version_one_one_says() {
    for (text, expected) in [
        ("yes", json!(true)),
        ("On", json!(true)),
        ("y", json!(true)),
        ("no", json!(false)),
        ("OFF", json!(false)),
        ("'yes'", json!("yes")),
        ("\"no\"", json!("no")),
        ("!!str yes", json!("yes")),
        ("yEs", json!("yEs")),
        ("~", json!(null)),
        ("Null", json!(null)),
        ("0644", json!(420)),
        ("0o644", json!(420)),
        ("0x1F", json!(31)),
        ("0b101", json!(5)),
        ("-0b101", json!(-5)),
        ("1_000", json!(1000)),
        ("+7", json!(7)),
        ("08", json!(8)),
        ("9223372036854775807", json!(i64::MAX)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("18446744073709551615", json!(u64::MAX)),
        ("1.0", json!(1)),
        ("1e3", json!(1000)),
        ("1.5", json!(1.5)),
        (".5", json!(0.5)),
        ("-1.5e-3", json!(-0.0015)),
        ("1.2.3", json!("1.2.3")),
        ("1e", json!("1e")),
        ("-", json!([null])),
        ("--", json!("--")),
        ("0x", json!("0x")),
        ("1:20", json!("1:20")),
        ("100m", json!("100m")),
        ("2001-12-14", json!("2001-12-14")),
        ("2001-12-14T21:59:43.10-05:00", json!("2001-12-14T21:59:43.10-05:00")),
        ("!!binary aGVsbG8=", json!("hello")),
        ("!!int '7'", json!(7)),
        ("!custom 7", json!("7")),
    ] {
        assert_eq!(read(text), Ok(expected), "{text}");
    }
    assert_eq!(read(".inf"), Err("json: unsupported value: +Inf".to_owned()));
    assert_eq!(read(".NaN"), Err("json: unsupported value: NaN".to_owned()));
}

#[test]
fn keys_become_text_and_merge_keys_merge() {
    assert_eq!(read("{1: a, yes: b, 0.5: c}"), Ok(json!({"1": "a", "true": "b", "0.5": "c"})));
    assert_eq!(read("{~: a}"), Err("unsupported map key of type: <nil>".to_owned()));
    let merged = "base: &base {a: 1, b: 2}\nwith:\n  <<: *base\n  b: 3\nboth:\n  <<: [{a: 4}, *base]\n";
    let expected = json!({"base": {"a": 1, "b": 2}, "with": {"a": 1, "b": 3}, "both": {"a": 4, "b": 2}});
    assert_eq!(read(merged), Ok(expected));
    let requires = "error converting YAML to JSON: yaml: map merge requires map or sequence of maps as the value";
    assert_eq!(read("<<: 1"), Err(requires.to_owned()));
    assert_eq!(read("'<<': 1"), Ok(json!({"<<": 1})));
}

#[test]
fn the_last_of_two_keys_wins_and_is_complained_of() {
    let tree = parse(b"a: 1\nb:\n  c: 1\n  c: 2\na: 3\n", 1000).unwrap();
    assert_eq!(tree.value, json!({"a": 3, "b": {"c": 2}}));
    let lines = "line 4: key \"c\" already set in map\n  line 5: key \"a\" already set in map";
    assert_eq!(tree.complaints, [format!("yaml: unmarshal errors:\n  {lines}")]);
}

#[test]
fn what_is_no_single_small_document_is_refused() {
    assert_eq!(read("a: 1\n---\nb: 2\n").unwrap_err(), YamlError::Documents.to_string());
    assert_eq!(read("---\na: 1\n...\n"), Ok(json!({"a": 1})));
    assert_eq!(read(""), Ok(json!(null)));
    assert_eq!(read("# nothing\n"), Ok(json!(null)));
    assert_eq!(read("a: &a [*a]").unwrap_err(), YamlError::Recursive.to_string());
    assert!(read("a: [").unwrap_err().starts_with("error converting YAML to JSON: yaml: line "));
    assert!(read("a: *nowhere").is_err());
    assert!(parse(b"a: \xff", 1000).is_err());
    let mut bomb = String::from("a0: &a0 [x, x, x, x]\n");
    for level in 1..20 {
        bomb.push_str(&format!("a{level}: &a{level} [*a{0}, *a{0}, *a{0}, *a{0}]\n", level - 1));
    }
    assert_eq!(parse(bomb.as_bytes(), 3 << 20), Err(YamlError::Aliasing));
    let block = (0..5000).map(|level| format!("{}a:\n", " ".repeat(level))).collect::<String>();
    assert_eq!(parse(block.as_bytes(), 3 << 20), Err(YamlError::TooDeep { limit: 127 }));
    for open in ["[", "{a: ", "- ", "? "] {
        assert!(parse(open.repeat(100_000).as_bytes(), 3 << 20).is_err(), "{open}");
    }
    let mut chain = String::from("a0: &a0 []\n");
    for level in 1..200 {
        chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert_eq!(parse(chain.as_bytes(), 3 << 20), Err(YamlError::TooDeep { limit: 127 }));
}

#[test]
fn objects_are_written_as_upstream_writes_them() {
    let object = json!({
        "metadata": {"name": "a", "creationTimestamp": "2030-01-01T00:00:00Z", "labels": {}},
        "kind": "ConfigMap",
        "list": [{"b": 1, "a": [1, 2]}, [], [["x"]], null],
        "data": {"script": "#!/bin/sh\nexit 0\n", "on": "yes", "port": "0644", "url": "http://x:80/a", "odd": " x: #"},
    });
    let expected = r##"data:
  odd: " x: #"
  "on": "yes"
  port: "0644"
  script: |
    #!/bin/sh
    exit 0
  url: http://x:80/a
kind: ConfigMap
list:
- a:
  - 1
  - 2
  b: 1
- []
- - - x
- null
metadata:
  creationTimestamp: "2030-01-01T00:00:00Z"
  labels: {}
  name: a
"##;
    assert_eq!(encode(&object), expected);
    assert_eq!(read(expected), Ok(object));
}

#[test]
fn no_text_changes_on_its_way() {
    let odd = [
        "",
        " ",
        "a ",
        "-",
        "- a",
        "--- a",
        "...",
        "a: b",
        "a:",
        "a #b",
        "#a",
        "?",
        "? a",
        "[a]",
        "{a}",
        "a, b",
        "'",
        "\"",
        "%a",
        "@a",
        "`a",
        "!a",
        "&a",
        "*a",
        "|",
        ">",
        "~",
        "null",
        "y",
        "N",
        "1e3",
        "1_0",
        "0x1f",
        ".5",
        "+.inf",
        "12:30",
        "2001-01-01",
        "\t",
        "a\tb",
        "a\n",
        "a\nb",
        "a\n\nb\n",
        "\na",
        " a\nb",
        "a \nb",
        "a\n\n",
        "a\r\nb",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{7f}",
        "\0",
        "ä€𝄞",
        "<<",
        "=",
        "a\\b",
        "C:\\x",
    ];
    for text in odd {
        let value = json!({"key": text, text: [text, {"x": text}]});
        let written = encode(&value);
        assert_eq!(read(&written), Ok(value), "{written}");
    }
}
