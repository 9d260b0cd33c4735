//! The paths of a kind: what can be done where, and with which parameters.

use registry::Kind;
use serde_json::{Map, Value, json};

use super::schema::{Dialect, name};
use crate::storage::group_version;
use crate::subresources;

/// Query parameters of every write.
const WRITE_PARAMETERS: [&str; 3] = ["dryRun", "fieldManager", "fieldValidation"];
const LIST_PARAMETERS: [&str; 10] = [
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
];
const DELETE_PARAMETERS: [&str; 4] = ["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"];

pub(super) fn add(paths: &mut Map<String, Value>, kind: &Kind, dialect: Dialect) {
    let root = match kind.group {
        "" => format!("/api/{}", kind.version),
        _ => format!("/apis/{}", group_version(kind.group, kind.version)),
    };
    let place = if kind.is_namespaced() { format!("{root}/namespaces/{{namespace}}") } else { root.clone() };
    let collection = format!("{place}/{}", kind.plural);
    let item = format!("{collection}/{{name}}");
    let mut operations = Operations { kind, dialect };
    let mut on_collection = Map::new();
    let mut on_item = Map::new();
    for verb in kind.verbs {
        match *verb {
            "list" => on_collection.insert("get".to_owned(), operations.of("list", &LIST_PARAMETERS)),
            "create" => on_collection.insert("post".to_owned(), operations.of("post", &WRITE_PARAMETERS)),
            "deletecollection" => {
                on_collection.insert("delete".to_owned(), operations.of("deletecollection", &DELETE_PARAMETERS))
            }
            "get" => on_item.insert("get".to_owned(), operations.of("get", &[])),
            "update" => on_item.insert("put".to_owned(), operations.of("put", &WRITE_PARAMETERS)),
            "patch" => on_item.insert("patch".to_owned(), operations.patch()),
            "delete" => on_item.insert("delete".to_owned(), operations.of("delete", &DELETE_PARAMETERS)),
            _ => None,
        };
    }
    if kind.is_namespaced() && kind.serves("list") {
        let everywhere = json!({ "get": operations.of("list", &LIST_PARAMETERS) });
        paths.insert(format!("{root}/{}", kind.plural), everywhere);
    }
    for (path, operations) in [(collection, on_collection), (item.clone(), on_item)] {
        if !operations.is_empty() {
            paths.insert(path.clone(), with_path_parameters(&path, operations, dialect));
        }
    }
    for subresource in subresources::of(kind) {
        let mut on_subresource = Map::new();
        for verb in subresource.verbs {
            match *verb {
                "get" => on_subresource.insert("get".to_owned(), operations.of("get", &[])),
                "create" => on_subresource.insert("post".to_owned(), operations.of("post", &WRITE_PARAMETERS)),
                "update" => on_subresource.insert("put".to_owned(), operations.of("put", &WRITE_PARAMETERS)),
                "patch" => on_subresource.insert("patch".to_owned(), operations.patch()),
                _ => None,
            };
        }
        // The operation speaks of the subresource's own kind.
        let (group, version, name) = subresource.kind_of(kind);
        for operation in on_subresource.values_mut() {
            operation["x-kubernetes-group-version-kind"] = json!({ "group": group, "version": version, "kind": name });
        }
        let path = format!("{item}/{}", subresource.name);
        paths.insert(path.clone(), with_path_parameters(&path, on_subresource, dialect));
    }
}

struct Operations<'a> {
    kind: &'a Kind,
    dialect: Dialect,
}

impl Operations<'_> {
    fn of(&mut self, action: &str, parameters: &[&str]) -> Value {
        let Kind { group, version, kind, .. } = self.kind;
        let schema = self.dialect.reference(&name(self.kind));
        let response = match self.dialect {
            Dialect::V2 => json!({ "description": "OK", "schema": schema }),
            Dialect::V3 => json!({ "description": "OK", "content": { "application/json": { "schema": schema } } }),
        };
        json!({
            "description": format!("{action} {kind}"),
            "operationId": format!("{action}{}{}{kind}", group.replace('.', ""), version),
            "parameters": parameters.iter().map(|name| self.parameter(name)).collect::<Vec<_>>(),
            "responses": { "200": response },
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": { "group": group, "version": version, "kind": kind },
        })
    }

    fn patch(&mut self) -> Value {
        let parameters = [WRITE_PARAMETERS.as_slice(), &["force"]].concat();
        let mut operation = self.of("patch", &parameters);
        let types =
            ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];
        match self.dialect {
            Dialect::V2 => operation["consumes"] = json!(types),
            Dialect::V3 => {
                let body = json!({ "schema": { "type": "object" } });
                let content: Map<String, Value> =
                    types.iter().map(|media_type| ((*media_type).to_owned(), body.clone())).collect();
                operation["requestBody"] = json!({ "content": content, "required": true });
            }
        }
        operation
    }

    fn parameter(&self, name: &str) -> Value {
        let r#type = match name {
            "limit" | "timeoutSeconds" | "gracePeriodSeconds" => "integer",
            "watch" | "allowWatchBookmarks" | "sendInitialEvents" | "force" | "orphanDependents" => "boolean",
            _ => "string",
        };
        parameter(name, "query", r#type, self.dialect)
    }
}

fn parameter(name: &str, place: &str, r#type: &str, dialect: Dialect) -> Value {
    let mut parameter = json!({ "name": name, "in": place });
    match dialect {
        Dialect::V2 => {
            parameter["type"] = json!(r#type);
            parameter["uniqueItems"] = json!(true);
        }
        Dialect::V3 => parameter["schema"] = json!({ "type": r#type, "uniqueItems": true }),
    }
    if place == "path" {
        parameter["required"] = json!(true);
    }
    parameter
}

fn with_path_parameters(path: &str, mut operations: Map<String, Value>, dialect: Dialect) -> Value {
    let named = ["name", "namespace"].iter().filter(|name| path.contains(&format!("{{{name}}}")));
    let parameters: Vec<Value> = named.map(|name| parameter(name, "path", "string", dialect)).collect();
    if !parameters.is_empty() {
        operations.insert("parameters".to_owned(), Value::from(parameters));
    }
    Value::Object(operations)
}
