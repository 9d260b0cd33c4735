//! What managed fields cost an update of a pod of 4 KiB: `cargo run --release -p codec --example ownership_cost`.

use std::hint::black_box;

use codec::apply::{self, ManagedFields, Resets, Tracking, Versions};
use codec::schema::{self, Type};
use codec::{FieldValidation, Format, Object};
use serde_json::{Value, json};
use stdx::Clock;

const ROUNDS: u32 = 1000;

struct Pods(&'static Type);

impl Versions for Pods {
    fn r#type(&self, _api_version: &str) -> Option<&'static Type> {
        Some(self.0)
    }

    fn convert(&self, object: &Object, _from: &str, _to: &str) -> Option<Object> {
        Some(object.clone())
    }
}

fn main() {
    let versions = Pods(schema::lookup("", "v1", "Pod").expect("pods are built in"));
    let write = |manager: &str, subresource: &str, live: &Object, new: &Object, managed: ManagedFields| {
        let resets =
            if subresource.is_empty() { Resets::Excluding(&[&["status"]]) } else { Resets::Excluding(&[&["spec"]]) };
        let now = "2030-01-01T00:00:00Z";
        Tracking { versions: &versions, api_version: "v1", manager, subresource, now, resets }
            .update(live, new, managed)
    };
    let spec = pod(false);
    let created = write("kube-controller-manager", "", &Object::new(), &spec, ManagedFields::default());
    let mut live = pod(true);
    let list = write("kubelet", "status", &spec, &live, created).rest().expect("two managers own the pod");
    let bare = Value::Object(live.clone()).to_string();
    live["metadata"]["managedFields"] = list.clone();
    let mut unfolded = live.clone();
    apply::unfold(&mut unfolded).expect("the fields were just written");
    let whole = Value::Object(unfolded).to_string();
    println!("a pod of {} bytes, its managed fields another {}", bare.len(), whole.len() - bare.len());

    let mut labelled = live.clone();
    labelled["metadata"]["labels"]["new"] = json!("label");
    let mut ready = live.clone();
    ready["status"]["conditions"][1]["status"] = json!("False");
    let clock = Clock::system();
    let measure = |name: &str, work: &mut dyn FnMut()| {
        // The best of ten turns: what others did on the machine meanwhile does not count.
        let turn = |work: &mut dyn FnMut()| {
            let began = clock.instant();
            (0..ROUNDS).for_each(|_| work());
            clock.instant().duration_since(began).as_secs_f64() * 1e6 / f64::from(ROUNDS)
        };
        let micros = (0..10).map(|_| turn(work)).fold(f64::INFINITY, f64::min);
        println!("{name:<62} {micros:>6.1} µs");
        micros
    };
    let stored = |text: &str| drop(black_box(apply::read_resting(text.as_bytes())));
    let r#type = versions.0;
    let sent = |text: &str| {
        drop(black_box(codec::decode_resting(text.as_bytes(), Format::Json, r#type, FieldValidation::Warn)));
    };
    let print = |list: &Value| drop(black_box(apply::write_managed(list, &mut Vec::with_capacity(4096))));
    let beside = |name: &str, read: &dyn Fn(&str)| {
        measure(&format!("the pod as {name}"), &mut || read(&whole))
            - measure(&format!("the pod as {name}, without its managed fields"), &mut || read(&bare))
    };
    let read = beside("it rests", &stored) + beside("a client sends it", &sent);
    let written = measure("the fields, written as JSON", &mut || print(&list));
    let run = |manager: &str, subresource: &str, new: &Object| {
        let managed = ManagedFields::stored(Some(list.clone()));
        drop(black_box(write(manager, subresource, &live, new, managed).rest()));
    };
    let nothing = measure("a write that changes nothing", &mut || run("kubectl", "", &live));
    let label = measure("one that sets a label", &mut || run("kubectl", "", &labelled));
    let status = measure("one that changes the status", &mut || run("kubelet", "status", &ready));
    // Read from the store and from the client, written once.
    println!("in all, beside the pod's own cost: {:.1} µs", read + written + nothing.max(label).max(status));
}

fn pod(with_status: bool) -> Object {
    let container = |name: &str| {
        json!({
            "name": name, "image": "registry.example.com/team/application:v1.2.3", "imagePullPolicy": "IfNotPresent",
            "args": ["--listen=0.0.0.0:8080", "--log-level=info", "--config=/etc/application/config.yaml"],
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}, {"name": "metrics", "containerPort": 9090, "protocol": "TCP"}],
            "env": [
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
                {"name": "REGION", "value": "eu-central-1"}, {"name": "TIER", "value": "production"},
            ],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}, "periodSeconds": 10,
                "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/application"}, {"name": "data", "mountPath": "/data"}],
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        })
    };
    let mut pod = json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": "application-5d4f8c7b9d-x2x8z", "generateName": "application-5d4f8c7b9d-", "namespace": "default",
            "uid": "0b5d6a3c-9f53-4c43-8a1b-6f2f4a0a8c11", "creationTimestamp": "2030-01-01T00:00:00Z",
            "labels": {"app": "application", "pod-template-hash": "5d4f8c7b9d", "team": "platform"},
            "annotations": {"example.com/checksum": "d2c1c8a5ec5d0b1b1c8d2bd1f6c5a4e3"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "application-5d4f8c7b9d",
                "uid": "7c0f7c11-8a9c-4a62-8f3a-1f6de1a7b2aa", "controller": true, "blockOwnerDeletion": true}]},
        "spec": {"containers": [container("application"), container("sidecar")],
            "volumes": [{"name": "config", "configMap": {"name": "application", "defaultMode": 420}}, {"name": "data", "emptyDir": {}}],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "nodeName": "node-1",
            "serviceAccountName": "application", "schedulerName": "default-scheduler", "securityContext": {}, "enableServiceLinks": true},
    });
    if with_status {
        let condition = |kind: &str| json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": "2030-01-01T00:00:05Z"});
        let conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition);
        pod["status"] = json!({
            "phase": "Running", "qosClass": "Burstable", "podIP": "10.244.0.7", "podIPs": [{"ip": "10.244.0.7"}],
            "hostIP": "192.0.2.1", "startTime": "2030-01-01T00:00:01Z",
            "conditions": conditions,
        });
    }
    match pod {
        Value::Object(pod) => pod,
        _ => Object::new(),
    }
}
