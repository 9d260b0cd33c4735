//! Going back to an earlier revision because an annotation asks for it: what `rollbackTo` was in the
//! first versions of the API.

use api::k8s::api::apps::v1::Deployment;
use reconcile::EventType;

use super::annotations;
use super::view::{View, has_template, without_hash};

/// The Deployment without the annotation, and with the earlier template where there is one.
#[derive(Debug)]
pub(super) struct Rollback {
    pub(super) deployment: Box<Deployment>,
    pub(super) event: (EventType, &'static str, String),
}

/// None where nobody asks, or what is asked cannot be read.
pub(super) fn plan_rollback(view: &View) -> Option<Rollback> {
    let asked = annotations::rollback_to(&view.deployment().metadata)?;
    let mut deployment = Box::new(view.deployment().clone());
    annotations::clear_rollback(&mut deployment.metadata);
    let revision = if asked == 0 { last_revision(view) } else { Some(asked) };
    let Some(revision) = revision else {
        let event = (EventType::Warning, "DeploymentRollbackRevisionNotFound", "Unable to find last revision.".into());
        return Some(Rollback { deployment, event });
    };
    let Some(target) = view.all().find(|set| annotations::revision(&set.metadata) == revision) else {
        let message = "Unable to find the revision to rollback to.".into();
        return Some(Rollback {
            deployment,
            event: (EventType::Warning, "DeploymentRollbackRevisionNotFound", message),
        });
    };
    let name = view.name();
    let event = match &target.spec.template {
        Some(template) if !has_template(target, &view.spec().template) => {
            deployment.spec.template = without_hash(template);
            annotations::take_back(&mut deployment.metadata, &target.metadata);
            let message = format!("Rolled back deployment {name:?} to revision {revision}");
            (EventType::Normal, "DeploymentRollback", message)
        }
        _ => {
            let message = format!("The rollback revision contains the same template as current deployment {name:?}");
            (EventType::Warning, "DeploymentRollbackTemplateUnchanged", message)
        }
    };
    Some(Rollback { deployment, event })
}

/// The one before the newest.
fn last_revision(view: &View) -> Option<i64> {
    let mut revisions: Vec<i64> = view.all().map(|set| annotations::revision(&set.metadata)).collect();
    revisions.sort_unstable();
    let newest_is_there = view.new_set().is_some();
    revisions.into_iter().rev().nth(usize::from(newest_is_there)).filter(|revision| *revision > 0)
}
