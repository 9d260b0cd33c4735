//! The one way an object changes: prepare, admit, validate, compare and swap.

use jiff::Timestamp;
use registry::{FieldError, Kind, Object};
use serde_json::Value;
use store::StoreError;

use crate::admission::{self, Attributes, Operation};
use crate::call::{Call, WriteOptions};
use crate::deletion::{self, DeleteOptions, Plan};
use crate::status::{ApiError, Subject};
use crate::storage::{Encoded, Stored, encode, key};
use crate::subresources::approval;
use crate::{decode, metadata, ownership, services};

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

    /// Whether a change of the spec counts as one of what is wanted. Upstream binds behind the strategy that counts.
    /// Source: pkg/registry/core/pod/storage, BindingREST.setPodNodeAndMetadata.
    fn raises_generation(self) -> bool {
        !matches!(self, Part::Status | Part::Narrow("binding"))
    }
}

/// What a write wants an object to be, in its stored form.
pub(crate) struct Wanted {
    pub(crate) object: Object,
    pub(crate) owners: Owners,
}

/// Who is to own the object's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owners {
    /// The writer takes what it changes.
    Track,
    /// As the object says: whoever made it has settled that.
    Settled,
}

impl Wanted {
    pub(crate) fn settled(object: Object) -> Self {
        Wanted { object, owners: Owners::Settled }
    }
}

impl From<Object> for Wanted {
    fn from(object: Object) -> Self {
        Wanted { object, owners: Owners::Track }
    }
}

/// Creates an object.
pub(crate) async fn create(call: &Call, wanted: impl Into<Wanted>, options: WriteOptions) -> Result<Encoded, ApiError> {
    let Wanted { mut object, owners } = wanted.into();
    metadata::settle_namespace(call.stored_kind(), &mut object, call.namespace())?;
    if owners == Owners::Track {
        ownership::track(call, Part::Object, &Object::new(), &mut object);
    }
    let draws_name = metadata::name(&object).is_empty() && !metadata::text(&object, "generateName").is_empty();
    if draws_name {
        for _ in 1..NAME_ATTEMPTS {
            match create_once(call, object.clone(), options).await {
                Err(error) if error.is("AlreadyExists") => {}
                other => return other,
            }
        }
    }
    create_once(call, object, options).await
}

async fn create_once(call: &Call, mut object: Object, options: WriteOptions) -> Result<Encoded, ApiError> {
    let kind = call.stored_kind();
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
    decode::complete(kind, &mut object);
    let mut faults = metadata::validate(kind, &object, None);
    faults.extend(faults_of(call, &object, None));
    refuse_faults(call.kind, &name, faults)?;
    warn(call, kind, &object, None);
    admission::validate(&attributes, Some(&object)).await?;
    let storage = &call.server.storage;
    if options.dry_run {
        return match storage.get(kind, call.namespace(), &name).await? {
            Some(_) => Err(taken(call, &object)),
            None => Ok(Encoded::unwritten(kind, &object)),
        };
    }
    let beside = services::beside(&call.server, kind, None, Some(&object));
    match storage.create_with(kind, &object, beside, call.author()).await {
        Ok(stored) => Ok(stored.into()),
        Err(StoreError::Conflict { key: taken_key, .. }) if *taken_key != *key(kind, call.namespace(), &name) => {
            Err(services::taken_meanwhile(kind, &object))
        }
        Err(StoreError::Conflict { .. }) => Err(taken(call, &object)),
        Err(error) => Err(error.into()),
    }
}

/// The name is another's. Whoever had names drawn is told so.
fn taken(call: &Call, object: &Object) -> ApiError {
    let subject = call.subject(metadata::name(object));
    match metadata::text(object, "generateName") {
        "" => ApiError::already_exists(subject),
        _ => ApiError::generate_name_conflict(subject),
    }
}

