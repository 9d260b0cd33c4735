//! Images nobody uses go when their disk is nearly full, those unused for longest first. What somebody
//! loaded by hand stays: no registry could give it back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cri::{ImageSpec, ListContainersRequest, ListImagesRequest, RemoveImageRequest, StatusRequest};
use jiff::{SignedDuration, Timestamp};
use reconcile::EventType::Warning;

use crate::eviction::image_folder;
use crate::pod::{Context, images::is_loaded};
use crate::policy::Policy;
use crate::usage;

/// How often it is noted which images are in use.
const DETECT_EVERY: SignedDuration = SignedDuration::from_mins(5);

pub(crate) struct ImageKeeper {
    context: Arc<Context>,
    policy: Arc<Policy>,
    records: Records,
    detected_at: Option<Timestamp>,
}

/// By image: when it was last seen in use, or first seen at all.
pub(crate) type Records = BTreeMap<String, Timestamp>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Present {
    id: String,
    bytes: u64,
    is_in_use: bool,
    /// Pinned by the runtime or loaded by hand.
    is_kept: bool,
}

impl ImageKeeper {
    pub(crate) fn new(context: Arc<Context>, policy: Arc<Policy>) -> Self {
        ImageKeeper { context, policy, records: Records::new(), detected_at: None }
    }

    /// Removes what the thresholds ask for.
    pub(crate) async fn tidy(&mut self, now: Timestamp) {
        let Some(disk) = image_folder(&self.context).await.and_then(|folder| usage::disk(&folder).ok()) else { return };
        let wanted = wanted_bytes(&self.policy, disk.capacity_bytes, disk.available_bytes);
        let due = self.detected_at.is_none_or(|at| now.duration_since(at) >= DETECT_EVERY);
        if wanted == 0 && !due {
            return;
        }
        self.detected_at = Some(now);
        let freed = self.free(wanted, now).await;
        if freed < wanted
            && let Some(node) = self.context.own_node()
        {
            let message = format!(
                "Failed to garbage collect required amount of images. Attempted to free {wanted} bytes, \
                 but only found {freed} bytes eligible to free."
            );
            self.context.recorder.event(&reconcile::reference_to(&*node), Warning, "FreeDiskSpaceFailed", message);
        }
    }

    /// Removes all that nobody uses; how many bytes that gave.
    pub(crate) async fn remove_unused(&mut self) -> u64 {
        let now = self.context.ambient.clock.now();
        self.free(u64::MAX, now).await
    }

    async fn free(&mut self, bytes: u64, now: Timestamp) -> u64 {
        let present = match self.list().await {
            Ok(present) => present,
            Err(status) => {
                tracing::warn!(error = %status, "the images cannot be listed");
                return 0;
            }
        };
        note(&mut self.records, &present, now);
        let mut freed: u64 = 0;
        for image in plan(&present, &self.records, bytes, self.policy.image_minimum_age, now) {
            let spec = ImageSpec { image: image.id.clone(), ..ImageSpec::default() };
            match self.context.images.remove_image(RemoveImageRequest { image: Some(spec) }).await {
                Ok(_) => {
                    tracing::info!(image = image.id, bytes = image.bytes, "removed an image that nobody uses");
                    freed = freed.saturating_add(image.bytes);
                    self.context.node_changed.notify_one();
                }
                Err(status) => tracing::warn!(image = image.id, error = %status, "an image was not removed"),
            }
        }
        freed
    }

    /// What another's runtime makes sandboxes of: no container names it, and some runtimes do not pin it.
    async fn sandbox_image(&self) -> Option<String> {
        let status = self.context.runtime.status(StatusRequest { verbose: true }).await;
        let status =
            status.map_err(|status| tracing::warn!(error = %status, "the runtime's configuration cannot be read"));
        sandbox_image(status.ok()?.info.get("config")?)
    }

    async fn list(&self) -> cri::Result<Vec<Present>> {
        let containers = self.context.runtime.list_containers(ListContainersRequest { filter: None }).await?.containers;
        let mut used = BTreeSet::new();
        for container in containers {
            used.extend([container.image_id, container.image_ref]);
            used.extend(container.image.map(|image| image.image));
        }
        used.extend(self.sandbox_image().await);
        let listed = self.context.images.list_images(ListImagesRequest { filter: None }).await?.images;
        let present = listed.into_iter().map(|image| {
            let is_named = |names: &[String]| names.iter().any(|name| used.contains(name));
            let is_in_use = used.contains(&image.id) || is_named(&image.repo_tags) || is_named(&image.repo_digests);
            Present { is_in_use, is_kept: image.pinned || is_loaded(&image), bytes: image.size, id: image.id }
        });
        Ok(present.collect())
    }
}

