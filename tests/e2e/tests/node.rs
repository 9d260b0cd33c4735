//! The node: what it takes and refuses, what it says of pods that cannot run, what it measures, and that
//! nothing it runs minds its own end.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use e2e::{Cluster, Namespace, Suite, busybox_manifest, run, trial, wait_for};
use serde_json::{Value, json};
use stdx::Random;

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        cluster.up();
        cluster.load(&["busybox.tar"]);
    });
    let trials = vec![
        trial(&suite, "a_command_that_does_not_exist_says_so", a_command_that_does_not_exist_says_so),
        trial(&suite, "an_image_without_an_entry_point_says_so", an_image_without_an_entry_point_says_so),
        trial(&suite, "a_user_that_the_image_lacks_is_named", a_user_that_the_image_lacks_is_named),
        trial(&suite, "a_config_map_or_key_that_is_missing_is_named", a_config_map_or_key_that_is_missing_is_named),
        trial(&suite, "a_read_only_mount_over_a_missing_path", a_read_only_mount_over_a_missing_path),
        trial(&suite, "who_uses_more_memory_than_allowed_is_killed", who_uses_more_memory_than_allowed_is_killed),
        trial(&suite, "a_probe_that_hangs_fails_in_time", a_probe_that_hangs_fails_in_time),
        trial(&suite, "a_line_of_a_hundred_megabytes_harms_nobody", a_line_of_a_hundred_megabytes_harms_nobody),
        trial(&suite, "who_forks_without_end_harms_nobody", who_forks_without_end_harms_nobody),
        trial(&suite, "a_long_log_is_rotated_under_its_readers", a_long_log_is_rotated_under_its_readers),
        trial(&suite, "who_fills_a_volume_past_its_limit_is_evicted", who_fills_a_volume_past_its_limit_is_evicted),
        trial(&suite, "a_pod_that_does_not_fit_is_rejected", a_pod_that_does_not_fit_is_rejected),
        trial(&suite, "a_critical_pod_pushes_others_out", a_critical_pod_pushes_others_out),
        trial(&suite, "a_critical_file_pushes_others_out", a_critical_file_pushes_others_out),
        trial(&suite, "a_runtime_class_chooses_the_handler", a_runtime_class_chooses_the_handler),
        trial(&suite, "a_volume_is_awaited_until_it_is_attached", a_volume_is_awaited_until_it_is_attached),
        trial(&suite, "claims_keep_what_pods_write", claims_keep_what_pods_write),
        trial(&suite, "static_pods_run_and_show_themselves", static_pods_run_and_show_themselves),
        trial(&suite, "a_resize_needs_no_restart", a_resize_needs_no_restart),
        trial(&suite, "the_node_api_answers_as_upstreams", the_node_api_answers_as_upstreams),
        trial(&suite, "pods_survive_kill_9_at_random_moments", pods_survive_kill_9_at_random_moments),
    ];
    suite.run(1, trials)
}

fn a_command_that_does_not_exist_says_so(cluster: &Cluster) {
    let namespace = cluster.namespace("absent-command");
    namespace.create(&pod("absent", json!({ "command": ["/no/such/program"] })));
    let terminated = wait_status(&namespace, "absent", "the failed start", |status| {
        Some(status["lastState"]["terminated"].clone()).filter(|state| !state.is_null())
    });
    assert_eq!((&terminated["reason"], &terminated["exitCode"]), (&json!("StartError"), &json!(128)), "{terminated}");
    let message = terminated["message"].as_str().unwrap();
    assert!(message.contains("/no/such/program") && message.contains("no such file or directory"), "{message}");
    wait_waiting(&namespace, "absent", "CrashLoopBackOff");
    let event = wait_event(&namespace, "absent", "Failed");
    assert!(event.contains("no such file or directory"), "{event}");
    namespace.k("delete pod absent");
}

fn an_image_without_an_entry_point_says_so(cluster: &Cluster) {
    load_image(cluster, "bare:1", json!({}), &[]);
    let namespace = cluster.namespace("no-entry-point");
    namespace.create(&pod("bare", json!({ "image": "bare:1", "command": null })));
    let waiting = wait_waiting(&namespace, "bare", "CreateContainerError");
    assert!(waiting.contains("no command specified"), "{waiting}");
    namespace.k("delete pod bare");
}

fn a_user_that_the_image_lacks_is_named(cluster: &Cluster) {
    load_image(cluster, "foreign-user:1", json!({ "User": "nosuchuser", "Cmd": ["/true"] }), &[]);
    let namespace = cluster.namespace("no-user");
    namespace.create(&pod("user", json!({ "image": "foreign-user:1", "command": null })));
    let waiting = wait_waiting(&namespace, "user", "CreateContainerError");
    assert!(waiting.contains("unable to find user nosuchuser"), "{waiting}");
    namespace.k("delete pod user");
}

