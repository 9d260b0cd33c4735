//! What pods may say of their lives: hooks that sleep, restarts by rule, variables from files, last words, gates,
//! resources of the pod as a whole, resizes.

use std::process::ExitCode;

use e2e::{Cluster, Namespace, Suite, trial, wait_for};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        cluster.up();
        cluster.load(&["busybox.tar"]);
    });
    let trials = vec![
        trial(&suite, "hooks_may_sleep", hooks_may_sleep),
        trial(&suite, "rules_restart_by_exit_code", rules_restart_by_exit_code),
        trial(&suite, "variables_come_from_files", variables_come_from_files),
        trial(&suite, "last_words_come_from_the_file_or_else_the_log", last_words_come_from_the_file_or_else_the_log),
        trial(&suite, "gates_hold_readiness_back", gates_hold_readiness_back),
        trial(&suite, "a_pod_as_a_whole_has_limits", a_pod_as_a_whole_has_limits),
        trial(&suite, "a_resize_is_told_of", a_resize_is_told_of),
        trial(&suite, "a_grpc_probe_without_an_answer_fails", a_grpc_probe_without_an_answer_fails),
    ];
    suite.run(2, trials)
}

const IDLE: &str = "trap 'exit 0' TERM; while true; do sleep 1; done";

fn hooks_may_sleep(cluster: &Cluster) {
    let namespace = cluster.namespace("sleeping-hooks");
    let hooks = json!({ "postStart": { "sleep": { "seconds": 2 } }, "preStop": { "sleep": { "seconds": 2 } } });
    namespace.create(&pod("sleepy", json!({ "command": ["sleep", "1000"], "lifecycle": hooks }), json!({})));
    namespace.wait_ready("pod/sleepy");
    let status = namespace.get("pod sleepy")["status"].clone();
    let started = &status["containerStatuses"][0]["state"]["running"]["startedAt"];
    let conditions = status["conditions"].as_array().unwrap();
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready").unwrap();
    let (started, ready) = (seconds_of(started), seconds_of(&ready["lastTransitionTime"]));
    assert!((ready - started).rem_euclid(86_400) >= 1, "it was ready before its postStart hook had ended: {status}");
    // A preStop hook that sleeps leaves the container alone meanwhile: it is still there right after.
    namespace.k("delete pod sleepy --wait=false");
    let event = wait_event(&namespace, "sleepy", "Killing");
    assert_eq!(event, "Stopping container main");
    namespace.shell("sleepy", "true").success();
    wait_for("the pod to be gone", || match namespace.try_k(&["get", "pod", "sleepy"]) {
        ran if ran.is_success() => Err(ran.to_string()),
        _ => Ok(()),
    });
}

fn rules_restart_by_exit_code(cluster: &Cluster) {
    let namespace = cluster.namespace("restart-rules");
    let rules = json!([{ "action": "Restart", "exitCodes": { "operator": "In", "values": [42] } }]);
    // The first run asks for another by its code; what the second ends with is final.
    let twice =
        "n=$(cat /data/$NAME 2>/dev/null || echo 0); echo $((n + 1)) > /data/$NAME; [ $n = 0 ] && exit 42; exit ";
    let container = |name: &str, code: u8| {
        json!({
            "name": name, "image": "busybox:1.36", "command": ["sh", "-c", format!("{twice}{code}")],
            "env": [{ "name": "NAME", "value": name }], "volumeMounts": [{ "name": "data", "mountPath": "/data" }],
            "restartPolicy": "Never", "restartPolicyRules": rules,
        })
    };
    let spec = json!({
        "initContainers": [container("init", 0)], "containers": [container("app", 7)], "restartPolicy": "Never",
        "volumes": [{ "name": "data", "emptyDir": {} }],
    });
    namespace.create(
        &json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "ruled" }, "spec": spec }).to_string(),
    );
    namespace.wait("jsonpath={.status.phase}=Failed", "pod/ruled");
    let status = namespace.get("pod ruled")["status"].clone();
    let of = |list: &str| {
        let status = &status[list][0];
        (status["restartCount"].clone(), status["state"]["terminated"]["exitCode"].clone())
    };
    assert_eq!(of("initContainerStatuses"), (json!(1), json!(0)), "{status}");
    assert_eq!(of("containerStatuses"), (json!(1), json!(7)), "{status}");
    namespace.k("delete pod ruled");
}

