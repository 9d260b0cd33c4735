//! ControllerRevisions: the templates an owner has had, so that it can go back to one.

use std::sync::Arc;

use api::k8s::api::apps::v1::ControllerRevision;
use api::k8s::api::core::v1::PodTemplateSpec;
use api::k8s::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use api::k8s::apimachinery::pkg::runtime::RawExtension;
use api::{NamespacedName, Selector};
use client::Client;
use client::kube::Api;
use client::kube::api::{DeleteParams, PostParams};
use reconcile::{Informer, WorkQueue, controller_of, controller_reference};
use serde_json::{Value, json};

use crate::context::on_each;
use crate::error::{During, ReconcileError, unless_gone};
use crate::hash::short_hash;
use crate::ownership::{Namespaced, claim_dependents, resolve_controller};
use crate::podowner::PodOwner;

/// Revision names that may collide before a reconciliation gives up.
const MAX_COLLISIONS: i32 = 20;
/// Of a revision's name, without the hash.
const MAX_PREFIX_BYTES: usize = 223;

/// Turns changes of revisions into keys of their owners.
pub(crate) fn watch_revisions<O: PodOwner>(
    revisions: &Informer<ControllerRevision>,
    owners: &Informer<O>,
    queue: WorkQueue<NamespacedName>,
) {
    let owners = owners.clone();
    on_each(revisions, move |revision| {
        if let Some(owner) = resolve_controller(&owners, &revision.metadata) {
            queue.add(NamespacedName::of(owner.meta()));
        }
    });
}

/// What a revision keeps: a patch that brings the template back, as `kubectl rollout undo` applies it.
pub(crate) fn data_of(template: &PodTemplateSpec) -> Value {
    // Writing plain data to memory cannot fail.
    let mut template = serde_json::to_value(template).unwrap_or_default();
    template["$patch"] = json!("replace");
    json!({"spec": {"template": template}})
}

/// The template a revision keeps.
pub(crate) fn template_of(revision: &ControllerRevision) -> Option<PodTemplateSpec> {
    let mut template = revision.data.0.get("spec")?.get("template")?.clone();
    template.as_object_mut()?.shift_remove("$patch");
    serde_json::from_value(template).ok()
}

pub(crate) fn number_of(revision: &ControllerRevision) -> i64 {
    revision.revision.unwrap_or(0)
}

pub(crate) fn name_of(revision: &ControllerRevision) -> &str {
    revision.metadata.name.as_deref().unwrap_or_default()
}

/// What to do so that the newest revision is the owner's template.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// It is.
    Keep(Arc<ControllerRevision>),
    /// An older one has the template: it becomes the newest.
    Raise(Arc<ControllerRevision>, i64),
    Create(i64),
}

/// `revisions` from the lowest number to the highest.
pub(crate) fn plan_newest(revisions: &[Arc<ControllerRevision>], data: &Value) -> Step {
    let highest = revisions.iter().map(|revision| number_of(revision)).max().unwrap_or(0);
    match revisions.iter().rev().find(|revision| revision.data.0 == *data) {
        None => Step::Create(highest + 1),
        Some(equal) if number_of(equal) == highest => Step::Keep(Arc::clone(equal)),
        Some(equal) => Step::Raise(Arc::clone(equal), highest + 1),
    }
}

/// Those that go: over the limit, oldest first, but none that `is_live`.
pub(crate) fn plan_truncation(
    revisions: &[Arc<ControllerRevision>],
    limit: Option<i32>,
    is_live: impl Fn(&ControllerRevision) -> bool,
) -> Vec<Arc<ControllerRevision>> {
    let kept = usize::try_from(limit.unwrap_or(10)).unwrap_or(0);
    let idle: Vec<_> = revisions.iter().filter(|revision| !is_live(revision)).cloned().collect();
    let excess = idle.len().saturating_sub(kept);
    idle.into_iter().take(excess).collect()
}

/// The revisions of all owners of one kind.
pub(crate) struct History {
    pub(crate) client: Client,
    pub(crate) revisions: Informer<ControllerRevision>,
    /// The label that carries a revision's hash.
    pub(crate) hash_label: &'static str,
}

impl History {
    /// The owner's revisions, from the lowest number to the highest.
    pub(crate) async fn of<O: PodOwner>(
        &self,
        owner: &O,
        selector: &Selector,
    ) -> Result<Vec<Arc<ControllerRevision>>, ReconcileError> {
        let mut claimed = claim_dependents(&self.client, &self.revisions, owner, selector, |_| true).await?;
        claimed.sort_by_key(|revision| {
            let created = revision.metadata.creation_timestamp.as_ref().map(|time| time.0);
            (number_of(revision), created, revision.metadata.name.clone())
        });
        Ok(claimed)
    }

    /// Sees to it that the newest revision is the owner's template. Gives it, and how often its name
    /// has collided so far.
    pub(crate) async fn settle_newest<O: Namespaced>(
        &self,
        owner: &O,
        template: &PodTemplateSpec,
        revisions: &[Arc<ControllerRevision>],
        collisions: Option<i32>,
    ) -> Result<(Arc<ControllerRevision>, Option<i32>), ReconcileError> {
        let data = data_of(template);
        match plan_newest(revisions, &data) {
            Step::Keep(newest) => Ok((newest, collisions)),
            Step::Raise(revision, number) => {
                let mut updated = ControllerRevision::clone(&revision);
                updated.revision = Some(number);
                let api = self.api(&revision.metadata);
                let name = name_of(&revision);
                let raised =
                    api.replace(name, &PostParams::default(), &updated).await.during("raise revision", name)?;
                Ok((Arc::new(raised), collisions))
            }
            Step::Create(number) => self.create(owner, template, data, number, collisions).await,
        }
    }

