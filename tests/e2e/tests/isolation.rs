//! Pods apart from their node: users of their own, and images as volumes.

use std::collections::BTreeSet;
use std::process::ExitCode;

use e2e::{Cluster, Suite, trial, wait_for};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        cluster.up();
        cluster.load(&["busybox.tar"]);
    });
    let trials = vec![
        trial(&suite, "pods_have_users_of_their_own", pods_have_users_of_their_own),
        trial(&suite, "an_image_is_a_volume", an_image_is_a_volume),
    ];
    suite.run(1, trials)
}

fn pods_have_users_of_their_own(cluster: &Cluster) {
    let namespace = cluster.namespace("own-users");
    namespace.create(
        &json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "words" }, "data": { "word": "configured" },
        })
        .to_string(),
    );
    for name in ["one", "two"] {
        namespace.create(&pod(
            name,
            json!({
                "hostUsers": false,
                "volumes": [
                    { "name": "scratch", "emptyDir": {} },
                    { "name": "memory", "emptyDir": { "medium": "Memory" } },
                    { "name": "words", "configMap": { "name": "words" } },
                ],
            }),
            json!({
                "volumeMounts": [
                    { "name": "scratch", "mountPath": "/scratch" },
                    { "name": "memory", "mountPath": "/memory" },
                    { "name": "words", "mountPath": "/words" },
                ],
            }),
        ));
    }
    let mut ranges = BTreeSet::new();
    for name in ["one", "two"] {
        namespace.wait_ready(&format!("pod/{name}"));
        let map = namespace.shell(name, "cat /proc/self/uid_map").success();
        let numbers: Vec<u64> = map.split_whitespace().map(|number| number.parse().unwrap()).collect();
        assert_eq!((numbers[0], numbers[1] % 65536, numbers[2]), (0, 0, 65536), "{map}");
        assert!(ranges.insert(numbers[1]) && numbers[1] > 0, "{ranges:?}");
        // Inside, the pod is as every other: root owns its files and volumes, and may write them.
        let script = "cat /words/word; for d in /scratch /memory; do echo x > $d/f; stat -c %u $d $d/f; done; stat -c %u /bin/busybox /var/run/secrets/kubernetes.io/serviceaccount/token";
        let output = namespace.shell(name, script).success();
        assert_eq!(output, "configured0\n0\n0\n0\n0\n0\n");
    }
    namespace.k("delete pod one two");
}

fn an_image_is_a_volume(cluster: &Cluster) {
    let namespace = cluster.namespace("image-volume");
    let volume = |reference: &str| {
        json!({ "volumes": [
            { "name": "files", "image": { "reference": reference, "pullPolicy": "IfNotPresent" } },
        ] })
    };
    let mounted = json!({ "volumeMounts": [{ "name": "files", "mountPath": "/files" }] });
    namespace.create(&pod("reader", volume("busybox:1.36"), mounted.clone()));
    namespace.wait_ready("pod/reader");
    assert_eq!(namespace.shell("reader", "test -x /files/bin/busybox && echo there").success(), "there\n");
    let refused = namespace.shell("reader", "touch /files/x").failure();
    assert!(refused.contains("Read-only file system"), "{refused}");
    let inner = json!({ "volumeMounts": [{ "name": "files", "mountPath": "/files", "subPath": "no/such" }] });
    namespace.create(&pod("lost", volume("busybox:1.36"), inner));
    let message = wait_for("the failed volume", || {
        let status = namespace.get("pod lost")["status"]["containerStatuses"][0].clone();
        let waiting = status["state"]["waiting"]["message"].as_str().unwrap_or_default().to_owned();
        if waiting.contains("failed to ensure image subpath") { Ok(waiting) } else { Err(status.to_string()) }
    });
    assert!(message.contains("no/such"), "{message}");
    namespace.k("delete pod reader lost");
}

/// A pod that sleeps, with more of its spec and of its container's.
fn pod(name: &str, more: Value, of_container: Value) -> String {
    let mut container = json!({
        "name": "main", "image": "busybox:1.36", "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"],
    });
    let mut spec = json!({ "terminationGracePeriodSeconds": 2 });
    for (target, values) in [(&mut container, of_container), (&mut spec, more)] {
        for (key, value) in values.as_object().unwrap() {
            target[key] = value.clone();
        }
    }
    spec["containers"] = json!([container]);
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name }, "spec": spec }).to_string()
}
