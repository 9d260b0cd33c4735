//! The one way an object changes: prepare, admit, validate, compare and swap.

use registry::{FieldError, Kind, Object};
use serde_json::Value;
use store::StoreError;

use crate::admission::{self, Attributes, Operation};
use crate::call::{Call, WriteOptions};
use crate::deletion::{self, DeleteOptions, Plan};
use crate::metadata;
use crate::status::{ApiError, Subject};
use crate::storage::{Encoded, encode};

/// How often a generated name is drawn again when it is taken.
const NAME_ATTEMPTS: usize = 8;

/// How often a write that names no resourceVersion starts over when another came in between.
const CONFLICT_ATTEMPTS: usize = 32;

/// Which part of an object a write may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Object,
    Status,
    Scale,
    /// A subresource that lets through one change which an update of the object may not make
    /// (binding, finalize …). It checks that change itself.
    Narrow(&'static str),
}

impl Part {
    pub(crate) fn subresource(self) -> &'static str {
        match self {
            Part::Object => "",
            Part::Status => "status",
            Part::Scale => "scale",
            Part::Narrow(name) => name,
        }
    }
}

/// Creates an object in its stored form.
pub(crate) async fn create(call: &Call, object: Object, options: WriteOptions) -> Result<Encoded, ApiError> {
    let generated = metadata::name(&object).is_empty();
    for _ in 0..NAME_ATTEMPTS {
        match create_once(call, object.clone(), options).await {
            Err(error) if generated && is_already_exists(&error) => {}
            other => return other,
        }
    }
    let why = "the server was not able to generate a unique name for the object";
    Err(ApiError::conflict(call.subject(metadata::text(&object, "generateName")), why))
}

async fn create_once(call: &Call, mut object: Object, options: WriteOptions) -> Result<Encoded, ApiError> {
    let kind = call.stored_kind();
    metadata::settle_namespace(kind, &mut object, call.namespace())?;
    metadata::prepare_create(kind, &mut object, &call.server.ambient);
    let name = metadata::name(&object).to_owned();
    let attributes = Attributes {
        call,
        operation: Operation::Create,
        kind,
        subresource: "",
        namespace: call.namespace(),
        name: &name,
        old: None,
    };
    kind.rules.prepare_create(&mut object, &call.write_context());
    // Held until the write is done: addresses and ports a plugin set aside.
    let _reservations = admission::admit(&attributes, &mut object).await?;
    let mut faults = metadata::validate(kind, &object, None);
    faults.extend(kind.rules.validate(&object, None));
    refuse_faults(call.kind, &name, &faults)?;
    warn(call, kind, &object, None);
    admission::validate(&attributes, Some(&object)).await?;
    let storage = &call.server.storage;
    if options.dry_run {
        return match storage.get(kind, call.namespace(), &name).await? {
            Some(_) => Err(ApiError::already_exists(call.subject(&name))),
            None => Ok(Encoded::unwritten(kind, &object)),
        };
    }
    match storage.create(kind, &object).await {
        Ok(encoded) => Ok(encoded),
        Err(StoreError::Conflict { .. }) => Err(ApiError::already_exists(call.subject(&name))),
        Err(error) => Err(error.into()),
    }
}

/// Changes an object: reads it, lets `change` make the wanted one, and swaps them if nobody else
/// wrote in between. `change` runs again when somebody did and the client named no version.
pub(crate) async fn update<F>(
    call: &Call,
    name: &str,
    part: Part,
    options: WriteOptions,
    mut change: F,
) -> Result<Encoded, ApiError>
where
    F: FnMut(&Object) -> Result<Object, ApiError> + Send,
{
    let kind = call.stored_kind();
    for _ in 0..CONFLICT_ATTEMPTS {
        let Some(current) = call.server.storage.get(kind, call.namespace(), name).await? else {
            return Err(ApiError::not_found(call.subject(name)));
        };
        let old = current.decode()?;
        let wanted = change(&old)?;
        let pinned = metadata::resource_version(&wanted).is_some();
        match update_once(call, name, part, options, &current, &old, wanted).await {
            Err(UpdateError::Raced) if !pinned => {}
            Err(UpdateError::Raced) => return Err(ApiError::modified(call.subject(name))),
            Err(UpdateError::Refused(error)) => return Err(error),
            Ok(encoded) => return Ok(encoded),
        }
    }
    Err(ApiError::modified(call.subject(name)))
}

