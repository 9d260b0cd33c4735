//! Objects drawn from the schema: every field may stand there, with values that its shape allows.

use codec::Object;
use codec::schema::{Field, Presence, Shape, Type};
use serde_json::{Value, json};

/// Draws without end from one number (xorshift64*).
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn from_seed(seed: u64) -> Self {
        Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % bound.max(1)
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }
}

/// Whether what is drawn may hold what protobuf has not: fields without a number, empty lists and maps.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fields {
    All,
    Numbered,
}

/// An object of the type as Go would write it: canonical values, no zero that is left out.
pub(crate) fn object(
    draws: &mut Draws,
    r#type: &'static Type,
    kind: &str,
    api_version: &str,
    fields: Fields,
) -> Object {
    let Value::Object(mut object) = structure(draws, r#type, fields, 12) else { unreachable!("a struct is an object") };
    object.shift_remove("kind");
    object.shift_remove("apiVersion");
    let mut stated = Object::new();
    stated.insert("kind".to_owned(), Value::from(kind));
    stated.insert("apiVersion".to_owned(), Value::from(api_version));
    stated.extend(object);
    stated
}

fn structure(draws: &mut Draws, r#type: &'static Type, fields: Fields, levels: usize) -> Value {
    let mut object = Object::new();
    // Deep down little stands there that need not.
    let percent = if levels > 8 { 55 } else { 4 * levels };
    for field in r#type.fields {
        let is_numbered = field.number > 0 || r#type.embedded.iter().any(|(_, of)| of.field(field.name).is_some());
        if fields == Fields::Numbered && !is_numbered {
            continue;
        }
        let always =
            field.presence == Presence::Always && !matches!(field.shape, Shape::List(_) | Shape::Map(_) | Shape::Bytes);
        if always || (levels > 0 && draws.chance(percent)) {
            object.insert(field.name.to_owned(), value(draws, field, fields, levels));
        }
    }
    Value::Object(object)
}

fn value(draws: &mut Draws, field: &Field, fields: Fields, levels: usize) -> Value {
    let is_container = matches!(field.shape, Shape::List(_) | Shape::Map(_));
    let not_zero = field.presence == Presence::OmittedIfZero || (is_container && fields == Fields::Numbered);
    of_shape(draws, &field.shape, fields, levels, not_zero)
}

/// Where zero is left out, what is drawn is not zero.
fn of_shape(draws: &mut Draws, shape: &Shape, fields: Fields, levels: usize, not_zero: bool) -> Value {
    let levels = levels.saturating_sub(1);
    let at_least = usize::from(not_zero);
    match shape {
        Shape::String | Shape::Text(_) => {
            let text = draws.pick(&[
                "",
                "web",
                "a b",
                "ä€𝄞",
                "yes",
                "0644",
                "1e3",
                "null",
                "~",
                "# no",
                "line\nbreak\ttab",
                "2001-01-01",
            ]);
            if not_zero && text.is_empty() { json!("x") } else { json!(text) }
        }
        Shape::Bool => json!(not_zero || draws.chance(50)),
        Shape::Int32 => json!([1, -1, 80, i32::MAX, i32::MIN, 0][draws.below(6 - at_least)]),
        Shape::Int64 => json!([1, -1, 1 << 40, i64::MAX, i64::MIN, 0][draws.below(6 - at_least)]),
        Shape::Float64 => json!([0.5, -1.25, 1e300][draws.below(3)]),
        Shape::Quantity => json!(draws.pick(&["0", "1", "500m", "1Gi", "-3k", "1536Mi"])),
        Shape::IntOrString if draws.chance(50) => json!(draws.pick(&["25%", "http", ""])),
        Shape::IntOrString => json!([0, 1, 8080, -5][draws.below(4)]),
        Shape::Time => json!(draws.pick(&["2030-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2024-02-29T12:34:56Z"])),
        Shape::MicroTime => json!(draws.pick(&["2030-01-01T00:00:00.000000Z", "1969-12-31T23:59:59.999999Z"])),
        Shape::Duration => json!(draws.pick(&["0s", "15.2s", "1h0m5s", "300ms"])),
        Shape::Bytes => json!(draws.pick(&["AA==", "aGVsbG8=", "/+8AAQID"])),
        Shape::List(item) => {
            let count = at_least + draws.below(2);
            (0..count).map(|_| of_shape(draws, item, fields, levels, false)).collect()
        }
        Shape::Map(item) => {
            let keys = ["b", "a.example.com/x", "yes", "10", "ä"];
            let first = draws.below(keys.len());
            let count = at_least + draws.below(2);
            let chosen = (0..count).map(|at| keys[(first + at) % keys.len()].to_owned());
            Value::Object(chosen.map(|key| (key, map_value(draws, item, fields, levels))).collect())
        }
        Shape::Struct(r#type) => structure(draws, r#type, fields, levels),
        Shape::Any => json!({"f:spec": {"f:replicas": {}}, "list": [1, -2.5, true, null, "x"]}),
        Shape::Either(r#type) => either(draws, r#type, fields, levels),
    }
}

/// A list in a map is written as it is, empty or not, but has no null.
fn map_value(draws: &mut Draws, shape: &Shape, fields: Fields, levels: usize) -> Value {
    of_shape(draws, shape, fields, levels, matches!(shape, Shape::List(_)))
}

fn either(draws: &mut Draws, r#type: &'static Type, fields: Fields, levels: usize) -> Value {
    let form = &r#type.fields[draws.below(r#type.fields.len())];
    of_shape(draws, &form.shape, fields, levels, true)
}
