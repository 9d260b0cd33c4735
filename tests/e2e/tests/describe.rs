//! What the real `kubectl describe` makes of every kind: of the golden objects, as controllers leave them, put into a
//! store behind a server that nothing else runs beside. What is looked for is what kubectl's describers print of such
//! objects; a kind they know nothing special of is told field by field.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use apiserver::{ApiServer, Config};
use codec::{FieldValidation, Format, schema};
use e2e::Kubectl;
use hyper_util::rt::TokioIo;
use registry::{Kind, Object};
use serde_json::{Value, json};
use stdx::Ambient;
use store::{Expect, Memory, Operation, Store, Transaction};
use tokio::net::TcpListener;
use tower::ServiceExt;

/// Kinds and lines of their descriptions, spaces aside. Source: kubectl pkg/describe/describe.go, whose `describerMap`
/// names the describer of each kind; what is told field by field comes from its `genericDescriber`.
const LINES: &[(&str, &[&str])] = &[
    ("Pod", &["Image: nginx:1.27", "QoS Class: Burstable", "Conditions:"]),
    (
        "Service",
        &[
            "Selector: app=web,tier=front",
            "Type: LoadBalancer",
            "IP: 10.96.0.50",
            "LoadBalancer Ingress: 192.0.2.7 (VIP)",
            "Port: http 80/TCP",
            "TargetPort: web/TCP",
            "NodePort: dns 30053/UDP",
            "Session Affinity: ClientIP",
            "HealthCheck NodePort: 30500",
        ],
    ),
    ("Endpoints", &["Addresses: 10.0.0.1,10.0.0.2", "NotReadyAddresses: 10.0.0.3", "http 80 TCP"]),
    (
        "Namespace",
        &["Labels: kubernetes.io/metadata.name=team", "owner=jane", "Status: Terminating", "No resource quota."],
    ),
    (
        "Node",
        &[
            "Roles: control-plane",
            "Taints: node.kubernetes.io/unschedulable:NoSchedule",
            "Unschedulable: true",
            "Container Runtime Version: containerd://2.0",
            "PodCIDR: 10.244.0.0/24",
            "ProviderID: kind://n1",
        ],
    ),
    ("ConfigMap", &["color:", "red", "icon: 2 bytes"]),
    ("Secret", &["Type: kubernetes.io/basic-auth", "password: 6 bytes", "username: 4 bytes"]),
    ("ServiceAccount", &["Image pull secrets: registry (not found)", "Mountable secrets: robot-token (not found)"]),
    ("ReplicationController", &["Selector: app=web", "Labels: app=web", "Image: nginx:1.27"]),
    (
        "PersistentVolume",
        &[
            "StorageClass: fast",
            "Status: Bound",
            "Claim: default/data",
            "Reclaim Policy: Delete",
            "Access Modes: RWO,ROX",
            "Capacity: 5Gi",
            "Driver: csi.example.com",
        ],
    ),
    (
        "PersistentVolumeClaim",
        &["StorageClass: fast", "Status: Bound", "Volume: pv", "Capacity: 1Gi", "Access Modes: RWO", "Used By: <none>"],
    ),
    ("LimitRange", &["Container cpu 100m 2 500m 1 10", "Pod cpu - 4 - - -"]),
    ("ResourceQuota", &["Scopes: NotBestEffort", "requests.cpu 500m 2", "pods 3 10"]),
    ("ComponentStatus", &["Type: Healthy", "Status: True", "Message: ok"]),
    ("CustomResourceDefinition", &["Group: example.com", "Plural: lamps"]),
    ("APIService", &["Group Priority Minimum: 100", "Reason: MissingEndpoints"]),
    (
        "Deployment",
        &[
            "Selector: app=web,!gone,tier in (a,b)",
            "Replicas: 3 desired | 3 updated | 4 total | 1 available | 2 unavailable",
            "StrategyType: RollingUpdate",
            "MinReadySeconds: 5",
            "RollingUpdateStrategy: 0 max unavailable, 1 max surge",
        ],
    ),
    ("ReplicaSet", &["Replicas: 2 current / 2 desired", "Pods Status: 0 Running / 0 Waiting / 0 Succeeded / 0 Failed"]),
    ("StatefulSet", &["Replicas: 3 desired | 3 total", "Update Strategy: OnDelete", "Volume Claims: <none>"]),
    (
        "DaemonSet",
        &[
            "Node-Selector: a=b,disk=ssd",
            "Desired Number of Nodes Scheduled: 4",
            "Current Number of Nodes Scheduled: 3",
            "Number of Nodes Scheduled with Available Pods: 1",
        ],
    ),
    (
        "HorizontalPodAutoscaler",
        &["Reference: Deployment/web", "Min replicas: 2", "Max replicas: 5", "Deployment pods: 3 current / 4 desired"],
    ),
    (
        "Job",
        &[
            "Parallelism: 2",
            "Completions: 5",
            "Completion Mode: Indexed",
            "Suspend: true",
            "Active Deadline Seconds: 100s",
            "Pods Statuses: 1 Active (1 Ready) / 1 Succeeded / 1 Failed",
            "Completed Indexes: 0",
        ],
    ),
    (
        "CronJob",
        &[
            "Schedule: @hourly",
            "Concurrency Policy: Forbid",
            "Suspend: True",
            "Successful Job History Limit: 4",
            "Starting Deadline Seconds: 10s",
        ],
    ),
    (
        "CertificateSigningRequest",
        &["Requesting User: jane", "Signer: example.com/a", "Status: Approved", "Common Name: somebody"],
    ),
    ("Lease", &["Holder Identity: me", "Lease Duration Seconds: 15"]),
    ("EndpointSlice", &["AddressType: IPv4", "http 80 TCP", "TargetRef: Pod/web-0"]),
    ("FlowSchema", &["Matching Precedence: 500"]),
    ("PriorityLevelConfiguration", &["Nominal Concurrency Shares: 20"]),
    (
        "Ingress",
        &["Ingress Class: nginx", "Address: 192.0.2.1,lb.example.com", "tls terminates a.example.com", "*.example.com"],
    ),
    ("IngressClass", &["Controller: example.com/nginx"]),
    ("NetworkPolicy", &["PodSelector: app=web", "Policy Types: Ingress, Egress", "CIDR: 10.0.0.0/8"]),
    ("RuntimeClass", &["Handler: runsc"]),
    (
        "PodDisruptionBudget",
        &[
            "Max unavailable: 25%",
            "Selector: app=web",
            "Allowed disruptions: 1",
            "Current: 3",
            "Desired: 2",
            "Total: 3",
        ],
    ),
    ("ClusterRole", &["pods [] [x] [get]", "[/healthz] [] [get]"]),
    ("Role", &["*.* [] [x] [*]"]),
    ("ClusterRoleBinding", &["Kind: ClusterRole", "User jane", "Group g", "ServiceAccount s ns"]),
    ("RoleBinding", &["Kind: Role", "ServiceAccount s ns", "ServiceAccount t ns"]),
    ("PriorityClass", &["Value: 100", "GlobalDefault: true", "PreemptionPolicy: Never", "Description: d"]),
    ("CSINode", &["csi.example.com:", "Node ID: n1"]),
    (
        "StorageClass",
        &[
            "IsDefaultClass: Yes",
            "Provisioner: csi.example.com",
            "Parameters: type=ssd",
            "AllowVolumeExpansion: True",
            "MountOptions:",
            "ReclaimPolicy: Retain",
            "VolumeBindingMode: WaitForFirstConsumer",
        ],
    ),
];

