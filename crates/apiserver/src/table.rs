//! The rows that `kubectl get` prints.

use registry::{Kind, Object};
use serde_json::{Value, json};

use crate::kinds;
use crate::respond;
use crate::wire::query::Query;

/// What a list or a table says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListMetadata {
    pub(crate) revision: String,
    pub(crate) continue_token: Option<String>,
    pub(crate) remaining: Option<usize>,
}

/// How much of an object stands beside its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Include {
    None,
    Metadata,
    Object,
}

impl Include {
    pub(crate) fn of(query: &Query) -> Self {
        match query.get("includeObject") {
            Some("None") => Include::None,
            Some("Object") => Include::Object,
            _ => Include::Metadata,
        }
    }
}

impl ListMetadata {
    pub(crate) fn to_json(&self) -> Value {
        let mut metadata = serde_json::Map::new();
        // What rests nowhere has no version.
        if !self.revision.is_empty() {
            metadata.insert("resourceVersion".to_owned(), Value::from(self.revision.clone()));
        }
        if let Some(token) = &self.continue_token {
            metadata.insert("continue".to_owned(), Value::from(token.clone()));
        }
        if let Some(remaining) = self.remaining {
            metadata.insert("remainingItemCount".to_owned(), Value::from(remaining));
        }
        Value::Object(metadata)
    }
}

pub(crate) fn table(served: &'static Kind, version: &str, metadata: &ListMetadata, rows: Vec<Value>) -> Value {
    let columns: Vec<Value> = kinds::stored(served)
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
pub(crate) fn row(cells: Vec<Value>, include: Include, version: &str, shown: impl FnOnce() -> Object) -> Value {
    let attached = match include {
        Include::None => Value::Null,
        Include::Object => Value::Object(shown()),
        Include::Metadata => Value::Object(respond::partial(&shown(), version)),
    };
    json!({ "cells": cells, "object": attached })
}
