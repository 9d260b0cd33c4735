//! A document's parts, written in one form as they are told: all of them as values would take many times the room.

use serde_json::{Map, Value, json};

use super::schema::Dialect;
use crate::packed::{Packed, Packer};
use crate::version;

/// Takes the paths of a document, then its schemas.
pub(super) trait Form {
    fn path(&mut self, path: &str, item: &Value);
    fn schema(&mut self, name: &str, schema: &Value);
}

/// How clients say who they are.
pub(super) const SCHEME: &str = "BearerToken";

pub(super) fn scheme() -> Value {
    json!({ "description": "Bearer Token authentication", "type": "apiKey", "name": "authorization", "in": "header" })
}

pub(super) const TITLE: &str = "Kubernetes";

/// JSON.
pub(super) struct Text {
    dialect: Dialect,
    packer: Packer,
    /// Whether paths are over.
    in_schemas: bool,
    /// What stands before the next entry.
    separator: &'static str,
}

impl Text {
    pub(super) fn new(dialect: Dialect) -> Self {
        let mut text = Text { dialect, packer: Packer::new(), in_schemas: false, separator: "" };
        let (key, number) = match dialect {
            Dialect::V2 => ("swagger", "2.0"),
            Dialect::V3 => ("openapi", "3.0.0"),
        };
        let info = json!({ "title": TITLE, "version": version::GIT_VERSION });
        text.raw(&format!("{{\"{key}\":\"{number}\",\"info\":{info},\"paths\":{{"));
        text
    }

    pub(super) fn finish(mut self) -> Packed {
        self.begin_schemas();
        let schemes = Value::Object(Map::from_iter([(SCHEME.to_owned(), scheme())]));
        let needed = json!([{ SCHEME: [] }]);
        self.raw(&match self.dialect {
            Dialect::V2 => format!("}},\"securityDefinitions\":{schemes},\"security\":{needed}}}"),
            Dialect::V3 => format!("}},\"securitySchemes\":{schemes}}},\"security\":{needed}}}"),
        });
        self.packer.finish()
    }

    fn begin_schemas(&mut self) {
        if !self.in_schemas {
            self.raw(match self.dialect {
                Dialect::V2 => "},\"definitions\":{",
                Dialect::V3 => "},\"components\":{\"schemas\":{",
            });
            (self.in_schemas, self.separator) = (true, "");
        }
    }

    fn entry(&mut self, name: &str, value: &Value) {
        let name = Value::from(name);
        self.raw(&format!("{}{name}:{value}", self.separator));
        self.separator = ",";
    }

    fn raw(&mut self, text: &str) {
        self.packer.add(text.as_bytes());
    }
}

impl Form for Text {
    fn path(&mut self, path: &str, item: &Value) {
        self.entry(path, item);
    }

    fn schema(&mut self, name: &str, schema: &Value) {
        self.begin_schemas();
        self.entry(name, schema);
    }
}