fn sandbox_image(config: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Config {
        #[serde(rename = "sandboxImage")]
        sandbox_image: String,
    }
    serde_json::from_str::<Config>(config).ok().map(|config| config.sandbox_image)
}

/// How much must go for the disk to be below the lower threshold again; nothing while it is below the
/// higher one.
fn wanted_bytes(policy: &Policy, capacity: u64, available: u64) -> u64 {
    let taken_percent = 100_u64.saturating_sub(share(available, 100, capacity));
    if capacity == 0 || taken_percent < policy.image_high_percent {
        return 0;
    }
    share(capacity, 100 - policy.image_low_percent, 100).saturating_sub(available)
}

fn share(amount: u64, numerator: u64, denominator: u64) -> u64 {
    let share = u128::from(amount) * u128::from(numerator) / u128::from(denominator.max(1));
    u64::try_from(share).unwrap_or(u64::MAX)
}

fn note(records: &mut Records, present: &[Present], now: Timestamp) {
    records.retain(|id, _| present.iter().any(|image| &image.id == id));
    for image in present {
        let seen = records.entry(image.id.clone()).or_insert(now);
        if image.is_in_use {
            *seen = now;
        }
    }
}

/// What goes, in order, until that is enough.
fn plan<'a>(
    present: &'a [Present],
    records: &Records,
    bytes: u64,
    minimum_age: SignedDuration,
    now: Timestamp,
) -> Vec<&'a Present> {
    let mut unused: Vec<(Timestamp, &Present)> = present
        .iter()
        .filter(|image| !image.is_in_use && !image.is_kept)
        .filter_map(|image| Some((*records.get(&image.id)?, image)))
        .filter(|(last_used, _)| now.duration_since(*last_used) >= minimum_age)
        .collect();
    unused.sort_by_key(|(last_used, image)| (*last_used, image.id.clone()));
    let mut chosen = Vec::new();
    let mut sum: u64 = 0;
    for (_, image) in unused {
        if sum >= bytes {
            break;
        }
        sum = sum.saturating_add(image.bytes);
        chosen.push(image);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(id: &str, bytes: u64, is_in_use: bool, is_kept: bool) -> Present {
        Present { id: id.to_owned(), bytes, is_in_use, is_kept }
    }

    #[test]
    fn another_runtime_tells_what_its_sandboxes_are_made_of() {
        let of_containerd = r#"{"containerd":{"snapshotter":"overlayfs"},"sandboxImage":"registry.k8s.io/pause:3.6"}"#;
        assert_eq!(sandbox_image(of_containerd).as_deref(), Some("registry.k8s.io/pause:3.6"));
        assert_eq!(sandbox_image(r#"{"pinnedImages":{}}"#), None);
    }

    #[test]
    fn the_thresholds_say_how_much() {
        let policy = Policy::default();
        assert_eq!(wanted_bytes(&policy, 1000, 160), 0);
        assert_eq!(wanted_bytes(&policy, 1000, 150), 50);
        assert_eq!(wanted_bytes(&policy, 1000, 0), 200);
        assert_eq!(wanted_bytes(&policy, 0, 0), 0);
    }

    #[test]
    fn the_longest_unused_go_first_and_no_more_than_needed() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let present = [
            image("used", 50, true, false),
            image("loaded", 50, false, true),
            image("old", 50, false, false),
            image("older", 50, false, false),
            image("fresh", 50, false, false),
        ];
        let mut records =
            Records::from([("older".to_owned(), at(10)), ("old".to_owned(), at(20)), ("gone".to_owned(), at(1))]);
        note(&mut records, &present, at(1000));
        assert!(!records.contains_key("gone"));
        let chosen = |bytes| -> Vec<&str> {
            let age = SignedDuration::from_mins(2);
            plan(&present, &records, bytes, age, at(1010)).into_iter().map(|image| image.id.as_str()).collect()
        };
        assert_eq!(chosen(1), ["older"]);
        assert_eq!(chosen(51), ["older", "old"]);
        assert_eq!(chosen(u64::MAX), ["older", "old"]);
        assert!(chosen(0).is_empty());
    }
}
