//! The rows that `kubectl get` prints.

use registry::Object;
use serde_json::{Value, json};

use crate::call::Call;
use crate::respond;

/// What a list or a table says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListMetadata {
    pub(crate) revision: String,
    pub(crate) continue_token: Option<String>,
    pub(crate) remaining: Option<usize>,
}

impl ListMetadata {
    pub(crate) fn to_json(&self) -> Value {
        let mut metadata = serde_json::Map::new();
        metadata.insert("resourceVersion".to_owned(), Value::from(self.revision.clone()));
        if let Some(token) = &self.continue_token {
            metadata.insert("continue".to_owned(), Value::from(token.clone()));
        }
        if let Some(remaining) = self.remaining {
            metadata.insert("remainingItemCount".to_owned(), Value::from(remaining));
        }
        Value::Object(metadata)
    }
}

pub(crate) fn table(call: &Call, version: &str, metadata: &ListMetadata, rows: Vec<Value>) -> Value {
    let columns: Vec<Value> = call
        .stored_kind()
        .rules
        .columns()
        .iter()
        .map(|column| {
            json!({
                "name": column.name,
                "type": column.r#type,
                "format": column.format,
                "description": column.description,
                "priority": column.priority,
            })
        })
        .collect();
    json!({
        "kind": "Table",
        "apiVersion": format!("meta.k8s.io/{version}"),
        "metadata": metadata.to_json(),
        "columnDefinitions": columns,
        "rows": rows,
    })
}

/// One object's cells, and as much of the object as the client asked for.
pub(crate) fn row(call: &Call, object: &Object, version: &str) -> Value {
    let cells = call.stored_kind().rules.row(object, call.server.ambient.clock.now());
    let attached = match call.query.get("includeObject") {
        Some("None") => Value::Null,
        Some("Object") => Value::Object(object.clone()),
        _ => Value::Object(respond::partial(object, version)),
    };
    json!({ "cells": cells, "object": attached })
}
