//! Metrics of pods' own: read by annotation, served, and scaled by.

use std::process::ExitCode;

use e2e::{Cluster, Namespace, Suite, trial, wait_for};
use serde_json::Value;

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        cluster.up();
        cluster.load(&["busybox.tar"]);
    });
    let trials = vec![
        trial(&suite, "an_autoscaler_follows_what_its_pods_tell", an_autoscaler_follows_its_pods),
        trial(&suite, "an_autoscaler_wakes_what_sleeps_when_a_queue_fills", an_autoscaler_wakes_what_sleeps),
        trial(&suite, "metrics_of_pods_services_and_namespaces_are_served", metrics_are_served),
        trial(&suite, "two_autoscalers_of_the_same_pods_scale_nothing", two_autoscalers_scale_nothing),
        trial(&suite, "what_cannot_be_read_is_said_once", what_cannot_be_read_is_said),
        trial(&suite, "heapsters_model_is_told_directly_and_behind_its_service", heapsters_model_is_told),
    ];
    suite.run(3, trials)
}

/// Pods that tell a text at `/metrics`, and ask to be read.
fn telling(name: &str, replicas: u32, text: &str) -> String {
    format!(
        r#"
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata:
      labels: {{app: {name}}}
      annotations: {{prometheus.io/scrape: "true", prometheus.io/port: "8080"}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: busybox:1.36
        command: [sh, -c, "mkdir /www && echo '{text}' > /www/metrics && exec httpd -f -p 8080 -h /www"]
"#
    )
}

fn autoscaler(name: &str, target: &str, minimum: u32, metric: &str) -> String {
    format!(
        r#"
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: {name}}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {target}}}
  minReplicas: {minimum}
  maxReplicas: 3
  metrics: [{metric}]
"#
    )
}

fn wait_for_replicas(namespace: &Namespace<'_>, deployment: &str, count: u64) {
    wait_for(&format!("{count} of {deployment}"), || {
        let now = namespace.get(&format!("deployment {deployment}"))["spec"]["replicas"].clone();
        if now == count { Ok(()) } else { Err(namespace.get("hpa")["items"].to_string()) }
    });
}

/// Waits for an event of this reason whose message begins so.
fn wait_for_event(namespace: &Namespace<'_>, reason: &str, message: &str) {
    wait_for(&format!("an event {reason} that says {message}"), || {
        let events = namespace.get(&format!("events --field-selector reason={reason}"));
        let all = events["items"].as_array().into_iter().flatten();
        let is_said = all.filter_map(|event| event["message"].as_str()).any(|said| said.starts_with(message));
        if is_said { Ok(()) } else { Err(namespace.k("get events")) }
    });
}

fn raw(cluster: &Cluster, path: &str) -> Value {
    cluster.kubectl(&["get", "--raw", path]).json()
}

/// What answers at a path once something is in it.
fn told(cluster: &Cluster, path: &str) -> Value {
    wait_for(&format!("something at {path}"), || {
        let ran = cluster.kubectl(&["get", "--raw", path]);
        let list: Option<Value> = serde_json::from_str(&ran.stdout).ok().filter(|_| ran.is_success());
        list.filter(|list| list["items"].as_array().is_some_and(|items| !items.is_empty()))
            .ok_or_else(|| ran.to_string())
    })
}

fn an_autoscaler_follows_its_pods(cluster: &Cluster) {
    let namespace = cluster.namespace("told");
    namespace.create(&telling("worker", 1, "jobs_waiting 25"));
    let metric = "{type: Pods, pods: {metric: {name: jobs_waiting}, target: {type: AverageValue, averageValue: 10}}}";
    namespace.create(&autoscaler("worker", "worker", 1, metric));
    wait_for_replicas(&namespace, "worker", 3);
    let message = "New size: 3; reason: pods metric jobs_waiting above target";
    wait_for_event(&namespace, "SuccessfulRescale", message);
    namespace.k("delete deployment worker");
}

fn an_autoscaler_wakes_what_sleeps(cluster: &Cluster) {
    let namespace = cluster.namespace("asleep");
    namespace.create(&telling("broker", 1, "queue_depth{queue=\\\"orders\\\"} 20"));
    namespace.create(&telling("consumer", 0, "idle 1"));
    let metric = "{type: External, external: {metric: {name: queue_depth, selector: {matchLabels: {queue: orders}}}, \
                  target: {type: AverageValue, averageValue: 10}}}";
    namespace.create(&autoscaler("consumer", "consumer", 0, metric));
    wait_for_replicas(&namespace, "consumer", 2);
    let message = "New size: 2; reason: external metric queue_depth(&LabelSelector{";
    wait_for_event(&namespace, "SuccessfulRescale", message);
    namespace.k("delete deployment broker consumer");
}