fn a_config_map_or_key_that_is_missing_is_named(cluster: &Cluster) {
    let namespace = cluster.namespace("missing-config");
    let variable = |map: &str| json!({ "env": [{ "name": "A", "valueFrom": { "configMapKeyRef": { "name": map, "key": "wanted" } } }] });
    namespace.create(&pod("no-map", variable("later")));
    namespace.k("create configmap other --from-literal=a=b");
    namespace.create(&pod("no-key", variable("other")));
    let waiting = wait_waiting(&namespace, "no-map", "CreateContainerConfigError");
    assert_eq!(waiting, "configmap \"later\" not found");
    let waiting = wait_waiting(&namespace, "no-key", "CreateContainerConfigError");
    assert_eq!(waiting, "couldn't find key wanted in ConfigMap missing-config/other");

    let mount = json!({
        "volumes": [{ "name": "config", "configMap": { "name": "later" } }],
        "mounts": [{ "name": "config", "mountPath": "/config" }],
    });
    namespace.create(&pod("no-volume", mount));
    let event = wait_event(&namespace, "no-volume", "FailedMount");
    assert_eq!(event, "MountVolume.SetUp failed for volume \"config\" : configmap \"later\" not found");
    // What was missing comes, and all of them run.
    namespace.k("create configmap later --from-literal=wanted=here");
    namespace.wait_ready("pod/no-map");
    namespace.wait_ready("pod/no-volume");
    assert_eq!(namespace.shell("no-map", "echo $A").success(), "here\n");
    assert_eq!(namespace.k("exec no-volume -- cat /config/wanted"), "here");
    namespace.k("delete pod no-map no-key no-volume");
}

fn a_read_only_mount_over_a_missing_path(cluster: &Cluster) {
    let namespace = cluster.namespace("missing-path");
    let mounted = json!({
        "volumes": [{ "name": "empty", "emptyDir": {} }],
        "mounts": [{ "name": "empty", "mountPath": "/not/in/the/image", "readOnly": true }],
    });
    namespace.create(&pod("made", mounted));
    let missing = cluster.machine.folder().join("missing");
    let wanted = json!({
        "volumes": [{ "name": "host", "hostPath": { "path": missing, "type": "Directory" } }],
        "mounts": [{ "name": "host", "mountPath": "/host", "readOnly": true }],
    });
    namespace.create(&pod("refused", wanted));
    namespace.wait_ready("pod/made");
    let refused = namespace.shell("made", "touch /not/in/the/image/file");
    assert!(refused.clone().failure().contains("Read-only file system"), "{refused}");
    let event = wait_event(&namespace, "refused", "FailedMount");
    let expected = format!(
        "MountVolume.SetUp failed for volume \"host\" : hostPath type check failed: {} is not a directory",
        missing.display()
    );
    assert_eq!(event, expected);
    namespace.k("delete pod made refused");
}

fn who_uses_more_memory_than_allowed_is_killed(cluster: &Cluster) {
    let namespace = cluster.namespace("memory");
    let limited = json!({
        "command": ["sh", "-c", "head -c 200m /dev/zero | tail"],
        "resources": { "limits": { "memory": "24Mi" } },
        "restartPolicy": "Never",
    });
    namespace.create(&pod("greedy", limited));
    let terminated = wait_status(&namespace, "greedy", "its end", |status| {
        Some(status["state"]["terminated"].clone()).filter(|state| !state.is_null())
    });
    assert_eq!(terminated["reason"], "OOMKilled", "{terminated}");
    assert_eq!(namespace.get("pod greedy")["status"]["phase"], "Failed");
    namespace.k("delete pod greedy");
}

fn a_probe_that_hangs_fails_in_time(cluster: &Cluster) {
    let namespace = cluster.namespace("hanging-probe");
    let probed = json!({
        "livenessProbe": {
            "exec": { "command": ["sh", "-c", "sleep 1000"] },
            "timeoutSeconds": 1, "periodSeconds": 1, "failureThreshold": 1,
        },
        "grace": 1,
    });
    namespace.create(&pod("hanging", probed));
    wait_status(&namespace, "hanging", "a restart", |status| (status["restartCount"].as_u64()? > 0).then_some(()));
    let event = wait_event(&namespace, "hanging", "Unhealthy");
    assert!(event.starts_with("Liveness probe failed: command timed out"), "{event}");
    let event = wait_event(&namespace, "hanging", "Killing");
    assert_eq!(event, "Container main failed liveness probe, will be restarted");
    namespace.k("delete pod hanging");
}

fn a_line_of_a_hundred_megabytes_harms_nobody(cluster: &Cluster) {
    let namespace = cluster.namespace("long-line");
    namespace.create(&pod("neighbour", json!({})));
    namespace.wait_ready("pod/neighbour");
    let script = "head -c 104857600 /dev/zero | tr '\\0' x; echo; echo done";
    namespace.create(&pod("long", json!({ "command": ["sh", "-c", script], "restartPolicy": "Never" })));
    namespace.wait("jsonpath={.status.phase}=Succeeded", "pod/long");
    assert_eq!(namespace.k("logs long --tail=1"), "done\n");
    assert_eq!(namespace.k("logs long --limit-bytes=5"), "xxxxx");
    assert_eq!(restarts(&namespace, "neighbour"), 0);
    namespace.k("delete pod long neighbour");
}

fn who_forks_without_end_harms_nobody(cluster: &Cluster) {
    let namespace = cluster.namespace("forks");
    namespace.create(&pod("neighbour", json!({})));
    // Each of them waits, so that they add up until the kernel says no.
    let script = "i=0; while [ $i -lt 6000 ]; do sleep 1000 & i=$((i+1)); done; echo all started; wait";
    namespace.create(&pod("bomb", json!({ "command": ["sh", "-c", script], "restartPolicy": "Never", "grace": 1 })));
    wait_for("the kernel to say no", || {
        let logs = namespace.try_k(&["logs", "bomb"]);
        if logs.text().contains("can't fork") { Ok(()) } else { Err(logs.to_string()) }
    });
    assert!(!namespace.k("logs bomb").contains("all started"));
    namespace.wait_ready("pod/neighbour");
    assert_eq!(namespace.k("exec neighbour -- echo fine"), "fine\n");
    assert_eq!(restarts(&namespace, "neighbour"), 0);
    namespace.k("delete pod bomb neighbour");
}

