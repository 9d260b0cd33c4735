//! Volumes of a node's own folders: made for claims, kept over pods, grown, and given back.

use std::process::ExitCode;

use e2e::{Cluster, Namespace, Suite, trial, wait_for};

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        cluster.up();
        cluster.load(&["busybox.tar"]);
    });
    let trials = vec![
        trial(&suite, "a_stateful_set_finds_its_data_again", a_stateful_set_finds_its_data_again),
        trial(&suite, "a_claim_grows_and_its_folder_goes_with_it", a_claim_grows_and_its_folder_goes_with_it),
        trial(&suite, "a_cloud_class_is_served_and_says_so", a_cloud_class_is_served_and_says_so),
        trial(&suite, "a_volume_made_by_hand_is_bound_and_kept", a_volume_made_by_hand_is_bound_and_kept),
        trial(&suite, "a_pod_without_its_claim_says_why_it_waits", a_pod_without_its_claim_says_why_it_waits),
    ];
    suite.run(2, trials)
}

fn claim(name: &str, class: Option<&str>, size: &str) -> String {
    let class = class.map_or(String::new(), |class| format!("  storageClassName: {class}\n"));
    format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}}}\nspec:\n{class}  accessModes: \
         [ReadWriteOnce]\n  resources: {{requests: {{storage: {size}}}}}\n"
    )
}

fn user_of(claim: &str, script: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: user-of-{claim}}}\nspec:\n  containers:\n  - name: main\n    \
         image: busybox:1.36\n    command: [sh, -c, \"trap 'exit 0' TERM; {script}; while :; do sleep 1 & wait; \
         done\"]\n    volumeMounts: [{{name: data, mountPath: /data}}]\n  volumes:\n  - name: data\n    \
         persistentVolumeClaim: {{claimName: {claim}}}\n"
    )
}

fn told(namespace: &Namespace<'_>, about: &str, reason: &str) -> String {
    wait_for(&format!("an event {reason} about {about}"), || {
        let events = namespace.get(&format!("events --field-selector involvedObject.name={about}"));
        let all: Vec<_> = events["items"].as_array().into_iter().flatten().collect();
        let found = all.iter().find(|event| event["reason"] == reason);
        found.map(|event| event["message"].as_str().unwrap_or("").to_owned()).ok_or_else(|| events.to_string())
    })
}

fn a_stateful_set_finds_its_data_again(cluster: &Cluster) {
    let namespace = cluster.namespace("stateful");
    namespace.create(
        r#"
apiVersion: v1
kind: Service
metadata: {name: keeper}
spec: {clusterIP: None, selector: {app: keeper}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: keeper}
spec:
  serviceName: keeper
  replicas: 2
  selector: {matchLabels: {app: keeper}}
  template:
    metadata: {labels: {app: keeper}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox:1.36
        securityContext: {runAsUser: 1000}
        command: [sh, -c, "echo $HOSTNAME started >> /data/log; while :; do sleep 1; done"]
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec:
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 10Mi}}
"#,
    );
    namespace.k("rollout status statefulset/keeper --timeout=90s");
    for pod in ["keeper-0", "keeper-1"] {
        assert_eq!(namespace.get(&format!("pvc data-{pod}"))["status"]["phase"], "Bound");
    }
    let first = namespace.get("pod keeper-0")["metadata"]["uid"].clone();
    namespace.k("delete pod keeper-0");
    wait_for("the pod to be made again", || {
        let pod = namespace.get("pods --selector=app=keeper");
        let again = pod["items"].as_array().into_iter().flatten().any(|pod| {
            pod["metadata"]["name"] == "keeper-0"
                && pod["metadata"]["uid"] != first
                && pod["status"]["phase"] == "Running"
        });
        if again { Ok(()) } else { Err(pod.to_string()) }
    });
    wait_for("both starts in one log", || {
        let log = namespace.try_k(&["exec", "keeper-0", "--", "cat", "/data/log"]);
        if log.stdout == "keeper-0 started\nkeeper-0 started\n" { Ok(()) } else { Err(log.to_string()) }
    });
    assert_eq!(namespace.k("exec keeper-1 -- cat /data/log"), "keeper-1 started\n");
}

