//! Documents in protobuf: the messages `openapi.v2.Document` and `openapi.v3.Document` of gnostic.

mod v2;
mod v3;

use serde_json::Value;

pub(super) use v2::Document as V2;
pub(super) use v3::Document as V3;

use crate::packed::Packer;

/// A message under construction.
#[derive(Default)]
struct Message {
    bytes: Vec<u8>,
}

const VARINT: u32 = 0;
const FIXED_64: u32 = 1;
const LENGTH_DELIMITED: u32 = 2;

impl Message {
    /// A text, where there is one.
    fn text(&mut self, field: u32, text: Option<&str>) {
        if let Some(text) = text {
            self.delimited(field, text.as_bytes());
        }
    }

    fn texts(&mut self, field: u32, texts: Option<&Value>) {
        let texts = texts.and_then(Value::as_array).into_iter().flatten();
        texts.for_each(|text| self.text(field, text.as_str()));
    }

    fn message(&mut self, field: u32, message: &Message) {
        self.delimited(field, &message.bytes);
    }

    /// A truth value, where it is one. Outside of a `oneof`, false goes without saying.
    fn flag(&mut self, field: u32, is_set: Option<bool>) {
        if is_set == Some(true) {
            self.choice(field, true);
        }
    }

    /// A truth value that says by its presence alone which of several forms there is.
    fn choice(&mut self, field: u32, truth: bool) {
        self.tag(field, VARINT);
        self.varint(u64::from(truth));
    }

    fn double(&mut self, field: u32, number: f64) {
        self.tag(field, FIXED_64);
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    fn delimited(&mut self, field: u32, bytes: &[u8]) {
        self.open(field, bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// What stands before so many bytes of a field.
    fn open(&mut self, field: u32, length: usize) {
        self.tag(field, LENGTH_DELIMITED);
        self.varint(length as u64);
    }

    fn tag(&mut self, field: u32, wire_type: u32) {
        self.varint(u64::from(field << 3 | wire_type));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

// Entries of maps are messages of these two, whatever they hold.
const NAMED_NAME: u32 = 1;
const NAMED_VALUE: u32 = 2;
/// Of gnostic's own `Any`, which holds a value of any form.
const ANY_YAML: u32 = 2;

fn named(name: &str, value: &Message) -> Message {
    let mut entry = Message::default();
    entry.text(NAMED_NAME, Some(name));
    entry.message(NAMED_VALUE, value);
    entry
}

/// A value of any form. JSON is YAML.
fn any(value: &Value) -> Message {
    let mut any = Message::default();
    any.text(ANY_YAML, Some(&value.to_string()));
    any
}

/// The fields of names that the specification leaves to others.
fn extensions(message: &mut Message, field: u32, described: &Value) {
    let fields = described.as_object().into_iter().flatten();
    for (name, value) in fields.filter(|(name, _)| name.starts_with("x-")) {
        message.message(field, &named(name, &any(value)));
    }
}

fn text<'a>(described: &'a Value, field: &str) -> Option<&'a str> {
    described.get(field).and_then(Value::as_str)
}

fn truth(described: &Value, field: &str) -> Option<bool> {
    described.get(field).and_then(Value::as_bool)
}

fn items<'a>(described: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    described.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn entries<'a>(described: &'a Value, field: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    described.get(field).and_then(Value::as_object).into_iter().flatten()
}

/// A message of many entries: its length stands before it and is known at its end.
#[derive(Default)]
struct Entries {
    pieces: Vec<Vec<u8>>,
    length: usize,
}

/// Small enough that an allocator gives them back and finds room for them again.
const PIECE_BYTES: usize = 32 << 10;

impl Entries {
    fn add(&mut self, field: u32, entry: &Message) {
        let mut message = Message::default();
        message.message(field, entry);
        self.length += message.bytes.len();
        match self.pieces.last_mut().filter(|last| last.len() + message.bytes.len() <= PIECE_BYTES) {
            Some(last) => last.extend_from_slice(&message.bytes),
            None => {
                let mut piece = Vec::with_capacity(PIECE_BYTES.max(message.bytes.len()));
                piece.extend_from_slice(&message.bytes);
                self.pieces.push(piece);
            }
        }
    }

    /// Hands its bytes on as the field of a message that holds it.
    fn pack(&self, field: u32, packer: &mut Packer) {
        let mut head = Message::default();
        head.open(field, self.length);
        packer.add(&head.bytes);
        self.pieces.iter().for_each(|piece| packer.add(piece));
    }

    /// How long it is with what stands before it.
    fn length_in(&self, field: u32) -> usize {
        let mut head = Message::default();
        head.open(field, self.length);
        head.bytes.len() + self.length
    }
}

/// What a document begins with, in both versions: what it is, and of which program it tells.
fn head(number: &str, title_field: u32, version_field: u32) -> Message {
    let mut info = Message::default();
    info.text(title_field, Some(super::form::TITLE));
    info.text(version_field, Some(crate::version::GIT_VERSION));
    let mut head = Message::default();
    head.text(1, Some(number));
    head.message(2, &info);
    head
}