fn a_long_log_is_rotated_under_its_readers(cluster: &Cluster) {
    let namespace = cluster.namespace("rotation");
    // Fifteen megabytes, and one line more whenever it is asked for.
    let script = "awk 'BEGIN { for (i = 0; i < 400000; i++) print \"a line of a log that grows\", i }'; touch /tmp/written; \
                  while true; do if [ -e /tmp/more ]; then rm /tmp/more; echo another; fi; sleep 1; done";
    namespace.create(&pod("chatty", json!({ "command": ["sh", "-c", script], "grace": 1 })));
    namespace.wait_ready("pod/chatty");
    let uid = namespace.get("pod chatty")["metadata"]["uid"].as_str().unwrap().to_owned();
    let folder = cluster.data_dir().join(format!("logs/pods/rotation_chatty_{uid}/main"));
    let rotated = wait_for("the log to be set aside", || {
        let names = file_names(&folder);
        let aside = names.iter().find(|name| name.starts_with("0.log.")).cloned();
        aside.filter(|_| names.contains(&"0.log".to_owned())).ok_or_else(|| names.join(" "))
    });
    assert!(fs::metadata(folder.join(rotated)).unwrap().len() > 10 << 20);
    assert!(namespace.shell("chatty", "while [ ! -e /tmp/written ]; do sleep 1; done; touch /tmp/more").is_success());
    wait_for("what came after the change", || {
        let logs = namespace.k("logs chatty --tail=1");
        if logs == "another\n" { Ok(()) } else { Err(logs) }
    });
    namespace.k("delete pod chatty");
    wait_for("the logs to go with their pod", || {
        if folder.exists() { Err(file_names(&folder).join(" ")) } else { Ok(()) }
    });
}

fn who_fills_a_volume_past_its_limit_is_evicted(cluster: &Cluster) {
    let namespace = cluster.namespace("evicted");
    let filling = json!({
        "command": ["sh", "-c", "head -c 3145728 /dev/zero >/data/file; sleep 1000"],
        "volumes": [{ "name": "data", "emptyDir": { "sizeLimit": "2Mi" } }],
        "mounts": [{ "name": "data", "mountPath": "/data" }],
    });
    namespace.create(&pod("filling", filling));
    namespace.wait("jsonpath={.status.phase}=Failed", "pod/filling");
    let status = namespace.get("pod filling")["status"].clone();
    assert_eq!(status["reason"], "Evicted", "{status}");
    assert_eq!(status["message"], "Usage of EmptyDir volume \"data\" exceeds the limit \"2Mi\". ");
    assert_eq!(status["containerStatuses"][0]["state"]["terminated"]["exitCode"], 137, "{status}");
    assert_eq!(wait_event(&namespace, "filling", "Evicted"), status["message"]);
    namespace.k("delete pod filling");
}

