//! Schema facts as OpenAPI definitions.

use std::collections::HashMap;

use codec::schema::facts::LIST_METADATA;
use codec::schema::{Field, Patch, Presence, Shape, Topology, Type, lookup};
use registry::Kind;
use serde_json::{Map, Value, json};

use super::descriptions::Descriptions;
use super::enums;
use super::paths::{PATCH, WATCH_EVENT};

/// The two forms of OpenAPI clients ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    V2,
    V3,
}

impl Dialect {
    pub(super) fn reference(self, name: &str) -> Value {
        let place = match self {
            Dialect::V2 => "#/definitions/",
            Dialect::V3 => "#/components/schemas/",
        };
        json!({ "$ref": format!("{place}{name}") })
    }
}

/// The definitions of one document, each type once. Those that are spoken of are named at once and told one by one, so
/// that never all of them are there as values.
pub(super) struct Definitions<'a> {
    dialect: Dialect,
    descriptions: &'a Descriptions,
    /// In the order in which they were first spoken of.
    definitions: Vec<(String, Definition)>,
    /// Where each stands, by name.
    places: HashMap<String, usize>,
    told: usize,
}

#[derive(Clone)]
enum Definition {
    /// `package` is that of the kind, for types that several versions share; `stated` the kinds that it is.
    Type {
        r#type: &'static Type,
        package: &'static str,
        stated: Option<Value>,
    },
    List {
        of: String,
        stated: Value,
    },
    Free(Value),
}

