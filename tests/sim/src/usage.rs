//! What pods use of the processor: the script says how much the pods of one app have to do together, and those that
//! are ready share it. Served as `metrics.k8s.io`, as kubelets and their scraper would.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::k8s::api::core::v1::Pod;
use api::{Selector, time};
use apiserver::{LocalGroup, LocalRequest, LocalResource};
use reconcile::Informer;
use serde_json::{Value, json};
use stdx::Clock;

use crate::kubelet::is_ready;

/// The work of each app, in thousandths of a processor; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Load(Arc<Mutex<BTreeMap<String, u64>>>);

impl Load {
    pub(crate) fn set(&self, app: &str, millicores: u64) {
        self.lock().insert(app.to_owned(), millicores);
    }

    /// The group that tells of it.
    pub(crate) fn group(&self, pods: Informer<Pod>, clock: Clock) -> LocalGroup {
        let load = self.clone();
        LocalGroup {
            name: "metrics.k8s.io",
            versions: &["v1beta1"],
            resources: Arc::new(|| {
                vec![LocalResource {
                    name: "pods".into(),
                    kind: "PodMetrics",
                    is_namespaced: true,
                    verbs: &["get", "list"],
                }]
            }),
            answer: Arc::new(move |request| {
                let answer = load.answer(&request, &pods.list(), clock);
                Box::pin(async move { answer })
            }),
        }
    }

    fn answer(&self, request: &LocalRequest, pods: &[Arc<Pod>], clock: Clock) -> Option<(u16, Value)> {
        if request.resource != "pods" || !request.name.is_empty() {
            return None;
        }
        let query = form_urlencoded::parse(request.query.as_bytes());
        let selector = query.into_iter().find(|(name, _)| name == "labelSelector").map(|(_, value)| value.into_owned());
        let Ok(selector) = Selector::parse(&selector.unwrap_or_default()) else { return None };
        let apps = self.lock().clone();
        let ready = |app: &str| pods.iter().filter(|pod| is_of(pod, app) && is_ready(pod)).count() as u64;
        let items = pods.iter().filter(|pod| {
            let metadata = &pod.metadata;
            metadata.namespace.as_deref() == Some(&request.namespace)
                && selector.matches_optional(metadata.labels.as_ref())
                && is_ready(pod)
        });
        let items: Vec<Value> = items
            .filter_map(|pod| {
                let (app, work) = apps.iter().find(|(app, _)| is_of(pod, app))?;
                Some(json!({
                    "metadata": {"name": pod.metadata.name, "namespace": pod.metadata.namespace},
                    "timestamp": time::seconds(clock.now()),
                    "window": "15s",
                    "containers": [{"name": "main", "usage": {"cpu": format!("{}m", work / ready(app).max(1)), "memory": "1Mi"}}],
                }))
            })
            .collect();
        let list =
            json!({"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items});
        Some((200, list))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_of(pod: &Pod, app: &str) -> bool {
    pod.metadata.labels.as_ref().and_then(|labels| labels.get("app")).is_some_and(|label| label == app)
}