fn a_pod_that_does_not_fit_is_rejected(cluster: &Cluster) {
    let namespace = cluster.namespace("rejected");
    let node = cluster.get("nodes")["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
    // Past the scheduler, which would have kept them waiting.
    let placed = |more: Value| {
        let mut more = more;
        more["nodeName"] = json!(node);
        more
    };
    let large = json!({ "resources": { "requests": { "cpu": "1000" }, "limits": { "cpu": "1000" } } });
    namespace.create(&pod("large", placed(large)));
    namespace.create(&pod("elsewhere", placed(json!({ "nodeSelector": { "disk": "none" } }))));
    let sysctl = json!({ "podSecurity": { "sysctls": [{ "name": "kernel.msgmax", "value": "65536" }] } });
    namespace.create(&pod("unsafe", placed(sysctl)));
    let huge = json!({ "cpu": "10m", "hugepages-1Gi": "1000Gi" });
    namespace.create(&pod("huge", placed(json!({ "resources": { "requests": huge, "limits": huge } }))));
    namespace.create(&pod("elsewhere-too", placed(json!({ "labels": { "kubernetes.io/os": "windows" } }))));
    let mut expected = vec![
        (
            "huge",
            "OutOfhugepages-1Gi",
            "Pod was rejected: Node didn't have enough resource: hugepages-1Gi, requested: ",
        ),
        (
            "elsewhere-too",
            "PodOSSelectorNodeLabelDoesNotMatch",
            "Pod was rejected: Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
        ),
        ("large", "OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000000, used: "),
        (
            "elsewhere",
            "NodeAffinity",
            "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        ),
        ("unsafe", "SysctlForbidden", "Pod was rejected: forbidden sysctl: \"kernel.msgmax\" not allowlisted"),
    ];
    let enforces = fs::read_to_string("/sys/module/apparmor/parameters/enabled").is_ok_and(|text| text.trim() == "Y");
    if !enforces {
        let profile = json!({ "podSecurity": { "appArmorProfile": { "type": "RuntimeDefault" } } });
        namespace.create(&pod("confined", placed(profile)));
        let message = "Pod was rejected: Cannot enforce AppArmor: AppArmor is not enabled on the host";
        expected.push(("confined", "AppArmor", message));
    }
    for (name, reason, message) in &expected {
        namespace.wait("jsonpath={.status.phase}=Failed", &format!("pod/{name}"));
        let status = namespace.get(&format!("pod {name}"))["status"].clone();
        assert_eq!(status["reason"], *reason, "{status}");
        assert!(status["message"].as_str().unwrap().starts_with(message), "{status}");
    }
    namespace.k("delete pod --all");
}

fn a_critical_pod_pushes_others_out(cluster: &Cluster) {
    let namespace = cluster.namespace("critical");
    let node = cluster.get("nodes")["items"][0].clone();
    let name = node["metadata"]["name"].clone();
    let cores: u64 = node["status"]["allocatable"]["cpu"].as_str().unwrap().parse().unwrap();
    let asking = |more: Value| {
        let mut more = more;
        more["resources"] = json!({ "requests": { "cpu": cores.to_string() } });
        more["grace"] = json!(1);
        more
    };
    namespace.create(&pod("ordinary", asking(json!({}))));
    namespace.wait_ready("pod/ordinary");
    // Only there may pods be as critical.
    let system = Namespace { cluster, name: "kube-system".to_owned() };
    system.create(&pod("critical", asking(json!({ "priorityClassName": "system-node-critical", "nodeName": name }))));
    system.wait_ready("pod/critical");
    namespace.wait("jsonpath={.status.phase}=Failed", "pod/ordinary");
    let status = namespace.get("pod ordinary")["status"].clone();
    assert_eq!(
        (&status["reason"], &status["message"]),
        (&json!("Preempting"), &json!("Preempted in order to admit critical pod"))
    );
    let conditions = status["conditions"].as_array().unwrap();
    let target = conditions.iter().find(|condition| condition["type"] == "DisruptionTarget").unwrap();
    assert_eq!((&target["status"], &target["reason"]), (&json!("True"), &json!("TerminationByKubelet")));
    assert_eq!(wait_event(&namespace, "ordinary", "Preempting"), "Preempted in order to admit critical pod");
    system.k("delete pod critical");
    namespace.k("delete pod ordinary");
}

/// A pod of a file is critical whatever its priority. Of those that could make room one of little standing does.
fn a_critical_file_pushes_others_out(cluster: &Cluster) {
    let namespace = cluster.namespace("critical-file");
    let node = cluster.get("nodes")["items"][0].clone();
    let name = node["metadata"]["name"].as_str().unwrap();
    let cores: u64 = node["status"]["allocatable"]["cpu"].as_str().unwrap().parse().unwrap();
    let half = format!("{}m", cores * 500);
    let asking = |more: Value| json!({ "resources": more, "grace": 1 });
    let amounts = json!({ "cpu": half, "memory": "16Mi" });
    namespace.create(&pod("guaranteed", asking(json!({ "requests": amounts, "limits": amounts }))));
    namespace.create(&pod("burstable", asking(json!({ "requests": amounts }))));
    namespace.create(&pod("modest", json!({})));
    for pod in ["guaranteed", "burstable", "modest"] {
        namespace.wait_ready(&format!("pod/{pod}"));
    }
    let file = cluster.data_dir().join("manifests/vital.yaml");
    let vital = pod("vital", asking(json!({ "requests": { "cpu": "100m" } })));
    let mut vital: Value = serde_json::from_str(&vital).unwrap();
    vital["metadata"]["namespace"] = json!(namespace.name);
    fs::write(&file, vital.to_string()).unwrap();
    namespace.wait_ready(&format!("pod/vital-{name}"));
    let status = namespace.get("pod burstable")["status"].clone();
    assert_eq!((&status["phase"], &status["reason"]), (&json!("Failed"), &json!("Preempting")), "{status}");
    assert_eq!(wait_event(&namespace, "burstable", "Preempting"), "Preempted in order to admit critical pod");
    for pod in ["guaranteed", "modest"] {
        assert_eq!(namespace.get(&format!("pod {pod}"))["status"]["phase"], "Running", "{pod}");
    }
    fs::remove_file(file).unwrap();
    wait_for("it to go with its file", || {
        let ran = namespace.try_k(&["get", "pod", &format!("vital-{name}")]);
        if ran.text().contains("NotFound") { Ok(()) } else { Err(ran.to_string()) }
    });
    namespace.k("delete pod guaranteed burstable modest");
}

fn a_runtime_class_chooses_the_handler(cluster: &Cluster) {
    let namespace = cluster.namespace("handlers");
    let class = |name: &str, more: Value| {
        let mut class = json!({
            "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": { "name": name }, "handler": "none-such",
        });
        for (key, value) in more.as_object().unwrap() {
            class[key] = value.clone();
        }
        cluster.create(&class.to_string());
    };
    class("sandboxed", json!({ "overhead": { "podFixed": { "memory": "16Mi", "cpu": "250m" } } }));
    class("fleeting", json!({}));
    let asking = |class: &str| json!({ "runtimeClassName": class, "resources": { "limits": { "cpu": "10m", "memory": "16Mi" } } });
    namespace.create(&pod("sandboxed", asking("sandboxed")));
    assert_eq!(
        wait_event(&namespace, "sandboxed", "FailedCreatePodSandBox"),
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for \"none-such\" is configured"
    );
    let of_node = &cluster.get("nodes")["items"][0]["status"];
    let names: Vec<&Value> =
        of_node["runtimeHandlers"].as_array().unwrap().iter().map(|handler| &handler["name"]).collect();
    assert!(!names.contains(&&json!("none-such")), "{of_node}");
    // What the class says running it takes counts, and bounds the pod's own group.
    let overhead = namespace.get("pod sandboxed")["spec"]["overhead"].clone();
    assert_eq!(overhead, json!({ "memory": "16Mi", "cpu": "250m" }));
    let uid = namespace.get("pod sandboxed")["metadata"]["uid"].as_str().unwrap().to_owned();
    let group = format!("{}/pods/pod{uid}", cluster.name);
    let legacy = Path::new("/sys/fs/cgroup/memory").join(&group).join("memory.limit_in_bytes");
    let unified = Path::new("/sys/fs/cgroup").join(&group).join("memory.max");
    let bound = fs::read_to_string(legacy).or_else(|_| fs::read_to_string(unified)).unwrap();
    assert_eq!(bound.trim(), (32 << 20).to_string());
    let described = cluster.k("describe nodes");
    assert!(described.contains("260m"), "with its overhead: {described}");

    // The class goes while a pod of it waits for another start.
    namespace.create(&pod("orphan", asking("fleeting")));
    wait_event(&namespace, "orphan", "FailedCreatePodSandBox");
    cluster.k("delete runtimeclass fleeting");
    let expected = "Failed to create pod sandbox: runtimeclass.node.k8s.io \"fleeting\" not found";
    wait_for("the missing class to be named", || {
        let events = namespace.get("events --field-selector=involvedObject.name=orphan,reason=FailedCreatePodSandBox");
        let mut all = events["items"].as_array().unwrap().iter();
        if all.any(|event| event["message"] == expected) { Ok(()) } else { Err(events.to_string()) }
    });
    namespace.k("delete pod sandboxed orphan");
    cluster.k("delete runtimeclass sandboxed");
}

/// No driver is there to mount it in the end, but until it is attached nobody asks for one.
fn a_volume_is_awaited_until_it_is_attached(cluster: &Cluster) {
    let namespace = cluster.namespace("attached");
    let node = cluster.get("nodes")["items"][0]["metadata"].clone();
    let name = node["name"].as_str().unwrap();
    assert_eq!(node["annotations"]["volumes.kubernetes.io/controller-managed-attach-detach"], "true", "{node}");
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": "far-away" },
        "spec": {
            "capacity": { "storage": "1Gi" }, "accessModes": ["ReadWriteOnce"], "storageClassName": "none",
            "persistentVolumeReclaimPolicy": "Retain", "csi": { "driver": "disks.example.com", "volumeHandle": "disk-1" },
        },
    });
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "disk" },
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "none", "volumeName": "far-away",
            "resources": { "requests": { "storage": "1Gi" } },
        },
    });
    cluster.create(&volume.to_string());
    namespace.create(&claim.to_string());
    let mounting = json!({
        "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": "disk" } }],
        "mounts": [{ "name": "data", "mountPath": "/data" }],
    });
    namespace.create(&pod("waiting", mounting));
    let unique_name = "kubernetes.io/csi/disks.example.com^disk-1";
    let in_use = || cluster.get(&format!("node {name}"))["status"]["volumesInUse"].clone();
    wait_for("the node to say that it uses the volume", || {
        let names = in_use();
        if names == json!([unique_name]) { Ok(()) } else { Err(names.to_string()) }
    });
    let order = wait_for("the order to the driver", || {
        let all = cluster.get("volumeattachments");
        let name = all["items"][0]["metadata"]["name"].as_str().map(str::to_owned);
        name.ok_or_else(|| all.to_string())
    });
    let failures =
        || namespace.get("events --field-selector=involvedObject.name=waiting,reason=FailedMount")["items"].clone();
    assert_eq!(failures(), json!([]), "nothing has failed yet");
    // As the driver would.
    let attached = r#"{"status":{"attached":true}}"#;
    let patch = ["patch", "volumeattachment", &order, "--subresource=status", "--type=merge", "--patch", attached];
    cluster.kubectl(&patch).success();
    assert_eq!(
        wait_event(&namespace, "waiting", "FailedMount"),
        "MountVolume.MountDevice failed for volume \"far-away\" : kubernetes.io/csi: attacher.MountDevice failed to create \
         newCsiDriverClient: driver name disks.example.com not found in the list of registered CSI drivers"
    );
    // It is this node's until the pod has gone, also after a start.
    kill_server(cluster);
    cluster.up();
    assert_eq!(in_use(), json!([unique_name]));
    namespace.k("delete pod waiting");
    wait_for("the node to let go of the volume", || {
        let names = in_use();
        if names.is_null() { Ok(()) } else { Err(names.to_string()) }
    });
    wait_for("the order to be taken back", || {
        let all = cluster.get("volumeattachments")["items"].clone();
        if all == json!([]) { Ok(()) } else { Err(all.to_string()) }
    });
    namespace.k("delete pvc disk");
    cluster.k("delete pv far-away");
}

