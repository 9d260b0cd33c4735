//! Heapster's model: `/api/v1/model/…`, what was used lately by containers, pods, namespaces, nodes and the cluster.
//!
//! Memory is the working set, under both of Heapster's names: kubelets tell no other in what is scraped.

use std::collections::BTreeSet;

use api::k8s::jiff::Timestamp;
use serde_json::{Value, json};

use crate::Metrics;
use crate::history::{History, Moment, Reading};
use crate::serve::{Answer, Refusal, parameter};

/// What measures are there of an entity.
type Measure = (&'static str, fn(&Reading) -> u64);

const USED: [Measure; 4] = [
    ("cpu/usage", |reading| reading.cpu_nanoseconds),
    ("cpu/usage_rate", |reading| reading.cpu_millicores),
    ("memory/usage", |reading| reading.memory_bytes),
    ("memory/working_set", |reading| reading.memory_bytes),
];
const UPTIME: Measure = ("uptime", |reading| reading.up_milliseconds);

/// Names that stem from the model's first version.
const OLD_NAMES: [(&str, &str); 3] =
    [("cpu-usage", "cpu/usage_rate"), ("memory-usage", "memory/usage"), ("memory-working", "memory/working_set")];

/// What metrics are of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Entity<'a> {
    Cluster,
    Node(&'a str),
    Namespace(&'a str),
    Pod(&'a str, &'a str),
    Container(&'a str, &'a str, &'a str),
    /// Kubelets tell of containers in pods alone.
    FreeContainer,
}

impl Metrics {
    /// Answers a path below `/api/v1/model`; `None` where there is no such path.
    pub fn model(&self, path: &str, query: &str) -> Option<Answer> {
        if !path.is_empty() && !path.starts_with('/') {
            return None;
        }
        let history = self.history();
        match answer(&history, path, query) {
            Ok(body) => Some((200, body)),
            Err(refusal) => refusal.answer(),
        }
    }
}

fn answer(history: &History, path: &str, query: &str) -> Result<Value, Refusal> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let empty = Moment { at: Timestamp::UNIX_EPOCH, nodes: Vec::new(), containers: Vec::new() };
    let last = history.last().map_or(&empty, |last| &**last);
    match segments.as_slice() {
        [] => Ok(json!(["/api/v1/model/metrics", "/api/v1/model/namespaces", "/api/v1/model/nodes"])),
        ["nodes"] => Ok(json!(last.nodes.iter().map(|(name, _)| &**name).collect::<Vec<&str>>())),
        ["namespaces"] => Ok(names(last, |container| Some(container.namespace.as_str()))),
        ["namespaces", namespace, "pods"] => {
            Ok(names(last, |container| (container.namespace == *namespace).then_some(container.pod.as_str())))
        }
        ["namespaces", namespace, "pods", pod, "containers"] => Ok(names(last, |container| {
            (container.namespace == *namespace && container.pod == *pod).then_some(container.name.as_str())
        })),
        ["nodes", _, "freecontainers"] => Ok(json!([])),
        ["namespaces", namespace, "pod-list", pods, "metrics", metric @ ..] if !metric.is_empty() => {
            let results = pods.split(',').map(|pod| series(history, Entity::Pod(namespace, pod), metric, query));
            Ok(json!({"items": results.collect::<Result<Vec<Value>, Refusal>>()?}))
        }
        ["debug", "allkeys"] => Ok(keys(last)),
        segments => {
            let (entity, rest) = entity(segments).ok_or(Refusal::NoResource)?;
            match rest {
                [] => Ok(available(last, entity)),
                metric => series(history, entity, metric, query),
            }
        }
    }
}

/// What a path's first segments name, and what follows their `metrics`.
fn entity<'a, 'p>(segments: &'p [&'a str]) -> Option<(Entity<'a>, &'p [&'a str])> {
    let (entity, rest) = match segments {
        ["nodes", _, "freecontainers", _, rest @ ..] => (Entity::FreeContainer, rest),
        ["nodes", node, rest @ ..] => (Entity::Node(node), rest),
        ["namespaces", namespace, "pods", pod, "containers", container, rest @ ..] => {
            (Entity::Container(namespace, pod, container), rest)
        }
        ["namespaces", namespace, "pods", pod, rest @ ..] => (Entity::Pod(namespace, pod), rest),
        ["namespaces", namespace, rest @ ..] => (Entity::Namespace(namespace), rest),
        rest => (Entity::Cluster, rest),
    };
    let metric = rest.strip_prefix(&["metrics"])?;
    Some((entity, metric))
}

fn measures(entity: Entity<'_>) -> &'static [Measure] {
    const OF_CONTAINERS: [Measure; 5] = [USED[0], USED[1], USED[2], USED[3], UPTIME];
    match entity {
        Entity::Container(..) | Entity::Pod(..) => &OF_CONTAINERS,
        _ => &USED,
    }
}

/// The names of what is known of an entity.
fn available(last: &Moment, entity: Entity<'_>) -> Value {
    match reading(last, entity) {
        Some(_) => json!(measures(entity).iter().map(|(name, _)| *name).collect::<Vec<&str>>()),
        None => json!([]),
    }
}

/// A metric between two moments, both included.
fn series(history: &History, entity: Entity<'_>, metric: &[&str], query: &str) -> Result<Value, Refusal> {
    let (start, end) = (time(query, "start", Timestamp::MIN)?, time(query, "end", Timestamp::MAX)?);
    let name = metric.join("/");
    let name = OLD_NAMES.iter().find(|(old, _)| *old == name).map_or(name.as_str(), |(_, new)| new);
    let measure = measures(entity).iter().find(|(known, _)| *known == name).map(|(_, measure)| measure);
    let points: Vec<(Timestamp, u64)> = match measure {
        Some(measure) => history
            .between(start, end)
            .filter_map(|moment| Some((moment.at, measure(&reading(moment, entity)?))))
            .collect(),
        None => Vec::new(),
    };
    // Go's moment of nothing.
    let latest = points.last().map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |(at, _)| api::time::seconds(*at));
    let points: Vec<Value> =
        points.iter().map(|(at, value)| json!({"timestamp": api::time::seconds(*at), "value": value})).collect();
    Ok(json!({"metrics": points, "latestTimestamp": latest}))
}

fn time(query: &str, name: &str, otherwise: Timestamp) -> Result<Timestamp, Refusal> {
    let text = parameter(query, name);
    if text.is_empty() {
        return Ok(otherwise);
    }
    let parsed = text.parse().ok();
    parsed.ok_or_else(|| Refusal::BadRequest(format!("{name} is {text:?}, which is no moment as RFC 3339 writes it")))
}

/// The sum over what the entity holds; `None` where nothing is known of it.
fn reading(moment: &Moment, entity: Entity<'_>) -> Option<Reading> {
    let sum = |readings: &mut dyn Iterator<Item = Reading>| readings.reduce(Reading::plus);
    let in_pods = |is_meant: &dyn Fn(&crate::history::Container) -> bool| {
        let meant = moment.containers.iter().filter(|(container, _)| is_meant(container));
        sum(&mut meant.map(|(_, reading)| *reading))
    };
    match entity {
        Entity::Cluster => sum(&mut moment.nodes.iter().map(|(_, reading)| *reading)),
        Entity::Node(node) => moment.nodes.iter().find(|(name, _)| **name == *node).map(|(_, reading)| *reading),
        Entity::Namespace(namespace) => in_pods(&|one| one.namespace == namespace),
        Entity::Pod(namespace, pod) => in_pods(&|one| one.namespace == namespace && one.pod == pod),
        Entity::Container(namespace, pod, name) => {
            in_pods(&|one| one.namespace == namespace && one.pod == pod && one.name == name)
        }
        Entity::FreeContainer => None,
    }
}

fn names<'a>(last: &'a Moment, name: impl Fn(&'a crate::history::Container) -> Option<&'a str>) -> Value {
    let names: BTreeSet<&str> = last.containers.iter().filter_map(|(container, _)| name(container)).collect();
    json!(names)
}

/// As Heapster writes the keys of its sets.
fn keys(last: &Moment) -> Value {
    let mut keys = BTreeSet::from(["cluster".to_owned()]);
    keys.extend(last.nodes.iter().map(|(name, _)| format!("node:{name}")));
    for (container, _) in &last.containers {
        let namespace = format!("namespace:{}", container.namespace);
        let pod = format!("{namespace}/pod:{}", container.pod);
        keys.insert(format!("{pod}/container:{}", container.name));
        keys.extend([namespace, pod]);
    }
    json!(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::moment;

    fn history() -> History {
        let mut history = History::default();
        history.add(moment(0, &[("shop/web/main", 100), ("shop/web/side", 50)]));
        history.add(moment(30, &[("bank/db/main", 7), ("shop/web/main", 200), ("shop/web/side", 60)]));
        history
    }

    fn get(path: &str) -> Value {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        answer(&history(), path, query).unwrap()
    }

    fn values(path: &str) -> Vec<u64> {
        get(path)["metrics"].as_array().unwrap().iter().map(|point| point["value"].as_u64().unwrap()).collect()
    }

    #[test]
    fn entities_are_listed() {
        for (path, expected) in [
            ("/nodes/", json!(["one"])),
            ("/namespaces", json!(["bank", "shop"])),
            ("/namespaces/shop/pods/", json!(["web"])),
            ("/namespaces/shop/pods/web/containers", json!(["main", "side"])),
            ("/nodes/one/freecontainers/", json!([])),
            ("/nodes/one/metrics/", json!(["cpu/usage", "cpu/usage_rate", "memory/usage", "memory/working_set"])),
            ("/nodes/two/metrics/", json!([])),
            (
                "/debug/allkeys",
                json!([
                    "cluster",
                    "namespace:bank",
                    "namespace:bank/pod:db",
                    "namespace:bank/pod:db/container:main",
                    "namespace:shop",
                    "namespace:shop/pod:web",
                    "namespace:shop/pod:web/container:main",
                    "namespace:shop/pod:web/container:side",
                    "node:one"
                ]),
            ),
        ] {
            assert_eq!(get(path), expected, "{path}");
        }
        let of_containers = get("/namespaces/shop/pods/web/containers/main/metrics");
        assert!(of_containers.as_array().unwrap().contains(&json!("uptime")));
    }

    #[test]
    fn metrics_are_summed_over_what_an_entity_holds() {
        for (path, expected) in [
            ("/metrics/cpu/usage_rate", vec![900, 900]),
            ("/nodes/one/metrics/cpu-usage", vec![900, 900]),
            ("/namespaces/shop/metrics/cpu/usage_rate", vec![150, 260]),
            ("/namespaces/shop/pods/web/metrics/cpu/usage_rate", vec![150, 260]),
            ("/namespaces/shop/pods/web/metrics/memory-usage", vec![2048, 2048]),
            ("/namespaces/shop/pods/web/metrics/uptime", vec![5000, 5000]),
            ("/namespaces/shop/pods/web/containers/side/metrics/cpu/usage_rate", vec![50, 60]),
            ("/namespaces/bank/metrics/cpu/usage", vec![7_000_000]),
            ("/namespaces/none/metrics/cpu/usage", vec![]),
            ("/metrics/network/rx", vec![]),
        ] {
            assert_eq!(values(path), expected, "{path}");
        }
    }

    #[test]
    fn series_are_shown_as_heapster_shows_them() {
        let shown = get("/namespaces/bank/metrics/cpu/usage_rate");
        let expected = json!({
            "metrics": [{"timestamp": "2023-11-14T22:13:50Z", "value": 7}],
            "latestTimestamp": "2023-11-14T22:13:50Z",
        });
        assert_eq!(shown, expected);
        let nothing = json!({"metrics": [], "latestTimestamp": "0001-01-01T00:00:00Z"});
        assert_eq!(get("/namespaces/none/metrics/cpu/usage_rate"), nothing);
        let both = get("/namespaces/shop/pod-list/web,none/metrics/cpu/usage_rate");
        assert_eq!((both["items"][0]["metrics"].as_array().map(Vec::len), &both["items"][1]), (Some(2), &nothing));
    }

    #[test]
    fn start_and_end_are_both_included() {
        let path = "/namespaces/shop/metrics/cpu/usage_rate";
        for (query, expected) in [
            ("start=2023-11-14T22:13:50Z", vec![260]),
            ("end=2023-11-14T22:13:20Z", vec![150]),
            ("start=2023-11-15T00:13:20%2B02:00&end=2023-11-14T22:13:50Z", vec![150, 260]),
            ("start=2023-11-14T22:13:51Z", vec![]),
        ] {
            assert_eq!(values(&format!("{path}?{query}")), expected, "{query}");
        }
        let (code, _) = answer(&history(), path, "start=yesterday").unwrap_err().answer().unwrap();
        assert_eq!(code, 400);
        assert!(matches!(answer(&history(), "/pods", ""), Err(Refusal::NoResource)));
    }
}
