//! Schema facts as OpenAPI definitions.

use std::collections::HashMap;

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
    names: HashMap<*const Type, String>,
    schemas: Map<String, Value>,
}

/// Types of apimachinery, which every group shares.
const SHARED: [&str; 14] = [
    "APIResource",
    "Condition",
    "DeleteOptions",
    "FieldsV1",
    "LabelSelector",
    "LabelSelectorRequirement",
    "ListMeta",
    "ManagedFieldsEntry",
    "ObjectMeta",
    "OwnerReference",
    "Preconditions",
    "Status",
    "StatusCause",
    "StatusDetails",
];

impl Definitions {
    pub(super) fn new(dialect: Dialect) -> Self {
        Definitions { dialect, names: HashMap::new(), schemas: Map::new() }
    }

    /// The kind with everything it is made of, and its list.
    pub(super) fn add_kind(&mut self, kind: &Kind) {
        let Some(r#type) = lookup(kind.group, kind.version, kind.kind) else { return };
        let package = package(kind);
        let name = self.add(r#type, &package);
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

    fn add(&mut self, r#type: &'static Type, package: &str) -> String {
        let key: *const Type = r#type;
        if let Some(name) = self.names.get(&key) {
            return name.clone();
        }
        let name = if SHARED.contains(&r#type.name()) {
            format!("io.k8s.apimachinery.pkg.apis.meta.v1.{}", r#type.name())
        } else {
            format!("{package}.{}", r#type.name())
        };
        // Named before its fields are walked: types may contain themselves.
        self.names.insert(key, name.clone());
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

/// `io.k8s.api.apps.v1`.
fn package(kind: &Kind) -> String {
    let group = match kind.group {
        "" => "core",
        group => group.split('.').next().unwrap_or(group),
    };
    format!("io.k8s.api.{group}.{}", kind.version)
}

/// The definition's name of a kind.
pub(super) fn name(kind: &Kind) -> String {
    format!("{}.{}", package(kind), kind.kind)
}
