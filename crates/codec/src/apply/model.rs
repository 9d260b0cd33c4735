//! How a value is shared among its owners: as one, field by field, or item by item.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::element::PathElement;
use crate::schema::{Field, Patch, Presence, Shape, Topology, Type};

#[derive(Clone, Copy)]
pub(super) enum Model {
    /// A scalar, or a container that is owned as one value.
    Leaf,
    Struct(&'static Type),
    Map(&'static Shape),
    /// Items are told apart by these keys.
    List {
        keys: &'static [&'static str],
        item: &'static Shape,
    },
    /// Scalars, each once.
    Set,
}

/// Why a list's item has no place in its list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ItemError {
    #[error("associative list with keys may not have a null element")]
    NullItem,
    #[error("associative list with keys may not have non-map elements")]
    NoMap,
    #[error(
        "associative list with keys has an element that omits all key fields {keys:?} (and doesn't have default values \
         for any key fields)"
    )]
    NoKeys { keys: &'static [&'static str] },
    #[error("associative list without keys has an element that's a map type")]
    MapInSet,
    #[error("not supported: associative list with lists as elements")]
    ListInSet,
    #[error("associative list without keys has an element that's an explicit null")]
    NullInSet,
}

impl Model {
    pub(super) fn of_field(field: &'static Field) -> Self {
        match (&field.shape, field.topology) {
            (_, Topology::Atomic) => Model::Leaf,
            (Shape::List(_), Topology::Set) => Model::Set,
            (Shape::List(item), Topology::Keyed(keys)) => Model::List { keys, item },
            // Older types say only how strategic merge patches treat them.
            (Shape::List(item), Topology::Granular) => match &field.patch {
                Patch::Merge("") => Model::Set,
                Patch::Merge(key) | Patch::MergeRetainingKeys(key) => {
                    Model::List { keys: std::slice::from_ref(key), item }
                }
                Patch::Plain | Patch::RetainKeys => Model::Leaf,
            },
            (shape, _) => Model::of_shape(shape),
        }
    }

    /// Of a list's item or a map's value, of which no markers are known.
    pub(super) fn of_shape(shape: &'static Shape) -> Self {
        match shape {
            Shape::Struct(r#type) => Model::of_type(r#type),
            Shape::Map(value) => Model::Map(value),
            _ => Model::Leaf,
        }
    }

    pub(super) fn of_type(r#type: &'static Type) -> Self {
        if r#type.is_atomic { Model::Leaf } else { Model::Struct(r#type) }
    }

    /// Of what stands under a name in a struct or map, and whether it is there even when nobody set it.
    pub(super) fn under(self, name: &str) -> Child {
        match self {
            Model::Struct(r#type) => match r#type.field(name) {
                Some(field) => Child {
                    element: PathElement::Field(Cow::Borrowed(field.name)),
                    model: Model::of_field(field),
                    is_named: true,
                    is_always_there: field.presence == Presence::Always,
                },
                None => Child::unnamed(name, Model::Leaf),
            },
            Model::Map(value) => Child::unnamed(name, Model::of_shape(value)),
            Model::Leaf | Model::List { .. } | Model::Set => Child::unnamed(name, Model::Leaf),
        }
    }

    /// Of a list's items.
    pub(super) fn item(self) -> Self {
        match self {
            Model::List { item, .. } => Model::of_shape(item),
            _ => Model::Leaf,
        }
    }

    /// The place of an item in its list.
    pub(super) fn place(self, item: &Value) -> Result<PathElement, ItemError> {
        match self {
            Model::List { keys, item: shape } => keyed_place(keys, shape, item),
            _ => match item {
                Value::Object(_) => Err(ItemError::MapInSet),
                Value::Array(_) => Err(ItemError::ListInSet),
                Value::Null => Err(ItemError::NullInSet),
                scalar => Ok(PathElement::Value(scalar.clone())),
            },
        }
    }
}

/// A field of a struct or an entry of a map.
pub(super) struct Child {
    pub(super) element: PathElement,
    pub(super) model: Model,
    /// Whether the schema knows the field by its name.
    pub(super) is_named: bool,
    /// Whether Go has the field even when nobody set it: empty, zero or null.
    pub(super) is_always_there: bool,
}

impl Child {
    fn unnamed(name: &str, model: Model) -> Self {
        Child { element: PathElement::field(name), model, is_named: false, is_always_there: false }
    }
}

fn keyed_place(keys: &'static [&'static str], shape: &'static Shape, item: &Value) -> Result<PathElement, ItemError> {
    let object = match item {
        Value::Object(object) => object,
        Value::Null => return Err(ItemError::NullItem),
        _ => return Err(ItemError::NoMap),
    };
    let values = keys.iter().filter_map(|key| Some((Cow::Borrowed(*key), key_value(object, shape, key)?)));
    let values: Vec<(Cow<'static, str>, Value)> = values.collect();
    if values.is_empty() { Err(ItemError::NoKeys { keys }) } else { Ok(PathElement::key(values)) }
}

/// A key's value, or the schema's default of it: a port's protocol is TCP.
fn key_value(object: &Map<String, Value>, shape: &'static Shape, key: &str) -> Option<Value> {
    if let Some(value) = object.get(key) {
        return Some(value.clone());
    }
    let Shape::Struct(r#type) = shape else { return None };
    r#type.field(key)?.default.and_then(|text| serde_json::from_str(text).ok())
}

/// What no manager owns, whoever wrote it: the identity and the bookkeeping of the object.
pub(super) const BOOKKEEPING: &[&[&str]] = &[
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "clusterName"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

/// Whether a field is bookkeeping, by the path that leads to it and its name.
pub(super) fn is_bookkeeping(parents: &[PathElement], name: &str) -> bool {
    match parents {
        [] => matches!(name, "apiVersion" | "kind"),
        [PathElement::Field(parent)] if parent == "metadata" => {
            BOOKKEEPING.iter().any(|path| path.len() == 2 && path[1] == name)
        }
        _ => false,
    }
}

pub(super) fn is_metadata(path: &[PathElement]) -> bool {
    matches!(path, [PathElement::Field(name)] if name == "metadata")
}

/// Whether a value has nothing in it: as upstream takes null and an empty container for alike where both sides are.
pub(super) fn is_void(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(entries)) => entries.is_empty(),
        Some(_) => false,
    }
}
