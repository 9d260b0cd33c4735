//! JSON into a tree of values, noting duplicate keys on the way.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use crate::apply;

/// A parsed document, and a line for every key that stood twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    pub value: Value,
    pub complaints: Vec<String>,
}

const MAX_COMPLAINTS: usize = 100;

/// The parser stops at 128 levels of nesting.
pub(crate) fn from_json(body: &[u8], max_bytes: usize) -> Result<Tree, String> {
    read(body, State::new(max_bytes))
}

/// As [`from_json`], with managed fields left at rest.
pub(crate) fn from_json_resting(body: &[u8], max_bytes: usize) -> Result<Tree, String> {
    read(body, State { rests: true, ..State::new(max_bytes) })
}

fn read(body: &[u8], mut state: State) -> Result<Tree, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = Node(&mut state).deserialize(&mut deserializer).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok(Tree { value, complaints: state.complaints })
}

struct State {
    path: String,
    complaints: Vec<String>,
    /// What the document may still hold: a byte for each value and each byte of text.
    budget: usize,
    /// Whether managed fields stay the text they are.
    rests: bool,
}

impl State {
    fn new(budget: usize) -> Self {
        State { path: String::new(), complaints: Vec::new(), budget, rests: false }
    }

    fn spend<E: serde::de::Error>(&mut self, bytes: usize) -> Result<(), E> {
        match self.budget.checked_sub(bytes + 1) {
            Some(left) => {
                self.budget = left;
                Ok(())
            }
            None => Err(E::custom("the document unfolds to more than the body limit")),
        }
    }

    fn complain(&mut self, key: &str) {
        let separator = if self.path.is_empty() { "" } else { "." };
        let complaint = format!("duplicate field \"{}{separator}{key}\"", self.path);
        if self.complaints.len() < MAX_COMPLAINTS && !self.complaints.contains(&complaint) {
            self.complaints.push(complaint);
        }
    }
}

struct Node<'a>(&'a mut State);

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.0.spend(0)?;
        Ok(Value::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<Value, E> {
        self.0.spend(0)?;
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Value, E> {
        self.0.spend(0)?;
        Ok(Value::from(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
        self.0.spend(0)?;
        Ok(Value::from(number))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        self.0.spend(0)?;
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("not a number that JSON can hold"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.0.spend(text.len())?;
        Ok(Value::from(text))
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Value, E> {
        self.0.spend(text.len())?;
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        self.0.spend(0)?;
        let mut items = Vec::new();
        let outer = self.0.path.len();
        loop {
            self.0.path.push_str(&format!("[{}]", items.len()));
            let item = sequence.next_element_seed(Node(self.0))?;
            self.0.path.truncate(outer);
            match item {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.0.spend(0)?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            self.0.spend(key.len())?;
            if object.contains_key(key.as_ref()) {
                self.0.complain(&key);
            }
            if self.0.rests && apply::holds_fields(&self.0.path, &key) {
                let fields: &RawValue = entries.next_value()?;
                self.0.spend(fields.get().len())?;
                object.insert(key.into_owned(), apply::text_of(fields).map_err(A::Error::custom)?);
                continue;
            }
            let outer = self.0.path.len();
            if outer > 0 {
                self.0.path.push('.');
            }
            self.0.path.push_str(&key);
            let value = entries.next_value_seed(Node(self.0))?;
            self.0.path.truncate(outer);
            object.insert(key.into_owned(), value);
        }
        Ok(Value::Object(object))
    }
}

/// A key, borrowed from the body where nothing in it is escaped.
pub(crate) struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
