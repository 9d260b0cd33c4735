//! One request on a resource, past the filters.

use std::sync::{Arc, Mutex, PoisonError};

use codec::FieldValidation;
use http::{HeaderMap, HeaderValue, Response};
use registry::{FieldError, Kind, WriteContext, Writer};
use store::Author;

use crate::auth::User;
use crate::kinds;
use crate::ownership;
use crate::server::ApiServer;
use crate::status::{ApiError, Subject};
use crate::wire::accept::{Accepted, Offer};
use crate::wire::body::Body;
use crate::wire::query::Query;
use crate::wire::request_info::ResourceInfo;

/// What every verb needs to know.
pub(crate) struct Call {
    pub(crate) server: Arc<ApiServer>,
    pub(crate) user: Arc<User>,
    pub(crate) verb: &'static str,
    pub(crate) info: Arc<ResourceInfo>,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) accepted: Accepted,
    /// The kind and version the path names.
    pub(crate) kind: &'static Kind,
    warnings: Mutex<Vec<String>>,
}

/// Upstream cuts the warnings of one answer at this size.
const MAX_WARNING_BYTES: usize = 4096;

impl Call {
    pub(crate) fn new(
        server: Arc<ApiServer>,
        user: Arc<User>,
        verb: &'static str,
        info: Arc<ResourceInfo>,
        query: Query,
        headers: HeaderMap,
        kind: &'static Kind,
    ) -> Result<Self, ApiError> {
        let has_protobuf = || codec::protobuf::encodes(kind.group, kind.version, kind.kind);
        let offer = Offer { has_protobuf: &has_protobuf, stream: verb == "watch" };
        let accepted = Accepted::negotiate(&headers, offer)?;
        Ok(Call { server, user, verb, info, query, headers, accepted, kind, warnings: Mutex::default() })
    }

    /// The same request, about another namespace.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Self {
        self.about(self.kind, ResourceInfo { namespace: namespace.to_owned(), ..ResourceInfo::clone(&self.info) })
    }

    /// The same request, about something else.
    pub(crate) fn about(&self, kind: &'static Kind, info: ResourceInfo) -> Self {
        Call {
            server: self.server.clone(),
            user: self.user.clone(),
            verb: self.verb,
            info: Arc::new(info),
            query: self.query.clone(),
            headers: self.headers.clone(),
            accepted: self.accepted,
            kind,
            warnings: Mutex::default(),
        }
    }

    /// The form the kind rests in.
    pub(crate) fn stored_kind(&self) -> &'static Kind {
        kinds::stored(self.kind)
    }

    pub(crate) fn subject<'a>(&'a self, name: &'a str) -> Subject<'a> {
        Subject::of(self.kind, name)
    }

    /// The namespace of the objects asked for: none for kinds that have none, though for a
    /// Namespace the path names one.
    pub(crate) fn namespace(&self) -> &str {
        if self.kind.is_namespaced() { &self.info.namespace } else { "" }
    }

    pub(crate) fn write_context(&self) -> WriteContext<'_> {
        let User { name, uid, groups, extra } = &*self.user;
        WriteContext { now: self.server.ambient.clock.now_seconds(), writer: Writer { name, uid, groups, extra } }
    }

    /// The manager of the fields that this request writes.
    pub(crate) fn manager(&self) -> String {
        ownership::manager(self.query.get("fieldManager"), &self.headers)
    }

    /// Who is behind a write: kept in the store's history.
    pub(crate) fn author(&self) -> Option<Arc<Author>> {
        Some(Arc::new(Author { user: self.user.name.as_str().into(), manager: self.manager().into() }))
    }

    /// A sentence for the Warning header.
    pub(crate) fn warn(&self, text: impl Into<String>) {
        let text = text.into();
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let used: usize = warnings.iter().map(String::len).sum();
        if !warnings.contains(&text) && used + text.len() <= MAX_WARNING_BYTES {
            warnings.push(text);
        }
    }

    pub(crate) fn attach_warnings(&self, response: &mut Response<Body>) {
        for text in self.warnings.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
            if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{escaped}\"")) {
                response.headers_mut().append(http::header::WARNING, value);
            }
        }
    }

    pub(crate) fn write_options(&self) -> Result<WriteOptions, ApiError> {
        let mut faults = ownership::check_manager(self.query.get("fieldManager").unwrap_or(""));
        let mut dry_run = false;
        for value in self.query.all("dryRun").filter(|value| !value.is_empty()) {
            if value == "All" {
                dry_run = true;
            } else {
                faults.push(FieldError::not_supported("dryRun", value, &["All"]));
            }
        }
        let requested = self.query.get("fieldValidation").unwrap_or("");
        let validation = FieldValidation::from_parameter(requested).unwrap_or_else(|| {
            faults.push(FieldError::not_supported("fieldValidation", requested, &["", "Ignore", "Strict", "Warn"]));
            FieldValidation::default()
        });
        if faults.is_empty() { Ok(WriteOptions { dry_run, validation }) } else { Err(invalid_options(self, &faults)) }
    }
}

/// What every write may carry in its query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteOptions {
    pub(crate) dry_run: bool,
    pub(crate) validation: FieldValidation,
}

/// Faults of the request's own options, as upstream words them for each verb.
pub(crate) fn invalid_options(call: &Call, faults: &[FieldError]) -> ApiError {
    let kind = match call.verb {
        "create" => "CreateOptions",
        "patch" => "PatchOptions",
        "delete" | "deletecollection" => "DeleteOptions",
        _ => "UpdateOptions",
    };
    let message = format!("{kind}.meta.k8s.io \"\" is invalid: {}", registry::error::aggregate(faults));
    let error = ApiError::new(http::StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message);
    faults.iter().fold(error, |error, fault| error.with_cause(fault.reason(), fault.body(), Some(&fault.path)))
}
