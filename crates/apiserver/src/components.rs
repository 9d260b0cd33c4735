//! ComponentStatus: how the parts of the control plane are, asked for at each read and stored nowhere.

use http::{Response, StatusCode};
use registry::{Kind, Object};
use serde_json::{Value, json};

use crate::call::Call;
use crate::status::ApiError;
use crate::storage::{self, Encoded};
use crate::table::ListMetadata;
use crate::verbs::{Page, list_page, selector::Filter};
use crate::wire::body::Body;
use crate::{decode, health, respond};

/// The parts, in the order they are listed. The store goes by the name that monitoring looks for.
const COMPONENTS: [&str; 3] = ["scheduler", "controller-manager", "etcd-0"];

pub(crate) fn handles(kind: &Kind) -> bool {
    (kind.group, kind.plural) == ("", "componentstatuses")
}

pub(crate) async fn answer(call: &Call) -> Result<Response<Body>, ApiError> {
    match call.verb {
        "get" => {
            let name = call.info.name.as_str();
            // Upstream knows no better reason for this.
            let unknown =
                || ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "", format!("Component not found: {name}"));
            let found = COMPONENTS.into_iter().find(|component| *component == name).ok_or_else(unknown)?;
            respond::object(call, StatusCode::OK, state(call, found).await)
        }
        "list" => {
            let filter = Filter::of(call)?;
            let mut entries = Vec::new();
            for component in COMPONENTS {
                let encoded = state(call, component).await;
                if filter.matches(call.kind, &storage::key(call.kind, "", component), &encoded)? {
                    entries.push(encoded);
                }
            }
            list_page(call, Page { metadata: ListMetadata::default(), entries }).await
        }
        _ => Err(ApiError::method_not_allowed(call.subject(&call.info.name))),
    }
}

/// The scheduler and the controllers live in this process, which ends when one of them does: whoever gets an answer
/// finds them well. The store is asked.
async fn state(call: &Call, component: &'static str) -> Encoded {
    let outcome = match component {
        "etcd-0" => health::store(&call.server).await,
        _ => Ok(()),
    };
    let condition = match outcome {
        Ok(()) => json!({"type": "Healthy", "status": "True", "message": "ok"}),
        Err(error) => json!({"type": "Healthy", "status": "False", "error": error}),
    };
    let mut object = Object::from_iter([
        ("metadata".to_owned(), json!({"name": component})),
        ("conditions".to_owned(), Value::from(vec![condition])),
    ]);
    decode::complete(call.kind, &mut object);
    Encoded::unwritten(call.kind, &object)
}