impl<'a> Definitions<'a> {
    pub(super) fn new(dialect: Dialect, descriptions: &'a Descriptions) -> Self {
        Definitions { dialect, descriptions, definitions: Vec::new(), places: HashMap::new(), told: 0 }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The kind with everything it is made of, and its list.
    pub(super) fn add_kind(&mut self, kind: &Kind) {
        let Some(r#type) = lookup(kind.group, kind.version, kind.kind) else { return };
        let name = self.add(r#type, r#type.package);
        self.state((kind.group, kind.version, kind.kind), &name);
        if kind.serves("list") {
            let stated =
                json!([{ "group": kind.group, "kind": format!("{}List", kind.kind), "version": kind.version }]);
            self.name(format!("{name}List"), || Definition::List { of: name, stated });
        }
    }

    /// A type that operations take or give, by group, version and kind. Its name.
    pub(super) fn add_named(&mut self, (group, version, kind): (&str, &str, &str)) -> String {
        let Some(r#type) = lookup(group, version, kind) else {
            self.name(kind.to_owned(), || Definition::Free(json!({ "type": "object" })));
            return kind.to_owned();
        };
        let name = self.add(r#type, r#type.package);
        self.state((group, version, kind), &name);
        name
    }

    /// What a patch is: anything.
    pub(super) fn add_patch(&mut self) {
        self.name(PATCH.to_owned(), || Definition::Free(json!({ "type": "object" })));
    }

    /// What a watch tells of one change.
    pub(super) fn add_watch_event(&mut self) {
        let schema = || {
            let properties = json!({ "object": { "type": "object" }, "type": { "type": "string" } });
            json!({ "type": "object", "required": ["type", "object"], "properties": properties })
        };
        self.name(WATCH_EVENT.to_owned(), || Definition::Free(schema()));
    }

    /// The next definition. To tell it may be to speak of more.
    pub(super) fn tell(&mut self) -> Option<(String, Value)> {
        let (name, definition) = self.definitions.get(self.told)?.clone();
        self.told += 1;
        let mut schema = match definition {
            Definition::Type { r#type, package, stated } => self.of_type(r#type, package, &name, stated),
            Definition::List { of, stated } => self.of_list(&of, &name, stated),
            Definition::Free(schema) => schema,
        };
        if let Some(text) = self.descriptions.of_type(&name) {
            schema["description"] = Value::from(text);
        }
        Some((name, schema))
    }

    fn of_type(&mut self, r#type: &'static Type, package: &'static str, name: &str, stated: Option<Value>) -> Value {
        let mut properties = Map::new();
        for field in r#type.fields {
            let property = self.property(field, package);
            properties.insert(field.name.to_owned(), self.described(property, name, field.name));
        }
        let required: Vec<&str> = r#type.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
        let mut schema = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if r#type.is_atomic {
            schema["x-kubernetes-map-type"] = json!("atomic");
        }
        if let Some(stated) = stated {
            schema[GROUP_VERSION_KIND] = stated;
        }
        schema
    }

    fn of_list(&mut self, of: &str, name: &str, stated: Value) -> Value {
        let metadata = self.add(LIST_METADATA, LIST_METADATA.package);
        let mut properties = Map::new();
        for (field, shape) in [
            ("apiVersion", json!({ "type": "string" })),
            ("items", json!({ "type": "array", "items": self.referring(of, Some(json!({}))) })),
            ("kind", json!({ "type": "string" })),
            ("metadata", self.referring(&metadata, Some(json!({})))),
        ] {
            properties.insert(field.to_owned(), self.described(shape, name, field));
        }
        let mut schema = json!({ "type": "object", "required": ["items"], "properties": properties });
        schema[GROUP_VERSION_KIND] = stated;
        schema
    }

    /// Names a type that is spoken of.
    fn add(&mut self, r#type: &'static Type, package: &'static str) -> String {
        let own = if r#type.package.is_empty() { package } else { r#type.package };
        let name = format!("{own}.{}", r#type.name);
        self.name(name.clone(), || Definition::Type { r#type, package, stated: None });
        name
    }

    fn name(&mut self, name: String, definition: impl FnOnce() -> Definition) {
        if !self.places.contains_key(&name) {
            self.places.insert(name.clone(), self.definitions.len());
            self.definitions.push((name, definition()));
        }
    }

    /// Says which kind a type is, the first time that somebody speaks of it as one.
    fn state(&mut self, (group, version, kind): (&str, &str, &str), name: &str) {
        let definition = self.places.get(name).map(|at| &mut self.definitions[*at].1);
        if let Some(Definition::Type { stated, .. }) = definition {
            stated.get_or_insert_with(|| json!([{ "group": group, "kind": kind, "version": version }]));
        }
    }

    fn described(&self, mut property: Value, owner: &str, field: &str) -> Value {
        if let Some(text) = self.descriptions.of_field(owner, field) {
            property["description"] = Value::from(text);
        }
        property
    }

    fn property(&mut self, field: &'static Field, package: &'static str) -> Value {
        let mut schema = self.shape(&field.shape, package, default_of(field));
        match field.topology {
            Topology::Granular => {}
            Topology::Atomic if matches!(field.shape, Shape::List(_)) => {
                schema["x-kubernetes-list-type"] = json!("atomic")
            }
            Topology::Atomic => schema["x-kubernetes-map-type"] = json!("atomic"),
            Topology::Set => schema["x-kubernetes-list-type"] = json!("set"),
            Topology::Keyed(keys) => {
                schema["x-kubernetes-list-type"] = json!("map");
                schema["x-kubernetes-list-map-keys"] = json!(keys);
            }
        }
        let (strategy, key) = match field.patch {
            Patch::Plain => return schema,
            Patch::Merge(key) => ("merge", key),
            Patch::RetainKeys => ("retainKeys", ""),
            Patch::MergeRetainingKeys(key) => ("merge,retainKeys", key),
        };
        schema["x-kubernetes-patch-strategy"] = json!(strategy);
        if !key.is_empty() {
            schema["x-kubernetes-patch-merge-key"] = json!(key);
        }
        schema
    }

    fn shape(&mut self, shape: &'static Shape, package: &'static str, default: Option<Value>) -> Value {
        let mut schema = match shape {
            Shape::String => json!({ "type": "string" }),
            Shape::Text(name) => match enums::values(name) {
                Some(values) => json!({ "type": "string", "enum": values }),
                None => json!({ "type": "string" }),
            },
            Shape::Bool => json!({ "type": "boolean" }),
            Shape::Int32 => json!({ "type": "integer", "format": "int32" }),
            Shape::Int64 => json!({ "type": "integer", "format": "int64" }),
            Shape::Float64 => json!({ "type": "number", "format": "double" }),
            Shape::Quantity | Shape::IntOrString | Shape::Time | Shape::MicroTime => {
                let name = self.add_special(shape);
                return self.referring(name, default);
            }
            Shape::Duration => json!({ "type": "string" }),
            Shape::Bytes => json!({ "type": "string", "format": "byte" }),
            Shape::List(item) => json!({ "type": "array", "items": self.shape(item, package, zero_of(item)) }),
            Shape::Map(value) => {
                json!({ "type": "object", "additionalProperties": self.shape(value, package, zero_of(value)) })
            }
            Shape::Struct(r#type) => {
                let name = self.add(r#type, package);
                return self.referring(&name, default);
            }
            // CustomResourceDefinitions' own schemas hold JSON of any form, others objects alone.
            Shape::Any if package.contains(".apiextensions.") => json!({}),
            Shape::Any => json!({ "type": "object" }),
            Shape::Either(_) => json!({}),
        };
        if let (Dialect::V3, Some(default)) = (self.dialect, default) {
            schema["default"] = default;
        }
        schema
    }

    /// A reference. In the older dialect other words may stand beside it, in the newer one they may not.
    fn referring(&self, name: &str, default: Option<Value>) -> Value {
        let reference = self.dialect.reference(name);
        match (self.dialect, default) {
            (Dialect::V2, _) => reference,
            (Dialect::V3, None) => json!({ "allOf": [reference] }),
            (Dialect::V3, Some(default)) => json!({ "allOf": [reference], "default": default }),
        }
    }

    /// Types that are no structs but have a definition of their own.
    fn add_special(&mut self, shape: &Shape) -> &'static str {
        let one_of = |first: &str, second: &str| json!([{ "type": first }, { "type": second }]);
        let (name, schema) = match (shape, self.dialect) {
            (Shape::Quantity, Dialect::V2) => (QUANTITY, json!({ "type": "string" })),
            (Shape::Quantity, Dialect::V3) => (QUANTITY, json!({ "oneOf": one_of("string", "number") })),
            (Shape::IntOrString, Dialect::V2) => {
                (INT_OR_STRING, json!({ "type": "string", "format": "int-or-string" }))
            }
            (Shape::IntOrString, Dialect::V3) => {
                (INT_OR_STRING, json!({ "format": "int-or-string", "oneOf": one_of("integer", "string") }))
            }
            (Shape::MicroTime, _) => (MICRO_TIME, json!({ "type": "string", "format": "date-time" })),
            _ => (TIME, json!({ "type": "string", "format": "date-time" })),
        };
        self.name(name.to_owned(), || Definition::Free(schema));
        name
    }
}

const GROUP_VERSION_KIND: &str = "x-kubernetes-group-version-kind";
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
const MICRO_TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";

/// What the schema says, or Go's zero value where it is always written.
fn default_of(field: &Field) -> Option<Value> {
    if let Some(text) = field.default {
        return serde_json::from_str(text).ok();
    }
    (field.presence == Presence::Always).then(|| zero_of(&field.shape)).flatten()
}

fn zero_of(shape: &Shape) -> Option<Value> {
    match shape {
        Shape::String | Shape::Text(_) => Some(json!("")),
        Shape::Bool => Some(json!(false)),
        Shape::Int32 | Shape::Int64 | Shape::Float64 => Some(json!(0)),
        Shape::Struct(_) => Some(json!({})),
        _ => None,
    }
}

/// The definition's name of a kind.
pub(super) fn name(kind: &Kind) -> String {
    let package = lookup(kind.group, kind.version, kind.kind).map_or("", |r#type| r#type.package);
    format!("{package}.{}", kind.kind)
}