/// Kinds for which kubectl has no describer of its own.
const FIELD_BY_FIELD: &[&str] = &[
    "CSIDriver",
    "CSIStorageCapacity",
    "ClusterTrustBundle",
    "ControllerRevision",
    "DeviceClass",
    "DeviceTaintRule",
    "Event",
    "LeaseCandidate",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "PodCertificateRequest",
    "PodGroup",
    "PodTemplate",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "ResourceSlice",
    "StorageVersionMigration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "Workload",
];

/// Kinds that kubectl came to know better from 1.31 on: of older ones only the name's line is certain.
const SINCE_RECENTLY: &[&str] = &["IPAddress", "ServiceCIDR", "VolumeAttributesClass"];

/// The lines that the description of a kind must have besides that of the name.
fn lines_of(kind: &Kind) -> Vec<String> {
    if FIELD_BY_FIELD.contains(&kind.kind) {
        return vec![format!("API Version: {}", kind.api_version()), format!("Kind: {}", kind.kind)];
    }
    let special = LINES.iter().find(|(known, _)| *known == kind.kind);
    special.map_or(&[][..], |(_, lines)| lines).iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn every_kind_is_expected_in_one_way() {
    let listed = registry::KINDS.iter().copied().filter(|kind| golden(kind).is_some());
    let wrong: Vec<(&str, usize)> = listed
        .map(|kind| {
            let special = LINES.iter().filter(|(known, _)| *known == kind.kind).count();
            let others = [FIELD_BY_FIELD, SINCE_RECENTLY].concat();
            (kind.kind, special + others.iter().filter(|known| **known == kind.kind).count())
        })
        .filter(|(_, times)| *times != 1)
        .collect();
    assert!(wrong.is_empty(), "kinds and how often they are expected: {wrong:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_describes_every_kind() {
    let store = Memory::new();
    let address = serve(store.clone()).await;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let described = put_goldens(&*store).await;
    assert!(described.len() > 50, "{} kinds", described.len());
    let mut complaints = Vec::new();
    for (kind, name) in described {
        let (folder, address) = (folder.path().to_owned(), address.clone());
        let asked = tokio::task::spawn_blocking(move || describe(&folder, &address, kind, &name));
        complaints.extend(asked.await.expect("kubectl is run"));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A server that takes everybody for the administrator.
async fn serve(store: Arc<Memory>) -> String {
    let config = Config {
        store,
        ambient: Ambient::system(),
        service_cidr: "10.96.0.0/12".to_owned(),
        node_ports: 30000..=32767,
        cluster_domain: "cluster.local".to_owned(),
        client_ca_pem: "nobody shows a certificate".to_owned(),
        service_account_key_pem: rcgen::KeyPair::generate().expect("a key").serialize_pem(),
        service_account_issuer: "https://kubernetes.default.svc.cluster.local".to_owned(),
        advertise: "192.0.2.1:6443".parse().expect("an address"),
        kubelet_tls: None,
    };
    let server = ApiServer::start(config).await.expect("the server starts");
    let service = server.local("admin", &["system:masters"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("it listens"));
    tokio::spawn(async move {
        let _server = server;
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            let answer = hyper::service::service_fn(move |request| service.clone().oneshot(request));
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    address
}

/// Puts every golden object where it rests; tells kinds and names.
async fn put_goldens(store: &dyn Store) -> Vec<(&'static Kind, String)> {
    let mut put = vec![(registry::by_kind("", "v1", "ComponentStatus").expect("it is served"), "scheduler".to_owned())];
    for kind in registry::KINDS.iter().copied() {
        let Some(object) = golden(kind) else { continue };
        let name = object["metadata"]["name"].as_str().expect("it has a name").to_owned();
        let namespace = object["metadata"]["namespace"].as_str().map(|namespace| format!("{namespace}/"));
        let group = if kind.group.is_empty() { "core" } else { kind.group };
        let key = format!("/registry/{group}/{}/{}{name}", kind.plural, namespace.unwrap_or_default());
        let bytes = Value::Object(object).to_string().into();
        let operations = vec![Operation::put(key, bytes, Expect::Anything)];
        store.commit(Transaction { operations, author: None }).await.expect("memory takes it");
        put.push((kind, name));
    }
    put
}

/// The full object of a kind that rests by itself, as it rests.
fn golden(kind: &'static Kind) -> Option<Object> {
    if kind.storage.is_some() || kind.is_legacy() || !kind.serves("watch") {
        return None;
    }
    let group = if kind.group.is_empty() { "core" } else { kind.group };
    let path =
        e2e::repository().join("crates/registry/tests/golden").join(group).join(format!("{}.yaml", kind.singular));
    let file = codec::decode_untyped(&std::fs::read(&path).ok()?, Format::Yaml, FieldValidation::Strict);
    let file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display())).object;
    let given = &file["full"]["given"];
    let r#type = schema::lookup(kind.group, kind.version, kind.kind).expect("every kind has a type");
    let read = codec::decode(given.to_string().as_bytes(), Format::Json, r#type, FieldValidation::Strict);
    let mut given = read.unwrap_or_else(|error| panic!("{}: {error}", path.display())).object;
    kind.rules.default(&mut given);
    schema::complete(&mut given, r#type);
    // What rests begins with kind, version and metadata.
    let mut metadata = given.shift_remove("metadata").expect("it has metadata");
    metadata["uid"] = json!("d9607e19-f88f-11e6-a518-42010a800195");
    metadata["creationTimestamp"] = json!("2030-01-01T00:00:00Z");
    let mut object = Object::from_iter([
        ("kind".to_owned(), json!(kind.kind)),
        ("apiVersion".to_owned(), json!(kind.api_version())),
        ("metadata".to_owned(), metadata),
    ]);
    given.retain(|field, _| field != "kind" && field != "apiVersion");
    object.extend(given);
    if kind.kind == "CertificateSigningRequest" {
        // kubectl reads it, so that it must be one.
        object["spec"]["request"] = json!(signing_request());
    }
    Some(object)
}

/// In PEM in base64.
fn signing_request() -> String {
    let mut parameters = rcgen::CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "somebody");
    let key = rcgen::KeyPair::generate().expect("a key");
    let pem = parameters.serialize_request(&key).and_then(|request| request.pem()).expect("a request");
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pem)
}

/// What is amiss with the description of one object.
fn describe(folder: &Path, server: &str, kind: &Kind, name: &str) -> Vec<String> {
    let resource = match kind.group {
        "" => kind.plural.to_owned(),
        group => format!("{}.{}.{group}", kind.plural, kind.version),
    };
    let mut command = Command::new(&Kubectl::usual().program);
    command.env("HOME", folder).env("KUBECONFIG", folder.join("none"));
    command.args(["--server", server, "--namespace", "default", "describe", &resource, name]);
    let ran = command.output().expect("kubectl can be run");
    let printed = String::from_utf8_lossy(&ran.stdout);
    if !ran.status.success() {
        return vec![format!("describe {resource} {name}: {}", String::from_utf8_lossy(&ran.stderr))];
    }
    let lines: Vec<String> =
        printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let own_name = format!("Name: {name}");
    let expected = std::iter::once(own_name).chain(lines_of(kind));
    let missing: Vec<String> = expected.filter(|wanted| !lines.contains(wanted)).collect();
    match missing.is_empty() {
        true => Vec::new(),
        false => vec![format!("describe {resource} {name} lacks {missing:#?} in\n{printed}")],
    }
}
