//! Kinds that are questions: created, answered, never stored.

use std::collections::BTreeMap;

use http::{Response, StatusCode};
use registry::{Kind, Object};
use serde_json::{Map, Value, json};

use crate::auth::User;
use crate::auth::token::{self, TokenError};
use crate::authorize;
use crate::call::Call;
use crate::status::ApiError;
use crate::wire::body::{self, Body};
use crate::wire::query::{Query, encode_segment};
use crate::wire::request_info::ResourceInfo;
use crate::{convert, decode, kinds, metadata, respond};

const REVIEWS: [&str; 6] = [
    "subjectaccessreviews",
    "selfsubjectaccessreviews",
    "localsubjectaccessreviews",
    "selfsubjectrulesreviews",
    "tokenreviews",
    "selfsubjectreviews",
];

pub(crate) fn handles(kind: &Kind) -> bool {
    matches!(kind.group, "authorization.k8s.io" | "authentication.k8s.io") && REVIEWS.contains(&kind.plural)
}

pub(crate) async fn review(call: &Call, request: Body) -> Result<Response<Body>, ApiError> {
    if call.verb != "create" || !call.info.name.is_empty() {
        return Err(ApiError::method_not_allowed(call.subject(&call.info.name)));
    }
    let options = call.write_options()?;
    let body = body::read(request).await?;
    let mut review = decode::typed(call, call.kind, &body, options.validation)?;
    convert::to_storage(call.kind, &mut review);
    if call.kind.is_namespaced() {
        metadata::settle_namespace(call.kind, &mut review, call.namespace())?;
    }
    let faults = kinds::stored(call.kind).rules.validate(&review, None);
    if !faults.is_empty() {
        return Err(ApiError::invalid(call.kind, "", &faults));
    }
    let status = match call.kind.plural {
        "selfsubjectaccessreviews" => access(call, &review, &call.user).await?,
        "subjectaccessreviews" | "localsubjectaccessreviews" => {
            access(call, &review, &described_user(&review)?).await?
        }
        "selfsubjectrulesreviews" => rules(call, &review)?,
        "tokenreviews" => token_status(call, &review).await?,
        _ => json!({ "userInfo": user_info(&call.user) }),
    };
    review.insert("kind".to_owned(), Value::from(call.kind.kind));
    review.insert("apiVersion".to_owned(), Value::from(call.kind.api_version()));
    review.entry("metadata").or_insert_with(|| json!({ "creationTimestamp": null }));
    review.insert("status".to_owned(), status);
    convert::out_of_storage(call.kind, &mut review);
    respond::value(call, StatusCode::CREATED, Value::Object(review))
}

fn spec(review: &Object) -> &Value {
    review.get("spec").unwrap_or(&Value::Null)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or("")
}

/// The user a SubjectAccessReview asks about, taken as described.
fn described_user(review: &Object) -> Result<User, ApiError> {
    let spec = spec(review);
    let groups = spec.get("groups").and_then(Value::as_array).into_iter().flatten();
    let groups: Vec<String> = groups.filter_map(Value::as_str).map(str::to_owned).collect();
    let name = text(spec, "user");
    let extra = match spec.get("extra") {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(extra) => serde_json::from_value(extra.clone())
            .map_err(|error| ApiError::bad_request(format!("spec.extra: {error}")))?,
    };
    Ok(User { name: name.to_owned(), uid: text(spec, "uid").to_owned(), groups, extra })
}

async fn access(call: &Call, review: &Object, user: &User) -> Result<Value, ApiError> {
    let spec = spec(review);
    let verdict = match spec.get("resourceAttributes").filter(|attributes| attributes.is_object()) {
        Some(attributes) => {
            let field = |field: &str| text(attributes, field).to_owned();
            let info = ResourceInfo {
                group: field("group"),
                version: field("version"),
                resource: field("resource"),
                subresource: field("subresource"),
                namespace: field("namespace"),
                name: field("name"),
                rest: String::new(),
            };
            let query = Query::parse(&selecting(attributes));
            authorize::judge_resource(&call.server, user, text(attributes, "verb"), &info, &query).await?
        }
        None => {
            let attributes = spec.get("nonResourceAttributes").unwrap_or(&Value::Null);
            authorize::judge_path(&call.server, user, text(attributes, "verb"), text(attributes, "path"))
        }
    };
    // No rule is no opinion, which has a reason only where something is amiss.
    let mut status = json!({ "allowed": verdict.allowed });
    if !verdict.reason.is_empty() {
        status["reason"] = Value::from(verdict.reason);
    }
    Ok(status)
}

