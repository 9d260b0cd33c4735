//! An API server with controllers, a scheduler, and nodes that run nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::k8s::NamespaceResourceScope;
use api::k8s::api::coordination::v1::Lease;
use api::k8s::api::core::v1::{Node, Pod, ServiceAccount};
use apiserver::ApiServer;
use client::Client;
use client::kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use client::kube::{Api, Resource};
use reconcile::{Informer, Informers, Kind};
use serde::Serialize;
use serde_json::{Value, json};
use stdx::Ambient;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

pub(crate) const CLUSTER_CA: &str = "-----BEGIN CERTIFICATE-----\nthe cluster's\n-----END CERTIFICATE-----\n";
const ADMIN: &str = "admin";
/// Of virtual time: long enough for any grace, back-off and toleration on the way.
const PATIENCE: Duration = Duration::from_secs(900);

pub(crate) struct World {
    client: Client,
    informers: Informers,
    cancel: CancellationToken,
    calls: Arc<AtomicUsize>,
    running: Mutex<JoinSet<()>>,
    kubelets: Mutex<BTreeMap<String, AbortHandle>>,
    /// Clients of controllers' accounts, by name.
    accounts: Arc<dyn Fn(&str) -> Client + Send + Sync>,
    ambient: Ambient,
    volumes: tempfile::TempDir,
    server: Arc<ApiServer>,
}

/// Where a node's volumes are.
pub(crate) struct Folders {
    path: std::path::PathBuf,
}

impl Folders {
    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Waits for what threads do to files: outside of virtual time, which only passes while nothing else happens.
    pub(crate) async fn until(&self, holds: impl Fn() -> bool) {
        for _ in 0..1_000_000 {
            if holds() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("never so in {:?}", self.path);
    }
}

impl World {
    pub(crate) async fn start() -> World {
        let ambient = Ambient::simulated(7);
        let key = rcgen::KeyPair::generate().unwrap();
        let server = ApiServer::start(apiserver::Config {
            store: store::Memory::new(),
            ambient: ambient.clone(),
            service_cidr: "10.96.0.0/12".into(),
            node_ports: 30000..=32767,
            cluster_domain: "cluster.local".into(),
            client_ca_pem: CLUSTER_CA.into(),
            service_account_key_pem: key.serialize_pem(),
            service_account_issuer: "https://kubernetes.default.svc.cluster.local".into(),
            advertise: "10.0.0.1:6443".parse().unwrap(),
            kubelet_tls: None,
        })
        .await
        .unwrap();
        let cancel = CancellationToken::new();
        let calls = Arc::new(AtomicUsize::new(0));
        let identity = {
            let server = Arc::clone(&server);
            let calls = Arc::clone(&calls);
            move |user: &str, groups: &[&str]| {
                let service = server.local(user, groups);
                let (calls, user) = (Arc::clone(&calls), user.to_owned());
                client::in_process(tower::service_fn(move |request: http::Request<client::Body>| {
                    let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
                    if !is_watch && user != ADMIN {
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                    service.clone().call(request)
                }))
            }
        };
        let mut running = JoinSet::new();
        let all = identity.clone();
        let accounts: Arc<dyn Fn(&str) -> Client + Send + Sync> = Arc::new(move |name| {
            let user = format!("system:serviceaccount:kube-system:{name}");
            all(&user, &["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"])
        });
        let volumes = tempfile::tempdir().unwrap();
        let controllers = controllers::run(controllers::Config {
            clients: Arc::clone(&accounts),
            informers: identity("system:kube-controller-manager", &["system:authenticated"]),
            ambient: ambient.clone(),
            cluster_ca_pem: CLUSTER_CA.into(),
            pod_cidr: "10.244.0.0/16".into(),
            node_cidr_bits: 24,
            volumes_dir: volumes.path().to_str().unwrap().to_owned(),
            signing: None,
            cancel: cancel.clone(),
        });
        running.spawn(async move { controllers.await.unwrap() });
        let scheduler = scheduler::run(scheduler::Config {
            client: identity("system:kube-scheduler", &["system:authenticated"]),
            ambient: ambient.clone(),
            cancel: cancel.clone(),
        });
        running.spawn(async move { scheduler.await.unwrap() });
        let client = identity(ADMIN, &["system:masters", "system:authenticated"]);
        let world = World {
            informers: Informers::new(client.clone(), &ambient, cancel.clone()),
            client,
            cancel,
            calls,
            running: Mutex::new(running),
            kubelets: Mutex::default(),
            accounts,
            ambient,
            volumes,
            server,
        };
        // Before that, no pod is admitted.
        world
            .until::<ServiceAccount>("the default account", |accounts| {
                accounts.iter().any(|account| account.metadata.namespace.as_deref() == Some("default"))
            })
            .await;
        world
    }

    /// How often controllers and scheduler called the API, watches aside.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn namespaced<K>(&self) -> Api<K>
    where
        K: Kind + Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        self.of_namespace("default")
    }

    pub(crate) fn of_namespace<K>(&self, namespace: &str) -> Api<K>
    where
        K: Kind + Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    pub(crate) fn cluster<K: Kind + Resource<DynamicType = ()>>(&self) -> Api<K> {
        Api::all(self.client.clone())
    }

    pub(crate) async fn create<K>(&self, object: Value) -> K
    where
        K: Kind + Resource<DynamicType = ()> + Serialize,
    {
        let namespace = object["metadata"]["namespace"].as_str().map(str::to_owned);
        let uri = format!("{}?", K::url_path(&(), namespace.as_deref()));
        let request = http::Request::post(uri)
            .header("content-type", "application/json")
            .body(serde_json::to_vec(&object).unwrap())
            .unwrap();
        self.client.request(request).await.unwrap()
    }

