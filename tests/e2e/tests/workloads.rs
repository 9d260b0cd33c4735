//! Jobs, CronJobs, StatefulSets and DaemonSets with real containers, as their users handle them.

use std::process::ExitCode;

use e2e::{Cluster, Namespace, Suite, trial, wait_for};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        cluster.up();
        cluster.load(&["busybox.tar"]);
    });
    let trials = vec![
        trial(&suite, "an_indexed_job_runs_every_index_once", an_indexed_job_runs_every_index_once),
        trial(&suite, "a_job_that_keeps_failing_gives_up_and_says_why", a_job_that_keeps_failing_gives_up_and_says_why),
        trial(&suite, "a_suspended_job_rests_and_goes_on", a_suspended_job_rests_and_goes_on),
        trial(&suite, "a_finished_job_goes_when_its_time_is_over", a_finished_job_goes_when_its_time_is_over),
        trial(&suite, "a_cron_job_runs_by_the_clock_and_by_hand", a_cron_job_runs_by_the_clock_and_by_hand),
        trial(&suite, "a_cron_job_that_cannot_be_is_refused", a_cron_job_that_cannot_be_is_refused),
        trial(&suite, "a_stateful_set_keeps_names_and_rolls_back", a_stateful_set_keeps_names_and_rolls_back),
        trial(&suite, "claims_go_with_the_pods_and_sets_that_say_so", claims_go_with_the_pods_and_sets_that_say_so),
        trial(
            &suite,
            "parallel_pods_start_together_from_their_ordinal",
            parallel_pods_start_together_from_their_ordinal,
        ),
        trial(&suite, "a_daemon_set_runs_on_the_node_and_rolls_back", a_daemon_set_runs_on_the_node_and_rolls_back),
        trial(&suite, "an_important_pod_pushes_out_a_lesser_one", an_important_pod_pushes_out_a_lesser_one),
    ];
    suite.run(2, trials)
}

fn an_indexed_job_runs_every_index_once(cluster: &Cluster) {
    let namespace = cluster.namespace("indexed");
    let script = "echo index $JOB_COMPLETION_INDEX on $(hostname)";
    namespace.create(&job(
        "squares",
        json!({"completions": 3, "parallelism": 2, "completionMode": "Indexed", "template": pod(script, "Never")}),
    ));
    namespace.wait("condition=complete", "job/squares");
    let status = namespace.get("job squares")["status"].clone();
    assert_eq!((&status["succeeded"], &status["completedIndexes"]), (&json!(3), &json!("0-2")), "{status}");
    assert_eq!(status["uncountedTerminatedPods"], json!({}), "{status}");
    assert!(status["startTime"].is_string() && status["completionTime"].is_string(), "{status}");

    let pods = namespace.pods("batch.kubernetes.io/job-name=squares");
    assert_eq!(pods.len(), 3);
    let mut lines: Vec<String> = Vec::new();
    for pod in &pods {
        assert!(pod["metadata"]["finalizers"].is_null(), "{pod}");
        lines.push(namespace.k(&format!("logs {}", pod["metadata"]["name"].as_str().unwrap())));
    }
    lines.sort();
    assert_eq!(lines, [0, 1, 2].map(|index| format!("index {index} on squares-{index}\n")));
    let row = namespace.k("get job squares --no-headers");
    assert!(row.contains("Complete") && row.contains("3/3"), "{row}");
    assert_eq!(reasons(&namespace, "squares"), ["Completed", "SuccessfulCreate"]);

    namespace.k("delete job squares");
    wait_for("its pods to go with it", || empty(&namespace, "pods"));
}

