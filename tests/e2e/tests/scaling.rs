//! What pods use, what follows from it, and how many may go at once.

use std::process::ExitCode;

use e2e::{Cluster, Namespace, Suite, trial, wait_for};
use serde_json::Value;

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        cluster.up();
        cluster.load(&["busybox.tar"]);
    });
    let trials = vec![
        trial(&suite, "an_autoscaler_follows_a_burning_processor_up_and_back", an_autoscaler_follows_the_processor),
        trial(&suite, "top_shows_nodes_and_pods", top_shows_nodes_and_pods),
        trial(&suite, "a_budget_stops_evictions_and_lets_them_go_on", a_budget_stops_evictions),
        trial(&suite, "a_quota_is_counted_as_things_come_and_go", a_quota_is_counted),
    ];
    // Who burns processor time must not do so beside who is measured.
    suite.run(1, trials)
}

/// Replicas of a pod that runs a script and requests a tenth of a processor.
fn deployment(name: &str, replicas: u32, script: &str) -> String {
    format!(
        r#"
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox:1.36
        command: [sh, -c, "{script}"]
        resources: {{requests: {{cpu: 100m}}, limits: {{cpu: 300m}}}}
"#
    )
}

fn replicas(namespace: &Namespace<'_>, name: &str) -> Value {
    namespace.get(&format!("deployment {name}"))["spec"]["replicas"].clone()
}

fn an_autoscaler_follows_the_processor(cluster: &Cluster) {
    let namespace = cluster.namespace("burning");
    // Burns until it is told to stop, through a file that all copies look at.
    let script = "while :; do if [ -e /tmp/rest ]; then sleep 1; else for i in 1 2 3 4 5 6 7 8 9; do :; done; fi; done";
    namespace.create(&deployment("burner", 1, script));
    namespace.k("rollout status deployment/burner --timeout=60s");
    namespace.create(
        r#"
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: burner}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: burner}
  minReplicas: 1
  maxReplicas: 2
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}
  behavior:
    scaleDown: {stabilizationWindowSeconds: 0}
"#,
    );
    wait_for("two burning pods", || {
        let count = replicas(&namespace, "burner");
        if count == 2 { Ok(()) } else { Err(namespace.get("hpa burner")["status"].to_string()) }
    });
    let events = namespace.get("events --field-selector involvedObject.name=burner,reason=SuccessfulRescale");
    let message = events["items"][0]["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(message, "New size: 2; reason: cpu resource utilization (percentage of request) above target");

    namespace.k("rollout status deployment/burner --timeout=60s");
    let pods = namespace.k("get pods --selector=app=burner --output=name");
    for pod in pods.lines() {
        namespace.k(&format!("exec {pod} -- touch /tmp/rest"));
    }
    wait_for("one resting pod", || {
        let count = replicas(&namespace, "burner");
        if count == 1 { Ok(()) } else { Err(namespace.get("hpa burner")["status"].to_string()) }
    });
    let conditions = namespace.get("hpa burner")["status"]["conditions"].clone();
    let active = conditions.as_array().into_iter().flatten().find(|one| one["type"] == "ScalingActive").cloned();
    assert_eq!(active.unwrap()["reason"], "ValidMetricFound");
    namespace.k("delete hpa burner");
    namespace.k("delete deployment burner");
}

fn top_shows_nodes_and_pods(cluster: &Cluster) {
    let namespace = cluster.namespace("top");
    namespace.create(&deployment("idle", 1, "while :; do sleep 1; done"));
    namespace.k("rollout status deployment/idle --timeout=60s");
    wait_for("pods at the top", || {
        let top = namespace.try_k(&["top", "pods", "--containers"]);
        let shown = top.stdout.lines().any(|line| line.starts_with("idle-") && line.contains("main"));
        if top.is_success() && shown { Ok(()) } else { Err(top.to_string()) }
    });
    let nodes = cluster.k("top nodes");
    assert!(nodes.starts_with("NAME") && nodes.lines().count() == 2, "{nodes}");
    for version in ["v1", "v1beta1"] {
        let raw =
            cluster.k(&format!("get --raw /apis/metrics.k8s.io/{version}/namespaces/top/pods?labelSelector=app=idle"));
        let list: Value = serde_json::from_str(&raw).unwrap();
        assert_eq!(list["kind"], "PodMetricsList");
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{raw}");
        let memory = list["items"][0]["containers"][0]["usage"]["memory"].as_str().unwrap().to_owned();
        assert!(memory.ends_with('i'), "{memory}");
    }
    let missing = cluster.kubectl(&["get", "--raw", "/apis/metrics.k8s.io/v1beta1/namespaces/top/pods/none"]).failure();
    assert!(missing.contains("podmetrics.metrics.k8s.io \"top/none\" not found"), "{missing}");
}

fn a_budget_stops_evictions(cluster: &Cluster) {
    let namespace = cluster.namespace("budget");
    namespace.create(&deployment("web", 2, "while :; do sleep 1; done"));
    namespace.k("rollout status deployment/web --timeout=60s");
    namespace.k("create poddisruptionbudget web --selector=app=web --min-available=2");
    wait_for("a counted budget", || {
        let status = namespace.get("pdb web")["status"].clone();
        let is_counted = status["currentHealthy"] == 2 && status["disruptionsAllowed"] == 0;
        if is_counted { Ok(()) } else { Err(status.to_string()) }
    });
    let node = cluster.get("nodes")["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
    let drain = ["drain", &node, "--ignore-daemonsets", "--force", "--pod-selector=app=web", "--timeout=4s"];
    let refused = cluster.kubectl(&drain).failure();
    assert!(refused.contains("Cannot evict pod as it would violate the pod's disruption budget."), "{refused}");
    assert_eq!(namespace.get("deployment web")["status"]["readyReplicas"], 2);

    namespace.k(r#"patch pdb web --type=merge --patch={"spec":{"minAvailable":0}}"#);
    let drain = ["drain", &node, "--ignore-daemonsets", "--force", "--pod-selector=app=web", "--timeout=60s"];
    let drained = cluster.kubectl(&drain).success();
    assert!(drained.contains("evicted"), "{drained}");
    cluster.k(&format!("uncordon {node}"));
    namespace.k("rollout status deployment/web --timeout=60s");
    namespace.k("delete deployment web");
}

fn a_quota_is_counted(cluster: &Cluster) {
    let namespace = cluster.namespace("quota");
    namespace.k("create configmap before --from-literal=a=b");
    namespace.k("create quota share --hard=pods=1,configmaps=5,requests.cpu=150m,count/deployments.apps=1");
    let used = |expected: [(&str, &str); 4]| {
        wait_for(&format!("{expected:?} used"), || {
            let used = namespace.get("quota share")["status"]["used"].clone();
            if expected.iter().all(|(name, amount)| used[name] == *amount) { Ok(()) } else { Err(used.to_string()) }
        });
    };
    // The namespace's own certificates are a ConfigMap too.
    used([("pods", "0"), ("configmaps", "2"), ("requests.cpu", "0"), ("count/deployments.apps", "0")]);
    namespace.create(&deployment("web", 1, "while :; do sleep 1; done"));
    namespace.k("rollout status deployment/web --timeout=60s");
    used([("pods", "1"), ("configmaps", "2"), ("requests.cpu", "100m"), ("count/deployments.apps", "1")]);
    namespace.k("delete configmap before");
    namespace.k("delete deployment web");
    used([("pods", "0"), ("configmaps", "1"), ("requests.cpu", "0"), ("count/deployments.apps", "0")]);
}
