//! What people get wrong: it is said in upstream's words, nothing else suffers, and nobody wears himself out over it.

use std::collections::BTreeMap;

use serde_json::Value;

/// What stands in the store at the end, by its key, and the events that were told.
struct World(BTreeMap<String, Value>);

impl World {
    fn of(outcome: &sim::Outcome) -> World {
        let mut objects = BTreeMap::new();
        for line in &outcome.history {
            let mut words = line.splitn(3, ' ').skip(1);
            let (key, value) = (words.next().unwrap(), words.next().unwrap());
            match serde_json::from_str(value) {
                Ok(object) => objects.insert(key.to_owned(), object),
                Err(_) => objects.remove(key),
            };
        }
        World(objects)
    }

    fn all(&self, folder: &str) -> impl Iterator<Item = &Value> {
        let prefix = format!("/registry/{folder}/");
        self.0.iter().filter(move |(key, _)| key.starts_with(&prefix)).map(|(_, object)| object)
    }

    fn get(&self, folder: &str, name: &str) -> Option<&Value> {
        self.all(folder).find(|object| object["metadata"]["name"] == name)
    }

    /// The messages of a reason, of an object of that name.
    fn told(&self, name: &str, reason: &str) -> Vec<&str> {
        let events = self.all("core/events");
        let ours = events.filter(|event| event["involvedObject"]["name"] == name && event["reason"] == reason);
        ours.filter_map(|event| event["message"].as_str()).collect()
    }

    fn condition(&self, folder: &str, name: &str, kind: &str) -> (&str, &str, &str) {
        let object = self.get(folder, name).unwrap_or_else(|| panic!("no {folder} {name}"));
        let conditions = object["status"]["conditions"].as_array().unwrap();
        let found = conditions.iter().find(|condition| condition["type"] == kind).unwrap();
        let text = |field: &str| found[field].as_str().unwrap_or_default();
        (text("status"), text("reason"), text("message"))
    }
}

/// What begins a script.
const BEGIN: &str = "nodes a b\nwait node a ready\nwait node b ready\n";

fn run(script: &str, end: &str) -> sim::Outcome {
    sim::run(&format!("{BEGIN}{script}\nat {end} end")).unwrap_or_else(|failure| panic!("{failure}"))
}

/// What controllers and scheduler have written.
fn writes(outcome: &sim::Outcome) -> u64 {
    let writes = ["create ", "update ", "patch ", "delete "];
    let theirs = |who: &str| who.starts_with("controllers") || who.starts_with("scheduler");
    let calls =
        outcome.calls.iter().filter(|((who, call), _)| theirs(who) && writes.iter().any(|verb| call.starts_with(verb)));
    calls.map(|(_, count)| count).sum()
}

/// The world after twenty minutes; in the hour after that no more than `most` writes are made.
fn settles(script: &str, most: u64) -> World {
    let outcome = run(script, "20m");
    let later = run(script, "80m");
    let more = writes(&later) - writes(&outcome);
    assert!(more <= most, "{more} writes in an hour, of which nobody needs more than {most}");
    World::of(&outcome)
}

