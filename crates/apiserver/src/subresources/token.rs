//! `serviceaccounts/token`: a signed, bound, expiring token.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use jiff::SignedDuration;
use registry::{FieldError, Object};
use serde_json::{Value, json};

use crate::auth::token::{Audience, Binding, Claims, Reference};
use crate::call::Call;
use crate::status::{ApiError, Subject};
use crate::wire::body::{self, Body};
use crate::{decode, kinds, metadata, respond};

const DEFAULT_SECONDS: i64 = 3600;
const MIN_SECONDS: i64 = 600;
/// Nobody needs a token for longer; upstream's bound is 2^32.
const MAX_SECONDS: i64 = 1 << 32;

pub(super) fn create(call: Arc<Call>, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move {
        let options = call.write_options()?;
        let body = body::read(request.into_body()).await?;
        let kind = ("authentication.k8s.io", "v1", "TokenRequest");
        let mut token_request = decode::of_type(&call, kind, &body, options.validation)?;
        let storage = &call.server.storage;
        let account = storage.object(call.kind, call.namespace(), &call.info.name).await?;
        let account = account.ok_or_else(|| ApiError::not_found(call.subject(&call.info.name)))?;
        let seconds = lifetime(&call, &token_request)?;
        let audiences = audiences(&call, &token_request);
        let (pod, secret, node) = bound(&call, &token_request, &account).await?;
        let now = call.server.ambient.clock.now_seconds();
        let expires = now.checked_add(SignedDuration::from_secs(seconds));
        let expires = expires.map_err(|error| ApiError::internal(&error.to_string()))?;
        let account_reference = reference(&account);
        let claims = Claims {
            aud: Audience::Many(audiences.clone()),
            exp: expires.as_second(),
            iat: now.as_second(),
            iss: call.server.tokens.issuer().to_owned(),
            jti: call.server.ambient.random.uuid(),
            nbf: now.as_second(),
            sub: format!("system:serviceaccount:{}:{}", call.namespace(), account_reference.name),
            kubernetes: Binding {
                namespace: call.namespace().to_owned(),
                node,
                pod,
                secret,
                serviceaccount: account_reference,
            },
        };
        let spec = token_request.entry("spec").or_insert_with(|| json!({}));
        if !spec.is_object() {
            *spec = json!({});
        }
        spec["audiences"] = json!(audiences);
        spec["expirationSeconds"] = Value::from(seconds);
        let answer = json!({
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": call.info.name,
                "namespace": call.namespace(),
                "creationTimestamp": now.to_string(),
            },
            "spec": token_request.get("spec"),
            "status": { "token": call.server.tokens.sign(&claims)?, "expirationTimestamp": expires.to_string() },
        });
        respond::value(&call, StatusCode::CREATED, answer)
    })
}

fn lifetime(call: &Call, request: &Object) -> Result<i64, ApiError> {
    let asked = request.get("spec").and_then(|spec| spec.get("expirationSeconds")).and_then(Value::as_i64);
    let seconds = asked.unwrap_or(DEFAULT_SECONDS);
    let detail = if seconds < MIN_SECONDS {
        "may not specify a duration less than 10 minutes"
    } else if seconds > MAX_SECONDS {
        "may not specify a duration larger than 2^32 seconds"
    } else {
        return Ok(seconds);
    };
    let fault = FieldError::invalid("spec.expirationSeconds", seconds, detail);
    let message = format!("TokenRequest.authentication.k8s.io {:?} is invalid: {fault}", call.info.name);
    let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message);
    Err(error.with_cause(fault.reason(), fault.body(), Some(&fault.path)))
}

fn audiences(call: &Call, request: &Object) -> Vec<String> {
    let asked = request.get("spec").and_then(|spec| spec.get("audiences")).and_then(Value::as_array);
    let asked: Vec<String> = asked.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if asked.is_empty() { vec![call.server.tokens.issuer().to_owned()] } else { asked }
}

type Bound = (Option<Reference>, Option<Reference>, Option<Reference>);

/// The object the token is to live and die with: pod (and with it its node), secret or node.
async fn bound(call: &Call, request: &Object, account: &Object) -> Result<Bound, ApiError> {
    let asked = request.get("spec").and_then(|spec| spec.get("boundObjectRef")).filter(|asked| asked.is_object());
    let Some(asked) = asked else { return Ok((None, None, None)) };
    let field = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or("");
    let plural = match (field("apiVersion"), field("kind")) {
        ("v1", "Pod") => "pods",
        ("v1", "Secret") => "secrets",
        ("v1", "Node") => "nodes",
        (version, kind) => {
            let message = format!("cannot bind token to object of type {version}, Kind={kind}");
            return Err(ApiError::bad_request(message));
        }
    };
    let kind = kinds::required("", "v1", plural);
    let name = field("name");
    let subject = Subject::of(kind, name);
    let namespace = if kind.is_namespaced() { call.namespace() } else { "" };
    let object = call.server.storage.object(kind, namespace, name).await?;
    let object = object.ok_or_else(|| ApiError::not_found(subject))?;
    let (uid, actual) = (field("uid"), metadata::uid(&object));
    if !uid.is_empty() && uid != actual {
        let why = format!(
            "the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been \
             deleted and then recreated"
        );
        return Err(ApiError::conflict(subject, &why));
    }
    let found = Some(reference(&object));
    match plural {
        "pods" => {
            let spec = |field: &str| object.get("spec").and_then(|spec| spec.get(field)).and_then(Value::as_str);
            if spec("serviceAccountName").unwrap_or("") != metadata::name(account) {
                let message = format!(
                    "cannot bind token for serviceaccount {:?} to pod running with different serviceaccount name.",
                    metadata::name(account)
                );
                return Err(ApiError::bad_request(message));
            }
            let node = match spec("nodeName") {
                Some(node) => node_reference(call, node).await?,
                None => None,
            };
            Ok((found, None, node))
        }
        "secrets" => Ok((None, found, None)),
        _ => Ok((None, None, found)),
    }
}

async fn node_reference(call: &Call, name: &str) -> Result<Option<Reference>, ApiError> {
    let node = call.server.storage.object(kinds::required("", "v1", "nodes"), "", name).await?;
    Ok(node.as_ref().map(reference))
}

fn reference(object: &Object) -> Reference {
    Reference { name: metadata::name(object).to_owned(), uid: metadata::uid(object).to_owned() }
}