/// Changes an object: reads it, lets `change` make the wanted one, and swaps them if nobody else wrote in between.
/// `change` runs again when somebody did: a wanted object that names a version is then found to be of an old one.
pub(crate) async fn update<F, W>(
    call: &Call,
    name: &str,
    part: Part,
    options: WriteOptions,
    mut change: F,
) -> Result<Encoded, ApiError>
where
    F: FnMut(&Object) -> Result<W, ApiError> + Send,
    W: Into<Wanted>,
{
    let kind = call.stored_kind();
    for _ in 0..CONFLICT_ATTEMPTS {
        let Some(current) = call.server.storage.get(kind, call.namespace(), name).await? else {
            return Err(ApiError::not_found(call.subject(name)));
        };
        let old = current.decode_resting()?;
        let wanted = change(&old)?.into();
        match update_once(call, name, part, options, &current, &old, wanted).await {
            Err(UpdateError::Raced) => {}
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
    current: &Stored,
    old: &Object,
    wanted: Wanted,
) -> Result<Encoded, UpdateError> {
    let kind = call.stored_kind();
    let subject = call.subject(name);
    let Wanted { object: mut wanted, owners } = wanted;
    check_version(call, name, &wanted, old)?;
    metadata::check_uid(subject, metadata::uid(&wanted), old)?;
    if owners == Owners::Track {
        ownership::track(call, part, old, &mut wanted);
    }
    let now = call.server.ambient.clock.now_seconds();
    let mut object = merge_part(kind, part, wanted, old, now);
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
    decode::complete(kind, &mut object);
    if kind.rules.tracks_generation() && part.raises_generation() && kind.rules.bumps_generation(&object, old) {
        metadata::bump_generation(&mut object);
    }
    let faults = match part {
        Part::Status => {
            let mut faults = metadata::validate(kind, &object, Some(old));
            faults.extend(kind.rules.validate_status(&object, old));
            faults
        }
        Part::Narrow(_) => metadata::validate(kind, &object, Some(old)),
        Part::Object | Part::Scale => {
            let mut faults = metadata::validate(kind, &object, Some(old));
            faults.extend(faults_of(call, &object, Some(old)));
            faults
        }
    };
    refuse_faults(call.kind, name, faults)?;
    if part == Part::Object {
        warn(call, kind, &object, Some(old));
    }
    admission::validate(&attributes, Some(&object)).await?;
    ownership::keep_times(&mut object, old);
    if metadata::is_same(&object, old) && !deletion::is_complete(kind, &object) {
        // Nothing changed: no revision is spent and no watcher woken.
        return Ok(current.clone().into());
    }
    swap(call, name, kind, &object, (current, old), options.dry_run).await
}

/// What is wrong with an object in its stored form, as the version says that it is written in.
fn faults_of(call: &Call, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
    let as_served = call.kind.rules.validate_as_served(object, old);
    as_served.unwrap_or_else(|| call.stored_kind().rules.validate(object, old))
}

/// Writes the object, or removes it when it was being deleted and nothing holds it any more.
async fn swap(
    call: &Call,
    name: &str,
    kind: &'static Kind,
    object: &Object,
    (current, old): (&Stored, &Object),
    dry_run: bool,
) -> Result<Encoded, UpdateError> {
    let bytes = encode(kind, object);
    if dry_run {
        return Ok(Encoded::at(bytes, current.revision));
    }
    let at = current.revision;
    let storage = &call.server.storage;
    let written = if deletion::is_complete(kind, object) {
        storage
            .delete(
                kind,
                call.namespace(),
                name,
                at,
                services::beside(&call.server, kind, Some(old), None),
                call.author(),
            )
            .await
            .map(|gone| Encoded::at(bytes, gone.revision))
    } else if bytes == current.bytes {
        // Nothing changed: no revision is spent and no watcher woken.
        return Ok(current.clone().into());
    } else {
        let beside = services::beside(&call.server, kind, Some(old), Some(object));
        storage.replace_encoded(kind, object, bytes, at, beside, call.author()).await.map(Encoded::from)
    };
    match written {
        Ok(encoded) => {
            if deletion::is_complete(kind, object) {
                services::after_removal(&call.server, kind).await?;
            }
            Ok(encoded)
        }
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
        let at = current.revision;
        let outcome = match deletion::plan(kind, &object, options, call.server.ambient.clock.now_seconds()) {
            Plan::Nothing => return Ok(Deleted::Marked(current.into())),
            Plan::Remove if options.dry_run => return Ok(Deleted::Gone(current.into())),
            Plan::Mark(marked) if options.dry_run => {
                return Ok(Deleted::Marked(Encoded::at(encode(kind, &marked), at)));
            }
            Plan::Remove => {
                let beside = services::beside(&call.server, kind, Some(&object), None);
                let gone = storage.delete(kind, call.namespace(), name, at, beside, call.author()).await;
                gone.map(|gone| Deleted::Gone(gone.into()))
            }
            Plan::Mark(marked) => {
                let marked = storage.replace(kind, &marked, at, call.author()).await;
                marked.map(|marked| Deleted::Marked(marked.into()))
            }
        };
        match outcome {
            Ok(deleted) => {
                if let Deleted::Gone(_) = deleted {
                    services::after_removal(&call.server, kind).await?;
                }
                return Ok(deleted);
            }
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
fn merge_part(kind: &Kind, part: Part, mut wanted: Object, old: &Object, now: Timestamp) -> Object {
    match part {
        Part::Object if kind.has_status => restore(&mut wanted, old, &["status"]),
        Part::Status => {
            let mut object = old.clone();
            restore(&mut object, &wanted, &["status"]);
            restore(&mut object, &wanted, &["metadata"]);
            let version = metadata::of(&mut wanted).shift_remove("resourceVersion");
            metadata::of(&mut object).extend(version.map(|version| ("resourceVersion".to_owned(), version)));
            let is_judged = approval::is_judged(kind);
            for path in ownership::status_resets(kind) {
                if is_judged && *path == ["status", "conditions"] {
                    approval::keep_verdict(&mut object, old, now);
                } else {
                    restore_but_owners(&mut object, old, path);
                }
            }
            return object;
        }
        Part::Object | Part::Scale | Part::Narrow(_) => {}
    }
    wanted
}

/// Puts back what stands at a path, or nothing where nothing stood there.
fn restore(object: &mut Object, from: &Object, path: &[&str]) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut place = object;
    let mut source = Some(from);
    for name in parents {
        source = source.and_then(|source| source.get(*name)).and_then(Value::as_object);
        let inner = place.entry(*name).or_insert_with(|| Value::Object(Object::new()));
        let Value::Object(inner) = inner else { return };
        place = inner;
    }
    match source.and_then(|source| source.get(*last)) {
        Some(value) => place.insert((*last).to_owned(), value.clone()),
        None => place.shift_remove(*last),
    };
}

/// As [`restore`]; of metadata the owners of fields stay new.
fn restore_but_owners(object: &mut Object, from: &Object, path: &[&str]) {
    let owners = ownership::of(object).cloned();
    restore(object, from, path);
    if let (["metadata"], Some(owners)) = (path, owners) {
        metadata::of(object).insert("managedFields".to_owned(), owners);
    }
}

/// `kind` is that of the request: an old version may let through what newer ones do not.
fn refuse_faults(kind: &Kind, name: &str, mut faults: Vec<FieldError>) -> Result<(), ApiError> {
    faults.retain(|fault| !kind.rules.tolerates(fault));
    if faults.is_empty() { Ok(()) } else { Err(ApiError::invalid(kind, name, &faults)) }
}

fn warn(call: &Call, kind: &Kind, object: &Object, old: Option<&Object>) {
    for sentence in kind.rules.warnings(object, old) {
        call.warn(sentence);
    }
}