fn claims_keep_what_pods_write(cluster: &Cluster) {
    let namespace = cluster.namespace("claims");
    let folder = cluster.machine.folder().join("persistent");
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": "by-hand" },
        "spec": {
            "capacity": { "storage": "1Gi" }, "accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand",
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": { "path": folder, "type": "DirectoryOrCreate" },
        },
    });
    namespace.create(&volume.to_string());
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "data" },
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand",
            "resources": { "requests": { "storage": "1Gi" } },
        },
    });
    let mounted = |script: &str, volume: Value| {
        let mut volume = volume;
        volume["name"] = json!("data");
        json!({
            "command": ["sh", "-c", script], "grace": 1,
            "volumes": [volume],
            "mounts": [{ "name": "data", "mountPath": "/data" }],
        })
    };
    let claimed = json!({ "persistentVolumeClaim": { "claimName": "data" } });
    let node = cluster.get("nodes")["items"][0]["metadata"]["name"].clone();
    // Given to the node past the scheduler, a pod finds its claim missing, and waits for it there.
    let mut early = mounted("echo kept >/data/file; sleep 1000", claimed.clone());
    early["nodeName"] = node;
    namespace.create(&pod("writer", early));
    let event = wait_event(&namespace, "writer", "FailedMount");
    let expected = "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], \
                    failed to process volumes=[data]: error processing PVC claims/data: failed to fetch PVC from API server: ";
    assert!(event.starts_with(expected), "{event}");
    namespace.create(&claim.to_string());
    namespace.wait_ready("pod/writer");
    namespace.k("delete pod writer");
    namespace.create(&pod("reader", mounted("cat /data/file; sleep 1000", claimed)));
    namespace.wait_ready("pod/reader");
    assert_eq!(namespace.k("logs reader"), "kept\n");
    assert_eq!(fs::read_to_string(folder.join("file")).unwrap(), "kept\n");
    namespace.k("delete pod reader");

    let template = json!({ "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Mi" } },
    } });
    let own = json!({ "ephemeral": { "volumeClaimTemplate": template } });
    namespace.create(&pod("own", mounted("id -u >/data/file; sleep 1000", own)));
    namespace.wait_ready("pod/own");
    assert_eq!(namespace.get("pvc own-data")["status"]["phase"], "Bound");
    namespace.k("delete pod own");
    namespace.k("delete pvc data");
    cluster.k("delete pv by-hand");
}

