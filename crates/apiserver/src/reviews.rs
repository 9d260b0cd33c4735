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
use crate::wire::query::Query;
use crate::wire::request_info::ResourceInfo;
use crate::{decode, respond};

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
    let status = match call.kind.plural {
        "selfsubjectaccessreviews" => access(call, &review, &call.user).await?,
        "subjectaccessreviews" | "localsubjectaccessreviews" => {
            let user = described_user(&review)?;
            if call.kind.plural == "localsubjectaccessreviews" {
                check_namespace(call, &review)?;
            }
            access(call, &review, &user).await?
        }
        "selfsubjectrulesreviews" => rules(call, &review)?,
        "tokenreviews" => token_status(call, &review).await?,
        _ => json!({ "userInfo": user_info(&call.user) }),
    };
    review.insert("kind".to_owned(), Value::from(call.kind.kind));
    review.insert("apiVersion".to_owned(), Value::from(call.kind.api_version()));
    review.entry("metadata").or_insert_with(|| json!({ "creationTimestamp": null }));
    review.insert("status".to_owned(), status);
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
    if name.is_empty() && groups.is_empty() {
        return Err(ApiError::bad_request("spec.user: at least one of user or group must be specified"));
    }
    let extra = match spec.get("extra") {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(extra) => serde_json::from_value(extra.clone())
            .map_err(|error| ApiError::bad_request(format!("spec.extra: {error}")))?,
    };
    Ok(User { name: name.to_owned(), uid: text(spec, "uid").to_owned(), groups, extra })
}

fn check_namespace(call: &Call, review: &Object) -> Result<(), ApiError> {
    let asked = spec(review).get("resourceAttributes").map_or("", |attributes| text(attributes, "namespace"));
    if asked == call.info.namespace {
        return Ok(());
    }
    let message =
        format!("spec.resourceAttributes.namespace: must match the request's namespace {:?}", call.info.namespace);
    Err(ApiError::bad_request(message))
}

async fn access(call: &Call, review: &Object, user: &User) -> Result<Value, ApiError> {
    let spec = spec(review);
    let present = |field: &str| spec.get(field).filter(|value| value.is_object());
    let allowed = match (present("resourceAttributes"), present("nonResourceAttributes")) {
        (Some(attributes), None) => {
            let star = |field: &str| text(attributes, field).to_owned();
            let info = ResourceInfo {
                group: star("group"),
                version: star("version"),
                resource: star("resource"),
                subresource: star("subresource"),
                namespace: star("namespace"),
                name: star("name"),
                rest: String::new(),
            };
            let verb = text(attributes, "verb");
            let query = Query::default();
            authorize::allows_resource(&call.server, user, verb, &info, &query).await?
        }
        (None, Some(attributes)) => {
            let (verb, path) = (text(attributes, "verb"), text(attributes, "path"));
            authorize::allows_path(&call.server, user, verb, path)
        }
        _ => {
            let message =
                "spec.resourceAttributes: exactly one of nonResourceAttributes or resourceAttributes must be specified";
            return Err(ApiError::bad_request(message));
        }
    };
    // No rule is no opinion, which RBAC gives no reason for; kubectl would print one as a warning.
    Ok(json!({ "allowed": allowed }))
}

fn rules(call: &Call, review: &Object) -> Result<Value, ApiError> {
    let namespace = text(spec(review), "namespace");
    if namespace.is_empty() {
        return Err(ApiError::bad_request("no namespace on request"));
    }
    let mut resource_rules = Vec::new();
    let mut path_rules = Vec::new();
    let mut held = call.server.rbac.rules_for(&call.user, namespace);
    if call.user.is_in(crate::auth::MASTERS) {
        let all = || vec!["*".to_owned()];
        held.push(authorize::rules::Rule {
            verbs: all(),
            api_groups: all(),
            resources: all(),
            resource_names: Vec::new(),
            non_resource_urls: all(),
        });
    }
    for rule in held {
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
    Ok(json!({ "resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": false }))
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