    pub(crate) async fn delete(&self, revision: &ControllerRevision) -> Result<(), ReconcileError> {
        let name = name_of(revision);
        let deleted = self.api(&revision.metadata).delete(name, &DeleteParams::default()).await;
        unless_gone(deleted).during("delete revision", name)
    }

    /// A name that is taken is either this very revision's, which the cache does not show yet, or a
    /// collision: then the hash is salted with a count.
    async fn create<O: Namespaced>(
        &self,
        owner: &O,
        template: &PodTemplateSpec,
        data: Value,
        number: i64,
        mut collisions: Option<i32>,
    ) -> Result<(Arc<ControllerRevision>, Option<i32>), ReconcileError> {
        let api = self.api(owner.meta());
        loop {
            let wanted = self.revision_of(owner, template, &data, number, collisions);
            let name = name_of(&wanted).to_owned();
            let created = api.create(&PostParams::default(), &wanted).await.during("create revision", &name);
            let error = match created {
                Ok(created) => return Ok((Arc::new(created), collisions)),
                Err(error) => error,
            };
            if !error.call().is_some_and(client::CallError::is_already_exists) {
                return Err(error);
            }
            let present = api.get(&name).await.during("read revision", &name)?;
            let is_owned =
                controller_of(&present.metadata).map(|reference| &reference.uid) == owner.meta().uid.as_ref();
            if is_owned && present.data.0 == data {
                return Ok((Arc::new(present), collisions));
            }
            let count = collisions.unwrap_or(0) + 1;
            if count > MAX_COLLISIONS {
                return Err(error);
            }
            collisions = Some(count);
        }
    }

    fn revision_of<O: Namespaced>(
        &self,
        owner: &O,
        template: &PodTemplateSpec,
        data: &Value,
        number: i64,
        collisions: Option<i32>,
    ) -> ControllerRevision {
        let metadata = owner.meta();
        let hash = short_hash(data, collisions.filter(|count| *count > 0));
        let owner_name = metadata.name.as_deref().unwrap_or_default();
        let prefix = &owner_name[..owner_name.len().min(MAX_PREFIX_BYTES)];
        let mut labels = template.metadata.as_ref().and_then(|metadata| metadata.labels.clone()).unwrap_or_default();
        let name = format!("{prefix}-{hash}");
        labels.insert(self.hash_label.to_owned(), hash);
        ControllerRevision {
            metadata: ObjectMeta {
                name: Some(name),
                namespace: metadata.namespace.clone(),
                labels: Some(labels),
                annotations: metadata.annotations.clone(),
                owner_references: Some(vec![controller_reference(owner)]),
                ..ObjectMeta::default()
            },
            data: RawExtension(data.clone()),
            revision: Some(number),
        }
    }

    fn api(&self, metadata: &ObjectMeta) -> Api<ControllerRevision> {
        Api::namespaced(self.client.clone(), &NamespacedName::of(metadata).namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(name: &str, number: i64, image: &str) -> Arc<ControllerRevision> {
        Arc::new(ControllerRevision {
            metadata: ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() },
            data: RawExtension(data(image)),
            revision: Some(number),
        })
    }

    fn template(image: &str) -> PodTemplateSpec {
        serde_json::from_value(json!({"spec": {"containers": [{"name": "main", "image": image}]}})).unwrap()
    }

    fn data(image: &str) -> Value {
        data_of(&template(image))
    }

    #[test]
    fn a_revision_is_the_patch_that_brings_its_template_back() {
        let template_json = json!({"spec": {"containers": [{"name": "main", "image": "a"}]}, "$patch": "replace"});
        assert_eq!(data("a"), json!({"spec": {"template": template_json}}));
        assert_eq!(template_of(&revision("r", 1, "a")), Some(template("a")));
    }

    #[test]
    fn a_template_that_comes_back_takes_a_new_number() {
        let revisions = [revision("one", 1, "a"), revision("two", 2, "b")];
        assert_eq!(plan_newest(&[], &data("a")), Step::Create(1));
        assert_eq!(plan_newest(&revisions, &data("c")), Step::Create(3));
        assert_eq!(plan_newest(&revisions, &data("b")), Step::Keep(revisions[1].clone()));
        assert_eq!(plan_newest(&revisions, &data("a")), Step::Raise(revisions[0].clone(), 3));
    }

    #[test]
    fn the_history_keeps_what_is_live_and_the_newest_of_the_rest() {
        let revisions: Vec<_> = (1..=5).map(|number| revision(&number.to_string(), number, "x")).collect();
        let truncated = |limit, live: &[&str]| -> Vec<String> {
            let gone = plan_truncation(&revisions, limit, |revision| live.contains(&name_of(revision)));
            gone.iter().map(|revision| name_of(revision).to_owned()).collect()
        };
        assert_eq!(truncated(Some(2), &["5"]), ["1", "2"]);
        assert_eq!(truncated(Some(2), &["1", "5"]), ["2"]);
        assert_eq!(truncated(Some(0), &["5"]), ["1", "2", "3", "4"]);
        assert_eq!(truncated(None, &[]), [""; 0]);
    }
}