fn static_pods_run_and_show_themselves(cluster: &Cluster) {
    let node = cluster.get("nodes")["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
    let namespace = Namespace { cluster, name: "default".to_owned() };
    let name = format!("from-a-file-{node}");
    let file = cluster.data_dir().join("manifests/from-a-file.yaml");
    fs::write(&file, busybox_manifest("from-a-file", "echo from a file; sleep 100000 & wait")).unwrap();
    namespace.wait_ready(&format!("pod/{name}"));
    assert_eq!(namespace.k(&format!("logs {name}")), "from a file\n");
    assert_eq!(namespace.k(&format!("exec {name} -- hostname")).trim(), name);
    let pod = namespace.get(&format!("pod {name}"));
    assert_eq!(pod["metadata"]["annotations"]["kubernetes.io/config.source"], "file", "{pod}");
    assert_eq!(pod["metadata"]["ownerReferences"][0]["kind"], "Node", "{pod}");
    let container =
        |pod: &Value| pod["status"]["containerStatuses"][0]["containerID"].as_str().unwrap_or("").to_owned();
    let before = container(&pod);
    // Deleting what shows it does not end it.
    namespace.k(&format!("delete pod {name} --grace-period=0 --force"));
    let again = wait_for("the pod to show itself again", || {
        let ran = namespace.try_k(&["get", "pod", &name, "--output=json"]);
        let pod: Value = serde_json::from_str(&ran.stdout).map_err(|_| ran.to_string())?;
        if container(&pod).is_empty() { Err(pod["status"].to_string()) } else { Ok(pod) }
    });
    assert_eq!(container(&again), before, "the same container");
    assert_ne!(again["metadata"]["uid"], pod["metadata"]["uid"]);
    kill_server(cluster);
    cluster.up();
    assert_eq!(container(&namespace.get(&format!("pod {name}"))), before, "after a restart too");
    fs::remove_file(file).unwrap();
    wait_for("it to go with its file", || {
        let ran = namespace.try_k(&["get", "pod", &name]);
        if ran.text().contains("NotFound") { Ok(()) } else { Err(ran.to_string()) }
    });
}

fn a_resize_needs_no_restart(cluster: &Cluster) {
    let namespace = cluster.namespace("resize");
    let limited =
        json!({ "resources": { "requests": { "cpu": "100m" }, "limits": { "cpu": "200m", "memory": "32Mi" } } });
    namespace.create(&pod("growing", limited));
    namespace.wait_ready("pod/growing");
    let resize = |request: &str, limit: &str| {
        let resources = json!({ "requests": { "cpu": request }, "limits": { "cpu": limit, "memory": "48Mi" } });
        let patch = json!({ "spec": { "containers": [{ "name": "main", "resources": resources }] } }).to_string();
        namespace.try_k(&["patch", "pod", "growing", "--subresource=resize", "--patch", &patch]).success()
    };
    resize("150m", "300m");
    wait_status(&namespace, "growing", "the new limits", |status| {
        let resources = &status["resources"];
        (resources["limits"]["memory"] == "48Mi" && resources["requests"]["cpu"] == "150m").then_some(())
    });
    let group = namespace.shell("growing", "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max");
    assert!(group.stdout.is_empty() || group.stdout.contains(&(48 << 20).to_string()), "{group}");
    assert_eq!(restarts(&namespace, "growing"), 0);
    resize("1000", "2000");
    let condition = wait_for("the answer that this is too much", || {
        let status = namespace.get("pod growing")["status"].clone();
        let conditions = status["conditions"].as_array().unwrap().clone();
        let pending = conditions.into_iter().find(|condition| condition["type"] == "PodResizePending");
        pending.ok_or_else(|| status.to_string())
    });
    assert_eq!(condition["reason"], "Infeasible", "{condition}");
    let message = condition["message"].as_str().unwrap();
    assert!(message.starts_with("Node didn't have enough capacity: cpu, requested: 1000000, capacity: "), "{message}");
    namespace.k("delete pod growing");
}

fn the_node_api_answers_as_upstreams(cluster: &Cluster) {
    let namespace = cluster.namespace("node-api");
    let probed = json!({ "readinessProbe": { "exec": { "command": ["true"] }, "periodSeconds": 1 } });
    namespace.create(&pod("measured", probed));
    namespace.wait_ready("pod/measured");
    let node = cluster.get("nodes")["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
    let raw = |path: &str| cluster.k(&format!("get --raw /api/v1/nodes/{node}/proxy/{path}"));
    assert_eq!(raw("healthz"), "ok");

    let resource = raw("metrics/resource");
    for family in ["node_cpu_usage_seconds_total ", "node_memory_working_set_bytes ", "resource_scrape_error 0"] {
        assert!(resource.lines().any(|line| line.starts_with(family)), "{family}: {resource}");
    }
    let labels = "{container=\"main\",namespace=\"node-api\",pod=\"measured\"}";
    for name in
        ["container_cpu_usage_seconds_total", "container_memory_working_set_bytes", "container_start_time_seconds"]
    {
        assert!(resource.contains(&format!("{name}{labels} ")), "{name}: {resource}");
    }
    assert!(resource.contains("pod_memory_working_set_bytes{namespace=\"node-api\",pod=\"measured\"} "), "{resource}");

    let cadvisor = raw("metrics/cadvisor");
    assert!(cadvisor.contains("container_memory_rss{container=\"main\",id=\"/"), "{cadvisor}");
    let own = raw("metrics");
    assert!(
        own.contains(&format!("kubelet_node_name{{node=\"{node}\"}} 1")) && own.contains("kubelet_running_pods "),
        "{own}"
    );
    let probes = raw("metrics/probes");
    let counted = probes.lines().find(|line| line.contains("pod=\"measured\"")).unwrap_or(&probes);
    assert!(counted.contains("probe_type=\"Readiness\"") && counted.contains("result=\"successful\""), "{probes}");

    let summary: Value = serde_json::from_str(&raw("stats/summary")).unwrap();
    let shown = summary["pods"].as_array().unwrap().iter().find(|pod| pod["podRef"]["name"] == "measured").unwrap();
    assert!(shown["memory"]["workingSetBytes"].as_u64().unwrap() > 0, "{shown}");
    assert!(summary["node"]["fs"]["capacityBytes"].as_u64().unwrap() > 0, "{summary}");
    let config: Value = serde_json::from_str(&raw("configz")).unwrap();
    assert_eq!(config["kubeletconfig"]["evictionHard"]["memory.available"], "100Mi", "{config}");
    let own = raw("logs/?query=kubelet&pattern=done%20step");
    assert!(own.lines().count() > 1 && own.lines().all(|line| line.contains("done step")), "{own}");
    let running: Value = serde_json::from_str(&raw("runningpods/")).unwrap();
    assert!(running["items"].as_array().unwrap().iter().any(|pod| pod["metadata"]["name"] == "measured"), "{running}");
    let pods: Value = serde_json::from_str(&raw("pods")).unwrap();
    assert!(pods["items"].as_array().unwrap().iter().any(|pod| pod["metadata"]["name"] == "measured"), "{pods}");
    namespace.k("delete pod measured");
}

/// Kubelet and runtime die with the server. Pods note each of their starts on the node's disk: in the end
/// each has started once, and runs, or is gone.
fn pods_survive_kill_9_at_random_moments(cluster: &Cluster) {
    let rounds = std::env::var("PINTLE_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    let namespace = cluster.namespace("chaos");
    let starts = cluster.machine.folder().join("starts");
    let noting = |name: &str| {
        pod(
            name,
            json!({
                "command": ["sh", "-c", "echo start >>/starts/$HOSTNAME; sleep 100000"], "grace": 1,
                "volumes": [{ "name": "starts", "hostPath": { "path": starts, "type": "DirectoryOrCreate" } }],
                "mounts": [{ "name": "starts", "mountPath": "/starts" }],
            }),
        )
    };
    for name in ["steady-a", "steady-b"] {
        namespace.create(&noting(name));
        namespace.wait_ready(&format!("pod/{name}"));
    }
    let before = containers(&namespace);
    let random = Random::system();
    for round in 0..rounds {
        cluster.up();
        // One comes and one goes while the server is killed.
        namespace.create(&noting(&format!("fleeting-{round}")));
        if round > 0 {
            namespace.k(&format!("delete pod fleeting-{} --wait=false", round - 1));
        }
        std::thread::park_timeout(Duration::from_millis(random.below(1500)));
        kill_server(cluster);
    }
    cluster.up();
    let last = format!("fleeting-{}", rounds - 1);
    namespace.wait_ready(&format!("pod/{last}"));
    wait_for("all that were deleted to be gone", || {
        let names: Vec<String> = containers(&namespace).into_keys().collect();
        if names == [last.as_str(), "steady-a", "steady-b"] { Ok(()) } else { Err(names.join(" ")) }
    });
    let after = containers(&namespace);
    for name in ["steady-a", "steady-b"] {
        assert_eq!(after[name], before[name], "{name} after {rounds} rounds");
    }
    assert_eq!(after[&last].1, 0, "{last}");
    for name in file_names(&starts) {
        let count = fs::read_to_string(starts.join(&name)).unwrap().lines().count();
        assert_eq!(count, 1, "{name} started {count} times in {rounds} rounds");
    }
    namespace.k(&format!("delete pod steady-a steady-b {last}"));
}

fn kill_server(cluster: &Cluster) {
    let pid = cluster.server_pid();
    run(Command::new("kill").args(["-KILL", &pid.to_string()]), "").success();
    // Its lock goes with the last of its threads, a moment after the process seems gone.
    wait_for("the server's lock to be free", || {
        let tried = run(Command::new("flock").arg("--nonblock").arg(cluster.run_dir().join("lock")).arg("true"), "");
        if tried.is_success() { Ok(()) } else { Err(tried.to_string()) }
    });
}

/// Id and restart count of each pod's container.
fn containers(namespace: &Namespace<'_>) -> BTreeMap<String, (String, u64)> {
    let pods = namespace.get("pods")["items"].as_array().unwrap().clone();
    let of = |pod: &Value| {
        let status = &pod["status"]["containerStatuses"][0];
        let id = status["containerID"].as_str().unwrap_or("").to_owned();
        (pod["metadata"]["name"].as_str().unwrap().to_owned(), (id, status["restartCount"].as_u64().unwrap_or(0)))
    };
    pods.iter().map(of).collect()
}

/// A pod of one container, from busybox unless `more` says otherwise. Of `more` what belongs to the pod is
/// told apart by its name, the rest is the container's.
fn pod(name: &str, more: Value) -> String {
    let mut container = json!({
        "name": "main", "image": "busybox:1.36", "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"],
    });
    let mut spec = json!({ "terminationGracePeriodSeconds": 5 });
    let mut labels = json!({});
    for (key, value) in more.as_object().unwrap() {
        match key.as_str() {
            "restartPolicy" | "nodeName" | "nodeSelector" | "volumes" | "priorityClassName" | "runtimeClassName" => {
                spec[key] = value.clone()
            }
            "labels" => labels = value.clone(),
            "grace" => spec["terminationGracePeriodSeconds"] = value.clone(),
            "podSecurity" => spec["securityContext"] = value.clone(),
            "mounts" => container["volumeMounts"] = value.clone(),
            _ => container[key] = value.clone(),
        }
    }
    spec["containers"] = json!([container]);
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "labels": labels }, "spec": spec })
        .to_string()
}

