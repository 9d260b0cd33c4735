//! What changes under constant load, and loses no request: from pods and from outside, over lasting
//! connections and new ones.

mod load;

use std::net::SocketAddr;
use std::process::{Command, ExitCode};

use e2e::{Cluster, NODE_ADDRESS, Namespace, Suite, run, trial, wait_for};

use load::{Client, Load};

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        cluster.up();
        cluster.load(&["k8s-demo.tar", "k8s-demo-2.tar"]);
    });
    let trials = vec![
        trial(&suite, "a_rolling_update_loses_no_request", a_rolling_update_loses_no_request),
        trial(&suite, "a_drain_loses_no_request", a_drain_loses_no_request),
        trial(&suite, "a_crash_loses_no_request_of_who_asks_again", a_crash_loses_no_request_of_who_asks_again),
        trial(&suite, "a_killed_server_loses_no_request", a_killed_server_loses_no_request),
    ];
    suite.run(1, trials)
}

fn a_rolling_update_loses_no_request(cluster: &Cluster) {
    let namespace = serving(cluster, "update");
    let load = Load::start(clients(&namespace, 0));
    namespace.k("set image deployment/web main=wardviaene/k8s-demo:2");
    namespace.k("rollout status deployment/web --timeout=60s");
    settled(&namespace);
    load.calm();
    namespace.k("rollout undo deployment/web");
    namespace.k("rollout status deployment/web --timeout=60s");
    settled(&namespace);
    let tally = load.stop();
    assert_eq!(tally.failures, [""; 0], "{tally:?}");
    let answers: Vec<&str> = tally.answers.keys().map(String::as_str).collect();
    assert_eq!(answers, ["Hello World v2!", "Hello World!"], "{tally:?}");
    namespace.k("delete deployment,service web");
}

/// The cluster has one node, so its pods come back to where they were pushed out: they tolerate the cordon.
fn a_drain_loses_no_request(cluster: &Cluster) {
    let namespace = serving(cluster, "drain");
    let before = names(&namespace);
    let load = Load::start(clients(&namespace, 0));
    let node = cluster.get("nodes")["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
    cluster.k(&format!("drain {node} --ignore-daemonsets --pod-selector=app=web --timeout=60s"));
    settled(&namespace);
    let tally = load.stop();
    assert_eq!(tally.failures, [""; 0], "{tally:?}");
    assert!(names(&namespace).iter().all(|name| !before.contains(name)), "{before:?}");
    cluster.k(&format!("uncordon {node}"));
    namespace.k("delete deployment,service,pdb web");
}

fn a_crash_loses_no_request_of_who_asks_again(cluster: &Cluster) {
    let namespace = serving(cluster, "crash");
    let load = Load::start(clients(&namespace, 20));
    let pod = namespace.get("pods --selector app=web")["items"][0].clone();
    let name = pod["metadata"]["name"].as_str().unwrap();
    let address = pod["status"]["podIP"].as_str().unwrap();
    cluster.fetch(&format!("http://{address}:3000/exit?code=3")).unwrap();
    wait_for("the crash to be noticed", || {
        let status = namespace.get(&format!("pod {name}"))["status"]["containerStatuses"][0].clone();
        let is_back = status["restartCount"] == 1 && status["ready"] == true;
        if is_back { Ok(()) } else { Err(status.to_string()) }
    });
    let tally = load.stop();
    assert_eq!(tally.failures, [""; 0], "{tally:?}");
    namespace.k("delete deployment,service web");
}

fn a_killed_server_loses_no_request(cluster: &Cluster) {
    let namespace = serving(cluster, "killed");
    let load = Load::start(clients(&namespace, 0));
    let pid = cluster.server_pid();
    run(Command::new("kill").args(["-KILL", &pid.to_string()]), "").success();
    wait_for("the server to be gone", || {
        let is_there = std::path::Path::new(&format!("/proc/{pid}/exe")).exists();
        if is_there { Err(format!("process {pid} lives")) } else { Ok(()) }
    });
    load.calm();
    cluster.up();
    load.calm();
    // And it is in charge again: what is rolled out now replaces pods that it has not started.
    namespace.k("rollout restart deployment/web");
    namespace.k("rollout status deployment/web --timeout=60s");
    settled(&namespace);
    let tally = load.stop();
    assert_eq!(tally.failures, [""; 0], "{tally:?}");
    namespace.k("delete deployment,service web");
}

/// Three pods, as the documentation tells people to write them who want to lose nothing: they are asked
/// whether they are ready, and go on for a moment when they are told to end.
fn serving<'a>(cluster: &'a Cluster, name: &str) -> Namespace<'a> {
    let namespace = cluster.namespace(name);
    namespace.create(
        r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 20
      tolerations: [{key: node.kubernetes.io/unschedulable, operator: Exists}]
      containers:
      - name: main
        image: wardviaene/k8s-demo:1
        ports: [{containerPort: 3000}]
        readinessProbe: {httpGet: {path: /healthz, port: 3000}, periodSeconds: 1}
        lifecycle: {preStop: {sleep: {seconds: 2}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 3000}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
"#,
    );
    namespace.k("rollout status deployment/web --timeout=60s");
    let service = address(&namespace, Side::Node);
    wait_for("the service to answer", || cluster.fetch(&format!("http://{service}/")));
    namespace
}

#[derive(Clone, Copy)]
enum Side {
    /// The cluster address, asked from the node.
    Node,
    /// The node port, asked from elsewhere.
    Neighbour,
}

fn address(namespace: &Namespace<'_>, side: Side) -> SocketAddr {
    let spec = namespace.get("service web")["spec"].clone();
    let text = match side {
        Side::Node => format!("{}:80", spec["clusterIP"].as_str().unwrap()),
        Side::Neighbour => format!("{NODE_ADDRESS}:{}", spec["ports"][0]["nodePort"]),
    };
    text.parse().unwrap()
}

fn clients(namespace: &Namespace<'_>, repeats: u32) -> Vec<Client> {
    let machine = &namespace.cluster.machine;
    let (node, neighbour) = (address(namespace, Side::Node), address(namespace, Side::Neighbour));
    let sides = [(machine.network(), node), (machine.neighbour_network(), neighbour)];
    let client = |network, address, stays| Client { network, address, stays, repeats };
    sides
        .into_iter()
        .flat_map(|(network, address)| [false, true].map(|stays| client(network.clone(), address, stays)))
        .collect()
}

/// Waits until only as many pods are there as there should be.
fn settled(namespace: &Namespace<'_>) {
    wait_for("three pods and no more", || {
        let pods = namespace.get("pods --selector app=web");
        let ready = |pod: &serde_json::Value| pod["status"]["containerStatuses"][0]["ready"] == true;
        let pods = pods["items"].as_array().cloned().unwrap_or_default();
        if pods.len() == 3 && pods.iter().all(ready) { Ok(()) } else { Err(namespace.k("get pods")) }
    });
}

fn names(namespace: &Namespace<'_>) -> Vec<String> {
    let pods = namespace.pods("app=web");
    pods.iter().map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}