fn a_job_that_keeps_failing_gives_up_and_says_why(cluster: &Cluster) {
    let namespace = cluster.namespace("failing");
    let rules = json!([{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]);
    namespace.create(&job("once", json!({"backoffLimit": 0, "template": pod("exit 3", "Never")})));
    namespace.create(&job(
        "policy",
        json!({"backoffLimit": 6, "podFailurePolicy": {"rules": rules}, "template": pod("exit 42", "Never")}),
    ));
    for (name, reason, message) in [
        ("once", "BackoffLimitExceeded", "Job has reached the specified backoff limit"),
        ("policy", "PodFailurePolicy", "failed with exit code 42 matching FailJob rule at index 0"),
    ] {
        namespace.wait("condition=failed", &format!("job/{name}"));
        let status = namespace.get(&format!("job {name}"))["status"].clone();
        assert_eq!(status["failed"], 1, "{status}");
        let conditions = status["conditions"].as_array().unwrap().clone();
        let types: Vec<&str> = conditions.iter().filter_map(|condition| condition["type"].as_str()).collect();
        assert_eq!(types, ["FailureTarget", "Failed"]);
        for condition in conditions {
            assert_eq!(condition["reason"], reason);
            assert!(condition["message"].as_str().unwrap().ends_with(message), "{condition}");
        }
        assert!(reasons(&namespace, name).contains(&reason.to_owned()));
    }
}

fn a_suspended_job_rests_and_goes_on(cluster: &Cluster) {
    let namespace = cluster.namespace("suspended");
    let script = "trap 'exit 1' TERM; while [ ! -e /go ]; do sleep 1 & wait; done";
    namespace.create(&job("patient", json!({"template": pod(script, "Never")})));
    let pods = || namespace.pods("job-name=patient");
    wait_for("its pod to run", || phases(&pods(), &["Running"]));
    set_suspend(&namespace, "job", "patient", true);
    wait_for("its pod to go", || phases(&pods(), &[]));
    namespace.wait("condition=suspended", "job/patient");
    assert!(namespace.get("job patient")["status"]["failed"].is_null(), "a pod taken back has not failed");
    set_suspend(&namespace, "job", "patient", false);
    wait_for("another to run", || phases(&pods(), &["Running"]));
    let name = pods()[0]["metadata"]["name"].as_str().unwrap().to_owned();
    namespace.shell(&name, "touch /go").success();
    namespace.wait("condition=complete", "job/patient");
    assert_eq!(namespace.get("job patient")["status"]["succeeded"], 1);
}

fn a_finished_job_goes_when_its_time_is_over(cluster: &Cluster) {
    let namespace = cluster.namespace("ttl");
    namespace.create(&job("brief", json!({"ttlSecondsAfterFinished": 1, "template": pod("true", "Never")})));
    wait_for("the job to go", || empty(&namespace, "jobs"));
    wait_for("its pods to go with it", || empty(&namespace, "pods"));
}

fn a_cron_job_runs_by_the_clock_and_by_hand(cluster: &Cluster) {
    let namespace = cluster.namespace("cron");
    let spec = json!({
        "schedule": "@every 5s", "concurrencyPolicy": "Forbid", "timeZone": "Asia/Kathmandu",
        "jobTemplate": {"spec": {"template": pod("date; echo reported", "Never")}},
    });
    namespace.create(&object("batch/v1", "CronJob", "report", spec));
    let run = wait_for("the clock to start a job", || {
        let jobs = namespace.get("jobs");
        jobs["items"].get(0).cloned().ok_or_else(|| namespace.get("cronjob report")["status"].to_string())
    });
    set_suspend(&namespace, "cronjob", "report", true);
    let name = run["metadata"]["name"].as_str().unwrap().to_owned();
    assert!(name.starts_with("report-") && name["report-".len()..].bytes().all(|byte| byte.is_ascii_digit()), "{name}");
    let scheduled = &run["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"];
    assert!(scheduled.as_str().unwrap().ends_with("+05:45"), "{scheduled}");
    namespace.wait("condition=complete", &format!("job/{name}"));
    wait_for("the success to be noted", || {
        let status = namespace.get("cronjob report")["status"].clone();
        let is_noted = status["lastSuccessfulTime"].is_string() && status["active"].is_null();
        if is_noted && status["lastScheduleTime"].is_string() { Ok(()) } else { Err(status.to_string()) }
    });

    namespace.k("create job by-hand --from=cronjob/report");
    namespace.wait("condition=complete", "job/by-hand");
    assert!(namespace.k("logs job/by-hand").ends_with("reported\n"));
    let row = namespace.k("get cronjob report --no-headers");
    assert!(row.contains("@every 5s") && row.contains("True"), "{row}");
    namespace.k("delete cronjob report");
    wait_for("its jobs to go with it", || empty(&namespace, "jobs"));
}

fn a_cron_job_that_cannot_be_is_refused(cluster: &Cluster) {
    let namespace = cluster.namespace("impossible");
    let cron_job = |name: &str, schedule: &str| {
        let template = json!({"spec": {"template": pod("true", "Never")}});
        object("batch/v1", "CronJob", name, json!({"schedule": schedule, "jobTemplate": template}))
    };
    let arguments = ["--namespace", "impossible", "create", "-f", "-"];
    let refused = cluster.kubectl_with(e2e::Kubectl::usual(), &arguments, &cron_job("late", "0 25 * * *")).failure();
    assert!(refused.contains("end of range (25) above maximum (23): 25"), "{refused}");
    // A day that never comes can be written, and is told of.
    namespace.create(&cron_job("never", "0 0 30 2 *"));
    wait_for("a warning", || {
        let reasons = reasons(&namespace, "never");
        if reasons.contains(&"InvalidSchedule".to_owned()) { Ok(()) } else { Err(format!("{reasons:?}")) }
    });
}

fn a_stateful_set_keeps_names_and_rolls_back(cluster: &Cluster) {
    let namespace = cluster.namespace("stateful");
    let service = json!({"clusterIP": "None", "selector": {"app": "db"}, "ports": [{"port": 80}]});
    namespace.create(&object("v1", "Service", "peers", service));
    let set = json!({
        "replicas": 2, "serviceName": "peers", "selector": {"matchLabels": {"app": "db"}}, "template": server("db", "one"),
    });
    namespace.create(&object("apps/v1", "StatefulSet", "db", set));
    namespace.k("rollout status statefulset/db --timeout=60s");
    let pods = namespace.pods("app=db");
    let names: Vec<&str> = pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str()).collect();
    assert_eq!(names, ["db-0", "db-1"]);
    let started = |pod: &Value| pod["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_owned();
    assert!(started(&pods[0]) <= started(&pods[1]));
    assert_eq!(pods[1]["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"], "db-1");
    assert_eq!(pods[1]["metadata"]["labels"]["apps.kubernetes.io/pod-index"], "1");
    // A peer finds the other by its name.
    let address = pods[1]["status"]["podIP"].as_str().unwrap();
    wait_for("db-0 to find db-1", || {
        let found = namespace.shell("db-0", "nslookup db-1.peers.stateful.svc.cluster.local");
        if found.stdout.contains(address) { Ok(()) } else { Err(found.to_string()) }
    });

    namespace.k("set env statefulset/db VERSION=two");
    namespace.k("rollout status statefulset/db --timeout=60s");
    assert_eq!(versions(&namespace, "db"), ["two", "two"]);
    let history = namespace.k("rollout history statefulset/db");
    assert!(history.contains("\n1 ") && history.contains("\n2 "), "{history}");
    namespace.k("rollout undo statefulset/db");
    namespace.k("rollout status statefulset/db --timeout=60s");
    assert_eq!(versions(&namespace, "db"), ["one", "one"]);
    let status = namespace.get("statefulset db")["status"].clone();
    assert_eq!(status["currentRevision"], status["updateRevision"], "{status}");

    let uid = namespace.get("pod db-0")["metadata"]["uid"].clone();
    namespace.k("delete pod db-0");
    wait_for("db-0 to come back", || {
        let pods = namespace.pods("app=db");
        let is_new = pods.first().is_some_and(|pod| pod["metadata"]["name"] == "db-0" && pod["metadata"]["uid"] != uid);
        if is_new { phases(&pods, &["Running", "Running"]) } else { Err(format!("{} pods", pods.len())) }
    });
    namespace.k("scale statefulset/db --replicas=1");
    wait_for("db-1 to go", || phases(&namespace.pods("app=db"), &["Running"]));
    namespace.k("delete statefulset db");
    wait_for("its pods to go with it", || empty(&namespace, "pods"));
}

fn claims_go_with_the_pods_and_sets_that_say_so(cluster: &Cluster) {
    let namespace = cluster.namespace("claims");
    let mut template = server("keeper", "one");
    template["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "data", "mountPath": "/data"}]);
    let claim = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}});
    let set = json!({
        "replicas": 2, "serviceName": "none", "selector": {"matchLabels": {"app": "keeper"}}, "template": template,
        "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete", "whenDeleted": "Delete"},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
    });
    namespace.create(&object("apps/v1", "StatefulSet", "keeper", set));
    namespace.k("rollout status statefulset/keeper --timeout=60s");
    let claims = || {
        let list = namespace.get("persistentvolumeclaims");
        let items = list["items"].as_array().cloned().unwrap_or_default();
        items.iter().filter_map(|claim| Some(claim["metadata"]["name"].as_str()?.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(claims(), ["data-keeper-0", "data-keeper-1"]);
    let of_first = namespace.get("persistentvolumeclaim data-keeper-0")["metadata"].clone();
    assert_eq!(of_first["ownerReferences"][0]["kind"], "StatefulSet");
    assert_eq!(of_first["labels"], json!({"app": "keeper"}));

    namespace.k("scale statefulset/keeper --replicas=1");
    wait_for("the claim of the pod that went to go", || {
        let left = claims();
        if left == ["data-keeper-0"] { Ok(()) } else { Err(format!("{left:?}")) }
    });
    namespace.k("scale statefulset/keeper --replicas=2");
    namespace.k("rollout status statefulset/keeper --timeout=60s");
    assert_eq!(claims(), ["data-keeper-0", "data-keeper-1"]);
    namespace.k("delete statefulset keeper");
    wait_for("all claims to go", || empty(&namespace, "persistentvolumeclaims"));
}

fn parallel_pods_start_together_from_their_ordinal(cluster: &Cluster) {
    let namespace = cluster.namespace("parallel");
    // None of them ever gets ready, and still all are there.
    let mut template = server("crowd", "one");
    template["spec"]["containers"][0]["readinessProbe"] = json!({"exec": {"command": ["false"]}, "periodSeconds": 1});
    let set = json!({
        "replicas": 3, "podManagementPolicy": "Parallel", "ordinals": {"start": 7},
        "selector": {"matchLabels": {"app": "crowd"}}, "template": template,
    });
    namespace.create(&object("apps/v1", "StatefulSet", "crowd", set));
    wait_for("all to run", || phases(&namespace.pods("app=crowd"), &["Running"; 3]));
    let pods = namespace.pods("app=crowd");
    let names: Vec<&str> = pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str()).collect();
    assert_eq!(names, ["crowd-7", "crowd-8", "crowd-9"]);
    namespace.k("delete statefulset crowd");
    wait_for("its pods to go with it", || empty(&namespace, "pods"));
}

fn a_daemon_set_runs_on_the_node_and_rolls_back(cluster: &Cluster) {
    let namespace = cluster.namespace("daemon");
    let set = json!({"selector": {"matchLabels": {"app": "agent"}}, "template": server("agent", "one")});
    namespace.create(&object("apps/v1", "DaemonSet", "agent", set));
    namespace.k("rollout status daemonset/agent --timeout=60s");
    let nodes = cluster.get("nodes")["items"].as_array().unwrap().len();
    let pods = namespace.pods("app=agent");
    assert_eq!(pods.len(), nodes);
    let tolerations = pods[0]["spec"]["tolerations"].to_string();
    assert!(tolerations.contains("node.kubernetes.io/disk-pressure"), "{tolerations}");
    let status = namespace.get("daemonset agent")["status"].clone();
    assert_eq!(status["numberAvailable"], nodes, "{status}");

    namespace.k("set env daemonset/agent VERSION=two");
    namespace.k("rollout status daemonset/agent --timeout=60s");
    assert_eq!(versions(&namespace, "agent"), vec!["two"; nodes]);
    let history = namespace.k("rollout history daemonset/agent");
    assert!(history.contains("\n1 ") && history.contains("\n2 "), "{history}");
    namespace.k("rollout undo daemonset/agent --to-revision=1");
    namespace.k("rollout status daemonset/agent --timeout=60s");
    assert_eq!(versions(&namespace, "agent"), vec!["one"; nodes]);

    let patch = json!({"spec": {"template": {"spec": {"nodeSelector": {"disk": "none-has-it"}}}}}).to_string();
    namespace.try_k(&["patch", "daemonset", "agent", "--patch", &patch]).success();
    wait_for("its pods to leave the node", || empty(&namespace, "pods"));
    namespace.k("delete daemonset agent");
}

fn an_important_pod_pushes_out_a_lesser_one(cluster: &Cluster) {
    let namespace = cluster.namespace("preemption");
    for (name, value, policy) in
        [("lesser", 100, "PreemptLowerPriority"), ("polite", 1000, "Never"), ("greater", 1000, "PreemptLowerPriority")]
    {
        namespace.create(
            &json!({
                "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
                "value": value, "preemptionPolicy": policy,
            })
            .to_string(),
        );
    }
    let node = cluster.get("nodes")["items"][0].clone();
    let (node_name, cpus) = (&node["metadata"]["name"], node["status"]["allocatable"]["cpu"].as_str().unwrap());
    // Nearly all of it: of two such pods one runs.
    let most = format!("{}m", cpus.parse::<api::Quantity>().unwrap().millis() - 200);
    let wanting = |class: &str, script: &str| {
        let mut manifest = pod(script, "Always");
        manifest["apiVersion"] = json!("v1");
        manifest["kind"] = json!("Pod");
        manifest["metadata"] = json!({"name": class});
        manifest["spec"]["priorityClassName"] = json!(class);
        manifest["spec"]["terminationGracePeriodSeconds"] = json!(4);
        manifest["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": most}});
        namespace.create(&manifest.to_string());
    };
    // It does not listen, so that one can look while it goes.
    wanting("lesser", "trap '' TERM; while :; do sleep 1; done");
    namespace.wait_ready("pod/lesser");
    let refused = "0/1 nodes are available: 1 Insufficient cpu. preemption: ";
    wanting("polite", "while :; do sleep 1; done");
    let message = |name: &str| {
        let pod = namespace.get(&format!("pod {name}"));
        let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let scheduled = conditions.into_iter().find(|condition| condition["type"] == "PodScheduled");
        scheduled.and_then(|condition| condition["message"].as_str().map(str::to_owned)).unwrap_or_default()
    };
    wait_for("the polite pod to be refused", || {
        let told = message("polite");
        if told == format!("{refused}not eligible due to preemptionPolicy=Never.") { Ok(()) } else { Err(told) }
    });

    wanting("greater", "while :; do sleep 1; done");
    let victim = wait_for("the lesser pod to be pushed out", || {
        let pod = namespace.get("pod lesser");
        if pod["metadata"]["deletionTimestamp"].is_string() { Ok(pod) } else { Err(pod["status"].to_string()) }
    });
    let greater = namespace.get("pod greater");
    assert_eq!(&greater["status"]["nominatedNodeName"], node_name, "{greater}");
    let told = message("greater");
    let node_name = node_name.as_str().unwrap();
    let first = format!("{refused}found a potential placement for pod on node {node_name}, preempting 1 victims");
    let then = format!("{refused}not eligible due to a terminating pod on the nominated node.");
    assert!(told == first || told == then, "{told}");
    let conditions = victim["status"]["conditions"].as_array().unwrap().clone();
    let target = conditions.into_iter().find(|condition| condition["type"] == "DisruptionTarget").unwrap();
    assert_eq!((&target["status"], &target["reason"]), (&json!("True"), &json!("PreemptionByScheduler")));
    assert_eq!(target["message"], "default-scheduler: preempting to accommodate a higher priority pod");
    wait_for("the event", || {
        let events = namespace.get("events --field-selector involvedObject.name=lesser,reason=Preempted");
        let told = events["items"][0]["message"].as_str().unwrap_or_default().to_owned();
        let uid = greater["metadata"]["uid"].as_str().unwrap();
        if told == format!("Preempted by pod {uid} on node {node_name}") { Ok(()) } else { Err(told) }
    });
    namespace.wait_ready("pod/greater");
    assert_eq!(message("polite"), format!("{refused}not eligible due to preemptionPolicy=Never."));
    // What it has pushed out must not stand in others' way for the rest of the suite.
    namespace.k("delete pods --all --grace-period=1");
    namespace.k("delete priorityclass lesser polite greater");
}

