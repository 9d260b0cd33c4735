//! What a kind is made of.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::columns;
use crate::error::FieldError;
use crate::names::NameRule;

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
    /// The kind whose storage this one shares: `events.k8s.io/v1` Events rest as core `v1` Events.
    /// [`Rules::to_storage`] and [`Rules::out_of_storage`] translate. `None` means its own.
    pub storage: Option<&'static Kind>,
    /// `None` where clients may stay with this version.
    pub deprecation: Option<Deprecation>,
    pub rules: &'static dyn Rules,
}

/// How a version comes to its end, in minor releases of Kubernetes 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecation {
    pub since: u8,
    /// `None` where no end is in sight.
    pub removed_in: Option<u8>,
    /// What to use instead, e.g. `apps/v1 Deployment`; empty where upstream names nothing.
    pub successor: &'static str,
}

/// The minor release of Kubernetes 1 that is served.
pub const SERVED_MINOR: u8 = 37;

/// Every verb of a resource that rests in the store.
pub const ALL_VERBS: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Rules of a kind that has none of its own.
pub struct Plain;

impl Rules for Plain {}

impl Kind {
    /// A namespaced kind without anything special, for descriptors to start from.
    pub const NAMESPACED: Kind = Kind {
        group: "",
        version: "v1",
        kind: "",
        plural: "",
        singular: "",
        short_names: &[],
        categories: &[],
        scope: Scope::Namespaced,
        verbs: ALL_VERBS,
        has_status: false,
        scale: None,
        storage: None,
        deprecation: None,
        rules: &Plain,
    };

    /// The same for a kind of the whole cluster.
    pub const CLUSTER: Kind = Kind { scope: Scope::Cluster, ..Kind::NAMESPACED };

    /// A kind under another group or version: one line a version. Everything it does not say itself
    /// is said by the kind it rests as, and overridden with `Kind { .., ..Kind::served_as(..) }`.
    pub const fn served_as(group: &'static str, version: &'static str, conversion: &'static Conversion) -> Kind {
        let deprecation = None;
        Kind { group, version, storage: Some(conversion.stored), deprecation, rules: conversion, ..*conversion.stored }
    }

    /// The kind, deprecated since one minor release and removed in another.
    pub const fn deprecated(self, since: u8, removed_in: u8, successor: &'static str) -> Kind {
        Kind { deprecation: Some(Deprecation { since, removed_in: Some(removed_in), successor }), ..self }
    }

    /// The kind, deprecated since a minor release, though none has been named that will lack it.
    pub const fn discouraged(self, since: u8, successor: &'static str) -> Kind {
        Kind { deprecation: Some(Deprecation { since, removed_in: None, successor }), ..self }
    }

    /// Whether upstream serves this version no more.
    pub const fn is_legacy(&self) -> bool {
        matches!(self.deprecation, Some(Deprecation { removed_in: Some(..=SERVED_MINOR), .. }))
    }

    /// What the `Warning` header says to whoever uses this version.
    pub fn deprecation_warning(&self) -> Option<String> {
        self.deprecation?.warning(&self.api_version(), self.kind)
    }

    /// `v1` or `apps/v1`, as objects carry it.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `pods` or `deployments.apps`, as error messages name the resource.
    pub fn qualified_plural(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    pub fn is_namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }

    pub fn serves(&self, verb: &str) -> bool {
        self.verbs.contains(&verb)
    }
}

impl Deprecation {
    /// In upstream's words; `None` before its time.
    pub fn warning(&self, api_version: &str, kind: &str) -> Option<String> {
        if self.since > SERVED_MINOR {
            return None;
        }
        let advice = if self.successor.is_empty() { String::new() } else { format!("; use {}", self.successor) };
        let end = self.removed_in.map(|minor| format!(", unavailable in v1.{minor}+")).unwrap_or_default();
        Some(format!("{api_version} {kind} is deprecated in v1.{}+{end}{advice}", self.since))
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Kind({}, {})", self.api_version(), self.kind)
    }
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
    /// Recorded by kinds that speak for whoever made them (CertificateSigningRequest).
    pub writer: Writer<'a>,
}

/// Who writes.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    pub name: &'a str,
    pub uid: &'a str,
    pub groups: &'a [String],
    pub extra: &'a BTreeMap<String, Vec<String>>,
}

impl<'a> Writer<'a> {
    /// A writer of whom nothing but the name is known.
    pub const fn named(name: &'a str) -> Self {
        const NOTHING: &BTreeMap<String, Vec<String>> = &BTreeMap::new();
        Writer { name, uid: "", groups: &[], extra: NOTHING }
    }
}

/// A kind's own rules. The defaults of the methods are right for a plain kind.
///
/// Generic metadata (names, labels, annotations, owner references, finalizers, timestamps, generation)
/// is the API server's business and never repeated here.
pub trait Rules: Send + Sync {
    /// What a name of this kind may look like.
    fn name_rule(&self) -> NameRule {
        NameRule::DnsSubdomain
    }

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