enum UpdateError {
    /// Another write came between the read and the swap.
    Raced,
    Refused(ApiError),
}

impl From<ApiError> for UpdateError {
    fn from(error: ApiError) -> Self {
        UpdateError::Refused(error)
    }
}

impl From<StoreError> for UpdateError {
    fn from(error: StoreError) -> Self {
        UpdateError::Refused(error.into())
    }
}

async fn update_once(
    call: &Call,
    name: &str,
    part: Part,
    options: WriteOptions,
    current: &Encoded,
    old: &Object,
    wanted: Object,
) -> Result<Encoded, UpdateError> {
    let kind = call.stored_kind();
    let subject = call.subject(name);
    check_version(call, name, &wanted, old)?;
    metadata::check_uid(subject, metadata::uid(&wanted), old)?;
    let mut object = merge_part(kind, part, wanted, old);
    metadata::prepare_update(&mut object, old);
    if part == Part::Object {
        kind.rules.prepare_update(&mut object, old, &call.write_context());
    }
    let attributes = Attributes {
        call,
        operation: Operation::Update,
        kind,
        subresource: part.subresource(),
        namespace: call.namespace(),
        name,
        old: Some(old),
    };
    let _reservations = admission::admit(&attributes, &mut object).await?;
    if kind.rules.tracks_generation() && part != Part::Status && kind.rules.bumps_generation(&object, old) {
        metadata::bump_generation(&mut object);
    }
    let faults = match part {
        Part::Status => kind.rules.validate_status(&object, old),
        Part::Narrow(_) => metadata::validate(kind, &object, Some(old)),
        Part::Object | Part::Scale => {
            let mut faults = metadata::validate(kind, &object, Some(old));
            faults.extend(kind.rules.validate(&object, Some(old)));
            faults
        }
    };
    refuse_faults(call.kind, name, &faults)?;
    if part == Part::Object {
        warn(call, kind, &object, Some(old));
    }
    admission::validate(&attributes, Some(&object)).await?;
    swap(call, name, kind, &object, current, options.dry_run).await
}

/// Writes the object, or removes it when it was being deleted and nothing holds it any more.
async fn swap(
    call: &Call,
    name: &str,
    kind: &'static Kind,
    object: &Object,
    current: &Encoded,
    dry_run: bool,
) -> Result<Encoded, UpdateError> {
    if dry_run {
        return Ok(Encoded { bytes: encode(kind, object), revision: current.revision });
    }
    let at = current.revision.unwrap_or_default();
    let storage = &call.server.storage;
    let written = if deletion::is_complete(kind, object) {
        storage
            .delete(kind, call.namespace(), name, at)
            .await
            .map(|gone| Encoded { bytes: encode(kind, object), revision: gone.revision })
    } else if encode(kind, object) == current.bytes {
        // Nothing changed: no revision is spent and no watcher woken.
        return Ok(current.clone());
    } else {
        storage.replace(kind, object, at).await
    };
    match written {
        Ok(encoded) => Ok(encoded),
        Err(StoreError::Conflict { .. }) => Err(UpdateError::Raced),
        Err(error) => Err(error.into()),
    }
}

/// What a deletion left behind.
pub(crate) enum Deleted {
    /// The object as it last stood.
    Gone(Encoded),
    /// The object as it stands now, marked.
    Marked(Encoded),
}

