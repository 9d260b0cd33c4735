//! The groups of metrics, and who answers for them.

mod custom;
mod external;
mod resource;

use std::borrow::Cow;

use api::k8s::jiff::Timestamp;
use client::CallError;
use serde_json::{Value, json};

use crate::Metrics;

/// A group that is served, its preferred version first.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    pub name: &'static str,
    pub versions: &'static [&'static str],
}

pub const GROUPS: &[Group] = &[resource::GROUP, custom::GROUP, external::GROUP];

/// What discovery tells of a group's resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceInfo {
    /// `pods`, or of custom metrics `pods/http_requests`.
    pub name: Cow<'static, str>,
    pub kind: &'static str,
    pub is_namespaced: bool,
    pub verbs: &'static [&'static str],
}

/// A read of a group; others are not served.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub version: String,
    pub resource: String,
    /// Empty for all.
    pub namespace: String,
    /// Empty for a list.
    pub name: String,
    /// What follows the name.
    pub subresource: String,
    pub query: String,
}

/// An HTTP status and a body.
pub type Answer = (u16, Value);

impl Metrics {
    /// What a group has at this moment: of the pods' own metrics, what they tell.
    pub fn resources(&self, group: &str) -> Vec<ResourceInfo> {
        match group {
            name if name == resource::GROUP.name => resource::RESOURCES.to_vec(),
            name if name == custom::GROUP.name => self.custom_resources(),
            name if name == external::GROUP.name => self.external_resources(),
            _ => Vec::new(),
        }
    }

    /// `None` where the group has no such resource.
    pub async fn answer(&self, group: &str, request: &Request) -> Option<Answer> {
        let answered = match group {
            name if name == resource::GROUP.name => self.resource_metrics(request).await,
            name if name == custom::GROUP.name => self.custom_metrics(request).await,
            name if name == external::GROUP.name => self.external_metrics(request),
            _ => Err(Refusal::NoResource),
        };
        match answered {
            Ok(body) => Some((200, body)),
            Err(refusal) => refusal.answer(),
        }
    }
}

impl Request {
    /// A parameter of the query, empty where it is not given.
    fn parameter(&self, name: &str) -> String {
        parameter(&self.query, name)
    }
}

pub(crate) fn parameter(query: &str, name: &str) -> String {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Why a request has no answer.
#[derive(Debug)]
pub(crate) enum Refusal {
    NoResource,
    NotFound {
        message: String,
        details: Value,
    },
    BadRequest(String),
    /// What the API server said of the objects themselves.
    Call(CallError),
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Refusal {
        Refusal::Call(error)
    }
}

impl Refusal {
    pub(crate) fn answer(self) -> Option<Answer> {
        let (code, reason, message, details) = match self {
            Refusal::NoResource => return None,
            Refusal::NotFound { message, details } => (404, "NotFound".to_owned(), message, details),
            Refusal::BadRequest(message) => (400, "BadRequest".to_owned(), message, Value::Null),
            Refusal::Call(error) => {
                let (code, reason) = match error.status() {
                    Some(status) => (status.code, status.reason.clone()),
                    None => (500, "InternalError".to_owned()),
                };
                (code, reason, error.to_string(), Value::Null)
            }
        };
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
        });
        if !details.is_null() {
            status["details"] = details;
        }
        status["code"] = json!(code);
        Some((code, status))
    }
}

/// A value as a quantity, in thousandths.
fn quantity(value: f64) -> String {
    let text = format!("{}m", (value * 1000.0) as i64);
    api::quantity::canonical(&text).unwrap_or(text)
}

fn list(kind: &str, group: Group, version: &str, items: Vec<Value>) -> Value {
    json!({"kind": kind, "apiVersion": format!("{}/{version}", group.name), "metadata": {}, "items": items})
}

fn moment(at: Timestamp) -> String {
    api::time::seconds(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_quantities() {
        for (value, text) in [(0.0, "0"), (1.5, "1500m"), (3.0, "3"), (12_000.0, "12k"), (0.0004, "0"), (-2.0, "-2")] {
            assert_eq!(quantity(value), text);
        }
        assert!(!quantity(f64::MAX).is_empty());
    }
}