fn a_claim_grows_and_its_folder_goes_with_it(cluster: &Cluster) {
    let namespace = cluster.namespace("growing");
    namespace.create(&claim("data", None, "1Gi"));
    assert_eq!(
        told(&namespace, "data", "WaitForFirstConsumer"),
        "waiting for first consumer to be created before binding"
    );
    namespace.create(&user_of("data", "echo kept > /data/file"));
    namespace.k("wait --for=condition=Ready pod/user-of-data --timeout=60s");
    let claimed = namespace.get("pvc data");
    assert_eq!(claimed["spec"]["storageClassName"], "local");
    let volume = cluster.get(&format!("pv {}", claimed["spec"]["volumeName"].as_str().unwrap()));
    let folder = volume["spec"]["hostPath"]["path"].as_str().unwrap().to_owned();
    wait_for("the file in the node's folder", || {
        std::fs::read_to_string(format!("{folder}/file")).map_err(|error| error.to_string())
    });

    namespace.k(r#"patch pvc data --patch={"spec":{"resources":{"requests":{"storage":"2Gi"}}}}"#);
    wait_for("a larger claim", || {
        let capacity = namespace.get("pvc data")["status"]["capacity"]["storage"].clone();
        if capacity == "2Gi" { Ok(()) } else { Err(capacity.to_string()) }
    });
    assert_eq!(told(&namespace, "data", "VolumeResizeSuccessful"), "Resize volume succeeded");

    namespace.k("delete pvc data --wait=false");
    assert!(namespace.get("pvc data")["metadata"]["deletionTimestamp"].is_string(), "kept while it is used");
    namespace.k("delete pod user-of-data --grace-period=1");
    wait_for("the folder to go", || {
        if std::path::Path::new(&folder).exists() { Err(format!("{folder} is there")) } else { Ok(()) }
    });
}

fn a_cloud_class_is_served_and_says_so(cluster: &Cluster) {
    let namespace = cluster.namespace("cloudy");
    namespace.create(
        "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: gp2}\nprovisioner: \
         kubernetes.io/aws-ebs\nparameters: {type: gp2}\n",
    );
    namespace.create(&claim("disk", Some("gp2"), "8Gi"));
    namespace.k("wait --for=jsonpath={.status.phase}=Bound pvc/disk --timeout=60s");
    let message = told(&namespace, "disk", "ProvisioningLocally");
    assert!(message.contains("kubernetes.io/aws-ebs"), "{message}");
    cluster.k("delete storageclass gp2");
}

fn a_volume_made_by_hand_is_bound_and_kept(cluster: &Cluster) {
    let namespace = cluster.namespace("byhand");
    namespace.create(
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: byhand}\nspec:\n  storageClassName: manual\n  \
         capacity: {storage: 1Gi}\n  accessModes: [ReadWriteOnce]\n  hostPath: {path: /tmp, type: Directory}\n",
    );
    namespace.create(&claim("data", Some("manual"), "500Mi"));
    namespace.k("wait --for=jsonpath={.status.phase}=Bound pvc/data --timeout=60s");
    assert_eq!(namespace.get("pvc data")["status"]["capacity"]["storage"], "1Gi");
    namespace.k("delete pvc data");
    cluster.k("wait --for=jsonpath={.status.phase}=Released pv/byhand --timeout=60s");
    cluster.k("delete pv byhand");
}

fn a_pod_without_its_claim_says_why_it_waits(cluster: &Cluster) {
    let namespace = cluster.namespace("waiting");
    namespace.create(&user_of("missing", "true"));
    let message = told(&namespace, "user-of-missing", "FailedScheduling");
    assert!(
        message.starts_with("0/1 nodes are available: persistentvolumeclaim \"missing\" not found. preemption:"),
        "{message}"
    );
    namespace.create(&claim("missing", None, "1Mi"));
    namespace.k("wait --for=condition=Ready pod/user-of-missing --timeout=60s");
}
