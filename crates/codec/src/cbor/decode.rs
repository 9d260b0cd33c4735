//! One item into the JSON it stands for.

use api::time;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Number, Value};

use super::{CborError, major, tag};

/// Upstream's limit.
const MAX_NESTING: usize = 64;

/// As many values as the largest body could hold in JSON.
const MAX_VALUES: usize = 1_500_000;

/// A body that is one item, whatever tags it stands in.
pub(crate) fn parse(body: &[u8]) -> Result<Value, CborError> {
    if body.is_empty() {
        return Err(CborError::Empty);
    }
    let mut reader = Reader { body, at: 0, values: 0 };
    let value = reader.value(0)?;
    match body.len() - reader.at {
        0 => Ok(value),
        count => Err(CborError::Extraneous { count, at: reader.at }),
    }
}

struct Reader<'a> {
    body: &'a [u8],
    at: usize,
    /// Read so far.
    values: usize,
}

/// An item's first bytes. A length or count of `None` is told by a break at the end.
#[derive(Clone, Copy)]
struct Head {
    major: u8,
    information: u8,
    argument: Option<u64>,
}

impl Head {
    fn is_break(self) -> bool {
        self.major == major::SIMPLE && self.argument.is_none()
    }

    fn kind(self) -> &'static str {
        match self.major {
            major::UNSIGNED => "positive integer",
            major::NEGATIVE => "negative integer",
            major::BYTES => "byte string",
            major::TEXT => "UTF-8 text string",
            major::ARRAY => "array",
            major::MAP => "map",
            major::TAG => "tag",
            _ => "primitives",
        }
    }
}

impl<'a> Reader<'a> {
    fn value(&mut self, levels: usize) -> Result<Value, CborError> {
        let head = self.head()?;
        self.value_after(head, levels)
    }