fn set(name: &str, labels: &str, replicas: u32) -> String {
    format!(
        "create
        | apiVersion: apps/v1
        | kind: ReplicaSet
        | metadata:
        |   name: {name}
        | spec:
        |   replicas: {replicas}
        |   selector: {{matchLabels: {{app: web}}}}
        |   template:
        |     metadata: {{labels: {{{labels}}}}}
        |     spec: {{containers: [{{name: main, image: \"web:1\"}}]}}\n"
    )
}

#[test]
fn sets_that_select_each_others_pods_keep_to_their_own() {
    let loose = "
        at 2m create
        | apiVersion: v1
        | kind: Pod
        | metadata:
        |   name: loose
        |   labels: {app: web}
        | spec: {containers: [{name: main, image: \"web:1\"}]}\n";
    let script = format!("at 1m {}{}{loose}", set("one", "app: web", 2), set("other", "app: web", 3));
    let world = settles(&script, 0);
    let pods_of =
        |name: &str| world.all("core/pods").filter(|pod| pod["metadata"]["ownerReferences"][0]["name"] == name).count();
    assert_eq!((pods_of("one"), pods_of("other")), (2, 3));
    // The loose one had no owner: one of them took it in, had one too many then, and let one go.
    let all = world.all("core/pods").count();
    assert_eq!(all, 5);
}

#[test]
fn an_owner_in_another_namespace_is_refused_with_an_event() {
    let script = |uid: &str| {
        format!(
            "at 1m create
        | apiVersion: v1
        | kind: Namespace
        | metadata:
        |   name: shop
        create
        | apiVersion: v1
        | kind: ConfigMap
        | metadata:
        |   name: owner
        at 2m create
        | apiVersion: v1
        | kind: ConfigMap
        | metadata:
        |   name: owned
        |   namespace: shop
        |   ownerReferences: [{{apiVersion: v1, kind: ConfigMap, name: owner, uid: {uid}}}]\n"
        )
    };
    // The same script makes the same UIDs.
    let before = World::of(&run(&script("none-yet"), "90s"));
    let uid = before.get("core/configmaps", "owner").unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    let world = settles(&script(&uid), 0);
    assert!(world.get("core/configmaps", "owner").is_some());
    assert!(world.get("core/configmaps", "owned").is_none(), "what nobody can own is collected");
    let expected = format!(
        "ownerRef [v1/ConfigMap, namespace: shop, name: owner, uid: {uid}] does not exist in namespace \"shop\""
    );
    assert_eq!(world.told("owned", "OwnerRefInvalidNamespace"), [expected]);
}

#[test]
fn a_quota_below_its_use_takes_nothing_away_and_lets_nothing_more_in() {
    let script = "
        at 1m create deployment web image=web:1 replicas=4
        wait deployment web complete
        at 2m create
        | apiVersion: v1
        | kind: ResourceQuota
        | metadata:
        |   name: few
        | spec:
        |   hard: {pods: \"2\"}
        at 3m scale deployment web replicas=6\n";
    // Tries come further and further apart, up to a quarter of an hour.
    let world = settles(script, 60);
    let status = &world.get("core/resourcequotas", "few").unwrap()["status"];
    assert_eq!((&status["hard"]["pods"], &status["used"]["pods"]), (&"2".into(), &"4".into()));
    assert_eq!(world.all("core/pods").count(), 4);
    let sets: Vec<&Value> = world.all("apps/replicasets").collect();
    let name = sets[0]["metadata"]["name"].as_str().unwrap();
    let told = world.told(name, "FailedCreate");
    let refusal = "is forbidden: exceeded quota: few, requested: pods=1, used: pods=4, limited: pods=2";
    assert!(!told.is_empty() && told.iter().all(|message| message.ends_with(refusal)), "{told:?}");
}

#[test]
fn a_date_that_never_comes_is_said_once() {
    let world = settles("at 1m create cronjob never image=work:1 schedule=0_0_30_2_*\n", 0);
    let told = world.told("never", "InvalidSchedule");
    let expected =
        "invalid schedule schedule: \"0 0 30 2 *\" : time difference between two schedules is less than 1 second";
    assert_eq!(told, [expected]);
    assert_eq!(world.all("batch/jobs").count(), 0);
}

fn autoscaler(name: &str, target: &str) -> String {
    format!(
        "create
        | apiVersion: autoscaling/v2
        | kind: HorizontalPodAutoscaler
        | metadata:
        |   name: {name}
        | spec:
        |   scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {target}}}
        |   maxReplicas: 5
        |   metrics:
        |   - type: Resource
        |     resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 50}}}}\n"
    )
}

const AUTOSCALERS: &str = "autoscaling/horizontalpodautoscalers";

#[test]
fn an_autoscaler_without_metrics_says_so_and_leaves_its_target_alone() {
    let script = format!(
        "at 1m create deployment web image=web:1 replicas=3\nwait deployment web complete\n{}",
        autoscaler("blind", "web")
    );
    // It looks every 15 s; of what it says then, one event in five minutes is written.
    let world = settles(&script, 40);
    let (status, reason, message) = world.condition(AUTOSCALERS, "blind", "ScalingActive");
    assert_eq!((status, reason), ("False", "FailedGetResourceMetric"));
    assert_eq!(
        message,
        "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for \
         resource cpu: no metrics returned from resource metrics API"
    );
    assert_eq!(world.told("blind", "FailedGetResourceMetric").len(), 1);
    assert_eq!(world.all("core/pods").count(), 3);
}

#[test]
fn two_autoscalers_of_one_target_do_not_fight() {
    let script = format!(
        "load web 900\nat 1m create deployment web image=web:1 replicas=3\nwait deployment web complete\n{}at 2m {}",
        autoscaler("first", "web"),
        autoscaler("second", "web")
    );
    let world = settles(&script, 80);
    for name in ["first", "second"] {
        let (status, reason, message) = world.condition(AUTOSCALERS, name, "ScalingActive");
        assert_eq!((status, reason), ("False", "AmbiguousSelector"));
        let expected = "pods by selector app=web are controlled by multiple HPAs: [default/first default/second]";
        assert_eq!(message, expected);
    }
}

#[test]
fn a_finalizer_that_nobody_removes_holds_its_namespace_which_says_so() {
    let script = "
        at 1m create
        | apiVersion: v1
        | kind: Namespace
        | metadata:
        |   name: shop
        create
        | apiVersion: v1
        | kind: ConfigMap
        | metadata:
        |   name: held
        |   namespace: shop
        |   finalizers: [example.com/held]
        at 2m delete namespace shop\n";
    let world = settles(script, 60);
    assert_eq!(world.get("core/namespaces", "shop").unwrap()["status"]["phase"], "Terminating");
    let (status, reason, message) = world.condition("core/namespaces", "shop", "NamespaceFinalizersRemaining");
    assert_eq!((status, reason), ("True", "SomeFinalizersRemain"));
    assert_eq!(
        message,
        "Some content in the namespace has finalizers remaining: example.com/held in 1 resource instances"
    );
    let (status, reason, message) = world.condition("core/namespaces", "shop", "NamespaceContentRemaining");
    assert_eq!((status, reason), ("True", "SomeResourcesRemain"));
    assert_eq!(message, "Some resources are remaining: configmaps. has 1 resource instances");
}

#[test]
fn a_clock_that_jumps_makes_nobody_write_more_than_once() {
    let work = "
        at 1m create deployment web image=web:1 replicas=3
        create statefulset db image=db:1 replicas=2
        wait deployment web complete
        wait statefulset db complete\n";
    let quiet = writes(&run(work, "20m"));
    let jumps = "at 5m clock ahead 3h\nat 6m clock back 4h\nat 7m clock ahead 1h\n";
    let jumping = writes(&run(&format!("{work}{jumps}"), "20m"));
    assert!(jumping <= quiet + 12, "{jumping} writes where {quiet} would do");
}