    /// Every fault of an object that is written in this version, where it asks other things than the version the object
    /// rests in. The object is in its stored form.
    fn validate_as_served(&self, _stored: &Object, _old: Option<&Object>) -> Option<Vec<FieldError>> {
        None
    }

    /// Extra checks of a write to `/status`.
    fn validate_status(&self, _object: &Object, _old: &Object) -> Vec<FieldError> {
        Vec::new()
    }

    /// The columns of `kubectl get`. The first is always Name; the API server appends nothing.
    fn columns(&self) -> &'static [Column] {
        columns::NAME_AND_AGE
    }

    /// One row for [`Rules::columns`]. Ages are relative to `now`.
    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        columns::name_and_age(object, now)
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

    /// What the kind this one rests as calls a field that a selector names in this version; `None`
    /// where this version knows no such field. By default versions agree on the names.
    fn stored_field<'a>(&self, path: &'a str) -> Option<&'a str> {
        Some(path)
    }

    /// Whether objects carry `metadata.generation`: 1 at creation, one more with every change of intent.
    fn tracks_generation(&self) -> bool {
        false
    }

    /// Whether a change from `old` to `object` bumps `metadata.generation`. Asked only where
    /// [`Rules::tracks_generation`] says so. By default: any change of the `spec`.
    fn bumps_generation(&self, object: &Object, old: &Object) -> bool {
        object.get("spec") != old.get("spec")
    }

    /// Sentences for the `Warning` header of an accepted write.
    fn warnings(&self, _object: &Object, _old: Option<&Object>) -> Vec<String> {
        Vec::new()
    }

    /// How long a deletion waits for the object's owner to let go, in seconds; 0 removes at once.
    /// `requested` is what the client's DeleteOptions say.
    fn grace_period_seconds(&self, _object: &Object, _requested: Option<i64>) -> i64 {
        0
    }

    /// Marks an object whose deletion begins (besides `deletionTimestamp`, which the API server sets).
    fn begin_deletion(&self, _object: &mut Object) {}

    /// Whether something besides `metadata.finalizers` still holds the object: a Namespace's `spec.finalizers`.
    fn holds_deletion(&self, _object: &Object) -> bool {
        false
    }

    /// Whether dependents survive a deletion that names no propagation policy.
    fn orphans_by_default(&self) -> bool {
        false
    }

    /// Whether a PUT to a name that does not exist creates the object.
    fn creates_on_update(&self) -> bool {
        false
    }

    /// Whether an update without `metadata.resourceVersion` overwrites what is there; otherwise it is refused.
    fn allows_unconditional_update(&self) -> bool {
        true
    }

    /// Turns an object of this version into the form of [`Kind::storage`].
    fn to_storage(&self, _object: &mut Object) {}

    /// Turns a stored object into this version's form.
    fn out_of_storage(&self, _object: &mut Object) {}

    /// Whether clients of this version are let through with what [`Rules::validate`] of the kind it rests
    /// as finds wrong.
    fn tolerates(&self, _fault: &FieldError) -> bool {
        false
    }
}

/// The rules of a version that rests as another: what it fills in, and the way there and back. What
/// concerns the object as it rests (validation, columns, selectable fields …) is asked of the kind it
/// rests as.
pub struct Conversion {
    pub stored: &'static Kind,
    /// Fills what a client of this version left out, before it is converted. What this leaves open gets
    /// the stored kind's defaults.
    pub default: fn(&mut Object),
    pub to_storage: fn(&mut Object),
    pub out_of_storage: fn(&mut Object),
    /// Faults that this version never knew.
    pub tolerates: fn(&FieldError) -> bool,
}

impl Conversion {
    /// A version whose objects look exactly like the stored ones.
    pub const fn same_as(stored: &'static Kind) -> Conversion {
        Conversion { stored, default: leave, to_storage: leave, out_of_storage: leave, tolerates: |_| false }
    }

    /// The same, with defaults of its own.
    pub const fn with_defaults(stored: &'static Kind, default: fn(&mut Object)) -> Conversion {
        Conversion { default, ..Conversion::same_as(stored) }
    }

    /// A version whose objects look different.
    pub const fn between(
        stored: &'static Kind,
        to_storage: fn(&mut Object),
        out_of_storage: fn(&mut Object),
    ) -> Conversion {
        Conversion { to_storage, out_of_storage, ..Conversion::same_as(stored) }
    }
}

fn leave(_object: &mut Object) {}

impl Rules for Conversion {
    fn default(&self, object: &mut Object) {
        (self.default)(object);
    }

    fn to_storage(&self, object: &mut Object) {
        (self.to_storage)(object);
        self.stored.rules.default(object);
    }

    fn out_of_storage(&self, object: &mut Object) {
        (self.out_of_storage)(object);
    }

    fn tolerates(&self, fault: &FieldError) -> bool {
        (self.tolerates)(fault)
    }

    fn columns(&self) -> &'static [Column] {
        self.stored.rules.columns()
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        self.stored.rules.row(object, now)
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