fn metrics_are_served(cluster: &Cluster) {
    let namespace = cluster.namespace("served");
    namespace.create(&telling("web", 2, "visitors{page=\\\"main\\\"} 3"));
    namespace.k("create service clusterip web --tcp=80:8080");
    let custom = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/served";
    wait_for("both pods", || {
        let list = told(cluster, &format!("{custom}/pods/*/visitors?labelSelector=app%3Dweb"));
        if list["items"].as_array().map(Vec::len) == Some(2) { Ok(()) } else { Err(list.to_string()) }
    });
    let of_service = raw(cluster, &format!("{custom}/services/web/visitors"));
    assert_eq!((&of_service["kind"], &of_service["items"][0]["value"]), (&"MetricValueList".into(), &"6".into()));
    assert_eq!(of_service["items"][0]["metric"]["name"], "visitors");
    let old = "/apis/custom.metrics.k8s.io/v1beta1/namespaces/served";
    let of_namespace = raw(cluster, &format!("{old}/metrics/visitors"))["items"][0].clone();
    assert_eq!((&of_namespace["metricName"], &of_namespace["value"]), (&"visitors".into(), &"6".into()));
    let external = "/apis/external.metrics.k8s.io/v1beta1/namespaces/served/visitors?labelSelector=page%3Dmain";
    assert_eq!(raw(cluster, external)["items"][0]["metricLabels"]["page"], "main");

    let names = |path: &str| {
        let list = raw(cluster, path)["resources"].clone();
        list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let custom_names = names("/apis/custom.metrics.k8s.io/v1beta1");
    for name in ["pods/visitors", "services/visitors", "namespaces/visitors"] {
        assert!(custom_names.iter().any(|known| known == name), "{name} in {custom_names:?}");
    }
    assert!(names("/apis/external.metrics.k8s.io/v1beta1").contains(&"visitors".to_owned()));
    cluster.k("get apiservice v1beta1.custom.metrics.k8s.io v1beta1.external.metrics.k8s.io v1beta1.metrics.k8s.io");
    let groups = cluster.k("api-versions");
    assert!(groups.contains("custom.metrics.k8s.io/v1beta2"), "{groups}");

    let missing = cluster.kubectl(&["get", "--raw", &format!("{custom}/pods/*/nothing")]).failure();
    assert!(missing.contains("the server could not find the metric nothing for pods"), "{missing}");
    namespace.k("delete deployment web");
}

fn two_autoscalers_scale_nothing(cluster: &Cluster) {
    let namespace = cluster.namespace("rivals");
    namespace.create(&telling("web", 1, "load 25"));
    let metric = "{type: Pods, pods: {metric: {name: load}, target: {type: AverageValue, averageValue: 100}}}";
    for name in ["one", "two"] {
        namespace.create(&autoscaler(name, "web", 1, metric));
    }
    let message = "pods by selector app=web are controlled by multiple HPAs: [rivals/one rivals/two]";
    wait_for_event(&namespace, "AmbiguousSelector", message);
    wait_for_event(&namespace, "FailedComputeMetricsReplicas", message);
    wait_for("the condition", || {
        let all = namespace.get("hpa");
        let conditions = all["items"].as_array().unwrap().iter().flat_map(|hpa| hpa["status"]["conditions"].as_array());
        let found =
            conditions.flatten().any(|one| one["type"] == "ScalingActive" && one["reason"] == "AmbiguousSelector");
        if found { Ok(()) } else { Err(all.to_string()) }
    });
    namespace.k("delete deployment web");
}

fn what_cannot_be_read_is_said(cluster: &Cluster) {
    let namespace = cluster.namespace("broken");
    namespace.create(&telling("web", 1, "<html>no metrics here</html>"));
    let message = "metrics cannot be read: line 1 is not of Prometheus' text format";
    wait_for_event(&namespace, "FailedScrape", message);
    let metric = "{type: Pods, pods: {metric: {name: absent}, target: {type: AverageValue, averageValue: 10}}}";
    namespace.create(&autoscaler("web", "web", 1, metric));
    let message = "unable to get metric absent: unable to fetch metrics from custom metrics API: \
                   the server could not find the metric absent for pods";
    wait_for_event(&namespace, "FailedGetPodsMetric", message);
    namespace.k("delete deployment web");
}

fn heapsters_model_is_told(cluster: &Cluster) {
    let namespace = cluster.namespace("model");
    namespace.create(&telling("web", 1, "load 1"));
    let path = "/api/v1/model/namespaces/model/pods/";
    let pods = wait_for("the pod in the model", || {
        let ran = cluster.kubectl(&["get", "--raw", path]);
        let pods: Option<Vec<String>> = serde_json::from_str(&ran.stdout).ok();
        pods.filter(|pods| !pods.is_empty()).ok_or_else(|| ran.to_string())
    });
    let series = raw(cluster, &format!("{path}{}/containers/main/metrics/memory/working_set", pods[0]));
    assert!(series["metrics"][0]["value"].as_u64().is_some_and(|bytes| bytes > 0), "{series}");
    let heapster = "/api/v1/namespaces/kube-system/services/http:heapster:/proxy/api/v1/model/nodes/";
    let nodes = raw(cluster, heapster);
    assert_eq!(nodes, raw(cluster, "/api/v1/model/nodes/"));
    assert_eq!(nodes.as_array().map(Vec::len), Some(1), "{nodes}");
    namespace.k("delete deployment web");
}