/// The field selector a request would have carried that is asked about. Nobody here decides by labels.
fn selecting(attributes: &Value) -> String {
    let Some(selector) = attributes.get("fieldSelector") else { return String::new() };
    let raw = text(selector, "rawSelector");
    if !raw.is_empty() {
        return format!("fieldSelector={}", encode_segment(raw));
    }
    let requirements = selector.get("requirements").and_then(Value::as_array).into_iter().flatten();
    // A requirement that does not name one value narrows nothing that anyone here decides by.
    let terms: Vec<String> = requirements
        .filter(|requirement| text(requirement, "operator") == "In")
        .filter_map(|requirement| match requirement.get("values")?.as_array()?.as_slice() {
            [only] => Some(format!("{}={}", text(requirement, "key"), only.as_str()?)),
            _ => None,
        })
        .collect();
    format!("fieldSelector={}", encode_segment(&terms.join(",")))
}

fn rules(call: &Call, review: &Object) -> Result<Value, ApiError> {
    let namespace = text(spec(review), "namespace");
    if namespace.is_empty() {
        return Err(ApiError::bad_request("no namespace on request"));
    }
    let mut resource_rules = Vec::new();
    let mut path_rules = Vec::new();
    for rule in call.server.rbac.rules_for(&call.user, namespace) {
        if !rule.resources.is_empty() {
            let mut described = Map::new();
            described.insert("verbs".to_owned(), json!(rule.verbs));
            described.insert("apiGroups".to_owned(), json!(rule.api_groups));
            described.insert("resources".to_owned(), json!(rule.resources));
            if !rule.resource_names.is_empty() {
                described.insert("resourceNames".to_owned(), json!(rule.resource_names));
            }
            resource_rules.push(Value::Object(described));
        }
        if !rule.non_resource_urls.is_empty() {
            path_rules.push(json!({ "verbs": rule.verbs, "nonResourceURLs": rule.non_resource_urls }));
        }
    }
    let mut status = json!({ "resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": false });
    if call.user.node_name().is_some() {
        // What a kubelet may do follows from the pods it runs, which is no list of rules.
        status["incomplete"] = Value::from(true);
        status["evaluationError"] = Value::from("node authorizer does not support user rule resolution");
    }
    Ok(status)
}

async fn token_status(call: &Call, review: &Object) -> Result<Value, ApiError> {
    let spec = spec(review);
    let presented = text(spec, "token");
    if presented.is_empty() {
        return Err(ApiError::bad_request("token is required for TokenReview in authentication"));
    }
    let asked = spec.get("audiences").and_then(Value::as_array).into_iter().flatten();
    let mut audiences: Vec<String> = asked.filter_map(Value::as_str).map(str::to_owned).collect();
    if audiences.is_empty() {
        audiences.push(call.server.tokens.issuer().to_owned());
    }
    let now = call.server.ambient.clock.now();
    match token::authenticate(&call.server.tokens, &call.server.storage, presented, &audiences, now).await {
        Ok(verified) => Ok(json!({
            "authenticated": true, "user": user_info(&verified.user), "audiences": verified.audiences,
        })),
        Err(TokenError::Store(failure)) => Err(failure.into()),
        Err(error) => Ok(json!({ "user": {}, "error": error.to_string() })),
    }
}

fn user_info(user: &User) -> Value {
    let mut info = json!({ "username": user.name, "groups": user.groups });
    if !user.uid.is_empty() {
        info["uid"] = Value::from(user.uid.clone());
    }
    if !user.extra.is_empty() {
        info["extra"] = json!(user.extra);
    }
    info
}
