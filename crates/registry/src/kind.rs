//! What a kind is made of.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// An object as the server holds it: its JSON form, fields in the order they came.
pub type Object = Map<String, Value>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Namespaced,
    Cluster,
}

/// The descriptor of one kind in one version.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Empty for the core group.
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    /// The resource name in paths, e.g. `replicasets`.
    pub plural: &'static str,
    pub singular: &'static str,
    pub short_names: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub scope: Scope,
    /// Verbs on the resource itself, in discovery's spelling. Empty for kinds that exist only as
    /// requests (reviews have `create` alone).
    pub verbs: &'static [&'static str],
    /// Whether `/status` is a subresource: then a plain update never touches `status`, and an
    /// update of `/status` touches nothing else.
    pub has_status: bool,
    /// Where `/scale` finds its numbers; `None` where the kind has no such subresource.
    pub scale: Option<Scale>,
    pub rules: &'static dyn Rules,
}

/// Field paths of the scale subresource, dot-separated from the object's root.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub spec_replicas: &'static str,
    pub status_replicas: &'static str,
    /// A label selector: structured or, for ReplicationControllers, a plain map.
    pub selector: &'static str,
}

/// What a rule may know besides the object.
#[derive(Clone, Copy, Debug)]
pub struct WriteContext<'a> {
    pub now: Timestamp,
    /// The user's name, where a kind records it (CertificateSigningRequest).
    pub user: &'a str,
}

/// A kind's own rules. The defaults of the methods are right for a plain kind.
///
/// Generic metadata (names, labels, annotations, owner references, finalizers, timestamps, generation)
/// is the API server's business and never repeated here.
pub trait Rules: Send + Sync {
    /// Fills what the client left out, as upstream's defaulting functions do. Idempotent.
    fn default(&self, _object: &mut Object) {}

    /// Clears or sets fields clients may not choose at creation (status, for one).
    fn prepare_create(&self, object: &mut Object, _context: &WriteContext<'_>) {
        object.remove("status");
    }

    /// Carries over fields an update may not change. Called on updates of the object, not of status.
    fn prepare_update(&self, _object: &mut Object, _old: &Object, _context: &WriteContext<'_>) {}

    /// Every fault of the object, with its path. `old` is given on updates.
    fn validate(&self, _object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        Vec::new()
    }

    /// Extra checks of a write to `/status`.
    fn validate_status(&self, _object: &Object, _old: &Object) -> Vec<FieldError> {
        Vec::new()
    }

    /// The columns of `kubectl get`. The first is always Name; the API server appends nothing.
    fn columns(&self) -> &'static [Column] {
        kind_columns::NAME_AND_AGE
    }

    /// One row for [`Rules::columns`]. Ages are relative to `now`.
    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        kind_columns::name_and_age(object, now)
    }

    /// A field that `fieldSelector` may name besides `metadata.name` and `metadata.namespace`;
    /// `None` where the kind does not know the path, and the selector is then refused.
    fn selectable_field(&self, _object: &Object, _path: &str) -> Option<String> {
        None
    }

    /// The paths [`Rules::selectable_field`] answers.
    fn selectable_fields(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether a change from `old` to `object` bumps `metadata.generation`. By default: any change
    /// outside metadata and status, for kinds that have a `spec`.
    fn bumps_generation(&self, object: &Object, old: &Object) -> bool {
        object.get("spec").is_some() && object.get("spec") != old.get("spec")
    }
}

/// One column of a table, in `meta.k8s.io/v1 TableColumnDefinition` terms.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub name: &'static str,
    /// `string`, `integer`, `boolean`, `date` …
    pub r#type: &'static str,
    /// `name` for the name column, otherwise empty.
    pub format: &'static str,
    pub description: &'static str,
    /// 0 shows always; 1 only with `-o wide`.
    pub priority: i32,
}

/// One fault, in the words of `metav1.StatusCause`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub path: String,
    pub kind: FieldErrorKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldErrorKind {
    Required { detail: String },
    Invalid { value: Value, detail: String },
    NotSupported { value: Value, supported: Vec<String> },
    Duplicate { value: Value },
    Forbidden { detail: String },
    TooLong { limit: usize },
    TooMany { actual: usize, limit: usize },
}

mod kind_columns {
    use super::*;

    pub(super) static NAME_AND_AGE: &[Column] = &[
        Column { name: "Name", r#type: "string", format: "name", description: "Name of the object", priority: 0 },
        Column { name: "Age", r#type: "string", format: "", description: "Time since creation", priority: 0 },
    ];

    pub(super) fn name_and_age(_object: &Object, _now: Timestamp) -> Vec<Value> {
        Vec::new()
    }
}
