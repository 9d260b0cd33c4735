//! JSON into YAML: keys in order, lists as far in as their key, text in quotes where it would be read as something else.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::scalar;

/// An object as a document.
pub fn encode(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(entries) if !entries.is_empty() => map(&mut out, entries, 0, true),
        Value::Array(items) if !items.is_empty() => list(&mut out, items, 0, true),
        other => {
            inline(&mut out, other, 0);
            out.push('\n');
        }
    }
    out
}

/// `is_first_placed`: the first line's indentation stands there already.
fn map(out: &mut String, entries: &Map<String, Value>, indent: usize, is_first_placed: bool) {
    let ordered: BTreeMap<&String, &Value> = entries.iter().collect();
    for (at, (key, value)) in ordered.into_iter().enumerate() {
        if at > 0 || !is_first_placed {
            pad(out, indent);
        }
        text(out, key, None);
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                map(out, inner, indent + 2, false);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                list(out, items, indent, false);
            }
            other => {
                out.push(' ');
                inline(out, other, indent + 2);
                out.push('\n');
            }
        }
    }
}

fn list(out: &mut String, items: &[Value], indent: usize, is_first_placed: bool) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 || !is_first_placed {
            pad(out, indent);
        }
        out.push_str("- ");
        match item {
            Value::Object(inner) if !inner.is_empty() => map(out, inner, indent + 2, true),
            Value::Array(inner) if !inner.is_empty() => list(out, inner, indent + 2, true),
            other => {
                inline(out, other, indent + 2);
                out.push('\n');
            }
        }
    }
}

fn inline(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::String(content) => text(out, content, Some(indent)),
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// Plain, as a block where lines may stand (`block_indent`), or in quotes.
fn text(out: &mut String, content: &str, block_indent: Option<usize>) {
    if is_plain(content) {
        out.push_str(content);
        return;
    }
    match block_indent.filter(|_| is_block(content)) {
        Some(indent) => block(out, content, indent),
        None => quoted(out, content),
    }
}

fn is_plain(content: &str) -> bool {
    let starts_well = content.starts_with(|first: char| first.is_alphanumeric() || "_/.+-".contains(first))
        && !content.starts_with("- ")
        && !content.starts_with("--")
        && !content.starts_with("...")
        && content != "-";
    let is_printable = content.chars().all(|c| c == ' ' || (!c.is_whitespace() && is_printable(c)));
    starts_well
        && is_printable
        && !content.contains(": ")
        && !content.contains(" #")
        && !content.ends_with([':', ' '])
        && !scalar::is_timestamp(content)
        && !scalar::is_base_sixty(content)
        && scalar::plain(content).is_ok_and(|value| value.is_string())
}

/// Several lines, none of which begins or ends with what would get lost.
fn is_block(content: &str) -> bool {
    content.contains('\n')
        && !content.starts_with([' ', '\n', '\t'])
        && content.chars().all(|c| c == '\n' || c == '\t' || (is_printable(c) && (c == ' ' || !c.is_whitespace())))
        && content.lines().all(|line| !line.ends_with([' ', '\t']))
        && content.trim_end_matches('\n').len() + 1 >= content.len()
}

fn block(out: &mut String, content: &str, indent: usize) {
    out.push_str(if content.ends_with('\n') { "|" } else { "|-" });
    for line in content.lines() {
        out.push('\n');
        if !line.is_empty() {
            pad(out, indent);
            out.push_str(line);
        }
    }
}

fn quoted(out: &mut String, content: &str) {
    out.push('"');
    for c in content.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c => out.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    out.push('"');
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}