/// Loads an image of the given configuration and files (`name` and contents).
fn load_image(cluster: &Cluster, name: &str, config: Value, files: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let (image, layer) = (folder.path().join("image"), folder.path().join("layer"));
    fs::create_dir_all(&image).unwrap();
    fs::create_dir_all(&layer).unwrap();
    fs::write(layer.join("readme"), "nothing to run\n").unwrap();
    for (file, contents) in files {
        fs::write(layer.join(file), contents).unwrap();
    }
    let tar = |from: &Path, to: &Path| {
        run(Command::new("tar").arg("--create").arg("--file").arg(to).arg("--directory").arg(from).arg("."), "")
            .success();
    };
    tar(&layer, &image.join("layer.tar"));
    let sum = run(Command::new("sha256sum").arg(image.join("layer.tar")), "").success();
    let digest = format!("sha256:{}", sum.split(' ').next().unwrap());
    let architecture = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    let config = json!({
        "architecture": architecture, "os": "linux", "config": config,
        "rootfs": { "type": "layers", "diff_ids": [digest] },
    });
    fs::write(image.join("config.json"), config.to_string()).unwrap();
    let manifest = json!([{ "Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"] }]);
    fs::write(image.join("manifest.json"), manifest.to_string()).unwrap();
    let archive = folder.path().join("image.tar");
    tar(&image, &archive);
    run(cluster.pintle_command("image load").arg(archive), "").success();
}