pub(crate) async fn delete(call: &Call, name: &str, options: &DeleteOptions) -> Result<Deleted, ApiError> {
    let kind = call.stored_kind();
    let storage = &call.server.storage;
    for _ in 0..CONFLICT_ATTEMPTS {
        let Some(current) = storage.get(kind, call.namespace(), name).await? else {
            return Err(ApiError::not_found(call.subject(name)));
        };
        let object = current.decode()?;
        check_preconditions(call.subject(name), &object, options)?;
        let attributes = Attributes {
            call,
            operation: Operation::Delete,
            kind,
            subresource: "",
            namespace: call.namespace(),
            name,
            old: Some(&object),
        };
        admission::validate(&attributes, None).await?;
        let at = current.revision.unwrap_or_default();
        let outcome = match deletion::plan(kind, &object, options, call.server.ambient.clock.now_seconds()) {
            Plan::Nothing => return Ok(Deleted::Marked(current)),
            Plan::Remove if options.dry_run => return Ok(Deleted::Gone(current)),
            Plan::Mark(marked) if options.dry_run => {
                return Ok(Deleted::Marked(Encoded { bytes: encode(kind, &marked), revision: current.revision }));
            }
            Plan::Remove => storage.delete(kind, call.namespace(), name, at).await.map(Deleted::Gone),
            Plan::Mark(marked) => storage.replace(kind, &marked, at).await.map(Deleted::Marked),
        };
        match outcome {
            Ok(deleted) => return Ok(deleted),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::modified(call.subject(name)))
}

fn check_preconditions(subject: Subject<'_>, object: &Object, options: &DeleteOptions) -> Result<(), ApiError> {
    if let Some(uid) = &options.uid {
        metadata::check_uid(subject, uid, object)?;
    }
    let actual = metadata::text(object, "resourceVersion");
    match &options.resource_version {
        Some(expected) if expected != actual => {
            let why = format!(
                "Precondition failed: ResourceVersion in precondition: {expected}, ResourceVersion in object meta: {actual}"
            );
            Err(ApiError::conflict(subject, &why))
        }
        _ => Ok(()),
    }
}

fn check_version(call: &Call, name: &str, wanted: &Object, old: &Object) -> Result<(), ApiError> {
    match metadata::resource_version(wanted) {
        Some(version) if version != metadata::text(old, "resourceVersion") => {
            if version.parse::<u64>().is_err() {
                let fault = FieldError::invalid("metadata.resourceVersion", version, "must be an unsigned integer");
                return Err(ApiError::invalid(call.kind, name, &[fault]));
            }
            Err(ApiError::modified(call.subject(name)))
        }
        None if !call.stored_kind().rules.allows_unconditional_update() => {
            let detail = "must be specified for an update";
            let fault = FieldError::invalid("metadata.resourceVersion", 0, detail);
            Err(ApiError::invalid(call.kind, name, &[fault]))
        }
        _ => Ok(()),
    }
}

/// Lets through only the part of the object that the write is about.
fn merge_part(kind: &Kind, part: Part, mut wanted: Object, old: &Object) -> Object {
    let keep = |object: &mut Object, status: Option<&Value>| match status {
        Some(status) => {
            object.insert("status".to_owned(), status.clone());
        }
        None => {
            object.remove("status");
        }
    };
    match part {
        Part::Object if kind.has_status => keep(&mut wanted, old.get("status")),
        Part::Status => {
            let mut object = old.clone();
            keep(&mut object, wanted.get("status"));
            return object;
        }
        Part::Object | Part::Scale | Part::Narrow(_) => {}
    }
    wanted
}

fn refuse_faults(kind: &Kind, name: &str, faults: &[FieldError]) -> Result<(), ApiError> {
    if faults.is_empty() { Ok(()) } else { Err(ApiError::invalid(kind, name, faults)) }
}

fn warn(call: &Call, kind: &Kind, object: &Object, old: Option<&Object>) {
    for sentence in kind.rules.warnings(object, old) {
        call.warn(sentence);
    }
}

fn is_already_exists(error: &ApiError) -> bool {
    error.status().reason.as_deref() == Some("AlreadyExists")
}
