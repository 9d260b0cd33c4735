//! Schema facts as OpenAPI definitions.

use codec::schema::{Field, Patch, Shape, Topology, Type, lookup};
use registry::Kind;
use serde_json::{Map, Value, json};

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

/// The definitions of one document, each type once.
pub(super) struct Definitions {
    dialect: Dialect,
    schemas: Map<String, Value>,
}

impl Definitions {
    pub(super) fn new(dialect: Dialect) -> Self {
        Definitions { dialect, schemas: Map::new() }
    }

    /// The kind with everything it is made of, and its list.
    pub(super) fn add_kind(&mut self, kind: &Kind) {
        let Some(r#type) = lookup(kind.group, kind.version, kind.kind) else { return };
        let name = self.add(r#type, r#type.package);
        let stated = json!([{ "group": kind.group, "kind": kind.kind, "version": kind.version }]);
        if let Some(schema) = self.schemas.get_mut(&name) {
            schema["x-kubernetes-group-version-kind"] = stated;
        }
        if kind.serves("list") {
            let list = json!({
                "type": "object",
                "required": ["items"],
                "properties": {
                    "apiVersion": { "type": "string" },
                    "kind": { "type": "string" },
                    "metadata": { "type": "object" },
                    "items": { "type": "array", "items": self.dialect.reference(&name) },
                },
                "x-kubernetes-group-version-kind": [
                    { "group": kind.group, "kind": format!("{}List", kind.kind), "version": kind.version },
                ],
            });
            self.schemas.insert(format!("{name}List"), list);
        }
    }

    pub(super) fn into_schemas(self) -> Map<String, Value> {
        self.schemas
    }

    /// `package` is that of the kind, for types that several versions share.
    fn add(&mut self, r#type: &'static Type, package: &str) -> String {
        let own = if r#type.package.is_empty() { package } else { r#type.package };
        let name = format!("{own}.{}", r#type.name);
        if self.schemas.contains_key(&name) {
            return name;
        }
        // Entered before its fields are walked: types may contain themselves.
        self.schemas.insert(name.clone(), Value::Null);
        let mut properties = Map::new();
        for field in r#type.fields {
            properties.insert(field.name.to_owned(), self.property(field, package));
        }
        self.schemas.insert(name.clone(), json!({ "type": "object", "properties": properties }));
        name
    }

    fn property(&mut self, field: &'static Field, package: &str) -> Value {
        let mut schema = self.shape(&field.shape, package);
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

    fn shape(&mut self, shape: &'static Shape, package: &str) -> Value {
        match shape {
            Shape::String | Shape::Text(_) => json!({ "type": "string" }),
            Shape::Bool => json!({ "type": "boolean" }),
            Shape::Int32 => json!({ "type": "integer", "format": "int32" }),
            Shape::Int64 => json!({ "type": "integer", "format": "int64" }),
            Shape::Float64 => json!({ "type": "number", "format": "double" }),
            Shape::Quantity if self.dialect == Dialect::V2 => json!({ "type": "string" }),
            Shape::Quantity => json!({ "oneOf": [{ "type": "string" }, { "type": "number" }] }),
            Shape::IntOrString if self.dialect == Dialect::V2 => json!({ "type": "string", "format": "int-or-string" }),
            Shape::IntOrString => {
                json!({ "format": "int-or-string", "oneOf": [{ "type": "integer" }, { "type": "string" }] })
            }
            Shape::Time | Shape::MicroTime => json!({ "type": "string", "format": "date-time" }),
            Shape::Bytes => json!({ "type": "string", "format": "byte" }),
            Shape::List(item) => json!({ "type": "array", "items": self.shape(item, package) }),
            Shape::Map(value) => json!({ "type": "object", "additionalProperties": self.shape(value, package) }),
            Shape::Struct(r#type) => {
                let name = self.add(r#type, package);
                self.dialect.reference(&name)
            }
            Shape::Any | Shape::Either(_) => json!({}),
        }
    }
}

/// The definition's name of a kind.
pub(super) fn name(kind: &Kind) -> String {
    let package = lookup(kind.group, kind.version, kind.kind).map_or("", |r#type| r#type.package);
    format!("{package}.{}", kind.kind)
}