/// Waits for what `wanted` finds in the status of the pod's only container.
#[track_caller]
fn wait_status<T>(namespace: &Namespace<'_>, pod: &str, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> T {
    wait_for(&format!("{what} of {pod}"), || {
        let status = namespace.get(&format!("pod {pod}"))["status"]["containerStatuses"][0].clone();
        wanted(&status).ok_or_else(|| status.to_string())
    })
}

/// The message of a container that waits for the given reason.
#[track_caller]
fn wait_waiting(namespace: &Namespace<'_>, pod: &str, reason: &str) -> String {
    wait_status(namespace, pod, reason, |status| {
        let waiting = &status["state"]["waiting"];
        (waiting["reason"] == reason).then(|| waiting["message"].as_str().unwrap_or("").to_owned())
    })
}

/// The message of the pod's latest event with the given reason.
#[track_caller]
fn wait_event(namespace: &Namespace<'_>, pod: &str, reason: &str) -> String {
    let selector = format!("events --field-selector=involvedObject.name={pod},reason={reason}");
    wait_for(&format!("event {reason} of {pod}"), || {
        let events = namespace.get(&selector);
        let message = events["items"][0]["message"].as_str().map(str::to_owned);
        message.ok_or_else(|| namespace.k(&format!("get events --field-selector=involvedObject.name={pod}")))
    })
}

fn restarts(namespace: &Namespace<'_>, pod: &str) -> u64 {
    namespace.get(&format!("pod {pod}"))["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap()
}

fn file_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}
