//! How writes move ownership.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::compare::{Comparison, compare};
use super::configuration::{Misfit, field_set, validate};
use super::conflict::Conflict;
use super::last_applied;
use super::managed::{Entry, ManagedFields, Manager, Operation};
use super::merge::merge;
use super::model::BOOKKEEPING;
use super::remove::{remove, with_named_fields};
use super::set::FieldSet;
use crate::Object;
use crate::schema::Type;

/// The versions a kind is served in: managers name fields in the one they wrote.
pub trait Versions {
    fn r#type(&self, api_version: &str) -> Option<&'static Type>;

    /// The object in another version; `None` where the kind has no such version (any more).
    fn convert(&self, object: &Object, from: &str, to: &str) -> Option<Object>;
}

/// What a write through an endpoint cannot change, so that nobody comes to own it there.
#[derive(Clone, Copy, Debug)]
pub enum Resets {
    /// These fields, with all below them.
    Excluding(&'static [&'static [&'static str]]),
    /// Everything but these, where `*` stands for any item.
    AllBut(&'static [&'static [&'static str]]),
}

/// One write and its circumstances.
pub struct Tracking<'a> {
    pub versions: &'a dyn Versions,
    /// Of the objects given and made here: `apps/v1`.
    pub api_version: &'a str,
    pub manager: &'a str,
    /// Empty for the object itself.
    pub subresource: &'a str,
    /// RFC 3339, whole seconds.
    pub now: &'a str,
    pub resets: Resets,
}

/// What an apply makes of an object.
#[derive(Debug)]
pub struct Applied {
    pub object: Object,
    pub managed: ManagedFields,
}

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("the server knows no version {0:?} of the kind")]
    UnknownVersion(String),
    #[error(transparent)]
    Misfit(#[from] Misfit),
    #[error("{}", super::conflict::conflict_message(.0))]
    Conflicts(Vec<Conflict>),
}

/// Who owns what was there before anybody applied.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

impl Tracking<'_> {
    /// Who owns what after `live` became `new` by an ordinary write; on creation `live` is empty. An object whose
    /// managers were forgotten is not tracked again before somebody applies to it.
    pub fn update(&self, live: &Object, new: &Object, managed: ManagedFields) -> ManagedFields {
        let is_forgotten = managed.is_empty() && uid(live).is_some();
        if is_forgotten { managed } else { self.updated(live, new, managed, self.manager) }
    }

    /// Merges a configuration into the live object, which is empty on creation.
    pub fn apply(
        &self,
        live: &Object,
        config: &Object,
        mut managed: ManagedFields,
        force: bool,
    ) -> Result<Applied, ApplyError> {
        let unknown = || ApplyError::UnknownVersion(self.api_version.to_owned());
        let r#type = self.versions.r#type(self.api_version).ok_or_else(unknown)?;
        validate(config, r#type)?;
        if managed.is_empty() {
            managed = self.updated(&Object::new(), live, managed, BEFORE_FIRST_APPLY);
        }
        let mut outcome = self.applied(live, config, managed.clone(), r#type, force);
        let takes_over = self.manager == last_applied::KUBECTL;
        if let Err(conflicts) = &mut outcome
            && takes_over
            && let Some(allowed) = last_applied::still_applied(live, self.api_version, r#type)
        {
            conflicts.retain(|conflict| !allowed.contains(&conflict.path));
            if conflicts.is_empty() {
                outcome = self.applied(live, config, managed, r#type, true);
            }
        }
        let mut applied = outcome.map_err(ApplyError::Conflicts)?;
        if takes_over {
            last_applied::refresh(&mut applied.object, config);
        }
        Ok(applied)
    }

    fn updated(&self, live: &Object, new: &Object, mut managed: ManagedFields, name: &str) -> ManagedFields {
        let Some(r#type) = self.versions.r#type(self.api_version) else { return managed };
        let changes = self.without_resets(compare(live, new, r#type));
        if changes.is_empty() {
            return managed;
        }
        let taken = changes.set();
        let manager = self.identity(name, Operation::Update);
        // What the manager itself wrote before counts as another's: it is joined again below.
        self.lose(&mut managed, live, new, changes, |entry, own, lost| entry.replace_set(own.difference(&lost.all)));
        managed.retain(|_| true);
        if !taken.is_empty() {
            let own = managed.take(&manager).map_or_else(FieldSet::default, |entry| entry.set());
            managed.put(Entry::new(manager, self.api_version, own.union(&taken), Some(self.now.to_owned())));
        }
        managed.cap();
        managed
    }

    fn applied(
        &self,
        live: &Object,
        config: &Object,
        mut managed: ManagedFields,
        r#type: &'static Type,
        force: bool,
    ) -> Result<Applied, Vec<Conflict>> {
        let manager = self.identity(self.manager, Operation::Apply);
        let last = managed.take(&manager);
        let set = self.resets.apply(field_set(config, r#type));
        let time = last.as_ref().and_then(|last| last.time.clone());
        managed.put(Entry::new(manager.clone(), self.api_version, set, time));
        let merged = merge(live, config, r#type);
        let object = match &last {
            Some(last) => self.pruned(merged, &managed, last),
            None => merged,
        };
        let changes = self.without_resets(compare(live, &object, r#type));
        let own = managed.take(&manager);
        let mut conflicts = Vec::new();
        self.lose(&mut managed, live, &object, changes, |entry, own, lost| {
            let contested = own.intersection(&lost.set).paths();
            conflicts.extend(contested.into_iter().map(|path| Conflict { manager: entry.manager.clone(), path }));
            entry.replace_set(own.difference(&lost.all));
        });
        if !force && !conflicts.is_empty() {
            conflicts.sort_by(|left, right| left.manager.cmp(&right.manager));
            return Err(conflicts);
        }
        managed.retain(|_| true);
        if let Some(mut own) = own {
            if object != *live {
                own.time = Some(self.now.to_owned());
            }
            // Names and versions were held while pruning; nobody comes to own them.
            own.replace_set(own.set().difference(&FieldSet::of_fields(BOOKKEEPING)));
            managed.put(own);
        }
        Ok(Applied { object, managed })
    }

    /// Tells `lost` of each entry that owns something of what changed: the entry, its fields, and the changes in its
    /// own version's names. Entries in versions that are no more are dropped.
    fn lose(
        &self,
        managed: &mut ManagedFields,
        old: &Object,
        new: &Object,
        changes: Comparison,
        mut lost: impl FnMut(&mut Entry, FieldSet, &Changed),
    ) {
        let mut by_version: BTreeMap<String, Option<Changed>> = BTreeMap::new();
        by_version.insert(self.api_version.to_owned(), Some(Changed::of(&changes)));
        for entry in managed.entries() {
            if !by_version.contains_key(&entry.api_version) {
                let changes = self.compare_at(old, new, &entry.api_version);
                by_version.insert(entry.api_version.clone(), changes.as_ref().map(Changed::of));
            }
        }
        managed.retain(|entry| by_version.get(&entry.api_version).is_some_and(Option::is_some));
        for entry in managed.entries_mut() {
            let Some(Some(changes)) = by_version.get(&entry.api_version) else { continue };
            if let Some(own) = entry.meeting(&changes.all) {
                lost(entry, own, changes);
            }
        }
    }

    fn compare_at(&self, old: &Object, new: &Object, version: &str) -> Option<Comparison> {
        let r#type = self.versions.r#type(version)?;
        let old = self.versions.convert(old, self.api_version, version)?;
        let new = self.versions.convert(new, self.api_version, version)?;
        Some(self.without_resets(compare(&old, &new, r#type)))
    }

    /// Takes out of the merged object what the manager applied last and applies no more, unless somebody else owns it.
    fn pruned(&self, merged: Object, managed: &ManagedFields, last: &Entry) -> Object {
        let last_set = last.set();
        let Some(mut at_last) = self.at(&merged, self.api_version, &last.api_version) else { return merged };
        if last_set.is_empty() {
            return merged;
        }
        let named = with_named_fields(&last_set, at_last.r#type);
        let mut pruned = at_last.without(&named);
        let mut owned: BTreeMap<&str, FieldSet> = BTreeMap::new();
        for entry in managed.entries() {
            let of_version = owned.entry(&entry.api_version).or_default();
            *of_version = of_version.union(&entry.set());
        }
        // What the last version names comes back first: other versions may not be had without it.
        let first = owned.remove_entry(last.api_version.as_str());
        for (version, set) in first.into_iter().chain(owned) {
            let (Some(whole), Some(part)) = (self.move_to(&at_last, version), self.move_to(&pruned, version)) else {
                continue;
            };
            pruned = whole.without(&whole.fields().difference(&part.fields().union(&whole.named(&set))));
            at_last = whole;
        }
        let (Some(whole), Some(part)) =
            (self.move_to(&at_last, &last.api_version), self.move_to(&pruned, &last.api_version))
        else {
            return merged;
        };
        // Nothing goes that the manager did not apply itself.
        let gone = whole.fields().difference(&part.fields()).intersection(&whole.named(&last_set));
        let pruned = whole.without(&gone);
        self.move_to(&pruned, self.api_version).map_or(merged, |pruned| pruned.object.into_owned())
    }

    fn at<'o>(&self, object: &'o Object, from: &str, to: &str) -> Option<Versioned<'o>> {
        let r#type = self.versions.r#type(to)?;
        let object = match from == to {
            true => Cow::Borrowed(object),
            false => Cow::Owned(self.versions.convert(object, from, to)?),
        };
        Some(Versioned { object, version: to.to_owned(), r#type })
    }

    fn move_to(&self, object: &Versioned<'_>, version: &str) -> Option<Versioned<'static>> {
        let moved = self.at(&object.object, &object.version, version)?;
        Some(Versioned { object: Cow::Owned(moved.object.into_owned()), ..moved })
    }

    fn identity(&self, name: &str, operation: Operation) -> Manager {
        Manager {
            name: name.to_owned(),
            operation,
            api_version: if operation == Operation::Update { self.api_version.to_owned() } else { String::new() },
            subresource: self.subresource.to_owned(),
        }
    }

    fn without_resets(&self, mut changes: Comparison) -> Comparison {
        changes.retain(|set| self.resets.apply(set.clone()));
        changes
    }
}

/// What a write changed, in one version's names.
struct Changed {
    /// What the new object sets otherwise than the old.
    set: FieldSet,
    /// That, and what it lacks.
    all: FieldSet,
}

impl Changed {
    fn of(changes: &Comparison) -> Self {
        let set = changes.set();
        Changed { all: set.union(&changes.removed), set }
    }
}

/// An object in one of its kind's versions.
struct Versioned<'a> {
    object: Cow<'a, Object>,
    version: String,
    r#type: &'static Type,
}

impl Versioned<'_> {
    /// Every field, and the struct fields that lead there.
    fn fields(&self) -> FieldSet {
        self.named(&field_set(&self.object, self.r#type))
    }

    fn named(&self, set: &FieldSet) -> FieldSet {
        with_named_fields(set, self.r#type)
    }

    fn without(&self, gone: &FieldSet) -> Versioned<'static> {
        let object = Cow::Owned(remove(&self.object, gone, self.r#type));
        Versioned { object, version: self.version.clone(), r#type: self.r#type }
    }
}

impl Resets {
    /// What a set keeps of itself.
    fn apply(&self, set: FieldSet) -> FieldSet {
        match self {
            Resets::Excluding([]) => set,
            Resets::Excluding(paths) => set.recursive_difference(&FieldSet::of_fields(paths)),
            Resets::AllBut(patterns) => set.matching(patterns),
        }
    }
}

fn uid(object: &Object) -> Option<&str> {
    object.get("metadata")?.get("uid").and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
