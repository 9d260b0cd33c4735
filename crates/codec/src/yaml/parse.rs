//! A document into the JSON it stands for.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Value};

use super::{YamlError, scalar};
use crate::tree::Tree;

/// Of what is read, as for JSON.
const MAX_NESTING: usize = 127;

/// How many lines of keys that stand twice a document may get.
const MAX_COMPLAINTS: usize = 100;

/// Aliases may unfold the document to `max_bytes`.
pub(crate) fn parse(body: &[u8], max_bytes: usize) -> Result<Tree, YamlError> {
    let text = std::str::from_utf8(body).map_err(YamlError::Text)?;
    let mut reader =
        Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), budget: max_bytes, twice: Vec::new() };
    let mut value = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            _ if value.is_some() => return Err(YamlError::Documents),
            event => value = Some(reader.node(event, span, 0)?),
        }
    }
    let complaints = match reader.twice.as_slice() {
        [] => Vec::new(),
        lines => vec![format!("yaml: unmarshal errors:\n  {}", lines.join("\n  "))],
    };
    Ok(Tree { value: value.unwrap_or(Value::Null), complaints })
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// By the parser's number: the value, and what it took of the budget. `None` while it is being read.
    anchors: HashMap<usize, Option<(Value, usize)>>,
    /// What the document may still hold: a byte for each value and each byte of text.
    budget: usize,
    /// A line for each key that stands twice in a map.
    twice: Vec<String>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), YamlError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(YamlError::Syntax { line: error.marker().line(), reason: error.info().to_owned() }),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, levels: usize) -> Result<Value, YamlError> {
        if levels > MAX_NESTING {
            return Err(YamlError::TooDeep { limit: MAX_NESTING });
        }
        let before = self.budget;
        let anchor = match &event {
            Event::Scalar(_, _, anchor, _) | Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                *anchor
            }
            _ => 0,
        };
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
        let value = match event {
            Event::Scalar(text, style, _, tag) => {
                self.spend(text.len())?;
                value_of(&text, style, tag.as_deref())?
            }
            Event::SequenceStart(..) => self.sequence(levels + 1)?,
            Event::MappingStart(..) => self.mapping(levels + 1)?,
            Event::Alias(anchor) => {
                let (value, cost) = self.anchors.get(&anchor).cloned().flatten().ok_or(YamlError::Recursive)?;
                self.spend(cost)?;
                if !fits(&value, MAX_NESTING.saturating_sub(levels)) {
                    return Err(YamlError::TooDeep { limit: MAX_NESTING });
                }
                value
            }
            _ => {
                let line = span.start.line();
                return Err(YamlError::Syntax { line, reason: "did not find expected node content".to_owned() });
            }
        };
        if anchor > 0 {
            self.anchors.insert(anchor, Some((value.clone(), before - self.budget)));
        }
        Ok(value)
    }

    fn sequence(&mut self, levels: usize) -> Result<Value, YamlError> {
        self.spend(0)?;
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                (event, span) => items.push(self.node(event, span, levels)?),
            }
        }
    }

    fn mapping(&mut self, levels: usize) -> Result<Value, YamlError> {
        self.spend(0)?;
        let mut entries = Map::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Object(entries));
            }
            let merges = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event, span, levels)?;
            let (event, span) = self.next()?;
            let line = span.start.line();
            let value = self.node(event, span, levels)?;
            if merges {
                self.merge(&mut entries, value, line)?;
            } else {
                self.insert(&mut entries, key_text(key)?, value, line);
            }
        }
    }

    /// `<<`: the entries of a map, or of several of which the earlier count more.
    fn merge(&mut self, entries: &mut Map<String, Value>, value: Value, line: usize) -> Result<(), YamlError> {
        let maps = match value {
            Value::Object(map) => vec![Value::Object(map)],
            Value::Array(maps) => maps,
            _ => return Err(YamlError::Merge),
        };
        for map in maps.into_iter().rev() {
            let Value::Object(map) = map else { return Err(YamlError::Merge) };
            for (key, value) in map {
                self.insert(entries, key, value, line);
            }
        }
        Ok(())
    }

    fn insert(&mut self, entries: &mut Map<String, Value>, key: String, value: Value, line: usize) {
        if entries.contains_key(&key) && self.twice.len() < MAX_COMPLAINTS {
            self.twice.push(format!("line {line}: key {key:?} already set in map"));
        }
        entries.insert(key, value);
    }

    fn spend(&mut self, bytes: usize) -> Result<(), YamlError> {
        self.budget = self.budget.checked_sub(bytes + 1).ok_or(YamlError::Aliasing)?;
        Ok(())
    }
}

fn value_of(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, YamlError> {
    match tag {
        Some(tag) if tag.is_yaml_core_schema() => scalar::tagged(text, &tag.suffix),
        // A tag of somebody's own, or the one that says "as it stands".
        Some(_) => Ok(Value::from(text)),
        None if style == ScalarStyle::Plain => scalar::plain(text),
        None => Ok(Value::from(text)),
    }
}

/// Keys of JSON are texts: numbers and truth values become theirs.
fn key_text(key: Value) -> Result<String, YamlError> {
    match key {
        Value::String(text) => Ok(text),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Err(YamlError::Key("<nil>")),
        Value::Array(_) => Err(YamlError::Key("slice")),
        Value::Object(_) => Err(YamlError::Key("map")),
    }
}

/// Whether the value nests at most so deep; the recursion ends where the answer is clear.
fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(entries) => levels > 0 && entries.values().all(|entry| fits(entry, levels - 1)),
        _ => true,
    }
}
