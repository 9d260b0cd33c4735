//! `namespaces/finalize`: what still holds a namespace lets go of it.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use serde_json::Value;

use super::narrow::state_version;
use crate::call::Call;
use crate::status::ApiError;
use crate::wire::body::{self, Body};
use crate::write::{self, Part};
use crate::{decode, metadata, respond};

pub(super) fn update(call: Arc<Call>, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move {
        let options = call.write_options()?;
        let body = body::read(request.into_body()).await?;
        let wanted = decode::object(&call, &body, options)?;
        metadata::check_name(&wanted, &call.info.name)?;
        let finalizers = wanted.get("spec").and_then(|spec| spec.get("finalizers")).cloned();
        let version = metadata::resource_version(&wanted).map(str::to_owned);
        let encoded = write::update(&call, &call.info.name, Part::Narrow("finalize"), options, |old| {
            let mut object = old.clone();
            let spec = object.entry("spec").or_insert_with(|| Value::Object(serde_json::Map::new()));
            if let Value::Object(spec) = spec {
                match &finalizers {
                    Some(finalizers) => spec.insert("finalizers".to_owned(), finalizers.clone()),
                    None => spec.remove("finalizers"),
                };
            }
            state_version(&mut object, version.as_deref());
            Ok(object)
        })
        .await?;
        respond::object(&call, StatusCode::OK, encoded)
    })
}