fn variables_come_from_files(cluster: &Cluster) {
    let namespace = cluster.namespace("variables");
    let spec = |key: &str| {
        let reference = json!({ "volumeName": "config", "path": "config.env", "key": key });
        json!({
            "restartPolicy": "Never", "volumes": [{ "name": "config", "emptyDir": {} }],
            "initContainers": [{
                "name": "write", "image": "busybox:1.36",
                "command": ["sh", "-c", "printf \"# made here\\nADDRESS='one two'\\n\" > /data/config.env"],
                "volumeMounts": [{ "name": "config", "mountPath": "/data" }],
            }],
            "containers": [{
                "name": "main", "image": "busybox:1.36", "command": ["sh", "-c", "echo \"<$ADDRESS>\"; ls /data"],
                "env": [{ "name": "ADDRESS", "valueFrom": { "fileKeyRef": reference } }],
            }],
        })
    };
    let create = |name: &str, key: &str| {
        let manifest = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name }, "spec": spec(key) });
        namespace.create(&manifest.to_string());
    };
    create("reader", "ADDRESS");
    create("lost", "NOTHING");
    namespace.wait("jsonpath={.status.phase}=Failed", "pod/reader");
    let log = namespace.k("logs reader");
    assert!(log.starts_with("<one two>\n") && log.contains("/data: No such file"), "{log}");
    let message = wait_for("the reason why the other waits", || {
        let status = namespace.get("pod lost")["status"]["containerStatuses"][0].clone();
        let waiting = &status["state"]["waiting"];
        let found = waiting["reason"] == "CreateContainerConfigError";
        if found { Ok(waiting["message"].clone()) } else { Err(status.to_string()) }
    });
    assert_eq!(message, "environment variable key \"NOTHING\" not found in file \"config.env\"");
    namespace.k("delete pod reader lost");
}

fn last_words_come_from_the_file_or_else_the_log(cluster: &Cluster) {
    let namespace = cluster.namespace("last-words");
    let script = |line: &str| json!({ "command": ["sh", "-c", line] });
    let with = |mut container: Value, policy: &str| {
        container["terminationMessagePolicy"] = json!(policy);
        container
    };
    let fallback = "FallbackToLogsOnError";
    for (name, container, expected) in [
        ("file", with(script("echo log; echo file > /dev/termination-log; exit 3"), fallback), json!("file\n")),
        ("log", with(script("echo log; exit 3"), fallback), json!("log\n")),
        ("well", with(script("echo log"), fallback), Value::Null),
        ("plain", with(script("echo log; exit 3"), "File"), Value::Null),
    ] {
        namespace.create(&pod(name, container, json!({ "restartPolicy": "Never" })));
        let terminated = wait_for(&format!("the end of {name}"), || {
            let status = namespace.get(&format!("pod {name}"))["status"].clone();
            let terminated = status["containerStatuses"][0]["state"]["terminated"].clone();
            if terminated.is_null() { Err(status.to_string()) } else { Ok(terminated) }
        });
        assert_eq!(terminated["message"], expected, "{name}: {terminated}");
    }
    namespace.k("delete pod file log well plain");
}

fn gates_hold_readiness_back(cluster: &Cluster) {
    let namespace = cluster.namespace("gates");
    let gate = json!({ "readinessGates": [{ "conditionType": "example.com/open" }] });
    namespace.create(&pod("gated", json!({}), gate));
    namespace.wait("condition=ContainersReady", "pod/gated");
    let condition = |type_: &str| {
        let pod = namespace.get("pod gated");
        let conditions = pod["status"]["conditions"].as_array().unwrap().clone();
        conditions.into_iter().find(|condition| condition["type"] == type_).unwrap()
    };
    let ready = condition("Ready");
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("ReadinessGatesNotReady")));
    assert_eq!(ready["message"], "corresponding condition of pod readiness gate \"example.com/open\" does not exist.");
    let patch = json!({ "status": { "conditions": [{ "type": "example.com/open", "status": "True" }] } }).to_string();
    namespace.try_k(&["patch", "pod", "gated", "--subresource=status", "--patch", &patch]).success();
    namespace.wait_ready("pod/gated");
    namespace.k("delete pod gated");
}