fn object(api_version: &str, kind: &str, name: &str, spec: Value) -> String {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec}).to_string()
}

fn job(name: &str, spec: Value) -> String {
    object("batch/v1", "Job", name, spec)
}

/// A template that runs `script` to its end.
fn pod(script: &str, restart_policy: &str) -> Value {
    let container = json!({"name": "main", "image": "busybox:1.36", "command": ["sh", "-c", script]});
    json!({"spec": {"restartPolicy": restart_policy, "containers": [container]}})
}

/// A template that runs until it is told to go.
fn server(app: &str, version: &str) -> Value {
    let script = "trap 'exit 0' TERM; while :; do sleep 1 & wait; done";
    let container = json!({
        "name": "main", "image": "busybox:1.36", "command": ["sh", "-c", script],
        "env": [{"name": "VERSION", "value": version}],
    });
    json!({"metadata": {"labels": {"app": app}}, "spec": {"containers": [container]}})
}

fn set_suspend(namespace: &Namespace<'_>, kind: &str, name: &str, suspend: bool) {
    let patch = json!({"spec": {"suspend": suspend}}).to_string();
    namespace.try_k(&["patch", kind, name, "--type=merge", "--patch", &patch]).success();
}

/// What each running pod of the app has for a version, by name of the pod.
fn versions(namespace: &Namespace<'_>, app: &str) -> Vec<String> {
    let version = |pod: &Value| pod["spec"]["containers"][0]["env"][0]["value"].as_str().unwrap_or_default().to_owned();
    namespace.pods(&format!("app={app}")).iter().map(version).collect()
}

fn phases(pods: &[Value], expected: &[&str]) -> Result<(), String> {
    let found: Vec<&str> = pods.iter().filter_map(|pod| pod["status"]["phase"].as_str()).collect();
    if found == expected { Ok(()) } else { Err(format!("{found:?}")) }
}

fn empty(namespace: &Namespace<'_>, kind: &str) -> Result<(), String> {
    let left = namespace.get(kind)["items"].as_array().map_or(0, Vec::len);
    if left == 0 { Ok(()) } else { Err(format!("{left} {kind}")) }
}

/// Of the events about an object, each once.
fn reasons(namespace: &Namespace<'_>, name: &str) -> Vec<String> {
    let events = namespace.get(&format!("events --field-selector involvedObject.name={name}"));
    let items = events["items"].as_array().cloned().unwrap_or_default();
    let mut reasons: Vec<String> =
        items.iter().filter_map(|event| Some(event["reason"].as_str()?.to_owned())).collect();
    reasons.sort();
    reasons.dedup();
    reasons
}