    fn value_after(&mut self, head: Head, levels: usize) -> Result<Value, CborError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(CborError::TooMany { limit: MAX_VALUES });
        }
        if levels > MAX_NESTING {
            return Err(CborError::TooDeep { limit: MAX_NESTING });
        }
        match (head.major, head.argument) {
            (major::UNSIGNED, Some(number)) => i64::try_from(number)
                .map(Value::from)
                .map_err(|_| CborError::Overflow { found: head.kind(), value: number.to_string() }),
            (major::NEGATIVE, Some(number)) => i64::try_from(number)
                .map(|number| Value::from(-1 - number))
                .map_err(|_| CborError::Overflow { found: head.kind(), value: (-1 - i128::from(number)).to_string() }),
            (major::BYTES | major::TEXT, _) => self.string(head).map(Value::String),
            (major::ARRAY, count) => self.array(count, levels + 1),
            (major::MAP, count) => self.map(count, levels + 1),
            (major::TAG, Some(number)) => self.tagged(number, levels + 1),
            (major::SIMPLE, Some(bits)) => primitive(head, bits),
            _ => Err(CborError::Break),
        }
    }

    fn array(&mut self, count: Option<u64>, levels: usize) -> Result<Value, CborError> {
        let mut items = Vec::new();
        while count.is_none_or(|count| (items.len() as u64) < count) {
            let head = self.head()?;
            if count.is_none() && head.is_break() {
                break;
            }
            items.push(self.value_after(head, levels)?);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, count: Option<u64>, levels: usize) -> Result<Value, CborError> {
        let mut entries = Map::new();
        while count.is_none_or(|count| (entries.len() as u64) < count) {
            let head = self.head()?;
            if count.is_none() && head.is_break() {
                break;
            }
            let key = match head.major {
                major::BYTES | major::TEXT => self.string(head)?,
                _ => return Err(CborError::Key { found: head.kind() }),
            };
            let at = entries.len();
            if entries.contains_key(&key) {
                return Err(CborError::DuplicateKey { key, at });
            }
            entries.insert(key, self.value(levels)?);
        }
        Ok(Value::Object(entries))
    }

    fn tagged(&mut self, number: u64, levels: usize) -> Result<Value, CborError> {
        let head = self.head()?;
        let is_string = matches!(head.major, major::BYTES | major::TEXT);
        match number {
            tag::BIG | tag::NEGATIVE_BIG => Err(CborError::Big),
            tag::BASE64 if head.major == major::BYTES => Ok(Value::from(STANDARD.encode(self.bytes(head)?))),
            tag::BASE64_URL if head.major == major::BYTES => Ok(Value::from(URL_SAFE_NO_PAD.encode(self.bytes(head)?))),
            tag::HEX if head.major == major::BYTES => {
                Ok(Value::from(self.bytes(head)?.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
            }
            tag::DATE_TEXT if !is_string => Err(CborError::Tagged { number, expected: "a string" }),
            tag::EPOCH => {
                let seconds = self.value_after(head, levels)?;
                let moment = epoch(&seconds).ok_or(CborError::Tagged { number, expected: "a moment as a number" })?;
                Ok(Value::from(moment))
            }
            _ => self.value_after(head, levels),
        }
    }

    fn string(&mut self, head: Head) -> Result<String, CborError> {
        String::from_utf8(self.bytes(head)?).map_err(|_| CborError::Utf8)
    }

    fn bytes(&mut self, head: Head) -> Result<Vec<u8>, CborError> {
        if let Some(length) = head.argument {
            return self.take(length).map(<[u8]>::to_vec);
        }
        let mut whole = Vec::new();
        loop {
            let chunk = self.head()?;
            match chunk.argument {
                _ if chunk.is_break() => return Ok(whole),
                Some(length) if chunk.major == head.major => whole.extend_from_slice(self.take(length)?),
                _ => return Err(CborError::Chunk { found: chunk.kind(), within: head.kind() }),
            }
        }
    }

    fn head(&mut self) -> Result<Head, CborError> {
        let first = self.take(1)?[0];
        let (major, information) = (first >> 5, first & 0x1f);
        let argument = match information {
            0..=23 => Some(u64::from(information)),
            24..=27 => {
                let bytes = self.take(1 << (information - 24))?;
                Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
            }
            31 if !matches!(major, major::UNSIGNED | major::NEGATIVE | major::TAG) => None,
            _ => {
                let kind = Head { major, information, argument: None }.kind();
                return Err(CborError::Information { information, kind });
            }
        };
        Ok(Head { major, information, argument })
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], CborError> {
        let length = usize::try_from(length).map_err(|_| CborError::Ended)?;
        let end = self.at.checked_add(length).ok_or(CborError::Ended)?;
        let taken = self.body.get(self.at..end).ok_or(CborError::Ended)?;
        self.at = end;
        Ok(taken)
    }
}

/// Truth values, null, and numbers with a fraction. There is no `undefined` in JSON.
fn primitive(head: Head, bits: u64) -> Result<Value, CborError> {
    let number = match head.information {
        20 => return Ok(Value::Bool(false)),
        21 => return Ok(Value::Bool(true)),
        22 => return Ok(Value::Null),
        25 => half(bits as u16),
        26 => f64::from(f32::from_bits(bits as u32)),
        27 => f64::from_bits(bits),
        _ => return Err(CborError::Simple(bits as u8)),
    };
    Number::from_f64(number)
        .map(Value::Number)
        .ok_or(CborError::NotFinite { found: head.kind(), value: number.to_string() })
}

/// A number of 16 bits: 1 for the sign, 5 for the exponent, 10 for the fraction.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// Seconds since 1970 as text.
fn epoch(seconds: &Value) -> Option<String> {
    let since = match seconds.as_i64() {
        Some(whole) => SignedDuration::from_secs(whole),
        None => SignedDuration::try_from_secs_f64(seconds.as_f64()?).ok()?,
    };
    let moment = Timestamp::from_duration(since).ok()?;
    Some(if moment.subsec_nanosecond() == 0 { time::seconds(moment) } else { moment.to_string() })
}