fn a_pod_as_a_whole_has_limits(cluster: &Cluster) {
    let namespace = cluster.namespace("whole");
    let more = json!({ "resources": { "requests": { "cpu": "100m" }, "limits": { "cpu": "300m", "memory": "48Mi" } } });
    namespace.create(&pod("bounded", json!({}), more));
    namespace.wait_ready("pod/bounded");
    assert_eq!(namespace.get("pod bounded")["status"]["qosClass"], "Burstable");
    let uid = namespace.get("pod bounded")["metadata"]["uid"].as_str().unwrap().to_owned();
    let group = format!("{}/pods/burstable/pod{uid}", cluster.name);
    let read = |legacy: &str, unified: &str| {
        let root = std::path::Path::new("/sys/fs/cgroup");
        let (controller, file) = legacy.split_once('/').unwrap();
        let text = std::fs::read_to_string(root.join(controller).join(&group).join(file));
        text.or_else(|_| std::fs::read_to_string(root.join(&group).join(unified))).unwrap().trim().to_owned()
    };
    assert_eq!(read("memory/memory.limit_in_bytes", "memory.max"), (48 << 20).to_string());
    let quota = read("cpu/cpu.cfs_quota_us", "cpu.max");
    assert_eq!(quota.split(' ').next(), Some("30000"), "{quota}");
    namespace.k("delete pod bounded");
}

fn a_resize_is_told_of(cluster: &Cluster) {
    let namespace = cluster.namespace("told");
    let resources = |cpu: &str| json!({ "requests": { "cpu": cpu }, "limits": { "cpu": "800m" } });
    namespace.create(&pod("growing", json!({ "resources": resources("100m") }), json!({})));
    namespace.wait_ready("pod/growing");
    let resize = |cpu: &str| {
        let patch = json!({ "spec": { "containers": [{ "name": "main", "resources": resources(cpu) }] } }).to_string();
        namespace.try_k(&["patch", "pod", "growing", "--subresource=resize", "--patch", &patch]).success();
    };
    resize("150m");
    let containers =
        r#"{"containers":[{"name":"main","resources":{"limits":{"cpu":"800m"},"requests":{"cpu":"150m"}}}]"#;
    for (reason, lead) in [("ResizeStarted", "started"), ("ResizeCompleted", "completed")] {
        let event = wait_event(&namespace, "growing", reason);
        assert!(event.starts_with(&format!("Pod resize {lead}: {containers},\"generation\":")), "{event}");
    }
    namespace.k("delete pod growing");
}

fn a_grpc_probe_without_an_answer_fails(cluster: &Cluster) {
    let namespace = cluster.namespace("grpc-probe");
    let probe = json!({ "grpc": { "port": 5000 }, "periodSeconds": 1, "failureThreshold": 1 });
    namespace.create(&pod("silent", json!({ "readinessProbe": probe }), json!({})));
    let event = wait_event(&namespace, "silent", "Unhealthy");
    assert!(event.starts_with("Readiness probe failed: timeout: failed to connect service \""), "{event}");
    assert!(event.ends_with(":5000\" within 1s: context deadline exceeded"), "{event}");
    namespace.k("delete pod silent");
}

/// A pod of one busybox container with what else container and pod say.
fn pod(name: &str, container: Value, pod: Value) -> String {
    let mut main = json!({ "name": "main", "image": "busybox:1.36", "command": ["sh", "-c", IDLE] });
    let mut spec = json!({ "terminationGracePeriodSeconds": 10 });
    for (whole, part) in [(&mut main, container), (&mut spec, pod)] {
        for (key, value) in part.as_object().unwrap() {
            whole[key] = value.clone();
        }
    }
    spec["containers"] = json!([main]);
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name }, "spec": spec }).to_string()
}

/// The message of the pod's latest event with the given reason.
#[track_caller]
fn wait_event(namespace: &Namespace<'_>, pod: &str, reason: &str) -> String {
    let selector = format!("events --field-selector=involvedObject.name={pod},reason={reason}");
    wait_for(&format!("event {reason} of {pod}"), || {
        let message = namespace.get(&selector)["items"][0]["message"].as_str().map(str::to_owned);
        message.ok_or_else(|| namespace.k(&format!("get events --field-selector=involvedObject.name={pod}")))
    })
}

/// A moment like `2030-01-01T00:00:01Z` in seconds of its day.
#[track_caller]
fn seconds_of(time: &Value) -> i64 {
    let text = time.as_str().unwrap_or_else(|| panic!("no time: {time}"));
    let clock = text.split('T').nth(1).unwrap_or_default().trim_end_matches('Z');
    clock.split(':').fold(0, |sum, part| sum * 60 + part.parse::<i64>().unwrap_or(0))
}