    /// Waits until all objects of a kind look as wanted.
    pub(crate) async fn until<K>(&self, what: &str, holds: impl Fn(&[K]) -> bool)
    where
        K: Kind + Resource<DynamicType = ()> + Serialize,
    {
        let informer: Informer<K> = self.informers.of();
        informer.synced().await;
        let mut changed = informer.changed();
        let reached = async {
            loop {
                let objects: Vec<K> = informer.list().iter().map(|object| K::clone(object)).collect();
                if holds(&objects) {
                    return;
                }
                changed.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(PATIENCE, reached).await.is_err() {
            let seen: Vec<Value> =
                informer.list().iter().map(|object| serde_json::to_value(&**object).unwrap()).collect();
            panic!("never saw {what}: {}", serde_json::to_string(&seen).unwrap());
        }
    }

    /// A node whose kubelet says that all is well, and that every pod runs.
    pub(crate) async fn add_node(&self, name: &str) {
        let node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        });
        self.create::<Node>(node).await;
        let status = json!({"status": {
            "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        }});
        self.cluster::<Node>().patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
        let kubelet = kubelet(self.client.clone(), self.informers.of(), name.to_owned());
        let handle = self.running.lock().unwrap().spawn(kubelet);
        self.kubelets.lock().unwrap().insert(name.to_owned(), handle);
        self.until::<Node>("a pod range", |nodes| {
            let mut ours = nodes.iter().filter(|node| node.metadata.name.as_deref() == Some(name));
            ours.any(|node| node.spec.as_ref().is_some_and(|spec| spec.pod_cidr.is_some() && spec.taints.is_none()))
        })
        .await;
    }

    /// A client of a user who is no account of a controller.
    pub(crate) fn user(&self, name: &str) -> Client {
        client::in_process(self.server.local(name, &["system:authenticated"]))
    }

    /// A client of a user in one more group.
    pub(crate) fn member(&self, name: &str, group: &str) -> Client {
        client::in_process(self.server.local(name, &["system:authenticated", group]))
    }

    pub(crate) fn ambient(&self) -> Ambient {
        self.ambient.clone()
    }

    /// The node's side of volumes made of its folders.
    pub(crate) fn start_volume_agent(&self, node: &str) -> Folders {
        let path = self.volumes.path().to_owned();
        let agent = controllers::provisioner::agent::run(controllers::provisioner::agent::Config {
            client: (self.accounts)("local-volume-provisioner"),
            node_name: node.to_owned(),
            folder: path.clone(),
            ambient: self.ambient.clone(),
            cancel: self.cancel.clone(),
        });
        self.running.lock().unwrap().spawn(agent);
        Folders { path }
    }

    /// The node's kubelet dies.
    pub(crate) async fn silence(&self, name: &str) {
        let kubelet = self.kubelets.lock().unwrap().remove(name);
        kubelet.unwrap().abort();
    }

    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        let mut running = self.running.into_inner().unwrap();
        for kubelet in self.kubelets.into_inner().unwrap().into_values() {
            kubelet.abort();
        }
        while let Some(ended) = running.join_next().await {
            assert!(ended.is_ok() || ended.is_err_and(|error| error.is_cancelled()));
        }
    }
}

pub(crate) fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{"name": "main", "image": "v1"}]},
    })
}

/// Renews its lease, and plays the life of its pods.
async fn kubelet(client: Client, pods: Informer<Pod>, name: String) {
    let (sender, mut changes) = mpsc::unbounded_channel();
    pods.on_change({
        let name = name.clone();
        move |_, new| {
            let ours = new.filter(|pod| pod.spec.as_ref().unwrap().node_name.as_deref() == Some(name.as_str()));
            if let Some(pod) = ours {
                // The kubelet may be dead already.
                drop(sender.send(Arc::clone(pod)));
            }
        }
    });
    let leases: Api<Lease> = Api::namespaced(client.clone(), "kube-node-lease");
    let lease = Lease {
        metadata: client::kube::api::ObjectMeta { name: Some(name.clone()), ..Default::default() },
        ..Lease::default()
    };
    leases.create(&PostParams::default(), &lease).await.unwrap();
    let mut renewals = 0;
    let mut renewal = tokio::time::interval(Duration::from_secs(10));
    let mut addresses = 0;
    loop {
        tokio::select! {
            biased;
            Some(pod) = changes.recv() => {
                addresses += 1;
                live(&client, &pod, &format!("10.{}.0.{addresses}", name.len())).await;
            }
            _ = renewal.tick() => {
                renewals += 1;
                let patch = json!({"metadata": {"annotations": {"renewals": renewals.to_string()}}});
                leases.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
            }
        }
    }
}

async fn live(client: &Client, pod: &Pod, address: &str) {
    let name = pod.metadata.name.as_deref().unwrap();
    let api: Api<Pod> = Api::namespaced(client.clone(), pod.metadata.namespace.as_deref().unwrap());
    if pod.metadata.deletion_timestamp.is_some() {
        let deleted = api.delete(name, &DeleteParams::default().grace_period(0)).await;
        assert!(deleted.is_ok() || client::CallError::from(deleted.unwrap_err()).is_not_found());
    } else if pod.status.as_ref().and_then(|status| status.pod_ip.as_ref()).is_none() {
        let status = json!({"metadata": {"uid": pod.metadata.uid}, "status": {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2030-01-01T00:00:00Z"}],
        }});
        let patched = api.patch_status(name, &PatchParams::default(), &Patch::Strategic(status)).await;
        assert!(patched.is_ok() || client::CallError::from(patched.unwrap_err()).is_not_found());
    }
}
